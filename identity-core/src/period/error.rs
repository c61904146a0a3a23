//! Why a period is not taken for the whole of it.

use thiserror::Error;

use crate::anchor::AnchorError;
use crate::problem::Code;
use crate::receipt::ChainFault;

/// Why a period shows nothing, each part by its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// No file of this format, or larger than one may be.
    #[error("this is no period export")]
    Malformed,
    /// The file is another one than was written.
    #[error("the file was changed after it was written")]
    Changed,
    /// More than one file may hold.
    #[error("the period has more receipts than one file may hold")]
    TooLarge,
    /// What the file says of the ledger does not hold under the trust root, or is about something else.
    #[error("what the file says of the ledger does not hold under the trust root")]
    State,
    /// Two certified histories of one ledger.
    #[error("the file shows two histories of one ledger")]
    SplitView,
    /// An entry is missing, changed, misplaced, not the service's, or the last ones are gone.
    #[error("{0}")]
    Chain(#[from] ChainFault),
    /// An entry is not dated where it stands: inside the period, before or after it.
    #[error("receipt {seq} is not dated where it stands")]
    Time {
        /// Its place.
        seq: u64,
    },
    /// The anchors do not continue one another, or an entry that the ledger has is in none of them.
    #[error("no anchor in the file covers receipt {seq}")]
    Uncovered {
        /// The first place that none covers.
        seq: u64,
    },
    /// An anchor does not hold.
    #[error("{0}")]
    Anchor(AnchorError),
    /// Somebody else than the service made an anchor.
    #[error("somebody else anchored the receipts")]
    AnchorSender,
    /// The ledger has other receipts at these places: the chain was forked.
    #[error("the ledger has other receipts from {first} to {last}")]
    Forked {
        /// The first place of the range.
        first: u64,
        /// The last one.
        last: u64,
    },
}

impl PeriodError {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Malformed => Code::PeriodMalformed,
            Self::Changed => Code::PeriodChanged,
            Self::TooLarge => Code::PeriodTooLarge,
            Self::State => Code::PeriodState,
            Self::SplitView => Code::LedgerCheckpointSplitView,
            Self::Chain(fault) => fault.code(),
            Self::Time { .. } => Code::PeriodTime,
            Self::Uncovered { .. } => Code::PeriodUncovered,
            Self::Anchor(error) => error.code(),
            Self::AnchorSender => Code::PeriodAnchorSender,
            Self::Forked { .. } => Code::PeriodForked,
        }
    }

    /// The place that it names, if it does.
    #[must_use]
    pub const fn seq(self) -> Option<u64> {
        match self {
            Self::Chain(fault) => Some(fault.seq()),
            Self::Time { seq } | Self::Uncovered { seq } | Self::Forked { first: seq, .. } => Some(seq),
            Self::Malformed
            | Self::Changed
            | Self::TooLarge
            | Self::State
            | Self::SplitView
            | Self::Anchor(_)
            | Self::AnchorSender => None,
        }
    }

    /// Whether the file could not be read at all, so that nothing is said about a period.
    #[must_use]
    pub const fn is_unreadable(self) -> bool {
        matches!(self, Self::Malformed)
    }
}
