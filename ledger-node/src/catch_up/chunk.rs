//! Entries become blocks: appended to what is proven, and cut at the seals.

use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;
use ledger::tree::{Frontier, leaf_hash};
use ledger::{Hash, Seal};

use super::error::CatchUpError;
use crate::engine::Ordered;
use crate::node::Round;
use crate::store::Head;

/// Blocks that a quorum certified, in order, without gaps.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) blocks: Vec<ProvenBlock>,
    /// The target, if the last block reaches it.
    pub(crate) reached: Option<Reached>,
    /// Size of the target.
    pub(crate) target: u64,
}

/// A block and what it must give.
#[derive(Debug)]
pub(crate) struct ProvenBlock {
    pub(crate) ordered: Ordered,
    pub(crate) head: Head,
}

/// A certified head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) round: Round,
    /// Whether its seal names another set, so that nobody after it certifies it again.
    pub(crate) ends_set: bool,
}

/// How far the log is fetched: its right edge, and the block that is not whole there yet.
#[derive(Debug)]
pub(super) struct Reach {
    frontier: Frontier,
    open: Vec<Vec<u8>>,
}

/// Entries up to a seal, by their look alone.
#[derive(Debug)]
pub(super) struct RawBlock {
    entries: Vec<Vec<u8>>,
    seal: Vec<u8>,
    size: u64,
    root: Hash,
}

impl Reach {
    pub(super) fn new(frontier: Frontier) -> Self {
        Self { frontier, open: Vec::new() }
    }

    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Whether it ends in the middle of a block.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes entries on, and cuts off the blocks that end in them. A leaf that begins with `{` is a seal: execution writes
    /// them and nothing else that looks so.
    pub(super) fn extend(&mut self, entries: Vec<Vec<u8>>) -> Vec<RawBlock> {
        let mut blocks = Vec::new();
        for entry in entries {
            self.frontier.append(leaf_hash(&entry), |_, _, _| ());
            if entry.first() == Some(&b'{') {
                let (size, root) = (self.frontier.size(), self.frontier.root());
                blocks.push(RawBlock { entries: std::mem::take(&mut self.open), seal: entry, size, root });
            } else {
                self.open.push(entry);
            }
        }
        blocks
    }
}

impl RawBlock {
    /// Reads a block that is proven, and whom its seal names: that it cannot be read is no fault of the source's.
    pub(super) fn read(self) -> Result<(ProvenBlock, Hash), CatchUpError> {
        let Self { entries, seal, size, root } = self;
        let last = size.saturating_sub(1);
        let seal = Seal::parse(&seal).map_err(|error| unreadable(last, &error))?;
        let time = i64::try_from(seal.time).map(UnixMillis).map_err(|error| unreadable(last, &error))?;
        let first = last.saturating_sub(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        let transactions = (first..).zip(&entries).map(|(index, entry)| {
            let text = std::str::from_utf8(entry).map_err(|error| unreadable(index, &error))?;
            Transaction::parse(text).map_err(|error| unreadable(index, &error))
        });
        let transactions = transactions.collect::<Result<Vec<_>, CatchUpError>>()?;
        let block = ProvenBlock {
            ordered: Ordered { height: seal.height, time, transactions },
            head: Head { height: seal.height, time, size, root, state: seal.state },
        };
        Ok((block, seal.policy))
    }
}

fn unreadable(index: u64, error: &dyn std::error::Error) -> CatchUpError {
    CatchUpError::Unreadable { index, reason: error.to_string() }
}
