//! The issuer's own secret, under which it recognises what it gave out: codes, transaction codes, nonces.
//!
//! One 32-byte key and HMAC-SHA-256 (RFC 2104), a purpose inside every tag, so that no tag of one kind passes as
//! another. Because codes carry their tag, a guessed one is refused before any store is read.

use aws_lc_rs::hmac;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::encoding::base64url;

/// Length of a tag that travels: 128 bits, far beyond guessing over a network.
const TAG_BYTES: usize = 16;

/// The key behind an issuer's codes and nonces.
pub struct IssuerSecret(hmac::Key);

impl IssuerSecret {
    /// The secret with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The tag of `parts` for one purpose. Parts are length-prefixed: no two lists share their bytes.
    pub(super) fn tag(&self, purpose: Purpose, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.label().as_bytes());
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        Tag(tag)
    }
}

impl std::fmt::Debug for IssuerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuerSecret")
    }
}

/// What a tag vouches for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Code,
    TxCode,
    Nonce,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Code => "xinfu pre-authorized code\n",
            Self::TxCode => "xinfu transaction code\n",
            Self::Nonce => "xinfu nonce\n",
        }
    }
}

/// A truncated HMAC. Compared in constant time.
#[derive(Clone, Copy, Eq)]
pub struct Tag([u8; TAG_BYTES]);

impl Tag {
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tag")
    }
}

impl Serialize for Tag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        base64url::decode_array(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// `N` random bytes, base64url: 22 characters for 16 of them.
pub(super) fn make_random_text<const N: usize>(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    base64url::encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_differ_by_purpose_key_and_where_parts_end() {
        let secret = IssuerSecret::from_bytes(&[7; 32]);
        let tag = secret.tag(Purpose::Code, &[b"ab", b"c"]);
        assert!(tag == secret.tag(Purpose::Code, &[b"ab", b"c"]));
        assert!(tag != secret.tag(Purpose::Code, &[b"a", b"bc"]));
        assert!(tag != secret.tag(Purpose::Nonce, &[b"ab", b"c"]));
        assert!(tag != IssuerSecret::from_bytes(&[8; 32]).tag(Purpose::Code, &[b"ab", b"c"]));
    }
}
