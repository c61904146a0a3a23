//! Bringing digests onto the ledger, one batch after the other.
//!
//! Three durable steps, and what holds if we die after each:
//!
//! 1. **Formed**: the digests left the queue, the tree and every digest's place are fixed. Nothing was sent; the next
//!    start signs a transaction for this very batch.
//! 2. **Signed**: the transaction's exact bytes are kept before they are sent. Dead before or after sending, the next
//!    start sends the same bytes; the ledger takes them once and gives the first answer again.
//! 3. **Anchored**: index and proof are kept. Dead between the ledger's answer and this step, the next start sends
//!    again, as in 2.
//!
//! Recovery is no code of its own: the loop begins with the open batches, whether they are from a moment ago or from
//! before a crash. A transaction that the ledger refuses for good (expired, overtaken sequence number) is replaced by a
//! fresh one for the same root. Should the refused one stand on the ledger after all, the root stands there twice,
//! which proves the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use identity_core::registry::{Anchor, AnchorKind, Envelope, Operation, make_transaction};
use ledger::Hash;
use ledger::batch::{BatchTree, MAX_DIGESTS};
use rand::seq::SliceRandom as _;
use service_kit::anchoring::{KeptTrees, LastSequence, Renewals};
use service_kit::store::StoreError;
use tokio::sync::{Notify, watch};

use crate::ports::{Ledger, LedgerFault};
use crate::service::Service;
use crate::store::{BatchRecord, BatchState};

/// Seconds between two looks at the queue when nobody wakes the job: the net under lost wake-ups and restarts.
const IDLE: Duration = Duration::from_secs(30);

/// The job's shared state.
pub(crate) struct Anchoring {
    wake: Notify,
    reachable: AtomicBool,
    sequence: LastSequence,
    /// By the numbers of their batches.
    pub(crate) trees: KeptTrees,
    pub(crate) renewals: Renewals,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundFailure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    #[error("an anchor transaction cannot be made: {0}")]
    Make(String),
}

impl Anchoring {
    pub(crate) fn new() -> Self {
        Self {
            wake: Notify::new(),
            reachable: AtomicBool::new(true),
            sequence: LastSequence::default(),
            trees: KeptTrees::default(),
            renewals: Renewals::default(),
        }
    }

    /// Says that digests wait.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the last try reached the ledger.
    pub(crate) fn is_ledger_reachable(&self) -> bool {
        self.reachable.load(Ordering::Relaxed)
    }
}

/// Runs until `stop` changes. Stopping in the middle of a round is one more crash, and those are provided for: nobody
/// waits for a ledger that does not answer.
pub(crate) async fn run(service: Arc<Service>, ledger: Arc<dyn Ledger>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = rounds(&service, &*ledger) => {}
        _ = stop.changed() => {}
    }
}

async fn rounds(service: &Service, ledger: &dyn Ledger) {
    let window = Duration::from_millis(service.config.ledger.window_ms);
    let retry = Duration::from_secs(service.config.ledger.retry_seconds.max(1));
    let mut pause = Duration::ZERO;
    loop {
        wait(service, pause, window).await;
        pause = match round(service, ledger).await {
            Ok(0) => {
                // Wallets come for proofs by the validators in force, also when nothing was issued for long.
                if let Err(fault) = ledger.look_around().await {
                    tracing::debug!(%fault, "the ledger was not looked at");
                }
                IDLE
            }
            // More may wait than one batch holds: look again at once.
            Ok(_) => Duration::ZERO,
            Err(failure) => {
                tracing::warn!(%failure, "anchoring waits");
                retry
            }
        };
    }
}

async fn wait(service: &Service, pause: Duration, window: Duration) {
    if pause != IDLE {
        return tokio::time::sleep(pause).await;
    }
    if tokio::time::timeout(pause, service.anchoring.wake.notified()).await.is_ok() {
        // Whoever comes within the window shares the transaction.
        tokio::time::sleep(window).await;
    }
}

/// Brings open batches and then waiting digests onto the ledger. Answers how many batches it anchored.
pub(crate) async fn round(service: &Service, ledger: &dyn Ledger) -> Result<usize, RoundFailure> {
    let mut open = service.records.open_batches().await?;
    if open.is_empty() {
        open.extend(form(service).await?);
    }
    service.counters.waiting(open.len());
    let mut anchored = 0_usize;
    for batch in open {
        let done = carry(service, ledger, batch).await;
        let unreachable = matches!(done, Err(RoundFailure::Ledger(LedgerFault::Unreachable(_))));
        service.anchoring.reachable.store(!unreachable, Ordering::Relaxed);
        done?;
        anchored = anchored.saturating_add(1);
    }
    service.counters.waiting(0);
    service.records.forget_old_nonces(service.clock.now()).await?;
    Ok(anchored)
}

/// Step 1. Shuffled, so that a place in the batch says nothing about the order of issuing.
async fn form(service: &Service) -> Result<Option<BatchRecord>, RoundFailure> {
    let mut digests = service.records.pending(MAX_DIGESTS).await?;
    digests.shuffle(&mut service.chance.rng());
    let Ok(tree) = BatchTree::new(&digests) else { return Ok(None) };
    let number = service.records.next_batch_number().await?;
    let record = BatchRecord { number, root: tree.root(), count: tree.count(), state: BatchState::Formed };
    service.records.form_batch(&record, &digests).await?;
    service.anchoring.trees.keep(number, tree);
    Ok(Some(record))
}

/// Steps 2 and 3.
async fn carry(service: &Service, ledger: &dyn Ledger, mut batch: BatchRecord) -> Result<(), RoundFailure> {
    let transaction = match &batch.state {
        BatchState::Anchored { .. } => return Ok(()),
        BatchState::Signed { transaction } => transaction.clone(),
        BatchState::Formed => sign(service, ledger, &mut batch).await?,
    };
    let certified = match ledger.submit(&transaction).await {
        Err(LedgerFault::Refused(reason)) => {
            tracing::warn!(batch = batch.number, reason, "an anchor transaction is made anew");
            service.anchoring.sequence.forget();
            let transaction = sign(service, ledger, &mut batch).await?;
            ledger.submit(&transaction).await?
        }
        answer => answer?,
    };
    let BatchState::Signed { transaction } = batch.state else { return Ok(()) };
    batch.state = BatchState::Anchored { transaction, index: certified.index, proof: certified.proof };
    service.records.advance_batch(&batch).await?;
    service.counters.anchored(batch.count);
    tracing::info!(batch = batch.number, count = batch.count, index = certified.index, "anchored");
    Ok(())
}

async fn sign(service: &Service, ledger: &dyn Ledger, batch: &mut BatchRecord) -> Result<String, RoundFailure> {
    let stated = ledger.next_sequence(&service.keys.submitting_url()).await?;
    let sequence = service.anchoring.sequence.next(stated);
    let transaction = make(service, ledger.origin(), sequence, batch.root, batch.count)?;
    batch.state = BatchState::Signed { transaction: transaction.clone() };
    service.records.advance_batch(batch).await?;
    service.anchoring.sequence.used(sequence);
    Ok(transaction)
}

fn make(service: &Service, origin: &str, seq: u64, root: Hash, count: u64) -> Result<String, RoundFailure> {
    let lifetime = i64::from(service.config.ledger.transaction_lifetime);
    let envelope = Envelope { aud: origin.to_owned(), seq, exp: service.clock.now().plus(lifetime).0 };
    let operation = Operation::Anchor(Anchor::new(AnchorKind::Credential, root, count));
    let identity = &service.keys.identity;
    make_transaction(&envelope, &operation, &identity.did, &identity.submitting_key, &service.keys.submitting)
        .map_err(|refused| RoundFailure::Make(refused.to_string()))
}
