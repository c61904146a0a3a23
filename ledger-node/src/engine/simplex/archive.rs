//! How far back the engine's archive of blocks reaches, and where it begins after an absence.
//!
//! What certified blocks held stands in the logs of a quorum. Of them the archive keeps the last ones only, for validators
//! that were away for a moment. Whoever was away for longer executes what others have certified ([`crate::catch_up`]) before
//! its engine starts, and has its archive begin there: with the finalization of one of the last of these blocks, which the
//! others still have.
//!
//! What is not certified stays: it may be nowhere but in archives, and without it nobody could execute and certify it.

use std::num::NonZeroU64;

use commonware_consensus::types::Height;
use commonware_utils::vec::NonEmptyVec;

use super::{Marshal, PublicKey, sizing};

/// Of so many blocks that were certified last, one has a finalization of its own: a block gets none only where it became final
/// under the next.
const LAST: u64 = 8;

/// How much an archive keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    /// Blocks that are certified.
    pub(super) blocks: u64,
    /// Blocks that go at a time.
    pub(super) section: NonZeroU64,
}

impl Depth {
    /// Fewer blocks than this are fetched and dropped sooner than a finalization is found.
    fn worthwhile(self) -> u64 {
        self.blocks / 8
    }
}

impl Default for Depth {
    fn default() -> Self {
        Self { blocks: sizing::KEPT_BLOCKS, section: sizing::SECTION }
    }
}

/// The archive, as far as its extent goes. All heights are in the engine's count; `settled` is that of the last block that is
/// executed here and certified.
pub(super) struct Archive {
    marshal: Marshal,
    /// The other validators, whom to ask for finalizations.
    others: Option<NonEmptyVec<PublicKey>>,
    depth: Depth,
    /// From where on marshal was last told to keep blocks.
    from: u64,
}

impl Archive {
    pub(super) fn new(marshal: Marshal, others: Vec<PublicKey>, depth: Depth) -> Self {
        Self { marshal, others: NonEmptyVec::try_from(others).ok(), depth, from: 0 }
    }

    /// Lets go of blocks that nobody asks for who was away for a moment only.
    pub(super) fn prune(&mut self, settled: u64) {
        let from = settled.saturating_sub(self.depth.blocks);
        if from.saturating_sub(self.from) >= self.depth.section.get() {
            self.from = from;
            self.marshal.prune(Height::new(from));
        }
    }

    /// Whether the others may have let go already of what comes after this block, where that one is the last final block
    /// known.
    pub(super) fn may_be_gone(&self, executed: u64, tip: u64) -> bool {
        tip.saturating_sub(executed) > self.depth.blocks / 2
    }

    /// Has marshal begin near what is settled. Otherwise it would fetch all of the term to deliver what nobody needs, and wait
    /// for ever for what the others let go of. To be called again until it says that this is so.
    pub(super) async fn begin_near(&self, settled: u64) -> bool {
        let processed = self.marshal.get_processed().await.map_or(0, |processed| processed.height().get());
        let Some(others) = &self.others else { return true };
        if settled.saturating_sub(processed) <= self.depth.worthwhile() {
            return true;
        }
        for height in (settled.saturating_sub(LAST).saturating_add(1)..=settled).rev().map(Height::new) {
            if let Some(finalization) = self.marshal.get_finalization(height).await {
                self.marshal.set_floor(finalization);
                return false;
            }
            self.marshal.hint_finalized(height, others.clone());
        }
        false
    }
}
