//! The cases of the SD-JWT authors: their SD-JWTs verify to the contents they state, and ours over the same
//! claims, concealed in the same places, do too.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read fails its test")]

use std::cell::Cell;
use std::fs;
use std::path::Path;

use conformance::{hex, vectors};
use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer as _};
use identity_core::encoding::base64url;
use identity_core::jose::{ExpectedTyp, SignHeader};
use identity_core::kb_jwt::{self, Occasion, Window};
use identity_core::sd_jwt::{ClaimPath, Concealment, HeldSdJwt, SdJwtError, UnverifiedSdJwt, issue};
use identity_core::time::UnixSeconds;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

/// All cases of the suite in compact form.
const COMPACT: [&str; 15] = [
    "array_data_types",
    "array_full_sd",
    "array_in_sd",
    "array_nested_in_plain",
    "array_none_disclosed",
    "array_of_nulls",
    "array_of_objects",
    "array_of_scalars",
    "array_recursive_sd",
    "array_recursive_sd_some_disclosed",
    "header_mod",
    "key_binding",
    "no_sd",
    "object_data_types",
    "recursions",
];

/// JSON serialisations (RFC 9901 §8), which this version does not read.
const JSON_FORMS: [&str; 2] = ["json_serialization_flattened", "json_serialization_general"];

const TYP: ExpectedTyp<'static> = ExpectedTyp::Exactly("example+sd-jwt");

struct Case<'a> {
    folder: &'a Path,
    issuer: PublicKey,
}

impl Case<'_> {
    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap().trim().to_owned()
    }

    fn object(&self, file: &str) -> Map<String, Value> {
        serde_json::from_str(&self.text(file)).unwrap()
    }

    /// What their issuer made disclosable.
    fn concealed(&self) -> Vec<ClaimPath> {
        let issued = self.text("sd_jwt_issuance.txt");
        let verified = UnverifiedSdJwt::parse(&issued).unwrap().verify_issued(&self.issuer, TYP).unwrap();
        verified.disclosed().cloned().collect()
    }

    /// What their holder discloses.
    fn disclosed(&self) -> Vec<ClaimPath> {
        let presented = self.text("sd_jwt_presentation.txt");
        let verified = UnverifiedSdJwt::parse(&presented).unwrap().verify(&self.issuer, TYP).unwrap();
        verified.disclosed().cloned().collect()
    }
}

/// Runs `check` on each case; nothing, said plainly, where the vectors are not here.
fn for_each_case(check: impl Fn(&Case<'_>)) {
    let Some(suite) = vectors("sd-jwt") else { return };
    let issuer = issuer_key(&fs::read_to_string(suite.join("settings.yml")).unwrap());
    for name in COMPACT {
        println!("{name}");
        check(&Case { folder: &suite.join(name), issuer: issuer.clone() });
    }
}

/// The public half of `issuer_key`; each key is a block of `name: value` lines.
fn issuer_key(settings: &str) -> PublicKey {
    let block = settings.split("issuer_key:").nth(1).unwrap();
    let member = |name: &str| block.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().trim();
    let mut sec1 = hex("04");
    sec1.extend(base64url::decode(member("x:")).unwrap());
    sec1.extend(base64url::decode(member("y:")).unwrap());
    PublicKey::p256(&sec1).unwrap()
}

#[test]
fn their_presentations_verify_to_the_contents_they_state() {
    for_each_case(|case| {
        let text = case.text("sd_jwt_presentation.txt");
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify(&case.issuer, TYP).unwrap();
        assert_eq!(verified.claims(), &case.object("verified_contents.json"));
    });
}

#[test]
fn their_issued_credentials_hold_all_claims() {
    for_each_case(|case| {
        let text = case.text("sd_jwt_issuance.txt");
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify_issued(&case.issuer, TYP).unwrap();
        for (name, value) in case.object("user_claims.json") {
            assert_eq!(verified.claims().get(&name), Some(&value), "{name}");
        }
    });
}

#[test]
fn one_flipped_character_anywhere_is_refused() {
    for_each_case(|case| {
        let text = case.text("sd_jwt_presentation.txt");
        let bound = text.rfind('~').unwrap();
        for at in 0..bound {
            let mut bent = text.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).unwrap();
            let accepted =
                UnverifiedSdJwt::parse(&bent).and_then(|parsed| parsed.verify(&case.issuer, TYP).map(|_| ()));
            assert!(accepted.is_err(), "byte {at}");
        }
    });
}

#[test]
fn what_we_issue_and_present_in_the_same_places_has_the_same_contents() {
    let issuer = SecretKey::from_bytes(Alg::EdDsa, &[1; 32]).unwrap();
    for_each_case(|case| {
        let stated = case.object("verified_contents.json");
        let mut claims = case.object("user_claims.json");
        for name in ["iss", "iat", "exp", "cnf"] {
            claims.extend(stated.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        let concealment = case.concealed().iter().fold(Concealment::default(), |all, path| all.conceal(path));
        let mut rng = StdRng::seed_from_u64(1);
        let text = issue(SignHeader::new("example+sd-jwt"), &claims, &concealment, &issuer, &mut rng).unwrap();
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify_issued(issuer.public_key(), TYP).unwrap();
        assert_eq!(verified.claims(), &claims);

        // Presenting a claim presents what lies in it, so leave out what their holder kept back inside.
        let disclosed = case.disclosed();
        let held = HeldSdJwt::receive(&verified);
        let innermost: Vec<ClaimPath> = disclosed
            .iter()
            .filter(|path| !disclosed.iter().any(|other| other != *path && path.covers(other)))
            .cloned()
            .collect();
        let presentation = held.present(&innermost).unwrap();
        let shown = UnverifiedSdJwt::parse(presentation.text()).unwrap().verify(issuer.public_key(), TYP).unwrap();
        assert_eq!(shown.claims(), &stated);
    });
}

#[test]
fn their_key_bindings_hold_for_their_audience_and_nonce() {
    let bound = Cell::new(0);
    for_each_case(|case| {
        let text = case.text("sd_jwt_presentation.txt");
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify(&case.issuer, TYP).unwrap();
        if verified.dangerous_kb_jwt().is_none() {
            return;
        }
        let stated = case.object("kb_jwt_payload.json");
        let claim = |name: &str| stated[name].as_str().unwrap();
        let occasion = Occasion { audience: claim("aud"), nonce: claim("nonce") };
        let now = UnixSeconds(stated["iat"].as_i64().unwrap());
        let window = Window { max_age: 0, leeway: 0 };
        let binding = kb_jwt::verify(&verified, occasion, window, now).unwrap();
        assert_eq!(binding.claims, stated);
        assert!(kb_jwt::verify(&verified, Occasion { nonce: "other", ..occasion }, window, now).is_err());
        bound.set(bound.get() + 1);
    });
    assert!(vectors("sd-jwt").is_none() || bound.get() == 2);
}

#[test]
fn the_json_serialisations_are_refused_for_what_they_are() {
    let Some(suite) = vectors("sd-jwt") else { return };
    for name in JSON_FORMS {
        let text = fs::read_to_string(suite.join(name).join("sd_jwt_presentation.json")).unwrap();
        assert_eq!(UnverifiedSdJwt::parse(&text).unwrap_err(), SdJwtError::NoTilde);
    }
}

#[test]
fn no_case_of_the_suite_is_forgotten() {
    let Some(suite) = vectors("sd-jwt") else { return };
    let mut cases: Vec<String> = fs::read_dir(suite)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    let mut listed = [&COMPACT[..], &JSON_FORMS[..]].concat();
    listed.sort_unstable();
    assert_eq!(cases, listed);
}
