use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// The nodes of a small log, kept whole.
#[derive(Default)]
pub(crate) struct Nodes(HashMap<(u8, u64), Hash>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    Missing,
    Inclusion(InclusionError),
    Consistency(ConsistencyError),
}

impl From<InclusionError> for ReadError {
    fn from(error: InclusionError) -> Self {
        Self::Inclusion(error)
    }
}

impl From<ConsistencyError> for ReadError {
    fn from(error: ConsistencyError) -> Self {
        Self::Consistency(error)
    }
}

impl NodeReader for Nodes {
    type Error = ReadError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, ReadError> {
        self.0.get(&(level, index)).copied().ok_or(ReadError::Missing)
    }
}

pub(crate) fn log_of<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> (Frontier, Nodes) {
    let (mut frontier, mut nodes) = (Frontier::new(), Nodes::default());
    for entry in entries {
        frontier.append(leaf_hash(entry), |level, index, hash| {
            assert_eq!(nodes.0.insert((level, index), hash), None, "a node is completed once");
        });
    }
    (frontier, nodes)
}

fn numbered(size: u64) -> (Frontier, Nodes) {
    let entries: Vec<[u8; 8]> = (0..size).map(u64::to_be_bytes).collect();
    log_of(entries.iter().map(<[u8; 8]>::as_slice))
}

/// MTH(D[begin:end]) word for word from RFC 6962 §2.1.
fn defined_root(begin: u64, end: u64) -> Hash {
    match end - begin {
        0 => sha256(b""),
        1 => leaf_hash(&begin.to_be_bytes()),
        size => {
            let middle = begin + split_point(size);
            node_hash(&defined_root(begin, middle), &defined_root(middle, end))
        }
    }
}

#[test]
fn roots_are_those_of_the_definition() {
    for size in 0..70 {
        let (frontier, nodes) = numbered(size);
        assert_eq!(frontier.root(), defined_root(0, size));
        assert_eq!(root(&nodes, size), Ok(defined_root(0, size)));
    }
}

#[test]
fn the_tree_of_the_outside_example_has_its_root() {
    // The eight entries of the Certificate Transparency reference tests.
    let entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let entries: Vec<Vec<u8>> = entries
        .iter()
        .map(|hex| (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect())
        .collect();
    let (frontier, _) = log_of(entries.iter().map(Vec::as_slice));
    assert_eq!(frontier.root().to_hex(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn a_frontier_is_rebuilt_from_its_subtrees() {
    let (frontier, nodes) = numbered(45);
    let subtrees: Vec<Hash> = Frontier::positions(45).map(|(level, index)| nodes.node(level, index).unwrap()).collect();
    assert_eq!(frontier.subtrees(), subtrees);
    assert_eq!(Frontier::from_subtrees(45, subtrees.clone()), Ok(frontier));
    assert_eq!(Frontier::from_subtrees(46, subtrees[1..].to_vec()), Err(FrontierError));
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_no_other() {
    for size in 1..40 {
        let (frontier, nodes) = numbered(size);
        for index in 0..size {
            let path = make_inclusion(&nodes, index, size).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            assert_eq!(verify_inclusion(leaf, index, size, &path, &frontier.root()), Ok(()));
            for other in (0..size).filter(|other| *other != index) {
                assert!(verify_inclusion(leaf, other, size, &path, &frontier.root()).is_err());
            }
        }
        assert_eq!(make_inclusion(&nodes, size, size), Err(ReadError::Inclusion(InclusionError::IndexOutsideTree)));
    }
}

#[test]
fn a_path_of_another_length_is_refused() {
    let (frontier, nodes) = numbered(7);
    let mut path = make_inclusion(&nodes, 6, 7).unwrap();
    let leaf = leaf_hash(&6u64.to_be_bytes());
    path.push(frontier.root());
    assert_eq!(verify_inclusion(leaf, 6, 7, &path, &frontier.root()), Err(InclusionError::PathTooLong));
    path.truncate(1);
    assert_eq!(verify_inclusion(leaf, 6, 7, &path, &frontier.root()), Err(InclusionError::PathTooShort));
    assert_eq!(verify_inclusion(leaf, 7, 7, &path, &frontier.root()), Err(InclusionError::IndexOutsideTree));
}

#[test]
fn every_growth_of_a_small_log_is_proved() {
    let (_, nodes) = numbered(40);
    for new in 0..40 {
        let new_root = root(&nodes, new).unwrap();
        for old in 0..=new {
            let old_root = root(&nodes, old).unwrap();
            let proof = make_consistency(&nodes, old, new).unwrap();
            assert_eq!(verify_consistency(old, &old_root, new, &new_root, &proof), Ok(()), "{old} to {new}");
            if old != 0 {
                let other = sha256(b"another root");
                assert!(verify_consistency(old, &other, new, &new_root, &proof).is_err());
                assert!(verify_consistency(old, &old_root, new, &other, &proof).is_err());
            }
        }
    }
    assert_eq!(make_consistency(&nodes, 2, 1), Err(ReadError::Consistency(ConsistencyError::SizesReversed)));
}

#[test]
fn the_empty_log_has_one_root() {
    let (frontier, _) = numbered(5);
    assert_eq!(verify_consistency(0, &empty_root(), 5, &frontier.root(), &[]), Ok(()));
    assert_eq!(verify_consistency(0, &sha256(b"x"), 5, &frontier.root(), &[]), Err(ConsistencyError::OldRootMismatch));
}

proptest! {
    #[test]
    fn a_changed_consistency_proof_is_refused(new in 2u64..200, cut in 0u64..200, at in 0usize..16, bit in 0usize..256) {
        let old = 1 + cut % (new - 1);
        let (_, nodes) = numbered(new);
        let (old_root, new_root) = (root(&nodes, old).unwrap(), root(&nodes, new).unwrap());
        let mut proof = make_consistency(&nodes, old, new).unwrap();
        let at = at % proof.len();
        let mut bytes = proof[at].to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        proof[at] = Hash::from(bytes);
        prop_assert!(verify_consistency(old, &old_root, new, &new_root, &proof).is_err());
        proof.pop();
        prop_assert!(verify_consistency(old, &old_root, new, &new_root, &proof).is_err());
    }

    #[test]
    fn hostile_numbers_and_paths_end_in_a_refusal(index: u64, size: u64, length in 0usize..80) {
        let path = vec![sha256(b"x"); length];
        let root = sha256(b"root");
        prop_assert!(verify_inclusion(root, index, size, &path, &sha256(b"other")).is_err());
        prop_assert!(verify_consistency(index.max(1), &root, size, &sha256(b"other"), &path).is_err());
    }
}
