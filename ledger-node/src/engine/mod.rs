//! The port behind which transactions are ordered. Nothing outside this directory knows which engine runs.
//!
//! An engine hands over blocks in order, without gaps, each at least once, and forgets a block only after it was
//! acknowledged as durable. It never executes anything and knows no root.

#[cfg(feature = "simplex")]
mod pool;
#[cfg(feature = "simplex")]
pub(crate) mod simplex;
mod solo;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;

pub(crate) use solo::Solo;

/// A block as ordered: what every node executes alike.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    /// One more than the block before.
    pub(crate) height: u64,
    /// Later than the block before.
    pub(crate) time: UnixMillis,
    /// In the order agreed.
    pub(crate) transactions: Vec<Transaction>,
}

/// Orders transactions.
pub(crate) trait Engine: Send {
    /// Waits for the next block; `None` when the node stops.
    fn next(&mut self) -> Option<Ordered>;

    /// The block's effects are durable here. A block that is not acknowledged was not saved; an engine that has it
    /// on record hands it over again, one that has not leaves it to the senders.
    fn acknowledge(&mut self, block: &Ordered);

    /// Blocks known to be final beyond the one handed over last.
    fn behind(&self) -> u64 {
        0
    }

    /// Another set of validators waits for the epoch's end: until it is in force, blocks are wanted even if they are
    /// empty.
    fn press(&mut self, pending: bool) {
        let _only_at_an_epochs_end = pending;
    }

    /// Nothing can be executed here any more. An engine that votes must stop voting for a node that cannot follow.
    fn halt(&mut self) {}

    /// The term is over, or this node's part in it: returns when nothing of the engine runs any more, with what it took
    /// and nobody executed. Its entrance must be gone before.
    fn leave(&mut self) -> Vec<Transaction> {
        Vec::new()
    }
}

/// Where transactions enter an engine. An engine ends when its entrance is gone.
pub(crate) trait Entrance: Send {
    /// Takes a transaction to be ordered, unless it holds the same one already.
    fn offer(&self, transaction: Transaction) -> Result<(), NotTaken>;
}

/// Why a transaction was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The queue is full.
    #[error("the queue is full")]
    Busy,
    /// It was taken and is not ordered yet: too few validators are there.
    #[error("the transaction waits to be ordered")]
    Waiting,
    /// This node follows the validators and orders nothing; or they are changing just now.
    #[error("this node takes no part in ordering now; send it to a validator, or again in a moment")]
    Following,
    /// The node stops.
    #[error("the node stops")]
    Stopping,
}

/// Where an engine of several validators stands: for metrics, and for its own pace. All zero where there is one only.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    view: AtomicU64,
    tip: AtomicU64,
    #[cfg(feature = "simplex")]
    handed_over: AtomicU64,
    #[cfg(feature = "simplex")]
    executed: AtomicU64,
    #[cfg(feature = "simplex")]
    pressing: AtomicBool,
    fallen_behind: AtomicBool,
    peers: AtomicU64,
    waiting: AtomicU64,
    waiting_bytes: AtomicU64,
}

impl Standing {
    /// The engine's view: goes on while nothing is ordered, as long as validators agree that nothing is.
    pub(crate) fn view(&self) -> u64 {
        self.view.load(Ordering::Relaxed)
    }

    /// Height of the last block known to be final.
    pub(crate) fn tip(&self) -> u64 {
        self.tip.load(Ordering::Relaxed)
    }

    /// Whether the engine ended because what comes next is to be had from the logs of others only. Said once.
    pub(crate) fn take_fallen_behind(&self) -> bool {
        self.fallen_behind.swap(false, Ordering::Relaxed)
    }

    /// Other validators heard from within the last half minute.
    pub(crate) fn peers(&self) -> u64 {
        self.peers.load(Ordering::Relaxed)
    }

    /// Transactions in the pool, and their bytes.
    pub(crate) fn pooled(&self) -> (u64, u64) {
        (self.waiting.load(Ordering::Relaxed), self.waiting_bytes.load(Ordering::Relaxed))
    }
}

#[cfg(feature = "simplex")]
impl Standing {
    /// Height of the last block executed here.
    fn executed(&self) -> u64 {
        self.executed.load(Ordering::Relaxed)
    }

    /// An engine begins after the block of this height.
    fn begin(&self, executed: u64) {
        self.view.store(0, Ordering::Relaxed);
        // What the engine before saw final beyond the end of its term never happened.
        self.tip.store(executed, Ordering::Relaxed);
        self.press(false);
        self.execute(executed);
        self.hand_over(executed);
    }

    /// What comes next is nowhere in any engine any more.
    fn fall_behind(&self) {
        self.fallen_behind.store(true, Ordering::Relaxed);
    }

    fn saw_view(&self, view: u64) {
        self.view.fetch_max(view, Ordering::Relaxed);
    }

    fn saw_final(&self, height: u64) {
        self.tip.fetch_max(height, Ordering::Relaxed);
    }

    /// Height of the last block handed over to be executed.
    fn handed_over(&self) -> u64 {
        self.handed_over.load(Ordering::Relaxed)
    }

    fn hand_over(&self, height: u64) {
        self.handed_over.store(height, Ordering::Relaxed);
    }

    fn execute(&self, height: u64) {
        self.executed.store(height, Ordering::Relaxed);
    }

    /// Whether blocks are wanted even if they are empty.
    fn is_pressing(&self) -> bool {
        self.pressing.load(Ordering::Relaxed)
    }

    fn press(&self, pending: bool) {
        self.pressing.store(pending, Ordering::Relaxed);
    }

    fn count_peers(&self, peers: usize) {
        self.peers.store(u64::try_from(peers).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn count_pool(&self, (count, bytes): (usize, usize)) {
        self.waiting.store(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.waiting_bytes.store(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
