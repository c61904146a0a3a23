//! OpenID for Verifiable Presentations 1.0, both sides, without IO.
//!
//! ```text
//!  verifier                                     wallet
//!  verifier::Session::make  ── link / QR ──▶  request::RequestLink::parse
//!  Session::request_object  ◀── GET|POST ──   (fetches `request_uri`)
//!                           ── JWT ───────▶   wallet::UnverifiedRequest::parse
//!                                             ::verify(DID document) → VerifiedRequest
//!  verifier::accept         ◀── direct_post   VerifiedRequest::answer / ::refusal
//! ```
//!
//! Here are the envelopes only: who asks, what, for which session, and what came back. Whether a
//! presentation holds is [`crate::verdict`]'s to say. The text followed is OpenID4VP 1.0 (final);
//! response modes `direct_post` and `direct_post.jwt`, requests by signed reference, clients named by
//! `decentralized_identifier` or `x509_hash`.

pub mod client_id;
pub mod encryption;
mod envelope;
pub mod error;
pub mod request;
pub mod response;
pub mod same_device;
pub mod transaction_data;
pub mod verifier;
pub mod wallet;

#[cfg(test)]
mod tests;

pub use client_id::{ClientId, ClientName};
pub use encryption::Encryption;
pub use error::{LinkError, OAuthError, QueryRefused, RequestError, ResponseError, WalletError};
pub use request::{AnchorWish, Parameters, RequestLink, ResponseMode};
pub use response::{Anchors, VpToken};
pub use verifier::{Answer, Ask, Session, SignedBy, WhatFor};
pub use wallet::{UnverifiedRequest, VerifiedRequest, WhoAsks};
