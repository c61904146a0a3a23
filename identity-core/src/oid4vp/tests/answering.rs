use std::collections::BTreeMap;

use super::*;
use crate::oid4vp::verifier::accept;
use crate::oid4vp::wallet::{AnswerError, MAX_REPLY_BYTES, Reply};
use crate::receipt::MAX_RECEIPT_BYTES;

fn token() -> VpToken {
    let entry = |id: &str, list: &[&str]| (id.to_owned(), list.iter().map(|&one| one.to_owned()).collect());
    VpToken(BTreeMap::from([entry("resident", &["a~b~c"]), entry("licence", &["d~"])]))
}

fn anchors() -> Anchors {
    Anchors(BTreeMap::from([
        ("resident".to_owned(), vec![json!({ "n": 1 })]),
        ("licence".to_owned(), vec![json!({ "n": 2 })]),
    ]))
}

fn form(parameters: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn verified(world: &World) -> VerifiedRequest {
    world.verify(&world.signed(|_| ())).unwrap()
}

#[test]
fn what_the_wallet_sends_arrives() {
    let world = world();
    let body = verified(&world).answer(&token(), &anchors()).unwrap();
    let answer = accept(&world.session, None, body.as_bytes(), NOW).unwrap();
    assert_eq!(answer, Answer::Presented { token: token(), anchors: Some(anchors()) });

    let body = verified(&world).refusal(OAuthError::AccessDenied).unwrap();
    assert_eq!(accept(&world.session, None, body.as_bytes(), NOW), Ok(Answer::Declined(WalletError::AccessDenied)));
}

#[test]
fn a_wallet_does_not_answer_without_required_anchors() {
    let answer = verified(&world()).answer(&token(), &Anchors::default());
    assert_eq!(answer, Err(AnswerError::AnchorsMissing));
}

#[test]
fn anchors_stay_home_when_nobody_asks() {
    let mut world = world();
    let jwt = world.signed(|payload| drop(payload.remove("xinfu_anchor")));
    let body = world.verify(&jwt).unwrap().answer(&token(), &anchors()).unwrap();
    assert!(!body.contains("xinfu_anchor"));
    // And a verifier that did not ask ignores them.
    world.session.parameters.anchor = None;
    let body = format!("{body}&xinfu_anchor=garbage");
    let answer = accept(&world.session, None, body.as_bytes(), NOW).unwrap();
    assert_eq!(answer, Answer::Presented { token: token(), anchors: None });
}

#[test]
fn each_broken_answer_is_refused_by_its_name() {
    use ResponseError as E;
    let world = world();
    let state = world.session.parameters.state.clone().unwrap();
    let vp_token = token().to_json().to_string();
    let anchor = anchors().to_json().to_string();
    let with = |vp: &str, anchor: &str| form(&[("state", &state), ("vp_token", vp), ("xinfu_anchor", anchor)]);
    let good = with(&vp_token, &anchor);
    let resident = json!({ "resident": ["a"], "licence": ["b"] });
    let member = |id: &str, value: Value| {
        let mut token = resident.clone();
        token[id] = value;
        with(&token.to_string(), &anchor)
    };
    let cases: Vec<(String, ResponseError)> = vec![
        (good.replace(&state, "AAAAAAAAAAAAAAAAAAAAAA"), E::State),
        (form(&[("vp_token", &vp_token)]), E::State),
        (format!("{good}&state={state}"), E::Malformed),
        (format!("{good}&error=access_denied"), E::Nothing),
        (form(&[("state", &state)]), E::Nothing),
        (form(&[("state", &state), ("response", "a.b.c.d.e")]), E::Encrypted),
        (with("\"a~b\"", &anchor), E::VpToken),
        (with("a~b", &anchor), E::VpToken),
        (with("7", &anchor), E::VpToken),
        (with("[\"a~b\"]", &anchor), E::VpToken),
        (with("null", &anchor), E::VpToken),
        (with(&format!("{vp_token} "), "{"), E::Anchors),
        (with(&format!("{vp_token}x"), &anchor), E::VpToken),
        (with(r#"{"resident":["a"],"resident":["b"],"licence":["c"]}"#, &anchor), E::VpToken),
        (member("resident", json!("a")), E::VpToken),
        (member("resident", json!([])), E::VpToken),
        (member("resident", json!([7])), E::VpToken),
        (member("resident", json!([["a"]])), E::VpToken),
        (member("resident", json!(["a", "b"])), E::TooMany),
        (member("extra", json!(["a"])), E::Unasked),
        (with(r#"{"resident":["a"]}"#, &anchor), E::Unanswered),
        (with("{}", "{}"), E::Unanswered),
        (with(&vp_token, "garbage"), E::Anchors),
        (with(&vp_token, "[]"), E::Anchors),
        (with(&vp_token, r#"{"resident":[{}],"licence":[{},{}]}"#), E::Anchors),
        (with(&vp_token, r#"{"resident":[{}],"licence":[7]}"#), E::Anchors),
        (with(&vp_token, r#"{"resident":[{}],"licence":[{}],"extra":[{}]}"#), E::Anchors),
        (with(&vp_token, r#"{"resident":[{}]}"#), E::AnchorsMissing),
        (form(&[("state", &state), ("vp_token", &vp_token)]), E::AnchorsMissing),
        ("x".repeat(response::MAX_RESPONSE_BYTES + 1), E::TooLarge),
    ];
    for (body, refusal) in cases {
        let got = accept(&world.session, None, body.as_bytes(), NOW);
        assert_eq!(got, Err(refusal), "{}", &body[..body.len().min(300)]);
    }
    let expires = world.session.parameters.expires;
    assert_eq!(accept(&world.session, None, good.as_bytes(), expires), Err(E::Expired));
    assert!(accept(&world.session, None, good.as_bytes(), expires.plus(-1)).is_ok());
}

#[test]
fn only_those_who_know_the_state_can_end_a_session() {
    use ResponseError as E;
    let jwe = E::Jwe(crate::jose::jwe::JweError::Undecipherable);
    for before_state in [E::TooLarge, E::Malformed, E::Encrypted, E::NotEncrypted, jwe, E::State, E::Expired] {
        assert!(!before_state.ends_session());
    }
    assert!(ResponseError::VpToken.ends_session());
}

#[test]
fn the_largest_receipt_fits_into_a_reply_with_all_that_may_stand_beside_it() {
    let receipt = "x".repeat(MAX_RECEIPT_BYTES);
    let next = format!("https://v.example/{}", "x".repeat(2048));
    let accepted = json!({ "xinfu_receipt": receipt, "redirect_uri": next }).to_string();
    assert!(accepted.len() <= MAX_REPLY_BYTES);
    let reply = Reply::Accepted { receipt: Some(receipt.clone()), redirect_uri: Some(next) };
    assert_eq!(Reply::parse(200, accepted.as_bytes()), reply);
    let why = "x".repeat(2048);
    let refused = json!({
        "error": "invalid_request", "error_description": why, "code": "vp.response.state", "xinfu_receipt": receipt,
    });
    let code = Some(crate::problem::Code::VpResponseState);
    assert_eq!(Reply::parse(400, refused.to_string().as_bytes()), Reply::Refused { receipt: Some(receipt), code });
}

#[test]
fn replies_are_read_strictly() {
    assert_eq!(Reply::parse(200, b"{}"), Reply::Accepted { receipt: None, redirect_uri: None });
    let next = Reply::parse(200, br#"{"redirect_uri":"https://v.example/cb"}"#);
    assert_eq!(next, Reply::Accepted { receipt: None, redirect_uri: Some("https://v.example/cb".to_owned()) });
    for (status, body) in [(302, "{}"), (200, ""), (200, "[]"), (200, r#"{"a":1,"a":2}"#), (500, "")] {
        assert_eq!(
            Reply::parse(status, body.as_bytes()),
            Reply::Refused { receipt: None, code: None },
            "{status} {body}"
        );
    }
    let refused = Reply::parse(400, br#"{"error":"invalid_request","code":"vp.response.state"}"#);
    assert_eq!(refused, Reply::Refused { receipt: None, code: Some(crate::problem::Code::VpResponseState) });
}
