//! `/.well-known/jwt-vc-issuer` (SD-JWT VC, JWT VC Issuer Metadata): the keys of an issuer that is named by its URL.
//!
//! Software that knows no DID finds the signing key here; the `kid` of each key is its DID URL, so software that trusts
//! only the ledger reaches the same key.

use serde::{Deserialize, Serialize};

use crate::jose::Jwk;

/// The well-known name of this document.
pub const WELL_KNOWN_NAME: &str = "jwt-vc-issuer";

/// The document, with its keys inside: `jwks_uri` is never followed, ours have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtVcIssuerMetadata {
    /// Identical to the `iss` of its credentials.
    pub issuer: String,
    /// The keys.
    pub jwks: JwkSet,
}

/// A JWK Set (RFC 7517 §5). Keys of kinds unknown here are passed over when read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys as JSON.
    pub keys: Vec<serde_json::Value>,
}

impl JwtVcIssuerMetadata {
    /// The metadata of an issuer with these keys.
    #[must_use]
    pub fn new<'a>(issuer: &str, keys: impl IntoIterator<Item = &'a Jwk>) -> Self {
        let keys = keys.into_iter().map(Jwk::to_json).collect();
        Self { issuer: issuer.to_owned(), jwks: JwkSet { keys } }
    }

    /// The key named `kid`, if exactly one key has that name and is one of ours.
    #[must_use]
    pub fn key(&self, kid: &str) -> Option<Jwk> {
        let mut named = self.jwks.keys.iter().filter(|key| key.get("kid").and_then(|kid| kid.as_str()) == Some(kid));
        let key = named.next()?;
        if named.next().is_some() {
            return None;
        }
        Jwk::from_value(key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Alg, SecretKey, Signer as _};

    fn jwk(seed: u8, kid: &str) -> Jwk {
        Jwk::new(SecretKey::from_bytes(Alg::EdDsa, &[seed; 32]).unwrap().public_key().clone()).with_kid(kid)
    }

    #[test]
    fn a_key_is_found_by_its_name_alone() {
        let metadata = JwtVcIssuerMetadata::new("https://i.example", [&jwk(1, "a"), &jwk(2, "b")]);
        assert_eq!(metadata.key("b"), Some(jwk(2, "b")));
        assert_eq!(metadata.key("c"), None);
    }

    #[test]
    fn two_keys_of_one_name_are_none() {
        let metadata = JwtVcIssuerMetadata::new("https://i.example", [&jwk(1, "a"), &jwk(2, "a")]);
        assert_eq!(metadata.key("a"), None);
    }
}
