//! The Merkle tree of RFC 6962 §2.1: hashing, appending, roots, and proofs made and verified.
//!
//! A log is far larger than memory, so nothing here holds its leaves. Appending keeps the roots of at most 64 complete
//! subtrees ([`Frontier`]); roots and proofs are computed from a [`NodeReader`], which hands out the root of any complete
//! subtree by level and index:
//!
//! ```text
//! level 2            (2,0)
//! level 1      (1,0)       (1,1)
//! level 0   (0,0) (0,1) (0,2) (0,3) (0,4)      size 5: (2,0) and (0,4) are its frontier
//! ```

mod consistency;
mod frontier;
mod inclusion;

use sha2::{Digest, Sha256};

use crate::hash::{Hash, sha256};

pub use consistency::{ConsistencyError, make_consistency, verify_consistency};
pub use frontier::{Frontier, FrontierError};
pub use inclusion::{InclusionError, make_inclusion, root_from_inclusion, verify_inclusion};

/// No tree of fewer than 2^64 leaves has longer paths.
pub const MAX_PATH: usize = 64;

/// Hash of a leaf: `SHA-256(0x00 || entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let digest: [u8; Hash::LENGTH] = Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into();
    Hash::from(digest)
}

/// Hash of an inner node: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One contiguous block: measurably faster than three updates, and this is the hot path of batches.
    let mut bytes = [0u8; 1 + 2 * Hash::LENGTH];
    let (prefix, children) = bytes.split_at_mut(1);
    prefix.copy_from_slice(&[0x01]);
    let (left_half, right_half) = children.split_at_mut(Hash::LENGTH);
    left_half.copy_from_slice(left.as_bytes());
    right_half.copy_from_slice(right.as_bytes());
    sha256(&bytes)
}

/// Root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// Roots of complete subtrees, from wherever they are kept.
pub trait NodeReader {
    /// What can go wrong where they are kept.
    type Error;

    /// Root of the complete subtree over leaves `index * 2^level .. (index + 1) * 2^level`.
    ///
    /// # Errors
    /// When the node cannot be read. It is only asked for within the size handed to the caller's function.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<R: NodeReader> NodeReader for &R {
    type Error = R::Error;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        (**self).node(level, index)
    }
}

/// Root of the tree over the first `size` leaves.
///
/// # Errors
/// What the reader answers.
pub fn root<R: NodeReader>(nodes: &R, size: u64) -> Result<Hash, R::Error> {
    if size == 0 { Ok(empty_root()) } else { range_root(nodes, 0, size) }
}

/// Merkle Tree Hash of leaves `begin .. end`, where the range is one that RFC 6962 splits off: it is not empty, and
/// `begin` is a multiple of the smallest power of two that holds `end - begin` leaves.
fn range_root<R: NodeReader>(nodes: &R, begin: u64, end: u64) -> Result<Hash, R::Error> {
    let size = end - begin;
    if size.is_power_of_two() {
        let level = log2(size);
        return nodes.node(level, begin >> level);
    }
    let middle = begin + split_point(size);
    let left = range_root(nodes, begin, middle)?;
    let right = range_root(nodes, middle, end)?;
    Ok(node_hash(&left, &right))
}

/// The largest power of two smaller than `size`, for `size` of at least 2.
fn split_point(size: u64) -> u64 {
    1 << log2(size - 1)
}

/// Position of the highest bit set, for `value` of at least 1.
fn log2(value: u64) -> u8 {
    // A u64 has 64 bits, so this always fits.
    u8::try_from(value.checked_ilog2().unwrap_or(0)).unwrap_or(u8::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
