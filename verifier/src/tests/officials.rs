//! Nobody asks without somebody who answers for it.

use actix_web::test::TestRequest;
use identity_core::crypto::Signer as _;
use identity_core::duty::Attestation;
use identity_core::registry::{Delegate, Operation};
use identity_core::sample::parties::key;
use identity_core::sample::world::{DUTY, NOW, duty};
use identity_core::status::Status;
use ledger::sha256;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::world::{Answered, Bench, DESK, dcql};

async fn make(bench: &Bench, body: Value) -> Answered {
    bench.admin(TestRequest::post().uri("/admin/requests").set_json(body)).await
}

async fn sign_for(bench: &Bench, id: &str, attestation: &str) -> Answered {
    let uri = format!("/admin/requests/{id}/attestation");
    bench.admin(TestRequest::post().uri(&uri).set_json(json!({ "attestation": attestation }))).await
}

async fn fetch(bench: &Bench, id: &str) -> Answered {
    bench.call(TestRequest::get().uri(&format!("/requests/{id}"))).await
}

fn handed_out(made: &Answered) -> (String, Attestation) {
    let draft = Attestation::deserialize(made.body["to_attest"].clone()).unwrap();
    (made.body["id"].as_str().unwrap().to_owned(), draft)
}

#[actix_web::test]
async fn a_request_waits_for_the_official_who_is_named() {
    let bench = Bench::new().await;
    let made = make(&bench, json!({ "query": "strict", "official": DUTY, "case": "2026-0001" })).await;
    assert_eq!((made.status, &made.body["request_uri_link"]), (201, &Value::Null));
    let (id, draft) = handed_out(&made);
    assert_eq!((draft.duty.as_str(), draft.purpose.as_str(), draft.retention_days), (DUTY, "loan", 30));
    let case = &made.body["case"];
    let salted = format!("{}{}", case["salt"].as_str().unwrap(), case["number"].as_str().unwrap());
    assert_eq!(draft.case, Some(sha256(salted.as_bytes())), "whoever asked can show later what the digest is of");
    assert_eq!(case["number"], "2026-0001");
    assert!(!made.body["to_attest"].to_string().contains("2026-0001"), "of a case, a salted digest travels");
    let refused = fetch(&bench, &id).await;
    assert_eq!((refused.status, refused.code()), (400, "duty.missing"), "no wallet gets it");
    let waiting = bench.result(&id).await;
    assert_eq!((&waiting["state"], &waiting["duty"]), (&json!("unattested"), &json!(DUTY)));
    assert_eq!(&waiting["case"], case);
    let qr = bench.admin(TestRequest::get().uri(&format!("/admin/requests/{id}/qr"))).await;
    assert_eq!(qr.code(), "duty.missing");

    let signed = draft.sign(&bench.world.asker.duty()).unwrap();
    let attested = sign_for(&bench, &id, &signed).await;
    assert_eq!(attested.status, 200, "{attested:?}");
    assert!(attested.body["request_uri_link"].as_str().unwrap().starts_with("openid4vp://"));
    assert_eq!(&attested.body["case"], case);
    let fetched = fetch(&bench, &id).await;
    assert!(fetched.status == 200 && !fetched.body.to_string().contains(case["salt"].as_str().unwrap()));
    assert_eq!(bench.result(&id).await["state"], "pending");
    assert_eq!(sign_for(&bench, &id, &signed).await.code(), "duty.taken", "one request, one official");
}

#[actix_web::test]
async fn what_the_official_signs_is_what_was_handed_out() {
    let bench = Bench::new().await;
    type Change = fn(&mut Attestation);
    let cases: [(&str, Change); 6] = [
        ("duty.other_request", |said| said.retention_days += 1),
        ("duty.other_request", |said| said.basis.push('x')),
        ("duty.other_request", |said| said.dcql_query = dcql(&["name"])),
        ("duty.other_request", |said| said.holder_signs = false),
        ("duty.other_request", |said| said.case = Some(sha256(b"another case"))),
        ("duty.malformed", |said| said.basis.clear()),
    ];
    for (code, change) in cases {
        let (id, mut draft) = handed_out(&make(&bench, json!({ "query": "strict", "official": DUTY })).await);
        change(&mut draft);
        let answered = sign_for(&bench, &id, &draft.sign(&bench.world.asker.duty()).unwrap()).await;
        assert_eq!(answered.code(), code, "{answered:?}");
        assert_eq!(fetch(&bench, &id).await.code(), "duty.missing");
    }
    let (id, draft) = handed_out(&make(&bench, json!({ "query": "strict", "official": DUTY })).await);
    let answered = sign_for(&bench, &id, &draft.sign(&bench.world.asker.authenticator()).unwrap()).await;
    assert_eq!(answered.code(), "duty.unknown", "the service's own key is none");
    assert_eq!(sign_for(&bench, "unknown", "e30.e30.e30").await.code(), "vp.request.unknown");
    bench.clock.advance(301);
    let late = sign_for(&bench, &id, &draft.sign(&bench.world.asker.duty()).unwrap()).await;
    assert_eq!(late.code(), "vp.request.expired");
}

#[actix_web::test]
async fn a_question_beyond_the_duty_is_not_made() {
    let bench = Bench::new().await;
    let asked = |query: Value, purpose: &str| json!({ "query": query, "purpose": purpose, "basis": "Sample Act, article 1", "retention_days": 30 });
    for (body, code) in [
        (asked(dcql(&["name", "birth_date"]), "loan"), "duty.claims"),
        (asked(dcql(&["name"]), "curiosity"), "duty.purpose"),
    ] {
        let refused = make(&bench, body).await;
        assert_eq!((refused.status, refused.code()), (403, code), "{refused:?}");
    }
}

#[actix_web::test]
async fn what_citizens_are_told_of_retention_is_true_of_this_service() {
    let bench = Bench::new().await;
    let body = json!({ "query": dcql(&["name"]), "purpose": "loan", "basis": "Sample Act", "retention_days": 0 });
    let refused = make(&bench, body).await;
    assert_eq!((refused.status, refused.code()), (400, "vp.request.malformed"));
    assert!(refused.body.to_string().contains("keep_cases"), "{refused:?}");
}

#[actix_web::test]
async fn a_duty_that_went_to_somebody_else_a_moment_ago_is_noticed() {
    let mut bench = Bench::new().await;
    // The service has seen the duty as it was.
    bench.ask("strict").await;
    let (id, draft) = handed_out(&make(&bench, json!({ "query": "strict", "official": DUTY })).await);
    let other = identity_core::jose::Jwk::new(key(9, 5).public_key().clone());
    let given = Operation::Delegate(Box::new(Delegate { key: other, ..duty() }));
    bench.world.ledger.act(&bench.world.asker, &given);
    bench.world.ledger.seal(NOW.0 - 200);
    bench.serve_evidence(Status::Valid);
    let late = sign_for(&bench, &id, &draft.sign(&bench.world.asker.duty()).unwrap()).await;
    assert_eq!((late.status, late.code()), (403, "duty.ended"), "{late:?}");
    assert_eq!(sign_for(&bench, &id, &draft.sign(&key(9, 5)).unwrap()).await.status, 200);
}

#[actix_web::test]
async fn a_service_account_and_an_official_are_not_taken_for_each_other() {
    let bench = Bench::new().await;
    let (id, draft) = handed_out(&make(&bench, json!({ "query": "strict", "official": DESK })).await);
    let answered = sign_for(&bench, &id, &draft.sign(&bench.world.asker.duty()).unwrap()).await;
    assert_eq!((answered.status, answered.code()), (403, "duty.holder"));
}
