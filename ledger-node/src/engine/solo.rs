//! One department, one node: order is order of arrival.
//!
//! While a block is being made durable, the next transactions gather in the queue; the next block takes all of
//! them. So many submissions share one commit, and a lone one waits for nobody.

use std::sync::Arc;
use std::time::Duration;

use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;
use service_kit::clock::Clock;
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Engine, Entrance, NotTaken, Ordered};

/// Transactions in one block, at most: about 20 ms of work, so nobody waits long behind a crowd.
const MAX_TRANSACTIONS: usize = 1000;
/// Bytes of transactions in one block, at most.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// After a block that nobody waited for could not be saved, how long to wait before the next.
const RETRY: Duration = Duration::from_millis(500);

/// The engine of a chain with one validator.
pub(crate) struct Solo {
    queue: Receiver<Transaction>,
    clock: Arc<dyn Clock>,
    height: u64,
    time: UnixMillis,
    /// Another set waits for the epoch's end.
    pressing: bool,
    /// The block handed over last was not acknowledged.
    unsaved: bool,
}

impl Solo {
    /// Goes on after the block of `height` and `time`, with a queue of `length`.
    pub(crate) fn new(length: u32, clock: Arc<dyn Clock>, height: u64, time: UnixMillis) -> (Self, impl Entrance) {
        let (sender, queue) = channel(usize::try_from(length.max(1)).unwrap_or(usize::MAX >> 3));
        (Self { queue, clock, height, time, pressing: false, unsaved: false }, sender)
    }
}

impl Entrance for Sender<Transaction> {
    fn offer(&self, transaction: Transaction) -> Result<(), NotTaken> {
        self.try_send(transaction).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Busy,
            TrySendError::Closed(_) => NotTaken::Stopping,
        })
    }
}

impl Engine for Solo {
    fn next(&mut self) -> Option<Ordered> {
        let mut transactions = match self.queue.try_recv() {
            Ok(first) => vec![first],
            Err(TryRecvError::Empty) if self.pressing => {
                if self.unsaved {
                    std::thread::sleep(RETRY);
                }
                Vec::new()
            }
            Err(TryRecvError::Empty) => vec![self.queue.blocking_recv()?],
            Err(TryRecvError::Disconnected) => return None,
        };
        let mut bytes = 0_usize;
        while transactions.len() < MAX_TRANSACTIONS && bytes < MAX_BYTES {
            let Ok(transaction) = self.queue.try_recv() else { break };
            bytes = bytes.saturating_add(transaction.as_str().len());
            transactions.push(transaction);
        }
        // A clock that was set back must not stop the chain: time goes on by the millisecond until it catches up.
        let time = self.clock.now_millis().max(UnixMillis(self.time.0.saturating_add(1)));
        self.unsaved = true;
        Some(Ordered { height: self.height.saturating_add(1), time, transactions })
    }

    fn acknowledge(&mut self, block: &Ordered) {
        self.height = block.height;
        self.time = block.time;
        self.unsaved = false;
    }

    fn press(&mut self, pending: bool) {
        self.pressing = pending;
    }

    fn leave(&mut self) -> Vec<Transaction> {
        self.queue.close();
        std::iter::from_fn(|| self.queue.try_recv().ok()).collect()
    }
}
