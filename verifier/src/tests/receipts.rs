//! For each answer that was processed one receipt, and each follows the one before.

use std::collections::BTreeMap;

use identity_core::receipt::{ChainHead, Entry, Receipt, Sharing, UnverifiedReceipt};
use identity_core::registry::DutyHolder;
use identity_core::sample::world::PURPOSE;
use ledger::sha256;
use serde_json::{Value, json};

use super::world::{Answered, Bench, DESK, Request};

fn text(answered: &Answered) -> &str {
    answered.body["xinfu_receipt"].as_str().expect("a receipt in the answer")
}

/// What a receipt says, verified as a wallet does.
fn verified(bench: &Bench, text: &str) -> Receipt {
    let evidence = bench.world.prepared();
    let now = bench.verifier.clock.now();
    let document = evidence.document(&bench.world.asker.did(), bench.world.policy.evidence, now).unwrap();
    UnverifiedReceipt::parse(text).unwrap().verify(&document).unwrap().receipt().clone()
}

fn shown(form: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    serde_json::from_str(&form["vp_token"]).unwrap()
}

#[actix_web::test]
async fn accepted_or_refused_each_answer_has_its_receipt() {
    let bench = Bench::new().await;
    let good = bench.ask("strict").await;
    let form = bench.honest(&good);
    let first = bench.answer(&good, &form).await;
    assert_eq!(first.status, 200);
    let receipt = verified(&bench, text(&first));
    assert_eq!((receipt.seq, receipt.previous, receipt.verdict.as_str()), (1, None, "accepted"));
    assert_eq!((receipt.act.duty.as_str(), receipt.purpose.as_str()), (DESK, PURPOSE));
    assert_eq!(receipt.presentations["id"][0].digest, sha256(shown(&form)["id"][0].as_bytes()));
    let said = serde_json::to_string(&receipt).unwrap();
    assert!(!said.contains("样本甲") && !said.contains("样本市"), "names, never values: {said}");

    // The holder's view of the very same.
    let (_, session) = bench.verifier.load(&good.id).await.unwrap().unwrap();
    let (service, presentations) = (bench.world.asker.did(), shown(&form));
    let now = bench.verifier.clock.now();
    let sharing = Sharing {
        service: &service,
        attestation: session.parameters.duty.as_deref().unwrap(),
        presentations: &presentations,
        holder: DutyHolder::Service,
        accepted: true,
        sent: now,
    };
    let document = bench.world.prepared().document(&service, bench.world.policy.evidence, now).unwrap();
    let checked = UnverifiedReceipt::parse(text(&first)).unwrap().verify(&document).unwrap();
    assert_eq!(checked.check(&sharing, now), Ok(()));

    let bad = bench.ask("strict").await;
    let mut form = bench.honest(&bad);
    form.insert("vp_token".to_owned(), json!({ "id": [bench.presentation(&good, &["name", "address"])] }).to_string());
    let second = bench.answer(&bad, &form).await;
    assert_eq!((second.status, second.code()), (400, "kb_jwt.nonce"));
    let receipt = verified(&bench, text(&second));
    assert_eq!((receipt.seq, receipt.verdict.as_str()), (2, "kb_jwt.nonce"));
    assert_eq!(receipt.previous, Some(sha256(text(&first).as_bytes())));
    assert!(Entry::Receipt(receipt).follows(ChainHead::after(1, text(&first))));

    let declined = bench.ask("strict").await;
    let form = BTreeMap::from([
        ("state".to_owned(), declined.state.clone()),
        ("error".to_owned(), "access_denied".to_owned()),
    ]);
    let third = bench.answer(&declined, &form).await;
    let receipt = verified(&bench, text(&third));
    assert_eq!((receipt.seq, receipt.presentations.len()), (3, 0));
    assert!(!receipt.is_accepted());
}

#[actix_web::test]
async fn what_was_not_processed_has_none() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let mut stranger = bench.honest(&request);
    stranger.insert("state".to_owned(), "another-state-another".to_owned());
    let refused = bench.answer(&request, &stranger).await;
    assert_eq!(refused.body["xinfu_receipt"], Value::Null);
    bench.answer(&request, &bench.honest(&request)).await;
    let replayed = bench.answer(&request, &bench.honest(&request)).await;
    assert_eq!((replayed.code(), &replayed.body["xinfu_receipt"]), ("vp.response.replayed", &Value::Null));
    assert_eq!(bench.verifier.store.receipt_head().await.unwrap().seq, 1);
}

#[actix_web::test]
async fn answers_at_the_same_time_make_one_chain() {
    let bench = Bench::new().await;
    let mut requests: Vec<Request> = Vec::new();
    for _ in 0..8 {
        requests.push(bench.ask("strict").await);
    }
    let answers = requests.iter().map(async |request| bench.answer(request, &bench.honest(request)).await);
    let answers = futures_util::future::join_all(answers).await;
    let mut receipts: Vec<(Receipt, &str)> =
        answers.iter().map(|answered| (verified(&bench, text(answered)), text(answered))).collect();
    receipts.sort_by_key(|(receipt, _)| receipt.seq);
    let mut head = ChainHead::default();
    for (receipt, text) in receipts {
        let seq = receipt.seq;
        assert!(Entry::Receipt(receipt).follows(head), "{seq}");
        head = ChainHead::after(seq, text);
    }
    assert_eq!(head, bench.verifier.store.receipt_head().await.unwrap());
}

#[actix_web::test]
async fn two_processes_on_one_store_make_one_chain() {
    let mut bench = Bench::new().await;
    let (one, other) = (bench.ask("strict").await, bench.ask("strict").await);
    let form = bench.honest(&other);
    let first = bench.verifier.clone();
    bench.restart().await;
    // Both services answer at once; each has its own turn.
    let body = |form: &BTreeMap<String, String>| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
    };
    let (by_one, by_other) = (body(&bench.honest(&one)), body(&form));
    let answers = futures_util::future::join(
        first.receive(&one.id, by_one.as_bytes()),
        bench.verifier.receive(&other.id, by_other.as_bytes()),
    )
    .await;
    let texts = [answers.0.unwrap().receipt, answers.1.unwrap().receipt];
    let mut places: Vec<u64> = texts.iter().map(|text| verified(&bench, text).seq).collect();
    places.sort_unstable();
    assert_eq!(places, [1, 2]);
}
