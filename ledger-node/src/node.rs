//! A running node as its HTTP handlers see it: the desk, the rounds, the store.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use identity_core::registry::{self, Block, Memory, Relayed, WriteSet};
use identity_core::time::UnixSeconds;
use ledger::Hash;
use prometheus::Histogram;
use service_kit::clock::Clock;
use service_kit::store::{Batch, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::catch_up::CatchUpError;
#[cfg(feature = "simplex")]
use crate::certifier::Heard;
use crate::certifier::{Certifier, CertifyError, Cosignature};
use crate::chain::Chain;
use crate::desk::Desk;
use crate::engine::{Engine, Ordered};
use crate::executor::{ExecuteError, Executor, Outcome};
use crate::store::{CHECKPOINT, Head, Place, SyncStore, place_key, value_at};

pub(crate) use crate::certifier::Round;
pub(crate) use crate::submission::SubmitError;

/// Seconds after which an idle head is cosigned again, so that its age stays known (design §4).
const RECOSIGN_SECONDS: i64 = 30;
/// Blocks that a node may lag behind the last final one and still cosign each: further back, the others have certified
/// them long ago.
const COSIGNED_BEHIND: u64 = 8;

/// What a node tells the other validators: what it cosigned, and whether it lacks theirs for the same tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) cosignature: Cosignature,
    pub(crate) wanted: bool,
}

/// What a node is made of.
pub(crate) struct Parts {
    pub(crate) chain: Chain,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where evidence against other validators is kept.
    pub(crate) evidence: PathBuf,
    pub(crate) runtime: Handle,
}

/// What the node's parts share.
pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) desk: Desk,
    pub(crate) runtime: Handle,
    office: Mutex<Option<Office>>,
    evidence: PathBuf,
    executed: Mutex<Head>,
    rounds: watch::Sender<Option<Arc<Round>>>,
    published: watch::Sender<Option<Arc<Round>>>,
    halted: AtomicBool,
    stranded: AtomicBool,
    dismissed: Mutex<Option<Dismissed>>,
    /// How often another validator contradicted itself, or us.
    pub(crate) contradictions: AtomicU64,
    /// Senders' histories, as they were read last. Whoever reads takes it along; meanwhile others begin with none.
    pub(crate) memory: Mutex<Memory>,
    /// Seconds from a block's proposal to its certification, for metrics.
    pub(crate) certification: OnceLock<Histogram>,
}

/// Why an engine is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissed {
    /// The others are in a later term: the engine of this one waits for nobody.
    Overtaken,
    /// The machine's clock was set back: it waits for moments that lie far ahead.
    ClockSetBack,
}

/// What a node has as long as it is a validator.
struct Office {
    certifier: Certifier,
    /// Where what is said to other validators goes; absent where there are none.
    voice: Option<mpsc::Sender<Spoken>>,
}

impl Node {
    /// A node that takes no part yet. `last` is what it goes on showing until there is something newer.
    pub(crate) fn new(parts: Parts, head: Head, last: Option<Round>) -> Self {
        let Parts { chain, store, clock, evidence, runtime } = parts;
        let (rounds, _) = watch::channel(last.map(Arc::new));
        let (published, _) = watch::channel(rounds.borrow().clone());
        Self {
            chain,
            store,
            clock,
            desk: Desk::new(),
            runtime,
            office: Mutex::new(None),
            evidence,
            executed: Mutex::new(head),
            rounds,
            published,
            halted: AtomicBool::new(false),
            stranded: AtomicBool::new(false),
            dismissed: Mutex::default(),
            contradictions: AtomicU64::new(0),
            memory: Mutex::default(),
            certification: OnceLock::new(),
        }
    }

    /// Takes up the office of a validator, and cosigns the head that is there.
    ///
    /// # Errors
    /// [`CertifyError`]; the node has no office then.
    pub(crate) fn take_office(
        &self,
        mut certifier: Certifier,
        voice: Option<mpsc::Sender<Spoken>>,
        certifies: bool,
    ) -> Result<(), CertifyError> {
        let (head, mut office) = (self.executed(), self.office());
        if let Some(last) = self.round() {
            certifier.resume(&last);
        }
        if certifies {
            self.show(certifier.sign(&head, self.clock.now())?);
            self.published.send_replace(self.round());
        }
        *office = Some(Office { certifier, voice });
        Ok(())
    }

    /// Is a validator no more.
    pub(crate) fn leave_office(&self) {
        *self.office() = None;
    }

    /// The newest certified head; none until the validators of a new chain have certified one.
    pub(crate) fn round(&self) -> Option<Arc<Round>> {
        self.rounds.borrow().clone()
    }

    /// The checkpoint that everybody is shown: moves at most once a second, so that caches and witnesses keep up.
    pub(crate) fn published(&self) -> Option<Arc<Round>> {
        self.published.borrow().clone()
    }

    /// Waits until a certified head covers the entry at `index`.
    pub(crate) async fn certified(&self, index: u64) -> Option<Arc<Round>> {
        let mut rounds = self.rounds.subscribe();
        let covers = |round: &Option<Arc<Round>>| round.as_ref().is_some_and(|round| round.head.size > index);
        rounds.wait_for(covers).await.ok()?.clone()
    }

    /// The last block executed here, certified or not.
    pub(crate) fn executed(&self) -> Head {
        self.executed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the node has stopped executing because its data is not what it wrote.
    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// Keeps what shows that others have another history, if that is what is wrong.
    pub(crate) fn keep_other_history(&self, error: &CatchUpError) {
        match error.keep_other_history(&self.evidence) {
            Ok(Some(place)) => tracing::error!(place = %place.display(), "the checkpoint of another history is kept"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the checkpoint of another history could not be kept"),
        }
    }

    /// Stops executing for good: what the node has says nothing more.
    pub(crate) fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    /// The engine that runs is of no use any more: it ends, and another begins.
    pub(crate) fn dismiss(&self, why: Dismissed) {
        *self.dismissed.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.desk.shut();
    }

    /// Why the engine was dismissed, if it was.
    pub(crate) fn dismissed(&self) -> Option<Dismissed> {
        self.dismissed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether this node is a validator now.
    pub(crate) fn is_validating(&self) -> bool {
        self.office().is_some()
    }

    /// Whether it is one among others.
    pub(crate) fn has_company(&self) -> bool {
        self.office().as_ref().is_some_and(|office| office.voice.is_some())
    }

    /// By validator, the largest tree that it cosigned, as far as this one heard; nothing where this node is none.
    pub(crate) fn heard(&self) -> Option<Vec<(String, Option<Cosignature>)>> {
        self.office().as_ref().map(|office| office.certifier.newest())
    }

    /// Nobody tells this node any more what happens on the ledger.
    pub(crate) fn strand(&self) {
        self.stranded.store(true, Ordering::Relaxed);
    }

    /// Whether others are validators now, and this node knows nobody to follow.
    pub(crate) fn is_stranded(&self) -> bool {
        self.stranded.load(Ordering::Relaxed)
    }

    /// A store for a thread that may block.
    pub(crate) fn sync_store(&self) -> SyncStore {
        SyncStore::new(Arc::clone(&self.store), self.runtime.clone())
    }

    /// What the state holds under `key` at a certified head.
    pub(crate) async fn value(&self, key: &str, round: &Round) -> Result<Option<Vec<u8>>, StoreError> {
        value_at(self.store.as_ref(), key, round.head.height).await
    }

    /// What the state holds under a key after the last block executed here, certified or not.
    pub(crate) async fn executed_value(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        value_at(self.store.as_ref(), key, self.executed().height).await
    }

    /// Where a transaction stands, if it was accepted.
    pub(crate) async fn place(&self, digest: &Hash) -> Result<Option<Place>, StoreError> {
        let Some(bytes) = self.store.get(&place_key(digest)).await? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::Corrupt("a place is malformed".into()))
    }

    /// Checks what a stranger wants relayed before the node's own key spends a transaction on it.
    pub(crate) async fn admit(&self, relayed: &Relayed) -> Result<(), SubmitError> {
        let round = self.round().ok_or(SubmitError::Uncertified)?;
        let state = self.values([registry::key_to_admit(relayed)], &round).await?;
        Ok(registry::admit_relayed(&state, &self.next_block(&round), relayed)?)
    }

    pub(crate) async fn values(
        &self,
        keys: impl IntoIterator<Item = String>,
        round: &Round,
    ) -> Result<WriteSet, StoreError> {
        let mut state = WriteSet::new();
        for key in keys {
            if let Some(value) = self.value(&key, round).await? {
                state.insert(key, value);
            }
        }
        Ok(state)
    }

    /// The block that something submitted now would stand in.
    pub(crate) fn next_block(&self, round: &Round) -> Block {
        Block {
            chain: self.chain.genesis().chain.clone(),
            origin: self.chain.origin().to_owned(),
            height: round.head.height.saturating_add(1),
            time: self.clock.now_millis().max(round.head.time),
        }
    }

    /// Executes one block, cosigns its head and answers its senders.
    pub(crate) fn take(&self, engine: &mut dyn Engine, executor: &mut Executor, block: &Ordered) {
        match executor.execute(block) {
            Ok(outcomes) => {
                engine.acknowledge(block);
                self.reach(executor.head());
                // The last block of a set is certified by nobody else, however late.
                let fresh = executor.sets().turned || engine.behind() <= COSIGNED_BEHIND;
                self.certify(executor.head(), fresh);
                engine.press(executor.sets().pending);
                let answers = block.transactions.iter().zip(&outcomes);
                answers.for_each(|(transaction, (_, outcome))| self.desk.answer(transaction, outcome));
            }
            Err(error) => {
                tracing::error!(%error, height = block.height, "block not executed");
                let (ExecuteError::NotSaved(cause) | ExecuteError::Halted(cause)) = &error;
                let outcome = Outcome::NotSaved(cause.clone());
                block.transactions.iter().for_each(|transaction| self.desk.answer(transaction, &outcome));
                if matches!(error, ExecuteError::Halted(_)) {
                    self.halt();
                    self.desk.close();
                    engine.halt();
                }
            }
        }
    }

    /// This block is the last one executed here.
    pub(crate) fn reach(&self, head: &Head) {
        *self.executed.lock().unwrap_or_else(PoisonError::into_inner) = head.clone();
    }

    /// Takes note of a durable head, cosigned by us if it is fresh.
    fn certify(&self, head: &Head, fresh: bool) {
        let mut office = self.office();
        let Some(Office { certifier, voice }) = &mut *office else { return };
        let done = if fresh { certifier.sign(head, self.clock.now()) } else { certifier.reach(head) };
        match done {
            Ok(round) => {
                self.show_first(round);
                if fresh {
                    speak(certifier, voice.as_ref());
                }
            }
            Err(error) => {
                tracing::error!(%error, "the head was not cosigned");
                self.halt();
            }
        }
    }

    /// Takes what the validator at place `from` cosigned; answers with our own for the same tree if it asks for it.
    #[cfg(feature = "simplex")]
    pub(crate) fn hear(&self, from: usize, spoken: Spoken) -> Option<Spoken> {
        let mut office = self.office();
        let certifier = &mut office.as_mut()?.certifier;
        let size = spoken.cosignature.size;
        match certifier.hear(from, spoken.cosignature) {
            Ok(Heard { round, evidence, diverges }) => {
                self.show_first(round);
                if diverges {
                    self.contradictions.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(validator = from, size, "another validator cosigned another root than this node's");
                }
                if let Some(evidence) = evidence {
                    match evidence.keep(&self.evidence) {
                        Ok(place) => tracing::error!(place = %place.display(), "evidence against a validator is kept"),
                        Err(error) => tracing::error!(%error, "evidence against a validator could not be kept"),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, validator = from, size, "a cosignature counts for nothing"),
        }
        let own = certifier.own_at(size).filter(|_| spoken.wanted)?;
        Some(Spoken { cosignature: own.clone(), wanted: false })
    }

    /// Makes a round the newest, as [`Self::show`], and notes how long it took if it is the first one over its head.
    fn show_first(&self, round: Option<Round>) {
        let Some(round) = round else { return };
        let is_first = self.round().is_none_or(|before| before.head.height < round.head.height);
        if let Some(histogram) = self.certification.get().filter(|_| is_first) {
            let millis = self.clock.now_millis().0.saturating_sub(round.head.time.0);
            // A proposer's clock may be ahead of ours.
            histogram.observe(Duration::from_millis(u64::try_from(millis).unwrap_or(0)).as_secs_f64());
        }
        self.show(Some(round));
    }

    /// Makes a round the newest. Only under the office's lock or without an office, so that an older one cannot come
    /// after a newer.
    pub(crate) fn show(&self, round: Option<Round>) {
        let Some(round) = round.map(Arc::new) else { return };
        // The first of all is shown at once: whoever is told that the node is ready asks for it next.
        if self.published().is_none() {
            self.published.send_replace(Some(Arc::clone(&round)));
        }
        self.rounds.send_replace(Some(round));
    }

    fn office(&self) -> MutexGuard<'_, Option<Office>> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has to happen once a second: cosign an idle head again, say again what the others may have missed, show
    /// the newest round to everybody.
    pub(crate) async fn tick(&self) {
        self.repeat();
        let newest = self.round();
        if newest == self.published() {
            return;
        }
        self.published.send_replace(newest.clone());
        let Some(newest) = newest else { return };
        // For fsck and for the next start; a checkpoint that is not kept is made again.
        let batch = Batch::new().put(CHECKPOINT, newest.note.as_bytes());
        if let Err(error) = self.store.commit(batch).await {
            tracing::warn!(%error, "the published checkpoint was not kept");
        }
    }

    fn repeat(&self) {
        let (head, now) = (self.executed(), self.clock.now());
        let mut office = self.office();
        let Some(Office { certifier, voice }) = &mut *office else { return };
        let own = certifier.own().filter(|own| own.size == head.size);
        let Some(said) = own.and_then(|own| i64::try_from(own.time()).ok()) else { return };
        if now.since(UnixSeconds(said)) >= RECOSIGN_SECONDS {
            match certifier.sign(&head, now) {
                Ok(round) => self.show(round),
                Err(error) => tracing::error!(%error, "the idle head was not cosigned"),
            }
        } else if certifier.is_up_to_date() {
            return;
        }
        speak(certifier, voice.as_ref());
    }
}

/// Tells the others what we cosigned last. Whatever gets lost on the way is said again within a second.
fn speak(certifier: &Certifier, voice: Option<&mpsc::Sender<Spoken>>) {
    if let (Some(voice), Some(own)) = (voice, certifier.own()) {
        let spoken = Spoken { cosignature: own.clone(), wanted: !certifier.is_up_to_date() };
        let _full = voice.try_send(spoken);
    }
}
