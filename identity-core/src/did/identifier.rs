//! DID syntax (DID Core 1.0 §3.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::crypto::KeyError;
use crate::encoding::base64url::Base64Error;
use crate::encoding::json::JsonError;
use crate::encoding::limits;
use crate::encoding::multibase::MultibaseError;
use crate::jose::JwkError;
use crate::problem::Code;

/// A decentralized identifier: `did:` method `:` id. Kept as the text it was; equal means equal bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did {
    text: String,
    /// Where the method's name ends.
    method_end: usize,
}

/// Why a text is not a DID, a DID URL or a key that a DID stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DidError {
    /// Longer than [`limits::DID`].
    #[error("DID is too long")]
    TooLong,
    /// Not `did:<method>:<id>` in the characters that DID Core allows.
    #[error("DID is malformed")]
    Malformed,
    /// A DID URL carries a path or a query; ours name a key or a service by fragment only.
    #[error("DID URL carries a path or a query")]
    PathOrQuery,
    /// A DID URL has no fragment, or one with foreign characters.
    #[error("DID URL has no usable fragment")]
    Fragment,
    /// A method we do not resolve.
    #[error("DID method is not supported")]
    UnsupportedMethod,
    /// `did:xinfu`: the chain's name is not `[a-z0-9-]{1,32}`.
    #[error("chain name is malformed")]
    ChainName,
    /// `did:xinfu` and `did:key`: the id is not base58btc of the right length.
    #[error("DID id: {0}")]
    Multibase(MultibaseError),
    /// `did:key`: a kind of key that is not ours.
    #[error("did:key is of an unsupported kind of key")]
    UnsupportedKey,
    /// `did:key`: the bytes are no key.
    #[error("did:key: {0}")]
    Key(KeyError),
    /// `did:jwk`: the id is not strict base64url.
    #[error("did:jwk: {0}")]
    Base64(Base64Error),
    /// `did:jwk`: the id is not strict JSON.
    #[error("did:jwk: {0}")]
    Json(JsonError),
    /// `did:jwk`: the JSON is no public key of ours.
    #[error("did:jwk: {0}")]
    Jwk(JwkError),
}

impl DidError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLong => Code::DidTooLong,
            Self::Malformed => Code::DidMalformed,
            Self::PathOrQuery => Code::DidUrlPathOrQuery,
            Self::Fragment => Code::DidUrlFragment,
            Self::UnsupportedMethod => Code::DidMethodUnsupported,
            Self::ChainName => Code::DidChainName,
            Self::Multibase(error) => error.code(),
            Self::UnsupportedKey => Code::DidKeyUnsupported,
            Self::Key(error) => error.code(),
            Self::Base64(error) => error.code(),
            Self::Json(error) => error.code(),
            Self::Jwk(error) => error.code(),
        }
    }
}

impl Did {
    /// Reads a DID. Any method will do here; the id is checked against the common syntax only.
    ///
    /// # Errors
    /// [`DidError::TooLong`], [`DidError::Malformed`].
    pub fn parse(text: impl Into<String>) -> Result<Self, DidError> {
        let text = text.into();
        if text.len() > limits::DID {
            return Err(DidError::TooLong);
        }
        let rest = text.strip_prefix("did:").ok_or(DidError::Malformed)?;
        let (method, id) = rest.split_once(':').ok_or(DidError::Malformed)?;
        let method_good = !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !method_good || !is_method_specific_id(id) {
            return Err(DidError::Malformed);
        }
        let method_end = "did:".len() + method.len();
        Ok(Self { text, method_end })
    }

    /// The DID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The method's name, such as `xinfu`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text.get("did:".len()..self.method_end).unwrap_or_default()
    }

    /// What follows the method's name and its colon.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text.get(self.method_end + 1..).unwrap_or_default()
    }
}

/// `*( *idchar ":" ) 1*idchar`, where `idchar` is a letter, a digit, `.`, `-`, `_` or a percent-encoded byte.
fn is_method_specific_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    while let Some(byte) = bytes.next() {
        let good = match byte {
            b'%' => {
                bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
            }
            other => other.is_ascii_alphanumeric() || matches!(other, b'.' | b'-' | b'_' | b':'),
        };
        if !good {
            return false;
        }
    }
    !id.is_empty() && !id.ends_with(':')
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Did({})", self.text)
    }
}

impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        Self::parse(text)
    }
}

impl AsRef<str> for Did {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Serialize for Did {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Did {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Did, DidError};

    #[test]
    fn dids_are_taken_apart() {
        let did = Did::parse("did:xinfu:devnet:abc").unwrap();
        assert_eq!((did.method(), did.id()), ("xinfu", "devnet:abc"));
        assert!(Did::parse("did:web:example.org%3A8443:user").is_ok());
        let text = serde_json::to_string(&did).unwrap();
        assert_eq!(serde_json::from_str::<Did>(&text).unwrap(), did);
    }

    #[test]
    fn everything_else_is_refused() {
        let bad = [
            "",
            "did",
            "did:",
            "did:a",
            "did:a:",
            "did::a",
            "did:A:a",
            "DID:a:b",
            "did:a:b:",
            "did:a:b/c",
            "did:a:b#c",
            "did:a:b?c",
            "did:a:b c",
            "did:a:%zz",
            "did:a:%4",
            "did:a:信",
            "did:a:b\n",
            " did:a:b",
            "did:a-b:c",
            "https://a.example/did:a:b",
            "../../etc/passwd",
            "did:a:b/../c",
            "' OR 1=1 --",
        ];
        for text in bad {
            assert_eq!(Did::parse(text), Err(DidError::Malformed), "{text:?}");
        }
        assert_eq!(Did::parse(format!("did:a:{}", "b".repeat(3000))), Err(DidError::TooLong));
    }
}
