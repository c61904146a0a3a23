//! SD-JWT VC: the credential format, on top of [`sd_jwt`](crate::sd_jwt).
//!
//! Followed: draft-ietf-oauth-sd-jwt-vc; which text exactly, and where we are narrower, is in `docs/profile.md`.
//! A credential's `iss` is the issuer's HTTPS URL and its `kid` a DID URL; that the key is the issuer's is for
//! the verdict to find out, not for this module.

mod built_in;
mod credential;
mod error;
mod integrity;
mod issue;
pub mod type_metadata;

#[cfg(test)]
mod tests;

pub use built_in::{BUILT_IN, BuiltInType};
pub use credential::Credential;
pub use error::CredentialError;
pub use issue::{Registered, issue};
pub use type_metadata::{TypeError, TypeMetadata};

/// Claims that are never disclosures, nor is anything inside them.
pub const NEVER_DISCLOSABLE: [&str; 8] = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"];
