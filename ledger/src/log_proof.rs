//! C2SP tlog-proof: a file that shows, offline, that an entry is in the log.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index <decimal>
//! <base64 of a hash>          the path, the leaf's sibling first
//! ...
//!
//! <the checkpoint, a signed note, byte for byte>
//! ```

use std::fmt;

use crate::base64;
use crate::checkpoint::parse_decimal;
use crate::hash::Hash;
use crate::tree::{InclusionError, MAX_PATH, leaf_hash, verify_inclusion};
use crate::trust_root::{CertificateError, CertifiedCheckpoint, TrustRoot};
use crate::{note, sha256};

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// The most bytes of a proof: a note, a path, and room for the opaque extra data that others may add.
pub const MAX_BYTES: usize = note::MAX_BYTES + 8 * 1024;

/// A parsed proof, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Place of the entry in the log.
    pub index: u64,
    /// Hashes from the leaf's sibling to the root's child.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
    /// What the proof carries beside: authenticated by nothing, and never used by us.
    pub extra: Option<Vec<u8>>,
}

impl LogProof {
    /// Parses a proof file.
    ///
    /// # Errors
    /// [`LogProofFormError`] naming the part that is malformed. The note is parsed on verification.
    pub fn parse(text: &str) -> Result<Self, LogProofFormError> {
        if text.len() > MAX_BYTES {
            return Err(LogProofFormError::TooLong);
        }
        let rest = text.strip_prefix(HEADER).ok_or(LogProofFormError::Header)?;
        let (head, note) = rest.split_once("\n\n").ok_or(LogProofFormError::NoCheckpoint)?;
        let mut lines = head.split('\n').peekable();
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            None => None,
            Some(line) => Some(parse_extra(line).ok_or(LogProofFormError::Extra)?),
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(parse_decimal);
        let index = index.ok_or(LogProofFormError::Index)?;
        let path = lines.map(Hash::from_base64).collect::<Result<Vec<Hash>, _>>();
        let path = path.map_err(|_| LogProofFormError::Path)?;
        if path.len() > MAX_PATH {
            return Err(LogProofFormError::Path);
        }
        Ok(Self { index, path, note: note.to_owned(), extra })
    }

    /// The note that a proof file carries, which is all that this looks at.
    #[must_use]
    pub fn note_in(text: &str) -> Option<&str> {
        text.split_once("\n\n").map(|(_, note)| note)
    }

    /// Verifies that `entry` is in the log, at [`Self::index`], under a checkpoint that `trust_root` certifies.
    ///
    /// # Errors
    /// [`LogProofError`]: the checkpoint is not certified, or the path does not lead to its root.
    pub fn verify(&self, trust_root: &TrustRoot, entry: &[u8]) -> Result<ProvenLeaf, LogProofError> {
        let checkpoint = trust_root.verify_checkpoint(&self.note)?;
        self.verify_path(checkpoint, entry)
    }

    /// As [`Self::verify`], under a checkpoint that was certified before: saves the signatures when many proofs carry
    /// one note.
    ///
    /// # Errors
    /// [`LogProofError::OtherCheckpoint`] unless the proof carries that very note, byte for byte;
    /// [`LogProofError::Inclusion`] if the path does not lead to its root.
    pub fn verify_under(&self, checkpoint: &CertifiedCheckpoint, entry: &[u8]) -> Result<ProvenLeaf, LogProofError> {
        if sha256(self.note.as_bytes()) != *checkpoint.note_digest() {
            return Err(LogProofError::OtherCheckpoint);
        }
        self.verify_path(checkpoint.clone(), entry)
    }

    fn verify_path(&self, checkpoint: CertifiedCheckpoint, entry: &[u8]) -> Result<ProvenLeaf, LogProofError> {
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size(), &self.path, checkpoint.root())?;
        Ok(ProvenLeaf { index: self.index, checkpoint })
    }
}

/// That an entry is in the log. Only verifying a [`LogProof`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLeaf {
    index: u64,
    checkpoint: CertifiedCheckpoint,
}

impl ProvenLeaf {
    /// Place of the entry in the log.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint that shows it.
    #[must_use]
    pub const fn checkpoint(&self) -> &CertifiedCheckpoint {
        &self.checkpoint
    }

    /// Whether the entry is the last one under its checkpoint.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.index == self.checkpoint.size() - 1
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64::encode_standard(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

fn parse_extra(line: &str) -> Option<Vec<u8>> {
    base64::decode_standard(line.strip_prefix("extra ")?)
}

/// Why a text is not a proof file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogProofFormError {
    /// More than [`MAX_BYTES`].
    #[error("the log proof is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The first line is not `c2sp.org/tlog-proof@v1`.
    #[error("the log proof does not begin with its header")]
    Header,
    /// The extra line is not base64.
    #[error("the extra line of the log proof is malformed")]
    Extra,
    /// The index line is missing or malformed.
    #[error("the index line of the log proof is missing or malformed")]
    Index,
    /// A line of the path is not a hash, or there are more than a log can have.
    #[error("the path of the log proof is malformed")]
    Path,
    /// No blank line followed by a checkpoint.
    #[error("the log proof has no checkpoint")]
    NoCheckpoint,
}

/// Why a proof does not show that an entry is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogProofError {
    /// The checkpoint is not certified.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The proof carries another note than the one certified before.
    #[error("the log proof carries another checkpoint")]
    OtherCheckpoint,
    /// The path does not lead from the entry to the checkpoint's root.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
}

#[cfg(test)]
mod tests;
