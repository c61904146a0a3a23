//! Sharings that can be taken back, and those that were.
//!
//! | key | what | until |
//! |---|---|---|
//! | `sharing/<seq>` | by the place of its receipt: the request, and what the holder's keys are recognised by | the end of the retention that was promised, or its withdrawal |
//! | `passed-on/<id>` | that values of the request's answer were handed out, through the admin API or by `evidence --full` | the same |
//! | `withdrawn/<seq>` | by the place of its receipt: which withdrawal it was, and where its acknowledgement stands | never |
//! | `withdrawal/<seq>` | the same, by the place of the acknowledgement | never |
//!
//! The keys are kept as thumbprints, longer than the answer and for this one end: that the holder can withdraw for as long
//! as anybody may keep what was shown.

use identity_core::time::UnixSeconds;
use identity_core::withdrawal::{Kept, Kind};
use ledger::Hash;
use serde::{Deserialize, Serialize};
use service_kit::admin::Official;
use service_kit::audit::Act;
use service_kit::store::{Batch, Range, StoreError};

use super::{ByLaw, CaseRecord, OutcomeRecord, RequestRecord, VerifierStore, case_key, encode, put_until, receipts};

/// What a withdrawal is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SharingRecord {
    /// The request that was answered.
    pub(crate) request: String,
    /// Thumbprints of the keys that the credentials name as their holders'.
    pub(crate) holders: Vec<Hash>,
    /// When the retention that was promised ends.
    pub(crate) until: UnixSeconds,
}

/// A sharing with all that is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Withdrawable {
    /// The place of its receipt.
    seq: u64,
    pub(crate) sharing: SharingRecord,
    /// The case, while it is kept.
    case: Option<CaseRecord>,
    /// Whether values were handed out.
    pub(crate) passed_on: bool,
    /// When the request is erased; none if it was.
    pub(crate) request_until: Option<UnixSeconds>,
    /// When the verdict is erased; none if it was.
    pub(crate) verdict_until: Option<UnixSeconds>,
}

/// A sharing that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withdrawn {
    /// The place of its receipt.
    pub(crate) receipt: u64,
    /// Digest of the withdrawal.
    pub(crate) withdrawal: Hash,
    /// The place of its acknowledgement.
    pub(crate) acknowledgement: u64,
    /// The request that was answered.
    pub(crate) request: String,
}

impl Withdrawable {
    /// What of the answer is deleted, and what the law makes stay.
    pub(crate) fn parted(&self, now: UnixSeconds) -> (Vec<Kind>, Vec<Kept>) {
        let mut deleted = vec![Kind::HolderKeys];
        let mut kept = Vec::new();
        let Some(case) = &self.case else { return (deleted, kept) };
        deleted.extend(case.claims.as_ref().map(|_| Kind::Claims));
        let shown =
            [Some(Kind::Presentation), Some(Kind::KeyBindings), case.anchors.as_ref().map(|_| Kind::AnchorProofs)];
        let shown = shown.into_iter().flatten();
        match case.by_law_at(now) {
            None => deleted.extend(shown),
            Some(law) => {
                let stays = |what| Kept { what, basis: law.basis.clone(), until: Some(law.until) };
                kept.extend(shown.map(stays));
            }
        }
        (deleted, kept)
    }
}

impl CaseRecord {
    /// The law that makes the answer stay at this time.
    fn by_law_at(&self, now: UnixSeconds) -> Option<&ByLaw> {
        self.by_law.as_ref().filter(|law| law.until > now)
    }
}

/// Adds what a withdrawal will be recognised by to a batch that holds the receipt.
pub(super) fn add(batch: Batch, seq: u64, sharing: &SharingRecord) -> Result<Batch, StoreError> {
    Ok(put_until(batch, sharing.until, &sharing_key(seq), encode(sharing)?))
}

impl VerifierStore {
    /// The sharing with the receipt at this place, while it can be withdrawn.
    pub(crate) async fn withdrawable(&self, seq: u64) -> Result<Option<Withdrawable>, StoreError> {
        let Some(sharing) = self.read::<SharingRecord>(&sharing_key(seq)).await? else { return Ok(None) };
        let id = sharing.request.as_str();
        let case = self.read(&case_key(id)).await?;
        let passed_on = self.store.get(passed_on_key(id).as_bytes()).await?.is_some();
        let request: Option<RequestRecord> = self.request(id).await?;
        let outcome: Option<OutcomeRecord> = self.outcome(id).await?;
        let request_until = request.map(|request| self.request_due(&request));
        let verdict_until = outcome.map(|outcome| self.outcome_due(&outcome, case.as_ref()));
        Ok(Some(Withdrawable { seq, sharing, case, passed_on, request_until, verdict_until }))
    }

    /// How the sharing with the receipt at this place was withdrawn, if it was.
    pub(crate) async fn withdrawn(&self, seq: u64) -> Result<Option<Withdrawn>, StoreError> {
        self.read(&withdrawn_key(seq)).await
    }

    /// Up to `most` withdrawals whose acknowledgements stand behind a place of the chain, oldest first.
    pub(crate) async fn withdrawals_after(&self, seq: u64, most: usize) -> Result<Vec<Withdrawn>, StoreError> {
        let range = Range::between(withdrawal_key(seq.saturating_add(1)), "withdrawal/~");
        let entries = self.store.scan(range, most).await?;
        let unreadable = |_| StoreError::Corrupt("a withdrawal is not readable".to_owned());
        entries.iter().map(|(_, bytes)| serde_json::from_slice(bytes).map_err(unreadable)).collect()
    }

    /// Deletes what is kept of a sharing, but for what the law makes stay, and keeps the acknowledgement: all of it, or
    /// none because something of it is not as it was read. Of two concurrent calls exactly one succeeds.
    pub(crate) async fn withdraw_once(
        &self,
        withdrawable: &Withdrawable,
        withdrawn: &Withdrawn,
        acknowledgement: &receipts::Signed,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let Withdrawable { seq, sharing, case, passed_on, .. } = withdrawable;
        let id = sharing.request.as_str();
        let (sharing_key, passed_on_key, case_key) = (sharing_key(*seq), passed_on_key(id), case_key(id));
        let mut batch = receipts::add(Batch::new(), acknowledgement)?
            .require_equals(sharing_key.clone(), encode(sharing)?)
            .delete(sharing_key)
            .put_new(withdrawn_key(*seq), encode(withdrawn)?)
            .put_new(withdrawal_key(withdrawn.acknowledgement), encode(withdrawn)?);
        batch = match passed_on {
            true => batch.delete(passed_on_key),
            false => batch.require_absent(passed_on_key),
        };
        batch = match case {
            None => batch.require_absent(case_key),
            Some(case) => {
                let batch = batch.require_equals(case_key.clone(), encode(case)?);
                match withdrawable.case_after(now)? {
                    None => batch.delete(case_key),
                    Some(rest) => batch.put(case_key, rest),
                }
            }
        };
        let act = Act::new(&Official::holder(), "POST /withdrawals").on(id);
        self.audit.commit(&act, batch).await
    }

    /// Keeps that values of an answer are handed out, with the line of the act. Refused if they were withdrawn meanwhile,
    /// or have gone otherwise.
    pub(crate) async fn pass_on(&self, act: &Act, id: &str, outcome: &OutcomeRecord) -> Result<(), StoreError> {
        let batch = self.passing_on(Batch::new(), id, outcome).await?;
        let withdrawn = outcome.receipt.map(withdrawn_key);
        self.audit.commit(act, withdrawn.into_iter().fold(batch, Batch::require_absent)).await
    }

    /// Adds to a batch that values of an answer are handed out.
    pub(super) async fn passing_on(
        &self,
        batch: Batch,
        id: &str,
        outcome: &OutcomeRecord,
    ) -> Result<Batch, StoreError> {
        let Some(seq) = outcome.receipt else { return Ok(batch) };
        let sharing: Option<SharingRecord> = self.read(&sharing_key(seq)).await?;
        Ok(match sharing {
            Some(sharing) => put_until(batch, sharing.until, &passed_on_key(id), b"yes".to_vec()),
            None => batch,
        })
    }
}

impl Withdrawable {
    /// What stays of the case: the answer as it travelled, for as long as the law says, and out of everybody's reach.
    fn case_after(&self, now: UnixSeconds) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(case) = self.case.as_ref().filter(|case| case.by_law_at(now).is_some()) else { return Ok(None) };
        Ok(Some(encode(&CaseRecord { claims: None, withdrawn: true, ..case.clone() })?))
    }
}

fn sharing_key(seq: u64) -> String {
    format!("sharing/{seq:020}")
}

fn passed_on_key(id: &str) -> String {
    format!("passed-on/{id}")
}

fn withdrawn_key(seq: u64) -> String {
    format!("withdrawn/{seq:020}")
}

fn withdrawal_key(seq: u64) -> String {
    format!("withdrawal/{seq:020}")
}
