//! A running node as its HTTP handlers see it: the desk, the rounds, the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use identity_core::registry::{self, Block, NotApplied, Refused, Relayed, Transaction, WriteSet};
use identity_core::time::UnixSeconds;
use ledger::Hash;
use service_kit::clock::Clock;
use service_kit::store::{Batch, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::boundary;
use crate::certifier::{Certifier, CertifyError};
use crate::chain::Chain;
use crate::desk::{Desk, NotTaken};
use crate::engine::Engine;
use crate::executor::{ExecuteError, Executor, Outcome};
use crate::store::{CHECKPOINT, Head, Place, SyncStore, place_key, value_at};

/// Seconds after which an idle head is cosigned again, so that its age stays known (design §4).
const RECOSIGN_SECONDS: i64 = 30;

/// A head with its certified note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) head: Head,
    pub(crate) note: String,
    /// When it was cosigned.
    pub(crate) at: UnixSeconds,
}

/// What the node's parts share.
pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) desk: Desk,
    runtime: Handle,
    certifier: Mutex<Certifier>,
    rounds: watch::Sender<Arc<Round>>,
    published: watch::Sender<Arc<Round>>,
    halted: AtomicBool,
}

/// Whatever ends the executor, a mistake of ours included, nobody is left waiting for it.
struct Ending<'a>(&'a Node);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halted.store(true, Ordering::Relaxed);
        }
        self.0.desk.abandon();
    }
}

/// Why a submission got no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubmitError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotApplied> for SubmitError {
    fn from(error: NotApplied) -> Self {
        match error {
            NotApplied::Refused(refused) => Self::Refused(refused),
            NotApplied::State(unreadable) => Self::Store(StoreError::Corrupt(unreadable.to_string())),
        }
    }
}

impl Node {
    /// Certifies the head found at start, so that the node can answer at once.
    pub(crate) fn new(
        chain: Chain,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        desk: Desk,
        mut certifier: Certifier,
        head: Head,
    ) -> Result<Self, CertifyError> {
        let at = clock.now();
        let note = certifier.certify(&head, at)?;
        let (rounds, _) = watch::channel(Arc::new(Round { head, note, at }));
        let (published, _) = watch::channel(Arc::clone(&rounds.borrow()));
        let (certifier, halted) = (Mutex::new(certifier), AtomicBool::new(false));
        Ok(Self { chain, store, clock, desk, runtime: Handle::current(), certifier, rounds, published, halted })
    }

    /// The newest certified head.
    pub(crate) fn round(&self) -> Arc<Round> {
        Arc::clone(&self.rounds.borrow())
    }

    /// The checkpoint that everybody is shown: moves at most once a second, so that caches and witnesses keep up.
    pub(crate) fn published(&self) -> Arc<Round> {
        Arc::clone(&self.published.borrow())
    }

    /// Waits until a certified head covers the entry at `index`.
    pub(crate) async fn certified(&self, index: u64) -> Option<Arc<Round>> {
        let mut rounds = self.rounds.subscribe();
        let round = rounds.wait_for(|round| round.head.size > index).await.ok()?;
        Some(Arc::clone(&round))
    }

    /// Whether the node has stopped executing because its data is not what it wrote.
    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// A store for a thread that may block.
    pub(crate) fn sync_store(&self) -> SyncStore {
        SyncStore::new(Arc::clone(&self.store), self.runtime.clone())
    }

    /// What the state holds under `key` at a certified head.
    pub(crate) async fn value(&self, key: &str, round: &Round) -> Result<Option<Vec<u8>>, StoreError> {
        value_at(self.store.as_ref(), key, round.head.height).await
    }

    /// Where a transaction stands, if it was accepted.
    pub(crate) async fn place(&self, digest: &Hash) -> Result<Option<Place>, StoreError> {
        let Some(bytes) = self.store.get(&place_key(digest)).await? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::Corrupt("a place is malformed".into()))
    }

    /// Takes a transaction and waits for its place. The same transaction again gets the same place.
    pub(crate) async fn submit(&self, text: &str) -> Result<(Hash, Place), SubmitError> {
        let mut transaction = Transaction::parse(text)?;
        let digest = transaction.digest();
        if let Some(place) = self.place(&digest).await? {
            return Ok((digest, place));
        }
        self.authenticate(&mut transaction).await?;
        let answer = self.desk.submit(transaction)?.await.map_err(|_| NotTaken::Stopping)?;
        match answer {
            Outcome::Accepted(place) => Ok((digest, place)),
            Outcome::Refused(refused) => Err(refused.into()),
            Outcome::NotSaved(error) => Err(error.into()),
        }
    }

    /// Checks ledger, expiry, sender, key and signature before anything is ordered or written: what fails here costs
    /// strangers nothing but our time, and never a durable write.
    async fn authenticate(&self, transaction: &mut Transaction) -> Result<(), SubmitError> {
        let round = self.round();
        let state = self.values(registry::keys_to_authenticate(transaction), &round).await?;
        Ok(registry::authenticate(&state, &self.next_block(&round), transaction)?)
    }

    /// Checks what a stranger wants relayed before the node's own key spends a transaction on it.
    pub(crate) async fn admit(&self, relayed: &Relayed) -> Result<(), SubmitError> {
        let round = self.round();
        let state = self.values([registry::key_to_admit(relayed)], &round).await?;
        Ok(registry::admit_relayed(&state, &self.next_block(&round), relayed)?)
    }

    async fn values(&self, keys: impl IntoIterator<Item = String>, round: &Round) -> Result<WriteSet, StoreError> {
        let mut state = WriteSet::new();
        for key in keys {
            if let Some(value) = self.value(&key, round).await? {
                state.insert(key, value);
            }
        }
        Ok(state)
    }

    /// The block that something submitted now would stand in.
    fn next_block(&self, round: &Round) -> Block {
        Block {
            chain: self.chain.genesis().chain.clone(),
            origin: self.chain.origin().to_owned(),
            height: round.head.height.saturating_add(1),
            time: self.clock.now_millis().max(round.head.time),
        }
    }

    /// Executes what the engine orders, until the engine ends. Runs on a thread of its own.
    pub(crate) fn run(&self, mut engine: impl Engine, mut executor: Executor) {
        let _ending = Ending(self);
        // If the process died between certifying the last seal of a set and keeping its note, it is still the head.
        self.keep_boundary(executor.head(), &self.round().note);
        while let Some(block) = engine.next() {
            match executor.execute(&block) {
                Ok(outcomes) => {
                    engine.acknowledge(&block);
                    self.certify(executor.head());
                    outcomes.iter().for_each(|(digest, outcome)| self.desk.answer(digest, outcome));
                }
                Err(error) => {
                    tracing::error!(%error, height = block.height, "block not executed");
                    let (ExecuteError::NotSaved(cause) | ExecuteError::Halted(cause)) = &error;
                    let outcome = Outcome::NotSaved(cause.clone());
                    block.transactions.iter().for_each(|tx| self.desk.answer(&tx.digest(), &outcome));
                    if matches!(error, ExecuteError::Halted(_)) {
                        self.halted.store(true, Ordering::Relaxed);
                        self.desk.close();
                    }
                }
            }
        }
    }

    /// Cosigns a durable head and makes it the newest round.
    fn certify(&self, head: &Head) {
        let at = self.clock.now();
        let mut certifier = self.certifier.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: a re-cosigning of the old head cannot come between signing and showing the new one.
        match certifier.certify(head, at) {
            Ok(note) => {
                self.keep_boundary(head, &note);
                self.rounds.send_replace(Arc::new(Round { head: head.clone(), note, at }));
            }
            Err(error) => {
                tracing::error!(%error, "the head was not cosigned");
                self.halted.store(true, Ordering::Relaxed);
            }
        }
    }

    fn keep_boundary(&self, head: &Head, note: &str) {
        if let Err(error) = boundary::keep(&self.sync_store(), head, note) {
            tracing::error!(%error, "the checkpoint over the last seal of a set was not kept");
        }
    }

    /// What has to happen once a second: cosign an idle head again, show the newest round to everybody.
    pub(crate) async fn tick(&self) {
        let now = self.clock.now();
        if now.since(self.round().at) >= RECOSIGN_SECONDS {
            self.recosign(now);
        }
        let newest = self.round();
        if newest == self.published() {
            return;
        }
        self.published.send_replace(Arc::clone(&newest));
        // For fsck only; a checkpoint that is not kept is made again at the next start.
        let batch = Batch::new().put(CHECKPOINT, newest.note.as_bytes());
        if let Err(error) = self.store.commit(batch).await {
            tracing::warn!(%error, "the published checkpoint was not kept");
        }
    }

    fn recosign(&self, now: UnixSeconds) {
        let mut certifier = self.certifier.lock().unwrap_or_else(PoisonError::into_inner);
        let head = self.round().head.clone();
        match certifier.certify(&head, now) {
            Ok(note) => {
                self.rounds.send_replace(Arc::new(Round { head, note, at: now }));
            }
            Err(error) => tracing::error!(%error, "the idle head was not cosigned"),
        }
    }
}
