//! The port behind which transactions are ordered. Nothing outside this directory knows which engine runs.
//!
//! An engine hands over blocks in order, without gaps, each at least once, and forgets a block only after it was
//! acknowledged as durable. It never executes anything and knows no root.

mod solo;

use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;

pub(crate) use solo::Solo;

/// A block as ordered: what every node executes alike.
#[derive(Debug)]
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
}
