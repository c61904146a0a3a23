//! Thirty-two secret bytes.

use rand::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// A key. It lives on the heap and is filled in place, so that moving it leaves no copy on the stack; wiped when
/// dropped.
pub(crate) struct Key(Box<Zeroizing<[u8; 32]>>);

impl Key {
    /// A key of zeros, to be filled by the caller.
    pub(crate) fn blank() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }

    /// A fresh random key.
    pub(crate) fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Self::blank();
        rng.fill_bytes(key.bytes_mut());
        key
    }

    /// A copy of these bytes; `None` if they are not 32.
    pub(crate) fn copied(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::blank();
        key.bytes_mut().copy_from_slice(bytes.first_chunk::<32>().filter(|_| bytes.len() == 32)?);
        Some(key)
    }

    /// SHA-256 of a label and a secret: a key for one use, from which nobody finds the way back.
    pub(crate) fn derived(label: &[u8], secret: &[u8]) -> Self {
        let input = Zeroizing::new([label, secret].concat());
        let mut key = Self::blank();
        key.bytes_mut().copy_from_slice(ledger::sha256(&input).as_bytes());
        key
    }

    /// Another handle on the same key.
    pub(crate) fn twin(&self) -> Self {
        let mut key = Self::blank();
        key.bytes_mut().copy_from_slice(self.bytes());
        key
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

/// How deep the dead stack is overwritten: more than the key derivation and the ciphers use.
const STACK: usize = 128 * 1024;

/// Overwrites the part of the stack that returned functions used: ciphers copy their keys there, and compilers move
/// values as they like.
#[inline(never)]
pub(crate) fn wipe_dead_stack() {
    let mut dead = [0_u8; STACK];
    dead.zeroize();
}
