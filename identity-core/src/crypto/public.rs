//! Public keys, and the one place where a signature is checked.

use thiserror::Error;

use super::es256::{self, Point};
use super::{Alg, Signature, Signed};
use crate::problem::Code;

/// A public key that was checked when it was made: a valid point, not of small order.
#[derive(Clone)]
pub enum PublicKey {
    /// Ed25519. What counts as a valid signature is defined once, in [`ledger::ed25519`].
    Ed25519(ledger::ed25519::PublicKey),
    /// P-256.
    P256(Point),
}

/// Why bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A wrong number of bytes for this kind of key.
    #[error("key has a wrong length")]
    Length,
    /// Not a point of the curve, spelled in another than the canonical way, or of small order.
    #[error("key is no acceptable point of its curve")]
    NotOnCurve,
    /// A private scalar of zero, or not below the order of the group.
    #[error("private key is out of range")]
    ScalarOutOfRange,
}

impl KeyError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Length => Code::JoseJwkLength,
            Self::NotOnCurve => Code::JoseJwkPoint,
            Self::ScalarOutOfRange => Code::JoseJwkScalar,
        }
    }
}

/// The signature is not one of this message by this key. Nothing more can be said about why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("signature does not match")]
pub struct SignatureInvalid;

impl PublicKey {
    /// An Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError::NotOnCurve`] for non-canonical, off-curve and small-order points.
    pub fn ed25519(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        ledger::ed25519::PublicKey::from_bytes(bytes).map(Self::Ed25519).map_err(|_| KeyError::NotOnCurve)
    }

    /// A P-256 key in SEC 1 form, compressed or uncompressed.
    ///
    /// # Errors
    /// [`KeyError`] if it is not a point of the curve.
    pub fn p256(sec1: &[u8]) -> Result<Self, KeyError> {
        Point::from_sec1(sec1).map(Self::P256)
    }

    /// The one algorithm this key is for.
    #[must_use]
    pub const fn alg(&self) -> Alg {
        match self {
            Self::Ed25519(_) => Alg::EdDsa,
            Self::P256(_) => Alg::Es256,
        }
    }

    /// The key's own bytes: 32 for Ed25519, 65 (SEC 1 uncompressed) for P-256.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key.as_bytes(),
            Self::P256(point) => point.uncompressed(),
        }
    }

    /// The coordinates of a P-256 key, 32 bytes each; `None` for Ed25519.
    #[must_use]
    pub fn coordinates(&self) -> Option<(&[u8], &[u8])> {
        match self {
            Self::Ed25519(_) => None,
            Self::P256(point) => Some(point.coordinates()),
        }
    }

    /// Checks that `signature` is one of `message` by this key.
    ///
    /// # Errors
    /// [`SignatureInvalid`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureInvalid> {
        match self {
            Self::Ed25519(key) => key.verify(message, signature).map_err(|_| SignatureInvalid),
            Self::P256(point) => point.verify(message, signature),
        }
    }

    /// What is to be verified together with other signatures ([`super::Together`]); nothing for an algorithm whose
    /// signatures are verified one by one.
    #[must_use]
    pub const fn signed<'a>(&'a self, message: &'a [u8], signature: &'a Signature) -> Option<Signed<'a>> {
        match self {
            Self::Ed25519(key) => Some(Signed { key, message, signature }),
            Self::P256(_) => None,
        }
    }

    /// As [`Self::verify`], and ES256 signatures need low `s`, so that nobody can make a second signature out of
    /// one. The rule for ledger transactions and orders, whose digest is their identity. (Ed25519 has `s` below the
    /// order by definition.)
    ///
    /// # Errors
    /// [`SignatureInvalid`].
    pub fn verify_low_s(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureInvalid> {
        match self {
            Self::Ed25519(_) => {}
            Self::P256(_) if es256::is_low_s(signature) => {}
            Self::P256(_) => return Err(SignatureInvalid),
        }
        self.verify(message, signature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.alg() == other.alg() && self.bytes() == other.bytes()
    }
}

impl Eq for PublicKey {}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Pairwise keys of citizens are personal data: the kind is all that may reach a log.
        write!(f, "PublicKey({})", self.alg().name())
    }
}
