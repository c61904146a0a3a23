//! Evidence bundles on their way to a file: what the ledger is asked for them, and how they are written and read.

use std::io;
use std::path::Path;

use identity_core::bundle::{Bundle, BundleError, MAX_BUNDLE_BYTES};
use identity_core::ledger_problem::LedgerProblem as _;
use identity_core::problem::Code;
use ledger::time_proof::{self, TimeProofError};
use ledger::{PastMoment, TimeProof, TrustRoot};

use crate::ledger_client::{LedgerClient, LedgerError};
use crate::private_file::{self, PrivateFileError};
use crate::whole_file;

/// Rounds of questions to the ledger. A chain of accreditations has at most eight links, each of which names the next.
const MAX_ROUNDS: usize = 16;
/// How often a bundle is begun anew because other validators came into force while the ledger was asked.
const TRIES: usize = 3;

/// Why a bundle is not made or not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceFileError {
    /// It would not hold, or the file is none.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The ledger could not be asked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file cannot be read or written.
    #[error("the file cannot be read or written: {0}")]
    File(io::Error),
    /// The file is no proof of that time.
    #[error(transparent)]
    Time(#[from] TimeProofError),
    /// The private file cannot be written, or is there already.
    #[error(transparent)]
    Private(#[from] PrivateFileError),
}

impl EvidenceFileError {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Time(error) => error.code(),
            Self::File(_) | Self::Private(_) => Code::EvidenceFile,
        }
    }
}

/// Asks the ledger for all that `bundle` lacks, and checks the whole as anybody else would.
///
/// # Errors
/// [`EvidenceFileError`]: the ledger cannot be asked, or the bundle does not hold even with its answers.
pub async fn complete(bundle: Bundle, ledger: &LedgerClient) -> Result<Bundle, EvidenceFileError> {
    for _ in 1..TRIES {
        let trust_root = ledger.trust_root();
        let made = attempt(bundle.clone(), ledger).await;
        // Where other validators came into force on the way, what the ones before said counts for nothing.
        if made.is_ok() || *ledger.trust_root() == *trust_root {
            return made;
        }
    }
    attempt(bundle, ledger).await
}

async fn attempt(mut bundle: Bundle, ledger: &LedgerClient) -> Result<Bundle, EvidenceFileError> {
    for _ in 0..MAX_ROUNDS {
        let missing = bundle.missing(&ledger.trust_root())?;
        if missing.is_empty() {
            break;
        }
        for key in missing {
            bundle.add_state(ledger.state(&key).await?.1);
        }
    }
    bundle.check(&ledger.trust_root())?;
    Ok(bundle)
}

/// Writes a bundle whole or not at all. One with claim values becomes a private file, which must not be there yet.
///
/// # Errors
/// [`EvidenceFileError::File`], [`EvidenceFileError::Private`].
pub fn write(path: &Path, bundle: &Bundle) -> Result<(), EvidenceFileError> {
    let text = bundle.to_text();
    if bundle.has_values() {
        return Ok(private_file::create(path, text.as_bytes())?);
    }
    whole_file::write(path, text).map_err(EvidenceFileError::File)
}

/// The id of the text that says what is in the file of a bundle.
#[must_use]
pub fn written(bundle: &Bundle) -> &'static str {
    match (bundle.is_full(), bundle.has_values()) {
        (true, _) => "evidence-written-full",
        (false, true) => "evidence-written-asked",
        (false, false) => "evidence-written",
    }
}

/// Reads a bundle.
///
/// # Errors
/// [`EvidenceFileError::File`]; [`EvidenceFileError::Bundle`] if it is none or was changed.
pub fn read(path: &Path) -> Result<Bundle, EvidenceFileError> {
    match whole_file::read(path, MAX_BUNDLE_BYTES) {
        Ok(bytes) => Ok(Bundle::parse(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(BundleError::Malformed.into()),
        Err(error) => Err(EvidenceFileError::File(error)),
    }
}

/// Reads a time proof, and verifies it for `time`, in milliseconds since the epoch.
///
/// # Errors
/// [`EvidenceFileError::File`]; [`EvidenceFileError::Time`] if it is none, of another time, or does not hold.
pub fn read_moment(path: &Path, time: u64, trust_root: &TrustRoot) -> Result<PastMoment, EvidenceFileError> {
    match whole_file::read(path, time_proof::MAX_BYTES) {
        Ok(bytes) => Ok(TimeProof::parse(&bytes)?.verify(trust_root, time)?),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(TimeProofError::TooLong.into()),
        Err(error) => Err(EvidenceFileError::File(error)),
    }
}
