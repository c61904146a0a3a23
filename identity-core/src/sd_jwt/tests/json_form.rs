//! The JSON serialisations say what the compact form says, and nothing beside it.

use super::*;

const FORMS: [JsonForm; 2] = [JsonForm::Flattened, JsonForm::General];

/// A presentation with two disclosures and something of the shape of a key binding.
fn presented() -> String {
    let text = issued(HashAlg::Sha256);
    let held = HeldSdJwt::receive(&verify(&text).unwrap());
    let paths = [path(json!(["name"])), path(json!(["nationalities", 1]))];
    held.present(&paths).unwrap().text().to_owned() + "aa.bb.cc"
}

fn json_of(compact: &str, form: JsonForm) -> Value {
    serde_json::from_str(&json_from_compact(compact, form).unwrap()).unwrap()
}

/// The first signature's object, in either form.
fn first(json: &mut Value) -> &mut Value {
    if json.get("signatures").is_some() { &mut json["signatures"][0] } else { json }
}

fn with_protected(json: &mut Value, change: impl FnOnce(&mut Map<String, Value>)) {
    let signature = first(json);
    let mut protected =
        object(serde_json::from_slice(&base64url::decode(signature["protected"].as_str().unwrap()).unwrap()).unwrap());
    change(&mut protected);
    signature["protected"] = json!(base64url::encode(Value::Object(protected).to_string().as_bytes()));
}

#[test]
fn what_was_compact_is_the_same_bytes_again() {
    for compact in [presented(), issued(HashAlg::Sha384), forge(&json!({}), &[])] {
        for form in FORMS {
            let json = json_from_compact(&compact, form).unwrap();
            assert_eq!(compact_from_json(&json).unwrap(), compact);
        }
    }
}

#[test]
fn each_broken_form_is_refused_for_what_it_is() {
    type Break = fn(&mut Value);
    let table: [(Break, SdJwtError); 20] = [
        (|json| json["disclosures"] = json!([]), SdJwtError::JsonMisplaced),
        (|json| json["kb_jwt"] = json!("a.b.c"), SdJwtError::JsonMisplaced),
        (
            |json| with_protected(json, |header| drop(header.insert("kb_jwt".into(), json!("a.b.c")))),
            SdJwtError::JsonMisplaced,
        ),
        (
            |json| with_protected(json, |header| drop(header.insert("disclosures".into(), json!([])))),
            SdJwtError::JsonMisplaced,
        ),
        (|json| first(json)["header"]["typ"] = json!("example+sd-jwt"), SdJwtError::JsonHeaderDoubled),
        (|json| first(json)["header"]["crit"] = json!(["x"]), SdJwtError::Jws(JwsError::Critical)),
        (|json| first(json)["header"]["b64"] = json!(false), SdJwtError::Jws(JwsError::UnencodedPayload)),
        (|json| first(json)["header"]["disclosures"] = json!("W10"), SdJwtError::JsonShape),
        (|json| first(json)["header"]["disclosures"] = json!(["W10~W11"]), SdJwtError::JsonShape),
        (|json| first(json)["header"]["disclosures"] = json!([""]), SdJwtError::JsonShape),
        (|json| first(json)["header"]["disclosures"] = json!([1]), SdJwtError::JsonShape),
        (|json| first(json)["header"]["kb_jwt"] = json!("W10~a.b.c"), SdJwtError::JsonShape),
        (|json| first(json)["header"]["kb_jwt"] = json!(""), SdJwtError::JsonShape),
        (|json| first(json)["header"]["kb_jwt"] = json!("a..c"), SdJwtError::JsonShape),
        (|json| first(json)["header"] = json!([]), SdJwtError::JsonShape),
        (|json| first(json)["signature"] = json!(null), SdJwtError::JsonShape),
        (|json| first(json)["protected"] = json!(""), SdJwtError::JsonShape),
        (|json| json["payload"] = json!("e30~"), SdJwtError::JsonShape),
        (|json| json["payload"] = json!({}), SdJwtError::JsonShape),
        (|json| *json = json!({ "payload": "e30" }), SdJwtError::JsonShape),
    ];
    for form in FORMS {
        for (row, (break_it, expected)) in table.into_iter().enumerate() {
            let mut json = json_of(&presented(), form);
            break_it(&mut json);
            assert_eq!(compact_from_json(&json.to_string()), Err(expected), "{form:?}, row {row}");
        }
    }
}

#[test]
fn flattened_and_general_do_not_mix() {
    for name in ["protected", "header", "signature"] {
        let mut json = json_of(&presented(), JsonForm::General);
        json[name] = json!({});
        assert_eq!(compact_from_json(&json.to_string()), Err(SdJwtError::JsonMixed), "{name}");
    }
}

#[test]
fn what_is_no_strict_json_object_is_refused_as_such() {
    let json = json_from_compact(&presented(), JsonForm::Flattened).unwrap();
    let twice = json.replacen('{', "{\"payload\":\"e30\",", 1);
    for text in [twice.as_str(), "[]", "", "\u{feff}{}", &(json.clone() + "x"), &" ".repeat(limits::SD_JWT + 1)] {
        assert!(matches!(compact_from_json(text), Err(SdJwtError::Json(_))), "{}", &text[..text.len().min(20)]);
    }
}

#[test]
fn a_disclosure_list_or_key_binding_written_twice_is_refused() {
    let json = json_from_compact(&presented(), JsonForm::General).unwrap();
    for twice in [r#""disclosures":[],"disclosures""#, r#""kb_jwt":"a.b.c","disclosures""#] {
        let json = json.replace(r#""disclosures""#, twice);
        assert!(matches!(compact_from_json(&json), Err(SdJwtError::Json(_))), "{twice}");
    }
}

#[test]
fn of_several_signatures_the_first_counts_and_no_other() {
    let compact = presented();
    let mut json = json_of(&compact, JsonForm::General);
    let other = json!({ "protected": json["signatures"][0]["protected"], "signature": "AA", "header": {"kid": "x"} });
    json["signatures"].as_array_mut().unwrap().push(other.clone());
    assert_eq!(compact_from_json(&json.to_string()).unwrap(), compact, "the second is not taken");

    json["signatures"].as_array_mut().unwrap().swap(0, 1);
    assert_eq!(compact_from_json(&json.to_string()), Err(SdJwtError::JsonMisplaced), "disclosures came second");
    for (name, value) in [("disclosures", json!([])), ("kb_jwt", json!("a.b.c"))] {
        let mut json = json_of(&compact, JsonForm::General);
        let mut other = other.clone();
        other["header"][name] = value;
        json["signatures"].as_array_mut().unwrap().push(other);
        assert_eq!(compact_from_json(&json.to_string()), Err(SdJwtError::JsonMisplaced), "{name} in both");
    }

    let mut many = json_of(&compact, JsonForm::General);
    many["signatures"].as_array_mut().unwrap().extend(vec![other.clone(); limits::JWS_SIGNATURES - 1]);
    assert_eq!(compact_from_json(&many.to_string()).unwrap(), compact, "as many as there may be");
    many["signatures"].as_array_mut().unwrap().push(other);
    assert_eq!(compact_from_json(&many.to_string()), Err(SdJwtError::JsonTooManySignatures));
    many["signatures"] = json!([]);
    assert_eq!(compact_from_json(&many.to_string()), Err(SdJwtError::JsonShape));
}

#[test]
fn a_protected_header_is_bounded_before_it_is_decoded() {
    // Base64url writes three bytes as four characters.
    let longest = limits::JWS_HEADER / 4 * 3;
    let of = |bytes: usize| {
        let mut json = json_of(&presented(), JsonForm::Flattened);
        json["protected"] = json!(base64url::encode(format!("{{\"x\":\"{}\"}}", "x".repeat(bytes - 8)).as_bytes()));
        compact_from_json(&json.to_string())
    };
    assert!(of(longest).is_ok());
    for beyond in [longest + 1, longest * 2] {
        assert_eq!(of(beyond), Err(SdJwtError::Jws(JwsError::TooLarge { limit: limits::JWS_HEADER })));
    }
}

#[test]
fn json_is_never_taken_for_the_compact_form() {
    for form in FORMS {
        let json = json_from_compact(&presented(), form).unwrap();
        assert_eq!(UnverifiedSdJwt::parse(&json).unwrap_err(), SdJwtError::NoTilde);
    }
}
