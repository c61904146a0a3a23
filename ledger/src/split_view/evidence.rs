//! Evidence against validators: two notes with cosignatures by the same keys, of one size and different roots.
//!
//! It needs no quorum and no ledger, only the validators' keys: whoever holds the file and knows the keys can convict.
//! Other signatures than those of the witnesses asked about are not looked at.

use serde::{Deserialize, Serialize};

use super::SplitView;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{self, LineError, Note, NoteError, SignatureKind, VerifierKey};
use crate::trust_root::TrustRoot;

/// Longest evidence file, in bytes: two notes, their line ends escaped, and the names around them.
pub const MAX_BYTES: usize = 2 * note::MAX_BYTES + 1024;

/// Two notes that are said to contradict each other. Form only; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitEvidence {
    /// One signed note.
    pub one: String,
    /// The other.
    pub other: String,
}

/// Two checkpoints of one log and size with different roots, and who is said to have signed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    notes: [Note; 2],
    origin: String,
    size: u64,
}

impl SplitEvidence {
    /// Parses an evidence file.
    ///
    /// # Errors
    /// [`SplitEvidenceError::TooLong`] or [`SplitEvidenceError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, SplitEvidenceError> {
        if json.len() > MAX_BYTES {
            return Err(SplitEvidenceError::TooLong);
        }
        serde_json::from_slice(json).map_err(|_| SplitEvidenceError::Malformed)
    }

    /// Reads both notes and checks that their texts contradict each other. No signature is looked at.
    ///
    /// # Errors
    /// [`SplitEvidenceError`] naming what is malformed, or why there is no contradiction.
    pub fn read(&self) -> Result<Contradiction, SplitEvidenceError> {
        let notes = [Note::parse(&self.one)?, Note::parse(&self.other)?];
        let [one, other] = &notes;
        let (one, other) = (Checkpoint::parse_text(one.text())?, Checkpoint::parse_text(other.text())?);
        if one.origin != other.origin {
            return Err(SplitEvidenceError::OtherOrigin);
        }
        if one.size != other.size {
            return Err(SplitEvidenceError::DifferentSizes);
        }
        if one.root == other.root {
            return Err(SplitEvidenceError::SameRoot);
        }
        Ok(Contradiction { notes, origin: one.origin, size: one.size })
    }

    /// Verifies the evidence, alone: which of the trust root's witnesses cosigned both.
    ///
    /// # Errors
    /// [`SplitEvidenceError`]; [`SplitEvidenceError::Nobody`] if it convicts none of them.
    pub fn verify(&self, trust_root: &TrustRoot) -> Result<SplitView, SplitEvidenceError> {
        let contradiction = self.read()?;
        if contradiction.origin != trust_root.origin() {
            return Err(SplitEvidenceError::OtherOrigin);
        }
        let mut culprits = Vec::new();
        for witness in trust_root.policy().witnesses() {
            if contradiction.is_cosigned_by(&witness.key)? {
                culprits.push(witness.name.clone());
            }
        }
        if culprits.is_empty() {
            return Err(SplitEvidenceError::Nobody);
        }
        Ok(SplitView { size: contradiction.size, culprits })
    }
}

impl Contradiction {
    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The size that has two roots.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Names of the keys that the first note says it is signed by: whom to look up.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        let [one, _] = &self.notes;
        one.signatures().iter().map(|signature| signature.name.as_str())
    }

    /// Whether both notes carry a cosignature by `key`.
    ///
    /// # Errors
    /// [`SplitEvidenceError::BadCosignature`] if one that claims to be by the key does not hold.
    pub fn is_cosigned_by(&self, key: &VerifierKey) -> Result<bool, SplitEvidenceError> {
        let [one, other] = &self.notes;
        Ok(key.kind() == SignatureKind::CosignatureV1 && carries(one, key)? && carries(other, key)?)
    }
}

fn carries(note: &Note, key: &VerifierKey) -> Result<bool, SplitEvidenceError> {
    let mut found = false;
    for signature in note.signatures().iter().filter(|signature| key.is_named_by(signature)) {
        key.verify(note.text(), signature).map_err(SplitEvidenceError::BadCosignature)?;
        found = true;
    }
    Ok(found)
}

/// Why a file is no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitEvidenceError {
    /// More than [`MAX_BYTES`].
    #[error("the evidence is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not the JSON of two notes.
    #[error("the evidence is malformed")]
    Malformed,
    /// One of the two is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text of one of the two is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The two are of different logs, or of another than the one asked about.
    #[error("the checkpoints are of different logs, or of another than the one asked about")]
    OtherOrigin,
    /// Checkpoints of different sizes may both be true.
    #[error("the checkpoints have different sizes, so both may be true")]
    DifferentSizes,
    /// The two say the same.
    #[error("the checkpoints have the same root, so they agree")]
    SameRoot,
    /// A signature that claims to be by a known key is not.
    #[error("a cosignature in the evidence is bad: {0}")]
    BadCosignature(LineError),
    /// No known key cosigned both.
    #[error("no known validator cosigned both checkpoints")]
    Nobody,
}

#[cfg(test)]
mod tests;
