//! Appending with the roots of the complete subtrees only, one for each bit set in the size.

use super::{empty_root, node_hash};
use crate::hash::Hash;

/// The right edge of a log: all that appending and the current root need.
///
/// ```
/// use ledger::tree::{Frontier, leaf_hash, node_hash};
///
/// let mut frontier = Frontier::new();
/// frontier.append(leaf_hash(b"one"), |_level, _index, _node| ());
/// frontier.append(leaf_hash(b"two"), |_level, _index, _node| ());
/// assert_eq!(frontier.root(), node_hash(&leaf_hash(b"one"), &leaf_hash(b"two")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Left to right: the largest subtree first.
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The frontier of a log of `size` leaves, given the roots of its complete subtrees, the largest first.
    ///
    /// # Errors
    /// [`FrontierError`] unless there is exactly one root for each bit set in `size`.
    pub fn from_subtrees(size: u64, subtrees: Vec<Hash>) -> Result<Self, FrontierError> {
        if u32::try_from(subtrees.len()) == Ok(size.count_ones()) {
            Ok(Self { size, subtrees })
        } else {
            Err(FrontierError)
        }
    }

    /// Level and index of each complete subtree of a log of `size` leaves, the largest first: what
    /// [`Self::from_subtrees`] wants.
    pub fn positions(size: u64) -> impl Iterator<Item = (u8, u64)> {
        (0..u64::BITS).rev().filter(move |level| (size >> level) & 1 == 1).map(move |level| {
            // The complete subtree of this level is the last of its level in the log.
            (u8::try_from(level).unwrap_or(u8::MAX), (size >> level) - 1)
        })
    }

    /// How many leaves the log has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, the largest first.
    #[must_use]
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }

    /// Appends one leaf, and reports each node that it completes as `(level, index, hash)`: the leaf itself first.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u8, u64, Hash)) {
        completed(0, self.size, leaf);
        let mut node = leaf;
        let (mut level, mut index) = (0, self.size);
        // An odd index means a left neighbour of the same size is waiting: the two complete the node above.
        while index & 1 == 1
            && let Some(left) = self.subtrees.pop()
        {
            (level, index) = (level + 1, index >> 1);
            node = node_hash(&left, &node);
            completed(level, index, node);
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let from_the_right = self.subtrees.iter().rev().copied();
        from_the_right.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

/// The roots handed in are not as many as a log of that size has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number of subtree roots does not fit the size of the log")]
pub struct FrontierError;
