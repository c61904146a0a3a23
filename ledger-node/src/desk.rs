//! Where submitters wait: takes a transaction to the engine's queue and brings back what became of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use identity_core::registry::Transaction;
use ledger::{Hash, sha256};
use tokio::sync::oneshot;

use crate::engine::{Entrance, NotTaken};
use crate::executor::Outcome;

/// The engine's entrance and the waiting room.
pub(crate) struct Desk {
    inside: Mutex<Inside>,
}

struct Inside {
    /// `None` once the node stops: the engine ends when nobody can send any more.
    entrance: Option<Box<dyn Entrance>>,
    waiting: BTreeMap<Hash, Waiting>,
}

/// Those who wait for one transaction.
struct Waiting {
    /// SHA-256 of its whole text, signature included.
    text: Hash,
    senders: Vec<oneshot::Sender<Outcome>>,
}

impl Desk {
    pub(crate) fn new(entrance: Box<dyn Entrance>) -> Self {
        Self { inside: Mutex::new(Inside { entrance: Some(entrance), waiting: BTreeMap::new() }) }
    }

    /// Queues a transaction, unless the same one is queued already; either way the answer will come.
    pub(crate) fn submit(&self, transaction: Transaction) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        let mut inside = self.lock();
        let (digest, text) = (transaction.digest(), sha256(transaction.as_str().as_bytes()));
        let (sender, receiver) = oneshot::channel();
        if !inside.waiting.contains_key(&digest) {
            inside.entrance.as_ref().ok_or(NotTaken::Stopping)?.offer(transaction)?;
        }
        inside.waiting.entry(digest).or_insert(Waiting { text, senders: Vec::new() }).senders.push(sender);
        Ok(receiver)
    }

    /// Tells everybody who waits for this transaction. The refusal of another text with the same digest, which differs
    /// in its signature only, is none of theirs.
    pub(crate) fn answer(&self, transaction: &Transaction, outcome: &Outcome) {
        let (digest, text) = (transaction.digest(), sha256(transaction.as_str().as_bytes()));
        let mut inside = self.lock();
        let other = inside.waiting.get(&digest).is_some_and(|waiting| waiting.text != text);
        if other && matches!(outcome, Outcome::Refused(_)) {
            return;
        }
        let waiting = inside.waiting.remove(&digest);
        drop(inside);
        for sender in waiting.into_iter().flat_map(|waiting| waiting.senders) {
            // Whoever hung up meanwhile asks again by digest.
            let _gone = sender.send(outcome.clone());
        }
    }

    /// Transactions that wait for an answer.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Nobody will answer any more: whoever waits learns it at once.
    pub(crate) fn abandon(&self) {
        let mut inside = self.lock();
        inside.entrance = None;
        inside.waiting.clear();
    }

    /// Takes nothing more; what is queued is still executed.
    pub(crate) fn close(&self) {
        self.lock().entrance = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Every change above is complete in itself, so a panic elsewhere leaves nothing half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
