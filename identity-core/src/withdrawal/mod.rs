//! Taking a sharing back: what the holder signs, and what the service says it did upon it.
//!
//! ```text
//!  holder    Withdrawal ──sign (a holder key of the sharing)──▶ text ──▶ service
//!  service   UnverifiedWithdrawal::parse(text) ── verify(sharing) ──▶ VerifiedWithdrawal ──▶ deletes
//!            Acknowledgement ──sign (authentication key), an entry of the chain of receipts──▶ text ──▶ holder
//!  holder    UnverifiedAcknowledgement::parse(text) ── verify(document) ── check(sent) ──▶ kept
//! ```
//!
//! A withdrawal names one service and one receipt, so it can do nothing elsewhere; brought twice it has one effect and
//! one answer. That is all there is against replay, and it needs no nonce: the right to withdraw must not depend on the
//! service first handing something out.

mod acknowledgement;
mod error;
mod request;
#[cfg(test)]
mod tests;

pub use acknowledgement::{
    Acknowledgement, Answered, Kept, Kind, MAX_ACKNOWLEDGEMENT_BYTES, Sent, UnverifiedAcknowledgement,
    VerifiedAcknowledgement,
};
pub use error::{AcknowledgementError, WithdrawalError};
pub use request::{MAX_WITHDRAWAL_BYTES, Shared, UnverifiedWithdrawal, VerifiedWithdrawal, Withdrawal, holder_keys};

/// Days within which a service must have acknowledged. The answer comes at once where all is well; this leaves room for an
/// outage, and for a person who looks into it.
pub const ANSWER_DAYS: i64 = 15;

/// How far the clocks of holder and service may differ, in seconds.
const LEEWAY: i64 = 300;
