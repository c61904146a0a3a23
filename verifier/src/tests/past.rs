//! A kept case judged as of a past moment: what the ledger says of then decides, and the status is that of a list of then.

use identity_core::problem::Code;
use identity_core::sample::ledger::START;
use identity_core::sample::world::NOW;
use identity_core::verdict::StatusDoubt;

use super::world::{Bench, LEDGER};

/// Lets the ledger show a second, and judges as of it.
async fn judged(bench: &Bench, id: &str, seconds: i64) -> (Option<Code>, Option<StatusDoubt>) {
    let time = u64::try_from(seconds * 1000).unwrap();
    let proof = serde_json::to_vec(&bench.world.ledger.time_proof(time, seconds + 3600)).unwrap();
    bench.fetch.answer(&at(time), 200, "application/json", proof);
    let judged = bench.verifier.judge_at(id, time).await.unwrap();
    assert_eq!(judged.moment.time(), time);
    (judged.refused, judged.undetermined)
}

fn at(time: u64) -> String {
    format!("{LEDGER}/proofs/time?at={time}")
}

async fn answered(bench: &Bench, query: &str) -> String {
    let request = bench.ask(query).await;
    let form = bench.honest(&request);
    assert_eq!(bench.answer(&request, &form).await.status, 200);
    request.id
}

#[actix_web::test]
async fn a_case_is_judged_as_of_a_past_moment() {
    let bench = Bench::new().await;
    let id = answered(&bench, "strict").await;
    assert_eq!(judged(&bench, &id, NOW.0).await, (None, None), "the list was fetched just then");
    let undetermined = Some(Code::CredentialStatusUndetermined);
    assert_eq!(judged(&bench, &id, NOW.0 - 200).await, (undetermined, None), "no list is of that time");
    assert_eq!(judged(&bench, &id, NOW.0 - 300).await.0, Some(Code::DutyUnknown), "the desk had no duty yet");
    assert_eq!(judged(&bench, &id, START + 3000).await.0, Some(Code::VerdictAnchorLater));
    let lenient = answered(&bench, "lenient").await;
    assert_eq!(judged(&bench, &lenient, NOW.0 - 200).await, (None, Some(StatusDoubt::OtherTime)));
}

#[actix_web::test]
async fn without_the_ledgers_word_nothing_is_judged() {
    let bench = Bench::new().await;
    let id = answered(&bench, "strict").await;
    let code = async |id: &str, time| bench.verifier.judge_at(id, time).await.expect_err("must not be judged").code();
    assert_eq!(code(&id, 7).await, Code::FetchUnreachable);
    bench.fetch.answer(&at(8), 404, "application/problem+json", r#"{"code":"ledger.time.before_genesis"}"#);
    assert_eq!(code(&id, 8).await, Code::LedgerTimeBeforeGenesis);
    // The seals around another time.
    let proof = serde_json::to_vec(&bench.world.ledger.time_proof(u64::try_from(NOW.0 * 1000).unwrap(), NOW.0 + 3600));
    bench.fetch.answer(&at(9), 200, "application/json", proof.unwrap());
    assert_eq!(code(&id, 9).await, Code::LedgerProofInvalid);
    assert_eq!(code("unknown", 9).await, Code::VpRequestUnknown);
}
