//! Keys, DIDs, credentials, protocols, registry rules and verdicts, without IO.
//!
//! Nothing in this crate reads a clock, a disk, a network, an environment or chance: time and random numbers
//! are arguments. Two exceptions are documented at [`crypto`] and [`jose::jwe`]: libraries draw the
//! ECDSA nonce, and the ephemeral key and vector of an encryption, themselves.

pub mod anchor;
pub mod bundle;
pub mod crypto;
pub mod datatype;
pub mod dcql;
pub mod did;
pub mod duty;
pub mod encoding;
pub mod jose;
pub mod kb_jwt;
pub mod ledger_problem;
pub mod oauth;
pub mod oid4vci;
pub mod oid4vp;
pub mod period;
pub mod problem;
pub mod purpose;
pub mod receipt;
pub mod registry;
#[cfg(any(test, feature = "testing"))]
pub mod sample;
pub mod sd_jwt;
pub mod sd_jwt_vc;
pub mod status;
pub mod time;
pub mod trust;
pub mod verdict;
pub mod withdrawal;
pub mod x509;
