//! Where submitters wait: takes a transaction to the engine's queue and brings back what became of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use identity_core::registry::Transaction;
use ledger::Hash;
use tokio::sync::{mpsc, oneshot};

use crate::executor::Outcome;

/// Why a transaction was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The queue is full.
    #[error("the queue is full")]
    Busy,
    /// The node stops.
    #[error("the node stops")]
    Stopping,
}

/// The queue's entrance and the waiting room.
pub(crate) struct Desk {
    inside: Mutex<Inside>,
}

struct Inside {
    /// `None` once the node stops: the engine ends when nobody can send any more.
    queue: Option<mpsc::Sender<Transaction>>,
    waiting: HashMap<Hash, Vec<oneshot::Sender<Outcome>>>,
}

impl Desk {
    pub(crate) fn new(queue: mpsc::Sender<Transaction>) -> Self {
        Self { inside: Mutex::new(Inside { queue: Some(queue), waiting: HashMap::new() }) }
    }

    /// Queues a transaction, unless the same one is queued already; either way the answer will come.
    pub(crate) fn submit(&self, transaction: Transaction) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        let mut inside = self.lock();
        let digest = transaction.digest();
        let (sender, receiver) = oneshot::channel();
        if !inside.waiting.contains_key(&digest) {
            let queue = inside.queue.as_ref().ok_or(NotTaken::Stopping)?;
            queue.try_send(transaction).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => NotTaken::Busy,
                mpsc::error::TrySendError::Closed(_) => NotTaken::Stopping,
            })?;
        }
        inside.waiting.entry(digest).or_default().push(sender);
        Ok(receiver)
    }

    /// Tells everybody who waits for this transaction.
    pub(crate) fn answer(&self, digest: &Hash, outcome: &Outcome) {
        let waiting = self.lock().waiting.remove(digest).unwrap_or_default();
        for sender in waiting {
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
        inside.queue = None;
        inside.waiting.clear();
    }

    /// Takes nothing more; what is queued is still executed.
    pub(crate) fn close(&self) {
        self.lock().queue = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Every change above is complete in itself, so a panic elsewhere leaves nothing half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
