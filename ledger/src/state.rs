//! The state tree: a sparse Merkle tree over SHA-256 of each key, as the `jmt` library computes it, verified here.
//!
//! Every key has its place at the end of the 256 bits of its hash, the highest bit of the first byte first; a clear bit
//! leads left. A subtree without keys is an *empty* node, one with a single key is that key's *leaf*, wherever it
//! stands; only larger ones have two children. So a path has about as many hashes as log2 of the number of keys.
//!
//! ```text
//! empty     "SPARSE_MERKLE_PLACEHOLDER_HASH__"  (these 32 bytes, not hashed)
//! leaf      SHA-256("JMT::LeafNode" || SHA-256(key) || SHA-256(value))
//! children  SHA-256("JMT::IntrnalNode" || left || right)
//! ```

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, sha256};

/// What stands for a subtree without keys, and is the root of the empty state.
pub const EMPTY: [u8; Hash::LENGTH] = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

const LEAF_PREFIX: &[u8] = b"JMT::LeafNode";
const CHILDREN_PREFIX: &[u8] = b"JMT::IntrnalNode";

/// No path is longer: a hash of a key has 256 bits.
const MAX_PATH: usize = 256;

/// The path of one key in the state tree, whether the key is there or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatePath {
    /// Hashes from the sibling of the leaf (or of the empty node) to the root's child.
    pub siblings: Vec<Hash>,
    /// For an absent key: the leaf that stands where the key would be. Without it, that place is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherLeaf>,
}

/// A leaf of another key, shown only by its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherLeaf {
    /// SHA-256 of its key.
    pub key: Hash,
    /// SHA-256 of its value.
    pub value: Hash,
}

impl StatePath {
    /// Verifies that under `root` the state holds `value` for `key`, or, for `None`, nothing.
    ///
    /// # Errors
    /// [`StatePathError`] naming what does not fit.
    pub fn verify(&self, root: &Hash, key: &[u8], value: Option<&[u8]>) -> Result<(), StatePathError> {
        if self.siblings.len() > MAX_PATH {
            return Err(StatePathError::TooLong);
        }
        let place = sha256(key);
        let end = match (value, &self.other) {
            (Some(value), None) => leaf(&place, &sha256(value)),
            (Some(_), Some(_)) => return Err(StatePathError::OtherLeafBesideValue),
            (None, None) => Hash::from(EMPTY),
            (None, Some(other)) => {
                self.check_in_the_way(&place, &other.key)?;
                leaf(&other.key, &other.value)
            }
        };
        if self.root_from(&place, end) == *root { Ok(()) } else { Err(StatePathError::RootMismatch) }
    }

    /// The other leaf must stand at the very place where the key would be: another key, the same path.
    fn check_in_the_way(&self, place: &Hash, other: &Hash) -> Result<(), StatePathError> {
        let shared = bits(place).zip(bits(other)).take_while(|(a, b)| a == b).count();
        if shared < self.siblings.len() || shared == MAX_PATH { Err(StatePathError::OtherPlace) } else { Ok(()) }
    }

    fn root_from(&self, place: &Hash, end: Hash) -> Hash {
        let depth = self.siblings.len();
        let from_the_end = bits(place).take(depth).collect::<Vec<bool>>().into_iter().rev();
        self.siblings.iter().zip(from_the_end).fold(end, |node, (sibling, is_right)| {
            if is_right { children(sibling, &node) } else { children(&node, sibling) }
        })
    }
}

/// The bits of a hash, the highest of the first byte first.
fn bits(hash: &Hash) -> impl Iterator<Item = bool> {
    hash.as_bytes().iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1 == 1))
}

/// Hash of a leaf of the state tree, from the hashes of its key and its value.
#[must_use]
pub fn leaf(key: &Hash, value: &Hash) -> Hash {
    sha256(&[LEAF_PREFIX, key.as_bytes(), value.as_bytes()].concat())
}

/// Hash of a node with two children.
#[must_use]
pub fn children(left: &Hash, right: &Hash) -> Hash {
    sha256(&[CHILDREN_PREFIX, left.as_bytes(), right.as_bytes()].concat())
}

/// Why a path does not show what the state holds for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatePathError {
    /// More hashes than a hash of a key has bits.
    #[error("the path in the state tree is too long")]
    TooLong,
    /// A value is claimed, and another leaf shown in its place.
    #[error("the path shows another leaf beside a value")]
    OtherLeafBesideValue,
    /// The other leaf does not stand where the key would be.
    #[error("the other leaf does not stand in the place of the key")]
    OtherPlace,
    /// The path leads to another root.
    #[error("the path in the state tree leads to another root")]
    RootMismatch,
}

#[cfg(test)]
pub(crate) mod tests;
