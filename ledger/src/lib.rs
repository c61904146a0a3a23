//! Log tree, state tree, checkpoints, cosignatures and proofs: bytes and keys only.
//!
//! This crate does not know what an entry of the log or a value of the state means, and it is pure: it reads no clock,
//! disk, network, environment or chance, and holds no secret key. Signing takes a callback.
//!
//! | subject | module | text followed |
//! |---|---|---|
//! | digests | [`struct@Hash`], [`sha256`] | FIPS 180-4 |
//! | signatures | [`ed25519`] | RFC 8032, made exact |
//! | the log | [`tree`], [`tile`] | RFC 6962 §2.1, C2SP tlog-tiles |
//! | batches of digests | [`batch`] | RFC 6962 §2.1 |
//! | notes and keys | [`note`] | C2SP signed-note |
//! | checkpoints | [`checkpoint`], [`cosignature`] | C2SP tlog-checkpoint, tlog-cosignature |
//! | whom to trust | [`policy`], [`trust_root`] | C2SP tlog-policy |
//! | from an old set of validators to today's | [`walk`] | `docs/formats.md` |
//! | "this is in the log" | [`log_proof`] | C2SP tlog-proof |
//! | two histories, and who is to blame | [`mod@split_view`] | `docs/formats.md` |
//! | "this was the newest at that time" | [`time_proof`] | `docs/formats.md` |
//! | a node's state at a checkpoint | [`snapshot`] | `docs/formats.md` |
//! | "this is the state" | [`seal`], [`state`], [`state_proof`] | `docs/formats.md` |
//!
//! `docs/formats.md` describes every one of them exactly enough for a second implementation.

mod base64;
mod hash;

pub mod batch;
pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod log_proof;
pub mod note;
pub mod policy;
pub mod seal;
pub mod snapshot;
pub mod split_view;
pub mod state;
pub mod state_proof;
pub mod tile;
pub mod time_proof;
pub mod tree;
pub mod trust_root;
pub mod walk;

pub use hash::{Hash, HashError, sha256};
pub use log_proof::{LogProof, ProvenLeaf};
pub use seal::Seal;
pub use state_proof::{ProvenState, StateProof};
pub use time_proof::{PastMoment, TimeProof};
pub use trust_root::{CertifiedCheckpoint, TrustRoot};
