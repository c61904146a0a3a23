//! Type metadata: integrity on the raw bytes, extension, and the rules on credentials.

use super::*;
use crate::encoding::limits;

const RESIDENT: &[u8] = include_bytes!("../../../../schemas/credential/resident-identity.json");
const LICENCE: &[u8] = include_bytes!("../../../../schemas/credential/business-licence.json");

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn assemble(vct: &str, documents: &[Value]) -> Result<TypeMetadata, TypeError> {
    let documents: Vec<Vec<u8>> = documents.iter().map(bytes).collect();
    let documents: Vec<&[u8]> = documents.iter().map(Vec::as_slice).collect();
    TypeMetadata::assemble(vct, None, &documents)
}

fn one_type(claims: Value) -> TypeMetadata {
    assemble("urn:a:b", &[json!({"vct": "urn:a:b", "claims": claims})]).unwrap()
}

fn held(subject: Value, conceal: &[ClaimPath]) -> HeldSdJwt {
    HeldSdJwt::dangerous_reopen(issued(subject, conceal)).unwrap()
}

fn presented(held: &HeldSdJwt, paths: &[ClaimPath], metadata: &TypeMetadata) -> Result<(), TypeError> {
    let presentation = held.present(paths).unwrap();
    let parsed = UnverifiedSdJwt::parse(presentation.text()).unwrap();
    metadata.check_presented(Credential::verify(parsed, key().public_key()).unwrap().sd_jwt())
}

#[test]
fn our_own_types_are_read_and_speak_both_languages() {
    for (bytes, vct) in [(RESIDENT, VCT), (LICENCE, "urn:xinfu:credential:business-licence:1")] {
        let integrity = TypeMetadata::integrity_of(bytes);
        let metadata = TypeMetadata::assemble(vct, Some(&integrity), &[LICENCE, RESIDENT]).unwrap();
        assert_ne!(metadata.name("en"), metadata.name("zh-CN"));
        for claim in &metadata.claims {
            let (english, chinese) = (metadata.label(&claim.path, "en"), metadata.label(&claim.path, "zh-CN"));
            assert!(english.is_some() && chinese.is_some() && english != chinese, "{}", claim.path);
        }
    }
    let resident = TypeMetadata::parse(RESIDENT).unwrap();
    assert_eq!(resident.label(&ClaimPath::top("name"), "fr"), resident.label(&ClaimPath::top("name"), "zh-CN"));
    assert_eq!(resident.label(&ClaimPath::top("absent"), "en"), None);
}

#[test]
fn the_digest_is_of_the_raw_bytes_under_the_strongest_hash() {
    let document = br#"{"vct":"urn:a:b"}"#;
    let spaced = br#"{"vct": "urn:a:b"}"#;
    let good = TypeMetadata::integrity_of(document);
    let check = |integrity: &str, bytes: &[u8]| TypeMetadata::assemble("urn:a:b", Some(integrity), &[bytes]).err();
    assert_eq!(check(&good, document), None);
    assert_eq!(check(&good, spaced), Some(TypeError::Integrity));
    assert_eq!(check(&format!("sha256-AA== {good}?option"), document), None);
    assert_eq!(check(&format!("{good} sha512-AA=="), document), Some(TypeError::Integrity));
    for unusable in ["", "md5-AA==", "sha256", "sha256-%%", "SHA256-AA=="] {
        assert_eq!(check(unusable, document), Some(TypeError::IntegrityUnusable), "{unusable}");
    }
}

#[test]
fn what_is_no_metadata_is_refused() {
    for document in [json!({}), json!([]), json!({"vct": 1}), json!({"vct": "urn:a:b", "claims": [{"path": []}]})] {
        assert_eq!(assemble("urn:a:b", &[document]).unwrap_err(), TypeError::Malformed);
    }
    for claim in [json!({"path": ["a"], "sd": "sometimes"}), json!({"path": ["a"], "mandatory": 1}), json!({})] {
        let document = json!({"vct": "urn:a:b", "claims": [claim]});
        assert_eq!(assemble("urn:a:b", &[document]).unwrap_err(), TypeError::Malformed);
    }
    assert_eq!(assemble("urn:a:b", &[json!({"vct": "urn:a:c"})]).unwrap_err(), TypeError::Mismatch);
    let doubled = br#"{"vct":"urn:a:b","vct":"urn:a:b"}"#;
    assert_eq!(TypeMetadata::parse(doubled).unwrap_err().code().as_str(), "json.duplicate_key");
}

#[test]
fn an_extension_overrides_display_and_tightens_rules() {
    let base = json!({"vct": "urn:base:1", "display": [{"locale": "en", "name": "Base"}], "claims": [
        {"path": ["name"], "display": [{"locale": "en", "label": "Full name"}]},
        {"path": ["city"], "display": [{"locale": "en", "label": "City"}], "mandatory": true},
    ]});
    let child = json!({"vct": "urn:a:b", "extends": "urn:base:1", "claims": [
        {"path": ["city"], "display": [{"locale": "en", "label": "Town"}], "sd": "always"},
        {"path": ["age"], "mandatory": true},
    ]});
    let metadata = assemble("urn:a:b", &[base, child]).unwrap();
    assert_eq!(metadata.name("en"), Some("Base"));
    assert_eq!(metadata.label(&ClaimPath::top("city"), "en"), Some("Town"));
    assert_eq!(metadata.label(&ClaimPath::top("name"), "en"), Some("Full name"));
    let city = metadata.claims.iter().find(|claim| claim.path == ClaimPath::top("city")).unwrap();
    assert!(city.mandatory() && city.disclosure() == type_metadata::Disclosure::Always);
    assert_eq!(metadata.claims.len(), 3);
}

#[test]
fn an_extension_cannot_loosen_loop_or_dangle() {
    let child = |claim: Value| json!({"vct": "urn:a:b", "extends": "urn:base:1", "claims": [claim]});
    for (base, own) in [
        (json!({"path": ["a"], "sd": "always"}), json!({"path": ["a"], "sd": "allowed"})),
        (json!({"path": ["a"], "sd": "never"}), json!({"path": ["a"], "sd": "always"})),
        (json!({"path": ["a"], "mandatory": true}), json!({"path": ["a"], "mandatory": false})),
    ] {
        let base = json!({"vct": "urn:base:1", "claims": [base]});
        assert_eq!(assemble("urn:a:b", &[base, child(own)]).unwrap_err(), TypeError::Loosened);
    }
    let own = child(json!({"path": ["a"]}));
    assert_eq!(assemble("urn:a:b", std::slice::from_ref(&own)).unwrap_err(), TypeError::ExtendsMissing);
    let back = json!({"vct": "urn:base:1", "extends": "urn:a:b"});
    assert_eq!(assemble("urn:a:b", &[own, back]).unwrap_err(), TypeError::ExtendsLoop);
}

/// A chain of types, each pinned by the next: `urn:t:0` extends nothing, `urn:t:<links>` extends all the others.
fn pinned_chain(links: usize) -> Vec<Vec<u8>> {
    let mut chain = vec![bytes(&json!({"vct": "urn:t:0", "claims": [{"path": ["a"], "sd": "always"}]}))];
    for link in 1..=links {
        let integrity = TypeMetadata::integrity_of(&chain[link - 1]);
        let extends = format!("urn:t:{}", link - 1);
        chain.push(bytes(&json!({"vct": format!("urn:t:{link}"), "extends": extends, "extends#integrity": integrity})));
    }
    chain
}

fn pinned(chain: &[Vec<u8>]) -> Result<TypeMetadata, TypeError> {
    let (last, bases) = chain.split_last().unwrap();
    TypeMetadata::assemble_pinned(last, &bases.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn a_pinned_chain_holds_its_rules_and_its_bytes() {
    let metadata = pinned(&pinned_chain(limits::TYPE_EXTENDS)).unwrap();
    assert_eq!(metadata.claims[0].disclosure(), type_metadata::Disclosure::Always);
    assert_eq!(pinned(&pinned_chain(limits::TYPE_EXTENDS + 1)).unwrap_err(), TypeError::ExtendsTooDeep);

    let mut changed = pinned_chain(2);
    changed[0] = bytes(&json!({"vct": "urn:t:0"}));
    assert_eq!(pinned(&changed).unwrap_err(), TypeError::Integrity);
    let mut both_versions = pinned_chain(2);
    both_versions.insert(0, bytes(&json!({"vct": "urn:t:0"})));
    assert!(pinned(&both_versions).is_ok(), "the version that is pinned is found");
    let mut other_self = pinned_chain(1);
    other_self.insert(0, bytes(&json!({"vct": "urn:t:1"})));
    assert_eq!(pinned(&other_self).unwrap().claims.len(), 1, "the type itself is the bytes given");
    assert_eq!(pinned(&pinned_chain(2)[1..]).unwrap_err(), TypeError::ExtendsMissing);
}

#[test]
fn a_chain_with_an_open_link_is_not_pinned() {
    let base = bytes(&json!({"vct": "urn:t:0"}));
    let open = bytes(&json!({"vct": "urn:t:1", "extends": "urn:t:0"}));
    assert_eq!(pinned(&[base, open]).unwrap_err(), TypeError::ExtendsUnpinned);
    let looped = bytes(&json!({"vct": "urn:t:0", "extends": "urn:t:0"}));
    assert_eq!(pinned(&[looped]).unwrap_err(), TypeError::ExtendsLoop);
}

#[test]
fn concealing_follows_the_rules_for_holder_and_verifier() {
    let (name, city) = (ClaimPath::top("name"), ClaimPath::top("city"));
    let subject = json!({"name": "样本", "city": "样本市"});
    let hidden = held(subject.clone(), std::slice::from_ref(&name));
    let always = one_type(json!([{"path": ["name"], "sd": "always"}, {"path": ["city"], "sd": "never"}]));
    assert_eq!(always.check_issued(&hidden), Ok(()));
    assert_eq!(presented(&hidden, &[], &always), Ok(()));
    let swapped = held(subject.clone(), std::slice::from_ref(&city));
    assert_eq!(always.check_issued(&swapped), Err(TypeError::NotDisclosable));
    let never = one_type(json!([{"path": ["name"], "sd": "never"}]));
    assert_eq!(never.check_issued(&hidden), Err(TypeError::Disclosable));
    assert_eq!(presented(&hidden, std::slice::from_ref(&name), &never), Err(TypeError::Disclosable));
    let allowed = one_type(json!([{"path": ["name"]}, {"path": ["city"], "sd": "allowed"}]));
    assert_eq!(allowed.check_issued(&hidden), Ok(()));
    assert_eq!(allowed.check_issued(&held(subject, &[])), Ok(()));
}

#[test]
fn a_mandatory_claim_is_missed_by_who_can_tell() {
    let metadata = one_type(json!([{"path": ["name"], "mandatory": true}]));
    let complete = held(json!({"name": "样本"}), &[ClaimPath::top("name")]);
    assert_eq!(metadata.check_issued(&complete), Ok(()));
    assert_eq!(metadata.check_issued(&held(json!({}), &[])), Err(TypeError::MandatoryMissing));
    assert_eq!(presented(&complete, &[], &metadata), Ok(()));
    let plain = one_type(json!([{"path": ["name"], "mandatory": true, "sd": "never"}]));
    assert_eq!(presented(&held(json!({}), &[]), &[], &plain), Err(TypeError::MandatoryMissing));
    let nested = one_type(json!([{"path": ["a", "b"], "mandatory": true, "sd": "never"}]));
    assert_eq!(presented(&held(json!({"a": {}}), &[]), &[], &nested), Err(TypeError::MandatoryMissing));
    let hidden_parent = held(json!({"a": {"b": 1}}), &[ClaimPath::top("a")]);
    assert_eq!(presented(&hidden_parent, &[], &nested), Ok(()));
}

#[test]
fn concealed_array_elements_count_under_never() {
    let never = one_type(json!([{"path": ["list", null], "sd": "never"}]));
    let hidden = held(json!({"list": [1, 2]}), &[ClaimPath::top("list").element(0)]);
    assert_eq!(presented(&hidden, &[], &never), Err(TypeError::Disclosable));
    let always = one_type(json!([{"path": ["list", null], "sd": "always"}]));
    assert_eq!(always.check_issued(&hidden), Err(TypeError::NotDisclosable));
    // What is concealed in another place, or deeper or less deep, is no breach.
    let other = held(json!({"list": [1], "other": [1]}), &[ClaimPath::top("other").element(0)]);
    assert_eq!(presented(&other, &[], &never), Ok(()));
    let deeper = one_type(json!([{"path": ["list", null, "a"], "sd": "never"}, {"path": ["list"], "sd": "never"}]));
    assert_eq!(presented(&hidden, &[], &one_type(json!([{"path": ["list"], "sd": "never"}]))), Ok(()));
    assert_eq!(presented(&held(json!({"list": [{}]}), &[ClaimPath::top("list").element(0)]), &[], &deeper), Ok(()));
}

#[test]
fn what_is_not_mandatory_may_be_absent() {
    let metadata = one_type(json!([{"path": ["name"]}, {"path": ["city"], "mandatory": false, "sd": "never"}]));
    let empty = held(json!({}), &[]);
    assert_eq!(metadata.check_issued(&empty), Ok(()));
    assert_eq!(presented(&empty, &[], &metadata), Ok(()));
}

#[test]
fn a_name_is_the_one_of_its_language_or_else_the_first() {
    let names = json!([{"locale": "zh-CN", "name": "样本"}, {"locale": "en", "name": "Sample"}]);
    let metadata = assemble("urn:a:b", &[json!({"vct": "urn:a:b", "display": names})]).unwrap();
    for (locale, name) in [("en", "Sample"), ("zh-CN", "样本"), ("fr", "样本")] {
        assert_eq!(metadata.name(locale), Some(name));
    }
    assert_eq!(one_type(json!([])).name("en"), None);
}

#[test]
fn a_path_that_does_not_fit_is_refused() {
    let metadata = one_type(json!([{"path": ["name", null]}]));
    assert_eq!(metadata.check_issued(&held(json!({"name": "样本"}), &[])), Err(TypeError::Path));
}
