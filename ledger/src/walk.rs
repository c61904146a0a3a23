//! Walking a trust root forward: from the set of validators that a verifier trusts to today's, by proofs alone.
//!
//! ```text
//! trust root --certifies--> last seal of its epoch --names--> next policy = next trust root --certifies--> …
//! ```
//!
//! What walking does **not** tell: whether an old set's keys are still honest. Whoever holds the keys of an expelled
//! quorum can walk an old verifier to a set of their own making. So a verifier walks often, keeps only the newest set,
//! and asks two members when its trust root is old; those who call this see to it.

use serde::{Deserialize, Serialize};

use crate::hash::sha256;
use crate::log_proof::{LogProof, LogProofError, LogProofFormError, ProvenLeaf};
use crate::seal::{Seal, SealError};
use crate::trust_root::{CertifiedCheckpoint, TrustRoot, TrustRootError};

/// Longest walk that is read, in bytes: [`MAX_STEPS`] of the largest steps there are, and room.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most steps in one walk; longer ways are walked in several.
pub const MAX_STEPS: usize = 64;

/// The way from one set of validators to a later one. Form only; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    /// One step for each set, oldest first.
    pub steps: Vec<Step>,
    /// The last seal there is, certified by the set that the steps lead to; absent if more steps follow, or while that
    /// set has certified nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<SealProof>,
}

/// From one set of validators to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The seal that names the next set, certified by the set before.
    pub named: SealProof,
    /// The next set's policy file.
    pub policy: String,
}

/// A seal with its log proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealProof {
    /// The seal, byte for byte as it stands in the log.
    pub seal: String,
    /// The C2SP tlog-proof of the seal.
    pub proof: String,
}

/// Where a walk has led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    trust_root: TrustRoot,
    policy: Option<String>,
    last: Option<(Seal, CertifiedCheckpoint)>,
    arrived: bool,
}

impl Walk {
    /// Parses the JSON of a walk.
    ///
    /// # Errors
    /// [`WalkError::TooLong`] or [`WalkError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, WalkError> {
        if json.len() > MAX_BYTES {
            return Err(WalkError::TooLong);
        }
        let walk: Self = serde_json::from_slice(json).map_err(|_| WalkError::Malformed)?;
        if walk.steps.len() > MAX_STEPS { Err(WalkError::Malformed) } else { Ok(walk) }
    }
}

impl Walked {
    /// The beginning of a walk.
    #[must_use]
    pub const fn from(trust_root: TrustRoot) -> Self {
        Self { trust_root, policy: None, last: None, arrived: false }
    }

    /// Goes on, step by step.
    ///
    /// # Errors
    /// [`WalkError`], naming what does not hold; no part of the walk counts then.
    pub fn along(self, walk: &Walk) -> Result<Self, WalkError> {
        let stepped = walk.steps.iter().try_fold(Self { arrived: false, ..self }, Self::step)?;
        match &walk.newest {
            None => Ok(stepped),
            Some(newest) => stepped.arrive(newest),
        }
    }

    /// One step: the set walked to certifies a seal, its last, that names the next set's policy file.
    fn step(self, step: &Step) -> Result<Self, WalkError> {
        let (seal, checkpoint) = self.later_seal(&step.named)?;
        if seal.policy == self.trust_root.digest() {
            return Err(WalkError::NoOtherSet);
        }
        if seal.policy != sha256(step.policy.as_bytes()) {
            return Err(WalkError::OtherPolicy);
        }
        let trust_root = TrustRoot::parse(&step.policy)?;
        if trust_root.origin() != self.trust_root.origin() {
            return Err(WalkError::OtherOrigin);
        }
        Ok(Self { trust_root, policy: Some(step.policy.clone()), last: Some((seal, checkpoint)), arrived: false })
    }

    /// The end: the set walked to certifies a seal after which it is still in force.
    fn arrive(self, newest: &SealProof) -> Result<Self, WalkError> {
        let (seal, checkpoint) = self.later_seal(newest)?;
        if seal.policy != self.trust_root.digest() {
            return Err(WalkError::NotTheNewest);
        }
        Ok(Self { last: Some((seal, checkpoint)), arrived: true, ..self })
    }

    fn later_seal(&self, proof: &SealProof) -> Result<(Seal, CertifiedCheckpoint), WalkError> {
        let leaf: ProvenLeaf = LogProof::parse(&proof.proof)?.verify(&self.trust_root, proof.seal.as_bytes())?;
        // A set's word ends with the seal that names the next one: it certifies nothing that lies behind.
        if !leaf.is_last() {
            return Err(WalkError::NotTheLastEntry);
        }
        let seal = Seal::parse(proof.seal.as_bytes())?;
        let is_later = self.last.as_ref().is_none_or(|(last, checkpoint)| {
            seal.height > last.height && seal.time > last.time && leaf.checkpoint().size() > checkpoint.size()
        });
        if is_later { Ok((seal, leaf.checkpoint().clone())) } else { Err(WalkError::Backwards) }
    }

    /// The set walked to.
    #[must_use]
    pub const fn trust_root(&self) -> &TrustRoot {
        &self.trust_root
    }

    /// Its policy file, if it is another than the walk began with.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// Whether the set walked to has said that it is the newest.
    #[must_use]
    pub const fn has_arrived(&self) -> bool {
        self.arrived
    }

    /// The checkpoint walked to: how far the trust root knows the log, and how old that knowledge is.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&CertifiedCheckpoint> {
        self.last.as_ref().map(|(_, checkpoint)| checkpoint)
    }
}

/// Why a walk leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// More than [`MAX_BYTES`].
    #[error("the walk is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not the JSON of a walk, or more than [`MAX_STEPS`] steps.
    #[error("the walk is malformed")]
    Malformed,
    /// A log proof is malformed.
    #[error(transparent)]
    LogProofForm(#[from] LogProofFormError),
    /// A seal is not shown to be in the log by the set that must show it.
    #[error(transparent)]
    LogProof(#[from] LogProofError),
    /// What is shown is no seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A seal is not the last entry under its checkpoint.
    #[error("a seal of the walk is not the last entry under its checkpoint")]
    NotTheLastEntry,
    /// A seal is not later than the one before.
    #[error("a seal of the walk is not later than the one before")]
    Backwards,
    /// The seal of a step names the set that certifies it.
    #[error("a step of the walk leads to no other set")]
    NoOtherSet,
    /// The policy file of a step is not the one that its seal names.
    #[error("a policy file of the walk is not the one that the seal names")]
    OtherPolicy,
    /// The policy file of a step is no trust root.
    #[error(transparent)]
    TrustRoot(#[from] TrustRootError),
    /// The policy file of a step is another log's.
    #[error("a policy file of the walk is another log's")]
    OtherOrigin,
    /// The last seal names a later set than the one walked to.
    #[error("the walk ends before the newest set")]
    NotTheNewest,
}

#[cfg(test)]
mod tests;
