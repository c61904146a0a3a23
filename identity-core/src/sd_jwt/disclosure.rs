//! One disclosure as it travels: base64url of `[salt, name, value]` or `[salt, value]` (RFC 9901 §4.2).

use serde_json::Value;

use super::error::SdJwtError;
use super::hash::{DigestText, HashAlg};
use crate::encoding::json::{self, Limits};
use crate::encoding::{base64url, limits};

/// A disclosure that came along, with its digest, not yet matched to anything.
pub(crate) struct Offered<'t> {
    text: &'t str,
    digest: DigestText,
    /// Its place among the disclosures, counted from 0.
    pub(crate) position: usize,
    /// Whether a digest has referred to it.
    pub(crate) used: bool,
}

/// What a disclosure says. The salt has done its work once the digest is compared.
pub(crate) enum Content {
    /// A claim of an object.
    Member {
        /// The claim's name.
        name: String,
        /// The claim's value, which may conceal more.
        value: Value,
    },
    /// An element of an array.
    Element {
        /// The element, which may conceal more.
        value: Value,
    },
}

impl<'t> Offered<'t> {
    /// Hashes the disclosure exactly as it came.
    pub(crate) fn new(text: &'t str, position: usize, hash: HashAlg) -> Self {
        Self { text, digest: hash.digest(text.as_bytes()), position, used: false }
    }

    pub(crate) fn digest(&self) -> &[u8] {
        self.digest.as_bytes()
    }

    /// Reads the content.
    pub(crate) fn parse(&self) -> Result<Content, SdJwtError> {
        let bytes = base64url::decode(self.text).map_err(SdJwtError::DisclosureBase64)?;
        let value = json::parse_strict(&bytes, Limits::of(limits::SD_JWT)).map_err(SdJwtError::DisclosureJson)?;
        let Value::Array(parts) = value else { return Err(SdJwtError::DisclosureShape) };
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Value::String(_)), Some(value), None, None) => Ok(Content::Element { value }),
            (Some(Value::String(_)), Some(Value::String(name)), Some(value), None) => {
                Ok(Content::Member { name, value })
            }
            _ => Err(SdJwtError::DisclosureShape),
        }
    }
}
