//! The hash functions of `_sd_alg`: a closed list (RFC 9901 §4.1.1).

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::encoding::base64url;

/// A hash function for disclosures and `sd_hash`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashAlg {
    /// `sha-256`, also what an absent `_sd_alg` means.
    #[default]
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

/// The longest digest in base64url, in characters.
const LONGEST_TEXT: usize = 86;

/// A digest as it stands in JSON: base64url, 43, 64 or 86 characters.
#[derive(Clone, Copy)]
pub(crate) struct DigestText {
    text: [u8; LONGEST_TEXT],
    length: usize,
}

impl HashAlg {
    /// From the IANA hash name, case-sensitively; `None` for a hash that is unknown or too weak.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha-256" => Some(Self::Sha256),
            "sha-384" => Some(Self::Sha384),
            "sha-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The IANA hash name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The digest of `bytes`, in base64url.
    pub(crate) fn digest(self, bytes: &[u8]) -> DigestText {
        match self {
            Self::Sha256 => DigestText::encode(&Sha256::digest(bytes)),
            Self::Sha384 => DigestText::encode(&Sha384::digest(bytes)),
            Self::Sha512 => DigestText::encode(&Sha512::digest(bytes)),
        }
    }

    /// The digest of `bytes` as a string of its own.
    pub(crate) fn text_of(self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(self.digest(bytes).as_bytes()).into_owned()
    }

    /// Bytes of a digest; also how many random bytes make a decoy.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => DigestText::LONGEST,
        }
    }
}

impl DigestText {
    /// The longest digest in bytes.
    pub(crate) const LONGEST: usize = 64;

    fn encode(digest: &[u8]) -> Self {
        let mut text = [0; LONGEST_TEXT];
        let length = base64url::encode_slice(digest, &mut text);
        Self { text, length }
    }

    /// The digest of something that nobody knows: `random` holds [`HashAlg::length`] random bytes.
    pub(crate) fn decoy(random: &[u8]) -> Self {
        Self::encode(random)
    }

    /// The ASCII text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}
