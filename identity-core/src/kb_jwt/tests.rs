//! Every way in which a key binding can be stripped, swapped, replayed or bent has its own error.

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey};
use crate::did::method;
use crate::encoding::{base64url, limits};
use crate::jose::Jwk;
use crate::sd_jwt::{ClaimPath, Concealment, HashAlg, HeldSdJwt, UnverifiedSdJwt, issue};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const WINDOW: Window = Window { max_age: 300, leeway: 30 };
const HERE: Occasion<'static> =
    Occasion { audience: "decentralized_identifier:did:example:v", nonce: "n-1", transaction_data: &[] };

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[seed; 32]).unwrap()
}

fn holder() -> SecretKey {
    key(2)
}

fn held_with(cnf: &Value, hash: HashAlg) -> HeldSdJwt {
    let claims = json!({"name": "样本", "age": 40, "cnf": cnf});
    let concealment = Concealment::new(hash).conceal(&ClaimPath::top("name")).conceal(&ClaimPath::top("age"));
    let mut rng = StdRng::seed_from_u64(1);
    let text = issue(SignHeader::new("x"), claims.as_object().unwrap(), &concealment, &key(1), &mut rng).unwrap();
    HeldSdJwt::dangerous_reopen(text).unwrap()
}

fn held() -> HeldSdJwt {
    held_with(&json!({"jwk": Jwk::new(holder().public_key().clone())}), HashAlg::Sha256)
}

fn presented() -> Presentation {
    held().present(&[ClaimPath::top("name")]).unwrap()
}

fn judge(text: &str) -> Result<HolderBinding, KbJwtError> {
    let verified =
        UnverifiedSdJwt::parse(text).unwrap().verify(key(1).public_key(), ExpectedTyp::DangerousAny).unwrap();
    verify(&verified, HERE, WINDOW, NOW)
}

/// A key binding whose claims are the right ones, changed.
fn bent(change: impl Fn(&mut Map<String, Value>)) -> String {
    let presentation = presented();
    let claims = json!({"iat": NOW, "aud": HERE.audience, "nonce": HERE.nonce, "sd_hash": presentation.sd_hash()});
    let mut claims = claims.as_object().unwrap().clone();
    change(&mut claims);
    signed(&Value::Object(claims), typ::KEY_BINDING, &holder())
}

fn signed(claims: &Value, typ: &str, key: &SecretKey) -> String {
    let kb_jwt = sign_compact(SignHeader::new(typ), claims.to_string().as_bytes(), key).unwrap();
    format!("{}{kb_jwt}", presented().text())
}

fn with_claim(name: &'static str, value: Value) -> String {
    bent(|claims| {
        claims.insert(name.to_owned(), value.clone());
    })
}

#[test]
fn what_the_holder_binds_is_accepted_under_each_hash() {
    for hash in [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512] {
        let held = held_with(&json!({"jwk": Jwk::new(holder().public_key().clone())}), hash);
        let text = bind(&held.present(&[]).unwrap(), HERE, &holder(), NOW).unwrap();
        let binding = judge(&text).unwrap();
        assert_eq!(&binding.key, holder().public_key());
        assert_eq!(binding.issued_at, NOW);
    }
}

#[test]
fn an_es256_holder_key_does_as_well() {
    let holder = SecretKey::from_bytes(Alg::Es256, &[3; 32]).unwrap();
    let held = held_with(&json!({"jwk": Jwk::new(holder.public_key().clone())}), HashAlg::Sha256);
    let text = bind(&held.present(&[]).unwrap(), HERE, &holder, NOW).unwrap();
    assert!(judge(&text).is_ok());
}

#[test]
fn a_stripped_key_binding_is_missed() {
    assert_eq!(judge(presented().text()), Err(KbJwtError::Missing));
}

#[test]
fn a_swapped_key_is_refused() {
    let text = bind(&presented(), HERE, &key(9), NOW).unwrap();
    assert_eq!(judge(&text), Err(KbJwtError::Signature));
}

#[test]
fn the_key_binding_of_another_presentation_is_refused() {
    let other = bind(&held().present(&[ClaimPath::top("age")]).unwrap(), HERE, &holder(), NOW).unwrap();
    let kb_jwt = other.rsplit('~').next().unwrap();
    assert_eq!(judge(&format!("{}{kb_jwt}", presented().text())), Err(KbJwtError::SdHash));
}

#[test]
fn a_disclosure_added_or_removed_after_signing_is_noticed() {
    let held = held();
    let both = held.present(&[ClaimPath::top("name"), ClaimPath::top("age")]).unwrap();
    for (signed, sent) in [(&presented(), &both), (&both, &presented())] {
        let text = bind(signed, HERE, &holder(), NOW).unwrap();
        let kb_jwt = text.rsplit('~').next().unwrap();
        assert_eq!(judge(&format!("{}{kb_jwt}", sent.text())), Err(KbJwtError::SdHash));
    }
}

#[test]
fn audience_and_nonce_are_exact() {
    for audience in ["did:example:v", "decentralized_identifier:did:example:V", ""] {
        assert_eq!(judge(&with_claim("aud", json!(audience))), Err(KbJwtError::Audience));
    }
    for nonce in ["n-2", "N-1", "n-1 ", ""] {
        assert_eq!(judge(&with_claim("nonce", json!(nonce))), Err(KbJwtError::Nonce));
    }
}

#[test]
fn time_is_a_window_with_two_sides() {
    let at = |seconds: i64| judge(&with_claim("iat", json!(NOW.0 + seconds))).map(|binding| binding.issued_at);
    assert!(at(-330).is_ok());
    assert_eq!(at(-331), Err(KbJwtError::TooOld));
    assert!(at(30).is_ok());
    assert_eq!(at(31), Err(KbJwtError::InFuture));
    assert_eq!(judge(&with_claim("exp", json!(NOW.0 - 31))), Err(KbJwtError::Claim(ClaimError::Expired)));
}

#[test]
fn each_claim_must_be_there_and_of_its_type() {
    for name in ["iat", "aud", "nonce", "sd_hash"] {
        let without = bent(|claims| {
            claims.remove(name);
        });
        assert!(matches!(judge(&without), Err(KbJwtError::Claim(ClaimError::Missing { .. }))), "{name}");
    }
    for (name, value) in [
        ("aud", json!([HERE.audience])),
        ("nonce", json!(1)),
        ("sd_hash", json!(null)),
        ("iat", json!("1800000000")),
        ("iat", json!(1.8e9)),
        ("iat", json!(-1)),
        ("iat", json!(u64::MAX)),
    ] {
        assert!(matches!(judge(&with_claim(name, value)), Err(KbJwtError::Claim(_))), "{name}");
    }
}

#[test]
fn another_typ_or_alg_is_refused() {
    let claims = json!({});
    assert_eq!(judge(&signed(&claims, "JWT", &holder())), Err(KbJwtError::Jws(JwsError::TypWrong)));
    let es256 = SecretKey::from_bytes(Alg::Es256, &[3; 32]).unwrap();
    assert_eq!(judge(&signed(&claims, typ::KEY_BINDING, &es256)), Err(KbJwtError::Jws(JwsError::AlgKeyMismatch)));
    let unsigned = format!("{}eyJhbGciOiJub25lIiwidHlwIjoia2Irand0In0.e30.", presented().text());
    assert_eq!(judge(&unsigned), Err(KbJwtError::Jws(JwsError::AlgNone)));
}

#[test]
fn the_holder_key_is_named_in_one_way() {
    let jwk = json!(Jwk::new(holder().public_key().clone()));
    for (cnf, expected) in [
        (json!({"jwk": jwk, "kid": "did:example:attacker#1"}), KbJwtError::CnfAmbiguous),
        (json!({"jwk": jwk, "later": 1}), KbJwtError::CnfAmbiguous),
        (json!({"kid": did_of(&other()), "jku": "https://attacker.example"}), KbJwtError::CnfAmbiguous),
        (json!({"kid": "did:xinfu:devnet:6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDo#a"}), KbJwtError::CnfMethod),
        (json!({"kid": "did:web:holder.example#1"}), KbJwtError::CnfMethod),
        (json!({"kid": "holder-1"}), KbJwtError::CnfName),
        (json!({"kid": "../../keys/1"}), KbJwtError::CnfName),
        (json!({"kid": 1}), KbJwtError::CnfName),
        (json!({"kid": did_of(&holder()).split('#').next()}), KbJwtError::CnfName),
        (json!({"kid": format!("{}x", did_of(&holder()))}), KbJwtError::CnfName),
        (json!({"kid": "did:jwk:e30#0"}), KbJwtError::CnfName),
        (json!({"kid": "did:key:zNoKey#zNoKey"}), KbJwtError::CnfName),
        (json!({}), KbJwtError::CnfUnsupported),
        (json!({"jku": "https://attacker.example"}), KbJwtError::CnfUnsupported),
        (json!("key"), KbJwtError::CnfUnsupported),
        (json!({"jwk": {"kty": "oct", "k": "AA"}}), KbJwtError::CnfKey(JwkError::Private)),
    ] {
        let text = bind(&held_with(&cnf, HashAlg::Sha256).present(&[]).unwrap(), HERE, &holder(), NOW).unwrap();
        assert_eq!(judge(&text), Err(expected), "{cnf}");
    }
    assert_eq!(Confirmation::read(&Map::new()), Err(KbJwtError::CnfMissing));
}

/// The DID URL that spells a key out.
fn did_of(key: &SecretKey) -> String {
    let did = method::key::did_of(key.public_key()).unwrap();
    format!("{did}#{}", did.id())
}

fn other() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[5; 32]).unwrap()
}

#[test]
fn the_longest_name_of_a_key_is_read() {
    // A JWK may hold members that nobody knows, so a `did:jwk` may be as long as one likes.
    let jwk = json!(Jwk::new(holder().public_key().clone()));
    let kid = |length: usize| {
        let spelled = |padding: usize| {
            let mut jwk = jwk.clone();
            jwk["later"] = json!("x".repeat(padding));
            format!("did:jwk:{}#0", base64url::encode(jwk.to_string().as_bytes()))
        };
        // Three bytes more make four characters more.
        let nearly = (length - spelled(0).len()) / 4 * 3;
        (nearly..nearly + 4).map(spelled).find(|kid| kid.len() == length).unwrap()
    };
    let longest = kid(limits::KEY_ID);
    assert_eq!(Confirmation::kid(&longest).unwrap().key(), holder().public_key());
    assert_eq!(Confirmation::kid(&kid(limits::KEY_ID + 1)).err(), Some(KbJwtError::CnfName));
}

#[test]
fn a_did_that_spells_the_key_out_names_it_as_well() {
    let jwk = method::jwk::did_of(&Jwk::new(holder().public_key().clone())).unwrap();
    for kid in [did_of(&holder()), format!("{jwk}#0")] {
        let held = held_with(&json!({"kid": kid}), HashAlg::Sha256);
        let presentation = held.present(&[]).unwrap();
        let bound = bind(&presentation, HERE, &holder(), NOW).unwrap();
        assert_eq!(judge(&bound).unwrap().key, *holder().public_key());
        let forged = bind(&presentation, HERE, &other(), NOW).unwrap();
        assert_eq!(judge(&forged), Err(KbJwtError::Signature), "{kid}");
        let confirmation = Confirmation::kid(&kid).unwrap();
        assert_eq!(json!(confirmation), json!({"kid": kid}), "as it came");
        assert_eq!(confirmation.key(), holder().public_key());
    }
}
