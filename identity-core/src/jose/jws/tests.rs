//! Hostile tokens, each with its own refusal.

use serde_json::{Value, json};

use super::{ExpectedTyp, JwsError, Part, UnverifiedJws};
use crate::crypto::{Alg, SecretKey, Signer as _, Together};
use crate::encoding::base64url::{self, Base64Error};
use crate::encoding::json::JsonError;
use crate::encoding::limits;
use crate::jose::{Jwk, JwkError, SignHeader, sign_compact};

const TYP: ExpectedTyp<'static> = ExpectedTyp::Exactly("kb+jwt");

fn key(alg: Alg) -> SecretKey {
    SecretKey::from_bytes(alg, &[7; 32]).unwrap()
}

fn token(alg: Alg) -> String {
    sign_compact(SignHeader::new("kb+jwt").kid("#k"), br#"{"a":1}"#, &key(alg)).unwrap()
}

/// A token with any header and payload, really signed by the key of `alg`.
fn signed(alg: Alg, header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let signature = key(alg).sign(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

fn refusal(text: &str) -> JwsError {
    UnverifiedJws::parse(text)
        .and_then(|jws| jws.verify(key(Alg::EdDsa).public_key(), TYP))
        .expect_err("must be refused")
}

fn header_refusal(header: &Value) -> JwsError {
    refusal(&signed(Alg::EdDsa, header.to_string().as_bytes(), b"{}"))
}

#[test]
fn looking_ahead_changes_no_verdict() {
    let (eddsa, es256) = (key(Alg::EdDsa), key(Alg::Es256));
    let other = SecretKey::from_bytes(Alg::EdDsa, &[8; 32]).unwrap();
    let (good, forged) = (token(Alg::EdDsa), token(Alg::EdDsa).replacen("eyJhIjoxfQ", "eyJhIjoyfQ", 1));
    let texts =
        [good.clone(), token(Alg::Es256), signed(Alg::EdDsa, br#"{"alg":"EdDSA","typ":"kb+jwt"}"#, b"{}"), forged];
    for count in 1..=texts.len() {
        let mut parsed: Vec<_> = texts[..count].iter().map(|text| UnverifiedJws::parse(text).unwrap()).collect();
        let by = [&eddsa, &es256, &eddsa, &eddsa].map(SecretKey::public_key);
        let mut together = Together::default();
        parsed.iter().zip(by).for_each(|(jws, by)| jws.join(by, &mut together));
        let known = together.verify();
        for (jws, by) in parsed.iter_mut().zip(by) {
            jws.recognise(other.public_key(), &known);
            jws.recognise(by, &known);
        }
        for (text, (jws, by)) in texts.iter().zip(parsed.into_iter().zip(by)) {
            let alone = |key| UnverifiedJws::parse(text).unwrap().verify(key, TYP).map(|_| ());
            assert_eq!(jws.clone().verify(by, TYP).map(|_| ()), alone(by));
            // What holds under one key holds under no other, and under no other type.
            assert_eq!(jws.clone().verify(other.public_key(), TYP).map(|_| ()), alone(other.public_key()));
            assert!(jws.verify(by, ExpectedTyp::Exactly("other")).is_err());
        }
    }
}

#[test]
fn good_tokens_pass_and_keep_their_bytes() {
    for alg in Alg::ALL.iter().copied() {
        let text = token(alg);
        let jws = UnverifiedJws::parse(&text).unwrap();
        assert_eq!(Some(jws.signing_input()), text.rsplit_once('.').map(|(input, _)| input));
        let verified = jws.verify(key(alg).public_key(), TYP).unwrap();
        assert_eq!(verified.payload(), br#"{"a":1}"#);
        assert_eq!(verified.header().kid(), Ok("#k"));
        assert_eq!(verified.claims().unwrap().get("a"), Some(&json!(1)));
        assert_eq!(verified.compact(), text);
    }
}

#[test]
fn algorithms_come_from_the_closed_list_and_must_be_the_keys_own() {
    for none in ["none", "None", "nOnE", "NONE"] {
        assert_eq!(header_refusal(&json!({"alg": none, "typ": "kb+jwt"})), JwsError::AlgNone);
    }
    for mac in ["HS256", "HS384", "HS512"] {
        assert_eq!(header_refusal(&json!({"alg": mac, "typ": "kb+jwt"})), JwsError::AlgSymmetric);
    }
    for other in ["", "RS256", "PS256", "ES384", "ES256K", "eddsa", "es256", "EdDSA ", "Ed448"] {
        assert_eq!(header_refusal(&json!({"alg": other, "typ": "kb+jwt"})), JwsError::AlgUnknown);
    }
    for missing in [json!({"typ": "kb+jwt"}), json!({"alg": null}), json!({"alg": ["EdDSA"]}), json!({"alg": 1})] {
        assert_eq!(header_refusal(&missing), JwsError::AlgMissing);
    }
    assert_eq!(refusal(&token(Alg::Es256)), JwsError::AlgKeyMismatch);
    let full_name = signed(Alg::EdDsa, br#"{"alg":"Ed25519","typ":"kb+jwt"}"#, b"{}");
    assert!(UnverifiedJws::parse(&full_name).unwrap().verify(key(Alg::EdDsa).public_key(), TYP).is_ok());
}

#[test]
fn a_public_key_is_no_secret_for_a_mac() {
    // The classic confusion: HS256 keyed with the issuer's public key in any of its forms. No MAC is ever computed.
    let header = br#"{"alg":"HS256","typ":"kb+jwt"}"#;
    let text = format!("{}.{}.{}", base64url::encode(header), base64url::encode(b"{}"), base64url::encode(&[0; 32]));
    assert_eq!(refusal(&text), JwsError::AlgSymmetric);
}

#[test]
fn unsigned_and_psychic_tokens_are_refused() {
    let bare = format!("{}.{}.", base64url::encode(br#"{"alg":"none"}"#), base64url::encode(b"{}"));
    assert_eq!(refusal(&bare), JwsError::AlgNone);
    let stripped = token(Alg::EdDsa).rsplit_once('.').map(|(input, _)| format!("{input}.")).unwrap();
    assert_eq!(refusal(&stripped), JwsError::SignatureLength);
    let psychic = token(Alg::Es256).rsplit_once('.').map(|(input, _)| format!("{input}.{}", "A".repeat(86))).unwrap();
    let verdict = UnverifiedJws::parse(&psychic).unwrap().verify(key(Alg::Es256).public_key(), TYP);
    assert_eq!(verdict.err(), Some(JwsError::SignatureInvalid));
}

#[test]
fn keys_and_addresses_in_the_header_change_nothing() {
    let attacker = SecretKey::from_bytes(Alg::EdDsa, &[66; 32]).unwrap();
    let jwk = Jwk::new(attacker.public_key().clone());
    let text = sign_compact(SignHeader::new("kb+jwt").jwk(&jwk), b"{}", &attacker).unwrap();
    assert_eq!(refusal(&text), JwsError::SignatureInvalid);
    for name in ["jku", "x5u"] {
        let header = json!({"alg": "EdDSA", "typ": "kb+jwt", name: "http://169.254.169.254/key"});
        let text = signed(Alg::EdDsa, header.to_string().as_bytes(), b"{}");
        assert!(UnverifiedJws::parse(&text).unwrap().verify(key(Alg::EdDsa).public_key(), TYP).is_ok());
    }
}

#[test]
fn the_key_of_a_proof_is_read_only_when_asked_for() {
    let text = sign_compact(SignHeader::new("kb+jwt"), b"{}", &key(Alg::EdDsa)).unwrap();
    let jws = UnverifiedJws::parse(&text).unwrap();
    assert_eq!(jws.header().proof_jwk(), Err(JwsError::HeaderKey(JwkError::Malformed)));
    let jwk = Jwk::new(key(Alg::EdDsa).public_key().clone());
    let text = sign_compact(SignHeader::new("kb+jwt").jwk(&jwk), b"{}", &key(Alg::EdDsa)).unwrap();
    assert_eq!(UnverifiedJws::parse(&text).unwrap().header().proof_jwk(), Ok(jwk));
}

#[test]
fn key_ids_are_names_and_nothing_more() {
    let parse = |kid: Value| {
        let header = json!({"alg": "EdDSA", "typ": "kb+jwt", "kid": kid});
        let text = signed(Alg::EdDsa, header.to_string().as_bytes(), b"{}");
        UnverifiedJws::parse(&text).unwrap().header().kid().map(str::to_owned)
    };
    for odd in ["../../etc/passwd", "http://example.org/key", "' OR 1=1 --", "\u{0}"] {
        assert_eq!(parse(json!(odd)), Ok(odd.to_owned()), "a name to look up, taken literally");
    }
    let longest = "k".repeat(limits::KEY_ID);
    assert_eq!(parse(json!(longest)), Ok(longest));
    for bad in [json!(""), json!(7), json!(null), json!(["a"]), json!("k".repeat(limits::KEY_ID + 1))] {
        assert_eq!(parse(bad), Err(JwsError::Kid));
    }
}

#[test]
fn types_are_compared_exactly() {
    assert_eq!(header_refusal(&json!({"alg": "EdDSA"})), JwsError::TypMissing);
    assert_eq!(header_refusal(&json!({"alg": "EdDSA", "typ": 1})), JwsError::TypMissing);
    for typ in ["", "JWT", "KB+JWT", "application/kb+jwt", "kb+jwt ", "dc+sd-jwt"] {
        assert_eq!(header_refusal(&json!({"alg": "EdDSA", "typ": typ})), JwsError::TypWrong);
    }
}

#[test]
fn extensions_are_refused() {
    let header = json!({"alg": "EdDSA", "typ": "kb+jwt", "crit": ["exp"], "exp": 1});
    assert_eq!(header_refusal(&header), JwsError::Critical);
    assert_eq!(header_refusal(&json!({"alg": "EdDSA", "typ": "kb+jwt", "crit": []})), JwsError::Critical);
    let unencoded = json!({"alg": "EdDSA", "typ": "kb+jwt", "b64": false, "crit": ["b64"]});
    assert_eq!(header_refusal(&unencoded), JwsError::UnencodedPayload);
    assert_eq!(header_refusal(&json!({"alg": "EdDSA", "typ": "kb+jwt", "b64": true})), JwsError::UnencodedPayload);
}

#[test]
fn headers_are_strict_json() {
    let json_refusal = |header: &[u8]| match refusal(&signed(Alg::EdDsa, header, b"{}")) {
        JwsError::Json { part: Part::Header, error } => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(json_refusal(br#"{"alg":"EdDSA","typ":"kb+jwt","alg":"none"}"#), JsonError::DuplicateKey { .. }));
    assert_eq!(json_refusal(b"\xef\xbb\xbf{}"), JsonError::ByteOrderMark);
    assert_eq!(json_refusal(b"\xff"), JsonError::NotUtf8);
    assert_eq!(json_refusal(b"[]"), JsonError::Shape);
    assert!(matches!(json_refusal(br#"{"alg":"EdDSA"} x"#), JsonError::TrailingData { .. }));
    assert!(matches!(json_refusal(b""), JsonError::Malformed { .. }));
    let deep = format!(r#"{{"alg":"EdDSA","x":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(matches!(json_refusal(deep.as_bytes()), JsonError::TooDeep { .. }));
}

#[test]
fn payloads_are_strict_json_once_claims_are_read() {
    let claims = |payload: &[u8]| {
        let text = signed(Alg::EdDsa, br#"{"alg":"EdDSA","typ":"kb+jwt"}"#, payload);
        let jws = UnverifiedJws::parse_limited(&text, 1 << 20).unwrap();
        jws.verify(key(Alg::EdDsa).public_key(), TYP).unwrap().claims().expect_err("must be refused")
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (payload, expected) in [
        (br#"{"exp":1e999}"#.to_vec(), JsonError::NumberOutOfRange { at: 7 }),
        (br#"{"a":1,"a":2}"#.to_vec(), JsonError::DuplicateKey { at: 12 }),
        (br#"{"a":"\ud800"}"#.to_vec(), JsonError::LoneSurrogate { at: 7 }),
        (deep.into_bytes(), JsonError::TooDeep { limit: limits::JSON_DEPTH }),
    ] {
        assert_eq!(claims(&payload), JwsError::Json { part: Part::Payload, error: expected });
    }
}

#[test]
fn parts_and_their_spelling_are_exact() {
    let good = token(Alg::EdDsa);
    for text in ["", ".", "a.b", &format!("{good}.x"), &format!("x.{good}"), &format!("{good}."), &format!(".{good}")] {
        assert_eq!(refusal(text), JwsError::Parts, "{text}");
    }
    let encoding = |text: &str| match refusal(text) {
        JwsError::Encoding { part, error } => (part, error),
        other => panic!("{other:?}"),
    };
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    assert_eq!(encoding(&format!("{header}=.{payload}.{signature}")), (Part::Header, Base64Error::Padding));
    assert_eq!(encoding(&format!("{header}.{payload}==.{signature}")), (Part::Payload, Base64Error::Padding));
    assert_eq!(encoding(&format!("{good}==")), (Part::Signature, Base64Error::Padding));
    assert_eq!(encoding(&format!("{good}\n")), (Part::Signature, Base64Error::Character));
    assert_eq!(encoding(&format!(" {good}")), (Part::Header, Base64Error::Character));
    let stray = format!("{input}.{}B", signature.get(..85).unwrap());
    assert_eq!(encoding(&stray), (Part::Signature, Base64Error::TrailingBits));
    assert_eq!(refusal(&format!("{good}AA")), JwsError::SignatureLength);
}

#[test]
fn size_is_bounded_before_anything_is_decoded() {
    let long = "A".repeat(limits::JWS + 1);
    assert_eq!(refusal(&long), JwsError::TooLarge { limit: limits::JWS });
    let header = format!("{}.e30.AA", "A".repeat(limits::JWS_HEADER + 1));
    assert_eq!(refusal(&header), JwsError::TooLarge { limit: limits::JWS_HEADER });
}

#[test]
fn the_longest_token_and_the_longest_header_are_read() {
    let text = token(Alg::EdDsa);
    assert!(UnverifiedJws::parse_limited(&text, text.len()).is_ok());
    let limit = text.len() - 1;
    assert_eq!(UnverifiedJws::parse_limited(&text, limit).err(), Some(JwsError::TooLarge { limit }));
    // Base64url writes three bytes as four characters, so this header has exactly as many as it may.
    let bare = br#"{"alg":"EdDSA","typ":"kb+jwt","x":""}"#;
    let header = |bytes: usize| {
        let padded = format!(r#"{{"alg":"EdDSA","typ":"kb+jwt","x":"{}"}}"#, "x".repeat(bytes - bare.len()));
        UnverifiedJws::parse(&signed(Alg::EdDsa, padded.as_bytes(), b"{}")).map(|jws| jws.header().alg())
    };
    assert_eq!(header(limits::JWS_HEADER / 4 * 3), Ok(Alg::EdDsa));
    assert_eq!(header(limits::JWS_HEADER / 4 * 3 + 1), Err(JwsError::TooLarge { limit: limits::JWS_HEADER }));
}

#[test]
fn any_flipped_character_is_refused() {
    let good = token(Alg::EdDsa);
    for at in 0..good.len() {
        for other in ['A', '.', '~', '='] {
            let changed: String = good.chars().enumerate().map(|(n, c)| if n == at { other } else { c }).collect();
            if changed != good {
                refusal(&changed);
            }
        }
    }
}

#[test]
fn transactions_refuse_the_high_twin() {
    let text = token(Alg::Es256);
    let jws = UnverifiedJws::parse(&text).unwrap();
    assert!(jws.verify_low_s(key(Alg::Es256).public_key(), TYP).is_ok());
}
