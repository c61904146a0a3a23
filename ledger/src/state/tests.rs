use std::collections::{BTreeMap, HashMap};

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Sha256Jmt, Version};
use proptest::prelude::*;

use super::*;

type JmtProof = jmt::proof::SparseMerkleProof<sha2::Sha256>;

/// What `jmt` keeps: its nodes and the values.
#[derive(Default)]
struct Kept {
    nodes: HashMap<NodeKey, Node>,
    values: HashMap<KeyHash, OwnedValue>,
}

impl TreeReader for Kept {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.get(key).cloned())
    }

    fn get_value_option(&self, _: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.values.get(&key).cloned())
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

pub(crate) struct Oracle {
    kept: Kept,
    version: Version,
    pub(crate) root: Hash,
}

impl Oracle {
    pub(crate) fn holding<'a>(entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut oracle = Self { kept: Kept::default(), version: 0, root: Hash::from(EMPTY) };
        oracle.put(entries.into_iter().map(|(key, value)| (key, Some(value))).collect());
        oracle
    }

    fn put(&mut self, changes: Vec<(&[u8], Option<&[u8]>)>) {
        let changes: Vec<(KeyHash, Option<OwnedValue>)> = changes
            .into_iter()
            .map(|(key, value)| (KeyHash(sha256(key).to_bytes()), value.map(<[u8]>::to_vec)))
            .collect();
        self.version += 1;
        let (root, batch) = Sha256Jmt::new(&self.kept).put_value_set(changes.clone(), self.version).unwrap();
        self.root = Hash::from(root.0);
        self.kept.nodes.extend(batch.node_batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone())));
        for (key, value) in changes {
            match value {
                Some(value) => self.kept.values.insert(key, value),
                None => self.kept.values.remove(&key),
            };
        }
    }

    pub(crate) fn path(&self, key: &[u8]) -> (Option<Vec<u8>>, StatePath) {
        let place = KeyHash(sha256(key).to_bytes());
        let (value, proof) = Sha256Jmt::new(&self.kept).get_with_proof(place, self.version).unwrap();
        let root = jmt::RootHash(self.root.to_bytes());
        proof.verify(root, place, value.as_ref()).unwrap();
        let path = StatePath::from(Mirror::of(&proof, place));
        (value, path)
    }
}

/// The library keeps the parts of its proof to itself, but serialises them.
#[derive(Deserialize)]
struct Mirror {
    leaf: Option<MirrorLeaf>,
    siblings: Vec<MirrorNode>,
}

#[derive(Deserialize)]
enum MirrorNode {
    Null,
    Internal { left_child: [u8; 32], right_child: [u8; 32] },
    Leaf(MirrorLeaf),
}

#[derive(Deserialize)]
struct MirrorLeaf {
    key_hash: [u8; 32],
    value_hash: [u8; 32],
}

impl Mirror {
    fn of(proof: &JmtProof, place: KeyHash) -> Self {
        let mut mirror: Self = serde_json::from_value(serde_json::to_value(proof).unwrap()).unwrap();
        mirror.leaf = mirror.leaf.filter(|leaf| leaf.key_hash != place.0);
        mirror
    }
}

impl From<Mirror> for StatePath {
    fn from(mirror: Mirror) -> Self {
        let siblings = mirror.siblings.iter().map(|node| match node {
            MirrorNode::Null => Hash::from(EMPTY),
            MirrorNode::Internal { left_child, right_child } => {
                children(&Hash::from(*left_child), &Hash::from(*right_child))
            }
            MirrorNode::Leaf(MirrorLeaf { key_hash, value_hash }) => {
                leaf(&Hash::from(*key_hash), &Hash::from(*value_hash))
            }
        });
        let other =
            mirror.leaf.map(|leaf| OtherLeaf { key: Hash::from(leaf.key_hash), value: Hash::from(leaf.value_hash) });
        Self { siblings: siblings.collect(), other }
    }
}

#[test]
fn present_and_absent_keys_of_small_states_are_proved() {
    for size in 1..40u32 {
        let entries: Vec<(Vec<u8>, Vec<u8>)> =
            (0..size).map(|n| (format!("key/{n}").into_bytes(), format!("value {n}").into_bytes())).collect();
        let oracle = Oracle::holding(entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice())));
        for (key, value) in &entries {
            let (held, path) = oracle.path(key);
            assert_eq!(held.as_ref(), Some(value));
            assert_eq!(path.verify(&oracle.root, key, Some(value)), Ok(()));
            assert!(path.verify(&oracle.root, key, Some(b"another")).is_err());
            assert!(path.verify(&oracle.root, key, None).is_err());
            assert!(path.verify(&oracle.root, b"key/none", None).is_err());
        }
        for n in 0..40 {
            let key = format!("absent/{n}").into_bytes();
            let (held, path) = oracle.path(&key);
            assert_eq!(held, None);
            assert_eq!(path.verify(&oracle.root, &key, None), Ok(()));
            assert!(path.verify(&oracle.root, &key, Some(b"value")).is_err());
        }
    }
}

#[test]
fn the_empty_state_holds_nothing() {
    let path = StatePath { siblings: vec![], other: None };
    assert_eq!(path.verify(&Hash::from(EMPTY), b"any", None), Ok(()));
    assert_eq!(path.verify(&Hash::from(EMPTY), b"any", Some(b"v")), Err(StatePathError::RootMismatch));
}

#[test]
fn a_leaf_elsewhere_shows_no_absence() {
    let oracle = Oracle::holding([(&b"a"[..], &b"1"[..]), (b"b", b"2"), (b"c", b"3"), (b"d", b"4")]);
    let (_, present) = oracle.path(b"a");
    let leaf = OtherLeaf { key: sha256(b"a"), value: sha256(b"1") };
    let shown = |key: &[u8], value| StatePath { other: Some(leaf), ..present.clone() }.verify(&oracle.root, key, value);
    assert_eq!(shown(b"a", None), Err(StatePathError::OtherPlace), "the key itself is there");
    assert_eq!(shown(b"a", Some(&b"1"[..])), Err(StatePathError::OtherLeafBesideValue));
    let far =
        (0u32..).map(|n| n.to_be_bytes()).find(|key| sha256(key).as_bytes()[0] >> 7 != sha256(b"a").as_bytes()[0] >> 7);
    assert_eq!(shown(&far.unwrap(), None), Err(StatePathError::OtherPlace));
}

#[test]
fn a_path_of_more_than_256_hashes_is_refused() {
    let of = |hashes| StatePath { siblings: vec![sha256(b""); hashes], other: None }.verify(&sha256(b""), b"k", None);
    assert_eq!(of(257), Err(StatePathError::TooLong));
    assert_eq!(of(256), Err(StatePathError::RootMismatch));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn jmt_and_we_agree_over_changing_states(
        rounds in prop::collection::vec(prop::collection::vec((0u16..60, prop::option::weighted(0.8, any::<u8>())), 1..20), 1..4),
        asked in prop::collection::vec(0u16..60, 8),
    ) {
        // The library keeps no root of an empty tree, so there is always one key.
        let mut oracle = Oracle::holding([(&b"always"[..], &b"here"[..])]);
        let mut expected: BTreeMap<u16, u8> = BTreeMap::new();
        for round in rounds {
            let round: BTreeMap<u16, Option<u8>> = round.into_iter().collect();
            let bytes: Vec<([u8; 2], Option<[u8; 1]>)> =
                round.iter().map(|(key, value)| (key.to_be_bytes(), value.map(|value| [value]))).collect();
            oracle.put(bytes.iter().map(|(k, v)| (k.as_slice(), v.as_ref().map(<[u8; 1]>::as_slice))).collect());
            for (key, value) in round {
                match value {
                    Some(value) => expected.insert(key, value),
                    None => expected.remove(&key),
                };
            }
            for key in &asked {
                let (held, path) = oracle.path(&key.to_be_bytes());
                let value = expected.get(key).map(|value| vec![*value]);
                prop_assert_eq!(&held, &value);
                prop_assert_eq!(path.verify(&oracle.root, &key.to_be_bytes(), value.as_deref()), Ok(()));
                let other = if value.is_some() { None } else { Some(&[0u8][..]) };
                prop_assert!(path.verify(&oracle.root, &key.to_be_bytes(), other).is_err());
            }
        }
    }

    #[test]
    fn a_changed_path_is_refused(at: prop::sample::Index, bit in 0usize..256, present: bool) {
        let keys: Vec<[u8; 2]> = (0u16..200).map(u16::to_be_bytes).collect();
        let oracle = Oracle::holding(keys.iter().map(|key| (key.as_slice(), &b"v"[..])));
        let key: &[u8] = if present { &[0, 7] } else { b"absent" };
        let (value, mut path) = oracle.path(key);
        let at = at.index(path.siblings.len());
        let mut bytes = path.siblings[at].to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        path.siblings[at] = Hash::from(bytes);
        prop_assert_eq!(path.verify(&oracle.root, key, value.as_deref()), Err(StatePathError::RootMismatch));
    }
}
