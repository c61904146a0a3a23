//! The one definition of a valid Ed25519 signature, for every signature in the project.
//!
//! RFC 8032 leaves room: some verifiers accept what others refuse, and a batch equation may accept what the single one
//! refuses. On a ledger that is a fork, so the set is fixed here. Let `B` be the base point, `L` its prime order, `A`
//! the public key's point, and `R || S` the 64 bytes of the signature. It is valid for message `M` exactly when
//!
//! 1. the 32 bytes of `A` are the canonical encoding of a point (§5.1.3: `y < p`; if `x = 0`, the sign bit is clear);
//! 2. `A` is not of small order: `[8]A` is not the neutral element;
//! 3. `S`, little-endian, is less than `L` (§5.1.7 step 1);
//! 4. the 32 bytes of `R` are the canonical encoding of a point;
//! 5. `[8]([S]B - R - [k]A)` is the neutral element, with `k = SHA-512(R || A || M) mod L` over the bytes as received
//!    (§5.1.7 step 3; `[k]A` first and `[8]` last, never `[8k mod L]A`, which differs when `A` is not of order `L`).
//!
//! # Why these rules
//! - Canonical encodings (1, 4) and a reduced `S` (3) leave nobody a second spelling of a signature that they were given.
//! - A key of small order (2) has signatures that hold for every message, so it would bind its owner to nothing.
//! - The factor 8 (5) is what makes verifying many at once agree with verifying one. A batch sums the equations with
//!   random coefficients; components of small order may cancel in the sum, or not, by chance. Multiplied by 8 they
//!   vanish in both. So a valid signature is valid in every batch, and an invalid one in none but with probability 2^-128.
//! - `A` may have a component of small order beside one of order `L`, and `R` may be of small order altogether: neither
//!   helps anyone but the owner of the key to make a signature.
//!
//! Others differ: FIPS 186-5 and RFC 8032 allow keys of small order; ZIP 215 allows second encodings; libraries called
//! "strict" refuse `R` of small order and leave out the factor 8. On what honest signers make, all of them agree.
//! `conformance/tests/ed25519_edges.rs` holds the situations in which they do not.
//!
//! # What it costs
//! Whoever signs by RFC 8032 also satisfies the equation without the factor 8, and that one needs no decoding of `R`:
//! compute `R' = [S]B - [k]A` and compare its encoding with the bytes received. Equal bytes imply (4), because encoding
//! is canonical, and (5), because then `R' = R`. So that is tried first; only a mismatch, which means a forgery or a
//! strange signer, pays for the whole equation.
//!
//! # What it does not check
//! Whose key it is, and whether the message means anything.

mod batch;

use std::fmt;

pub use batch::{Known, Signed, Together, all_valid};
use curve25519_dalek::Scalar;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::IsIdentity;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use sha2::{Digest, Sha512};

/// A public key that satisfies rules 1 and 2, ready to verify with.
///
/// ```
/// use ledger::ed25519::{PublicKey, PublicKeyError, SignatureError};
///
/// // RFC 8032 §7.1, test 1: the empty message.
/// let key = ledger::Hash::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
/// let r = ledger::Hash::from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155").unwrap();
/// let s = ledger::Hash::from_hex("5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b").unwrap();
/// let signature: [u8; 64] = [r.to_bytes(), s.to_bytes()].concat().try_into().unwrap();
///
/// let key = PublicKey::from_bytes(key.as_bytes()).unwrap();
/// assert_eq!(key.verify(b"", &signature), Ok(()));
/// assert_eq!(key.verify(b"x", &signature), Err(SignatureError::Mismatch));
/// assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(PublicKeyError::SmallOrder));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Length of the encoding in bytes.
    pub const LENGTH: usize = 32;

    /// Decodes a public key, RFC 8032 §5.1.3.
    ///
    /// # Errors
    /// [`PublicKeyError`] if the bytes are not the canonical encoding of a point (rule 1) or the point is of small
    /// order (rule 2).
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, PublicKeyError> {
        if !is_canonical(bytes) {
            return Err(PublicKeyError::NonCanonical);
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::NotAPoint)?;
        if key.is_weak() {
            return Err(PublicKeyError::SmallOrder);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of the encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        self.0.as_bytes()
    }

    /// Verifies `signature` over `message` by the definition at the head of this module.
    ///
    /// # Errors
    /// [`SignatureError`] naming the rule that does not hold.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> Result<(), SignatureError> {
        let signature = Signature::from_bytes(signature);
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*signature.s_bytes()))
            .ok_or(SignatureError::ScalarNotReduced)?;
        if self.0.verify(message, &signature).is_ok() {
            return Ok(());
        }
        self.verify_cofactored(message, signature.r_bytes(), &s)
    }

    /// Rules 4 and 5, given `s` that satisfies rule 3.
    fn verify_cofactored(&self, message: &[u8], r_bytes: &[u8; 32], s: &Scalar) -> Result<(), SignatureError> {
        let r = decode_point(r_bytes).ok_or(SignatureError::CommitmentNotCanonical)?;
        let k =
            Scalar::from_hash(Sha512::new().chain_update(r_bytes).chain_update(self.as_bytes()).chain_update(message));
        let minus_a = -self.0.to_edwards();
        let recomputed_r = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &minus_a, s);
        if (recomputed_r - r).mul_by_cofactor().is_identity() { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// Length of a signature, `R || S`, in bytes.
pub const SIGNATURE_LENGTH: usize = 64;

/// Why 32 bytes are not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// The encoding is not canonical (rule 1).
    #[error("the encoding of the public key is not canonical")]
    NonCanonical,
    /// No point of the curve has this encoding (rule 1).
    #[error("the public key is not a point of the curve")]
    NotAPoint,
    /// The point has order 1, 2, 4 or 8 (rule 2).
    #[error("the public key is a point of small order")]
    SmallOrder,
}

/// Why 64 bytes are not a signature of the message by the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `S` is not less than `L` (rule 3).
    #[error("the signature's scalar is not reduced")]
    ScalarNotReduced,
    /// `R` is not the canonical encoding of a point (rule 4). Only reported when the signature is otherwise unproven.
    #[error("the signature's first half is not the canonical encoding of a point")]
    CommitmentNotCanonical,
    /// The equation does not hold (rule 5): another message, another key, or altered bytes.
    #[error("the signature does not fit the message and the key")]
    Mismatch,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519::PublicKey(..)")
    }
}

fn decode_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    if is_canonical(bytes) { CompressedEdwardsY(*bytes).decompress() } else { None }
}

/// Whether `bytes`, if they encode a point at all, are the one canonical encoding of it.
///
/// The library's decoder takes `y` modulo `p = 2^255 - 19` and lets `-0` pass, so both are looked at here. `x = 0` only
/// for `y = 1` and `y = -1`.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    y_is_reduced(bytes) && !matches!(bytes, ONE_WITH_SIGN | MINUS_ONE_WITH_SIGN)
}

/// Whether the low 255 bits are less than `2^255 - 19`, whose little-endian bytes are `ed ff .. ff 7f`.
fn y_is_reduced(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff) || *low < 0xed
}

/// `y = 1`, sign bit set: a second encoding of the neutral element.
const ONE_WITH_SIGN: &[u8; 32] = b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80";

/// `y = -1`, sign bit set: a second encoding of the point of order 2.
const MINUS_ONE_WITH_SIGN: &[u8; 32] = b"\
    \xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
    \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";

#[cfg(test)]
mod tests;
