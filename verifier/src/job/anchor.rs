//! Bringing receipts onto the ledger, one range after the other.
//!
//! Three durable steps, and what holds if we die after each:
//!
//! 1. **Formed**: the range's bounds are fixed. Nothing was sent; the next start signs for this very range.
//! 2. **Signed**: the transaction's exact bytes are kept before they are sent. The next start sends the same bytes; the
//!    ledger takes them once and gives the first answer again.
//! 3. **Anchored**: index and proof are kept. Dead between the ledger's answer and this, the next start sends again.
//!
//! A ledger that is down delays this, not the acts: receipts are returned at once, and the metrics show how many wait.

use std::time::Duration;

use actix_web::web;
use identity_core::registry::{Anchor, AnchorKind, Envelope, Operation, make_transaction};
use ledger::batch::{BatchTree, MAX_DIGESTS};
use service_kit::ledger_client::LedgerError;
use service_kit::store::StoreError;

use crate::receipts::Submitter;
use crate::service::Verifier;
use crate::store::receipts::{RangeRecord, RangeState};

/// Longest pause when nobody wakes the job: the net under lost wake-ups and restarts.
const IDLE: Duration = Duration::from_secs(30);
/// Pause after a round that failed.
const RETRY: Duration = Duration::from_secs(2);
/// Receipts that come within this time share a transaction.
const WINDOW: Duration = Duration::from_millis(200);
/// Seconds that a transaction holds.
const LIFETIME: i64 = 300;

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundFailure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("an anchor transaction cannot be made: {0}")]
    Make(String),
}

/// Runs until it is aborted. Stopping in the middle of a round is one more crash, and those are provided for.
pub(crate) async fn run(verifier: web::Data<Verifier>) {
    let Some(ledger) = verifier.receipts.ledger.as_ref() else { return };
    loop {
        match round(&verifier, ledger).await {
            Ok(true) => {}
            Ok(false) => {
                if tokio::time::timeout(IDLE, verifier.receipts.wake.notified()).await.is_ok() {
                    tokio::time::sleep(WINDOW).await;
                }
            }
            Err(failure) => {
                tracing::warn!(%failure, "receipts wait for the ledger");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Brings the open range, or the receipts that wait, onto the ledger. Answers whether there was anything to do.
pub(crate) async fn round(verifier: &Verifier, ledger: &Submitter) -> Result<bool, RoundFailure> {
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
    carry(verifier, ledger, range).await?;
    Ok(true)
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
    Ok(Some(record))
}

/// Steps 2 and 3.
async fn carry(verifier: &Verifier, ledger: &Submitter, mut range: RangeRecord) -> Result<(), RoundFailure> {
    let transaction = match &range.state {
        RangeState::Anchored { .. } => return Ok(()),
        RangeState::Signed { transaction } => transaction.clone(),
        RangeState::Formed => sign(verifier, ledger, &mut range).await?,
    };
    let certified = match ledger.client.submit_and_wait(&transaction).await {
        // Expired, or overtaken by another transaction under the same key: made anew for the same range.
        Err(error) if is_refused(&error) => {
            tracing::warn!(first = range.first, reason = error.refusal(), "an anchor transaction is made anew");
            let transaction = sign(verifier, ledger, &mut range).await?;
            ledger.client.submit_and_wait(&transaction).await?
        }
        answer => answer?,
    };
    let RangeState::Signed { transaction } = range.state else { return Ok(()) };
    range.state = RangeState::Anchored { transaction, index: certified.index, proof: certified.proof };
    verifier.store.advance_range(&range).await?;
    verifier.receipts.counters.anchored(range.last.saturating_sub(range.first).saturating_add(1));
    tracing::info!(first = range.first, last = range.last, index = certified.index, "receipts are anchored");
    Ok(())
}

/// Only the ledger's own rules refuse for good.
fn is_refused(error: &LedgerError) -> bool {
    error.refusal().is_some_and(|code| code.starts_with("registry."))
}

async fn sign(verifier: &Verifier, ledger: &Submitter, range: &mut RangeRecord) -> Result<String, RoundFailure> {
    let seq = ledger.next_sequence().await?;
    let exp = verifier.clock.now().plus(LIFETIME).0;
    let envelope = Envelope { aud: ledger.client.origin().to_owned(), seq, exp };
    let count = range.last.saturating_sub(range.first).saturating_add(1);
    let anchor = Anchor {
        first: Some(range.first),
        last: Some(range.last),
        head: Some(range.head),
        ..Anchor::new(AnchorKind::Receipt, range.root, count)
    };
    let operation = Operation::Anchor(anchor);
    let transaction = make_transaction(&envelope, &operation, &ledger.did, &ledger.key_id, &ledger.key)
        .map_err(|refused| RoundFailure::Make(refused.to_string()))?;
    range.state = RangeState::Signed { transaction: transaction.clone() };
    verifier.store.advance_range(range).await?;
    Ok(transaction)
}
