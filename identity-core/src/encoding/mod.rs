//! Strict text encodings: base64url, multibase, JSON, and the limits on what strangers may send.
//!
//! "Strict" means that every byte string has exactly one accepted spelling. Two spellings of one thing are how
//! a digest comes to cover something else than what was read.

pub mod base64url;
pub(crate) mod digested;
pub mod json;
pub mod limits;
pub mod multibase;
