//! Public keys as certificates and TLS libraries write them: `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
//!
//! For each kind of key there is one encoding in DER, a fixed head and the key's own bytes, so reading is comparing.

use super::{KeyError, PublicKey};

/// The head of a P-256 key (RFC 5480), before its uncompressed point.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The head of an Ed25519 key (RFC 8410).
const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl PublicKey {
    /// Reads a key from its `SubjectPublicKeyInfo`. `None` if it is of another kind than ours.
    ///
    /// # Errors
    /// [`KeyError`] if it is of our kind and no key.
    pub fn from_spki(der: &[u8]) -> Result<Option<Self>, KeyError> {
        if let Some(point) = der.strip_prefix(&P256) {
            return Self::p256(point).map(Some);
        }
        let Some(bytes) = der.strip_prefix(&ED25519) else { return Ok(None) };
        Self::ed25519(bytes.try_into().map_err(|_| KeyError::Length)?).map(Some)
    }

    /// The key as a `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        let head: &[u8] = match self {
            Self::Ed25519(_) => &ED25519,
            Self::P256(_) => &P256,
        };
        [head, self.bytes()].concat()
    }
}
