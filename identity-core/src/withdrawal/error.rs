//! Why a withdrawal, or its acknowledgement, is not taken.

use thiserror::Error;

use crate::problem::Code;
use crate::receipt::statement::StatementFault;

/// Why a withdrawal is none, or not of this sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WithdrawalError {
    /// Not a JWS of this kind with these members.
    #[error("the withdrawal is malformed")]
    Malformed,
    /// Made for another service.
    #[error("the withdrawal is made for another service")]
    Audience,
    /// Over another receipt.
    #[error("the withdrawal is over another receipt")]
    Receipt,
    /// The key that it carries is none that the answer was bound to.
    #[error("the withdrawal is by another key than the answer's")]
    Key,
    /// Not signed by the key that it carries.
    #[error("the withdrawal is not signed by its key")]
    Signature,
    /// Dated before the sharing, or in the future.
    #[error("the withdrawal is dated before the sharing or in the future")]
    Time,
}

impl WithdrawalError {
    /// The stable code of this reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::WithdrawalMalformed,
            Self::Audience => Code::WithdrawalAudience,
            Self::Receipt => Code::WithdrawalReceipt,
            Self::Key => Code::WithdrawalKey,
            Self::Signature => Code::WithdrawalSignature,
            Self::Time => Code::WithdrawalTime,
        }
    }
}

/// Why an acknowledgement is none, or not of this withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcknowledgementError {
    /// None came along.
    #[error("the service gave no acknowledgement")]
    Missing,
    /// Not a JWS of this kind with these members, or members that contradict each other.
    #[error("the acknowledgement is malformed")]
    Malformed,
    /// The key that it names is no authentication key of the service.
    #[error("the acknowledgement names a key that is not the service's")]
    Key,
    /// Not signed by the key that it names.
    #[error("the acknowledgement is not signed by the service")]
    Signature,
    /// By another service than the one that was asked.
    #[error("the acknowledgement is another service's")]
    Service,
    /// Over another withdrawal.
    #[error("the acknowledgement is over another withdrawal")]
    OtherWithdrawal,
    /// Over another receipt.
    #[error("the acknowledgement is over another receipt")]
    OtherReceipt,
    /// At a place of the chain before the receipt that it is about.
    #[error("the acknowledgement stands before the receipt that it is about")]
    Place,
    /// Dated before the withdrawal, or in the future.
    #[error("the acknowledgement is dated before the withdrawal or in the future")]
    Time,
}

impl AcknowledgementError {
    /// The stable code of this reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::WithdrawalAckMissing,
            Self::Malformed => Code::WithdrawalAckMalformed,
            Self::Key => Code::WithdrawalAckKey,
            Self::Signature => Code::WithdrawalAckSignature,
            Self::Service => Code::WithdrawalAckService,
            Self::OtherWithdrawal => Code::WithdrawalAckOtherWithdrawal,
            Self::OtherReceipt => Code::WithdrawalAckOtherReceipt,
            Self::Place => Code::WithdrawalAckPlace,
            Self::Time => Code::WithdrawalAckTime,
        }
    }
}

impl From<StatementFault> for AcknowledgementError {
    fn from(fault: StatementFault) -> Self {
        match fault {
            StatementFault::Malformed => Self::Malformed,
            StatementFault::Key => Self::Key,
            StatementFault::Signature => Self::Signature,
        }
    }
}
