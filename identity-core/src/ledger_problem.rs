//! Codes for what `ledger` refuses. That crate knows bytes and keys only, so the catalogue is mapped here.

use ledger::batch::BatchError;
use ledger::checkpoint::{CheckpointError, SignError};
use ledger::log_proof::{LogProofError, LogProofFormError};
use ledger::note::{KeyError, NoteError};
use ledger::policy::{PolicyError, ValidatorSetError};
use ledger::seal::SealError;
use ledger::split_view::SplitEvidenceError;
use ledger::state::StatePathError;
use ledger::state_proof::StateProofError;
use ledger::tile::{BundleError, PathError};
use ledger::time_proof::TimeProofError;
use ledger::tree::{ConsistencyError, FrontierError, InclusionError};
use ledger::trust_root::{CertificateError, TrustRootError};
use ledger::walk::WalkError;

use crate::problem::Code;

/// An error of `ledger` and its code.
pub trait LedgerProblem {
    /// The stable code of this reason.
    fn code(&self) -> Code;
}

/// Errors whose every reason has the same remedy.
macro_rules! one_code {
    ($($error:ty => $code:ident),+ $(,)?) => {
        $(impl LedgerProblem for $error {
            fn code(&self) -> Code {
                Code::$code
            }
        })+
    };
}

one_code! {
    KeyError => LedgerKeyMalformed,
    NoteError => LedgerNoteMalformed,
    CheckpointError => LedgerCheckpointMalformed,
    SignError => LedgerCheckpointSigning,
    PolicyError => LedgerTrustRootMalformed,
    TrustRootError => LedgerTrustRootMalformed,
    ValidatorSetError => LedgerValidatorsMalformed,
    LogProofFormError => LedgerProofMalformed,
    InclusionError => LedgerProofNotInLog,
    ConsistencyError => LedgerProofNotGrown,
    SealError => LedgerSealMalformed,
    StatePathError => LedgerStateProofPath,
    BatchError => LedgerBatchSize,
    PathError => LedgerTileUnknown,
    BundleError => LedgerTileMalformed,
    FrontierError => LedgerTileMalformed,
}

impl LedgerProblem for CertificateError {
    fn code(&self) -> Code {
        match self {
            Self::Note(error) => error.code(),
            Self::Checkpoint(error) => error.code(),
            Self::OtherOrigin => Code::LedgerCheckpointOtherLog,
            Self::BadLogSignature(_) => Code::LedgerCheckpointLogSignature,
            Self::BadCosignature(_) => Code::LedgerCheckpointCosignature,
            Self::NoLogSignature => Code::LedgerCheckpointUnsigned,
            Self::NoQuorum => Code::LedgerCheckpointQuorum,
        }
    }
}

impl LedgerProblem for LogProofError {
    fn code(&self) -> Code {
        match self {
            Self::Certificate(error) => error.code(),
            Self::OtherCheckpoint => Code::LedgerProofOtherCheckpoint,
            Self::Inclusion(error) => error.code(),
        }
    }
}

impl LedgerProblem for StateProofError {
    fn code(&self) -> Code {
        match self {
            Self::TooLong | Self::Malformed => Code::LedgerStateProofMalformed,
            Self::LogProofForm(error) => error.code(),
            Self::LogProof(error) => error.code(),
            Self::NotTheLastEntry => Code::LedgerStateProofNotLast,
            Self::OtherSeal => Code::LedgerProofOtherCheckpoint,
            Self::Seal(error) => error.code(),
            Self::Path(error) => error.code(),
        }
    }
}

impl LedgerProblem for TimeProofError {
    fn code(&self) -> Code {
        match self {
            Self::TooLong | Self::Malformed => Code::LedgerTimeProofMalformed,
            Self::LogProofForm(error) => error.code(),
            Self::LogProof(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::NotConsecutive => Code::LedgerTimeProofNotConsecutive,
            Self::NotAround => Code::LedgerTimeProofOtherTime,
            Self::NotYetKnown => Code::LedgerTimeNotYetKnown,
        }
    }
}

impl LedgerProblem for WalkError {
    fn code(&self) -> Code {
        match self {
            Self::TooLong | Self::Malformed | Self::LogProofForm(_) => Code::LedgerWalkMalformed,
            Self::LogProof(_)
            | Self::Seal(_)
            | Self::NotTheLastEntry
            | Self::Backwards
            | Self::NoOtherSet
            | Self::OtherPolicy
            | Self::TrustRoot(_)
            | Self::OtherOrigin => Code::LedgerWalkFalseStep,
            Self::NotTheNewest => Code::LedgerWalkUnfinished,
        }
    }
}

impl LedgerProblem for SplitEvidenceError {
    fn code(&self) -> Code {
        match self {
            Self::TooLong | Self::Malformed => Code::LedgerEvidenceMalformed,
            Self::Note(error) => error.code(),
            Self::Checkpoint(error) => error.code(),
            Self::OtherOrigin => Code::LedgerCheckpointOtherLog,
            Self::DifferentSizes => Code::LedgerEvidenceSizes,
            Self::SameRoot => Code::LedgerEvidenceAgree,
            Self::BadCosignature(_) => Code::LedgerCheckpointCosignature,
            Self::Nobody => Code::LedgerEvidenceNobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_code_through_every_layer() {
        let quorum = CertificateError::NoQuorum;
        assert_eq!(quorum.code().as_str(), "ledger.checkpoint.quorum");
        assert_eq!(StateProofError::LogProof(LogProofError::Certificate(quorum)).code(), quorum.code());
        let path = StateProofError::Path(StatePathError::RootMismatch);
        assert_eq!(path.code().as_str(), "ledger.state_proof.path");
    }
}
