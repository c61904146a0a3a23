//! What is sent without a choice, and what each choice changes.

use super::*;
use identity_core::{
    crypto::{Alg, SecretKey, Signer as _},
    kb_jwt::Confirmation,
    sd_jwt::Concealment,
    sd_jwt_vc::{self, Registered},
    time::UnixSeconds,
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

/// Credentials numbered from 1, each of the type of this letter; the anchored ones have their proof.
fn wallet(types: &str, anchored: &[usize]) -> Vec<Held> {
    (1..)
        .zip(types.chars())
        .map(|(number, kind)| Held { number, held: held(kind), anchored: anchored.contains(&number) })
        .collect()
}

fn held(kind: char) -> HeldSdJwt {
    let key = SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap();
    let holder = Confirmation::jwk(key.public_key().clone());
    let registered = Registered {
        issuer: "https://issuer.example",
        vct: &format!("urn:sample:{kind}"),
        vct_integrity: None,
        issued_at: UnixSeconds(1),
        not_before: None,
        expires: None,
        holder: Some(&holder),
        status: None,
    };
    let subject = json!({});
    let (concealment, mut rng) = (Concealment::default(), StdRng::seed_from_u64(1));
    let text =
        sd_jwt_vc::issue(&registered, subject.as_object().unwrap(), &concealment, "did:a:b#k", &key, &mut rng).unwrap();
    HeldSdJwt::dangerous_reopen(text).unwrap()
}

/// One query per letter, whose id is the letter; capital letters take several.
fn query(ids: &str, sets: Option<Value>) -> Query {
    let one = |id: char| {
        let vct = format!("urn:sample:{}", id.to_ascii_lowercase());
        json!({ "id": id, "format": "dc+sd-jwt", "meta": { "vct_values": [vct] }, "multiple": id.is_uppercase() })
    };
    let mut query = json!({ "credentials": ids.chars().map(one).collect::<Value>() });
    if let Some(sets) = sets {
        query["credential_sets"] = sets;
    }
    Query::from_json(&query).unwrap()
}

/// `query=number` of each, in order.
fn spelled(chosen: &[Chosen]) -> Vec<String> {
    chosen.iter().map(|chosen| format!("{}={}", chosen.query, chosen.number)).collect()
}

fn selected(query: &Query, held: &[Held], wish: &[&str]) -> Result<Selection, WalletError> {
    let wish: Vec<(String, usize)> = wish
        .iter()
        .map(|wish| wish.split_once('=').map(|(id, number)| (id.to_owned(), number.parse().unwrap())).unwrap())
        .collect();
    select(query, held, &wish)
}

fn sent(query: &Query, held: &[Held], wish: &[&str]) -> Vec<String> {
    spelled(&selected(query, held, wish).unwrap().chosen)
}

#[test]
fn the_newest_with_its_proof_goes_unless_another_is_named() {
    let query = query("a", None);
    assert_eq!(sent(&query, &wallet("aaa", &[]), &[]), ["a=3"]);
    assert_eq!(sent(&query, &wallet("aaa", &[1, 2]), &[]), ["a=2"]);
    assert_eq!(sent(&query, &wallet("aaa", &[1, 2]), &["a=3"]), ["a=3"]);
    assert_eq!(selected(&query, &wallet("aaa", &[]), &[]).unwrap().chosen[0].others, [1, 2]);
}

#[test]
fn of_several_only_those_named_go() {
    let query = query("Ab", None);
    assert_eq!(sent(&query, &wallet("aaab", &[]), &[]), ["A=3", "b=4"], "one, unless the holder wants more");
    assert_eq!(sent(&query, &wallet("aaab", &[]), &["A=1", "A=3", "A=3"]), ["A=1", "A=3", "b=4"]);
    let two_for_one = selected(&query, &wallet("aaabb", &[]), &["b=4", "b=5"]);
    assert!(matches!(two_for_one, Err(WalletError::Selection { query }) if query == "b"));
}

#[test]
fn the_askers_first_option_goes_unless_another_is_named() {
    let sets = json!([{ "options": [["a", "b"], ["c"], ["d"]] }]);
    let query = query("abcd", Some(sets));
    let selection = selected(&query, &wallet("abd", &[]), &[]).unwrap();
    assert_eq!(spelled(&selection.chosen), ["a=1", "b=2"]);
    assert_eq!(selection.instead.iter().map(|way| spelled(way)).collect::<Vec<_>>(), [["d=3"]]);
    assert_eq!(sent(&query, &wallet("abd", &[]), &["d=3"]), ["d=3"]);
    assert_eq!(sent(&query, &wallet("ad", &[]), &[]), ["d=2"]);
    assert!(matches!(selected(&query, &wallet("a", &[]), &[]), Err(WalletError::NothingFits)));
}

#[test]
fn what_is_optional_stays_unless_it_is_named() {
    let sets = json!([{ "options": [["a"]] }, { "options": [["b", "a"], ["c"]], "required": false }]);
    let query = query("abc", Some(sets));
    let selection = selected(&query, &wallet("abc", &[]), &[]).unwrap();
    assert_eq!(spelled(&selection.chosen), ["a=1"]);
    assert_eq!(selection.optional.iter().map(|offer| spelled(offer)).collect::<Vec<_>>(), [["b=2"]], "a goes anyway");
    assert_eq!(sent(&query, &wallet("abc", &[]), &["b=2"]), ["a=1", "b=2"]);
    assert_eq!(sent(&query, &wallet("abc", &[]), &["c=3"]), ["a=1", "c=3"]);
    let named = selected(&query, &wallet("abc", &[]), &["c=3"]).unwrap();
    assert!(named.optional.is_empty() && named.instead.is_empty());
    assert_eq!(sent(&query, &wallet("a", &[]), &[]), ["a=1"], "what nobody has is not offered");
}

#[test]
fn an_optional_set_of_which_only_a_part_is_named_stays() {
    let sets = json!([{ "options": [["a"]] }, { "options": [["b"]], "required": false },
        { "options": [["b", "c"], ["b", "d"]], "required": false }]);
    let query = query("abcd", Some(sets));
    let held = wallet("abcd", &[]);
    assert_eq!(sent(&query, &held, &["b=2"]), ["a=1", "b=2"]);
    assert_eq!(sent(&query, &held, &["b=2", "d=4"]), ["a=1", "b=2", "d=4"]);
    let alone = selected(&query, &held, &["c=3"]);
    assert!(matches!(alone, Err(WalletError::Selection { query }) if query == "c"));
}

#[test]
fn naming_what_is_needed_takes_nothing_beside_it() {
    let sets = json!([{ "options": [["a"]] }, { "options": [["a", "b"]], "required": false }]);
    let query = query("ab", Some(sets));
    assert_eq!(sent(&query, &wallet("aab", &[]), &["a=1"]), ["a=1"]);
    assert_eq!(sent(&query, &wallet("aab", &[]), &["a=1", "b=3"]), ["a=1", "b=3"]);
}

#[test]
fn a_choice_that_does_not_fit_is_named() {
    let sets = json!([{ "options": [["a"], ["b"]] }]);
    let query = query("ab", Some(sets));
    for wish in [&["x=1"][..], &["a=2"], &["a=9"], &["a=1", "b=2"], &["b=3"]] {
        let refused = selected(&query, &wallet("ab", &[]), wish);
        assert!(matches!(refused, Err(WalletError::Selection { .. })), "{wish:?}");
    }
}
