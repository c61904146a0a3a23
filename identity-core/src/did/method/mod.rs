//! One file per DID method.

pub mod jwk;
pub mod key;
pub mod xinfu;
