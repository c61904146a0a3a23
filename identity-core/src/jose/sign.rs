//! Making compact JWS.

use serde_json::Value;

use super::Jwk;
use crate::crypto::{Signer, SigningFailed};
use crate::encoding::base64url;

/// The protected header to sign under. `alg` is taken from the signer and cannot be chosen.
#[derive(Clone, Copy, Debug)]
pub struct SignHeader<'a> {
    typ: &'a str,
    kid: Option<&'a str>,
    jwk: Option<&'a Jwk>,
}

impl<'a> SignHeader<'a> {
    /// A header with this `typ` (see [`super::typ`]).
    #[must_use]
    pub const fn new(typ: &'a str) -> Self {
        Self { typ, kid: None, jwk: None }
    }

    /// Names the key.
    #[must_use]
    pub const fn kid(self, kid: &'a str) -> Self {
        Self { kid: Some(kid), ..self }
    }

    /// Carries the key itself: proofs of possession only.
    #[must_use]
    pub const fn jwk(self, jwk: &'a Jwk) -> Self {
        Self { jwk: Some(jwk), ..self }
    }

    fn to_json(self, alg: &str) -> String {
        let mut json = format!("{{\"alg\":\"{alg}\",\"typ\":{}", Value::from(self.typ));
        if let Some(kid) = self.kid {
            json.push_str(&format!(",\"kid\":{}", Value::from(kid)));
        }
        if let Some(jwk) = self.jwk {
            json.push_str(&format!(",\"jwk\":{}", jwk.to_json()));
        }
        json.push('}');
        json
    }
}

/// Signs `payload`, byte for byte, as a compact JWS.
///
/// # Errors
/// [`SigningFailed`] if the signer fails.
///
/// ```
/// use identity_core::crypto::{Alg, SecretKey, Signer as _};
/// use identity_core::jose::{ExpectedTyp, SignHeader, UnverifiedJws, sign_compact};
///
/// let key = SecretKey::from_bytes(Alg::EdDsa, &[7; 32])?;
/// let token = sign_compact(SignHeader::new("kb+jwt"), br#"{"nonce":"n"}"#, &key)?;
/// let verified = UnverifiedJws::parse(&token)?.verify(key.public_key(), ExpectedTyp::Exactly("kb+jwt"))?;
/// assert_eq!(verified.payload(), br#"{"nonce":"n"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_compact(header: SignHeader<'_>, payload: &[u8], signer: &dyn Signer) -> Result<String, SigningFailed> {
    let header = header.to_json(signer.alg().name());
    // Three encodings of 4/3, two dots, the 86 characters of a signature, and rounding.
    let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 96);
    base64url::encode_into(header.as_bytes(), &mut token);
    token.push('.');
    base64url::encode_into(payload, &mut token);
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    base64url::encode_into(&signature, &mut token);
    Ok(token)
}
