//! Log tree, state tree, checkpoints, cosignatures and proofs: bytes and keys only.

mod base64;
pub mod ed25519;
mod hash;

pub use hash::{Hash, HashError, sha256};
