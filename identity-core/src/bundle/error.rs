//! Why a bundle does not hold.

use thiserror::Error;

use crate::anchor::AnchorError;
use crate::duty::DutyError;
use crate::problem::Code;
use crate::receipt::ReceiptError;
use crate::withdrawal::{AcknowledgementError, WithdrawalError};

/// Why a bundle shows nothing, each part by its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// No bundle of this format, or larger than one may be.
    #[error("this is no evidence bundle")]
    Malformed,
    /// The file is another one than was written.
    #[error("the file was changed after it was written")]
    Changed,
    /// A state proof does not hold under the trust root, or is of something else than its key says.
    #[error("what the bundle says of the ledger does not hold under the trust root")]
    State,
    /// What the ledger says of somebody in the chain of responsibility is not here.
    #[error("the bundle lacks what the ledger says of somebody in the chain")]
    Incomplete,
    /// What the ledger says here is older than the act.
    #[error("what the bundle says of the ledger is older than the act")]
    Behind,
    /// What the ledger says here is older than the moment that is asked about.
    #[error("what the bundle says of the ledger is older than the moment that is asked about")]
    BehindMoment,
    /// Two certified histories of one ledger.
    #[error("the bundle shows two histories of one ledger")]
    SplitView,
    /// The receipt is none, or not signed by a key that the service had.
    #[error("{0}")]
    Receipt(ReceiptError),
    /// The proof that the ledger has the receipt does not hold.
    #[error("{0}")]
    Anchor(AnchorError),
    /// Somebody else than the service put the receipt on the ledger.
    #[error("somebody else put the receipt on the ledger")]
    AnchorSender,
    /// The request is not signed by a key that the service had, or cannot be read.
    #[error("the request is not the service's")]
    Request,
    /// The receipt is over another question than the request.
    #[error("the receipt is over another question than the request")]
    OtherRequest,
    /// The receipt states something else than the official signed.
    #[error("{0}")]
    OtherWord(ReceiptError),
    /// No official answers for the question, or under a duty that does not cover it.
    #[error("{0}")]
    Duty(DutyError),
    /// The receipt names a person where the ledger names a service account, or the other way round.
    #[error("the receipt says otherwise than the ledger whether a person signed")]
    Official,
    /// The service was not accredited for the question.
    #[error("the service was not accredited for the question")]
    Accreditation,
    /// The accreditation does not lead to an authority of genesis.
    #[error("the accreditation does not lead to an authority of genesis")]
    Chain,
    /// A key binding answers another question, or is not the holder's.
    #[error("the holder's signature is over something else, or not the holder's")]
    Holder,
    /// The presentations are not those that the receipt names.
    #[error("the presentations are not those that the receipt names")]
    Presentation,
    /// The withdrawal is none, not of this sharing, or not by the hand that answered.
    #[error("{0}")]
    Withdrawal(WithdrawalError),
    /// The proof that the withdrawal was there does not hold.
    #[error("{0}")]
    Notarised(AnchorError),
    /// The acknowledgement is none, not of this withdrawal, or not the service's.
    #[error("{0}")]
    Acknowledgement(AcknowledgementError),
    /// The proof that the ledger has the acknowledgement does not hold.
    #[error("{0}")]
    AcknowledgementAnchor(AnchorError),
}

impl BundleError {
    /// The stable code of this reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::EvidenceMalformed,
            Self::Changed => Code::EvidenceChanged,
            Self::State => Code::EvidenceState,
            Self::Incomplete => Code::EvidenceIncomplete,
            Self::Behind => Code::EvidenceBehind,
            Self::BehindMoment => Code::EvidenceBehindMoment,
            Self::SplitView => Code::EvidenceSplitView,
            Self::Receipt(_) => Code::EvidenceReceipt,
            Self::Anchor(_) => Code::EvidenceAnchor,
            Self::AnchorSender => Code::EvidenceAnchorSender,
            Self::Request => Code::EvidenceRequest,
            Self::OtherRequest => Code::EvidenceOtherRequest,
            Self::OtherWord(_) => Code::EvidenceOtherWord,
            Self::Duty(_) => Code::EvidenceDuty,
            Self::Official => Code::EvidenceOfficial,
            Self::Accreditation => Code::EvidenceAccreditation,
            Self::Chain => Code::EvidenceChain,
            Self::Holder => Code::EvidenceHolder,
            Self::Presentation => Code::EvidencePresentation,
            Self::Withdrawal(_) => Code::EvidenceWithdrawal,
            Self::Notarised(_) => Code::EvidenceNotarised,
            Self::Acknowledgement(_) | Self::AcknowledgementAnchor(_) => Code::EvidenceAcknowledgement,
        }
    }

    /// What lies beneath, where the part has reasons of its own.
    #[must_use]
    pub fn cause(self) -> Option<Code> {
        match self {
            Self::Receipt(error) | Self::OtherWord(error) => Some(error.code()),
            Self::Anchor(error) | Self::Notarised(error) | Self::AcknowledgementAnchor(error) => Some(error.code()),
            Self::Withdrawal(error) => Some(error.code()),
            Self::Acknowledgement(error) => Some(error.code()),
            Self::Duty(error) => Some(error.code()),
            _ => None,
        }
    }

    /// Whether the file could not be read at all, so that nothing is said about an act.
    #[must_use]
    pub const fn is_unreadable(self) -> bool {
        matches!(self, Self::Malformed)
    }
}
