//! Evidence bundles on their way to a file: what the ledger is asked for them, and how they are written and read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use identity_core::bundle::{Bundle, BundleError, MAX_BUNDLE_BYTES};
use identity_core::problem::Code;

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
    if bundle.is_full() {
        return Ok(private_file::create(path, text.as_bytes())?);
    }
    whole_file::write(path, text).map_err(EvidenceFileError::File)
}

/// Reads a bundle.
///
/// # Errors
/// [`EvidenceFileError::File`]; [`EvidenceFileError::Bundle`] if it is none or was changed.
pub fn read(path: &Path) -> Result<Bundle, EvidenceFileError> {
    let most = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(EvidenceFileError::File)?;
    file.take(most).read_to_end(&mut bytes).map_err(EvidenceFileError::File)?;
    Ok(Bundle::parse(&bytes)?)
}
