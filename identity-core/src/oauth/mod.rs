//! The parts of OAuth 2.0 that OpenID4VCI stands on: forms, bearer tokens, URLs of endpoints, server metadata.
//!
//! What it deliberately is not: an authorization server. Only the shapes live here; who may have a token is
//! decided in [`crate::oid4vci::issuer`].

pub mod bearer;
pub mod form;
pub mod metadata;
pub mod url;
