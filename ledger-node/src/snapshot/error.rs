//! Why there is no snapshot, or no start from one.

use std::path::PathBuf;

use identity_core::ledger_problem::LedgerProblem as _;
use identity_core::problem::Code;
use ledger::snapshot::Malformed;
use ledger::walk::WalkError;
use service_kit::store::StoreError;

use super::way::Unproven;

/// Why a snapshot was not written, or not taken. Where it was not taken, the store is as empty as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file cannot be read or written.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The bytes are not a snapshot in its one spelling.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The way from the genesis file's validators does not hold.
    #[error("the way from the genesis file to the snapshot's checkpoint does not hold: {0}")]
    Way(#[from] WalkError),
    /// The way does not lead through the trust root that was handed in.
    #[error("the way to the snapshot's checkpoint does not lead through the trust root")]
    OtherTrust,
    /// The hashes of the edge do not give the checkpoint's root.
    #[error("the snapshot's log is not the one that was certified")]
    FalseLog,
    /// An entry is not the one that stands in the log.
    #[error("log entry {0} of the snapshot is not the one that was certified")]
    FalseEntry(u64),
    /// The pairs do not give the seal's state root.
    #[error("the snapshot's state is not the one that was certified")]
    FalseState,
    /// The state names other sets of validators than the way went through.
    #[error("the snapshot's way is not that of the validators that its state knows")]
    FalseSets,
    /// The store that is to start holds something.
    #[error("the node has data already: a snapshot is for an empty one")]
    NotEmpty,
    /// The node has no certified checkpoint.
    #[error("the node has kept no certified checkpoint yet")]
    Uncertified,
    /// The node has lost the note over a seal that names a set, so nobody could follow the way.
    #[error("the node has not kept the checkpoint over log entry {0}, which ended a set of validators")]
    Lost(u64),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unproven> for SnapshotError {
    fn from(error: Unproven) -> Self {
        match error {
            Unproven::Store(error) => Self::Store(error),
            Unproven::Lost(seal) => Self::Lost(seal),
            damaged => Self::Store(StoreError::Corrupt(format!("{damaged}; run fsck"))),
        }
    }
}

impl SnapshotError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::File { .. } => Code::LedgerCatchUpFile,
            Self::Malformed(_) => Code::LedgerSnapshotMalformed,
            Self::Way(error) => error.code(),
            Self::OtherTrust => Code::LedgerSnapshotOtherTrust,
            Self::FalseLog | Self::FalseEntry(_) | Self::FalseState | Self::FalseSets => Code::LedgerSnapshotFalse,
            Self::NotEmpty => Code::LedgerSnapshotNotEmpty,
            Self::Uncertified => Code::LedgerUncertified,
            Self::Lost(_) => Code::LedgerSnapshotLost,
            Self::Store(error) => error.code(),
        }
    }
}
