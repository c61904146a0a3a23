//! Where submitters wait: takes a transaction to the engine's queue and brings back what became of it.
//!
//! Engines come and go with the terms of their sets; the desk stays, and so does everybody who waits at it.

use std::collections::{BTreeMap, BTreeSet};
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
    door: Door,
    waiting: BTreeMap<Hash, Waiting>,
}

/// What a submitter finds.
enum Door {
    /// An engine of ours takes transactions. It ends when this is gone.
    Open(Box<dyn Entrance>),
    /// None does: between two terms, or while this node only follows.
    Shut,
    /// None ever will again: the node stops.
    Gone,
}

/// Those who wait for one transaction.
struct Waiting {
    /// SHA-256 of its whole text, signature included.
    text: Hash,
    senders: Vec<oneshot::Sender<Outcome>>,
}

impl Desk {
    /// A desk whose door is shut.
    pub(crate) fn new() -> Self {
        Self { inside: Mutex::new(Inside { door: Door::Shut, waiting: BTreeMap::new() }) }
    }

    /// An engine takes transactions from now on, those first that the one before left over. Whoever waited for them
    /// goes on waiting; whoever waits for what got lost or finds no room asks again.
    pub(crate) fn open(&self, entrance: Box<dyn Entrance>, left_over: Vec<Transaction>) {
        let mut inside = self.lock();
        if matches!(inside.door, Door::Gone) {
            return;
        }
        let offered = left_over.into_iter().map(|transaction| (transaction.digest(), entrance.offer(transaction)));
        let queued: BTreeSet<Hash> = offered.filter(|(_, taken)| taken.is_ok()).map(|(digest, _)| digest).collect();
        // Nobody orders the others any more, and sent again they would only join those who wait for them.
        inside.waiting.retain(|digest, _| queued.contains(digest));
        inside.door = Door::Open(entrance);
    }

    /// No engine takes transactions for now, and the one that did ends.
    pub(crate) fn shut(&self) {
        let mut inside = self.lock();
        if !matches!(inside.door, Door::Gone) {
            inside.door = Door::Shut;
        }
    }

    /// Nobody here will learn what becomes of the transactions that wait: their senders are told to ask elsewhere.
    pub(crate) fn send_away(&self) {
        self.lock().waiting.clear();
    }

    /// Whether the node stops.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.lock().door, Door::Gone)
    }

    /// Queues a transaction, unless the same one is queued already; either way the answer will come.
    pub(crate) fn submit(&self, transaction: Transaction) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        let mut inside = self.lock();
        let (digest, text) = (transaction.digest(), sha256(transaction.as_str().as_bytes()));
        let (sender, receiver) = oneshot::channel();
        if !inside.waiting.contains_key(&digest) {
            match &inside.door {
                Door::Open(entrance) => entrance.offer(transaction)?,
                Door::Shut => return Err(NotTaken::Following),
                Door::Gone => return Err(NotTaken::Stopping),
            }
        }
        inside.waiting.entry(digest).or_insert(Waiting { text, senders: Vec::new() }).senders.push(sender);
        Ok(receiver)
    }

    /// Tells everybody who waits for this transaction. The refusal of another text with the same digest, which differs
    /// in its signature only, is none of theirs.
    pub(crate) fn answer(&self, transaction: &Transaction, outcome: &Outcome) {
        let digest = transaction.digest();
        let mut inside = self.lock();
        let Some(waiting) = inside.waiting.get(&digest) else { return };
        if matches!(outcome, Outcome::Refused(_)) && waiting.text != sha256(transaction.as_str().as_bytes()) {
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
        inside.door = Door::Gone;
        inside.waiting.clear();
    }

    /// Takes nothing more; what is queued is still executed.
    pub(crate) fn close(&self) {
        self.lock().door = Door::Gone;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Every change above is complete in itself, so a panic elsewhere leaves nothing half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::Founded;

    /// Takes everything, or nothing.
    struct Entry {
        takes: bool,
    }

    impl Entrance for Entry {
        fn offer(&self, _: Transaction) -> Result<(), NotTaken> {
            if self.takes { Ok(()) } else { Err(NotTaken::Busy) }
        }
    }

    #[test]
    fn who_waits_for_what_no_engine_has_is_told_so_and_may_send_it_again() {
        let founded = Founded::new();
        let [kept, lost] = [1, 2].map(|seq| Transaction::parse(&founded.anchor(seq)).unwrap());
        for (takes, waits) in [(true, 1), (false, 0)] {
            let desk = Desk::new();
            desk.open(Box::new(Entry { takes: true }), Vec::new());
            let mut answers = [&kept, &lost].map(|transaction| desk.submit(transaction.clone()).unwrap());
            desk.shut();
            desk.open(Box::new(Entry { takes }), vec![kept.clone()]);
            assert_eq!(desk.waiting(), waits);
            let hung_up =
                answers.each_mut().map(|answer| answer.try_recv() == Err(oneshot::error::TryRecvError::Closed));
            assert_eq!(hung_up, [!takes, true]);
            // Sent again, it is offered again.
            assert_eq!(desk.submit(lost.clone()).is_ok(), takes);
        }
    }
}
