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
use identity_core::kb_jwt::{self, KbJwtError, Occasion, Window};
use identity_core::sd_jwt::{
    ClaimPath, Concealment, HeldSdJwt, JsonForm, SdJwtError, UnverifiedSdJwt, compact_from_json, issue,
    json_from_compact,
};
use identity_core::time::UnixSeconds;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// The cases of the suite in compact form.
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

/// The cases in JSON. Both are flattened, and of an older draft: `disclosures` and `kb_jwt` stand beside the payload,
/// where RFC 9901 §8.1 puts them into the unprotected header.
const JSON: [&str; 2] = ["json_serialization_flattened", "json_serialization_general"];

const FORMS: [JsonForm; 2] = [JsonForm::Flattened, JsonForm::General];

const TYP: ExpectedTyp<'static> = ExpectedTyp::Exactly("example+sd-jwt");

struct Case<'a> {
    folder: &'a Path,
    issuer: PublicKey,
    holder: SecretKey,
}

impl Case<'_> {
    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap().trim().to_owned()
    }

    fn object(&self, file: &str) -> Map<String, Value> {
        serde_json::from_str(&self.text(file)).unwrap()
    }

    /// Their SD-JWT, `issuance` or `presentation`, in compact form.
    fn sd_jwt(&self, which: &str) -> String {
        if self.is_json() {
            compact_from_json(&self.json(which).to_string()).unwrap()
        } else {
            self.text(&format!("sd_jwt_{which}.txt"))
        }
    }

    fn is_json(&self) -> bool {
        self.folder.join("sd_jwt_issuance.json").exists()
    }

    /// What the older draft took `sd_hash` of: the issued JSON, then the disclosures.
    fn sd_hash_of_the_draft(&self) -> String {
        let issued: String = serde_json::from_str(&self.text("sd_jwt_issuance.json")).unwrap();
        let shown = self.sd_jwt("presentation");
        let (disclosures, _) = shown.split_once('~').unwrap().1.rsplit_once('~').unwrap();
        base64url::encode(ledger::sha256(format!("{issued}~{disclosures}~").as_bytes()).as_ref())
    }

    /// Their credential, bound by their holder's key, travels in both serialisations.
    fn rebind_in_json(&self, occasion: Occasion<'_>, now: UnixSeconds) {
        let issued = self.sd_jwt("issuance");
        let held = HeldSdJwt::receive(&UnverifiedSdJwt::parse(&issued).unwrap().verify(&self.issuer, TYP).unwrap());
        let shown = kb_jwt::bind(&held.present(&self.disclosed()).unwrap(), occasion, &self.holder, now).unwrap();
        for form in FORMS {
            let json = json_from_compact(&shown, form).unwrap();
            let compact = compact_from_json(&json).unwrap();
            let verified = UnverifiedSdJwt::parse(&compact).unwrap().verify(&self.issuer, TYP).unwrap();
            assert_eq!(verified.claims(), &self.object("verified_contents.json"));
            kb_jwt::verify(&verified, occasion, Window { max_age: 0, leeway: 0 }, now).unwrap();
        }
    }

    /// Their flattened JSON as RFC 9901 wants it.
    fn json(&self, which: &str) -> Value {
        let mut json = self.json_of_the_draft(which);
        let members = json.as_object_mut().unwrap();
        let header = ["disclosures", "kb_jwt"].map(|name| Some((name.to_owned(), members.remove(name)?)));
        members.insert("header".to_owned(), Value::Object(header.into_iter().flatten().collect()));
        json
    }

    /// Their JSON as it stands in the suite: in a JSON string.
    fn json_of_the_draft(&self, which: &str) -> Value {
        let quoted: String = serde_json::from_str(&self.text(&format!("sd_jwt_{which}.json"))).unwrap();
        serde_json::from_str(&quoted).unwrap()
    }

    /// What their issuer made disclosable.
    fn concealed(&self) -> Vec<ClaimPath> {
        let issued = self.sd_jwt("issuance");
        let verified = UnverifiedSdJwt::parse(&issued).unwrap().verify_issued(&self.issuer, TYP).unwrap();
        verified.disclosed().cloned().collect()
    }

    /// What their holder discloses.
    fn disclosed(&self) -> Vec<ClaimPath> {
        let presented = self.sd_jwt("presentation");
        let verified = UnverifiedSdJwt::parse(&presented).unwrap().verify(&self.issuer, TYP).unwrap();
        verified.disclosed().cloned().collect()
    }
}

/// Runs `check` on each case; nothing, said plainly, where the vectors are not here.
fn for_each_case(check: impl Fn(&Case<'_>)) {
    let Some(suite) = vectors("sd-jwt") else { return };
    let settings = fs::read_to_string(suite.join("settings.yml")).unwrap();
    let issuer = issuer_key(&settings);
    let secret = base64url::decode_array(member(&settings, "holder_key:", "d:")).unwrap();
    for name in COMPACT.into_iter().chain(JSON) {
        println!("{name}");
        let holder = SecretKey::from_bytes(Alg::Es256, &secret).unwrap();
        check(&Case { folder: &suite.join(name), issuer: issuer.clone(), holder });
    }
}

/// A member of a key; each key is a block of `name: value` lines.
fn member<'s>(settings: &'s str, key: &str, name: &str) -> &'s str {
    let block = settings.split(key).nth(1).unwrap();
    block.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().trim()
}

/// The public half of `issuer_key`.
fn issuer_key(settings: &str) -> PublicKey {
    let mut sec1 = hex("04");
    for name in ["x:", "y:"] {
        sec1.extend(base64url::decode(member(settings, "issuer_key:", name)).unwrap());
    }
    PublicKey::p256(&sec1).unwrap()
}

#[test]
fn their_presentations_verify_to_the_contents_they_state() {
    for_each_case(|case| {
        let text = case.sd_jwt("presentation");
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify(&case.issuer, TYP).unwrap();
        assert_eq!(verified.claims(), &case.object("verified_contents.json"));
    });
}

#[test]
fn their_issued_credentials_hold_all_claims() {
    for_each_case(|case| {
        let text = case.sd_jwt("issuance");
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify_issued(&case.issuer, TYP).unwrap();
        for (name, value) in case.object("user_claims.json") {
            assert_eq!(verified.claims().get(&name), Some(&value), "{name}");
        }
    });
}

#[test]
fn one_flipped_character_anywhere_is_refused() {
    for_each_case(|case| {
        let text = case.sd_jwt("presentation");
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
        let text = case.sd_jwt("presentation");
        let verified = UnverifiedSdJwt::parse(&text).unwrap().verify(&case.issuer, TYP).unwrap();
        if verified.dangerous_kb_jwt().is_none() {
            return;
        }
        let stated = case.object("kb_jwt_payload.json");
        let claim = |name: &str| stated[name].as_str().unwrap();
        let occasion = Occasion { audience: claim("aud"), nonce: claim("nonce"), transaction_data: &[] };
        let now = UnixSeconds(stated["iat"].as_i64().unwrap());
        let window = Window { max_age: 0, leeway: 0 };
        if case.is_json() {
            // Their `sd_hash` is of the JSON text: RFC 9901 §8.1 wants it of the compact form.
            assert_eq!(case.sd_hash_of_the_draft(), stated["sd_hash"]);
            assert_eq!(kb_jwt::verify(&verified, occasion, window, now), Err(KbJwtError::SdHash));
            case.rebind_in_json(occasion, now);
            return;
        }
        let binding = kb_jwt::verify(&verified, occasion, window, now).unwrap();
        assert_eq!(binding.claims, stated);
        assert!(kb_jwt::verify(&verified, Occasion { nonce: "other", ..occasion }, window, now).is_err());
        bound.set(bound.get() + 1);
    });
    assert!(vectors("sd-jwt").is_none() || bound.get() == 2);
}

#[test]
fn each_case_is_the_same_in_both_json_serialisations() {
    for_each_case(|case| {
        for which in ["issuance", "presentation"] {
            let compact = case.sd_jwt(which);
            for form in FORMS {
                let json = json_from_compact(&compact, form).unwrap();
                assert_eq!(compact_from_json(&json).unwrap(), compact);
                assert_eq!(UnverifiedSdJwt::parse(&json).unwrap_err(), SdJwtError::NoTilde, "JSON is not compact");
            }
        }
    });
}

#[test]
fn their_json_is_read_in_its_place_of_the_rfc_and_not_in_that_of_the_draft() {
    for_each_case(|case| {
        if !case.is_json() {
            return;
        }
        for which in ["issuance", "presentation"] {
            let draft = case.json_of_the_draft(which).to_string();
            assert_eq!(compact_from_json(&draft).unwrap_err(), SdJwtError::JsonMisplaced);

            let flattened = case.json(which);
            let mut signature = flattened.as_object().unwrap().clone();
            let payload = signature.remove("payload").unwrap();
            let general = json!({ "payload": payload, "signatures": [signature] });
            assert_eq!(compact_from_json(&general.to_string()).unwrap(), case.sd_jwt(which));
        }
    });
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
    let mut listed = [&COMPACT[..], &JSON[..]].concat();
    listed.sort_unstable();
    assert_eq!(cases, listed);
}
