use serde_json::{Value, json};

use super::{Document, DocumentError, Relationship, Service, VerificationMethod};
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::did::{Did, DidUrl};
use crate::jose::{Jwk, JwkError};

fn did() -> Did {
    Did::xinfu("devnet", b"sample").unwrap()
}

fn name(fragment: &str) -> DidUrl {
    DidUrl::new(did(), fragment).unwrap()
}

fn sample() -> Document {
    let jwk = |seed: u8| Jwk::new(SecretKey::from_bytes(Alg::EdDsa, &[seed; 32]).unwrap().public_key().clone());
    let methods = vec![
        VerificationMethod::new(name("assert-1"), jwk(1), vec![Relationship::AssertionMethod]),
        VerificationMethod::new(name("auth-1"), jwk(2), vec![Relationship::Authentication]),
    ];
    let endpoint = "https://issuer.example".to_owned();
    Document::new(did(), methods, vec![Service { id: name("issuer"), kind: "XinfuIssuer".to_owned(), endpoint }])
}

fn parse(value: &Value) -> Result<Document, DocumentError> {
    Document::parse(value.to_string().as_bytes(), &did())
}

#[test]
fn documents_survive_json() {
    assert_eq!(parse(&sample().to_json()), Ok(sample()));
}

#[test]
fn keys_serve_only_their_own_use() {
    let document = sample();
    assert!(document.key(&name("assert-1"), Relationship::AssertionMethod).is_ok());
    let refusal = document.key(&name("auth-1"), Relationship::AssertionMethod);
    assert_eq!(refusal, Err(DocumentError::WrongRelationship));
    let refusal = document.key(&name("assert-2"), Relationship::AssertionMethod);
    assert_eq!(refusal, Err(DocumentError::UnknownKey));
    let foreign = DidUrl::new(Did::xinfu("devnet", b"other").unwrap(), "assert-1").unwrap();
    assert_eq!(document.key(&foreign, Relationship::AssertionMethod), Err(DocumentError::UnknownKey));
}

#[test]
fn relative_names_mean_the_document_itself() {
    let mut value = sample().to_json();
    value["verificationMethod"][0]["id"] = json!("#assert-1");
    value["assertionMethod"] = json!(["#assert-1"]);
    assert_eq!(parse(&value), Ok(sample()));
}

#[test]
fn keys_of_unknown_kinds_are_skipped() {
    let mut value = sample().to_json();
    value["verificationMethod"][1]["publicKeyJwk"] = json!({"kty": "RSA", "n": "AQ", "e": "AQAB"});
    let document = parse(&value).unwrap();
    assert_eq!(document.methods().len(), 1);
    assert_eq!(document.key(&name("auth-1"), Relationship::Authentication), Err(DocumentError::UnknownKey));
}

#[test]
fn each_unsound_document_has_its_own_refusal() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = sample().to_json();
        change(&mut value);
        parse(&value).expect_err("must be refused")
    };
    assert_eq!(with(&|v| v["id"] = json!("did:xinfu:devnet:other")), DocumentError::IdMismatch);
    assert_eq!(with(&|v| v["id"] = json!(null)), DocumentError::IdMismatch);
    let twice = with(&|v| v["verificationMethod"][1]["id"] = json!(name("assert-1")));
    assert_eq!(twice, DocumentError::DuplicateId);
    let foreign = with(&|v| v["verificationMethod"][0]["controller"] = json!("did:key:z6Mk"));
    assert_eq!(foreign, DocumentError::ForeignController);
    let named = with(&|v| v["verificationMethod"][0]["id"] = json!("did:xinfu:devnet:other#assert-1"));
    assert_eq!(named, DocumentError::IdMismatch);
    assert_eq!(with(&|v| v["assertionMethod"] = json!("#assert-1")), DocumentError::Malformed);
    assert_eq!(with(&|v| v["assertionMethod"] = json!([{"id": "#x"}])), DocumentError::Malformed);
    assert_eq!(with(&|v| v["service"][0]["serviceEndpoint"] = json!({})), DocumentError::Malformed);
    let private = with(&|v| v["verificationMethod"][0]["publicKeyJwk"]["d"] = json!("AA"));
    assert_eq!(private, DocumentError::Key(JwkError::Private));
    assert!(matches!(Document::parse(b"{\"id\":1,\"id\":2}", &did()), Err(DocumentError::Json(_))));
}
