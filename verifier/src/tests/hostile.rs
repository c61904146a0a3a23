//! Every way in which an answer can be wrong: its own code, an error below 500, and never a verdict.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use identity_core::crypto::{Alg, SecretKey};
use identity_core::encoding::base64url;
use identity_core::kb_jwt::Occasion;
use identity_core::oid4vp::response::MAX_RESPONSE_BYTES;
use identity_core::sample::world::holder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{Bench, Request};

type Form = BTreeMap<String, String>;
type SpoilForm = Box<dyn Fn(Form) -> Form>;
type SpoilParts = Box<dyn Fn(&mut Vec<String>)>;

fn with(mut form: Form, name: &str, value: impl Into<String>) -> Form {
    form.insert(name.to_owned(), value.into());
    form
}

fn presenting(form: Form, presentation: &str) -> Form {
    with(form, "vp_token", json!({ "id": [presentation] }).to_string())
}

async fn refused(bench: &Bench, request: &Request, form: &Form) -> String {
    let answered = bench.answer(request, form).await;
    assert!((400..500).contains(&answered.status), "{answered:?}");
    assert!(answered.body["error"].is_string(), "{answered:?}");
    let result = bench.result(&request.id).await;
    assert_ne!(result["state"], "verified");
    if result["state"] == "refused" {
        assert_eq!(result["refusal"]["code"], answered.code());
    }
    answered.code().to_owned()
}

#[actix_web::test]
async fn broken_envelopes() {
    let bench = Bench::new().await;
    let token = |value: Value| move |form: Form| with(form, "vp_token", value.to_string());
    let without = |name: &'static str| {
        move |mut form: Form| {
            form.remove(name);
            form
        }
    };
    let cases: Vec<(SpoilForm, &str)> = vec![
        (Box::new(token(json!("a~b~c"))), "vp.response.vp_token"),
        (Box::new(token(json!(7))), "vp.response.vp_token"),
        (Box::new(token(json!(["a~b~c"]))), "vp.response.vp_token"),
        (Box::new(token(json!(null))), "vp.response.vp_token"),
        (Box::new(token(json!({ "id": "a~b~c" }))), "vp.response.vp_token"),
        (Box::new(token(json!({ "id": [] }))), "vp.response.vp_token"),
        (Box::new(token(json!({ "id": ["a", "b"] }))), "vp.response.vp_token"),
        (Box::new(token(json!({ "id": [{}] }))), "vp.response.vp_token"),
        (Box::new(token(json!({ "id": ["a"], "other": ["a"] }))), "vp.response.unasked"),
        (Box::new(token(json!({}))), "vp.response.unanswered"),
        (Box::new(|form| with(form, "vp_token", r#"{"id":["a"],"id":["b"]}"#)), "vp.response.vp_token"),
        (Box::new(|form| with(form, "vp_token", "[".repeat(50_000))), "vp.response.vp_token"),
        (Box::new(|form| with(form, "state", "AAAAAAAAAAAAAAAAAAAAAA")), "vp.response.state"),
        (Box::new(without("state")), "vp.response.state"),
        (Box::new(without("vp_token")), "vp.response.malformed"),
        (Box::new(|form| with(form, "error", "access_denied")), "vp.response.malformed"),
        (Box::new(without("xinfu_anchor")), "vp.response.anchor_missing"),
        (Box::new(|form| with(form, "xinfu_anchor", "garbage")), "vp.response.anchor_malformed"),
        (Box::new(|form| with(form, "xinfu_anchor", r#"{"id":[{},{}]}"#)), "vp.response.anchor_malformed"),
        (Box::new(|form| with(form, "xinfu_anchor", r#"{"id":[{}]}"#)), "registry.proof.malformed"),
    ];
    for (spoil, code) in cases {
        let request = bench.ask("strict").await;
        assert_eq!(refused(&bench, &request, &spoil(bench.honest(&request))).await, code);
    }
}

#[actix_web::test]
async fn broken_bytes() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let twice = format!("state={0}&state={0}", request.state);
    for body in ["a=%zz&%ff=1".to_owned(), twice, "\u{0}".repeat(1000)] {
        let answered = bench.post(&request, body).await;
        assert!((400..500).contains(&answered.status), "{answered:?}");
    }
    let large = bench.post(&request, "x".repeat(MAX_RESPONSE_BYTES + 1)).await;
    assert_eq!((large.status, large.code()), (413, "http.body.too_large"));
    // None of that ended the request: nobody had shown its state.
    assert_eq!(bench.answer(&request, &bench.honest(&request)).await.status, 200);
}

#[actix_web::test]
async fn another_holder_another_occasion() {
    let bench = Bench::new().await;
    let audience = bench.world.request.client_id.as_str().to_owned();
    let bare = audience.split_once(':').unwrap().1.to_owned();
    let now = bench.verifier.clock.now();
    let stranger = SecretKey::from_bytes(Alg::EdDsa, &[42; 32]).unwrap();
    let cases: Vec<(&str, Option<&str>, i64, bool, &str)> = vec![
        (&audience, None, 0, true, "kb_jwt.signature"),
        (&bare, None, 0, false, "kb_jwt.audience"),
        ("decentralized_identifier:did:example:other", None, 0, false, "kb_jwt.audience"),
        (&audience, Some("another-nonce-another-nonce"), 0, false, "kb_jwt.nonce"),
        (&audience, None, -3600, false, "kb_jwt.too_old"),
        (&audience, None, 3600, false, "kb_jwt.in_future"),
    ];
    for (audience, nonce, shift, strange, code) in cases {
        let request = bench.ask("strict").await;
        let to_sign = request.to_sign("id");
        let occasion = Occasion { nonce: nonce.unwrap_or(&request.nonce), ..request.occasion(audience, &to_sign) };
        let key = if strange { &stranger } else { &holder() };
        let shown = bench.world.shown_to(occasion, &["name", "address"], key, now.plus(shift));
        let got = refused(&bench, &request, &presenting(bench.honest(&request), &shown)).await;
        // A holder key of another algorithm is found out before its signature is looked at.
        assert!(got == code || (strange && got.starts_with("jose.")), "{got}, expected {code}");
    }
}

#[actix_web::test]
async fn changed_after_signing() {
    let bench = Bench::new().await;
    let all: Vec<String> = bench.world.credential.split('~').map(str::to_owned).collect();
    let invented = base64url::encode(br#"["c2FsdHNhbHRzYWx0c2FsdA","invented","x"]"#);
    let cases: Vec<(&str, SpoilParts, &str)> = vec![
        ("stripped", Box::new(|parts| *parts.last_mut().unwrap() = String::new()), "kb_jwt.missing"),
        ("removed", Box::new(|parts| drop(parts.remove(1))), "kb_jwt.sd_hash"),
        (
            "added",
            Box::new(move |parts| {
                let extra = all.iter().find(|one| !one.is_empty() && !parts.contains(one)).unwrap().clone();
                parts.insert(1, extra);
            }),
            "kb_jwt.sd_hash",
        ),
        ("twice", Box::new(|parts| parts.insert(1, parts[1].clone())), "sd_jwt."),
        ("invented", Box::new(move |parts| parts.insert(1, invented.clone())), "sd_jwt."),
        ("tildes", Box::new(|parts| parts.insert(1, String::new())), "sd_jwt."),
        ("flood", Box::new(|parts| parts.splice(1..1, vec!["W10".to_owned(); 20_000]).for_each(drop)), "sd_jwt."),
    ];
    for (name, spoil, code) in cases {
        let request = bench.ask("strict").await;
        let shown = bench.presentation(&request, &["name", "address"]);
        let mut parts: Vec<String> = shown.split('~').map(str::to_owned).collect();
        spoil(&mut parts);
        let got = refused(&bench, &request, &presenting(bench.honest(&request), &parts.join("~"))).await;
        assert!(got.starts_with(code), "{name}: {got}, expected {code}");
    }
}

#[actix_web::test]
async fn less_than_asked() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let shown = bench.presentation(&request, &["name"]);
    assert_eq!(refused(&bench, &request, &presenting(bench.honest(&request), &shown)).await, "dcql.answer.claims");
}

#[actix_web::test]
async fn answers_of_other_requests() {
    let bench = Bench::new().await;
    let (one, two) = (bench.ask("strict").await, bench.ask("strict").await);
    let form = with(bench.honest(&two), "state", one.state.clone());
    assert_eq!(refused(&bench, &one, &form).await, "kb_jwt.nonce");
    // The state of one request does not open another.
    assert_eq!(refused(&bench, &two, &with(bench.honest(&two), "state", one.state)).await, "vp.response.state");
    assert_eq!(bench.answer(&two, &bench.honest(&two)).await.status, 200);
}

#[actix_web::test]
async fn one_request_one_answer() {
    let mut bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let form = bench.honest(&request);
    let answers = join_all((0..8).map(|_| bench.answer(&request, &form))).await;
    let accepted = answers.iter().filter(|answered| answered.status == 200).count();
    assert_eq!(accepted, 1);
    for answered in answers.iter().filter(|answered| answered.status != 200) {
        assert_eq!((answered.status, answered.code()), (400, "vp.response.replayed"));
    }
    bench.restart().await;
    assert_eq!(bench.answer(&request, &form).await.code(), "vp.response.replayed");
    assert_eq!(bench.result(&request.id).await["state"], "verified");
}

#[actix_web::test]
async fn a_refusal_ends_the_request_too() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let declined = BTreeMap::from([
        ("state".to_owned(), request.state.clone()),
        ("error".to_owned(), "access_denied".to_owned()),
        ("error_description".to_owned(), "free text of a stranger".to_owned()),
    ]);
    assert_eq!(bench.answer(&request, &declined).await.status, 200);
    let result = bench.result(&request.id).await;
    assert_eq!((&result["state"], &result["refusal"]["code"]), (&json!("refused"), &json!("vp.declined")));
    assert!(!result.to_string().contains("free text"));
    assert_eq!(refused_after(&bench, &request).await, "vp.response.replayed");
}

async fn refused_after(bench: &Bench, request: &Request) -> String {
    bench.answer(request, &bench.honest(request)).await.code().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// One flipped bit anywhere in presentation or proof: never verified, never a 5xx.
    #[test]
    fn one_flipped_bit_is_refused(place in any::<prop::sample::Index>(), bit in 0_u32..7, in_proof in any::<bool>()) {
        actix_web::rt::System::new().block_on(async move {
            let bench = Bench::new().await;
            let request = bench.ask("strict").await;
            let form = bench.honest(&request);
            let name = if in_proof { "xinfu_anchor" } else { "vp_token" };
            let mut bytes = form[name].clone().into_bytes();
            let at = place.index(bytes.len());
            bytes[at] ^= 1 << bit;
            // A bit flipped to beyond ASCII is no text, which the form reader's own test covers.
            if let Ok(changed) = String::from_utf8(bytes) {
                refused(&bench, &request, &with(form, name, changed)).await;
            }
        });
    }
}
