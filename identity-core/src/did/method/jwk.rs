//! `did:jwk`: the DID is the JWK's JSON in base64url. The key is `#0`.

use crate::did::{Did, DidError, DidUrl, Document, Relationship, VerificationMethod};
use crate::encoding::base64url;
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::jose::Jwk;

/// The method's name.
pub const NAME: &str = "jwk";

/// A DID of a key. One key has many (the JSON can be written in many ways): compare keys, never these DIDs.
///
/// # Errors
/// None for a key of ours; the signature says so because a [`Did`] is only made by checked parsing.
pub fn did_of(jwk: &Jwk) -> Result<Did, DidError> {
    // Lexical order, whatever order `serde_json` was built to keep: one key, one name.
    let text = serde_json::to_vec(jwk).map_err(|_| DidError::Malformed)?;
    Did::parse(format!("did:{NAME}:{}", base64url::encode(&text)))
}

/// The document that a `did:jwk` stands for. `keyAgreement` is left out: our keys sign and do nothing else.
///
/// # Errors
/// [`DidError`] for other methods, and for anything but strict base64url of the strict JSON of a public key.
pub fn document(did: &Did) -> Result<Document, DidError> {
    if did.method() != NAME {
        return Err(DidError::UnsupportedMethod);
    }
    let text = base64url::decode(did.id()).map_err(DidError::Base64)?;
    let value = json::parse_strict(&text, Limits::of(limits::DID)).map_err(DidError::Json)?;
    let jwk = Jwk::from_value(&value).map_err(DidError::Jwk)?;
    let method = VerificationMethod::new(DidUrl::new(did.clone(), "0")?, jwk, Relationship::ALL.to_vec());
    Ok(Document::new(did.clone(), vec![method], Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::{did_of, document};
    use crate::did::{Did, DidError};
    use crate::encoding::base64url;
    use crate::jose::JwkError;

    /// The P-256 example of the method's specification.
    const P256: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

    #[test]
    fn the_published_example_resolves() {
        let did = Did::parse(P256).unwrap();
        let found = document(&did).unwrap();
        let jwk = found.methods()[0].jwk();
        assert_eq!(jwk.to_json()["x"], "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0");
        assert_eq!(jwk.to_json()["y"], "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE");
        assert_eq!(found.methods()[0].id().to_string(), format!("{P256}#0"));
        assert_eq!(did_of(jwk).unwrap(), did);
    }

    #[test]
    fn private_keys_and_lax_json_are_refused() {
        let refusal = |text: &str| {
            let did = Did::parse(format!("did:jwk:{}", base64url::encode(text.as_bytes()))).unwrap();
            document(&did).expect_err("must be refused")
        };
        let private = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}"#;
        assert_eq!(refusal(private), DidError::Jwk(JwkError::Private));
        assert!(matches!(refusal(r#"{"kty":"OKP","kty":"EC"}"#), DidError::Json(_)));
        let stray = Did::parse("did:jwk:e31").unwrap();
        assert!(matches!(document(&stray), Err(DidError::Base64(_))));
    }
}
