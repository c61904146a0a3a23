//! Duty attestations: an official's own signature over a question, and what the data is wanted for.
//!
//! ```text
//!  Attestation ──sign (duty key)──▶ text ──parse──▶ UnverifiedAttestation
//!                                                       │ who() : look up `duty/<department>/<number>`
//!                                                       └── verify(history, index) ──▶ VerifiedAttestation
//!                                          check_request(parameters) · check_scope(parameters)
//! ```
//!
//! The text travels as `verifier_info` of the request, and its digest in every `transaction_data` object, so that the
//! holder's own signature covers it too ([`crate::oid4vp::transaction_data`]).
//!
//! # What this does not check
//! Whether the department itself is accredited for the question: [`crate::verdict::standing`].

mod attestation;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use attestation::leading_names;
pub use attestation::{
    Attestation, FORMAT, MAX_ATTESTATION_BYTES, MAX_BASIS_CHARS, MAX_RETENTION_DAYS, UnverifiedAttestation,
    VerifiedAttestation, is_basis,
};
pub use error::DutyError;
