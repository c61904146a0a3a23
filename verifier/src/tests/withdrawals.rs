//! A holder takes a sharing back: what was kept goes, what was done is said in the chain of receipts, and nobody else can.

use std::collections::BTreeMap;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::TestRequest;
use futures_util::future::join_all;
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::problem::Code;
use identity_core::receipt::Chain;
use identity_core::sample::world::{NOW, holder};
use identity_core::withdrawal::{
    Acknowledgement, Kind, MAX_WITHDRAWAL_BYTES, Sent, UnverifiedAcknowledgement, Withdrawal,
};
use ledger::sha256;
use serde_json::{Value, json};
use service_kit::admin::Official;
use service_kit::audit::Act;
use service_kit::store::Range;

use super::world::{Answered, Bench, Request};

/// A sharing that was answered, and its receipt.
struct Shared {
    request: Request,
    receipt: String,
}

async fn shared(bench: &Bench, query: &str) -> Shared {
    let request = bench.ask(query).await;
    let answered = bench.answer(&request, &bench.honest(&request)).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    Shared { request, receipt: answered.body["xinfu_receipt"].as_str().unwrap().to_owned() }
}

fn signed(bench: &Bench, receipt: &str, change: impl FnOnce(&mut Withdrawal)) -> String {
    let mut withdrawal = bench.world.withdrawal(receipt);
    change(&mut withdrawal);
    withdrawal.sign(&holder()).unwrap()
}

async fn send(bench: &Bench, withdrawal: &str) -> Answered {
    let request = TestRequest::post().uri("/withdrawals").insert_header((CONTENT_TYPE, "application/jwt"));
    bench.call(request.set_payload(withdrawal.to_owned())).await
}

/// What the service said it did, checked as a wallet does.
fn acknowledged(bench: &Bench, answered: &Answered, withdrawal: &str, receipt: &str) -> Acknowledgement {
    assert_eq!(answered.status, 200, "{answered:?}");
    let text = answered.body["acknowledgement"].as_str().unwrap();
    let now = bench.verifier.clock.now();
    let service = bench.world.asker.did();
    let document = bench.world.prepared().document(&service, bench.world.policy.evidence, now).unwrap();
    let verified = UnverifiedAcknowledgement::parse(text).unwrap().verify(&document).unwrap();
    let (withdrawal, receipt) = (sha256(withdrawal.as_bytes()), sha256(receipt.as_bytes()));
    let sent = Sent { service: &service, withdrawal, receipt, receipt_seq: 1, signed: now };
    assert_eq!(verified.check(&sent, now), Ok(()));
    verified.acknowledgement().clone()
}

async fn everything(bench: &Bench) -> Vec<(Vec<u8>, Vec<u8>)> {
    bench.ports.store.scan(Range::all(), usize::MAX).await.unwrap()
}

/// Whether a value of the sample holder, or the presentation that holds it, stands anywhere in the store.
async fn is_kept(bench: &Bench, shown: &str) -> bool {
    let values = ["样本甲", "样本市", shown];
    everything(bench).await.iter().any(|(_, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        values.iter().any(|value| text.contains(value))
    })
}

/// The last disclosure and signature of the one presentation that was sent.
fn tail(form: &BTreeMap<String, String>) -> String {
    let token: Value = serde_json::from_str(&form["vp_token"]).unwrap();
    token["id"][0].as_str().unwrap().rsplit('~').next().unwrap().to_owned()
}

#[actix_web::test]
async fn what_was_shared_goes_and_what_was_done_is_said() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let form = bench.honest(&request);
    let answered = bench.answer(&request, &form).await;
    let receipt = answered.body["xinfu_receipt"].as_str().unwrap().to_owned();
    assert!(is_kept(&bench, &tail(&form)).await);

    let withdrawal = signed(&bench, &receipt, |_| {});
    let answered = send(&bench, &withdrawal).await;
    let said = acknowledged(&bench, &answered, &withdrawal, &receipt);
    let deleted = [Kind::Claims, Kind::Presentation, Kind::KeyBindings, Kind::AnchorProofs, Kind::HolderKeys];
    assert_eq!(said.deleted, deleted);
    let kept: Vec<Kind> = said.kept.iter().map(|kept| kept.what).collect();
    assert_eq!(kept, [Kind::Request, Kind::Verdict, Kind::Receipt]);
    assert!(said.kept.iter().all(|kept| !kept.basis.is_empty()) && !said.passed_on);
    assert_eq!((said.seq, said.previous), (2, Some(sha256(receipt.as_bytes()))));

    // Nothing of it is left, and nobody gets any of it.
    assert!(!is_kept(&bench, &tail(&form)).await);
    let result = bench.result(&request.id).await;
    assert_eq!((&result["state"], &result["claims"]), (&json!("withdrawn"), &Value::Null));
    assert_eq!(result["acknowledgement"], answered.body["acknowledgement"]);
    for path in ["evidence", "replay"] {
        let refused = bench.admin(TestRequest::get().uri(&format!("/admin/requests/{}/{path}", request.id))).await;
        assert_eq!((refused.status, refused.code()), (410, "vp.case.erased"), "{path}");
    }

    // The chain is whole, the audit log names the act, and the proof is on its way as a receipt's is.
    let mut chain = Chain::of(&bench.verifier.did, None);
    for (seq, text) in bench.verifier.store.receipts_after(0, 9).await.unwrap() {
        chain.read(seq, &text).unwrap();
    }
    assert_eq!((chain.head().seq, chain.ends_at(bench.verifier.store.receipt_head().await.unwrap())), (2, Ok(())));
    let log = bench.admin(TestRequest::get().uri("/admin/audit")).await.body.to_string();
    assert!(log.contains("POST /withdrawals") && log.contains("holder"), "{log}");
    let digest = sha256(answered.body["acknowledgement"].as_str().unwrap().as_bytes()).to_base64url();
    let proof = bench.call(TestRequest::get().uri(&format!("/receipts/{digest}"))).await;
    assert_eq!(proof.code(), "receipt.waiting");
}

#[actix_web::test]
async fn the_same_again_has_the_same_answer_and_no_effect() {
    let bench = Bench::new().await;
    let Shared { receipt, .. } = shared(&bench, "strict").await;
    let withdrawal = signed(&bench, &receipt, |_| {});
    let answers = join_all((0..8).map(|_| send(&bench, &withdrawal))).await;
    let first = answers[0].body["acknowledgement"].clone();
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body["acknowledgement"] == first));
    let kept = everything(&bench).await;
    assert_eq!(send(&bench, &withdrawal).await.body["acknowledgement"], first);
    let other = send(&bench, &signed(&bench, &receipt, |said| said.iat = said.iat.plus(1))).await;
    assert_eq!((other.status, other.code()), (409, "withdrawal.done"));
    assert_eq!(everything(&bench).await, kept);
    assert_eq!(bench.verifier.store.receipt_head().await.unwrap().seq, 2);
}

#[actix_web::test]
async fn nobody_else_can_and_nothing_is_written() {
    let bench = Bench::new().await;
    let Shared { receipt, .. } = shared(&bench, "strict").await;
    let before = everything(&bench).await;
    let stranger = SecretKey::from_bytes(Alg::Es256, &[77; 32]).unwrap();
    let said = bench.world.withdrawal(&receipt);
    let jwk = Jwk::new(holder().public_key().clone());
    let payload = serde_json::to_vec(&said).unwrap();
    let forged = sign_compact(SignHeader::new(typ::WITHDRAWAL).jwk(&jwk), &payload, &stranger).unwrap();
    let elsewhere = bench.world.issuer.did();
    for (withdrawal, status, code) in [
        ("nonsense".to_owned(), 400, "withdrawal.malformed"),
        ("a".repeat(MAX_WITHDRAWAL_BYTES + 1), 413, "http.body.too_large"),
        (signed(&bench, &receipt, |said| said.aud = elsewhere), 403, "withdrawal.audience"),
        (signed(&bench, "another receipt", |_| {}), 404, "withdrawal.receipt_unknown"),
        (said.sign(&stranger).unwrap(), 403, "withdrawal.key"),
        (forged, 403, "withdrawal.signature"),
        (signed(&bench, &receipt, |said| said.iat = NOW.plus(301)), 403, "withdrawal.time"),
        (signed(&bench, &receipt, |said| said.iat = NOW.plus(-301)), 403, "withdrawal.time"),
    ] {
        let refused = send(&bench, &withdrawal).await;
        assert_eq!((refused.status, refused.code()), (status, code));
        assert_eq!(refused.body["error"], "invalid_request", "{code}");
    }
    let form = TestRequest::post().uri("/withdrawals").insert_header((CONTENT_TYPE, "application/json"));
    assert_eq!(bench.call(form.set_payload("{}")).await.code(), "http.content_type");
    assert_eq!(everything(&bench).await, before);
}

#[actix_web::test]
async fn an_acknowledgement_is_no_receipt_to_withdraw() {
    let bench = Bench::new().await;
    let Shared { receipt, .. } = shared(&bench, "strict").await;
    let answered = send(&bench, &signed(&bench, &receipt, |_| {})).await;
    let acknowledgement = answered.body["acknowledgement"].as_str().unwrap();
    let refused = send(&bench, &signed(&bench, acknowledgement, |_| {})).await;
    assert_eq!((refused.status, refused.code()), (404, "withdrawal.receipt_unknown"));
}

#[actix_web::test]
async fn what_was_refused_lies_there_all_the_same_and_can_be_withdrawn() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let mut form = bench.honest(&request);
    // The holder's signature is for another request.
    let stale = bench.honest(&bench.ask("strict").await);
    form.insert("vp_token".to_owned(), stale["vp_token"].clone());
    let answered = bench.answer(&request, &form).await;
    assert_eq!((answered.status, answered.code()), (400, "kb_jwt.nonce"));
    let receipt = answered.body["xinfu_receipt"].as_str().unwrap();
    assert!(is_kept(&bench, &tail(&form)).await);
    let withdrawal = signed(&bench, receipt, |_| {});
    let said = acknowledged(&bench, &send(&bench, &withdrawal).await, &withdrawal, receipt);
    assert!(said.deleted.contains(&Kind::Presentation) && !said.deleted.contains(&Kind::Claims), "{said:?}");
    assert!(!is_kept(&bench, &tail(&form)).await);
}

#[actix_web::test]
async fn where_nothing_was_taken_there_is_nothing_to_withdraw() {
    let bench = Bench::new().await;
    let declined = bench.ask("strict").await;
    let form = BTreeMap::from([
        ("state".to_owned(), declined.state.clone()),
        ("error".to_owned(), "access_denied".to_owned()),
    ]);
    let answered = bench.answer(&declined, &form).await;
    let receipt = answered.body["xinfu_receipt"].as_str().unwrap();
    let refused = send(&bench, &signed(&bench, receipt, |_| {})).await;
    assert_eq!((refused.status, refused.code()), (409, "withdrawal.nothing_taken"));
}

#[actix_web::test]
async fn after_the_answer_was_erased_it_can_be_withdrawn_until_the_retention_ends() {
    let bench = Bench::forgetful().await;
    let Shared { receipt, .. } = shared(&bench, "strict").await;
    let other = shared(&bench, "strict").await;
    let day = 86_400;
    bench.clock.advance(29 * day);
    bench.verifier.store.forget_due(bench.verifier.clock.now()).await.unwrap();
    let late = |said: &mut Withdrawal| said.iat = NOW.plus(29 * day);
    let withdrawal = signed(&bench, &receipt, late);
    let answered = send(&bench, &withdrawal).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let said = UnverifiedAcknowledgement::parse(answered.body["acknowledgement"].as_str().unwrap()).unwrap();
    let said = said.dangerous_claims().clone();
    assert_eq!(said.deleted, [Kind::HolderKeys], "the rest went in its time");
    assert_eq!(said.kept.len(), 1, "the receipt alone");

    bench.clock.advance(31 * day);
    bench.verifier.store.forget_due(bench.verifier.clock.now()).await.unwrap();
    let refused = send(&bench, &signed(&bench, &other.receipt, |said| said.iat = NOW.plus(60 * day))).await;
    assert_eq!((refused.status, refused.code()), (410, "withdrawal.over"));
}

#[actix_web::test]
async fn what_the_law_makes_stay_is_named_kept_from_everybody_and_goes_in_its_time() {
    let bench = Bench::forgetful().await;
    let Shared { request, receipt } = shared(&bench, "under-law").await;
    let withdrawal = signed(&bench, &receipt, |_| {});
    let said = acknowledged(&bench, &send(&bench, &withdrawal).await, &withdrawal, &receipt);
    assert_eq!(said.deleted, [Kind::Claims, Kind::HolderKeys]);
    let law: Vec<_> = said.kept.iter().filter(|kept| kept.basis.contains("Archives")).collect();
    let kinds: Vec<Kind> = law.iter().map(|kept| kept.what).collect();
    assert_eq!(kinds, [Kind::Presentation, Kind::KeyBindings, Kind::AnchorProofs]);
    let until = NOW.plus(10 * 86_400);
    assert!(law.iter().all(|kept| kept.until == Some(until)));

    assert_eq!(bench.result(&request.id).await["state"], "withdrawn");
    let uri = format!("/admin/requests/{}/evidence", request.id);
    assert_eq!(bench.admin(TestRequest::get().uri(&uri)).await.code(), "vp.case.erased");
    let key = format!("case/{}", request.id);
    let is_there = async || bench.ports.store.get(key.as_bytes()).await.unwrap().is_some();
    bench.verifier.store.forget_due(until.plus(-1)).await.unwrap();
    assert!(is_there().await, "the law says so");
    bench.verifier.store.forget_due(until).await.unwrap();
    assert!(!is_there().await);
}

#[actix_web::test]
async fn an_answer_that_was_written_to_a_file_whole_was_passed_on() {
    let bench = super::bundles::bench().await;
    let Shared { request, receipt } = shared(&bench, "strict").await;
    bench.verifier.bundle(&request.id, None).await.unwrap();
    let act = Act::new(&Official::at_the_machine(), "evidence --full");
    bench.verifier.bundle(&request.id, Some(act.clone())).await.unwrap();
    let withdrawal = signed(&bench, &receipt, |_| {});
    assert!(acknowledged(&bench, &send(&bench, &withdrawal).await, &withdrawal, &receipt).passed_on);
    let again = bench.verifier.bundle(&request.id, Some(act)).await.expect_err("it was withdrawn");
    assert_eq!(again.code(), Code::VpCaseErased);
}

#[actix_web::test]
async fn the_departments_own_systems_are_told_and_it_is_said_that_they_had_it() {
    let bench = Bench::new().await;
    let Shared { request, receipt } = shared(&bench, "strict").await;
    assert_eq!(bench.result(&request.id).await["state"], "verified");
    let listed = async |after: u64| {
        let uri = format!("/admin/withdrawals?after={after}");
        bench.admin(TestRequest::get().uri(&uri)).await.body["withdrawals"].clone()
    };
    assert_eq!(listed(0).await, json!([]));
    let withdrawal = signed(&bench, &receipt, |_| {});
    let answered = send(&bench, &withdrawal).await;
    assert!(acknowledged(&bench, &answered, &withdrawal, &receipt).passed_on);
    let told = json!({ "seq": 2, "request": request.id, "receipt": 1,
        "acknowledgement": answered.body["acknowledgement"] });
    assert_eq!((listed(0).await, listed(2).await), (json!([told]), json!([])));
}
