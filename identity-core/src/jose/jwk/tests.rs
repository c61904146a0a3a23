use serde_json::json;

use super::{Jwk, JwkError};
use crate::crypto::{Alg, KeyError, SecretKey, Signer as _};
use crate::encoding::base64url::Base64Error;
use crate::encoding::limits;

fn ed25519() -> serde_json::Value {
    json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

#[test]
fn thumbprint_of_rfc_8037_appendix_a3() {
    let jwk = Jwk::from_value(&ed25519()).unwrap();
    let thumbprint = crate::encoding::base64url::encode(jwk.thumbprint().as_bytes());
    assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn keys_survive_json() {
    for alg in Alg::ALL.iter().copied() {
        let key = SecretKey::from_bytes(alg, &[9; 32]).unwrap();
        let jwk = Jwk::new(key.public_key().clone()).with_kid("k1");
        assert_eq!(jwk.kid(), Some("k1"));
        assert_eq!(Jwk::from_value(&jwk.to_json()), Ok(jwk.clone()));
        let text = serde_json::to_string(&jwk).unwrap();
        assert_eq!(serde_json::from_str::<Jwk>(&text).unwrap(), jwk);
    }
}

#[test]
fn each_unacceptable_key_has_its_own_refusal() {
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = ed25519();
        jwk[name] = value;
        Jwk::from_value(&jwk).expect_err("must be refused")
    };
    assert_eq!(with("d", json!("AA")), JwkError::Private);
    assert_eq!(with("kty", json!("RSA")), JwkError::Unsupported);
    assert_eq!(with("kty", json!("oct")), JwkError::Unsupported);
    assert_eq!(with("kty", json!("EC")), JwkError::Unsupported);
    assert_eq!(with("crv", json!("Ed448")), JwkError::Unsupported);
    assert_eq!(with("crv", json!("ed25519")), JwkError::Unsupported);
    assert_eq!(with("crv", json!(1)), JwkError::Malformed);
    assert_eq!(with("use", json!("enc")), JwkError::Purpose);
    assert_eq!(with("key_ops", json!(["sign"])), JwkError::Purpose);
    assert_eq!(with("key_ops", json!("verify")), JwkError::Purpose);
    assert_eq!(with("alg", json!("ES256")), JwkError::Algorithm);
    assert_eq!(with("alg", json!(null)), JwkError::Algorithm);
    assert_eq!(with("kid", json!(7)), JwkError::Malformed);
    assert_eq!(with("x", json!("AA")), JwkError::Coordinate(Base64Error::Length));
    let padded = JwkError::Coordinate(Base64Error::Padding);
    assert_eq!(with("x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")), padded);
    assert_eq!(with("x", json!("A".repeat(43))), JwkError::Key(KeyError::NotOnCurve));
    assert_eq!(Jwk::from_value(&json!("key")), Err(JwkError::Malformed));
}

#[test]
fn a_name_may_be_absent_and_has_a_longest_length() {
    let named = |length: usize| {
        let mut jwk = ed25519();
        jwk["kid"] = json!("k".repeat(length));
        Jwk::from_value(&jwk).map(|jwk| jwk.kid().map(str::len))
    };
    assert_eq!(Jwk::from_value(&ed25519()).unwrap().kid(), None);
    assert_eq!(named(limits::KEY_ID), Ok(Some(limits::KEY_ID)));
    assert_eq!(named(limits::KEY_ID + 1), Err(JwkError::Malformed));
}

#[test]
fn points_off_the_curve_are_refused() {
    let key = SecretKey::from_bytes(Alg::Es256, &[9; 32]).unwrap();
    let mut jwk = Jwk::new(key.public_key().clone()).to_json();
    jwk["y"] = jwk["x"].clone();
    assert_eq!(Jwk::from_value(&jwk), Err(JwkError::Key(KeyError::NotOnCurve)));
}
