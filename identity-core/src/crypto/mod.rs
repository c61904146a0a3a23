//! Keys and signatures: closed enums over the algorithms we accept, no defaults and no catch-all arms.
//!
//! EdDSA (Ed25519) and ES256 today. SM2 with SM3 is to become the third member, so every `match` over
//! [`Alg`], [`PublicKey`] or the inside of [`SecretKey`] names all members: adding one fails to compile wherever a
//! decision is due.
//!
//! An exception to "chance is handed in": `aws-lc-rs` draws the ECDSA nonce from its own generator. A nonce taken
//! from a caller's generator that repeats would give the key away, so this is the safer side to err on. The ephemeral
//! keys of [`crate::jose::jwe`] are the other one.

mod alg;
mod es256;
mod public;
mod secret;
mod spki;
#[cfg(test)]
mod tests;

pub use alg::Alg;
#[cfg(any(test, feature = "testing"))]
pub(crate) use es256::negate_s;
pub use ledger::ed25519::{Known, Signed, Together, all_valid};
pub use public::{KeyError, PublicKey, SignatureInvalid};
pub use secret::{SecretKey, Signer, SigningFailed};

/// A signature of any of our algorithms: 64 bytes, `R||S` for Ed25519, `r||s` for ES256 (RFC 7518 §3.4).
pub type Signature = [u8; 64];
