use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey};
use crate::encoding::base64url;
use crate::oid4vci::nonce::make_nonce;

pub(in crate::oid4vci) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
pub(in crate::oid4vci) const AUDIENCE: &str = "https://issuer.example";

pub(in crate::oid4vci) fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::Es256, &[seed; 32]).unwrap()
}

pub(in crate::oid4vci) fn secret() -> IssuerSecret {
    IssuerSecret::from_bytes(&[9; 32])
}

pub(in crate::oid4vci) fn nonce() -> String {
    make_nonce(&secret(), 300, NOW, &mut StdRng::seed_from_u64(1))
}

/// A JWS with any header and payload, signed by `key` whatever the header says.
pub(in crate::oid4vci) fn forge(header: &Value, payload: &str, key: &SecretKey) -> String {
    let input =
        format!("{}.{}", base64url::encode(header.to_string().as_bytes()), base64url::encode(payload.as_bytes()));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

fn good_header() -> Value {
    json!({"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": Jwk::new(key(1).public_key().clone()).to_json()})
}

fn good_claims() -> Value {
    json!({"aud": AUDIENCE, "iat": NOW.0, "nonce": nonce()})
}

fn check(jwt: &str) -> Result<VerifiedProof, ProofRefusal> {
    let algorithms = ["ES256".to_owned(), "EdDSA".to_owned()];
    verify(jwt, &Expected { audience: AUDIENCE, algorithms: &algorithms, secret: &secret(), now: NOW })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

#[test]
fn a_proof_made_here_holds_for_both_algorithms() {
    for alg in Alg::ALL {
        let key = SecretKey::from_bytes(*alg, &[3; 32]).unwrap();
        let proof = check(&make(AUDIENCE, Some(&nonce()), NOW, &key).unwrap()).unwrap();
        assert_eq!(proof.holder.key(), key.public_key());
        assert_eq!(proof.nonce.text, nonce());
    }
}

#[test]
fn the_credential_will_name_the_key_as_the_proof_does() {
    for (binding, name) in [(Binding::Jwk, "jwk"), (Binding::Did, "kid")] {
        let proof = check(&make_named(AUDIENCE, Some(&nonce()), NOW, &key(1), binding).unwrap()).unwrap();
        assert_eq!(proof.holder.key(), key(1).public_key());
        assert!(json!(proof.holder).get(name).is_some(), "{name}");
    }
}

#[test]
fn a_did_that_spells_its_key_out_names_the_holder() {
    let key = key(1);
    let did = crate::did::method::key::did_of(key.public_key()).unwrap();
    let header = with(without(good_header(), "jwk"), "kid", json!(format!("{did}#{}", did.id())));
    let proof = check(&forge(&header, &good_claims().to_string(), &key)).unwrap();
    assert_eq!(proof.holder.key(), key.public_key());
}

#[test]
fn hostile_headers_are_refused_by_name() {
    let jwk = good_header()["jwk"].clone();
    let certificate = without(with(good_header(), "x5c", json!(["MIIB"])), "jwk");
    let private = with(jwk.clone(), "d", json!("AAAA"));
    let cases = [
        (with(good_header(), "alg", json!("none")), "jose.alg.none"),
        (with(good_header(), "alg", json!("HS256")), "jose.alg.symmetric"),
        (with(good_header(), "alg", json!("EdDSA")), "jose.alg.key_mismatch"),
        (with(good_header(), "typ", json!("JWT")), "jose.typ.wrong"),
        (without(good_header(), "typ"), "jose.typ.missing"),
        (with(good_header(), "crit", json!(["x"])), "jose.header.critical"),
        (without(good_header(), "jwk"), "vci.proof.key_missing"),
        (with(good_header(), "kid", json!("did:key:z6Mk#z6Mk")), "vci.proof.key_ambiguous"),
        (with(certificate.clone(), "kid", json!("a")), "vci.proof.key_ambiguous"),
        (certificate, "vci.proof.certificate"),
        (with(without(good_header(), "jwk"), "kid", json!("../../etc/passwd")), "vci.proof.kid"),
        (with(without(good_header(), "jwk"), "kid", json!("did:web:evil.example#k")), "vci.proof.kid"),
        (with(good_header(), "jwk", private), "jose.jwk.private"),
        (with(good_header(), "jwk", json!({"kty": "oct", "k": "AAAA"})), "jose.jwk.private"),
        (with(good_header(), "jwk", Jwk::new(key(2).public_key().clone()).to_json()), "jose.signature.invalid"),
    ];
    for (header, expected) in cases {
        let refusal = check(&forge(&header, &good_claims().to_string(), &key(1))).unwrap_err();
        assert_eq!(refusal.code().as_str(), expected, "{header}");
        assert_eq!(refusal.name(), CredentialErrorName::InvalidProof);
    }
}

#[test]
fn hostile_claims_are_refused_by_name() {
    let at = |seconds: i64| with(good_claims(), "iat", json!(NOW.0 + seconds));
    let cases = [
        (with(good_claims(), "iss", json!("wallet")), "vci.proof.issuer_present"),
        (with(good_claims(), "aud", json!("https://issuer.example/")), "vci.proof.audience"),
        (with(good_claims(), "aud", json!([AUDIENCE])), "jose.claim.wrong_type"),
        (without(good_claims(), "aud"), "jose.claim.missing"),
        (without(good_claims(), "iat"), "jose.claim.missing"),
        (with(good_claims(), "iat", json!("1800000000")), "jose.time.not_a_number"),
        (with(good_claims(), "iat", json!(1.5)), "jose.time.fractional"),
        (at(MAX_AHEAD + 1), "jose.time.issued_in_future"),
        (at(-(MAX_AGE + MAX_AHEAD + 1)), "jose.time.issued_too_long_ago"),
        (without(good_claims(), "nonce"), "vci.proof.nonce_missing"),
        (with(good_claims(), "nonce", json!(7)), "jose.claim.wrong_type"),
    ];
    for (claims, expected) in cases {
        let refusal = check(&forge(&good_header(), &claims.to_string(), &key(1))).unwrap_err();
        assert_eq!(refusal.code().as_str(), expected, "{claims}");
        assert_eq!(refusal.name(), CredentialErrorName::InvalidProof);
    }
    assert!(check(&forge(&good_header(), &at(MAX_AHEAD).to_string(), &key(1))).is_ok());
    assert!(check(&forge(&good_header(), &at(-MAX_AGE).to_string(), &key(1))).is_ok());
}

#[test]
fn nonces_of_others_and_old_ones_ask_for_a_fresh_one() {
    let old = make_nonce(&secret(), 300, NOW.plus(-300), &mut StdRng::seed_from_u64(2));
    let foreign = make_nonce(&IssuerSecret::from_bytes(&[1; 32]), 300, NOW, &mut StdRng::seed_from_u64(3));
    for (nonce, expected) in
        [(old, "vci.nonce.expired"), (foreign, "vci.nonce.foreign"), (String::new(), "vci.nonce.foreign")]
    {
        let claims = with(good_claims(), "nonce", json!(nonce));
        let refusal = check(&forge(&good_header(), &claims.to_string(), &key(1))).unwrap_err();
        assert_eq!(refusal.code().as_str(), expected);
        assert_eq!(refusal.name(), CredentialErrorName::InvalidNonce);
    }
}
