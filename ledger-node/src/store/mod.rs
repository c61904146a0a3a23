//! What a node keeps, and under which keys.
//!
//! | key | value | ever changed |
//! |---|---|---|
//! | `genesis` | the genesis file's exact bytes | no |
//! | `head` | the last block: [`Head`] | each block |
//! | `checkpoint` | the last published certified note | once a second at most |
//! | `boundary/<index>` | the certified note over a seal, at this index, that names another set of validators | no |
//! | `leaf/<index>` | a log entry's exact bytes | no |
//! | `tile/<level><index>` | hashes of a tile, 32 bytes each | grows to 256 |
//! | `node/<borsh node key>` | a node of the state tree, borsh | no |
//! | `value/<SHA-256 of key><height>` | a state value from that block on | no |
//! | `tx/<digest>` | where a transaction stands: [`Place`] | no |
//! | `refused/<digest>` | why a transaction was refused last: [`Refusal`] | yes |
//! | `floor` | below what there is no history here: [`Floor`] | when it is pruned |
//! | `step/<index>` | below the floor, the log proof of a seal that names another set | no |
//! | `starting`, `pruning` | there while a start from a snapshot, or a pruning, is under way | |
//!
//! A block is one batch. So at every moment the store holds some whole number of blocks; there is no half to mend. A start
//! from a snapshot and a pruning are many: their marks stand from the first batch to the last, and doing it again ends it.

mod floor;
mod log;
mod state;
mod sync;
mod tree;

use identity_core::time::UnixMillis;
use ledger::Hash;
use serde::{Deserialize, Serialize};
use service_kit::store::StoreError;

use crate::chain::Chain;

pub(crate) use floor::{FLOOR, Floor, PRUNING, Past, STARTING, first_of_last_bundle, step_key};
pub(crate) use log::{Edge, Leaves, LogReader, read_entries, read_tile, tile_bytes};
pub(crate) use state::{VersionedState, prove, update, value_at};
pub(crate) use sync::SyncStore;
pub(crate) use tree::{OutOfOrder, Part, Stored, TreeBuilder, TreeError, walk};

/// The service's data in a store. Version 2: rules and validators stand in the state from block 0 on. Version 3: what a
/// member can be given is bounded, what was given under an accreditation is listed by member, and what is due by the second.
pub const FORMAT: service_kit::store::redb::Format =
    service_kit::store::redb::Format { service: "xinfu-ledger", version: 3 };

pub(crate) const HEAD: &[u8] = b"head";
pub(crate) const GENESIS: &[u8] = b"genesis";
pub(crate) const CHECKPOINT: &[u8] = b"checkpoint";

/// Areas whose values never change once written; the in-memory store asserts it.
#[cfg(test)]
pub(crate) const IMMUTABLE: [&str; 5] = ["genesis", "leaf/", "node/", "value/", "tx/"];

/// The last block, and the trees after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub time: UnixMillis,
    /// Leaves in the log; the last one is the block's seal.
    pub size: u64,
    /// Root of the log tree.
    pub root: Hash,
    /// Root of the state tree, as the seal states it.
    pub state: Hash,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its leaf index.
    pub index: u64,
    /// Its block.
    pub height: u64,
}

/// Why a transaction was refused, kept beside the block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) height: u64,
}

/// Whose data a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Nothing,
    ThisChain,
    OtherChain,
}

impl Holds {
    /// By the genesis file in it.
    pub(crate) fn of(store: &SyncStore, chain: &Chain) -> Result<Self, StoreError> {
        Ok(match store.get(GENESIS)? {
            None => Self::Nothing,
            Some(file) if file == chain.genesis_file() => Self::ThisChain,
            Some(_) => Self::OtherChain,
        })
    }

    /// Whether it holds anything, which must be this chain's.
    pub(crate) fn something(self) -> Result<bool, StoreError> {
        match self {
            Self::Nothing => Ok(false),
            Self::ThisChain => Ok(true),
            Self::OtherChain => {
                Err(StoreError::Corrupt("the data belongs to a chain with another genesis file".into()))
            }
        }
    }
}

pub(crate) fn leaf_key(index: u64) -> Vec<u8> {
    [b"leaf/".as_slice(), &index.to_be_bytes()].concat()
}

pub(crate) fn boundary_key(index: u64) -> Vec<u8> {
    [b"boundary/".as_slice(), &index.to_be_bytes()].concat()
}

pub(crate) fn tile_key(level: u8, index: u64) -> Vec<u8> {
    [b"tile/".as_slice(), &[level], &index.to_be_bytes()].concat()
}

pub(crate) fn node_key(encoded: &[u8]) -> Vec<u8> {
    [b"node/".as_slice(), encoded].concat()
}

pub(crate) fn value_key(key: &Hash, height: u64) -> Vec<u8> {
    [b"value/".as_slice(), key.as_bytes(), &height.to_be_bytes()].concat()
}

pub(crate) fn place_key(digest: &Hash) -> Vec<u8> {
    [b"tx/".as_slice(), digest.as_bytes()].concat()
}

pub(crate) fn refusal_key(digest: &Hash) -> Vec<u8> {
    [b"refused/".as_slice(), digest.as_bytes()].concat()
}
