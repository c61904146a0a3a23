//! Reading, matching and re-checking; each breach has its own error.

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::encoding::limits;
use crate::kb_jwt::Confirmation;
use crate::sd_jwt::{ClaimPath, Concealment, HeldSdJwt, UnverifiedSdJwt};
use crate::sd_jwt_vc::{self, Credential, Registered};
use crate::time::UnixSeconds;

mod combinations;

const RESIDENT: &str = "urn:xinfu:credential:resident-identity:1";

const ISSUER: &str = "did:xinfu:devnet:6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDo";
const ISSUER_KEY: &str = "did:xinfu:devnet:6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDo#assert-1";

fn key() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap()
}

fn held_of(vct: &str, bound: bool) -> HeldSdJwt {
    let holder = Confirmation::jwk(key().public_key().clone());
    let registered = Registered {
        issuer: "https://issuer.example",
        vct,
        vct_integrity: None,
        issued_at: UnixSeconds(1),
        not_before: None,
        expires: None,
        holder: bound.then_some(&holder),
        status: None,
    };
    let subject = json!({
        "name": "样本",
        "age": 40,
        "address": {"city": "样本市", "street": "样本路 1"},
        "nationalities": ["CN", "XX"],
        "plain": true,
    });
    let concealment = [
        ClaimPath::top("name"),
        ClaimPath::top("age"),
        ClaimPath::top("address"),
        ClaimPath::top("address").member("city"),
        ClaimPath::top("address").member("street"),
        ClaimPath::top("nationalities").every(),
    ]
    .iter()
    .fold(Concealment::default(), |all, path| all.conceal(path));
    let mut rng = StdRng::seed_from_u64(1);
    let subject = subject.as_object().unwrap();
    let text = sd_jwt_vc::issue(&registered, subject, &concealment, ISSUER_KEY, &key(), &mut rng);
    HeldSdJwt::dangerous_reopen(text.unwrap()).unwrap()
}

fn held() -> HeldSdJwt {
    held_of(RESIDENT, true)
}

/// One credential query for a resident identity, with more members.
fn one(more: Value) -> Value {
    let mut query: Map<String, Value> =
        json!({"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": [RESIDENT]}}).as_object().unwrap().clone();
    query.extend(more.as_object().unwrap().clone());
    json!({"credentials": [query]})
}

fn asking(claims: Value) -> Query {
    Query::from_json(&one(json!({"claims": claims}))).unwrap()
}

fn refused(query: &Value) -> QueryError {
    Query::from_json(query).unwrap_err()
}

/// What the wallet would disclose, as text.
fn disclosed(query: &Query, held: &HeldSdJwt) -> Vec<String> {
    let candidates = query.matches(&[held]).unwrap().candidates;
    let mut shown: Vec<String> =
        held.disclosed_by(&candidates[0][0].disclose).unwrap().into_iter().map(ToString::to_string).collect();
    shown.sort();
    shown
}

/// The verifier's verdict on a presentation of `paths`.
fn judged(query: &Query, paths: &[ClaimPath]) -> Result<(), AnswerError> {
    let presentation = held().present(paths).unwrap();
    let parsed = UnverifiedSdJwt::parse(presentation.text()).unwrap();
    query.credentials[0].check(&Credential::verify(parsed, key().public_key()).unwrap(), true)
}

#[test]
fn a_query_is_read_and_unknown_members_are_ignored() {
    let query = Query::from_json(&one(json!({
        "claims": [{"id": "a", "path": ["address", "city"], "values": ["x", 1, true], "later": 1}],
        "claim_sets": [["a"]],
        "require_cryptographic_holder_binding": false,
        "multiple": false,
        "later": {},
    })))
    .unwrap();
    let asked = query.credential("q").unwrap();
    assert_eq!(asked.vct_values, [RESIDENT]);
    assert_eq!(asked.claims[0].path.to_string(), "address.city");
    assert_eq!(asked.claim_sets, [vec![0]]);
    assert!(!asked.holder_binding);
    assert!(asking(json!([{"path": ["name"]}])).credentials[0].holder_binding);
}

#[test]
fn what_is_no_query_is_refused_by_kind() {
    assert_eq!(refused(&json!([])), QueryError::Malformed);
    assert_eq!(refused(&json!({})), QueryError::Malformed);
    assert_eq!(refused(&json!({"credentials": []})), QueryError::Empty);
    assert_eq!(refused(&json!({"credentials": [1]})), QueryError::Malformed);
    assert_eq!(refused(&json!({"credentials": vec![1; limits::DCQL_CREDENTIALS + 1]})), QueryError::TooLarge);
    for id in [json!(""), json!("a b"), json!("样"), json!(1), json!("x".repeat(limits::DCQL_ID + 1))] {
        assert_eq!(refused(&one(json!({"id": id}))), QueryError::Id);
    }
    let twice = one(json!({}))["credentials"][0].clone();
    assert_eq!(refused(&json!({"credentials": [twice, twice]})), QueryError::Id);
    assert_eq!(refused(&one(json!({"format": "mso_mdoc"}))), QueryError::Format);
    assert_eq!(refused(&one(json!({"format": 1}))), QueryError::Malformed);
    for meta in [json!({}), json!({"vct_values": [1]}), json!(1)] {
        assert_eq!(refused(&one(json!({"meta": meta}))), QueryError::Meta);
    }
    assert_eq!(refused(&one(json!({"meta": {"vct_values": []}}))), QueryError::Empty);
    assert_eq!(refused(&one(json!({"require_cryptographic_holder_binding": "no"}))), QueryError::Malformed);
}

#[test]
fn claims_of_a_query_are_checked() {
    let claims = |claims: Value| refused(&one(json!({"claims": claims})));
    assert_eq!(claims(json!([])), QueryError::Empty);
    assert_eq!(claims(json!([{}])), QueryError::Path);
    for path in [json!([]), json!("name"), json!(["a", -1]), json!(["a", {}])] {
        assert_eq!(claims(json!([{"path": path}])), QueryError::Path);
    }
    for value in [json!(1.5), json!(null), json!(["x"]), json!({})] {
        assert_eq!(claims(json!([{"path": ["a"], "values": [value]}])), QueryError::Values);
    }
    assert_eq!(claims(json!([{"path": ["a"], "values": []}])), QueryError::Empty);
    assert_eq!(claims(json!([{"id": "a", "path": ["a"]}, {"id": "a", "path": ["b"]}])), QueryError::Id);
    let sets = |claims: Value, sets: Value| refused(&one(json!({"claims": claims, "claim_sets": sets})));
    assert_eq!(sets(json!([{"path": ["a"]}]), json!([["a"]])), QueryError::Id);
    assert_eq!(sets(json!([{"id": "a", "path": ["a"]}]), json!([["b"]])), QueryError::ClaimSets);
    assert_eq!(sets(json!([{"id": "a", "path": ["a"]}]), json!([[]])), QueryError::Empty);
    assert_eq!(refused(&one(json!({"claim_sets": [["a"]]}))), QueryError::ClaimSets);
}

#[test]
fn the_wallet_shows_the_least_that_answers() {
    let held = held();
    assert_eq!(disclosed(&Query::from_json(&one(json!({}))).unwrap(), &held), [""; 0]);
    assert_eq!(disclosed(&asking(json!([{"path": ["plain"]}])), &held), [""; 0]);
    assert_eq!(disclosed(&asking(json!([{"path": ["name"]}])), &held), ["name"]);
    assert_eq!(disclosed(&asking(json!([{"path": ["address", "city"]}])), &held), ["address", "address.city"]);
    assert_eq!(disclosed(&asking(json!([{"path": ["nationalities", 1]}])), &held), ["nationalities[1]"]);
    assert_eq!(disclosed(&asking(json!([{"path": ["nationalities", null]}])), &held).len(), 2);
    let matching = json!([{"path": ["nationalities", null], "values": ["XX", "YY"]}]);
    assert_eq!(disclosed(&asking(matching), &held), ["nationalities[1]"]);
}

#[test]
fn the_first_alternative_that_can_be_met_is_shown() {
    let query = Query::from_json(&one(json!({
        "claims": [
            {"id": "a", "path": ["over_18"]},
            {"id": "b", "path": ["age"]},
            {"id": "c", "path": ["name"]},
        ],
        "claim_sets": [["a"], ["b"], ["b", "c"]],
    })))
    .unwrap();
    assert_eq!(disclosed(&query, &held()), ["age"]);
    assert_eq!(judged(&query, &[ClaimPath::top("age")]), Ok(()));
    assert_eq!(judged(&query, &[ClaimPath::top("name")]), Err(AnswerError::Claims));
}

#[test]
fn what_does_not_fit_is_no_candidate() {
    let held = held();
    for claims in [
        json!([{"path": ["absent"]}]),
        json!([{"path": ["name"]}, {"path": ["absent"]}]),
        json!([{"path": ["name"], "values": ["别人"]}]),
        json!([{"path": ["age"], "values": ["40"]}]),
        json!([{"path": ["name", "first"]}]),
        json!([{"path": ["nationalities", 2]}]),
    ] {
        assert_eq!(asking(claims).matches(&[&held]), Err(NoMatch { id: "q".to_owned() }));
    }
    let by_type = Query::from_json(&one(json!({}))).unwrap();
    assert!(by_type.matches(&[]).is_err());
    assert!(by_type.matches(&[&held_of("urn:other:1", true)]).is_err());
    assert!(by_type.matches(&[&held_of(RESIDENT, false)]).is_err());
    let unbound = Query::from_json(&one(json!({"require_cryptographic_holder_binding": false}))).unwrap();
    let found = unbound.matches(&[&held_of("urn:other:1", true), &held_of(RESIDENT, false)]).unwrap();
    let candidates = found.candidates;
    assert_eq!(candidates, [vec![Candidate { credential: 1, disclose: Vec::new() }]]);
}

#[test]
fn the_verifier_trusts_no_wallet() {
    let name = ClaimPath::top("name");
    let query = asking(json!([{"path": ["name"], "values": ["样本"]}]));
    assert_eq!(judged(&query, std::slice::from_ref(&name)), Ok(()));
    assert_eq!(judged(&query, &[]), Err(AnswerError::Claims));
    let other = asking(json!([{"path": ["name"], "values": ["别人"]}]));
    assert_eq!(judged(&other, std::slice::from_ref(&name)), Err(AnswerError::Values));
    let shape = asking(json!([{"path": ["name", 0]}]));
    assert_eq!(judged(&shape, std::slice::from_ref(&name)), Err(AnswerError::Claims));

    let wanted = Query::from_json(&one(json!({"meta": {"vct_values": ["urn:other:1"]}}))).unwrap();
    assert_eq!(judged(&wanted, &[]), Err(AnswerError::Type));
    let presentation = held().present(&[]).unwrap();
    let parsed = UnverifiedSdJwt::parse(presentation.text()).unwrap();
    let credential = Credential::verify(parsed, key().public_key()).unwrap();
    let bound = Query::from_json(&one(json!({}))).unwrap();
    assert_eq!(bound.credentials[0].check(&credential, false), Err(AnswerError::HolderBinding));
}

#[test]
fn positions_mean_the_same_to_wallet_and_verifier() {
    let query = asking(json!([{"path": ["nationalities", 1], "values": ["XX"]}]));
    let held = held();
    let candidates = query.matches(&[&held]).unwrap().candidates;
    assert_eq!(judged(&query, &candidates[0][0].disclose), Ok(()));
    assert_eq!(judged(&query, &[ClaimPath::top("nationalities").element(0)]), Err(AnswerError::Claims));
}
