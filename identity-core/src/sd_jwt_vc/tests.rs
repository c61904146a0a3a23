//! The credential profile: what is issued verifies, and every breach of it has its own error.

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::jose::{JwsError, SignHeader};
use crate::kb_jwt::{Confirmation, KbJwtError};
use crate::sd_jwt::{ClaimPath, Concealment, HeldSdJwt, SdJwtError, UnverifiedSdJwt};
use crate::status;
use crate::time::UnixSeconds;

mod types;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const KID: &str = "did:example:issuer#assert-1";
const VCT: &str = "urn:xinfu:credential:resident-identity:1";

fn key() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap()
}

fn holder() -> Confirmation {
    Confirmation::jwk(SecretKey::from_bytes(Alg::Es256, &[9; 32]).unwrap().public_key().clone())
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn issued(subject: Value, conceal: &[ClaimPath]) -> String {
    let holder = holder();
    let status = status::Reference { index: 5, uri: "https://issuer.example/status/1".to_owned() };
    let registered = Registered {
        issuer: "https://issuer.example",
        vct: VCT,
        vct_integrity: Some("sha256-AA=="),
        issued_at: NOW,
        not_before: Some(NOW),
        expires: Some(NOW.plus(3600)),
        holder: Some(&holder),
        status: Some(&status),
    };
    let concealment = conceal.iter().fold(Concealment::default(), |all, path| all.conceal(path));
    issue(&registered, &object(subject), &concealment, KID, &key(), &mut StdRng::seed_from_u64(1)).unwrap()
}

/// A credential that says anything about itself, under the right key and `typ`.
fn forged(claims: Value, conceal: &[ClaimPath]) -> Result<(), CredentialError> {
    let concealment = conceal.iter().fold(Concealment::default(), |all, path| all.conceal(path));
    let header = SignHeader::new("dc+sd-jwt");
    let mut rng = StdRng::seed_from_u64(1);
    let text = crate::sd_jwt::issue(header, &object(claims), &concealment, &key(), &mut rng).unwrap();
    Credential::verify(UnverifiedSdJwt::parse(&text).unwrap(), key().public_key()).map(|_| ())
}

/// Good claims with one member changed.
fn with(name: &str, value: Value) -> Value {
    let mut claims = object(json!({"iss": "https://issuer.example", "vct": VCT}));
    claims.insert(name.to_owned(), value);
    Value::Object(claims)
}

fn without(name: &str) -> Value {
    let mut claims = object(with("x", json!(1)));
    claims.remove(name);
    Value::Object(claims)
}

#[test]
fn what_is_issued_is_read_back() {
    let text = issued(json!({"name": "样本", "sub": "sample"}), &[ClaimPath::top("name")]);
    let parsed = UnverifiedSdJwt::parse(&text).unwrap();
    assert_eq!(parsed.jws().header().kid(), Ok(KID));
    let credential = Credential::verify_issued(parsed, key().public_key()).unwrap();
    assert_eq!(credential.issuer(), "https://issuer.example");
    assert_eq!(credential.vct(), VCT);
    assert_eq!(credential.check_integrity(b"other metadata"), Err(TypeError::Integrity));
    assert_eq!(credential.holder(), Some(holder().key()));
    assert_eq!(credential.status().unwrap().index, 5);
    assert_eq!(credential.claims()["name"], "样本");
    assert_eq!(credential.sd_jwt().disclosed().collect::<Vec<_>>(), [&ClaimPath::top("name")]);
}

#[test]
fn what_it_says_of_its_types_metadata_is_held_against_the_bytes() {
    let check = |claims: Value| {
        let header = SignHeader::new("dc+sd-jwt");
        let mut rng = StdRng::seed_from_u64(1);
        let text = crate::sd_jwt::issue(header, &object(claims), &Concealment::default(), &key(), &mut rng).unwrap();
        let credential = Credential::verify(UnverifiedSdJwt::parse(&text).unwrap(), key().public_key()).unwrap();
        credential.check_integrity(b"{}")
    };
    let stated = |value: Value| check(with("vct#integrity", value));
    assert_eq!(check(with("x", json!(1))), Ok(()), "it need not say anything");
    assert_eq!(stated(json!(TypeMetadata::integrity_of(b"{}"))), Ok(()));
    assert_eq!(stated(json!(TypeMetadata::integrity_of(b"{ }"))), Err(TypeError::Integrity));
    for unusable in [json!(""), json!("md5-AA=="), json!(1), json!(null)] {
        assert_eq!(stated(unusable.clone()), Err(TypeError::IntegrityUnusable), "{unusable}");
    }
}

#[test]
fn it_is_valid_from_its_first_to_before_its_last_second() {
    let text = issued(json!({}), &[]);
    let credential = Credential::verify(UnverifiedSdJwt::parse(&text).unwrap(), key().public_key()).unwrap();
    assert_eq!(credential.check_time(NOW, 0), Ok(()));
    assert_eq!(credential.check_time(NOW.plus(3599), 0), Ok(()));
    assert_eq!(credential.check_time(NOW.plus(3600), 0), Err(CredentialError::Expired));
    assert_eq!(credential.check_time(NOW.plus(-1), 0), Err(CredentialError::NotYetValid));
    assert_eq!(credential.check_time(NOW.plus(-30), 30), Ok(()));
}

#[test]
fn the_typ_is_exact() {
    for typ in ["vc+sd-jwt", "JWT", "DC+SD-JWT", "application/dc+sd-jwt"] {
        let claims = object(with("x", json!(1)));
        let mut rng = StdRng::seed_from_u64(1);
        let text =
            crate::sd_jwt::issue(SignHeader::new(typ), &claims, &Concealment::default(), &key(), &mut rng).unwrap();
        let refused = Credential::verify(UnverifiedSdJwt::parse(&text).unwrap(), key().public_key()).unwrap_err();
        assert_eq!(refused, CredentialError::SdJwt(SdJwtError::Jws(JwsError::TypWrong)));
    }
}

#[test]
fn each_claim_about_itself_is_checked() {
    assert_eq!(forged(with("x", json!(1)), &[]), Ok(()));
    for issuer in [json!("http://issuer.example"), json!("https://"), json!("did:example:x"), json!(1)] {
        assert_eq!(forged(with("iss", issuer), &[]), Err(CredentialError::Issuer));
    }
    assert_eq!(forged(without("iss"), &[]), Err(CredentialError::Issuer));
    assert_eq!(forged(without("vct"), &[]), Err(CredentialError::VctMissing));
    for vct in [json!("resident"), json!(""), json!("urn:"), json!("1a:b"), json!("urn:a b"), json!(1)] {
        assert_eq!(forged(with("vct", vct), &[]), Err(CredentialError::VctInvalid));
    }
    for further in [json!([]), json!("urn:a:b"), json!([VCT]), json!(["plain"]), json!([1])] {
        assert_eq!(forged(with("aka_vcts", further), &[]), Err(CredentialError::AkaVcts));
    }
    assert_eq!(forged(with("aka_vcts", json!(["urn:a:b"])), &[]), Ok(()));
    for time in [json!("1800000000"), json!(1.5), json!(-1), json!(u64::MAX), json!(null)] {
        for name in ["exp", "nbf", "iat"] {
            assert!(matches!(forged(with(name, time.clone()), &[]), Err(CredentialError::Time(_))), "{name}");
        }
    }
    for status in [json!({}), json!({"status_list": {"idx": 1}}), json!({"other": 1}), json!(0)] {
        assert_eq!(forged(with("status", status), &[]), Err(CredentialError::Status));
    }
    for cnf in [json!({"jku": "x"}), json!({"jwk": {}}), json!(1)] {
        let refused = forged(with("cnf", cnf), &[]).unwrap_err();
        assert_eq!(refused.code().as_str(), "credential.cnf_invalid");
    }
    let two = json!({"jwk": holder().key().bytes(), "kid": "did:key:z6Mk#z6Mk"});
    let looked_up = json!({"kid": "did:xinfu:devnet:6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDo#a"});
    for (cnf, error) in [
        (two, KbJwtError::CnfAmbiguous),
        (looked_up, KbJwtError::CnfMethod),
        (json!({"kid": "x"}), KbJwtError::CnfName),
    ] {
        let refused = forged(with("cnf", cnf), &[]).unwrap_err();
        assert_eq!((refused, refused.code()), (CredentialError::Confirmation(error), error.code()));
    }
}

#[test]
fn what_must_be_in_plain_sight_never_comes_as_a_disclosure() {
    let claims = object(json!({
        "iss": "https://issuer.example",
        "vct": VCT,
        "vct#integrity": "sha256-AA==",
        "aka_vcts": ["urn:a:b"],
        "nbf": 1,
        "exp": 2,
        "cnf": holder(),
        "status": {"status_list": {"idx": 1, "uri": "https://issuer.example/status/1"}},
    }));
    for name in NEVER_DISCLOSABLE {
        let refused = forged(Value::Object(claims.clone()), &[ClaimPath::top(name)]);
        assert_eq!(refused, Err(CredentialError::ForbiddenDisclosure), "{name}");
    }
    for inner in [
        ClaimPath::top("cnf").member("jwk"),
        ClaimPath::top("status").member("status_list").member("idx"),
        ClaimPath::top("aka_vcts").element(0),
    ] {
        let refused = forged(Value::Object(claims.clone()), std::slice::from_ref(&inner));
        assert_eq!(refused, Err(CredentialError::ForbiddenDisclosure), "{inner}");
    }
}

#[test]
fn a_subject_cannot_claim_what_only_the_issuer_may() {
    for name in NEVER_DISCLOSABLE.into_iter().chain(["iat"]) {
        let registered = Registered {
            issuer: "https://issuer.example",
            vct: VCT,
            vct_integrity: None,
            issued_at: NOW,
            not_before: None,
            expires: None,
            holder: None,
            status: None,
        };
        let subject = object(json!({name: 1}));
        let mut rng = StdRng::seed_from_u64(1);
        let refused = issue(&registered, &subject, &Concealment::default(), KID, &key(), &mut rng);
        assert_eq!(refused, Err(CredentialError::RegisteredClaim), "{name}");
    }
}
