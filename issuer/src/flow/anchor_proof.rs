//! The proof that a credential's digest stands on the ledger.

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::problem::Code;
use ledger::Hash;
use service_kit::store::StoreError;

use crate::service::Service;
use crate::store::{BatchRecord, BatchState};

/// Why no proof is given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofMissing {
    /// It will be there soon.
    #[error("the digest waits for the ledger")]
    Waiting,
    #[error("no credential has this digest")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ProofMissing {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Waiting => Code::VciAnchorWaiting,
            Self::Unknown => Code::VciAnchorUnknown,
            Self::Store(error) => error.code(),
        }
    }
}

impl Service {
    /// The anchor proof of a digest, or how far it is from having one.
    pub(crate) async fn anchor_proof(&self, digest: &Hash) -> Result<AnchorProof, ProofMissing> {
        let Some(place) = self.records.place(digest).await? else {
            // Looked at in this order: a digest leaves the queue in the commit that gives it a place.
            let waiting = self.records.is_pending(digest).await? || self.records.place(digest).await?.is_some();
            return Err(if waiting { ProofMissing::Waiting } else { ProofMissing::Unknown });
        };
        let batch = self.records.batch(place.batch).await?.ok_or(ProofMissing::Unknown)?;
        let Some((transaction, proof)) = self.proof_of(batch).await? else { return Err(ProofMissing::Waiting) };
        let tree = self.anchoring.trees.of(place.batch, self.records.batch_digests(place.batch)).await?;
        let path = tree.path(place.index).ok_or(ProofMissing::Unknown)?;
        let batch = BatchPath { index: place.index, count: tree.count(), path };
        Ok(AnchorProof { batch, transaction, proof })
    }

    /// The batch's transaction with its proof, by the validators in force: the word of those before them counts for
    /// nothing any more. Where the ledger cannot be asked just now, or was a moment ago, there is none.
    async fn proof_of(&self, mut batch: BatchRecord) -> Result<Option<(String, String)>, StoreError> {
        let BatchState::Anchored { transaction, index, proof } = &batch.state else { return Ok(None) };
        let (transaction, index, proof) = (transaction.clone(), *index, proof.clone());
        if self.ledger.holds(&proof, &transaction) {
            return Ok(Some((transaction, proof)));
        }
        if !self.anchoring.renewals.take_turn(batch.number, self.clock.now()) {
            return Ok(None);
        }
        let Ok(proven) = self.ledger.prove(index, &transaction).await else { return Ok(None) };
        let proof = proven.proof.clone();
        batch.state = BatchState::Anchored { transaction: transaction.clone(), index, proof: proven.proof };
        self.records.advance_batch(&batch).await?;
        Ok(Some((transaction, proof)))
    }
}
