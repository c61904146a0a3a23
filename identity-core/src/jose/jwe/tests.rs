use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::*;
use crate::crypto::{Alg, KeyError, SecretKey};
use crate::encoding::{base64url, limits};

const LIMIT: usize = 64 * 1024;
const CONTENT: &[u8] = br#"{"vp_token":{"id":["a~b~c"]}}"#;

fn key() -> DecryptionKey {
    DecryptionKey::generate(&mut StdRng::seed_from_u64(1)).unwrap()
}

/// A key of others: its private scalar `d` and its name.
fn key_of(d: &str, kid: &str) -> DecryptionKey {
    let secret = SecretKey::from_bytes(Alg::Es256, &base64url::decode_array(d).unwrap()).unwrap();
    DecryptionKey::of(secret, Some(kid))
}

/// The example of OpenID4VP 1.0 §8.3: somebody else's software encrypted it.
#[test]
fn the_example_of_openid4vp_is_decrypted() {
    let key = key_of("Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww", "ac");
    let example = concat!(
        "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImtpZCI6ImFjIiwiZXBrIjp7Imt0eSI6IkVDIiwieCI6Im5ubVZw",
        "bTNWM2piaGNhZlFhUkJrU1ZOSGx3Wkh3dC05ck9wSnVmeVlJdWsiLCJ5IjoicjRmakRxd0p5czlxVU9QLV9iM21SNVNaRy0t",
        "Q3dPMm1pYzVWU05UWU45ZyIsImNydiI6IlAtMjU2In19..uAYcHRUSSn2X0WPX.yVzlGSYG4qbg0bq18JcUiDRw56yVnbKR8",
        "E7S7YlEtzT00RqE3Pw5oTpUG3hdLN4taHZ9gC1kwak8JOnJgQ.1wR024_3-qtAlx1oFIUpQQ",
    );
    let content = decrypt(example, &key, LIMIT).unwrap();
    let content: Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(content, json!({ "vp_token": { "example_credential_id": ["eyJhb...YMetA"] } }));
}

/// RFC 7518 Appendix C states the agreed key for two parties with names; a content under that key must open.
#[test]
fn the_agreement_of_rfc_7518_appendix_c() {
    let bob = key_of("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw", "bob");
    let agreed = base64url::decode("VqqN6vgjbSBcIijNcacQGg").unwrap();
    let header = json!({
        "alg": "ECDH-ES", "enc": "A128GCM", "kid": "bob", "apu": "QWxpY2U", "apv": "Qm9i",
        "epk": { "kty": "EC", "crv": "P-256", "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
                 "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps" },
    });
    let header = base64url::encode(header.to_string().as_bytes());
    let mut content = CONTENT.to_vec();
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &agreed).unwrap());
    let nonce = Nonce::assume_unique_for_key([7; 12]);
    let tag = sealing.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut content).unwrap();
    let [iv, content, tag] = [&[7; 12], content.as_slice(), tag.as_ref()].map(base64url::encode);
    let opened = decrypt(&format!("{header}..{iv}.{content}.{tag}"), &bob, LIMIT).unwrap();
    assert_eq!(opened.as_slice(), CONTENT);
}

#[test]
fn what_is_encrypted_is_decrypted_and_differs_each_time() {
    let key = key();
    for enc in Enc::ALL {
        let one = encrypt(CONTENT, key.public(), *enc).unwrap();
        let other = encrypt(CONTENT, key.public(), *enc).unwrap();
        assert_ne!(one, other);
        assert_eq!(decrypt(&one, &key, LIMIT).unwrap().as_slice(), CONTENT);
    }
    let again = DecryptionKey::from_bytes(&key.to_bytes()).unwrap();
    assert_eq!(again.public(), key.public());
    assert!(!format!("{key:?}").contains(&base64url::encode(key.to_bytes().as_ref())));
}

/// A JWE with one member of its header changed, or left out.
fn with_header(member: &str, value: Option<Value>) -> String {
    let jwe = encrypt(CONTENT, key().public(), Enc::A256Gcm).unwrap();
    let (header, rest) = jwe.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
    match value {
        Some(value) => header[member] = value,
        None => drop(header.as_object_mut().unwrap().remove(member)),
    }
    format!("{}.{rest}", base64url::encode(header.to_string().as_bytes()))
}

#[test]
fn each_header_that_is_not_ours_is_refused_by_its_name() {
    use JweError as E;
    let cases: Vec<(&str, Option<Value>, JweError)> = vec![
        ("alg", None, E::Alg),
        ("alg", Some(json!("ECDH-ES+A256KW")), E::Alg),
        ("alg", Some(json!("RSA-OAEP-256")), E::Alg),
        ("alg", Some(json!("PBES2-HS256+A128KW")), E::Alg),
        ("alg", Some(json!("dir")), E::Alg),
        ("alg", Some(json!("ecdh-es")), E::Alg),
        ("alg", Some(json!(["ECDH-ES"])), E::Alg),
        ("enc", None, E::Enc),
        ("enc", Some(json!("A192GCM")), E::Enc),
        ("enc", Some(json!("A128CBC-HS256")), E::Enc),
        ("enc", Some(json!(7)), E::Enc),
        ("zip", Some(json!("DEF")), E::Compressed),
        ("crit", Some(json!(["exp"])), E::Critical),
        ("crit", Some(json!([])), E::Critical),
        ("cty", Some(json!("JWT")), E::Nested),
        ("kid", None, E::Kid),
        ("kid", Some(json!("another")), E::Kid),
        ("epk", None, E::Ephemeral),
        ("epk", Some(json!("point")), E::Point(JwkError::Malformed)),
        ("apu", Some(json!(7)), E::Ephemeral),
        ("apv", Some(json!(["x"])), E::Ephemeral),
        // Nothing is wrong with their form; they are part of the agreement and of what the tag covers.
        ("apu", Some(json!("QWxpY2U")), E::Undecipherable),
        ("enc", Some(json!("A128GCM")), E::Undecipherable),
        ("typ", Some(json!("JWT")), E::Undecipherable),
    ];
    for (member, value, refusal) in cases {
        let got = decrypt(&with_header(member, value.clone()), &key(), LIMIT).unwrap_err();
        assert_eq!(got, refusal, "{member} = {value:?}");
        assert!(got.code().as_str().starts_with("jose."));
    }
}

/// Points outside the curve are how a static key is drawn out of whoever multiplies them with it.
#[test]
fn points_outside_the_curve_are_refused_before_any_work() {
    let on_curve = "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk";
    let zero = base64url::encode(&[0; 32]);
    let beyond = base64url::encode(&[0xff; 32]);
    let points = [
        (on_curve, on_curve, JwkError::Key(KeyError::NotOnCurve)),
        (zero.as_str(), zero.as_str(), JwkError::Key(KeyError::NotOnCurve)),
        (beyond.as_str(), zero.as_str(), JwkError::Key(KeyError::NotOnCurve)),
    ];
    for (x, y, refusal) in points {
        let epk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        let got = decrypt(&with_header("epk", Some(epk.clone())), &key(), LIMIT);
        assert_eq!(got, Err(JweError::Point(refusal)), "{epk}");
        let to = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": ALG, "kid": "k" });
        assert_eq!(EncryptionKey::from_jwk(&to), Err(refusal), "nobody encrypts to it either");
    }
    let short = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
    let got = decrypt(&with_header("epk", Some(short)), &key(), LIMIT);
    assert!(matches!(got, Err(JweError::Point(JwkError::Coordinate(_)))));
    let p384 = json!({ "kty": "EC", "crv": "P-384", "x": on_curve, "y": on_curve });
    let got = decrypt(&with_header("epk", Some(p384)), &key(), LIMIT);
    assert_eq!(got, Err(JweError::Point(JwkError::Unsupported)));
    let ed25519 = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    assert_eq!(decrypt(&with_header("epk", Some(ed25519)), &key(), LIMIT), Err(JweError::Ephemeral));
}

#[test]
fn parts_of_other_lengths_are_refused() {
    let jwe = encrypt(CONTENT, key().public(), Enc::A128Gcm).unwrap();
    let parts: Vec<&str> = jwe.split('.').collect();
    let with = |at: usize, part: &str| {
        let mut parts = parts.clone();
        parts[at] = part;
        decrypt(&parts.join("."), &key(), LIMIT)
    };
    let tag = base64url::decode(parts[4]).unwrap();
    // A tag cut short would match if only what is there were compared.
    for length in 0..16 {
        assert_eq!(with(4, &base64url::encode(&tag[..length])), Err(JweError::Length), "tag of {length}");
    }
    let iv = base64url::decode(parts[2]).unwrap();
    for other in [&[][..], &iv[..8], &[0; 16]] {
        assert_eq!(with(2, &base64url::encode(other)), Err(JweError::Length));
    }
    assert_eq!(with(1, "AAAA"), Err(JweError::Length));
    assert_eq!(with(3, ""), Err(JweError::Undecipherable));
    assert!(matches!(with(3, "a b"), Err(JweError::Encoding(_))));
    assert!(matches!(with(0, "e30="), Err(JweError::Encoding(_))));
    assert!(matches!(with(0, &base64url::encode(br#"{"alg":"dir","alg":"ECDH-ES"}"#)), Err(JweError::Json(_))));
    let limit = limits::JWE_HEADER;
    assert!(matches!(with(0, &"A".repeat(limit)), Err(JweError::Json(_))), "as long as a header may be");
    assert_eq!(with(0, &"A".repeat(limit + 1)), Err(JweError::TooLarge { limit }));
    for text in ["", "a.b.c.d", "a.b.c.d.e.f", &format!("{jwe}."), &".".repeat(10_000)] {
        assert_eq!(decrypt(text, &key(), LIMIT), Err(JweError::Parts));
    }
    assert_eq!(decrypt(&jwe, &key(), jwe.len() - 1), Err(JweError::TooLarge { limit: jwe.len() - 1 }));
    assert!(decrypt(&jwe, &key(), jwe.len()).is_ok());
}

#[test]
fn a_changed_bit_or_another_key_opens_nothing() {
    let jwe = encrypt(CONTENT, key().public(), Enc::A256Gcm).unwrap();
    for at in 0..jwe.len() {
        let mut bytes = jwe.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(decrypt(&changed, &key(), LIMIT).is_err(), "byte {at}");
        }
    }
    let other = SecretKey::from_bytes(Alg::Es256, &[9; 32]).unwrap();
    let other = DecryptionKey::of(other, Some(key().public().kid()));
    assert_eq!(decrypt(&jwe, &other, LIMIT), Err(JweError::Undecipherable));
}

#[test]
fn a_key_set_is_searched_for_a_key_of_this_kind() {
    let jwk = key().public().to_jwk();
    assert_eq!(EncryptionKey::from_jwk(&jwk), Ok(Some(key().public().clone())));
    let with = |name: &str, value: Option<Value>| {
        let mut jwk = jwk.clone();
        match value {
            Some(value) => jwk[name] = value,
            None => drop(jwk.as_object_mut().unwrap().remove(name)),
        }
        EncryptionKey::from_jwk(&jwk)
    };
    assert!(with("use", None).unwrap().is_some());
    for (name, value) in [
        ("use", Some(json!("sig"))),
        ("alg", Some(json!("ECDH-ES+A128KW"))),
        ("alg", None),
        ("crv", Some(json!("P-384"))),
        ("kty", Some(json!("OKP"))),
    ] {
        assert_eq!(with(name, value.clone()), Ok(None), "{name} = {value:?}");
    }
    assert_eq!(with("kid", None), Err(JwkError::Malformed));
    assert_eq!(with("kid", Some(json!(""))), Err(JwkError::Malformed));
    assert_eq!(with("d", Some(json!("AA"))), Err(JwkError::Private));
}
