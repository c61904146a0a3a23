//! Which log index was the newest at a calendar time: shown offline by the two seals around it.
//!
//! ```text
//! … seal n, at or before the time   |   block n + 1 and its seal, after the time …
//!   └── its index is the answer ────┘
//! ```
//!
//! Both seals stand in one certified log, and their heights follow each other, so no block lies between them. While the
//! ledger idles there is no later seal: then the first must be the last entry, under a checkpoint that was cosigned
//! [`LEEWAY`] after the time, by the set that the seal itself leaves in force. That says a little less, see
//! [`PastMoment::is_closed`].

use serde::{Deserialize, Serialize};

use crate::log_proof::{LogProof, LogProofError, LogProofFormError};
use crate::seal::{Seal, SealError};
use crate::trust_root::{CertifiedCheckpoint, TrustRoot};
use crate::walk::SealProof;

/// The most bytes of a time proof in JSON: two log proofs, two seals, and the JSON around them.
pub const MAX_BYTES: usize = 64 * 1024;
/// How long after a time a checkpoint must have been cosigned to tell, without a later seal, that nothing followed, in
/// seconds: blocks are dated by other clocks than cosignatures, and both may be half a minute off.
pub const LEEWAY: u64 = 60;

/// The two seals around a time. It serves every time between them. Form only; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeProof {
    /// The last seal that is not after the time.
    pub before: SealProof,
    /// The seal of the next block, under the same checkpoint; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SealProof>,
}

impl TimeProof {
    /// Parses the JSON of a time proof.
    ///
    /// # Errors
    /// [`TimeProofError::TooLong`] or [`TimeProofError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, TimeProofError> {
        if json.len() > MAX_BYTES {
            return Err(TimeProofError::TooLong);
        }
        serde_json::from_slice(json).map_err(|_| TimeProofError::Malformed)
    }

    /// Verifies that `time`, in milliseconds since the epoch, lies between the two seals, which follow each other under
    /// one checkpoint that `trust_root` certifies.
    ///
    /// # Errors
    /// [`TimeProofError`] naming what does not hold. [`TimeProofError::NotYetKnown`] is no lie: the ledger may still make
    /// a block that is dated before that time, so ask again later.
    pub fn verify(&self, trust_root: &TrustRoot, time: u64) -> Result<PastMoment, TimeProofError> {
        let leaf = LogProof::parse(&self.before.proof)?.verify(trust_root, self.before.seal.as_bytes())?;
        let seal = Seal::parse(self.before.seal.as_bytes())?;
        if seal.time > time {
            return Err(TimeProofError::NotAround);
        }
        let checkpoint = leaf.checkpoint();
        let next = match &self.after {
            Some(after) => Some(next_seal(after, &seal, leaf.index(), checkpoint, time)?),
            None if !leaf.is_last() => return Err(TimeProofError::NotConsecutive),
            // What follows the seal that names another set, only that set can know.
            None if seal.policy != trust_root.digest() => return Err(TimeProofError::NotYetKnown),
            None if tells_of(checkpoint.cosigned_at(), time) => None,
            None => return Err(TimeProofError::NotYetKnown),
        };
        Ok(PastMoment { index: leaf.index(), time, sealed: seal.time, next, checkpoint: checkpoint.clone() })
    }
}

/// The time of the seal that ends the next block, if that lies behind `time`.
fn next_seal(
    after: &SealProof,
    seal: &Seal,
    index: u64,
    checkpoint: &CertifiedCheckpoint,
    time: u64,
) -> Result<u64, TimeProofError> {
    let leaf = LogProof::parse(&after.proof)?.verify_under(checkpoint, after.seal.as_bytes())?;
    let next = Seal::parse(after.seal.as_bytes())?;
    if Some(next.height) != seal.height.checked_add(1) || leaf.index() <= index {
        return Err(TimeProofError::NotConsecutive);
    }
    if next.time > time { Ok(next.time) } else { Err(TimeProofError::NotAround) }
}

/// Whether a checkpoint that was cosigned at `cosigned_at`, in seconds, tells by itself that nothing followed its last seal
/// until `time`, in milliseconds.
#[must_use]
pub fn tells_of(cosigned_at: u64, time: u64) -> bool {
    time.div_ceil(1000).checked_add(LEEWAY).is_some_and(|until| cosigned_at >= until)
}

/// A calendar time by the ledger's clock: what held then is what holds at [`Self::index`]. Only verifying a [`TimeProof`]
/// makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMoment {
    index: u64,
    time: u64,
    sealed: u64,
    next: Option<u64>,
    checkpoint: CertifiedCheckpoint,
}

impl PastMoment {
    /// The newest log index then: that of the seal before.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The time that was asked about, in milliseconds since the epoch.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// When the seal before was made, in milliseconds since the epoch.
    #[must_use]
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// When the next block was made, in milliseconds since the epoch; none while there is none.
    #[must_use]
    pub const fn next(&self) -> Option<u64> {
        self.next
    }

    /// Whether a later seal closes the time for ever. Without one, a quorum said later that nothing had followed: a block
    /// on which validators that lost each other had not agreed by then may still be dated before.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.next.is_some()
    }

    /// The checkpoint over the seals.
    #[must_use]
    pub const fn checkpoint(&self) -> &CertifiedCheckpoint {
        &self.checkpoint
    }
}

/// Why a time proof does not show a log index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeProofError {
    /// More than [`MAX_BYTES`].
    #[error("the time proof is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not the JSON of a time proof.
    #[error("the time proof is malformed")]
    Malformed,
    /// The log proof of a seal is malformed.
    #[error(transparent)]
    LogProofForm(#[from] LogProofFormError),
    /// A seal is not shown to be in the log, or not under the checkpoint of the other.
    #[error(transparent)]
    LogProof(#[from] LogProofError),
    /// What is shown is no seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The seals do not follow each other, or the only one is not the last.
    #[error("the seals of the time proof do not follow each other")]
    NotConsecutive,
    /// The time does not lie between the seals.
    #[error("the time does not lie between the seals of the time proof")]
    NotAround,
    /// Nothing was sealed after the time, and the checkpoint is not late enough to say that nothing will be, or by a set
    /// whose term the seal has ended.
    #[error("the ledger does not yet tell what was the newest at that time")]
    NotYetKnown,
}

#[cfg(test)]
mod tests;
