//! `credential_sets`, `multiple`, `trusted_authorities`: what the wallet may send, what the verifier takes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Credential queries for resident identities under these ids; those of `absent` ask for a type that nobody has.
fn credentials(ids: &[&str], absent: &[&str]) -> Vec<Value> {
    let one = |id: &&str| {
        let vct = if absent.contains(id) { "urn:nobody:has:1" } else { RESIDENT };
        json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}})
    };
    ids.iter().map(one).collect()
}

fn sets(absent: &[&str], sets: Value) -> Query {
    let credentials = credentials(&["a", "b", "c", "d"], absent);
    Query::from_json(&json!({"credentials": credentials, "credential_sets": sets})).unwrap()
}

fn answer(ids: &[&str]) -> BTreeMap<String, Vec<String>> {
    ids.iter().map(|id| ((*id).to_owned(), vec![format!("{id}~")])).collect()
}

fn set(positions: &[usize]) -> BTreeSet<usize> {
    positions.iter().copied().collect()
}

#[test]
fn inconsistent_sets_are_refused() {
    let refusal =
        |sets: Value| refused(&json!({"credentials": credentials(&["a", "b"], &[]), "credential_sets": sets}));
    assert_eq!(refusal(json!([])), QueryError::Empty);
    assert_eq!(refusal(json!({})), QueryError::Malformed);
    assert_eq!(refusal(json!([{}])), QueryError::Malformed);
    assert_eq!(refusal(json!([{"options": []}])), QueryError::Empty);
    assert_eq!(refusal(json!([{"options": [[]]}])), QueryError::Empty);
    assert_eq!(refusal(json!([{"options": ["a"]}])), QueryError::Malformed);
    assert_eq!(refusal(json!([{"options": [["x"]]}])), QueryError::CredentialSets);
    assert_eq!(refusal(json!([{"options": [[1]]}])), QueryError::CredentialSets);
    assert_eq!(refusal(json!([{"options": [["a", "a"]]}])), QueryError::CredentialSets);
    assert_eq!(refusal(json!([{"options": [["a"]], "required": "yes"}])), QueryError::Malformed);
    assert_eq!(refusal(json!(vec![1; limits::DCQL_CREDENTIAL_SETS + 1])), QueryError::TooLarge);
    assert_eq!(refusal(json!([{"options": vec![["a"]; limits::DCQL_OPTIONS + 1]}])), QueryError::TooLarge);
}

#[test]
fn the_wallet_finds_the_options_it_can_answer_in_the_askers_order() {
    let held = held();
    let sets = json!([{"options": [["a", "b"], ["c"], ["d"]]}, {"options": [["b"], ["d"]], "required": false}]);
    let query = self::sets(&["b"], sets);
    let found = query.matches(&[&held]).unwrap();
    let needed = Need { options: vec![set(&[2]), set(&[3])], required: true };
    assert_eq!(found.needs, [needed, Need { options: vec![set(&[3])], required: false }]);
    assert!(found.candidates[1].is_empty() && found.candidates[2].len() == 1);
}

#[test]
fn without_sets_everything_is_needed() {
    let held = held();
    let all = Query::from_json(&json!({"credentials": credentials(&["a", "b"], &[])})).unwrap();
    let needs = all.matches(&[&held]).unwrap().needs;
    assert_eq!(needs, [Need { options: vec![set(&[0, 1])], required: true }]);
    let one_short = Query::from_json(&json!({"credentials": credentials(&["a", "b"], &["b"])})).unwrap();
    assert_eq!(one_short.matches(&[&held]), Err(NoMatch { id: "b".to_owned() }));
}

#[test]
fn a_need_that_cannot_be_met_keeps_everything_in_the_wallet() {
    let held = held();
    let required = sets(&["b"], json!([{"options": [["a"]]}, {"options": [["a", "b"]]}]));
    assert_eq!(required.matches(&[&held]), Err(NoMatch { id: "b".to_owned() }));
    let optional = sets(&["b"], json!([{"options": [["a"]]}, {"options": [["b"]], "required": false}]));
    assert_eq!(optional.matches(&[&held]).unwrap().needs.len(), 1);
    let nothing = sets(&["b"], json!([{"options": [["b"]], "required": false}]));
    assert_eq!(nothing.matches(&[&held]), Err(NoMatch { id: "b".to_owned() }));
}

#[test]
fn the_verifier_takes_the_answers_of_met_options_and_no_others() {
    let query = sets(&[], json!([{"options": [["a", "b"], ["c"]]}, {"options": [["d"]], "required": false}]));
    for (ids, expected) in [
        (&["a", "b"][..], Ok(())),
        (&["c"], Ok(())),
        (&["c", "d"], Ok(())),
        (&["a", "b", "c", "d"], Ok(())),
        (&[], Err(OutlineError::Unanswered)),
        (&["a"], Err(OutlineError::Unanswered)),
        (&["d"], Err(OutlineError::Unanswered)),
        (&["a", "d"], Err(OutlineError::Unanswered)),
        // `a` alone meets nothing: it was shown for no reason.
        (&["a", "c"], Err(OutlineError::Unasked)),
        (&["c", "x"], Err(OutlineError::Unasked)),
    ] {
        assert_eq!(query.check_outline(&answer(ids)), expected, "{ids:?}");
    }
    let optional = sets(&[], json!([{"options": [["a"]], "required": false}]));
    assert_eq!(optional.check_outline(&answer(&[])), Err(OutlineError::Unanswered), "nothing is no answer");
    assert_eq!(optional.check_outline(&answer(&["b"])), Err(OutlineError::Unasked));
}

#[test]
fn several_presentations_need_a_query_for_several() {
    let shown = |texts: &[&str]| -> BTreeMap<String, Vec<String>> {
        [("q".to_owned(), texts.iter().map(|text| (*text).to_owned()).collect())].into()
    };
    let single = Query::from_json(&one(json!({}))).unwrap();
    let several = Query::from_json(&one(json!({"multiple": true}))).unwrap();
    assert!(several.credentials[0].multiple && !single.credentials[0].multiple);
    assert_eq!(single.check_outline(&shown(&["x~", "y~"])), Err(OutlineError::Count));
    assert_eq!(several.check_outline(&shown(&["x~", "y~"])), Ok(()));
    assert_eq!(several.check_outline(&shown(&["x~"])), Ok(()));
    for query in [&single, &several] {
        assert_eq!(query.check_outline(&shown(&[])), Err(OutlineError::Count));
    }
    assert_eq!(several.check_outline(&shown(&["x~a~", "y~", "x~b~"])), Err(OutlineError::Twice));
    assert_eq!(several.check_outline(&shown(&["h.p.s~a~", "h.p.twin~b~"])), Err(OutlineError::Twice));
    assert_eq!(several.check_outline(&shown(&["h.p.s~", "h.q.s~", "i.p.s~"])), Ok(()));
    let many: Vec<String> = (0..=limits::DCQL_MULTIPLE).map(|n| format!("{n}~")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(several.check_outline(&shown(&many)), Err(OutlineError::Count));
    assert_eq!(several.check_outline(&shown(&many[1..])), Ok(()));
    assert_eq!(refused(&one(json!({"multiple": 1}))), QueryError::Malformed);
}

fn by(authorities: Value) -> Query {
    Query::from_json(&one(json!({"trusted_authorities": authorities}))).unwrap()
}

#[test]
fn malformed_authorities_are_refused() {
    let refusal = |authorities: Value| refused(&one(json!({"trusted_authorities": authorities})));
    assert_eq!(refusal(json!([])), QueryError::Empty);
    assert_eq!(refusal(json!("aki")), QueryError::Malformed);
    for entry in [
        json!("aki"),
        json!({}),
        json!({"type": "", "values": ["x"]}),
        json!({"type": 1, "values": ["x"]}),
        json!({"type": "aki"}),
        json!({"type": "aki", "values": [1]}),
        json!({"type": "xinfu_ledger", "values": ["x"]}),
        json!({"type": "xinfu_ledger", "values": ["did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"]}),
    ] {
        assert_eq!(refusal(json!([entry])), QueryError::TrustedAuthorities, "{entry}");
    }
    assert_eq!(refusal(json!([{"type": "aki", "values": []}])), QueryError::Empty);
}

#[test]
fn only_credentials_of_a_named_issuer_answer_on_both_sides() {
    let held = held();
    let other = ISSUER.replace("Mki", "Mkj");
    let presented = |query: &Query| judged(query, &[]);
    for (authorities, fits) in [
        (json!([{"type": "xinfu_ledger", "values": [ISSUER]}]), true),
        (json!([{"type": "xinfu_ledger", "values": [other, ISSUER]}]), true),
        (json!([{"type": "aki", "values": ["x"]}, {"type": "xinfu_ledger", "values": [ISSUER]}]), true),
        (json!([{"type": "xinfu_ledger", "values": [other]}]), false),
        (json!([{"type": "aki", "values": ["x"]}]), false),
        (json!([{"type": "openid_federation", "values": [ISSUER]}]), false),
        (json!([{"type": "XINFU_LEDGER", "values": [ISSUER]}]), false),
    ] {
        let query = by(authorities.clone());
        assert_eq!(query.matches(&[&held]).is_ok(), fits, "{authorities}");
        let expected = if fits { Ok(()) } else { Err(AnswerError::Authority) };
        assert_eq!(presented(&query), expected, "{authorities}");
    }
}

#[test]
fn a_verifier_asks_only_what_it_can_check() {
    assert_eq!(by(json!([{"type": "xinfu_ledger", "values": [ISSUER]}])).check_askable(), Ok(()));
    let mixed = json!([{"type": "xinfu_ledger", "values": [ISSUER]}, {"type": "aki", "values": ["x"]}]);
    assert_eq!(by(mixed).check_askable(), Err(QueryError::AuthorityUnknown));
    let twice = asking(json!([{"path": ["name"]}, {"path": ["name"], "values": ["x"]}]));
    assert_eq!(twice.check_askable(), Err(QueryError::ClaimTwice));
    assert_eq!(asking(json!([{"path": ["a", null]}, {"path": ["a", 0]}])).check_askable(), Ok(()));
}

#[test]
fn a_wildcard_reaches_into_every_element() {
    let held = held();
    let every = asking(json!([{"path": ["nationalities", null]}]));
    assert_eq!(every.matches(&[&held]).unwrap().candidates[0][0].disclose.len(), 2);
    let second = ClaimPath::top("nationalities").element(1);
    let valued = asking(json!([{"path": ["nationalities", null], "values": ["XX"]}]));
    assert_eq!(valued.matches(&[&held]).unwrap().candidates[0][0].disclose, std::slice::from_ref(&second));
    assert_eq!(judged(&valued, &[second]), Ok(()));
    assert_eq!(judged(&valued, &[ClaimPath::top("nationalities").element(0)]), Err(AnswerError::Values));
    for nowhere in [json!([null]), json!(["name", null]), json!(["nationalities", null, null])] {
        assert!(asking(json!([{"path": nowhere}])).matches(&[&held]).is_err());
    }
}

/// The rules of OpenID4VP 1.0 §6.4.2, by brute force: `answered` is a union of options, one or none of each set,
/// one of each that is required.
fn by_definition(sets: &[(Vec<BTreeSet<usize>>, bool)], answered: &BTreeSet<usize>) -> bool {
    let mut unions: BTreeSet<BTreeSet<usize>> = [BTreeSet::new()].into();
    for (options, required) in sets {
        let met = unions.iter().flat_map(|sofar| options.iter().map(move |option| sofar | option));
        let mut next: BTreeSet<BTreeSet<usize>> = met.collect();
        // Several options of one set may be met at once; what counts is that nothing else is shown.
        for _ in options {
            next = next
                .iter()
                .flat_map(|sofar| options.iter().map(move |option| sofar | option))
                .chain(next.clone())
                .collect();
        }
        if !required {
            next.extend(unions);
        }
        unions = next;
    }
    !answered.is_empty() && unions.contains(answered)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_outline_is_the_one_of_the_specification(
        sets in prop::collection::vec(
            (prop::collection::vec(prop::collection::btree_set(0_usize..4, 1..4), 1..4), any::<bool>()), 1..4,
        ),
        answered in prop::collection::btree_set(0_usize..4, 0..5),
    ) {
        let names = ["a", "b", "c", "d"];
        let json: Vec<Value> = sets
            .iter()
            .map(|(options, required)| {
                let options: Vec<Vec<&str>> =
                    options.iter().map(|option| option.iter().map(|at| names[*at]).collect()).collect();
                json!({"options": options, "required": required})
            })
            .collect();
        let query = self::sets(&[], json!(json));
        let ids: Vec<&str> = answered.iter().map(|at| names[*at]).collect();
        prop_assert_eq!(query.check_outline(&answer(&ids)).is_ok(), by_definition(&sets, &answered));
    }

    #[test]
    fn what_the_wallet_would_send_is_what_the_verifier_takes(
        sets in prop::collection::vec(
            (prop::collection::vec(prop::collection::btree_set(0_usize..4, 1..4), 1..4), any::<bool>()), 1..4,
        ),
        lacking in prop::collection::btree_set(0_usize..4, 0..3),
        pick in any::<prop::sample::Index>(),
    ) {
        let names = ["a", "b", "c", "d"];
        let json: Vec<Value> = sets
            .iter()
            .map(|(options, required)| {
                let options: Vec<Vec<&str>> =
                    options.iter().map(|option| option.iter().map(|at| names[*at]).collect()).collect();
                json!({"options": options, "required": required})
            })
            .collect();
        let absent: Vec<&str> = lacking.iter().map(|at| names[*at]).collect();
        let query = self::sets(&absent, json!(json));
        let held = held();
        if let Ok(found) = query.matches(&[&held]) {
            let sent: BTreeSet<usize> =
                found.needs.iter().flat_map(|need| need.options[pick.index(need.options.len())].clone()).collect();
            prop_assert!(sent.is_disjoint(&lacking));
            let ids: Vec<&str> = sent.iter().map(|at| names[*at]).collect();
            prop_assert_eq!(query.check_outline(&answer(&ids)), Ok(()));
        }
    }
}
