//! The state tree in the store: nodes and values by the height that made them, so that every certified past can
//! still be proven.

use std::cell::RefCell;
use std::collections::HashMap;

use identity_core::registry::{StateUnreadable, StateView, WriteSet};
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{KeyHash, OwnedValue, Sha256Jmt, Version};
use ledger::state::{OtherLeaf, StatePath, children, leaf};
use ledger::{Hash, sha256, state::EMPTY};
use serde::Deserialize;
use service_kit::store::{Batch, Entry, Range, Store, StoreError};

use super::{SyncStore, node_key, value_key};

/// The tree as `jmt` wants to read it.
pub(crate) struct StateTree<'a> {
    store: &'a SyncStore,
}

impl<'a> StateTree<'a> {
    pub(crate) fn new(store: &'a SyncStore) -> Self {
        Self { store }
    }
}

impl TreeReader for StateTree<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let Some(bytes) = self.store.get(&node_key(&borsh::to_vec(key)?))? else { return Ok(None) };
        Ok(Some(borsh::from_slice(&bytes)?))
    }

    fn get_value_option(&self, max_version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(value_here(self.store, &Hash::from(key.0), max_version)?.map(|(_, value)| value))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only asked for when a tree is restored from a snapshot")
    }
}

/// Values up to one height, for the rules to read.
pub(crate) struct VersionedState<'a> {
    store: &'a SyncStore,
    /// `None` before genesis.
    height: Option<u64>,
    /// What the block under way has written so far.
    pub(crate) writes: WriteSet,
    /// What was read from the store: nothing below the block under way changes.
    read: RefCell<HashMap<String, Option<Vec<u8>>>>,
    /// Why the store could not be read.
    failure: RefCell<Option<StoreError>>,
}

impl<'a> VersionedState<'a> {
    pub(crate) fn new(store: &'a SyncStore, height: Option<u64>) -> Self {
        Self { store, height, writes: WriteSet::new(), read: RefCell::default(), failure: RefCell::default() }
    }

    /// What the rules' word that the state is unreadable comes from: a store that failed may answer later. Where it did not
    /// fail, what it holds is not what any block wrote.
    pub(crate) fn cause(&self, error: StateUnreadable) -> StoreError {
        self.failure.take().unwrap_or_else(|| StoreError::Corrupt(error.to_string()))
    }
}

impl StateView for VersionedState<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateUnreadable> {
        if let Some(value) = self.writes.get(key) {
            return Ok(Some(value.clone()));
        }
        let Some(height) = self.height else { return Ok(None) };
        if let Some(value) = self.read.borrow().get(key) {
            return Ok(value.clone());
        }
        let found = value_here(self.store, &sha256(key.as_bytes()), height).map_err(|error| {
            let unreadable = StateUnreadable(error.to_string());
            self.failure.replace(Some(error));
            unreadable
        })?;
        let value = found.map(|(_, value)| value);
        self.read.borrow_mut().insert(key.to_owned(), value.clone());
        Ok(value)
    }
}

/// Every version of a value up to `height`, newest first.
fn versions(key: &Hash, height: u64) -> Range {
    Range::between(value_key(key, 0), value_key(key, height.saturating_add(1))).descending()
}

/// The newest value up to `height`, behind the key that it is stored under.
pub(super) fn value_here(store: &SyncStore, key: &Hash, height: u64) -> Result<Option<Entry>, StoreError> {
    Ok(store.scan(versions(key, height), 1)?.pop())
}

/// The value under `key` after the block of `height`.
pub(crate) async fn value_at(store: &dyn Store, key: &str, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let found = store.scan(versions(&sha256(key.as_bytes()), height), 1).await?;
    Ok(found.into_iter().next().map(|(_, value)| value))
}

/// The state root after `writes` at `height`, and a batch that makes it so.
pub(crate) fn update(
    store: &SyncStore,
    height: u64,
    writes: &WriteSet,
    mut batch: Batch,
) -> Result<(Hash, Batch), StoreError> {
    let values = writes.iter().map(|(key, value)| (KeyHash(sha256(key.as_bytes()).to_bytes()), Some(value.clone())));
    let tree = StateTree::new(store);
    let (root, changes) = Sha256Jmt::new(&tree).put_value_set(values, height).map_err(|error| broken(&error))?;
    for (key, value) in writes {
        batch = batch.put(value_key(&sha256(key.as_bytes()), height), value.clone());
    }
    Ok((Hash::from(root.0), put_nodes(&changes, batch)?))
}

fn put_nodes(changes: &TreeUpdateBatch, mut batch: Batch) -> Result<Batch, StoreError> {
    let unencodable = |_| StoreError::Misused("a node of the state tree cannot be encoded");
    for (key, node) in changes.node_batch.nodes() {
        let key = borsh::to_vec(key).map_err(unencodable)?;
        batch = batch.put(node_key(&key), borsh::to_vec(node).map_err(unencodable)?);
    }
    Ok(batch)
}

/// What the state holds under `key` after the block of `height`, with its path to that block's state root.
pub(crate) fn prove(store: &SyncStore, key: &str, height: u64) -> Result<(Option<Vec<u8>>, StatePath), StoreError> {
    let place = KeyHash(sha256(key.as_bytes()).to_bytes());
    let tree = StateTree::new(store);
    let (value, proof) = Sha256Jmt::new(&tree).get_with_proof(place, height).map_err(|error| broken(&error))?;
    let parts = serde_json::to_value(&proof).and_then(serde_json::from_value::<ProofParts>);
    let parts = parts.map_err(|_| StoreError::Misused("the state tree's proof has another form"))?;
    Ok((value, parts.into_path(place)))
}

fn broken(error: &anyhow::Error) -> StoreError {
    match error.downcast_ref::<StoreError>() {
        Some(store) => store.clone(),
        None => StoreError::Corrupt("the state tree is incomplete".into()),
    }
}

/// The library keeps the parts of its proof to itself, but serialises them.
#[derive(Deserialize)]
struct ProofParts {
    leaf: Option<LeafParts>,
    siblings: Vec<NodeParts>,
}

#[derive(Deserialize)]
enum NodeParts {
    Null,
    Internal { left_child: [u8; 32], right_child: [u8; 32] },
    Leaf(LeafParts),
}

#[derive(Deserialize)]
struct LeafParts {
    key_hash: [u8; 32],
    value_hash: [u8; 32],
}

impl ProofParts {
    fn into_path(self, place: KeyHash) -> StatePath {
        let other = self.leaf.filter(|leaf| leaf.key_hash != place.0);
        let other = other.map(|leaf| OtherLeaf { key: Hash::from(leaf.key_hash), value: Hash::from(leaf.value_hash) });
        StatePath { siblings: self.siblings.iter().map(NodeParts::hash).collect(), other }
    }
}

impl NodeParts {
    fn hash(&self) -> Hash {
        match self {
            Self::Null => Hash::from(EMPTY),
            Self::Internal { left_child, right_child } => children(&Hash::from(*left_child), &Hash::from(*right_child)),
            Self::Leaf(parts) => leaf(&Hash::from(parts.key_hash), &Hash::from(parts.value_hash)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use identity_core::registry::Rules;
    use service_kit::store::faulty::FaultyStore;
    use service_kit::store::memory::MemoryStore;
    use tokio::runtime::Runtime;

    use super::*;

    #[test]
    fn a_store_that_fails_is_told_from_a_state_that_is_malformed() {
        let runtime = Runtime::new().unwrap();
        let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let store = SyncStore::new(faulty.clone(), runtime.handle().clone());
        let cause = || {
            let state = VersionedState::new(&store, Some(1));
            Rules::of(&state).map_err(|error| state.cause(error)).unwrap_err()
        };
        assert!(matches!(cause(), StoreError::Corrupt(_)), "no chain is without rules");
        store.commit(Batch::new().put(value_key(&sha256(b"rules"), 0), "{")).unwrap();
        assert!(matches!(cause(), StoreError::Corrupt(_)));
        faulty.break_reads(true);
        assert!(matches!(cause(), StoreError::Broken(_)), "it may be read later");
    }
}
