//! Anchor proofs: that a digest was in a batch which a named member put on the ledger, at which log index.
//!
//! Three links: the digest's path in the batch, the `anchor` transaction that states the batch's root, and the
//! transaction's `tlog-proof` under a certified checkpoint. Only accepted transactions become log entries, so the
//! third link stands for every check the ledger made, the sender's signature included. A proof counts only for the
//! kind of anchor it is about (design §4).

use std::borrow::Cow;

use ledger::tree::{leaf_hash, verify_inclusion};
use ledger::trust_root::CertificateError;
use ledger::{CertifiedCheckpoint, Hash, LogProof, TrustRoot, batch};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::did::{Did, DidUrl};
use crate::encoding::json::{self, Limits};
use crate::jose::{UnverifiedJws, typ};
use crate::problem::Code;
use crate::registry::{Anchor, AnchorKind, MAX_TRANSACTION_BYTES};

/// Longest anchor proof, in bytes: a transaction, a note with 16 signatures, two paths, and JSON around them.
pub const MAX_BYTES: usize = 96 * 1024;

/// An anchor proof as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorProof {
    /// Where the digest stands in its batch.
    pub batch: BatchPath,
    /// The `anchor` transaction, the log entry's exact text.
    pub transaction: String,
    /// The transaction's C2SP `tlog-proof`.
    pub proof: String,
}

/// A digest's place in its batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchPath {
    /// Counted from 0.
    pub index: u64,
    /// Digests in the batch, as the transaction states it.
    pub count: u64,
    /// Siblings, the leaf's first.
    pub path: Vec<Hash>,
}

/// A digest that is on the ledger. Only [`AnchorProof::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchoredAt {
    index: u64,
    sender: Did,
    key_id: String,
    kind: AnchorKind,
    checkpoint_size: u64,
    receipt: Option<u64>,
}

impl AnchoredAt {
    /// Log index of the transaction: when, by the ledger's clock.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Who put it there. Whether that is the credential's issuer is the caller's to compare.
    #[must_use]
    pub fn sender(&self) -> &Did {
        &self.sender
    }

    /// Fragment of the key that signed the transaction.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What the digest is of.
    #[must_use]
    pub fn kind(&self) -> AnchorKind {
        self.kind
    }

    /// For a receipt its place in the sender's chain, by the range that the transaction states. Ranges never overlap, so
    /// at each place one receipt is on the ledger.
    #[must_use]
    pub fn receipt(&self) -> Option<u64> {
        self.receipt
    }

    /// Size of the log that the proof was made under.
    #[must_use]
    pub fn checkpoint_size(&self) -> u64 {
        self.checkpoint_size
    }
}

/// Why an anchor proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// Not the JSON object it should be, or too long.
    #[error("the anchor proof is malformed")]
    Malformed,
    /// What stands as `transaction` is not an `anchor` transaction.
    #[error("the anchor proof's transaction is not an anchor")]
    NotAnAnchor,
    /// The transaction anchors things of another kind.
    #[error("the anchor is for another kind of thing")]
    OtherKind,
    /// The transaction names another ledger than the trust root.
    #[error("the anchor is on another ledger")]
    OtherLedger,
    /// The path states another size of the batch than the transaction.
    #[error("the batch has another size")]
    Count,
    /// The digest is not in the batch at this place.
    #[error("the digest is not in the batch")]
    NotInBatch,
    /// The transaction's log proof is malformed.
    #[error("the log proof is malformed")]
    LogProof,
    /// The log proof's checkpoint is not certified under the trust root.
    #[error("the log proof's checkpoint is not certified")]
    NotCertified,
    /// The log proof's checkpoint is certified, and so is another one of the same size with another root.
    #[error("the ledger has certified two histories")]
    SplitView,
    /// The transaction is not in the log at this place.
    #[error("the transaction is not in the log")]
    NotInLog,
}

impl AnchorError {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed => Code::RegistryProofMalformed,
            Self::NotAnAnchor => Code::RegistryProofNotAnAnchor,
            Self::OtherKind => Code::RegistryProofOtherKind,
            Self::OtherLedger => Code::RegistryProofOtherLedger,
            Self::Count => Code::RegistryProofCount,
            Self::NotInBatch => Code::RegistryProofNotInBatch,
            Self::LogProof => Code::RegistryProofLogProof,
            Self::NotCertified => Code::RegistryProofNotCertified,
            Self::SplitView => Code::LedgerCheckpointSplitView,
            Self::NotInLog => Code::RegistryProofNotInLog,
        }
    }
}

impl AnchorProof {
    /// Parses an anchor proof.
    ///
    /// # Errors
    /// [`AnchorError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AnchorError> {
        json::read(bytes, Limits { bytes: MAX_BYTES, depth: 4 }).map_err(|_| AnchorError::Malformed)
    }

    /// Reads an anchor proof out of a message that was parsed strictly.
    ///
    /// # Errors
    /// [`AnchorError::Malformed`].
    pub fn from_value(value: &Value) -> Result<Self, AnchorError> {
        let proof = Self::deserialize(value).map_err(|_| AnchorError::Malformed)?;
        let length = proof.transaction.len() + proof.proof.len();
        if length > MAX_BYTES { Err(AnchorError::Malformed) } else { Ok(proof) }
    }

    /// The log index that the proof claims, before anything is verified: which evidence to look for.
    ///
    /// # Errors
    /// [`AnchorError::LogProof`].
    pub fn claimed_index(&self) -> Result<u64, AnchorError> {
        LogProof::parse(&self.proof).map(|proof| proof.index).map_err(|_| AnchorError::LogProof)
    }

    /// Verifies that `digest` was anchored as `kind` on the ledger of `trust_root`.
    ///
    /// This does **not** say that the sender was entitled to anchor this very thing: compare [`AnchoredAt::sender`].
    ///
    /// # Errors
    /// [`AnchorError`], naming the first link that does not hold.
    pub fn verify(&self, digest: &Hash, kind: AnchorKind, trust_root: &TrustRoot) -> Result<AnchoredAt, AnchorError> {
        self.verify_with(digest, kind, trust_root.origin(), |note| trust_root.verify_checkpoint(note).map(Cow::Owned))
    }

    /// As [`Self::verify`], for the ledger with this `origin`, where `certify` answers for the note that it is handed:
    /// whoever remembers the digest of a certified one need not check its signatures again.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_with<'c>(
        &self,
        digest: &Hash,
        kind: AnchorKind,
        origin: &str,
        certify: impl FnOnce(&str) -> Result<Cow<'c, CertifiedCheckpoint>, CertificateError>,
    ) -> Result<AnchoredAt, AnchorError> {
        let stated = Stated::read(&self.transaction).ok_or(AnchorError::NotAnAnchor)?;
        if stated.anchor.kind != kind {
            return Err(AnchorError::OtherKind);
        }
        if stated.origin != origin {
            return Err(AnchorError::OtherLedger);
        }
        self.verify_batch(digest, &stated.anchor)?;
        let proof = LogProof::parse(&self.proof).map_err(|_| AnchorError::LogProof)?;
        let checkpoint = certify(&proof.note).map_err(|_| AnchorError::NotCertified)?;
        let leaf = leaf_hash(self.transaction.as_bytes());
        verify_inclusion(leaf, proof.index, checkpoint.size(), &proof.path, checkpoint.root())
            .map_err(|_| AnchorError::NotInLog)?;
        Ok(AnchoredAt {
            index: proof.index,
            sender: stated.key.did().clone(),
            key_id: stated.key.fragment().to_owned(),
            kind,
            checkpoint_size: checkpoint.size(),
            receipt: stated.anchor.first.and_then(|first| first.checked_add(self.batch.index)),
        })
    }

    fn verify_batch(&self, digest: &Hash, anchor: &Anchor) -> Result<(), AnchorError> {
        if self.batch.count != anchor.count {
            return Err(AnchorError::Count);
        }
        batch::verify(digest, self.batch.index, anchor.count, &self.batch.path, &anchor.root)
            .map_err(|_| AnchorError::NotInBatch)
    }
}

/// What an `anchor` transaction states. Its form and its signature were checked by the ledger, which accepted it: its
/// place in the log proves that. So only what is used here is read, strictly all the same.
struct Stated {
    key: DidUrl,
    origin: String,
    anchor: Anchor,
}

impl Stated {
    fn read(transaction: &str) -> Option<Self> {
        let jws = UnverifiedJws::parse_limited(transaction, MAX_TRANSACTION_BYTES).ok()?;
        if jws.header().typ() != Some(typ::TRANSACTION) {
            return None;
        }
        let key = DidUrl::parse(jws.header().kid().ok()?).ok()?;
        let limits = Limits { bytes: MAX_TRANSACTION_BYTES, depth: 8 };
        let mut members = json::parse_object(jws.dangerous_payload(), limits).ok()?;
        let Value::String(origin) = members.remove("aud")? else { return None };
        if members.remove("op")? != "anchor" {
            return None;
        }
        members.retain(|name, _| name != "seq" && name != "exp");
        let anchor = Anchor::deserialize(Value::Object(members)).ok()?;
        Some(Self { key, origin, anchor })
    }
}

#[cfg(test)]
mod tests;
