//! Keys of the agreement. They are P-256 keys as those of ES256, and types keep the two uses apart.

use rand::CryptoRng;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::ALG;
use crate::crypto::{Alg, KeyError, PublicKey, SecretKey, Signer as _};
use crate::encoding::{base64url, limits};
use crate::jose::{Jwk, JwkError};

/// DER of a `PrivateKeyInfo` for a scalar of P-256 (RFC 5208, RFC 5915), up to the 32-byte scalar.
const PRIVATE_DER: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

/// A public key to encrypt to, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionKey {
    point: PublicKey,
    kid: String,
}

impl EncryptionKey {
    /// Reads a JWK of a key set if it is a key for us: P-256, `alg` [`ALG`], `use` `enc` or none. `None` if it is of
    /// another kind or for another use, which is no fault.
    ///
    /// # Errors
    /// [`JwkError`] for a key of this kind that is none: no `kid`, private members, not a point of the curve.
    pub fn from_jwk(value: &Value) -> Result<Option<Self>, JwkError> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let is_for_us = (text("kty"), text("crv"), text("alg")) == (Some("EC"), Some("P-256"), Some(ALG))
            && value.get("use").is_none_or(|purpose| purpose == "enc");
        if !is_for_us {
            return Ok(None);
        }
        let kid = text("kid").filter(|kid| (1..=limits::KEY_ID).contains(&kid.len())).ok_or(JwkError::Malformed)?;
        let mut bare = value.as_object().cloned().unwrap_or_default();
        // These name the use, which was looked at above, and would be held against that of signatures.
        for name in ["use", "key_ops", "alg"] {
            bare.remove(name);
        }
        let point = Jwk::from_value(&Value::Object(bare))?.into_key();
        Ok(Some(Self { point, kid: kid.to_owned() }))
    }

    /// The key as a JWK, with its name and what it is for.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let (x, y) = self.point.coordinates().unwrap_or_default();
        json!({
            "kty": "EC", "crv": "P-256", "x": base64url::encode(x), "y": base64url::encode(y),
            "kid": self.kid, "use": "enc", "alg": ALG,
        })
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        self.point.to_spki()
    }
}

/// A private key to decrypt with. Its bytes are wiped when it is dropped and never printed.
#[derive(Debug)]
pub struct DecryptionKey {
    secret: SecretKey,
    public: EncryptionKey,
}

impl DecryptionKey {
    /// A fresh key out of `rng`, named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyError::ScalarOutOfRange`] if the generator is broken.
    pub fn generate(rng: &mut dyn CryptoRng) -> Result<Self, KeyError> {
        Ok(Self::of(SecretKey::generate(Alg::Es256, rng)?, None))
    }

    /// The key of a 32-byte big-endian scalar, named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyError::ScalarOutOfRange`].
    pub fn from_bytes(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self::of(SecretKey::from_bytes(Alg::Es256, scalar)?, None))
    }

    /// The 32 bytes that [`Self::from_bytes`] takes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &EncryptionKey {
        &self.public
    }

    pub(super) fn of(secret: SecretKey, kid: Option<&str>) -> Self {
        let point = secret.public_key().clone();
        let kid = kid.map_or_else(|| Jwk::new(point.clone()).thumbprint().to_base64url(), str::to_owned);
        Self { secret, public: EncryptionKey { point, kid } }
    }

    pub(super) fn to_der(&self) -> Zeroizing<Vec<u8>> {
        // Reserved in full, so that growing leaves no copy behind.
        let mut der = Zeroizing::new(Vec::with_capacity(PRIVATE_DER.len() + 32));
        der.extend_from_slice(&PRIVATE_DER);
        der.extend_from_slice(self.secret.to_bytes().as_ref());
        der
    }
}
