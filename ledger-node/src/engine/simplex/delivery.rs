//! Hands final blocks over to be executed: in order, without gaps, each at least once.
//!
//! What holds if the process dies: marshal hands a block to us again until we acknowledge it, and that happens after the
//! block's effects are durable ([`crate::engine::Engine::acknowledge`]). A block that was executed and not acknowledged comes
//! again and is skipped by its height. If the executed state was lost and marshal's archive was not, the blocks that
//! marshal believes delivered are read back from there, as far as it reaches ([`super::archive`]). If the archive was lost
//! too, or never had what was executed meanwhile, it begins near the last of these blocks.
//!
//! What comes next may be nowhere in any engine. Then the engine ends and says so ([`Standing::fall_behind`]), and the node
//! gets it from the others' logs.

use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::marshal::Update;
use commonware_consensus::types::Height;
use commonware_cryptography::Digested;
use commonware_macros::select;
use commonware_runtime::Clock;
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use identity_core::registry::Transaction;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

use super::Marshal;
use super::adapter::Certified;
use super::archive::Archive;
use super::block::Block;
use crate::engine::pool::Pool;
use crate::engine::{Ordered, Standing};

/// How often to look where marshal stands.
const LOOK: Duration = Duration::from_secs(1);
/// Looks without a block between them, after which none is waited for that the others may have let go of.
const PATIENCE: u32 = 5;

/// A final block on its way to the executor.
pub(super) struct Delivered {
    pub(super) ordered: Ordered,
    /// Absent for a block that marshal does not wait for.
    pub(super) receipt: Option<Exact>,
}

impl Delivered {
    /// Nobody executes it: its transactions wait again, those that did before. Of the others nobody here knows whether they are
    /// as their senders made them.
    pub(super) fn put_back(self, pool: &Pool) {
        for transaction in self.ordered.transactions.into_iter().filter(Transaction::is_checked) {
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
    archive: Archive,
    pool: Pool,
    standing: Arc<Standing>,
    certified: Certified,
    /// Height of the block that the term begins with. The engine counts from there.
    begins: u64,
    /// In the engine's count.
    next: u64,
}

/// Nobody executes any more, or what comes next is not to be had here.
struct Ended;

impl Delivery {
    pub(super) fn new(
        blocks: mpsc::Sender<Delivered>,
        marshal: Marshal,
        archive: Archive,
        pool: Pool,
        standing: Arc<Standing>,
        certified: Certified,
        (begins, executed): (u64, u64),
    ) -> (Self, Inbox) {
        let (sender, updates) = mpsc::unbounded_channel();
        let next = executed.saturating_sub(begins).saturating_add(1);
        (Self { updates, blocks, marshal, archive, pool, standing, certified, begins, next }, Inbox(sender))
    }

    /// Runs until nobody executes any more. Then it ends, which ends the validator: it must not vote for what it cannot
    /// follow.
    pub(super) async fn run(mut self, clock: impl Clock) {
        let _ended = self.deliver_all(&clock).await;
    }

    async fn deliver_all(&mut self, clock: &impl Clock) -> Result<(), Ended> {
        // What the archive has and we have not: an idle chain would never tell us.
        while let Some(block) = self.archived(self.next).await {
            self.hand_over(&block, None).await?;
        }
        let mut begun = self.archive.begin_near(self.settled()).await;
        let (mut tip, mut looks) = (0, 0_u32);
        let mut look = Box::pin(clock.sleep(LOOK));
        loop {
            select! {
                update = self.updates.recv() => match update {
                    None => return Ok(()),
                    Some(Update::Tip(_, height, _)) => {
                        tip = height.get();
                        self.standing.saw_final(self.begins.saturating_add(tip));
                    }
                    Some(Update::Block(block, receipt)) => {
                        self.deliver(&block, receipt).await?;
                        looks = 0;
                    }
                },
                () = &mut look => {
                    look = Box::pin(clock.sleep(LOOK));
                    begun = begun || self.archive.begin_near(self.settled()).await;
                    looks = looks.saturating_add(1);
                    if looks >= PATIENCE && self.archive.may_be_gone(self.next.saturating_sub(1), tip) {
                        return Err(self.fall_behind());
                    }
                },
            }
        }
    }

    /// Height of the last block that is executed here and certified: others have it in their logs.
    fn settled(&self) -> u64 {
        self.standing.executed().min((self.certified)()).saturating_sub(self.begins)
    }

    fn fall_behind(&self) -> Ended {
        self.standing.fall_behind();
        Ended
    }

    async fn deliver(&mut self, block: &Digested<Block>, receipt: Exact) -> Result<(), Ended> {
        let height = block.inner().height;
        if height < self.next {
            receipt.acknowledge();
            return Ok(());
        }
        while self.next < height {
            let Some(missing) = self.archived(self.next).await else { return Err(self.fall_behind()) };
            self.hand_over(&missing, None).await?;
        }
        self.hand_over(block, Some(receipt)).await?;
        self.archive.prune(self.settled());
        Ok(())
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
