//! Public keys as JWK (RFC 7517, 7518 §6.2, 8037), read strictly, and their thumbprints (RFC 7638).

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::crypto::{Alg, KeyError, PublicKey};
use crate::encoding::base64url::{self, Base64Error};
use crate::encoding::limits;
use crate::problem::Code;

/// A public signature key as a JWK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    key: PublicKey,
    kid: Option<String>,
}

/// Why a JSON value is not a public signature key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwkError {
    /// Not an object, or a member is missing or of the wrong type.
    #[error("JWK is malformed")]
    Malformed,
    /// Private members (`d`, `k` and the like): someone sent a secret.
    #[error("JWK carries private members")]
    Private,
    /// Another kind of key or curve than ours.
    #[error("JWK is of an unsupported kind")]
    Unsupported,
    /// `use` or `key_ops` says it is not for verifying signatures.
    #[error("JWK is not for verifying signatures")]
    Purpose,
    /// `alg` names another algorithm than the one of the key.
    #[error("JWK names an algorithm that is not the one of its key")]
    Algorithm,
    /// A coordinate is not strict base64url of 32 bytes.
    #[error("JWK coordinate: {0}")]
    Coordinate(Base64Error),
    /// The coordinates are not a key.
    #[error("JWK: {0}")]
    Key(KeyError),
}

impl JwkError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::JoseJwkMalformed,
            Self::Private => Code::JoseJwkPrivate,
            Self::Unsupported => Code::JoseJwkUnsupported,
            Self::Purpose => Code::JoseJwkPurpose,
            Self::Algorithm => Code::JoseJwkAlgorithm,
            Self::Coordinate(error) => error.code(),
            Self::Key(error) => error.code(),
        }
    }
}

/// Members that only private or symmetric keys have (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Jwk {
    /// The JWK of a key, without `kid`.
    #[must_use]
    pub const fn new(key: PublicKey) -> Self {
        Self { key, kid: None }
    }

    /// The same key, named.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<String>) -> Self {
        Self { kid: Some(kid.into()), ..self }
    }

    /// Reads a JWK. Members we know nothing of are ignored, as RFC 7517 asks.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn from_value(value: &Value) -> Result<Self, JwkError> {
        let members = value.as_object().ok_or(JwkError::Malformed)?;
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(JwkError::Private);
        }
        let key = match (text(members, "kty")?, text(members, "crv")) {
            ("OKP", Ok("Ed25519")) => PublicKey::ed25519(&coordinate(members, "x")?).map_err(JwkError::Key)?,
            ("EC", Ok("P-256")) => p256(&coordinate(members, "x")?, &coordinate(members, "y")?)?,
            ("OKP" | "EC", Err(error)) => return Err(error),
            (_, _) => return Err(JwkError::Unsupported),
        };
        check_purpose(members, key.alg())?;
        Ok(Self { key, kid: read_kid(members)? })
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The key, by value.
    #[must_use]
    pub fn into_key(self) -> PublicKey {
        self.key
    }

    /// Its `kid`, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The JWK as JSON: required members, then `kid` if there is one.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = match self.key.coordinates() {
            None => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(self.key.bytes())}),
            Some((x, y)) => {
                json!({"kty": "EC", "crv": "P-256", "x": base64url::encode(x), "y": base64url::encode(y)})
            }
        };
        if let (Some(kid), Some(members)) = (&self.kid, value.as_object_mut()) {
            members.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        value
    }

    /// The exact text whose SHA-256 is the thumbprint: required members only, in lexical order (RFC 7638 §3).
    #[must_use]
    pub fn thumbprint_input(&self) -> String {
        match self.key.coordinates() {
            None => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url::encode(self.key.bytes())),
            Some((x, y)) => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url::encode(x), base64url::encode(y))
            }
        }
    }

    /// The thumbprint: SHA-256 of [`Self::thumbprint_input`].
    #[must_use]
    pub fn thumbprint(&self) -> ledger::Hash {
        ledger::sha256(self.thumbprint_input().as_bytes())
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, JwkError> {
    members.get(name).and_then(Value::as_str).ok_or(JwkError::Malformed)
}

fn coordinate(members: &Map<String, Value>, name: &str) -> Result<[u8; 32], JwkError> {
    base64url::decode_array(text(members, name)?).map_err(JwkError::Coordinate)
}

fn p256(x: &[u8; 32], y: &[u8; 32]) -> Result<PublicKey, JwkError> {
    let mut sec1 = [4_u8; 65];
    let (_, coordinates) = sec1.split_at_mut(1);
    for (target, source) in coordinates.iter_mut().zip(x.iter().chain(y)) {
        *target = *source;
    }
    PublicKey::p256(&sec1).map_err(JwkError::Key)
}

fn check_purpose(members: &Map<String, Value>, alg: Alg) -> Result<(), JwkError> {
    if members.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(JwkError::Purpose);
    }
    let may_verify = |operations: &Value| {
        operations.as_array().is_some_and(|operations| operations.iter().any(|operation| operation == "verify"))
    };
    if members.get("key_ops").is_some_and(|operations| !may_verify(operations)) {
        return Err(JwkError::Purpose);
    }
    if members.get("alg").is_some_and(|name| name.as_str().and_then(Alg::parse) != Some(alg)) {
        return Err(JwkError::Algorithm);
    }
    Ok(())
}

fn read_kid(members: &Map<String, Value>) -> Result<Option<String>, JwkError> {
    match members.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= limits::KEY_ID => Ok(Some(kid.clone())),
        Some(_) => Err(JwkError::Malformed),
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Member by member, in lexical order: the ledger's state roots depend on these very bytes, and must not depend
        // on which order `serde_json` was built to keep.
        let mut members = serializer.serialize_map(None)?;
        let (kind, curve, x, y) = match self.key.coordinates() {
            None => ("OKP", "Ed25519", self.key.bytes(), None),
            Some((x, y)) => ("EC", "P-256", x, Some(y)),
        };
        members.serialize_entry("crv", curve)?;
        if let Some(kid) = &self.kid {
            members.serialize_entry("kid", kid)?;
        }
        members.serialize_entry("kty", kind)?;
        members.serialize_entry("x", &base64url::encode(x))?;
        if let Some(y) = y {
            members.serialize_entry("y", &base64url::encode(y))?;
        }
        members.end()
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
