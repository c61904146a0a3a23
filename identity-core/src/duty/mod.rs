//! An official's own signature: over a question and what the data is wanted for (an attestation), or over something that
//! a department does as an issuer (an order, [`Order`]). Both are `xinfu-duty+jwt`, and neither passes for the other.
//!
//! ```text
//!  Attestation ──sign (duty key)──▶ text ──parse──▶ UnverifiedAttestation
//!                                                       │ who() : look up `duty/<department>/<number>`
//!                                                       └── verify(history, index) ──▶ VerifiedAttestation
//!                                                              check(asker, request)
//! ```
//!
//! An attestation travels as `verifier_info` of the request, and its digest in every `transaction_data` object, so that the
//! holder's own signature covers it too ([`crate::oid4vp::transaction_data`]).
//!
//! # What this does not check
//! Whether the department itself is accredited for the question: [`crate::verdict::standing`].

mod attestation;
mod case;
mod error;
mod order;
mod signed;
#[cfg(test)]
mod tests;

pub(crate) use attestation::check_holder;
pub use attestation::{
    Attestation, FORMAT, MAX_ATTESTATION_BYTES, MAX_BASIS_CHARS, MAX_RETENTION_DAYS, UnverifiedAttestation,
    VerifiedAttestation, Word, is_basis,
};
pub use case::{CaseNumber, MAX_CASE_BYTES, is_case};
pub use error::DutyError;
pub use order::{
    Deed, IssuerAct, MAX_ORDER_BYTES, MAX_ORDER_SECONDS, ORDER_NONCE_CHARS, Order, UnverifiedOrder, VerifiedOrder,
};
pub(crate) use signed::delegated;
