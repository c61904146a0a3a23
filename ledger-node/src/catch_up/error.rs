//! What one source did wrong, and what ends catching up altogether.

use std::path::{Path, PathBuf};

use identity_core::ledger_problem::LedgerProblem as _;
use identity_core::problem::Code;
use ledger::tile::Tile;
use ledger::walk::WalkError;
use service_kit::fetch::FetchError;
use service_kit::store::StoreError;
use service_kit::whole_file;

use crate::executor::{ExecuteError, ReplayError};

/// Why a source does not help. Nothing that it gave was executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It cannot be reached, refuses, or its answer has no end.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A file of it cannot be read.
    #[error("{path} cannot be read: {reason}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A file of it is longer than anything that can stand there.
    #[error("{path} is longer than {limit} bytes")]
    TooLong {
        /// Which.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// It knows nothing of the validators that are in force after our head.
    #[error("it does not know the validators in force here: it is behind, or of another chain")]
    UnknownSet,
    /// It has no checkpoint that those validators certified.
    #[error("it shows no checkpoint that the validators in force here certified: {0}")]
    Walk(#[from] WalkError),
    /// What it shows as the last seal of the validators in force here, or as the newest, is for others to certify.
    #[error("its checkpoint of {size} entries lies beyond the last seal of the validators who certified it")]
    PastTheSet {
        /// Size of the checkpoint.
        size: u64,
    },
    /// It lacks what must be there under the checkpoint that it shows.
    #[error("it lacks {0}")]
    Lacks(Tile),
    /// It has dropped that part of the history, or never had it.
    #[error("it does not keep {0} any more: name a node that does, or start from a snapshot in an empty directory")]
    Pruned(String),
    /// A tile or bundle is not of its form, or does not hold as many items as its name says.
    #[error("its {0} is malformed, or does not hold as many items as it must")]
    Malformed(Tile),
    /// The entries are others than the validators certified.
    #[error("its entries {from} to {to} are not those that were certified")]
    FalseEntries {
        /// The first of the chunk.
        from: u64,
        /// The last of the chunk.
        to: u64,
    },
    /// The hash tiles do not lead to the checkpoint.
    #[error("its hash tiles do not lead to its checkpoint of {size} entries")]
    FalseHashes {
        /// Size of the checkpoint.
        size: u64,
    },
}

impl SourceError {
    /// Whether it is of no use to ask again: what was said is false, and not only missing for now.
    pub(crate) fn is_lie(&self) -> bool {
        match self {
            Self::Fetch(FetchError::TooLarge { .. })
            | Self::TooLong { .. }
            | Self::Walk(_)
            | Self::PastTheSet { .. }
            | Self::Malformed(_)
            | Self::FalseEntries { .. }
            | Self::FalseHashes { .. } => true,
            Self::Fetch(_) | Self::File { .. } | Self::UnknownSet | Self::Lacks(_) | Self::Pruned(_) => false,
        }
    }

    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Fetch(error) => error.code(),
            Self::File { .. } => Code::LedgerCatchUpFile,
            Self::TooLong { .. } => Code::FetchTooLarge,
            Self::UnknownSet => Code::LedgerWalkUnknown,
            Self::Walk(error) => error.code(),
            Self::Lacks(_) => Code::LedgerTileUnknown,
            Self::Pruned(_) => Code::LedgerPruned,
            Self::Malformed(_) => Code::LedgerTileMalformed,
            Self::PastTheSet { .. } | Self::FalseEntries { .. } | Self::FalseHashes { .. } => Code::LedgerCatchUpFalse,
        }
    }
}

/// Why a node does not reach the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatchUpError {
    /// No source helps; each was named when it did not.
    #[error("no source helps to catch up")]
    NoSource(Vec<(String, SourceError)>),
    /// The validators in force after our head certified a log that does not begin with ours.
    #[error(
        "{source_name} shows a checkpoint of {size} entries, certified by the validators in force here, of another history than this node's {ours} entries"
    )]
    SplitView {
        /// Who shows it.
        source_name: String,
        /// Size of the checkpoint.
        size: u64,
        /// Size of our log.
        ours: u64,
        /// The checkpoint: evidence, together with ours.
        note: String,
    },
    /// The quorum certified an entry that this program cannot read.
    #[error("the certified log entry {index} cannot be read by this program: {reason}")]
    Unreadable {
        /// Its index.
        index: u64,
        /// Why.
        reason: String,
    },
    /// Executing the certified block gives another result than the quorum certified.
    #[error("block {height} comes out otherwise here than the validators certified it; it was not kept")]
    Diverges {
        /// Its height.
        height: u64,
    },
    /// A block was not executed, for reasons of this node's own.
    #[error("{reason}")]
    NotExecuted {
        /// What the executor said.
        reason: String,
        /// The store's failure.
        error: StoreError,
        /// Whether the data is not what this node wrote, so that it must not go on.
        halted: bool,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CatchUpError {
    /// Whether the node must stop: its data or its program is not what the quorum's is, and trying again or asking
    /// others would only hide it.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::SplitView { .. } | Self::Unreadable { .. } | Self::Diverges { .. } => true,
            Self::NotExecuted { halted, .. } => *halted,
            Self::Store(error) => matches!(error, StoreError::Corrupt(_)),
            Self::NoSource(_) => false,
        }
    }

    /// Keeps the checkpoint of another history than ours in the directory of evidence, if that is what is wrong: it is
    /// what the histories of others are compared with.
    ///
    /// # Errors
    /// The file system's.
    pub fn keep_other_history(&self, evidence: &Path) -> std::io::Result<Option<PathBuf>> {
        let Self::SplitView { size, note, .. } = self else { return Ok(None) };
        let path = evidence.join(format!("history-{size}"));
        std::fs::create_dir_all(evidence)?;
        whole_file::write(&path, note)?;
        Ok(Some(path))
    }

    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoSource(_) => Code::LedgerCatchUpNobody,
            Self::SplitView { .. } => Code::LedgerCheckpointSplitView,
            Self::Unreadable { .. } | Self::Diverges { .. } => Code::LedgerCatchUpDiverges,
            Self::NotExecuted { error, .. } | Self::Store(error) => error.code(),
        }
    }
}

impl From<ReplayError> for CatchUpError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Diverges { height } => Self::Diverges { height },
            ReplayError::Execute(error) => {
                let (reason, halted) = (error.to_string(), matches!(error, ExecuteError::Halted(_)));
                let (ExecuteError::NotSaved(error) | ExecuteError::Halted(error)) = error;
                Self::NotExecuted { reason, error, halted }
            }
        }
    }
}

/// What ends one attempt: this source is of no use, or nothing is.
#[derive(Debug)]
pub(super) enum Stopped {
    Source(SourceError),
    All(CatchUpError),
}

impl<E: Into<SourceError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Source(error.into())
    }
}
