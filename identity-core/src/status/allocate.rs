//! Indices that never repeat and that nobody can predict.
//!
//! Indices given out in order would tell when a credential was issued and which ones were issued together. Drawing
//! at random needs a look-up per draw and slows down as the list fills. So the n-th credential gets the n-th
//! element of a secret permutation of all indices: a Feistel network (Luby and Rackoff; NIST SP 800-38G has the
//! same shape) over the smallest square of a power of two that holds the list, walked until it lands inside.
//! Nothing is stored but the key and how many indices are taken.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::StatusError;
use crate::encoding::limits;

/// Rounds of the network. Four hide the permutation from whoever sees few of its values; the whole list may become
/// known here, and SP 800-38G uses eight or ten for small domains.
const ROUNDS: u8 = 10;

/// The permutation of one list's indices.
pub struct Allocator {
    key: Zeroizing<[u8; 32]>,
    entries: usize,
    /// Bits of half an index.
    half: u32,
}

impl Allocator {
    /// For a list of `entries` entries. The key is secret, random, and of this list alone.
    ///
    /// # Errors
    /// [`StatusError::Size`] below [`limits::STATUS_HERD`] or beyond [`limits::STATUS_ENTRIES`].
    pub fn new(key: [u8; 32], entries: usize) -> Result<Self, StatusError> {
        if !(limits::STATUS_HERD..=limits::STATUS_ENTRIES).contains(&entries) {
            return Err(StatusError::Size);
        }
        let bits = usize::BITS - (entries - 1).leading_zeros();
        Ok(Self { key: Zeroizing::new(key), entries, half: bits.div_ceil(2) })
    }

    /// The index of the credential issued after `taken` others. The caller counts, in the same store transaction
    /// that keeps the credential.
    ///
    /// # Errors
    /// [`StatusError::Full`] once all entries are taken.
    pub fn index(&self, taken: usize) -> Result<usize, StatusError> {
        if taken >= self.entries {
            return Err(StatusError::Full);
        }
        // A cycle of the permutation that starts inside the list comes back into it, so this ends; on average
        // after fewer than four steps, since the square is less than four times the list.
        let mut index = self.permute(taken);
        while index >= self.entries {
            index = self.permute(index);
        }
        Ok(index)
    }

    fn permute(&self, index: usize) -> usize {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (index >> self.half, index & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (self.scramble(round, right) & mask));
        }
        left << self.half | right
    }

    /// The round function: any pseudo-random function will do.
    fn scramble(&self, round: u8, half: usize) -> usize {
        let digest = Sha256::new()
            .chain_update(self.key.as_slice())
            .chain_update([round])
            .chain_update(half.to_be_bytes())
            .finalize();
        digest.iter().take(4).fold(0, |number, byte| number << 8 | usize::from(*byte))
    }
}

impl std::fmt::Debug for Allocator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Allocator({} entries, key redacted)", self.entries)
    }
}
