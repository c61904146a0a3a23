//! A batch: many digests under one root, so that one transaction anchors them all.
//!
//! The leaves of the RFC 6962 tree are the 32 bytes of each digest. The whole tree is kept, 64 bytes a digest, because
//! every digest gets its path.

use crate::hash::{Hash, sha256};
use crate::tree::{InclusionError, node_hash, verify_inclusion};

/// The most digests one batch holds.
pub const MAX_DIGESTS: usize = 65_536;

/// The tree over a batch of digests.
///
/// ```
/// use ledger::{batch, sha256};
///
/// let digests = [sha256(b"one"), sha256(b"two"), sha256(b"three")];
/// let tree = batch::BatchTree::new(&digests).unwrap();
/// let path = tree.path(2).unwrap();
/// assert_eq!(batch::verify(&digests[2], 2, tree.count(), &path, &tree.root()), Ok(()));
/// assert!(batch::verify(&digests[1], 2, tree.count(), &path, &tree.root()).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct BatchTree {
    /// The leaves first, the root last. A node without a right neighbour stands unchanged on the level above.
    levels: Vec<Vec<Hash>>,
    root: Hash,
    count: u64,
}

impl BatchTree {
    /// Builds the tree over `digests`, in their order: one pass, two hashes a digest.
    ///
    /// # Errors
    /// [`BatchError`] for no digest or more than [`MAX_DIGESTS`].
    pub fn new(digests: &[Hash]) -> Result<Self, BatchError> {
        if digests.len() > MAX_DIGESTS {
            return Err(BatchError::TooMany);
        }
        let count = u64::try_from(digests.len()).map_err(|_| BatchError::TooMany)?;
        let mut levels = Vec::new();
        let mut level: Vec<Hash> = digests.iter().map(digest_leaf).collect();
        loop {
            if let [root] = level[..] {
                levels.push(level);
                return Ok(Self { levels, root, count });
            }
            let above: Vec<Hash> = level.chunks(2).filter_map(parent).collect();
            if above.is_empty() {
                return Err(BatchError::Empty);
            }
            levels.push(level);
            level = above;
        }
    }

    /// The root that the anchor transaction states.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// How many digests there are; the anchor transaction states it beside the root.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The path of the digest at `index`, the leaf's sibling first; nothing if there is no such digest.
    #[must_use]
    pub fn path(&self, index: u64) -> Option<Vec<Hash>> {
        if index >= self.count {
            return None;
        }
        let mut at = usize::try_from(index).ok()?;
        let mut path = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            path.extend(level.get(at ^ 1));
            at >>= 1;
        }
        Some(path)
    }
}

/// Verifies that `digest` is the one at `index` of the batch of `count` digests with this `root`.
///
/// # Errors
/// [`InclusionError`] naming what does not fit.
pub fn verify(digest: &Hash, index: u64, count: u64, path: &[Hash], root: &Hash) -> Result<(), InclusionError> {
    verify_inclusion(digest_leaf(digest), index, count, path, root)
}

/// [`crate::tree::leaf_hash`] of the digest's 32 bytes, in one contiguous block.
fn digest_leaf(digest: &Hash) -> Hash {
    let mut bytes = [0u8; 1 + Hash::LENGTH];
    let (_prefix, entry) = bytes.split_at_mut(1);
    entry.copy_from_slice(digest.as_bytes());
    sha256(&bytes)
}

fn parent(pair: &[Hash]) -> Option<Hash> {
    match pair {
        [left, right] => Some(node_hash(left, right)),
        [alone] => Some(*alone),
        _ => None,
    }
}

/// Why there is no tree over these digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// There is no digest.
    #[error("a batch needs at least one digest")]
    Empty,
    /// There are more than [`MAX_DIGESTS`].
    #[error("a batch holds at most {MAX_DIGESTS} digests")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::log_of;

    fn digests(count: u64) -> Vec<Hash> {
        (0..count).map(|number| sha256(&number.to_be_bytes())).collect()
    }

    #[test]
    fn the_tree_is_the_one_a_log_would_have() {
        for count in 1..70 {
            let digests = digests(count);
            let (frontier, _) = log_of(digests.iter().map(AsRef::as_ref));
            assert_eq!(BatchTree::new(&digests).unwrap().root(), frontier.root());
        }
    }

    #[test]
    fn every_path_fits_its_own_digest_only() {
        for count in 1..35 {
            let digests = digests(count);
            let tree = BatchTree::new(&digests).unwrap();
            assert_eq!(tree.count(), count);
            for (index, digest) in (0..).zip(&digests) {
                let path = tree.path(index).unwrap();
                assert_eq!(verify(digest, index, count, &path, &tree.root()), Ok(()));
                assert!(verify(&sha256(b"other"), index, count, &path, &tree.root()).is_err());
            }
            assert_eq!(tree.path(count), None);
        }
    }

    #[test]
    fn the_limits_are_named() {
        assert_eq!(BatchTree::new(&[]).unwrap_err(), BatchError::Empty);
        assert_eq!(BatchTree::new(&vec![sha256(b""); MAX_DIGESTS + 1]).unwrap_err(), BatchError::TooMany);
        assert!(BatchTree::new(&vec![sha256(b""); MAX_DIGESTS]).is_ok());
    }
}
