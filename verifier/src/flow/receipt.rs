//! Receipts: one for each answer that was processed, and the proof that the ledger has it.

use std::collections::BTreeMap;

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::crypto::{SecretKey, SigningFailed};
use identity_core::did::DidUrl;
use identity_core::duty::UnverifiedAttestation;
use identity_core::oid4vp::Session;
use identity_core::problem::Code;
use identity_core::receipt::{ChainHead, Presented, Processed, Receipt, presented, presented_as};
use identity_core::registry::DutyHolder;
use identity_core::verdict::Verified;
use identity_core::withdrawal::holder_keys;
use ledger::Hash;
use service_kit::store::StoreError;

use crate::client::Prefix;
use crate::service::Verifier;
use crate::store::receipts::{RangeRecord, RangeState, Signed};
use crate::store::sharings::SharingRecord;
use crate::store::{CaseRecord, CloseError, OutcomeRecord, Piece, RequestRecord};

/// How often a receipt is made anew because another process on the same store was quicker.
pub(super) const TRIES: u8 = 16;

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

impl Verifier {
    /// Takes the nonce and keeps verdict, case, receipt, and what a withdrawal will be recognised by, all of it or none.
    /// Answers the receipt, which is signed before anybody can see a claim.
    pub(super) async fn close(
        &self,
        record: &RequestRecord,
        session: &Session,
        answer: &BTreeMap<String, Vec<String>>,
        outcome: OutcomeRecord,
        case: Option<(CaseRecord, Vec<Piece>)>,
        verified: Option<&Verified>,
    ) -> Result<String, CloseError> {
        let presentations = verified.map_or_else(|| presented(answer), |verified| presented_as(answer, verified));
        let holders = holder_keys(answer);
        let until = outcome.judged.plus(record.policy.grounds.retention_seconds());
        let sharing = SharingRecord { request: session.id.clone(), holders, until };
        let sharing = Some(&sharing).filter(|sharing| !sharing.holders.is_empty());
        // One after the other: each receipt holds the digest of the one before.
        let _turn = self.receipts.turn.lock().await;
        let mut outcome = outcome;
        for _ in 0..TRIES {
            let before = self.store.receipt_head().await?;
            let signed = self.receipt(record, session, presentations.clone(), &outcome, before, verified)?;
            outcome.receipt = Some(signed.seq);
            let taken = (session.id.as_str(), session.parameters.nonce.as_str());
            let taken = self.store.take_nonce_once(taken, &outcome, case.clone(), &signed, sharing).await;
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
        verified: Option<&Verified>,
    ) -> Result<Signed, CloseError> {
        // Without an attestation no wallet ever got the request, so nobody can have answered it.
        let unreadable = || StoreError::Corrupt("a request that was answered has no attestation".to_owned());
        let text = session.parameters.duty.as_deref().ok_or_else(unreadable)?;
        let parsed;
        let attestation = match verified {
            Some(verified) => verified.attestation().word(),
            None => {
                parsed = UnverifiedAttestation::parse(text).map_err(|_| unreadable())?;
                parsed.word()
            }
        };
        let receipt = Receipt::following(
            before,
            Processed {
                service: &self.did,
                attestation,
                holder: if record.official { DutyHolder::Official } else { DutyHolder::Service },
                presentations,
                refused: outcome.refused.as_deref().and_then(Code::parse),
                at: outcome.judged,
            },
        );
        let (name, key) = self.signing_key().ok_or(CloseError::Signing)?;
        let text = receipt.sign(name, key).map_err(|SigningFailed| CloseError::Signing)?;
        Ok(Signed { before, seq: receipt.seq, text })
    }

    /// The key that the entries of the chain are signed with, under its name.
    pub(super) fn signing_key(&self) -> Option<(&DidUrl, &SecretKey)> {
        self.client(Prefix::DecentralizedIdentifier).and_then(|client| Some((client.key_name()?, &client.key)))
    }

    /// The anchor proof of the entry with this digest: a receipt, or an acknowledgement.
    pub(crate) async fn receipt_proof(&self, digest: &Hash) -> Result<AnchorProof, ProofMissing> {
        let seq = self.store.receipt_place(digest).await?.ok_or(ProofMissing::Unknown)?;
        let range = self.store.range_of(seq).await?.ok_or(ProofMissing::Waiting)?;
        let mut known = self.proof_at_hand(&range);
        if known.is_none() && self.receipts.renewals.take_turn(range.first, self.clock.now()) {
            known = self.proof_of(&range).await?;
        }
        let (transaction, proof) = known.ok_or(ProofMissing::Waiting)?;
        let digests = self.store.receipt_digests(range.first, range.last);
        let tree = self.receipts.trees.of(range.first, digests).await?;
        let index = seq.saturating_sub(range.first);
        let path = tree.path(index).ok_or(ProofMissing::Unknown)?;
        Ok(AnchorProof { batch: BatchPath { index, count: tree.count(), path }, transaction, proof })
    }

    /// The range's transaction with the proof that is kept, if that holds by the validators in force. Asks nobody.
    fn proof_at_hand(&self, range: &RangeRecord) -> Option<(String, String)> {
        match &range.state {
            RangeState::Anchored { transaction, proof, .. }
                if self.evidence.ledger().holds(proof, transaction.as_bytes()) =>
            {
                Some((transaction.clone(), proof.clone()))
            }
            _ => None,
        }
    }

    /// The range's transaction with its proof, by the validators in force. Where the ledger cannot be asked just now, or
    /// our node does not know the place, there is none.
    pub(super) async fn proof_of(&self, range: &RangeRecord) -> Result<Option<(String, String)>, StoreError> {
        if let Some(known) = self.proof_at_hand(range) {
            return Ok(Some(known));
        }
        let ledger = self.evidence.ledger();
        let (transaction, proven) = match &range.state {
            RangeState::Formed | RangeState::Signed { .. } => return Ok(None),
            RangeState::Anchored { transaction, index, .. } => {
                (transaction, ledger.log_proof(*index, transaction.as_bytes()).await)
            }
            // Another node, or this one with more of the history, answers with the place that it has had all along.
            RangeState::Standing { transaction } => (transaction, ledger.submit_and_wait(transaction).await),
        };
        let (transaction, Ok(proven)) = (transaction.clone(), proven) else { return Ok(None) };
        let (index, proof) = (proven.index, proven.proof);
        let state = RangeState::Anchored { transaction: transaction.clone(), index, proof: proof.clone() };
        match self.store.advance_range(range, state).await {
            // Whoever asked at the same time has kept one as good.
            Err(error) if !error.is_precondition() => Err(error),
            _ => Ok(Some((transaction, proof))),
        }
    }
}
