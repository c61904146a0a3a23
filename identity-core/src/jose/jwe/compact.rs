//! The form of a compact JWE, held against all that we accept before anything is computed with it.

use serde_json::{Map, Value};

use super::{ALG, Enc, JweError};
use crate::encoding::json::{self, Limits};
use crate::encoding::{base64url, limits};
use crate::jose::Jwk;

/// Bytes of an initialisation vector under GCM (RFC 7518 §5.3).
const IV_BYTES: usize = 12;
/// Bytes of an authentication tag under GCM (RFC 7518 §5.3).
const TAG_BYTES: usize = 16;

/// Checks everything about `compact` that can be known without the private key.
///
/// # Errors
/// [`JweError`], never [`JweError::Undecipherable`].
pub(super) fn check(compact: &str, kid: &str, limit: usize) -> Result<(), JweError> {
    if compact.len() > limit {
        return Err(JweError::TooLarge { limit });
    }
    let parts: Vec<&str> = compact.splitn(6, '.').collect();
    let [header, encrypted_key, iv, content, tag] = parts.as_slice() else { return Err(JweError::Parts) };
    check_header(&decode_header(header)?, kid)?;
    // Under direct key agreement there is no encrypted key (RFC 7518 §4.6).
    if !encrypted_key.is_empty() || decode(iv)?.len() != IV_BYTES || decode(tag)?.len() != TAG_BYTES {
        return Err(JweError::Length);
    }
    decode(content).map(drop)
}

fn decode(text: &str) -> Result<Vec<u8>, JweError> {
    base64url::decode(text).map_err(JweError::Encoding)
}

fn decode_header(text: &str) -> Result<Map<String, Value>, JweError> {
    if text.len() > limits::JWE_HEADER {
        return Err(JweError::TooLarge { limit: limits::JWE_HEADER });
    }
    json::parse_object(&decode(text)?, Limits::of(limits::JWE_HEADER)).map_err(JweError::Json)
}

fn check_header(header: &Map<String, Value>, kid: &str) -> Result<(), JweError> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("alg") != Some(ALG) {
        return Err(JweError::Alg);
    }
    if text("enc").and_then(Enc::parse).is_none() {
        return Err(JweError::Enc);
    }
    if header.contains_key("zip") {
        return Err(JweError::Compressed);
    }
    if header.contains_key("crit") {
        return Err(JweError::Critical);
    }
    // RFC 7519 §5.2: it says so when the content is a token again.
    if text("cty").is_some_and(|content| content.eq_ignore_ascii_case("JWT")) {
        return Err(JweError::Nested);
    }
    if text("kid") != Some(kid) {
        return Err(JweError::Kid);
    }
    check_agreement(header)
}

/// The sender's half: a point of our curve. A point of another would give the private key away, bit by bit, to whoever
/// watches what can be decrypted.
fn check_agreement(header: &Map<String, Value>) -> Result<(), JweError> {
    let jwk = Jwk::from_value(header.get("epk").ok_or(JweError::Ephemeral)?).map_err(JweError::Point)?;
    if jwk.key().coordinates().is_none() {
        return Err(JweError::Ephemeral);
    }
    for name in ["apu", "apv"] {
        match header.get(name) {
            None => {}
            Some(Value::String(text)) => drop(decode(text)?),
            Some(_) => return Err(JweError::Ephemeral),
        }
    }
    Ok(())
}
