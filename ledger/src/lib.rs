//! Log tree, state tree, checkpoints, cosignatures and proofs: bytes and keys only.
