//! Compact JWS (RFC 7515), read in one pass over borrowed text.

use serde_json::{Map, Value};
use thiserror::Error;

use super::{Jwk, JwkError};
use crate::crypto::{Alg, Known, PublicKey, Signature, Signed, Together};
use crate::encoding::base64url::{self, Base64Error};
use crate::encoding::json::{self, JsonError, Limits};
use crate::encoding::limits;
use crate::problem::Code;

/// The `typ` that the caller demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedTyp<'a> {
    /// This one, byte for byte: no `application/` in front, no other case.
    Exactly(&'a str),
    /// Any or none: only where the format has no `typ`, such as a plain SD-JWT (RFC 9901).
    DangerousAny,
}

/// One of the three parts of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The protected header.
    Header,
    /// The payload.
    Payload,
    /// The signature.
    Signature,
}

/// Why a text is not a JWS that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwsError {
    /// Longer than the limit.
    #[error("JWS is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Not three parts between two dots.
    #[error("JWS does not have three parts")]
    Parts,
    /// A part is not strict base64url.
    #[error("JWS {part:?}: {error}")]
    Encoding {
        /// Which part.
        part: Part,
        /// What is wrong.
        error: Base64Error,
    },
    /// A part is not strict JSON.
    #[error("JWS {part:?}: {error}")]
    Json {
        /// Which part.
        part: Part,
        /// What is wrong.
        error: JsonError,
    },
    /// No `alg`, or not a string.
    #[error("JWS header names no algorithm")]
    AlgMissing,
    /// `alg` is `none` in any spelling: an unsigned token.
    #[error("JWS is unsigned")]
    AlgNone,
    /// `alg` is a MAC: whoever can check it can also make it.
    #[error("JWS is under a symmetric algorithm")]
    AlgSymmetric,
    /// `alg` is outside the closed list.
    #[error("JWS is under an algorithm that is not accepted")]
    AlgUnknown,
    /// `alg` is not the algorithm of the key.
    #[error("JWS algorithm is not the one of the key")]
    AlgKeyMismatch,
    /// `typ` is absent or not a string.
    #[error("JWS header has no typ")]
    TypMissing,
    /// `typ` is another one than demanded.
    #[error("JWS header has another typ")]
    TypWrong,
    /// `crit` demands an extension; we know none.
    #[error("JWS header demands an unknown extension")]
    Critical,
    /// `b64`: an unencoded payload (RFC 7797) is not accepted.
    #[error("JWS payload may not be unencoded")]
    UnencodedPayload,
    /// `kid` is absent where needed, not a string, empty or too long.
    #[error("JWS key id is missing or malformed")]
    Kid,
    /// The header's `jwk`, read because a proof of possession is expected, is absent or no key.
    #[error("JWS header key: {0}")]
    HeaderKey(JwkError),
    /// The signature is not 64 bytes.
    #[error("JWS signature has a wrong length")]
    SignatureLength,
    /// The signature is not by the key.
    #[error("JWS signature does not match")]
    SignatureInvalid,
}

impl JwsError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::JoseJwsTooLarge,
            Self::Parts => Code::JoseJwsParts,
            Self::Encoding { error, part: _ } => error.code(),
            Self::Json { error, part: _ } => error.code(),
            Self::AlgMissing => Code::JoseAlgMissing,
            Self::AlgNone => Code::JoseAlgNone,
            Self::AlgSymmetric => Code::JoseAlgSymmetric,
            Self::AlgUnknown => Code::JoseAlgUnknown,
            Self::AlgKeyMismatch => Code::JoseAlgKeyMismatch,
            Self::TypMissing => Code::JoseTypMissing,
            Self::TypWrong => Code::JoseTypWrong,
            Self::Critical => Code::JoseHeaderCritical,
            Self::UnencodedPayload => Code::JoseHeaderB64,
            Self::Kid => Code::JoseHeaderKid,
            Self::HeaderKey(error) => error.code(),
            Self::SignatureLength => Code::JoseSignatureLength,
            Self::SignatureInvalid => Code::JoseSignatureInvalid,
        }
    }
}

/// A protected header whose `alg` is one of ours and that demands no extension.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    alg: Alg,
    members: Map<String, Value>,
}

impl Header {
    fn decode(text: &str) -> Result<Self, JwsError> {
        if text.len() > limits::JWS_HEADER {
            return Err(JwsError::TooLarge { limit: limits::JWS_HEADER });
        }
        let bytes = decode_part(Part::Header, text)?;
        let members = json::parse_object(&bytes, Limits::of(limits::JWS_HEADER))
            .map_err(|error| JwsError::Json { part: Part::Header, error })?;
        let alg = members.get("alg").and_then(Value::as_str).ok_or(JwsError::AlgMissing).and_then(accept_alg)?;
        // No extension is implemented, so whatever `crit` lists is unknown; an empty list is forbidden anyway.
        if members.contains_key("b64") {
            return Err(JwsError::UnencodedPayload);
        }
        if members.contains_key("crit") {
            return Err(JwsError::Critical);
        }
        Ok(Self { alg, members })
    }

    /// The algorithm, out of the closed list.
    #[must_use]
    pub const fn alg(&self) -> Alg {
        self.alg
    }

    /// `typ`, if it is a string.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.members.get("typ").and_then(Value::as_str)
    }

    /// `kid`: a name to look up in a place the caller trusts. Never a path or an address.
    ///
    /// # Errors
    /// [`JwsError::Kid`] if it is absent, empty, too long or not a string.
    pub fn kid(&self) -> Result<&str, JwsError> {
        let kid = self.members.get("kid").and_then(Value::as_str).ok_or(JwsError::Kid)?;
        if kid.is_empty() || kid.len() > limits::KEY_ID { Err(JwsError::Kid) } else { Ok(kid) }
    }

    /// The `jwk` of a proof of possession, which proves that its sender holds *this* key and nothing about who
    /// that is. For everything else the header's key must not be looked at.
    ///
    /// # Errors
    /// [`JwsError::HeaderKey`].
    pub fn proof_jwk(&self) -> Result<Jwk, JwsError> {
        let value = self.members.get("jwk").ok_or(JwsError::HeaderKey(JwkError::Malformed))?;
        Jwk::from_value(value).map_err(JwsError::HeaderKey)
    }

    /// Any other member, for formats that define one.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn check_typ(&self, expected: ExpectedTyp<'_>) -> Result<(), JwsError> {
        match (expected, self.typ()) {
            (ExpectedTyp::DangerousAny, _) => Ok(()),
            (ExpectedTyp::Exactly(_), None) => Err(JwsError::TypMissing),
            (ExpectedTyp::Exactly(expected), Some(typ)) if typ == expected => Ok(()),
            (ExpectedTyp::Exactly(_), Some(_)) => Err(JwsError::TypWrong),
        }
    }
}

fn accept_alg(name: &str) -> Result<Alg, JwsError> {
    match Alg::parse(name) {
        Some(alg) => Ok(alg),
        None if name.eq_ignore_ascii_case("none") => Err(JwsError::AlgNone),
        None if name.starts_with("HS") => Err(JwsError::AlgSymmetric),
        None => Err(JwsError::AlgUnknown),
    }
}

/// A compact JWS that was taken apart but not believed. Borrows the text it came from.
#[derive(Clone, Debug)]
pub struct UnverifiedJws<'a> {
    compact: &'a str,
    signing_input: &'a str,
    header: Header,
    payload: Vec<u8>,
    signature: Signature,
    /// The key that its signature is known to be by, if it was recognised.
    known_by: Option<PublicKey>,
}

impl<'a> UnverifiedJws<'a> {
    /// Takes a compact JWS apart, up to [`limits::JWS`] bytes.
    ///
    /// # Errors
    /// [`JwsError`] for anything malformed, and for headers we never accept.
    pub fn parse(compact: &'a str) -> Result<Self, JwsError> {
        Self::parse_limited(compact, limits::JWS)
    }

    /// As [`Self::parse`] with another bound on the length, for formats with their own.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_limited(compact: &'a str, limit: usize) -> Result<Self, JwsError> {
        if compact.len() > limit {
            return Err(JwsError::TooLarge { limit });
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Parts)?;
        if payload.contains('.') {
            return Err(JwsError::Parts);
        }
        Ok(Self {
            compact,
            signing_input,
            header: Header::decode(header)?,
            payload: decode_part(Part::Payload, payload)?,
            signature: decode_signature(signature)?,
            known_by: None,
        })
    }

    /// The header. Believed by nobody, useful to find the key.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The text as received.
    #[must_use]
    pub const fn compact(&self) -> &'a str {
        self.compact
    }

    /// The bytes under the signature.
    #[must_use]
    pub const fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The payload before anything was verified: only to find out which key to verify with.
    #[must_use]
    pub fn dangerous_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signature, which nobody has checked.
    #[must_use]
    pub(crate) const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Adds its signature, as one by `key`, to others that are verified together; not one under an algorithm whose signatures
    /// are verified one by one.
    pub(crate) fn join(&self, key: &PublicKey, together: &mut Together) {
        if let Some(signed) = self.signed_by(key) {
            together.add(signed);
        }
    }

    /// Where its signature is known to be by `key`, [`Self::verify`] need not verify it again; nothing else changes.
    pub(crate) fn recognise(&mut self, key: &PublicKey, known: &Known) {
        if self.signed_by(key).is_some_and(|signed| known.holds(&signed)) {
            self.known_by = Some(key.clone());
        }
    }

    fn signed_by<'s>(&'s self, key: &'s PublicKey) -> Option<Signed<'s>> {
        if self.header.alg == key.alg() { key.signed(self.signing_input.as_bytes(), &self.signature) } else { None }
    }

    /// Checks `typ`, that `alg` is the one of `key`, and the signature.
    ///
    /// This does **not** check any claim of the payload.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn verify(self, key: &PublicKey, typ: ExpectedTyp<'_>) -> Result<VerifiedJws<'a>, JwsError> {
        self.check(key, typ)?;
        if self.known_by.as_ref() != Some(key) {
            key.verify(self.signing_input.as_bytes(), &self.signature).map_err(|_| JwsError::SignatureInvalid)?;
        }
        Ok(VerifiedJws { inner: self })
    }

    /// As [`Self::verify`], with low `s` under ES256: the rule for ledger transactions and orders.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn verify_low_s(self, key: &PublicKey, typ: ExpectedTyp<'_>) -> Result<VerifiedJws<'a>, JwsError> {
        self.check(key, typ)?;
        key.verify_low_s(self.signing_input.as_bytes(), &self.signature).map_err(|_| JwsError::SignatureInvalid)?;
        Ok(VerifiedJws { inner: self })
    }

    fn check(&self, key: &PublicKey, typ: ExpectedTyp<'_>) -> Result<(), JwsError> {
        self.header.check_typ(typ)?;
        if self.header.alg == key.alg() { Ok(()) } else { Err(JwsError::AlgKeyMismatch) }
    }
}

/// A compact JWS whose signature and `typ` were checked.
#[derive(Clone, Debug)]
pub struct VerifiedJws<'a> {
    inner: UnverifiedJws<'a>,
}

impl<'a> VerifiedJws<'a> {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.inner.header
    }

    /// The payload, as the signer wrote it.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.inner.payload
    }

    /// The text as received.
    #[must_use]
    pub const fn compact(&self) -> &'a str {
        self.inner.compact
    }

    /// The payload as a JSON object, read strictly.
    ///
    /// # Errors
    /// [`JwsError::Json`].
    pub fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        json::parse_object(&self.inner.payload, Limits::of(self.inner.payload.len()))
            .map_err(|error| JwsError::Json { part: Part::Payload, error })
    }
}

fn decode_part(part: Part, text: &str) -> Result<Vec<u8>, JwsError> {
    base64url::decode(text).map_err(|error| JwsError::Encoding { part, error })
}

fn decode_signature(text: &str) -> Result<Signature, JwsError> {
    base64url::decode_array(text).map_err(|error| match error {
        Base64Error::Length => JwsError::SignatureLength,
        Base64Error::Padding | Base64Error::Character | Base64Error::TrailingBits => {
            JwsError::Encoding { part: Part::Signature, error }
        }
    })
}

#[cfg(test)]
mod tests;
