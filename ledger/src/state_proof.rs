//! What the state holds for one key, shown offline: path to the state root, the seal that states it, and the path of
//! that seal, the last entry, to a certified checkpoint.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::base64;
use crate::log_proof::{LogProof, LogProofError, LogProofFormError};
use crate::seal::{Seal, SealError};
use crate::state::{StatePath, StatePathError};
use crate::trust_root::{CertifiedCheckpoint, TrustRoot};

/// The most bytes of a state proof in JSON: a history of a few hundred changes and its paths.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A state proof, not yet verified. Its JSON is described in `docs/formats.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProof {
    /// The key, as text.
    pub key: String,
    /// The value; `None` (in JSON `null`) claims that there is none. In JSON it is base64url.
    #[serde(serialize_with = "serialize_value", deserialize_with = "deserialize_value")]
    pub value: Option<Vec<u8>>,
    /// The path of the key in the state tree.
    pub path: StatePath,
    /// The seal, byte for byte as it stands in the log.
    pub seal: String,
    /// The C2SP tlog-proof of the seal.
    pub proof: String,
}

impl StateProof {
    /// Parses the JSON of a state proof.
    ///
    /// # Errors
    /// [`StateProofError::TooLong`] or [`StateProofError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, StateProofError> {
        if json.len() > MAX_BYTES {
            return Err(StateProofError::TooLong);
        }
        serde_json::from_slice(json).map_err(|_| StateProofError::Malformed)
    }

    /// Verifies the proof under a checkpoint that `trust_root` certifies.
    ///
    /// This does **not** check that the checkpoint is recent, nor what the value means.
    ///
    /// # Errors
    /// [`StateProofError`] naming the link of the chain that does not hold.
    pub fn verify(&self, trust_root: &TrustRoot) -> Result<ProvenState, StateProofError> {
        let proof = LogProof::parse(&self.proof)?;
        let leaf = proof.verify(trust_root, self.seal.as_bytes())?;
        self.verify_of(&self.last_seal(leaf)?)
    }

    /// As [`Self::verify`], under a checkpoint that was certified before.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`LogProofError::OtherCheckpoint`] unless the proof carries that very note.
    pub fn verify_under(&self, checkpoint: &CertifiedCheckpoint) -> Result<ProvenState, StateProofError> {
        let proof = LogProof::parse(&self.proof)?;
        let leaf = proof.verify_under(checkpoint, self.seal.as_bytes())?;
        self.verify_of(&self.last_seal(leaf)?)
    }

    /// As [`Self::verify`], for one more state of the seal that another was proven of: saves the way from the seal to its
    /// checkpoint when many proofs carry the same.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`StateProofError::OtherSeal`] unless the proof carries that very seal and its very log proof.
    pub fn verify_beside(&self, other: &ProvenState) -> Result<ProvenState, StateProofError> {
        self.verify_of(&other.sealed)
    }

    fn last_seal(&self, leaf: crate::ProvenLeaf) -> Result<Arc<Sealed>, StateProofError> {
        // An earlier seal would state an earlier root: true once, but not what this checkpoint certifies.
        if !leaf.is_last() {
            return Err(StateProofError::NotTheLastEntry);
        }
        let (seal, text, proof) = (Seal::parse(self.seal.as_bytes())?, self.seal.clone(), self.proof.clone());
        Ok(Arc::new(Sealed { seal, text, proof, checkpoint: leaf.checkpoint().clone() }))
    }

    fn verify_of(&self, sealed: &Arc<Sealed>) -> Result<ProvenState, StateProofError> {
        if self.seal != sealed.text || self.proof != sealed.proof {
            return Err(StateProofError::OtherSeal);
        }
        self.path.verify(&sealed.seal.state, self.key.as_bytes(), self.value.as_deref())?;
        Ok(ProvenState { key: self.key.clone(), value: self.value.clone(), sealed: Arc::clone(sealed) })
    }
}

/// What the state holds for a key. Only verifying a [`StateProof`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenState {
    key: String,
    value: Option<Vec<u8>>,
    sealed: Arc<Sealed>,
}

/// A seal that is the last entry under a certified checkpoint.
#[derive(Debug, PartialEq, Eq)]
struct Sealed {
    seal: Seal,
    checkpoint: CertifiedCheckpoint,
    /// The seal as it stands in the log.
    text: String,
    /// Its log proof, as it travelled.
    proof: String,
}

impl ProvenState {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value; nothing if the state holds none.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    /// The seal whose state root the path leads to.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.sealed.seal
    }

    /// The checkpoint over that seal, its last entry.
    #[must_use]
    pub fn checkpoint(&self) -> &CertifiedCheckpoint {
        &self.sealed.checkpoint
    }
}

fn serialize_value<S: Serializer>(value: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_deref().map(base64::encode_url).serialize(serializer)
}

fn deserialize_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| base64::decode_url(&text).ok_or_else(|| de::Error::custom("not base64url"))).transpose()
}

/// Why a state proof does not show what the state holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateProofError {
    /// More than [`MAX_BYTES`].
    #[error("the state proof is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not the JSON of a state proof.
    #[error("the state proof is malformed")]
    Malformed,
    /// The seal's log proof is malformed.
    #[error(transparent)]
    LogProofForm(#[from] LogProofFormError),
    /// The seal is not shown to be in the log.
    #[error(transparent)]
    LogProof(#[from] LogProofError),
    /// The seal is in the log, but not its last entry under the checkpoint.
    #[error("the seal is not the last entry under its checkpoint")]
    NotTheLastEntry,
    /// The proof carries another seal, or another log proof of it, than the one proven before.
    #[error("the state proof carries another seal")]
    OtherSeal,
    /// The last entry is not a seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The path does not lead to the seal's state root.
    #[error(transparent)]
    Path(#[from] StatePathError),
}

#[cfg(test)]
mod tests;
