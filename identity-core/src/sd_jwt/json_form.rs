//! The JSON serialisations (RFC 9901 §8): written from, and turned back into, the compact form.
//!
//! There is one way to read an SD-JWT. A JSON serialisation becomes the compact form first: RFC 9901 §8.1 demands
//! it for `sd_hash` anyway, the bytes under the signature are the same, and an anchor's digest is taken of it.
//!
//! Of several signatures **the first one counts**: it is the one that `disclosures`, `kb_jwt` and `sd_hash` belong
//! to. The others must have the shape of signatures, are not verified, and lend no authority.

use serde_json::{Map, Value, json};

use super::error::SdJwtError;
use super::parse::{self, UnverifiedSdJwt};
use crate::encoding::json::{self, Limits};
use crate::encoding::{base64url, limits};
use crate::jose::JwsError;

/// A JSON serialisation of a JWS (RFC 7515 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonForm {
    /// One signature, beside the payload.
    Flattened,
    /// An array of signatures; ours has one.
    General,
}

/// Turns a JSON serialisation, flattened or general, into the compact form, for [`UnverifiedSdJwt::parse`].
/// Nothing is believed: no signature and no digest is looked at.
///
/// # Errors
/// The variants of [`SdJwtError`] that speak of the JSON serialisation; [`SdJwtError::Jws`] for a header parameter
/// that must be signed and is not, or that is no base64url of a JSON object.
///
/// ```
/// use identity_core::sd_jwt::{JsonForm, compact_from_json, json_from_compact};
///
/// # let compact = "eyJhbGciOiJFUzI1NiJ9.e30.\
/// #     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA~W10~";
/// let json = json_from_compact(compact, JsonForm::Flattened)?;
/// assert_eq!(compact_from_json(&json)?, compact);
/// # Ok::<(), identity_core::sd_jwt::SdJwtError>(())
/// ```
pub fn compact_from_json(text: &str) -> Result<String, SdJwtError> {
    let jws = json::parse_object(text.as_bytes(), Limits::of(limits::SD_JWT)).map_err(SdJwtError::Json)?;
    let signatures = signatures(&jws)?;
    let (first, others) = signatures.split_first().ok_or(SdJwtError::JsonShape)?;
    for other in others {
        check_headers(other)?;
        if OURS.iter().any(|name| other.header.is_some_and(|header| header.contains_key(*name))) {
            return Err(SdJwtError::JsonMisplaced);
        }
    }
    check_headers(first)?;
    let payload = encoded(jws.get("payload"))?;
    let mut compact = format!("{}.{payload}.{}~", first.protected, first.signature);
    for disclosure in disclosures(first)? {
        compact.push_str(encoded(Some(disclosure))?);
        compact.push('~');
    }
    compact.push_str(kb_jwt(first)?);
    Ok(compact)
}

/// Writes the compact form of an SD-JWT, with or without key binding, as JSON.
///
/// # Errors
/// As [`UnverifiedSdJwt::parse`].
pub fn json_from_compact(compact: &str, form: JsonForm) -> Result<String, SdJwtError> {
    let parsed = UnverifiedSdJwt::parse(compact)?;
    let mut parts = parsed.jws().compact().split('.');
    let [Some(protected), Some(payload), Some(signature)] = [parts.next(), parts.next(), parts.next()] else {
        return Err(SdJwtError::Jws(JwsError::Parts));
    };
    let disclosures: Vec<&str> = parse::texts(parsed.disclosures()).collect();
    let mut header = json!({ "disclosures": disclosures });
    if let (Some(kb_jwt), Some(members)) = (parsed.kb_jwt(), header.as_object_mut()) {
        members.insert("kb_jwt".to_owned(), Value::from(kb_jwt));
    }
    let signature = json!({ "protected": protected, "header": header, "signature": signature });
    Ok(match (form, signature) {
        (JsonForm::Flattened, Value::Object(mut members)) => {
            members.insert("payload".to_owned(), Value::from(payload));
            Value::Object(members).to_string()
        }
        (_, signature) => json!({ "payload": payload, "signatures": [signature] }).to_string(),
    })
}

/// The unprotected header parameters of RFC 9901 §8.1, at home in the first unprotected header and nowhere else.
const OURS: [&str; 2] = ["disclosures", "kb_jwt"];

struct Signature<'j> {
    protected: &'j str,
    signature: &'j str,
    /// The unprotected header.
    header: Option<&'j Map<String, Value>>,
}

fn signatures(jws: &Map<String, Value>) -> Result<Vec<Signature<'_>>, SdJwtError> {
    // Older drafts had them here. Ignored, they would be lost without a word.
    if OURS.iter().any(|name| jws.contains_key(*name)) {
        return Err(SdJwtError::JsonMisplaced);
    }
    let Some(signatures) = jws.get("signatures") else { return Ok(vec![signature(jws)?]) };
    if ["protected", "header", "signature"].iter().any(|name| jws.contains_key(*name)) {
        return Err(SdJwtError::JsonMixed);
    }
    let signatures = signatures.as_array().ok_or(SdJwtError::JsonShape)?;
    if signatures.len() > limits::JWS_SIGNATURES {
        return Err(SdJwtError::JsonTooManySignatures);
    }
    signatures.iter().map(|one| signature(one.as_object().ok_or(SdJwtError::JsonShape)?)).collect()
}

fn signature(members: &Map<String, Value>) -> Result<Signature<'_>, SdJwtError> {
    let header = match members.get("header") {
        None => None,
        Some(header) => Some(header.as_object().ok_or(SdJwtError::JsonShape)?),
    };
    let protected = encoded(members.get("protected"))?;
    Ok(Signature { protected, signature: encoded(members.get("signature"))?, header })
}

/// No parameter stands in both headers (RFC 7515 §7.2.1), none of ours is signed, none that must be signed is not.
fn check_headers(signature: &Signature<'_>) -> Result<(), SdJwtError> {
    let protected = protected(signature.protected)?;
    if OURS.iter().any(|name| protected.contains_key(*name)) {
        return Err(SdJwtError::JsonMisplaced);
    }
    let Some(header) = signature.header else { return Ok(()) };
    if header.keys().any(|name| protected.contains_key(name)) {
        return Err(SdJwtError::JsonHeaderDoubled);
    }
    if header.contains_key("b64") {
        return Err(SdJwtError::Jws(JwsError::UnencodedPayload));
    }
    if header.contains_key("crit") { Err(SdJwtError::Jws(JwsError::Critical)) } else { Ok(()) }
}

fn protected(text: &str) -> Result<Map<String, Value>, SdJwtError> {
    if text.len() > limits::JWS_HEADER {
        return Err(SdJwtError::Jws(JwsError::TooLarge { limit: limits::JWS_HEADER }));
    }
    let part = crate::jose::Part::Header;
    let bytes = base64url::decode(text).map_err(|error| JwsError::Encoding { part, error })?;
    let members = json::parse_object(&bytes, Limits::of(limits::JWS_HEADER));
    Ok(members.map_err(|error| JwsError::Json { part, error })?)
}

fn disclosures<'j>(first: &Signature<'j>) -> Result<&'j [Value], SdJwtError> {
    match first.header.and_then(|header| header.get("disclosures")) {
        None => Ok(&[]),
        Some(Value::Array(disclosures)) => Ok(disclosures),
        Some(_) => Err(SdJwtError::JsonShape),
    }
}

/// The key binding; empty where there is none.
fn kb_jwt<'j>(first: &Signature<'j>) -> Result<&'j str, SdJwtError> {
    let Some(kb_jwt) = first.header.and_then(|header| header.get("kb_jwt")) else { return Ok("") };
    let kb_jwt = kb_jwt.as_str().ok_or(SdJwtError::JsonShape)?;
    if kb_jwt.split('.').count() == 3 && kb_jwt.split('.').all(is_encoded) {
        Ok(kb_jwt)
    } else {
        Err(SdJwtError::JsonShape)
    }
}

/// A text that cannot reach beyond its place in the compact form.
fn encoded(value: Option<&Value>) -> Result<&str, SdJwtError> {
    let text = value.and_then(Value::as_str).ok_or(SdJwtError::JsonShape)?;
    if is_encoded(text) { Ok(text) } else { Err(SdJwtError::JsonShape) }
}

fn is_encoded(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
