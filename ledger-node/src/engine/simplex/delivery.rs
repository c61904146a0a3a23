//! Hands final blocks over to be executed: in order, without gaps, each at least once.
//!
//! What holds if the process dies: marshal hands a block to us again until we acknowledge it, and that happens after the
//! block's effects are durable ([`super::Simplex::acknowledge`]). A block that was executed and not acknowledged comes
//! again and is skipped by its height. If the executed state was lost and marshal's archive was not, the blocks that
//! marshal believes delivered are read back from there. If the archive was lost too, marshal fetches all of it.

use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::marshal::Update;
use commonware_consensus::types::Height;
use commonware_cryptography::Digested;
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::Marshal;
use super::block::Block;
use crate::engine::pool::Pool;
use crate::engine::{Ordered, Standing};

/// A final block on its way to the executor.
pub(super) struct Delivered {
    pub(super) ordered: Ordered,
    /// Absent for a block that marshal does not wait for.
    pub(super) receipt: Option<Exact>,
}

impl Delivered {
    /// Nobody executes it: its transactions wait again.
    pub(super) fn put_back(self, pool: &Pool) {
        for transaction in self.ordered.transactions {
            // What finds no room any more is its sender's to send again.
            let _full = pool.add(transaction);
        }
    }
}

/// Where marshal puts what is final. It never has more under way than it is told to have unacknowledged.
#[derive(Clone)]
pub(super) struct Inbox(mpsc::UnboundedSender<Update<Block>>);

impl Reporter for Inbox {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match self.0.send(update) {
            Ok(()) => Feedback::Ok,
            Err(_) => Feedback::Closed,
        }
    }
}

/// Hands blocks over, from a height on.
pub(super) struct Delivery {
    updates: mpsc::UnboundedReceiver<Update<Block>>,
    blocks: mpsc::Sender<Delivered>,
    marshal: Marshal,
    pool: Pool,
    standing: Arc<Standing>,
    /// Height of the block that the term begins with. The engine counts from there.
    begins: u64,
    /// In the engine's count.
    next: u64,
}

/// Nobody executes any more, or the archive has a hole.
struct Ended;

impl Delivery {
    pub(super) fn new(
        blocks: mpsc::Sender<Delivered>,
        marshal: Marshal,
        pool: Pool,
        standing: Arc<Standing>,
        (begins, executed): (u64, u64),
    ) -> (Self, Inbox) {
        let (sender, updates) = mpsc::unbounded_channel();
        let next = executed.saturating_sub(begins).saturating_add(1);
        (Self { updates, blocks, marshal, pool, standing, begins, next }, Inbox(sender))
    }

    /// Runs until nobody executes any more. Then it ends, which ends the validator: it must not vote for what it cannot
    /// follow.
    pub(super) async fn run(mut self) {
        let _ended = self.deliver_all().await;
    }

    async fn deliver_all(&mut self) -> Result<(), Ended> {
        // What the archive has and we have not: an idle chain would never tell us.
        while let Some(block) = self.archived(self.next).await {
            self.hand_over(&block, None).await?;
        }
        while let Some(update) = self.updates.recv().await {
            match update {
                Update::Tip(_, height, _) => self.standing.saw_final(self.begins.saturating_add(height.get())),
                Update::Block(block, receipt) => self.deliver(&block, receipt).await?,
            }
        }
        Ok(())
    }

    async fn deliver(&mut self, block: &Digested<Block>, receipt: Exact) -> Result<(), Ended> {
        let height = block.inner().height;
        if height < self.next {
            receipt.acknowledge();
            return Ok(());
        }
        while self.next < height {
            let Some(missing) = self.archived(self.next).await else {
                tracing::error!(height = self.next, "a final block is missing from the archive: the validator stops");
                return Err(Ended);
            };
            self.hand_over(&missing, None).await?;
        }
        self.hand_over(block, Some(receipt)).await
    }

    async fn archived(&self, height: u64) -> Option<Digested<Block>> {
        self.marshal.get_block(Height::new(height)).await
    }

    async fn hand_over(&mut self, block: &Digested<Block>, receipt: Option<Exact>) -> Result<(), Ended> {
        let Block { height, time, ref transactions, .. } = *block.inner();
        self.next = height.saturating_add(1);
        let height = self.begins.saturating_add(height);
        let settle = |transaction| self.pool.settle(transaction).unwrap_or_else(|| transaction.clone());
        let transactions = transactions.iter().map(settle).collect();
        self.standing.count_pool(self.pool.waiting());
        self.standing.saw_final(height);
        self.standing.hand_over(height);
        let delivered = Delivered { ordered: Ordered { height, time, transactions }, receipt };
        self.blocks.send(delivered).await.map_err(|unsent| {
            unsent.0.put_back(&self.pool);
            Ended
        })
    }
}
