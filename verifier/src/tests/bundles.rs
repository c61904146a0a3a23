//! The service's own side of evidence: out of its store, checked as anybody would.

use actix_web::test::TestRequest;
use identity_core::bundle::{Bundle, Holder, Moment};
use identity_core::duty::Attestation;
use identity_core::problem::Code;
use identity_core::registry::member_key;
use identity_core::sample::world::{DUTY, NOW};
use serde::Deserialize as _;
use serde_json::{Value, json};
use service_kit::admin::Official;
use service_kit::audit::Act;

use super::world::{Bench, Request, state_url};

/// A bench whose ledger also says who the authorities are.
pub(super) async fn bench() -> Bench {
    let bench = Bench::new().await;
    let key = member_key(&bench.world.authority.did());
    let proof = serde_json::to_vec(&bench.world.ledger.state_proof(&key, NOW.0 - 100)).unwrap();
    bench.fetch.answer(&state_url(&key), 200, "application/json", proof);
    bench
}

/// A request that an official answers for, as its wallet knows it.
async fn attested(bench: &Bench) -> Request {
    let made = json!({ "query": "strict", "official": DUTY });
    let made = bench.admin(TestRequest::post().uri("/admin/requests").set_json(made)).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    let draft = Attestation::deserialize(made.body["to_attest"].clone()).unwrap();
    let signed = json!({ "attestation": draft.sign(&bench.world.asker.duty()).unwrap() });
    let uri = format!("/admin/requests/{id}/attestation");
    assert_eq!(bench.admin(TestRequest::post().uri(&uri).set_json(signed)).await.status, 200);
    let parameters = bench.verifier.load(&id).await.unwrap().unwrap().1.parameters;
    let (nonce, state) = (parameters.nonce, parameters.state.unwrap());
    Request { id, nonce, state, transaction_data: parameters.transaction_data, made: made.body }
}

async fn bundle(bench: &Bench, id: &str, full: bool) -> Result<Bundle, Code> {
    let act = full.then(|| Act::new(&Official::at_the_machine(), "evidence --full"));
    bench.verifier.bundle(id, act).await.map_err(|unmade| unmade.code())
}

async fn code(bench: &Bench, id: &str, full: bool) -> Code {
    bundle(bench, id, full).await.expect_err("must be refused")
}

#[actix_web::test]
async fn the_evidence_of_an_answer_holds_for_anybody() {
    let bench = bench().await;
    let request = attested(&bench).await;
    assert_eq!(code(&bench, &request.id, false).await, Code::EvidenceNoReceipt, "nobody has answered");
    let form = bench.honest(&request);
    assert_eq!(bench.answer(&request, &form).await.status, 200);
    for (full, holder) in [(false, Holder::Claimed), (true, Holder::Signed)] {
        let text = bundle(&bench, &request.id, full).await.unwrap().to_text();
        let checked = Bundle::parse(text.as_bytes()).unwrap().check(&bench.world.ledger.trust_root()).unwrap();
        assert_eq!((checked.holder(), checked.receipt().seq), (holder, 1));
        assert_eq!(checked.attestation().duty, DUTY);
        assert!(matches!(checked.moment(), Moment::Waiting(_)), "no ledger takes receipts here");
        assert_eq!(text.contains("vp_token"), full);
    }
    let lines = bench.verifier.store.audit.lines(0, 100).await.unwrap();
    let read: Vec<Value> = lines.iter().map(|line| serde_json::from_slice(line).unwrap()).collect();
    let full: Vec<&Value> = read.iter().filter(|line| line["what"] == "evidence --full").collect();
    assert_eq!(full.len(), 1, "what was disclosed is not read without a line, and nothing else has one: {read:?}");
    assert_eq!((&full[0]["who"], &full[0]["on"]), (&json!("local"), &json!(request.id)));
}

#[actix_web::test]
async fn what_is_erased_cannot_be_shown_and_the_rest_still_can() {
    let bench = bench().await;
    let request = attested(&bench).await;
    bench.answer(&request, &bench.honest(&request)).await;
    let uri = format!("/admin/requests/{}", request.id);
    let forgotten = bench.admin(TestRequest::delete().uri(&uri)).await;
    assert!(forgotten.status < 300, "{forgotten:?}");
    assert_eq!(code(&bench, &request.id, true).await, Code::VpCaseErased);
    let bundle = bundle(&bench, &request.id, false).await.unwrap();
    let checked = bundle.check(&bench.world.ledger.trust_root()).unwrap();
    assert_eq!(checked.holder(), Holder::Unproven, "the holder's signatures are erased with the answer");
}

#[actix_web::test]
async fn evidence_that_would_not_hold_is_not_handed_out() {
    let bench = bench().await;
    assert_eq!(code(&bench, "unknown", false).await, Code::VpRequestUnknown);
    let request = attested(&bench).await;
    bench.answer(&request, &bench.honest(&request)).await;
    bundle(&bench, &request.id, false).await.unwrap();
    bench.cut_off();
    assert_eq!(code(&bench, &request.id, false).await, Code::FetchUnreachable);
}
