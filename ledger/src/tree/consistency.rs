//! Consistency proofs, RFC 6962 §2.1.2: that a log only grew.

use super::{NodeReader, empty_root, node_hash, range_root, split_point};
use crate::hash::Hash;

/// Makes the proof that the tree of the first `old` leaves is a prefix of the tree of the first `new` leaves. It is
/// empty for equal sizes and for `old = 0`. It reads O(log² n) nodes.
///
/// # Errors
/// [`ConsistencyError::SizesReversed`], converted into the reader's error type, if `old > new`; else what the reader
/// answers.
pub fn make_consistency<R>(nodes: &R, old: u64, new: u64) -> Result<Vec<Hash>, R::Error>
where
    R: NodeReader,
    R::Error: From<ConsistencyError>,
{
    if old > new {
        return Err(ConsistencyError::SizesReversed.into());
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut begin, mut end) = (0, new);
    let mut proof = Vec::new();
    // Walk down to the subtree whose end is the end of the old tree, and note the siblings on the way.
    while end != old {
        let middle = begin + split_point(end - begin);
        if old <= middle {
            proof.push(range_root(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(nodes, begin, middle)?);
            begin = middle;
        }
    }
    // If that subtree is the whole old tree, the verifier has its root already.
    if begin != 0 {
        proof.push(range_root(nodes, begin, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies that the tree of `new` leaves with `new_root` extends the tree of `old` leaves with `old_root` (RFC 9162
/// §2.1.4.2, whose hashes are those of RFC 6962).
///
/// # Errors
/// [`ConsistencyError`] naming what does not fit.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyError> {
    if old > new {
        return Err(ConsistencyError::SizesReversed);
    }
    if old == 0 || old == new {
        return verify_without_hashes(old, old_root, new_root, proof);
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    // When the old tree is one complete subtree, its root is where both walks start.
    let (start, rest) = if node == 0 {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ConsistencyError::ProofTooShort)?;
        (*first, rest)
    };
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in rest {
        if last == 0 {
            return Err(ConsistencyError::ProofTooLong);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ConsistencyError::ProofTooShort);
    }
    if old_hash != *old_root {
        return Err(ConsistencyError::OldRootMismatch);
    }
    if new_hash == *new_root { Ok(()) } else { Err(ConsistencyError::NewRootMismatch) }
}

fn verify_without_hashes(old: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> Result<(), ConsistencyError> {
    if !proof.is_empty() {
        return Err(ConsistencyError::ProofTooLong);
    }
    let expected = if old == 0 { empty_root() } else { *new_root };
    if *old_root == expected { Ok(()) } else { Err(ConsistencyError::OldRootMismatch) }
}

/// Why one tree is not shown to extend another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The old tree is larger than the new one.
    #[error("the older tree is larger than the newer one")]
    SizesReversed,
    /// The proof has more hashes than the two sizes ask for.
    #[error("the consistency proof is too long")]
    ProofTooLong,
    /// The proof has fewer hashes than the two sizes ask for.
    #[error("the consistency proof is too short")]
    ProofTooShort,
    /// The proof leads to another root for the old tree.
    #[error("the consistency proof leads to another root of the older tree")]
    OldRootMismatch,
    /// The proof leads to another root for the new tree.
    #[error("the consistency proof leads to another root of the newer tree")]
    NewRootMismatch,
}
