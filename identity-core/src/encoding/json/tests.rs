use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{JsonError, Limits, parse_object, parse_strict, read};

const SMALL: Limits = Limits::of(4096);

fn refusal(text: &str) -> JsonError {
    parse_strict(text.as_bytes(), SMALL).expect_err("must be refused")
}

#[test]
fn ordinary_values_are_read() {
    let text = r#" {"a":[1,-2,2.5,1e3,true,false,null],"b":{"c":"\u4fe1\ud83d\ude00\n\/"},"d":{},"e":[]} "#;
    let expected = json!({"a":[1,-2,2.5,1000.0,true,false,null],"b":{"c":"信😀\n/"},"d":{},"e":[]});
    assert_eq!(parse_strict(text.as_bytes(), SMALL), Ok(expected));
}

#[test]
fn what_two_parsers_could_read_differently_has_its_own_refusal() {
    assert!(matches!(refusal(r#"{"a":1,"a":1}"#), JsonError::DuplicateKey { .. }));
    assert!(matches!(refusal(r#"{"a":1,"\u0061":1}"#), JsonError::DuplicateKey { .. }));
    assert!(matches!(refusal(r#"["\ud800"]"#), JsonError::LoneSurrogate { .. }));
    assert!(matches!(refusal(r#"["\udc00"]"#), JsonError::LoneSurrogate { .. }));
    assert!(matches!(refusal(r#"["\ud800\u0041"]"#), JsonError::LoneSurrogate { .. }));
    assert_eq!(refusal("\u{feff}{}"), JsonError::ByteOrderMark);
    assert_eq!(parse_strict(&[b'"', 0xff, b'"'], SMALL), Err(JsonError::NotUtf8));
    assert!(matches!(refusal("\"\0\""), JsonError::ControlCharacter { at: 1 }));
    assert!(matches!(refusal("1e999"), JsonError::NumberOutOfRange { .. }));
    assert!(matches!(refusal("18446744073709551616"), JsonError::NumberOutOfRange { .. }));
    assert!(matches!(refusal("-9223372036854775809"), JsonError::NumberOutOfRange { .. }));
    assert!(matches!(refusal(&"1".repeat(1000)), JsonError::NumberOutOfRange { .. }));
    assert!(matches!(refusal(&format!("0.{}", "1".repeat(1000))), JsonError::NumberOutOfRange { .. }));
    assert!(matches!(refusal("{} {}"), JsonError::TrailingData { at: 3 }));
    assert!(matches!(refusal("{}\0"), JsonError::TrailingData { at: 2 }));
}

#[test]
fn breaches_of_the_grammar_are_malformed() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12",
        "nul",
        "True",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "-",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "[1 2]",
        "'a'",
        "NaN",
        "Infinity",
        "/**/1",
    ] {
        assert!(matches!(refusal(text), JsonError::Malformed { .. } | JsonError::TrailingData { .. }), "{text:?}");
    }
}

#[test]
fn limits_hold_before_work_is_done() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = Limits::of(1 << 20);
    assert_eq!(parse_strict(deep.as_bytes(), wide), Err(JsonError::TooDeep { limit: wide.depth }));
    let at_limit = format!("{}{}", "[".repeat(wide.depth), "]".repeat(wide.depth));
    assert!(parse_strict(at_limit.as_bytes(), wide).is_ok());
    assert_eq!(parse_strict(&[b' '; 4097], SMALL), Err(JsonError::TooLarge { limit: 4096 }));
    let members: Vec<String> = (0..5000).map(|n| format!("\"{n}\":0")).collect();
    let many = format!("{{{}}}", members.join(","));
    assert_eq!(parse_strict(many.as_bytes(), wide), Err(JsonError::TooManyMembers));
}

#[test]
fn shapes_are_checked_after_strictness() {
    assert_eq!(parse_object(b"[]", SMALL), Err(JsonError::Shape));
    assert_eq!(read::<Vec<u8>>(b"[1,2]", SMALL), Ok(vec![1, 2]));
    assert_eq!(read::<Vec<u8>>(b"[1,256]", SMALL), Err(JsonError::Shape));
    assert!(matches!(
        read::<std::collections::BTreeMap<String, u8>>(br#"{"a":1,"a":2}"#, SMALL),
        Err(JsonError::DuplicateKey { .. })
    ));
}

/// Everything that a type may ask for, so that reading it straight can be held against reading it through the tree.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    #[serde(default)]
    a: Option<i64>,
    #[serde(rename = "e", default)]
    inner: Vec<Sample>,
    #[serde(default)]
    f: Choice,
    #[serde(rename = "u", default)]
    any: Value,
    #[serde(default)]
    n: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    #[default]
    A,
    E(u8),
    U {
        n: (),
    },
}

/// The same, by the tree.
fn through_the_tree<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    serde_json::from_value(parse_strict(text.as_bytes(), SMALL)?).map_err(|_| JsonError::Shape)
}

#[test]
fn a_type_is_read_as_from_the_tree() {
    for text in [
        r#"{}"#,
        r#"{"a":1,"e":[{"f":"a"},{"a":null}],"u":{"x":[1.5,-0,"\u0061"]},"n":{"x":-0,"y":18446744073709551615}}"#,
        r#"{"f":{"e":7}}"#,
        r#"{"f":{"u":{"n":null}}}"#,
        r#"{"f":{"e":7,"a":null}}"#,
        r#"{"f":"e"}"#,
        r#"{"f":"o"}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"b":1}"#,
        r#"{"a":1.0}"#,
        r#"{"a":18446744073709551615}"#,
        r#"{"u":{"x":1,"x":2}}"#,
        r#"{"u":"\ud800"}"#,
        r#"{"b":1} x"#,
        r#"{"a":"x","u":[}"#,
        r#"[1,[],"a",null,{}]"#,
        r#"[1,[],"a",null,{},2]"#,
        r#"[1,[],"a",null]"#,
        r#"{"a":1"#,
        r#" {"a" : 1 , "e" : [ ] } "#,
        "",
    ] {
        assert_eq!(read::<Sample>(text.as_bytes(), SMALL), through_the_tree(text), "{text}");
    }
    let deep = |levels: usize| format!("{}{}", r#"{"e":["#.repeat(levels), "]}".repeat(levels));
    for levels in [15, 16, 17] {
        let text = deep(levels);
        assert_eq!(read::<Sample>(text.as_bytes(), SMALL), through_the_tree(&text), "{levels}");
    }
    let many: Vec<String> = (0..5000).map(|number| format!("\"{number}\":0")).collect();
    let many = format!(r#"{{"n":{{{}}}}}"#, many.join(","));
    assert_eq!(read::<Sample>(many.as_bytes(), Limits::of(1 << 20)), Err(JsonError::TooManyMembers));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..8).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_json_writes_is_read_back(value in any_value()) {
        let text = serde_json::to_vec(&value).unwrap();
        prop_assert_eq!(parse_strict(&text, Limits::of(1 << 20)), Ok(value.clone()));
        prop_assert_eq!(read(&text, Limits::of(1 << 20)), Ok(value));
    }

    #[test]
    fn whatever_is_read_is_what_the_tree_says(text in r#"(\{"[aefun]":|\[|"[aefun]":|\}|\]|,|[0-9.e\-]|"[aeu]"|null|\{\}){0,12}"#) {
        prop_assert_eq!(read::<Sample>(text.as_bytes(), SMALL), through_the_tree(&text));
        prop_assert_eq!(read::<Value>(text.as_bytes(), SMALL), through_the_tree(&text));
    }

    /// serde_json is the oracle: whatever it refuses we refuse, and where both accept they agree.
    #[test]
    fn nothing_is_accepted_that_serde_json_refuses(text in r#"[\[\]{}:,"\\ude0-9.eE+\-a truefalsn]{0,24}"#) {
        if let Ok(ours) = parse_strict(text.as_bytes(), SMALL) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(ours));
        }
    }
}
