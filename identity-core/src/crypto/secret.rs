//! Secret keys, and the port through which anything is signed.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::es256::Pair;
use super::{Alg, KeyError, PublicKey, Signature};
use crate::problem::Code;

/// Whatever can sign: a key in memory, or one behind a device.
///
/// There is no way to hand in a public key beside the secret one: signing with a mismatched pair gives an Ed25519
/// key away (RUSTSEC-2022-0093).
pub trait Signer {
    /// The key that verifies what this signs.
    fn public_key(&self) -> &PublicKey;

    /// Signs the exact bytes of `message`.
    ///
    /// # Errors
    /// [`SigningFailed`] if the key store or the generator of nonces fails.
    fn sign(&self, message: &[u8]) -> Result<Signature, SigningFailed>;

    /// The algorithm of the key.
    fn alg(&self) -> Alg {
        self.public_key().alg()
    }
}

/// The signer could not sign. Not the fault of any input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("signing failed")]
pub struct SigningFailed;

impl SigningFailed {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::JoseSigningFailed
    }
}

/// A secret key in memory. Its bytes are wiped when it is dropped and never printed.
pub struct SecretKey {
    bytes: Zeroizing<[u8; 32]>,
    pair: KeyPair,
    public: PublicKey,
}

enum KeyPair {
    Ed25519(Ed25519KeyPair),
    P256(Pair),
}

impl SecretKey {
    /// A fresh key out of `rng`.
    ///
    /// # Errors
    /// [`KeyError::ScalarOutOfRange`] if the generator is broken: sixteen candidates in a row were unusable.
    pub fn generate(alg: Alg, rng: &mut dyn CryptoRng) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        // One P-256 candidate in 2^32 is not below the order; every Ed25519 seed will do.
        for _ in 0..16 {
            rng.fill_bytes(seed.as_mut());
            if let Ok(key) = Self::from_bytes(alg, &seed) {
                return Ok(key);
            }
        }
        Err(KeyError::ScalarOutOfRange)
    }

    /// A key from its 32 bytes: the seed of Ed25519 (RFC 8032), the big-endian scalar of P-256.
    ///
    /// # Errors
    /// [`KeyError::ScalarOutOfRange`].
    pub fn from_bytes(alg: Alg, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let (pair, public) = match alg {
            Alg::EdDsa => ed25519(bytes)?,
            Alg::Es256 => p256(bytes)?,
        };
        Ok(Self { bytes: Zeroizing::new(*bytes), pair, public })
    }

    /// The 32 bytes that [`Self::from_bytes`] takes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.bytes.clone()
    }
}

fn ed25519(seed: &[u8; 32]) -> Result<(KeyPair, PublicKey), KeyError> {
    // "Unchecked" is about a public key handed in beside the seed; none is, it is derived here.
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::ScalarOutOfRange)?;
    let public = PublicKey::ed25519(pair.public_key().as_ref().try_into().map_err(|_| KeyError::Length)?)?;
    Ok((KeyPair::Ed25519(pair), public))
}

fn p256(scalar: &[u8; 32]) -> Result<(KeyPair, PublicKey), KeyError> {
    let pair = Pair::from_scalar(scalar)?;
    let public = PublicKey::P256(pair.point().clone());
    Ok((KeyPair::P256(pair), public))
}

impl Signer for SecretKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningFailed> {
        match &self.pair {
            KeyPair::Ed25519(pair) => pair
                .try_sign(message)
                .ok()
                .and_then(|signature| signature.as_ref().try_into().ok())
                .ok_or(SigningFailed),
            KeyPair::P256(pair) => pair.sign(message),
        }
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({}, redacted)", self.alg().name())
    }
}
