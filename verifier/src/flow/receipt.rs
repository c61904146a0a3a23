//! Receipts: one for each answer that was processed, and the proof that the ledger has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::crypto::SigningFailed;
use identity_core::duty::UnverifiedAttestation;
use identity_core::oid4vp::{Session, VpToken};
use identity_core::problem::Code;
use identity_core::receipt::{ChainHead, Presented, Processed, Receipt, shown};
use identity_core::registry::DutyHolder;
use ledger::Hash;
use ledger::batch::BatchTree;
use service_kit::store::StoreError;

use crate::client::Prefix;
use crate::service::Verifier;
use crate::store::receipts::{RangeRecord, RangeState, Signed};
use crate::store::{CaseRecord, CloseError, OutcomeRecord, Piece, RequestRecord};

/// How often a receipt is made anew because another process on the same store was quicker.
const TRIES: u8 = 16;

/// Why a receipt has no proof yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofMissing {
    #[error("there is no such receipt")]
    Unknown,
    #[error("the receipt waits for the ledger")]
    Waiting,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ProofMissing {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::ReceiptUnknown,
            Self::Waiting => Code::ReceiptWaiting,
            Self::Store(error) => error.code(),
        }
    }
}

/// What a receipt names of an answer; nothing of one that could not be read.
pub(super) fn presented(token: &VpToken) -> BTreeMap<String, Vec<Presented>> {
    token.0.iter().map(|(id, texts)| (id.clone(), texts.iter().map(|text| shown(text)).collect())).collect()
}

impl Verifier {
    /// Takes the nonce and keeps verdict, case and receipt, all of it or none. Answers the receipt, which is signed
    /// before anybody can see a claim.
    pub(super) async fn close(
        &self,
        record: &RequestRecord,
        session: &Session,
        presentations: BTreeMap<String, Vec<Presented>>,
        outcome: OutcomeRecord,
        case: Option<(CaseRecord, Vec<Piece>)>,
    ) -> Result<String, CloseError> {
        // One after the other: each receipt holds the digest of the one before.
        let _turn = self.receipts.turn.lock().await;
        let mut outcome = outcome;
        for _ in 0..TRIES {
            let before = self.store.receipt_head().await?;
            let signed = self.receipt(record, session, presentations.clone(), &outcome, before)?;
            outcome.receipt = Some(signed.seq);
            let taken = (session.id.as_str(), session.parameters.nonce.as_str());
            let taken = self.store.take_nonce_once(taken, &outcome, case.clone(), &signed).await;
            match taken {
                Err(CloseError::Overtaken) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    let refused = outcome.refused.as_deref().unwrap_or("none");
                    tracing::info!(refused, receipt = signed.seq, "a request was answered");
                    self.receipts.wake.notify_one();
                    return Ok(signed.text);
                }
            }
        }
        Err(CloseError::Store(StoreError::Broken("the chain of receipts moves too fast".into())))
    }

    fn receipt(
        &self,
        record: &RequestRecord,
        session: &Session,
        presentations: BTreeMap<String, Vec<Presented>>,
        outcome: &OutcomeRecord,
        before: ChainHead,
    ) -> Result<Signed, CloseError> {
        // Without an attestation no wallet ever got the request, so nobody can have answered it.
        let unreadable = || StoreError::Corrupt("a request that was answered has no attestation".to_owned());
        let text = session.parameters.duty.as_deref().ok_or_else(unreadable)?;
        let attestation = UnverifiedAttestation::parse(text).map_err(|_| unreadable())?;
        let receipt = Receipt::following(
            before,
            Processed {
                service: &self.did,
                attestation: &attestation,
                holder: if record.official { DutyHolder::Official } else { DutyHolder::Service },
                presentations,
                refused: outcome.refused.as_deref().and_then(Code::parse),
                at: outcome.judged,
            },
        );
        let client =
            self.client(Prefix::DecentralizedIdentifier).and_then(|client| Some((client.key_name()?, &client.key)));
        let (name, key) = client.ok_or(CloseError::Signing)?;
        let text = receipt.sign(name, key).map_err(|SigningFailed| CloseError::Signing)?;
        Ok(Signed { before, seq: receipt.seq, text })
    }

    /// The anchor proof of the receipt with this digest.
    pub(crate) async fn receipt_proof(&self, digest: &Hash) -> Result<AnchorProof, ProofMissing> {
        let seq = self.store.receipt_place(digest).await?.ok_or(ProofMissing::Unknown)?;
        let range = self.store.range_of(seq).await?.ok_or(ProofMissing::Waiting)?;
        let (transaction, proof) = self.proof_of(&range).await?.ok_or(ProofMissing::Waiting)?;
        let tree = self.range_tree(&range).await?;
        let index = seq.saturating_sub(range.first);
        let path = tree.path(index).ok_or(ProofMissing::Unknown)?;
        Ok(AnchorProof { batch: BatchPath { index, count: tree.count(), path }, transaction, proof })
    }

    /// The range's transaction with its proof, by the validators in force.
    async fn proof_of(&self, range: &RangeRecord) -> Result<Option<(String, String)>, StoreError> {
        let RangeState::Anchored { transaction, index, proof } = &range.state else { return Ok(None) };
        let Some(ledger) = &self.receipts.ledger else { return Ok(Some((transaction.clone(), proof.clone()))) };
        if ledger.holds(proof, transaction) {
            return Ok(Some((transaction.clone(), proof.clone())));
        }
        let Ok(proven) = ledger.prove(*index, transaction).await else { return Ok(None) };
        let state = RangeState::Anchored { transaction: transaction.clone(), index: *index, proof: proven.clone() };
        self.store.advance_range(&RangeRecord { state, ..range.clone() }).await?;
        Ok(Some((transaction.clone(), proven)))
    }

    /// The tree of a range. The last one asked for is kept: wallets come for their proofs soon after each other.
    async fn range_tree(&self, range: &RangeRecord) -> Result<Arc<BatchTree>, StoreError> {
        if let Some(tree) = self.receipts.kept_tree(range.first) {
            return Ok(tree);
        }
        let digests = self.store.receipt_digests(range.first, range.last).await?;
        let corrupt = |_| StoreError::Corrupt("a range has no receipts".to_owned());
        let tree = Arc::new(BatchTree::new(&digests).map_err(corrupt)?);
        self.receipts.keep_tree(range.first, Arc::clone(&tree));
        Ok(tree)
    }
}
