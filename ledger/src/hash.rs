//! One kind of digest: SHA-256, over the exact bytes that travelled.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::base64;

/// A SHA-256 digest, 32 bytes.
///
/// In JSON it is base64url without padding (43 characters); in C2SP texts it is standard base64 (44 characters).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::LENGTH]);

impl Hash {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The 32 bytes, by value.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    /// Lowercase hexadecimal, 64 characters.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Standard base64 with padding, as C2SP texts write digests.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode_standard(&self.0)
    }

    /// base64url without padding, as our JSON writes digests.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64::encode_url(&self.0)
    }

    /// Reads 64 lowercase hexadecimal characters.
    ///
    /// # Errors
    /// [`HashError`] for any other length or character, uppercase included: one digest has one spelling.
    pub fn from_hex(text: &str) -> Result<Self, HashError> {
        let mut bytes = [0u8; Self::LENGTH];
        if text.len() != 2 * Self::LENGTH {
            return Err(HashError);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = *pair else { return Err(HashError) };
            *byte = (hex_digit(high)? << 4) | hex_digit(low)?;
        }
        Ok(Self(bytes))
    }

    /// Reads standard base64 with padding.
    ///
    /// # Errors
    /// [`HashError`] unless it is the one spelling of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, HashError> {
        base64::decode_standard_array(text).map(Self).ok_or(HashError)
    }

    /// Reads base64url without padding.
    ///
    /// # Errors
    /// [`HashError`] unless it is the one spelling of 32 bytes.
    pub fn from_base64url(text: &str) -> Result<Self, HashError> {
        base64::decode_url_array(text).map(Self).ok_or(HashError)
    }

    /// Takes exactly 32 bytes.
    ///
    /// # Errors
    /// [`HashError`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Self).map_err(|_| HashError)
    }
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// The text or bytes are not one digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest in its one spelling")]
pub struct HashError;

impl From<[u8; Hash::LENGTH]> for Hash {
    fn from(bytes: [u8; Hash::LENGTH]) -> Self {
        Self(bytes)
    }
}

impl From<Hash> for [u8; Hash::LENGTH] {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", self.to_hex())
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64url())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An owned string, because a borrowed one refuses input that holds a JSON escape.
        let text = String::deserialize(deserializer)?;
        Self::from_base64url(&text).map_err(de::Error::custom)
    }
}

fn hex_digit(character: u8) -> Result<u8, HashError> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(HashError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling_in_each_alphabet() {
        let hash = sha256(b"abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_hex(), hex);
        assert_eq!(Hash::from_hex(hex), Ok(hash));
        assert_eq!(Hash::from_hex(&hex.to_uppercase()), Err(HashError));
        assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
        assert_eq!(Hash::from_base64url(&hash.to_base64url()), Ok(hash));
        assert_eq!(Hash::from_base64url(&hash.to_base64()), Err(HashError));
    }

    #[test]
    fn trailing_bits_and_padding_are_refused() {
        let good = sha256(b"abc").to_base64url();
        assert!(good.ends_with('0'));
        let same_bytes_other_spelling = format!("{}1", &good[..42]);
        assert_eq!(Hash::from_base64url(&same_bytes_other_spelling), Err(HashError));
        assert_eq!(Hash::from_base64url(&format!("{good}=")), Err(HashError));
    }

    #[test]
    fn a_digest_is_its_bytes() {
        let hash = sha256(b"abc");
        assert_eq!(<[u8; 32]>::from(hash), hash.to_bytes());
        assert_eq!(Hash::from_slice(hash.as_ref()), Ok(hash));
        assert_eq!(Hash::from_slice(&hash.as_bytes()[1..]), Err(HashError));
    }

    #[test]
    fn json_is_base64url() {
        let hash = sha256(b"abc");
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{}\"", hash.to_base64url()));
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    }
}
