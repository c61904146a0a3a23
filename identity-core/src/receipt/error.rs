//! Why a receipt is not taken.

use thiserror::Error;

use super::statement::StatementFault;
use crate::problem::Code;

/// Why a receipt is none, or not of this sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// None came along.
    #[error("the service gave no receipt")]
    Missing,
    /// Not a JWS of this kind with these members.
    #[error("the receipt is malformed")]
    Malformed,
    /// The key that it names is no authentication key of the service.
    #[error("the receipt names a key that is not the service's")]
    Key,
    /// Not signed by the key that it names.
    #[error("the receipt is not signed by the service")]
    Signature,
    /// By another service than the one that was answered.
    #[error("the receipt is another service's")]
    Service,
    /// Over another question, or another official's.
    #[error("the receipt is over another request")]
    OtherRequest,
    /// Over other presentations or claims than those that were sent.
    #[error("the receipt is over something else than was shared")]
    OtherPresentation,
    /// It states another purpose, basis, retention or case than the official signed.
    #[error("the receipt states something else than the official signed")]
    OtherWord,
    /// It states another verdict than the service's answer.
    #[error("the receipt states another verdict than the service's answer")]
    OtherVerdict,
    /// Dated before the sharing, or in the future.
    #[error("the receipt is dated before the sharing or in the future")]
    Time,
}

impl ReceiptError {
    /// The stable code of this reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::ReceiptMissing,
            Self::Malformed => Code::ReceiptMalformed,
            Self::Key => Code::ReceiptKey,
            Self::Signature => Code::ReceiptSignature,
            Self::Service => Code::ReceiptService,
            Self::OtherRequest => Code::ReceiptOtherRequest,
            Self::OtherPresentation => Code::ReceiptOtherPresentation,
            Self::OtherWord => Code::ReceiptOtherWord,
            Self::OtherVerdict => Code::ReceiptOtherVerdict,
            Self::Time => Code::ReceiptTime,
        }
    }
}

impl From<StatementFault> for ReceiptError {
    fn from(fault: StatementFault) -> Self {
        match fault {
            StatementFault::Malformed => Self::Malformed,
            StatementFault::Key => Self::Key,
            StatementFault::Signature => Self::Signature,
        }
    }
}
