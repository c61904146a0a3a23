//! One test per line of the hostile list, each with its own error.

use super::*;

#[test]
fn a_wrong_signature_is_refused_before_anything_is_processed() {
    let text = issued(HashAlg::Sha256);
    let other = SecretKey::from_bytes(Alg::EdDsa, &[8; 32]).unwrap();
    let unreferenced = text + &disclosure(&json!(["salt", "x", 1])) + "~";
    let refused = UnverifiedSdJwt::parse(&unreferenced).unwrap().verify(other.public_key(), ANY).unwrap_err();
    assert_eq!(refused, SdJwtError::Jws(JwsError::SignatureInvalid));
}

#[test]
fn the_compact_form_is_exact() {
    let text = issued(HashAlg::Sha256);
    let jwt = text.split('~').next().unwrap();
    let refusal = |text: &str| UnverifiedSdJwt::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(refusal(jwt), SdJwtError::NoTilde);
    assert_eq!(refusal(text.trim_end_matches('~')), SdJwtError::FinalTilde);
    assert_eq!(refusal(&format!("{jwt}~~")), SdJwtError::DisclosureEmpty);
    assert_eq!(refusal(&format!("{text}~")), SdJwtError::DisclosureEmpty);
    assert_eq!(refusal(&format!("{jwt}.x~")), SdJwtError::Jws(JwsError::Parts));
    assert_eq!(refusal(&"~".repeat(limits::SD_JWT + 1)), SdJwtError::TooLong);
    assert_eq!(refusal(""), SdJwtError::NoTilde);
}

#[test]
fn a_hundred_thousand_disclosures_are_refused_by_count() {
    let many = forge(&json!({}), &vec!["W10".to_owned(); limits::DISCLOSURES + 1]);
    assert_eq!(verify(&many).unwrap_err(), SdJwtError::TooManyDisclosures);
    let very_many = forge(&json!({}), &vec!["W10".to_owned(); 100_000]);
    assert_eq!(verify(&very_many).unwrap_err(), SdJwtError::TooLong);
}

#[test]
fn the_longest_text_is_taken_apart_and_no_longer_one() {
    let jwt = forge(&json!({}), &[]);
    let of = |bytes: usize| {
        let text = format!("{jwt}{}~", "A".repeat(bytes - jwt.len() - 1));
        UnverifiedSdJwt::parse(&text).map(|_| ())
    };
    assert_eq!(of(limits::SD_JWT), Ok(()));
    assert_eq!(of(limits::SD_JWT + 1), Err(SdJwtError::TooLong));
}

#[test]
fn a_disclosure_that_no_digest_refers_to_is_refused() {
    let stray = disclosure(&json!(["salt", "x", 1]));
    assert_eq!(verify(&forge(&json!({}), &[stray])).unwrap_err(), SdJwtError::DisclosureUnreferenced);
}

#[test]
fn a_child_without_its_parent_is_refused() {
    let child = disclosure(&json!(["salt", "city", "x"]));
    let parent = disclosure(&json!(["salt", "address", {"_sd": [digest(&child)]}]));
    let payload = json!({"_sd": [digest(&parent)]});
    assert!(verify(&forge(&payload, &[parent, child.clone()])).is_ok());
    assert_eq!(verify(&forge(&payload, &[child])).unwrap_err(), SdJwtError::DisclosureUnreferenced);
}

#[test]
fn the_same_disclosure_twice_is_refused() {
    let one = disclosure(&json!(["salt", "x", 1]));
    let payload = json!({"_sd": [digest(&one)]});
    assert_eq!(verify(&forge(&payload, &[one.clone(), one])).unwrap_err(), SdJwtError::DisclosureTwice);
}

#[test]
fn the_same_digest_twice_is_refused_wherever_it_stands() {
    let one = disclosure(&json!(["salt", "x", 1]));
    let holder = disclosure(&json!(["salt", "y", {"_sd": [digest(&one)]}]));
    let element = disclosure(&json!(["salt", [{"...": digest(&one)}]]));
    for (payload, disclosures) in [
        (json!({"_sd": [digest(&one), digest(&one)]}), vec![one.clone()]),
        (json!({"_sd": [digest(&one)], "a": {"_sd": [digest(&one)]}}), vec![one.clone()]),
        (json!({"a": [{"...": "decoy"}], "_sd": ["decoy"]}), vec![]),
        (json!({"_sd": [digest(&one), digest(&holder)]}), vec![one.clone(), holder.clone()]),
        // Decoys count as well: nothing refers to them, yet they must not repeat.
        (json!({"_sd": ["decoy"], "a": {"_sd": ["decoy"]}}), vec![]),
        (json!({"_sd": [digest(&one)], "a": [{"...": digest(&element)}]}), vec![element]),
    ] {
        assert_eq!(verify(&forge(&payload, &disclosures)).unwrap_err(), SdJwtError::DigestTwice, "{payload}");
    }
}

#[test]
fn members_have_three_elements_and_array_elements_two() {
    let member = disclosure(&json!(["salt", "x", 1]));
    let element = disclosure(&json!(["salt", 1]));
    let as_element = forge(&json!({"a": [{"...": digest(&member)}]}), &[member]);
    assert_eq!(verify(&as_element).unwrap_err(), SdJwtError::DisclosureNotElement);
    let as_member = forge(&json!({"_sd": [digest(&element)]}), &[element]);
    assert_eq!(verify(&as_member).unwrap_err(), SdJwtError::DisclosureNotMember);
}

#[test]
fn what_is_no_disclosure_is_refused() {
    for content in [
        json!({}),
        json!("x"),
        json!([]),
        json!(["salt"]),
        json!(["salt", "x", 1, 2]),
        json!([1, "x", 1]),
        json!(["salt", 1, 1]),
        json!(["salt", null, 1]),
    ] {
        let text = disclosure(&content);
        let refused = verify(&forge(&json!({"_sd": [digest(&text)]}), &[text])).unwrap_err();
        assert_eq!(refused, SdJwtError::DisclosureShape, "{content}");
    }
    for (text, code) in [
        ("W10=", "base64.padding"),
        ("W1 0", "base64.character"),
        ("W11", "base64.trailing_bits"),
        ("_w", "json.not_utf8"),
        ("Ww", "json.malformed"),
    ] {
        let refused = verify(&forge(&json!({"_sd": [digest(text)]}), &[text.to_owned()])).unwrap_err();
        assert_eq!(refused.code().as_str(), code);
    }
}

#[test]
fn a_duplicate_key_inside_a_disclosure_is_refused() {
    let text = base64url::encode(br#"["salt","x",{"a":1,"a":2}]"#);
    let refused = verify(&forge(&json!({"_sd": [digest(&text)]}), &[text])).unwrap_err();
    assert_eq!(refused.code().as_str(), "json.duplicate_key");
}

#[test]
fn reserved_names_are_refused() {
    for name in ["_sd", "...", "_sd_alg"] {
        let text = disclosure(&json!(["salt", name, []]));
        let refused = verify(&forge(&json!({"_sd": [digest(&text)]}), &[text])).unwrap_err();
        assert_eq!(refused, SdJwtError::ReservedName);
    }
}

#[test]
fn a_disclosure_never_replaces_a_claim() {
    for name in ["iss", "exp", "cnf", "status", "vct"] {
        let text = disclosure(&json!(["salt", name, 1]));
        let refused = verify(&forge(&json!({name: 0, "_sd": [digest(&text)]}), &[text])).unwrap_err();
        assert_eq!(refused, SdJwtError::NameTaken);
    }
    let one = disclosure(&json!(["salt", "x", 1]));
    let two = disclosure(&json!(["other", "x", 1]));
    let both = forge(&json!({"_sd": [digest(&one), digest(&two)]}), &[one, two]);
    assert_eq!(verify(&both).unwrap_err(), SdJwtError::NameTaken);
}

#[test]
fn digests_are_arrays_of_strings() {
    for digests in [json!("x"), json!({}), json!(null), json!([1]), json!([["x"]])] {
        for payload in [json!({"_sd": digests}), json!({"a": {"_sd": digests}}), json!({"a": [{"_sd": digests}]})] {
            assert_eq!(verify(&forge(&payload, &[])).unwrap_err(), SdJwtError::DigestsNotStrings, "{payload}");
        }
    }
}

#[test]
fn an_ellipsis_stands_alone_with_a_string_in_an_array() {
    for payload in [
        json!({"...": "x"}),
        json!({"a": {"...": "x"}}),
        json!({"a": [{"...": "x", "b": 1}]}),
        json!({"a": [{"...": 1}]}),
        json!({"a": [{"...": null}]}),
    ] {
        assert_eq!(verify(&forge(&payload, &[])).unwrap_err(), SdJwtError::EllipsisMisplaced, "{payload}");
    }
}

#[test]
fn the_hash_is_one_of_three_and_named_at_the_top_only() {
    for name in [json!("md5"), json!("SHA-256"), json!("sha256"), json!("sha-1"), json!(""), json!(256), json!(null)] {
        assert_eq!(verify(&forge(&json!({"_sd_alg": name}), &[])).unwrap_err(), SdJwtError::HashAlg, "{name}");
    }
    let text = disclosure(&json!(["salt", "x", {"_sd_alg": "sha-256"}]));
    let inside = json!({"_sd": [digest(&text)]});
    for (payload, disclosures) in [
        (json!({"a": {"_sd_alg": "sha-256"}}), vec![]),
        (json!({"a": [{"_sd_alg": "sha-256"}]}), vec![]),
        (inside, vec![text]),
    ] {
        assert_eq!(verify(&forge(&payload, &disclosures)).unwrap_err(), SdJwtError::HashAlgNested);
    }
}

#[test]
fn a_disclosure_counts_as_it_came_not_as_it_could_be_written() {
    let spaced = base64url::encode(br#"["salt", "x", 1]"#);
    let tight = base64url::encode(br#"["salt","x",1]"#);
    let payload = json!({"_sd": [digest(&spaced)]});
    assert!(verify(&forge(&payload, &[spaced])).is_ok());
    assert_eq!(verify(&forge(&payload, &[tight])).unwrap_err(), SdJwtError::DisclosureUnreferenced);
}

#[test]
fn disclosures_inside_disclosures_end_at_the_limit() {
    let mut inner = json!(1);
    let mut disclosures = Vec::new();
    for _ in 0..=limits::CLAIM_DEPTH {
        let text = disclosure(&json!(["salt", "a", inner]));
        inner = json!({"_sd": [digest(&text)]});
        disclosures.push(text);
    }
    assert_eq!(verify(&forge(&inner, &disclosures)).unwrap_err(), SdJwtError::TooDeep);
    let fitting = disclosures.len() - 2;
    let outermost = json!({"_sd": [digest(&disclosures[fitting])]});
    assert!(verify(&forge(&outermost, &disclosures[..=fitting])).is_ok());
}

#[test]
fn claims_in_plain_sight_nest_no_deeper_than_disclosed_ones() {
    let objects = |depth| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
    let arrays = |depth| json!({"a": (0..depth).fold(json!(1), |inner, _| json!([inner]))});
    assert!(verify(&forge(&objects(limits::CLAIM_DEPTH + 1), &[])).is_ok());
    assert!(verify(&forge(&arrays(limits::CLAIM_DEPTH - 1), &[])).is_ok());
    assert_eq!(verify(&forge(&objects(limits::CLAIM_DEPTH + 2), &[])).unwrap_err(), SdJwtError::TooDeep);
    assert_eq!(verify(&forge(&arrays(limits::CLAIM_DEPTH), &[])).unwrap_err(), SdJwtError::TooDeep);
}

#[test]
fn equal_salts_are_the_issuers_fault_and_change_no_verdict() {
    let one = disclosure(&json!(["salt", "x", 1]));
    let two = disclosure(&json!(["salt", "y", 1]));
    assert!(verify(&forge(&json!({"_sd": [digest(&one), digest(&two)]}), &[one, two])).is_ok());
}

#[test]
fn a_payload_is_an_object() {
    assert_eq!(verify(&forge(&json!([]), &[])).unwrap_err(), SdJwtError::PayloadNotObject);
    let jwt = sign_compact(SignHeader::new("x"), b"{\"a\":1,\"a\":1}", &key()).unwrap() + "~";
    assert_eq!(verify(&jwt).unwrap_err().code().as_str(), "json.duplicate_key");
}

#[test]
fn an_issuer_sends_no_key_binding() {
    let text = issued(HashAlg::Sha256) + "a.b.c";
    let parsed = UnverifiedSdJwt::parse(&text).unwrap();
    assert!(parsed.has_key_binding());
    assert_eq!(parsed.verify_issued(key().public_key(), ANY).unwrap_err(), SdJwtError::UnexpectedKeyBinding);
}

#[test]
fn emptied_objects_and_arrays_stay() {
    let payload = json!({"a": {"_sd": ["decoy"]}, "b": [{"...": "other"}], "c": {}, "_sd": []});
    let text = forge(&payload, &[]);
    let verified = verify(&text).unwrap();
    assert_eq!(Value::Object(verified.claims().clone()), json!({"a": {}, "b": [], "c": {}}));
}
