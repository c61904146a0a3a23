//! Drops what a node need not keep: entries and states from before its newest certified checkpoint.
//!
//! What stays, because it is small or because others rely on it:
//!
//! - the state under the checkpoint, whole, with the histories in its values: it answers for every earlier log index;
//! - all hash tiles: every entry, dropped or not, is still proven, and so is that any earlier checkpoint is a prefix;
//! - the place of every transaction: sending one again still gets the first one's place;
//! - the seals that name sets of validators, with the way from genesis to the checkpoint: a trust root is still walked;
//! - as many of the last entries as are asked for, so that nodes which are not further behind are served.
//!
//! What goes: the bytes of older entries, and state proofs under earlier checkpoints. Whoever asks for such an entry is told
//! so by name.
//!
//! **What holds if the process dies.** The first batch sets the floor, the checkpoint over it, and a mark; from then on
//! nothing below is asked of the store, and a node runs on it. The last batch takes the mark away. The same call again goes on: what is gone is gone, and
//! what is left over below the floor is looked for anew.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use identity_core::problem::Code;
use jmt::storage::NodeKey;
use ledger::Hash;
use service_kit::store::{Batch, Range, Store, StoreError};
use tokio::runtime::Handle;

use crate::boundary;
use crate::chain::Chain;
use crate::executor::Executor;
use crate::resume::last_round;
use crate::snapshot::way::{self, Unproven};
use crate::store::{
    CHECKPOINT, FLOOR, Floor, Head, PRUNING, Part, SyncStore, TreeError, first_of_last_bundle, leaf_key, step_key, walk,
};

/// Keys looked at, and removed in one batch at most.
const PAGE: usize = 1024;

/// What is left, and what went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The block whose state is the oldest that is kept.
    pub head: Head,
    /// The first log entry from which on all are kept.
    pub entries: u64,
    /// Entries, nodes and values of the state that were removed.
    pub removed: u64,
}

/// Why a node was not pruned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The store cannot be read or written, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node has no certified checkpoint.
    #[error("the node has kept no certified checkpoint yet")]
    Uncertified,
    /// The node has lost the note over a seal that names a set: without it nothing here would prove what is left.
    #[error("the node has not kept the checkpoint over log entry {0}, which ended a set of validators")]
    Lost(u64),
    /// What would be left is not proven by what is there.
    #[error("what would be left is not proven; run fsck")]
    Unproven,
}

impl PruneError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Uncertified => Code::LedgerUncertified,
            Self::Lost(_) => Code::LedgerSnapshotLost,
            Self::Unproven => Code::StoreCorrupt,
        }
    }
}

impl From<Unproven> for PruneError {
    fn from(error: Unproven) -> Self {
        match error {
            Unproven::Store(error) => Self::Store(error),
            Unproven::Lost(seal) => Self::Lost(seal),
            Unproven::Broken(_) | Unproven::Elsewhere | Unproven::OtherSets => Self::Unproven,
        }
    }
}

impl From<TreeError> for PruneError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Store(error) => Self::Store(error),
            TreeError::Node(_) | TreeError::Value(_) => Self::Unproven,
        }
    }
}

/// Removes history from before the kept checkpoint, except for the last `keep` entries (rounded up to whole bundles).
/// Blocking: the node must not be running.
///
/// # Errors
/// [`PruneError`]. Nothing was removed, unless the store failed on the way: then the same call goes on.
pub fn prune(store: Arc<dyn Store>, chain: &Chain, keep: u64, runtime: &Handle) -> Result<Pruned, PruneError> {
    let store = SyncStore::new(store, runtime.clone());
    // As at every start: whole, and of this chain.
    drop(Executor::open(store.clone(), chain.clone())?);
    let round = last_round(&store, chain)?.ok_or(PruneError::Uncertified)?;
    let head = round.head.clone();
    let newest = boundary::prove_seal(&store, head.size.saturating_sub(1), &round)?;
    let (_, target) = way::prove(&store, chain, &head, newest)?;
    let before = Floor::of(&store)?;
    let already = before.as_ref().map_or(0, |floor| floor.entries);
    let floor = Floor {
        entries: first_of_last_bundle(head.size.saturating_sub(keep)).max(already),
        hashes: before.as_ref().map_or(0, |floor| floor.hashes),
        places: before.as_ref().map_or(0, |floor| floor.places),
        head,
        proof: target.shown.proof.clone(),
    };
    let live = Live::of(&store, &floor.head)?;

    let record = serde_json::to_vec(&floor).map_err(|_| StoreError::Misused("a record cannot be written down"))?;
    // The note may be of a set's end, and newer than what was published: an older one would be of a block that goes.
    let begin = Batch::new().put(FLOOR, record).put(CHECKPOINT, round.note.as_bytes()).put(PRUNING, b"");
    let steps = target.passed.iter().map(|passed| (step_key(passed.index), passed.named.proof.as_bytes()));
    store.commit(steps.fold(begin, |batch, (key, proof)| batch.put(key, proof)))?;
    let removed = remove_below(&store, &floor, &live)?;
    store.commit(Batch::new().delete(PRUNING))?;
    Ok(Pruned { head: floor.head, entries: floor.entries, removed })
}

/// The state under the floor: where its nodes and values are stored.
struct Live(HashSet<Vec<u8>>);

impl Live {
    /// Proves it on the way: a damaged tree must not become the only one.
    fn of(store: &SyncStore, head: &Head) -> Result<Self, TreeError> {
        let mut live = HashSet::new();
        walk(store, head.height, &head.state, &mut |part| {
            let (Part::Node(key) | Part::Value(key)) = part;
            live.insert(key);
        })?;
        Ok(Self(live))
    }
}

fn remove_below(store: &SyncStore, floor: &Floor, live: &Live) -> Result<u64, StoreError> {
    let sets = boundary::validators(store, floor.head.height)?.sets;
    let seals: BTreeSet<Vec<u8>> =
        sets.iter().map(|set| set.from).chain([floor.head.size.saturating_sub(1)]).map(leaf_key).collect();
    let entries = Range::between(leaf_key(0), leaf_key(floor.entries));
    let entries = remove(store, entries, |key| !seals.contains(key))?;
    let height = floor.head.height;
    let is_old = |made: Option<u64>, key: &[u8]| made.is_some_and(|made| made <= height) && !live.0.contains(key);
    let nodes = remove(store, Range::prefix("node/"), |key| is_old(height_of_node(key), key))?;
    let values = remove(store, Range::prefix("value/"), |key| is_old(height_of_value(key), key))?;
    Ok(entries.saturating_add(nodes).saturating_add(values))
}

/// Height of the block that made a node.
fn height_of_node(key: &[u8]) -> Option<u64> {
    let key: NodeKey = borsh::from_slice(key.strip_prefix(b"node/")?).ok()?;
    Some(key.version())
}

fn height_of_value(key: &[u8]) -> Option<u64> {
    let at = key.strip_prefix(b"value/")?.get(Hash::LENGTH..)?;
    Some(u64::from_be_bytes(at.try_into().ok()?))
}

fn remove(store: &SyncStore, mut range: Range, goes: impl Fn(&[u8]) -> bool) -> Result<u64, StoreError> {
    let mut removed = 0_u64;
    loop {
        let page = store.scan(range.clone(), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(removed) };
        range = range.after(last);
        let gone: Vec<Vec<u8>> = page.into_iter().map(|(key, _)| key).filter(|key| goes(key)).collect();
        if !gone.is_empty() {
            removed = removed.saturating_add(u64::try_from(gone.len()).unwrap_or(u64::MAX));
            store.commit(gone.into_iter().fold(Batch::new(), Batch::delete))?;
        }
    }
}
