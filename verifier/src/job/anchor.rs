//! Bringing receipts onto the ledger, one range after the other.
//!
//! Three durable steps, and what holds if we die after each:
//!
//! 1. **Formed**: the range's bounds are fixed. Nothing was sent; the next start signs for this very range.
//! 2. **Signed**: the transaction's exact bytes are kept before they are sent. The next start sends the same bytes; the
//!    ledger takes them once and gives the first answer again.
//! 3. **Anchored**: index and proof are kept. Dead between the ledger's answer and this, the next start sends again.
//!
//! The ledger takes a range once. So before a transaction that it refuses is replaced by another for the same range, its
//! own word is asked for: the refused one may stand there since before the history that our node keeps. Then the range is
//! **standing**, its place is still to be found, and the next one goes on.
//!
//! A ledger that is down delays this, not the acts: receipts are returned at once, and the metrics show how many wait.

use std::time::Duration;

use identity_core::problem::Code;
use identity_core::registry::{Anchor, AnchorKind, Envelope, Operation, make_transaction, receipts_key};
use identity_core::trust::{self, TrustError};
use ledger::batch::{BatchTree, MAX_DIGESTS};
use service_kit::ledger_client::LedgerError;
use service_kit::store::StoreError;

use crate::receipts::Submitter;
use crate::service::Verifier;
use crate::store::receipts::{RangeRecord, RangeState};

/// How often a range is signed for within a round.
pub(super) const TRIES: u8 = 3;
/// Pause before it is signed for anew: the ledger's public state lags behind its log by up to a second.
pub(super) const PAUSE: Duration = Duration::from_millis(500);
/// Seconds that a transaction holds.
pub(super) const LIFETIME: i64 = 300;

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundFailure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("what the ledger holds of us cannot be read: {0}")]
    Unreadable(#[from] TrustError),
    #[error("a transaction cannot be made: {0}")]
    Make(String),
    #[error(
        "the ledger has other receipts of ours, up to {last}: is this an old copy of the data? `audit verify` tells"
    )]
    OtherReceipts { last: u64 },
}

/// Brings the open range, or the receipts that wait, onto the ledger. Answers whether there was anything to do.
pub(crate) async fn round(verifier: &Verifier, submitter: &Submitter) -> Result<bool, RoundFailure> {
    let open = match verifier.store.open_range().await? {
        Some(open) => Some(open),
        None => form(verifier).await?,
    };
    let newest = verifier.store.receipt_head().await?.seq;
    let Some(range) = open else {
        verifier.receipts.counters.waiting(0);
        return Ok(false);
    };
    verifier.receipts.counters.waiting(newest.saturating_sub(range.first).saturating_add(1));
    carry(verifier, submitter, range).await?;
    Ok(true)
}

/// Brings everything that waits onto the ledger.
pub(crate) async fn all(verifier: &Verifier, submitter: &Submitter) -> Result<(), RoundFailure> {
    while round(verifier, submitter).await? {}
    Ok(())
}

/// How many entries of the chain the ledger does not have.
pub(crate) async fn waiting(verifier: &Verifier) -> Result<u64, StoreError> {
    let first = match verifier.store.open_range().await? {
        Some(open) => open.first,
        None => verifier.store.last_in_a_range().await?.saturating_add(1),
    };
    Ok(verifier.store.receipt_head().await?.seq.saturating_add(1).saturating_sub(first))
}

/// Step 1.
async fn form(verifier: &Verifier) -> Result<Option<RangeRecord>, RoundFailure> {
    let first = verifier.store.last_in_a_range().await?.saturating_add(1);
    let newest = verifier.store.receipt_head().await?.seq;
    if newest < first {
        return Ok(None);
    }
    let most = u64::try_from(MAX_DIGESTS).unwrap_or(u64::MAX);
    let last = newest.min(first.saturating_add(most).saturating_sub(1));
    let digests = verifier.store.receipt_digests(first, last).await?;
    let (Ok(tree), Some(head)) = (BatchTree::new(&digests), digests.last()) else { return Ok(None) };
    let record = RangeRecord { first, last, root: tree.root(), head: *head, state: RangeState::Formed };
    verifier.store.form_range(&record).await?;
    verifier.receipts.trees.keep(first, tree);
    Ok(Some(record))
}

/// Steps 2 and 3.
async fn carry(verifier: &Verifier, submitter: &Submitter, mut range: RangeRecord) -> Result<(), RoundFailure> {
    if range.state == RangeState::Formed {
        range = sign(verifier, submitter, &range).await?;
    }
    let mut tries = 1;
    while let RangeState::Signed { transaction } = &range.state {
        let transaction = transaction.clone();
        let state = match verifier.evidence.ledger().submit_and_wait(&transaction).await {
            Ok(certified) => RangeState::Anchored { transaction, index: certified.index, proof: certified.proof },
            Err(error) if is_refused(&error) && stands(verifier, submitter, &range).await? => {
                tracing::warn!(first = range.first, "the ledger has the range; our node does not know where");
                RangeState::Standing { transaction }
            }
            // Expired, or overtaken by another transaction under the same key: made anew for the same range.
            Err(error) if error.broken_rule().is_some() && tries < TRIES => {
                tries += 1;
                tracing::warn!(first = range.first, reason = error.refusal(), "an anchor transaction is made anew");
                verifier.receipts.sequence.forget();
                tokio::time::sleep(PAUSE).await;
                range = sign(verifier, submitter, &range).await?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        range = verifier.store.advance_range(&range, state).await?;
        verifier.receipts.counters.anchored(range.last.saturating_sub(range.first).saturating_add(1));
        tracing::info!(first = range.first, last = range.last, "receipts are on the ledger");
    }
    Ok(())
}

/// Whether the ledger's rules refuse it, or it was sent before the history that our node keeps.
pub(super) fn is_refused(error: &LedgerError) -> bool {
    error.broken_rule().is_some() || error.refusal() == Some(Code::LedgerPruned.as_str())
}

/// Whether the ledger has this very range already.
async fn stands(verifier: &Verifier, submitter: &Submitter, range: &RangeRecord) -> Result<bool, RoundFailure> {
    let (state, _) = verifier.evidence.ledger().state(&receipts_key(&submitter.did)).await?;
    let anchored = trust::receipts_anchored(&state, &submitter.did)?;
    match (anchored.seq, anchored.digest) {
        (last, _) if last < range.first => Ok(false),
        (last, Some(head)) if last == range.last && head == range.head => Ok(true),
        (last, _) => Err(RoundFailure::OtherReceipts { last }),
    }
}

async fn sign(verifier: &Verifier, submitter: &Submitter, range: &RangeRecord) -> Result<RangeRecord, RoundFailure> {
    let ledger = verifier.evidence.ledger();
    let sequence = verifier.receipts.sequence.next(ledger.next_sequence(&submitter.key_url()).await?);
    let exp = verifier.clock.now().plus(LIFETIME).0;
    let envelope = Envelope { aud: ledger.origin().to_owned(), seq: sequence, exp };
    let count = range.last.saturating_sub(range.first).saturating_add(1);
    let anchor = Anchor {
        first: Some(range.first),
        last: Some(range.last),
        head: Some(range.head),
        ..Anchor::new(AnchorKind::Receipt, range.root, count)
    };
    let operation = Operation::Anchor(anchor);
    let transaction = make_transaction(&envelope, &operation, &submitter.did, &submitter.key_id, &submitter.key)
        .map_err(|refused| RoundFailure::Make(refused.to_string()))?;
    let signed = verifier.store.advance_range(range, RangeState::Signed { transaction }).await?;
    verifier.receipts.sequence.used(sequence);
    Ok(signed)
}
