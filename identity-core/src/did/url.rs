//! DID URLs that name one key or service of a document: a DID and a fragment, nothing else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Did, DidError};
use crate::encoding::limits;

/// An absolute DID URL with a fragment, such as `did:xinfu:…#assert-1`.
///
/// Paths and queries are refused, so that one key has one name: what a `kid` says is compared byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DidUrl {
    did: Did,
    fragment: String,
}

impl DidUrl {
    /// Names `fragment` in the document of `did`.
    ///
    /// # Errors
    /// [`DidError::Fragment`].
    pub fn new(did: Did, fragment: impl Into<String>) -> Result<Self, DidError> {
        let fragment = fragment.into();
        if is_fragment(&fragment) { Ok(Self { did, fragment }) } else { Err(DidError::Fragment) }
    }

    /// Reads a DID URL.
    ///
    /// # Errors
    /// [`DidError`] for a malformed DID, a path, a query, or a missing fragment.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if text.len() > limits::DID {
            return Err(DidError::TooLong);
        }
        let (before, fragment) = text.split_once('#').ok_or(DidError::Fragment)?;
        if before.contains(['/', '?']) {
            return Err(if before.starts_with("did:") { DidError::PathOrQuery } else { DidError::Malformed });
        }
        Self::new(Did::parse(before)?, fragment)
    }

    /// The DID.
    #[must_use]
    pub const fn did(&self) -> &Did {
        &self.did
    }

    /// The fragment, without `#`.
    #[must_use]
    pub fn fragment(&self) -> &str {
        &self.fragment
    }
}

/// Letters, digits and `-._~`: safe in a URL, a path, a log and a terminal. RFC 3986 allows more; no method needs it.
fn is_fragment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.did, self.fragment)
    }
}

impl fmt::Debug for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DidUrl({self})")
    }
}

impl FromStr for DidUrl {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        Self::parse(text)
    }
}

impl Serialize for DidUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DidUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{DidError, DidUrl};

    #[test]
    fn a_key_has_one_name() {
        let url = DidUrl::parse("did:xinfu:devnet:abc#assert-1").unwrap();
        assert_eq!((url.did().as_str(), url.fragment()), ("did:xinfu:devnet:abc", "assert-1"));
        assert_eq!(url.to_string(), "did:xinfu:devnet:abc#assert-1");
    }

    #[test]
    fn hostile_key_ids_are_no_names() {
        for (text, refusal) in [
            ("did:a:b", DidError::Fragment),
            ("did:a:b#", DidError::Fragment),
            ("did:a:b##", DidError::Fragment),
            ("did:a:b#c#d", DidError::Fragment),
            ("did:a:b#c/../d", DidError::Fragment),
            ("did:a:b#' OR 1=1 --", DidError::Fragment),
            ("did:a:b/../c#k", DidError::PathOrQuery),
            ("did:a:b?versionId=1#k", DidError::PathOrQuery),
            ("../../etc/passwd", DidError::Fragment),
            ("http://169.254.169.254/#k", DidError::Malformed),
            ("#k", DidError::Malformed),
        ] {
            assert_eq!(DidUrl::parse(text), Err(refusal), "{text}");
        }
    }
}
