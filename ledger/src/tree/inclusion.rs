//! Audit paths, RFC 6962 §2.1.1: that a leaf is at an index of a tree.

use super::{NodeReader, node_hash, range_root, split_point};
use crate::hash::Hash;

/// Makes the path of leaf `index` in the tree of the first `size` leaves: the leaf's sibling first, the root's child
/// last. It reads O(log² n) nodes.
///
/// # Errors
/// [`InclusionError::IndexOutsideTree`], converted into the reader's error type, if `index >= size`; else what the
/// reader answers.
pub fn make_inclusion<R>(nodes: &R, index: u64, size: u64) -> Result<Vec<Hash>, R::Error>
where
    R: NodeReader,
    R::Error: From<InclusionError>,
{
    if index >= size {
        return Err(InclusionError::IndexOutsideTree.into());
    }
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split_point(end - begin);
        if index < middle {
            path.push(range_root(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(nodes, begin, middle)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The root that `path` leads to from the leaf with hash `leaf` at `index` in a tree of `size` leaves (RFC 9162
/// §2.1.3.2, whose hashes are those of RFC 6962).
///
/// # Errors
/// [`InclusionError`] if there is no such index or the path has not exactly the length that index and size fix.
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, InclusionError> {
    if index >= size {
        return Err(InclusionError::IndexOutsideTree);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return Err(InclusionError::PathTooLong);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A node without right neighbour is its own parent, as often as it takes to become a right child.
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 { Ok(hash) } else { Err(InclusionError::PathTooShort) }
}

/// Verifies that the leaf with hash `leaf` is at `index` in the tree of `size` leaves with this `root`.
///
/// # Errors
/// [`InclusionError`] naming what does not fit.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> Result<(), InclusionError> {
    if root_from_inclusion(leaf, index, size, path)? == *root { Ok(()) } else { Err(InclusionError::RootMismatch) }
}

/// Why a leaf is not shown to be in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The index is not less than the size.
    #[error("the index lies outside the tree")]
    IndexOutsideTree,
    /// The path has more hashes than a tree of this size has levels above this leaf.
    #[error("the inclusion path is too long")]
    PathTooLong,
    /// The path has fewer hashes than a tree of this size has levels above this leaf.
    #[error("the inclusion path is too short")]
    PathTooShort,
    /// The path leads to another root.
    #[error("the inclusion path leads to another root")]
    RootMismatch,
}
