//! The nodes of the state tree, one by one: made anew from sorted pairs, and walked from a root.
//!
//! `jmt` keeps the tree as nodes of sixteen children, by the height that made them. It hands out changes of a tree that is
//! there, and needs all of them in memory. A whole state has to be built and checked in a stream, so its nodes are
//! written here in `jmt`'s encoding (borsh), which the tests hold against its own.

use jmt::storage::{NibblePath, Node, NodeKey};
use ledger::state::{EMPTY, children as parent_of, leaf as leaf_hash};
use ledger::{Hash, sha256};
use service_kit::store::StoreError;

use super::SyncStore;
use super::state::value_here;
use super::{node_key, value_key};

/// Nibbles in a hash of a key: no node lies deeper.
const DEPTH: usize = 2 * Hash::LENGTH;

/// A child of an inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Child {
    hash: Hash,
    /// Height of the block that made it.
    version: u64,
    /// Leaves below an inner node; absent for a leaf.
    below: Option<u64>,
}

/// An inner node: its children by the next nibble.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Inner([Option<Child>; 16]);

/// A node as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) key: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

impl Child {
    fn leaves(&self) -> u64 {
        self.below.unwrap_or(1)
    }
}

impl Inner {
    fn put(&mut self, nibble: usize, child: Child) {
        if let Some(place) = self.0.get_mut(nibble) {
            *place = Some(child);
        }
    }

    fn leaves(&self) -> u64 {
        self.0.iter().flatten().map(Child::leaves).fold(0, u64::saturating_add)
    }

    fn hash(&self) -> Hash {
        root_of(&self.0)
    }

    /// As `jmt` encodes it: the variant, each child behind whether it is there, how many there are, leaves below.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        for child in &self.0 {
            let Some(child) = child else {
                bytes.push(0);
                continue;
            };
            bytes.push(1);
            bytes.extend_from_slice(child.hash.as_bytes());
            bytes.extend_from_slice(&child.version.to_le_bytes());
            match child.below {
                None => bytes.push(0),
                Some(leaves) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&leaves.to_le_bytes());
                }
            }
        }
        let count = u64::try_from(self.0.iter().flatten().count()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&self.leaves().to_le_bytes());
        bytes
    }
}

/// The four levels of the binary tree in one node: a subtree with one leaf is that leaf, wherever it stands.
fn root_of(children: &[Option<Child>]) -> Hash {
    let mut there = children.iter().flatten();
    match (there.next(), there.next()) {
        (None, _) => Hash::from(EMPTY),
        (Some(only), None) if only.below.is_none() || children.len() == 1 => only.hash,
        _ => {
            let (left, right) = children.split_at(children.len() / 2);
            parent_of(&root_of(left), &root_of(right))
        }
    }
}

fn encode_leaf(key: &Hash, value: &Hash) -> Vec<u8> {
    [&[2], key.as_bytes().as_slice(), value.as_bytes()].concat()
}

/// Where the node over the first `depth` nibbles of a key is stored.
fn place(version: u64, key: &Hash, depth: usize) -> Vec<u8> {
    let mut path: Vec<u8> = key.as_bytes().iter().take(depth.div_ceil(2)).copied().collect();
    if depth % 2 == 1
        && let Some(last) = path.last_mut()
    {
        *last &= 0xf0;
    }
    let nibbles = u64::try_from(depth).unwrap_or(u64::MAX);
    let length = u32::try_from(path.len()).unwrap_or(u32::MAX);
    node_key(&[&version.to_le_bytes()[..], &nibbles.to_le_bytes(), &length.to_le_bytes(), &path].concat())
}

fn nibble(key: &Hash, depth: usize) -> usize {
    let byte = key.as_bytes().get(depth / 2).copied().unwrap_or(0);
    usize::from(if depth.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
}

/// Nibbles that two keys begin with alike.
fn shared(one: &Hash, other: &Hash) -> usize {
    (0..DEPTH).take_while(|depth| nibble(one, *depth) == nibble(other, *depth)).count()
}

/// Builds a tree from its pairs in the order of their keys, holding one way from the root to a leaf.
pub(crate) struct TreeBuilder {
    version: u64,
    /// The inner nodes on the way to the last leaf, the root first, as far as they are known to be there.
    open: Vec<Inner>,
    /// The last leaf: where it stands depends on the next.
    last: Option<(Hash, Hash)>,
}

/// The pairs are not in the order of their keys, or one key stands twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

impl TreeBuilder {
    /// All nodes are of this height.
    pub(crate) fn new(version: u64) -> Self {
        Self { version, open: Vec::new(), last: None }
    }

    /// Takes the next pair, by its hashes; gives each node that is whole then.
    pub(crate) fn push(&mut self, key: Hash, value: Hash, made: &mut impl FnMut(Stored)) -> Result<(), OutOfOrder> {
        if let Some((before, of)) = self.last.replace((key, value)) {
            if before.as_bytes() >= key.as_bytes() {
                return Err(OutOfOrder);
            }
            let alike = shared(&before, &key);
            while self.open.len() <= alike {
                self.open.push(Inner::default());
            }
            self.settle(&before, &of, made);
            while self.open.len() > alike.saturating_add(1) {
                self.close(&before, made);
            }
        }
        Ok(())
    }

    /// The root, after the last pair.
    pub(crate) fn finish(mut self, made: &mut impl FnMut(Stored)) -> Hash {
        let nowhere = Hash::from([0; Hash::LENGTH]);
        let Some((key, value)) = self.last else {
            made(Stored { key: place(self.version, &nowhere, 0), bytes: vec![0] });
            return Hash::from(EMPTY);
        };
        if self.open.is_empty() {
            made(Stored { key: place(self.version, &nowhere, 0), bytes: encode_leaf(&key, &value) });
            return leaf_hash(&key, &value);
        }
        self.settle(&key, &value, made);
        let mut root = Hash::from(EMPTY);
        while !self.open.is_empty() {
            root = self.close(&key, made);
        }
        root
    }

    /// Puts a leaf under the lowest open node.
    fn settle(&mut self, key: &Hash, value: &Hash, made: &mut impl FnMut(Stored)) {
        let depth = self.open.len();
        made(Stored { key: place(self.version, key, depth), bytes: encode_leaf(key, value) });
        let child = Child { hash: leaf_hash(key, value), version: self.version, below: None };
        if let Some(lowest) = self.open.last_mut() {
            lowest.put(nibble(key, depth.saturating_sub(1)), child);
        }
    }

    /// Ends the lowest open node, which lies on the way to this key, and puts it under the one above.
    fn close(&mut self, key: &Hash, made: &mut impl FnMut(Stored)) -> Hash {
        let Some(node) = self.open.pop() else { return Hash::from(EMPTY) };
        let (depth, hash) = (self.open.len(), node.hash());
        made(Stored { key: place(self.version, key, depth), bytes: node.encode() });
        let child = Child { hash, version: self.version, below: Some(node.leaves()) };
        if let Some(above) = self.open.last_mut() {
            above.put(nibble(key, depth.saturating_sub(1)), child);
        }
        hash
    }
}

/// What a tree is made of: where each node and each value is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Node(Vec<u8>),
    Value(Vec<u8>),
}

/// Why a stored tree is not the one of its root: what differs, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TreeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node that is missing, or is not what the node above it says.
    #[error("a node of the state tree is wrong")]
    Node(Vec<u8>),
    /// A value that is missing, or is not what its leaf says.
    #[error("a value of the state is wrong")]
    Value(Vec<u8>),
}

/// Walks the tree of this height and root, node by node, and compares each hash; gives each part.
pub(crate) fn walk(store: &SyncStore, height: u64, root: &Hash, visit: &mut impl FnMut(Part)) -> Result<(), TreeError> {
    let top: NibblePath = std::iter::empty().collect();
    let mut open = vec![(NodeKey::new(height, top), *root)];
    while let Some((key, expected)) = open.pop() {
        let place = node_key(&borsh::to_vec(&key).map_err(|_| StoreError::Misused("a node key cannot be encoded"))?);
        let bytes = store.get(&place)?.ok_or_else(|| TreeError::Node(place.clone()))?;
        let wrong = || TreeError::Node(place.clone());
        match borsh::from_slice::<Node>(&bytes).map_err(|_| wrong())? {
            Node::Null if expected == Hash::from(EMPTY) && key.nibble_path().is_empty() => {}
            Node::Null => return Err(wrong()),
            Node::Leaf(leaf) => {
                let of = Hash::from(leaf.key_hash().0);
                let (at, value) =
                    value_here(store, &of, height)?.ok_or_else(|| TreeError::Value(value_key(&of, height)))?;
                let value = sha256(&value);
                if leaf_hash(&of, &value) != expected {
                    return Err(TreeError::Value(at));
                }
                if bytes != encode_leaf(&of, &value) || !is_on_the_way(key.nibble_path(), &of) {
                    return Err(wrong());
                }
                visit(Part::Value(at));
            }
            Node::Internal(node) => {
                let mut inner = Inner::default();
                for (nibble, child) in node.children_sorted() {
                    let below = if child.is_leaf() { None } else { u64::try_from(child.leaf_count()).ok() };
                    let (hash, version) = (Hash::from(child.hash), child.version);
                    inner.put(nibble.as_usize(), Child { hash, version, below });
                    let path = key.nibble_path().nibbles().chain([nibble]).collect();
                    open.push((NodeKey::new(version, path), hash));
                }
                if inner.hash() != expected || inner.encode() != bytes || key.nibble_path().num_nibbles() >= DEPTH {
                    return Err(wrong());
                }
            }
        }
        visit(Part::Node(place));
    }
    Ok(())
}

fn is_on_the_way(path: &NibblePath, key: &Hash) -> bool {
    path.nibbles().enumerate().all(|(depth, step)| step.as_usize() == nibble(key, depth))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use identity_core::registry::WriteSet;
    use rand::{Rng as _, RngExt as _};
    use service_kit::chance::{Chance as _, SeededChance};
    use service_kit::store::memory::MemoryStore;
    use service_kit::store::{Batch, Write};
    use tokio::runtime::Runtime;

    use super::*;
    use crate::store::update;

    fn state(size: usize, seed: u64) -> WriteSet {
        let mut rng = SeededChance::new(seed).rng();
        (0..size).map(|_| (format!("key/{}", rng.next_u64()), vec![7; rng.random_range(0..40)])).collect()
    }

    /// The tree as `jmt` makes it, at height 0.
    fn by_jmt(runtime: &Runtime, state: &WriteSet) -> (Arc<MemoryStore>, Hash, BTreeMap<Vec<u8>, Vec<u8>>) {
        let store = Arc::new(MemoryStore::new());
        let sync = SyncStore::new(store.clone(), runtime.handle().clone());
        let (root, batch) = update(&sync, 0, state, Batch::new()).unwrap();
        let nodes = batch.writes().iter().filter_map(|write| match write {
            Write::Put { key, value } if key.starts_with(b"node/") => Some((key.clone(), value.clone())),
            _ => None,
        });
        let nodes = nodes.collect();
        sync.commit(batch).unwrap();
        (store, root, nodes)
    }

    fn by_us(state: &WriteSet) -> (Hash, BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut pairs: Vec<_> = state.iter().map(|(key, value)| (sha256(key.as_bytes()), sha256(value))).collect();
        pairs.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
        let (mut builder, mut nodes) = (TreeBuilder::new(0), BTreeMap::new());
        let mut made = |node: Stored| assert!(nodes.insert(node.key, node.bytes).is_none(), "a node is made twice");
        pairs.into_iter().for_each(|(key, value)| builder.push(key, value, &mut made).unwrap());
        let root = builder.finish(&mut made);
        (root, nodes)
    }

    #[test]
    fn a_tree_that_is_built_is_the_one_that_jmt_makes_node_by_node() {
        let runtime = Runtime::new().unwrap();
        for (size, seed) in
            [(1, 1), (2, 2), (3, 3), (17, 4), (100, 5), (3_000, 6)].into_iter().chain((7..60).map(|n| (9, n)))
        {
            let state = state(size, seed);
            let (_, root, nodes) = by_jmt(&runtime, &state);
            assert!(by_us(&state) == (root, nodes), "{size} pairs, seed {seed}");
        }
        assert_eq!(by_us(&WriteSet::new()).0, Hash::from(EMPTY));
    }

    #[test]
    fn keys_that_begin_alike_to_the_last_nibble_make_the_longest_way() {
        let mut builder = TreeBuilder::new(3);
        let (mut one, mut other) = ([0xab; 32], [0xab; 32]);
        (one[31], other[31]) = (0xa1, 0xa2);
        let mut nodes = Vec::new();
        let value = sha256(b"value");
        builder.push(Hash::from(one), value, &mut |node| nodes.push(node)).unwrap();
        builder.push(Hash::from(other), value, &mut |node| nodes.push(node)).unwrap();
        assert_eq!(builder.push(Hash::from(one), value, &mut |_| ()), Err(OutOfOrder));
        let mut builder = TreeBuilder::new(3);
        nodes.clear();
        for key in [one, other] {
            builder.push(Hash::from(key), value, &mut |node| nodes.push(node)).unwrap();
        }
        builder.finish(&mut |node| nodes.push(node));
        assert_eq!(nodes.len(), 64 + 2);
        assert!(nodes.iter().all(|node| borsh::from_slice::<Node>(&node.bytes).is_ok()));
    }

    #[test]
    fn a_walk_gives_every_part_and_finds_every_change() {
        let runtime = Runtime::new().unwrap();
        let state = state(60, 1);
        let (store, root, nodes) = by_jmt(&runtime, &state);
        let sync = SyncStore::new(store, runtime.handle().clone());
        let mut parts = Vec::new();
        walk(&sync, 0, &root, &mut |part| parts.push(part)).unwrap();
        assert_eq!(parts.len(), nodes.len() + state.len());
        for part in parts {
            let (Part::Node(key) | Part::Value(key)) = part;
            let sound = sync.get(&key).unwrap().unwrap();
            for place in 0..sound.len().min(24) {
                let mut changed = sound.clone();
                let place = place * sound.len() / sound.len().min(24);
                changed[place] ^= 1;
                sync.commit(Batch::new().put(key.clone(), changed)).unwrap();
                assert!(walk(&sync, 0, &root, &mut |_| ()).is_err(), "byte {place} of {key:?}");
            }
            sync.commit(Batch::new().put(key, sound)).unwrap();
        }
        assert!(walk(&sync, 0, &root, &mut |_| ()).is_ok());
        assert!(walk(&sync, 0, &sha256(b"other"), &mut |_| ()).is_err());
    }
}
