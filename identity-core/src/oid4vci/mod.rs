//! OpenID for Verifiable Credential Issuance 1.0 (final), pre-authorized code flow, both sides without IO.
//!
//! Clock, chance and keys are arguments; the shell around it fetches, saves and answers. What an issuer keeps of an
//! offer is one [`issuer::Grant`], which every step replaces by its next state:
//!
//! ```text
//! Offered ──right tx_code──► Redeemed ──good proofs──► Issued
//!    │ too many wrong ones
//!    └────────► Locked
//! ```
//!
//! A wallet goes through [`wallet`]'s states, each made only by the one before:
//!
//! ```text
//! Invited ─ metadata ─► Informed ─ server metadata ─► Ready ─ token ─► Authorized ─ nonce ─► Proving ─ response ─► Received
//! ```
//!
//! Not here yet: authorization code, deferred issuance, encrypted responses, key attestations. A wallet that asks for
//! one of these gets the refusal that the specification names for it.

pub mod error;
pub mod issuer;
pub mod issuer_keys;
pub mod message;
pub mod metadata;
pub mod nonce;
pub mod offer;
pub mod proof;
pub mod secrets;
pub mod wallet;
