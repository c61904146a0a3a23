//! Issuing, holding and verifying agree; every rule of RFC 9901 §7.1 refuses with its own error.

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::encoding::{base64url, limits};
use crate::jose::{ExpectedTyp, JwsError, SignHeader, sign_compact};

mod hostile;
mod json_form;
mod oracle;

const ANY: ExpectedTyp<'static> = ExpectedTyp::DangerousAny;

fn key() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap()
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn path(value: Value) -> ClaimPath {
    serde_json::from_value(value).unwrap()
}

fn verify(text: &str) -> Result<VerifiedSdJwt<'_>, SdJwtError> {
    UnverifiedSdJwt::parse(text)?.verify(key().public_key(), ANY)
}

/// An SD-JWT by the right key over any payload and any disclosures.
fn forge(payload: &Value, disclosures: &[String]) -> String {
    let jwt = sign_compact(SignHeader::new("x"), payload.to_string().as_bytes(), &key()).unwrap();
    disclosures.iter().fold(jwt + "~", |text, disclosure| text + disclosure + "~")
}

fn disclosure(content: &Value) -> String {
    base64url::encode(content.to_string().as_bytes())
}

fn digest(disclosure: &str) -> String {
    HashAlg::Sha256.text_of(disclosure.as_bytes())
}

/// Sample claims with every kind of nesting.
fn claims() -> Map<String, Value> {
    object(json!({
        "iss": "https://issuer.example",
        "name": "样本",
        "address": {"country": "CN", "city": "样本市", "street": "样本路 1"},
        "nationalities": ["CN", "XX", "YY"],
        "degrees": [{"type": "B", "year": 2001}, {"type": "M", "year": 2003}],
        "nothing": null,
    }))
}

fn concealment(hash: HashAlg) -> Concealment {
    [
        json!(["name"]),
        json!(["nothing"]),
        json!(["address"]),
        json!(["address", "city"]),
        json!(["address", "street"]),
        json!(["nationalities", null]),
        json!(["degrees", 1, "year"]),
    ]
    .into_iter()
    .fold(Concealment::new(hash), |concealment, pointer| concealment.conceal(&path(pointer)))
    .decoys(3)
    .decoys_at(&path(json!(["address"])), 2)
}

fn issued(hash: HashAlg) -> String {
    issue(SignHeader::new("example+sd-jwt"), &claims(), &concealment(hash), &key(), &mut rng()).unwrap()
}

#[test]
fn all_disclosures_give_back_all_claims_under_each_hash() {
    for hash in [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512] {
        let text = issued(hash);
        let verified = verify(&text).unwrap();
        assert_eq!(verified.claims(), &claims());
        assert_eq!(verified.hash(), hash);
        assert_eq!(verified.disclosed().count(), 9);
    }
}

#[test]
fn nothing_disclosed_leaves_what_is_in_plain_sight() {
    let text = issued(HashAlg::Sha256);
    let jwt = text.split('~').next().unwrap().to_owned() + "~";
    let expected = json!({
        "iss": "https://issuer.example",
        "nationalities": [],
        "degrees": [{"type": "B", "year": 2001}, {"type": "M"}],
    });
    assert_eq!(Value::Object(verify(&jwt).unwrap().claims().clone()), expected);
}

#[test]
fn presenting_a_path_discloses_it_with_its_parents_and_nothing_else() {
    let text = issued(HashAlg::Sha256);
    let held = HeldSdJwt::receive(&verify(&text).unwrap());
    let presentation = held.present(&[path(json!(["address", "city"])), path(json!(["nationalities", 1]))]).unwrap();
    let verified = verify(presentation.text()).unwrap();
    assert_eq!(verified.claims()["address"], json!({"country": "CN", "city": "样本市"}));
    assert_eq!(verified.claims()["nationalities"], json!(["XX"]));
    assert!(!verified.claims().contains_key("name"));
    let shown: Vec<String> = verified.disclosed().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 3);
    for name in ["address", "address.city", "nationalities[1]"] {
        assert!(shown.iter().any(|shown| shown == name), "{name}");
    }
}

#[test]
fn positions_count_as_issued_whatever_stays_concealed() {
    let text = issued(HashAlg::Sha256);
    let held = HeldSdJwt::receive(&verify(&text).unwrap());
    let presentation = held.present(&[path(json!(["nationalities", 1]))]).unwrap();
    let verified = verify(presentation.text()).unwrap();
    let select = |pointer| verified.select(&path(pointer)).unwrap();
    assert_eq!(select(json!(["nationalities", 1])), [&json!("XX")]);
    assert!(select(json!(["nationalities", 0])).is_empty());
    assert!(select(json!(["nationalities", 2])).is_empty());
    assert_eq!(select(json!(["nationalities", null])), [&json!("XX")]);
}

#[test]
fn a_whole_object_goes_out_with_all_that_lies_in_it() {
    let text = issued(HashAlg::Sha256);
    let held = HeldSdJwt::receive(&verify(&text).unwrap());
    let paths = [path(json!(["address"]))];
    assert_eq!(held.disclosed_by(&paths).unwrap().len(), 3);
    let presentation = held.present(&paths).unwrap();
    assert_eq!(verify(presentation.text()).unwrap().claims()["address"], claims()["address"]);
}

#[test]
fn a_wildcard_discloses_only_elements_that_have_the_claim() {
    let claims = object(json!({"list": [{"a": 1}, {"b": 2}]}));
    let concealment = Concealment::default().conceal(&path(json!(["list", null])));
    let text = issue(SignHeader::new("x"), &claims, &concealment, &key(), &mut rng()).unwrap();
    let held = HeldSdJwt::receive(&verify(&text).unwrap());
    let paths = [path(json!(["list", null, "a"]))];
    assert_eq!(held.disclosed_by(&paths).unwrap(), [&path(json!(["list", 0]))]);
}

#[test]
fn a_path_to_nothing_is_not_presented() {
    let text = issued(HashAlg::Sha256);
    let held = HeldSdJwt::receive(&verify(&text).unwrap());
    for pointer in [json!(["absent"]), json!(["nationalities", 3]), json!(["name", "first"])] {
        assert_eq!(held.present(&[path(pointer)]), Err(SdJwtError::PathNotFound));
    }
}

#[test]
fn a_vault_gives_back_what_was_put_in() {
    let text = issued(HashAlg::Sha384);
    let held = HeldSdJwt::dangerous_reopen(text.clone()).unwrap();
    assert_eq!(held.text(), text);
    assert_eq!(held.claims(), &claims());
    assert!(HeldSdJwt::dangerous_reopen(text + "a.b.c").is_err());
}

#[test]
fn nothing_concealed_leaves_no_trace_of_sd_jwt_in_the_payload() {
    let plain = object(json!({"iss": "https://issuer.example"}));
    let text = issue(SignHeader::new("x"), &plain, &Concealment::default(), &key(), &mut rng()).unwrap();
    let payload = text.split('.').nth(1).unwrap();
    assert_eq!(base64url::decode(payload).unwrap(), br#"{"iss":"https://issuer.example"}"#);
    assert_eq!(verify(&text).unwrap().claims(), &plain);
}

#[test]
fn salts_and_digests_never_repeat_and_the_order_tells_nothing() {
    let claims = object(json!({"a": 1, "b": 1, "c": 1, "d": 1}));
    let concealment =
        ["a", "b", "c", "d"].into_iter().fold(Concealment::default(), |all, name| all.conceal(&ClaimPath::top(name)));
    let mut rng = rng();
    let mut orders = std::collections::BTreeSet::new();
    let mut halves = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let text = issue(SignHeader::new("x"), &claims, &concealment, &key(), &mut rng).unwrap();
        let payload = base64url::decode(text.split('.').nth(1).unwrap().split('~').next().unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        let digests: Vec<&str> = payload["_sd"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let order: Vec<usize> = text
            .split_terminator('~')
            .skip(1)
            .map(|text| digests.iter().position(|one| *one == digest(text)).unwrap())
            .collect();
        orders.insert(order);
        for text in text.split_terminator('~').skip(1) {
            let content: Value = serde_json::from_slice(&base64url::decode(text).unwrap()).unwrap();
            let salt = base64url::decode(content[0].as_str().unwrap()).unwrap();
            assert_eq!(salt.len(), 16);
            for half in salt.chunks(8) {
                assert!(halves.insert(half.to_vec()), "every bit of a salt is chance");
            }
        }
    }
    assert_eq!(orders.len(), 24);
}

/// The payload of an SD-JWT, unverified.
fn payload_of(text: &str) -> Value {
    let payload = text.split(['.', '~']).nth(1).unwrap();
    serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap()
}

#[test]
fn a_decoy_looks_like_any_other_digest() {
    for hash in [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512] {
        let payload = payload_of(&issued(hash));
        let digests: Vec<&str> = payload["_sd"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(digests.len(), 6, "three claims, three decoys");
        for digest in digests {
            assert_eq!(digest.len(), hash.text_of(b"").len());
        }
    }
}

#[test]
fn the_hash_is_named_as_soon_as_there_is_one_digest_anywhere() {
    let claims = object(json!({"a": {"b": 1}}));
    let inside = Concealment::new(HashAlg::Sha384).conceal(&ClaimPath::top("a").member("b"));
    let decoy = Concealment::new(HashAlg::Sha384).decoys(1);
    for (concealment, name) in
        [(inside, json!("sha-384")), (decoy, json!("sha-384")), (Concealment::new(HashAlg::Sha384), Value::Null)]
    {
        let text = issue(SignHeader::new("x"), &claims, &concealment, &key(), &mut rng()).unwrap();
        assert_eq!(payload_of(&text)["_sd_alg"], name);
        assert_eq!(verify(&text).unwrap().claims(), &claims);
    }
}

#[test]
fn reserved_names_are_not_issued() {
    for claims in [json!({"_sd": []}), json!({"a": {"_sd_alg": 1}}), json!({"a": [{"...": "x"}]})] {
        let refused = issue(SignHeader::new("x"), &object(claims), &Concealment::default(), &key(), &mut rng());
        assert_eq!(refused, Err(SdJwtError::ReservedClaim));
    }
}

#[test]
fn claims_nested_too_deep_are_not_issued() {
    let issue =
        |claims: Value| issue(SignHeader::new("x"), &object(claims), &Concealment::default(), &key(), &mut rng());
    let objects = |depth| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
    let arrays = |depth| json!({"a": (1..depth).fold(json!(1), |inner, _| json!([inner]))});
    let nestings: [fn(usize) -> Value; 2] = [objects, arrays];
    for nested in nestings {
        assert_eq!(issue(nested(limits::CLAIM_DEPTH + 1)), Err(SdJwtError::TooDeep));
        let deepest = issue(nested(limits::CLAIM_DEPTH)).unwrap();
        assert_eq!(Value::Object(verify(&deepest).unwrap().claims().clone()), nested(limits::CLAIM_DEPTH));
    }
}

/// The disclosure and digest of RFC 9901 §4.2.1 and §4.2.3.
#[test]
fn the_digest_is_the_one_of_the_specification() {
    let disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
    assert_eq!(digest(disclosure), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
}
