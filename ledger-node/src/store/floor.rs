//! Below what a node keeps no history: the block that it started from, or down to which it was pruned.
//!
//! A floor is a certified block. What a node with a floor holds, and one without holds everything of:
//!
//! | what | from where on |
//! |---|---|
//! | log entries | `entries`; and the seals that name sets of validators, and the floor's own, wherever they stand |
//! | hash tiles | the right edge of a log of `hashes` entries; 0 is all of them |
//! | places of transactions | those of entries from `places` on |
//! | the state | the floor's block |
//!
//! The way from genesis to the floor stays provable: `step/<index>` holds the log proof of each seal that names a set.

use ledger::tile::{WIDTH, full_tiles};
use serde::{Deserialize, Serialize};
use service_kit::store::StoreError;

use super::{Head, SyncStore};

pub(crate) const FLOOR: &[u8] = b"floor";
/// There while a start from a snapshot is under way: what else the store holds then is no node's data yet.
pub(crate) const STARTING: &[u8] = b"starting";
/// There while a pruning is under way: what lies below the floor is partly gone, and asked of nobody.
pub(crate) const PRUNING: &[u8] = b"pruning";

/// The record under `floor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    /// The block.
    pub(crate) head: Head,
    /// The log proof of its seal, with the certified note over exactly that head.
    pub(crate) proof: String,
    /// The first log entry from which on all are kept.
    pub(crate) entries: u64,
    /// Size of the log whose right edge are the first tiles that are kept.
    pub(crate) hashes: u64,
    /// The first log entry from which on the places of transactions are known.
    pub(crate) places: u64,
}

/// What of the past a node is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// The entries from this one on.
    Entries(u64),
    /// A hash tile.
    Hashes { level: u8, index: u64 },
    /// The way from this entry to the root.
    Proof(u64),
    /// Where a transaction stands, wherever that may be.
    Place,
}

impl Floor {
    /// The floor of this store, if it has one.
    pub(crate) fn of(store: &SyncStore) -> Result<Option<Self>, StoreError> {
        store.record(FLOOR)
    }

    /// Nothing if this is kept; otherwise the log entry from which on its like is.
    pub(crate) fn lacks(&self, asked: Past) -> Option<u64> {
        match asked {
            Past::Entries(first) => (first < self.entries).then_some(self.entries),
            // Those at the right edge of the first log that is known here are kept, and all after them.
            Past::Hashes { level, index } => {
                let first = full_tiles(self.hashes, level);
                (index < first).then(|| first.saturating_mul(under_a_tile(level)))
            }
            // Every hash beside its way lies in the tiles over it.
            Past::Proof(index) => self.lacks(Past::Hashes { level: 0, index: index / u64::from(WIDTH) }),
            Past::Place => (self.places > 0).then_some(self.places),
        }
    }
}

/// Entries under a full hash tile of this level.
fn under_a_tile(level: u8) -> u64 {
    u64::from(WIDTH).saturating_pow(u32::from(level).saturating_add(1))
}

/// The first entry of the bundle that a log of `size` entries has not filled: with the entries from there on, whoever is
/// at this size is served whole bundles.
pub(crate) fn first_of_last_bundle(size: u64) -> u64 {
    size.saturating_sub(size % u64::from(WIDTH))
}

pub(crate) fn step_key(index: u64) -> Vec<u8> {
    [b"step/".as_slice(), &index.to_be_bytes()].concat()
}
