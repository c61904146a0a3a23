//! Making compact JWS.

use super::Jwk;
use crate::crypto::{Alg, Signer, SigningFailed};
use crate::encoding::base64url;
use crate::encoding::json::write;

/// The protected header to sign under. `alg` is taken from the signer and cannot be chosen.
#[derive(Clone, Copy, Debug)]
pub struct SignHeader<'a> {
    typ: &'a str,
    kid: Option<&'a str>,
    jwk: Option<&'a Jwk>,
    x5c: Option<&'a [String]>,
}

impl<'a> SignHeader<'a> {
    /// A header with this `typ` (see [`super::typ`]).
    #[must_use]
    pub const fn new(typ: &'a str) -> Self {
        Self { typ, kid: None, jwk: None, x5c: None }
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

    /// Carries the certificates of the key, the leaf first: request objects only.
    #[must_use]
    pub const fn x5c(self, x5c: &'a [String]) -> Self {
        Self { x5c: Some(x5c), ..self }
    }

    fn write(self, alg: Alg) -> Vec<u8> {
        let mut json = Vec::with_capacity(256);
        json.extend_from_slice(b"{\"alg\":");
        write::text(alg.name(), &mut json);
        json.extend_from_slice(b",\"typ\":");
        write::text(self.typ, &mut json);
        if let Some(kid) = self.kid {
            json.extend_from_slice(b",\"kid\":");
            write::text(kid, &mut json);
        }
        if let Some(jwk) = self.jwk {
            json.extend_from_slice(b",\"jwk\":");
            write::value(jwk, &mut json);
        }
        if let Some(x5c) = self.x5c {
            json.extend_from_slice(b",\"x5c\":");
            write::value(&x5c, &mut json);
        }
        json.push(b'}');
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
    sign_followed(header, payload, &[], signer)
}

/// As [`sign_compact`], with `after` (ASCII, not signed) behind the JWS: the disclosures of an SD-JWT.
///
/// # Errors
/// [`SigningFailed`] if the signer fails.
pub(crate) fn sign_followed(
    header: SignHeader<'_>,
    payload: &[u8],
    after: &[u8],
    signer: &dyn Signer,
) -> Result<String, SigningFailed> {
    let header = header.write(signer.alg());
    // Three encodings of 4/3, two dots, the 86 characters of a signature, and rounding.
    let mut token = Vec::with_capacity((header.len() + payload.len()) / 3 * 4 + after.len() + 104);
    base64url::append(&header, &mut token);
    token.push(b'.');
    base64url::append(payload, &mut token);
    let signature = signer.sign(&token)?;
    token.push(b'.');
    base64url::append(&signature, &mut token);
    token.extend_from_slice(after);
    String::from_utf8(token).map_err(|_| SigningFailed)
}
