//! Ledger or issuer not there, or lying: what is undetermined is said to be, and policy decides.

use std::sync::Arc;
use std::time::Duration;

use identity_core::registry::{Compromise, KeyUse, Operation, Role, Update, did_key};
use identity_core::sample::parties::{entry, key};
use identity_core::sample::world::{INDEX, LIST, NOW, PURPOSE, accredit, anchor};
use identity_core::status::{Bits, Status, StatusList, Validity, sign};
use identity_core::time::UnixSeconds;
use serde_json::json;
use service_kit::fetch::{Fetch, Fetching, Request};

use super::world::{Bench, dcql, state_url};
use crate::job;

#[actix_web::test]
async fn evidence_at_hand_needs_nobody() {
    let mut bench = Bench::new().await;
    let first = bench.ask("strict").await;
    assert_eq!(bench.answer(&first, &bench.honest(&first)).await.status, 200);
    bench.cut_off();
    let asked = bench.fetch.asked().len();
    let second = bench.ask("strict").await;
    assert_eq!(bench.answer(&second, &bench.honest(&second)).await.status, 200);
    assert_eq!(bench.fetch.asked().len(), asked, "nobody was asked");

    bench.restart().await;
    let third = bench.ask("strict").await;
    assert_eq!(bench.answer(&third, &bench.honest(&third)).await.status, 200, "kept across a restart");
}

#[actix_web::test]
async fn without_the_ledger_nothing_is_believed() {
    let bench = Bench::without_evidence().await;
    for query in ["strict", "lenient"] {
        let request = bench.ask(query).await;
        let answered = bench.answer(&request, &bench.honest(&request)).await;
        assert_eq!((answered.status, answered.code()), (400, "verdict.evidence.missing"));
    }
}

#[actix_web::test]
async fn without_the_issuer_policy_decides_about_the_status() {
    let bench = Bench::new().await;
    bench.fetch.forget(LIST);
    let strict = bench.ask("strict").await;
    let answered = bench.answer(&strict, &bench.honest(&strict)).await;
    assert_eq!((answered.status, answered.code()), (400, "credential.status.undetermined"));

    let lenient = bench.ask("lenient").await;
    assert_eq!(bench.answer(&lenient, &bench.honest(&lenient)).await.status, 200);
    let result = bench.result(&lenient.id).await;
    assert_eq!((&result["state"], &result["undetermined"]), (&json!("verified"), &json!(["verdict.status.no_list"])));
}

#[actix_web::test]
async fn a_revocation_is_seen_at_the_next_refresh() {
    let bench = Bench::new().await;
    let before = bench.ask("strict").await;
    assert_eq!(bench.answer(&before, &bench.honest(&before)).await.status, 200);
    bench.serve_evidence(Status::Invalid);
    bench.verifier.evidence.refresh(bench.verifier.clock.now()).await;
    for query in ["strict", "lenient"] {
        let after = bench.ask(query).await;
        assert_eq!(bench.answer(&after, &bench.honest(&after)).await.code(), "credential.status.revoked");
    }
}

/// Takes every request, and answers none.
struct Silent;

impl Fetch for Silent {
    fn send(&self, _: Request) -> Fetching<'_> {
        Box::pin(std::future::pending())
    }
}

#[actix_web::test]
async fn what_is_due_is_erased_though_nobody_else_answers() {
    let mut bench = Bench::forgetful().await;
    let request = bench.ask("strict").await;
    assert_eq!(bench.answer(&request, &bench.honest(&request)).await.status, 200);
    bench.ports.fetch = Arc::new(Silent);
    bench.restart().await;
    bench.clock.advance(3601);
    let jobs =
        [tokio::spawn(job::refresh(bench.verifier.clone(), 1)), tokio::spawn(job::erase(bench.verifier.clone()))];
    let erased = async {
        while bench.verifier.store.case(&request.id).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), erased).await.expect("erasing waits for nobody");
    jobs.iter().for_each(tokio::task::JoinHandle::abort);
}

#[actix_web::test]
async fn a_list_whose_key_turns_out_to_be_stolen_is_fetched_anew_at_once() {
    let mut bench = Bench::new().await;
    let before = bench.ask("strict").await;
    assert_eq!(bench.answer(&before, &bench.honest(&before)).await.status, 200);

    // The credential is anchored once more, so that what is at hand knows too little. Then the key is stolen.
    let world = &mut bench.world;
    world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
    let next = Update { add_keys: vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)], ..Update::default() };
    world.ledger.act(&world.issuer, &Operation::Update(next));
    world.ledger.act(&world.issuer, &Operation::Compromise(Compromise { key: "assert-1".to_owned() }));
    world.ledger.seal(NOW.0 - 200);
    let mut list = StatusList::new(Bits::Two, 1 << 17).unwrap();
    list.set(INDEX, Status::Invalid).unwrap();
    let validity = Validity { issued_at: NOW, expires: NOW.plus(600), ttl: 600 };
    let under_the_next = sign(&list, LIST, validity, &world.issuer.key_name("assert-2"), &key(2, 11)).unwrap();
    bench.serve_evidence(Status::Valid);
    bench.fetch.answer(LIST, 200, "application/statuslist+jwt", under_the_next);

    let after = bench.ask("strict").await;
    assert_eq!(bench.answer(&after, &bench.honest(&after)).await.code(), "credential.status.revoked");
}

#[actix_web::test]
async fn a_list_from_before_a_revocation_does_not_take_it_back() {
    let mut bench = Bench::new().await;
    bench.serve_list(&list(&bench, Status::Invalid, NOW.plus(-10)));
    let before = bench.ask("strict").await;
    assert_eq!(bench.answer(&before, &bench.honest(&before)).await.code(), "credential.status.revoked");
    // What serves the lists gives an old copy out, or nothing of the kind.
    for old in [list(&bench, Status::Valid, NOW.plus(-11)), "nonsense".to_owned()] {
        bench.serve_list(&old);
        bench.verifier.evidence.refresh(bench.verifier.clock.now()).await;
        for query in ["strict", "lenient"] {
            let after = bench.ask(query).await;
            assert_eq!(bench.answer(&after, &bench.honest(&after)).await.code(), "credential.status.revoked");
        }
    }
    bench.cut_off();
    bench.restart().await;
    let after = bench.ask("strict").await;
    let answered = bench.answer(&after, &bench.honest(&after)).await;
    assert_eq!(answered.code(), "credential.status.revoked", "nor in the store");
}

/// The issuer's list as it was signed then.
fn list(bench: &Bench, status: Status, issued_at: UnixSeconds) -> String {
    let issuer = &bench.world.issuer;
    let mut list = StatusList::new(Bits::Two, 1 << 17).unwrap();
    list.set(INDEX, status).unwrap();
    let validity = Validity { issued_at, expires: NOW.plus(3600), ttl: 600 };
    sign(&list, LIST, validity, &issuer.key_name("assert-1"), &issuer.asserter()).unwrap()
}

#[actix_web::test]
async fn an_accreditation_given_a_moment_ago_counts() {
    let mut bench = Bench::new().await;
    let wide = json!({ "query": dcql(&["name", "address", "sex"]), "purpose": PURPOSE });
    let answer = async |bench: &Bench| {
        let request = bench.ask_for(wide.clone()).await;
        let shown = bench.presentation(&request, &["name", "address", "sex"]);
        let mut form = bench.honest(&request);
        form.insert("vp_token".to_owned(), json!({ "id": [shown] }).to_string());
        bench.answer(&request, &form).await
    };
    assert_eq!(answer(&bench).await.code(), "verdict.asker.claims");

    let mut grant = accredit(&bench.world.asker, Role::Verifier);
    grant.claims.push(vec!["sex".to_owned()]);
    bench.world.grant(grant, NOW.0 - 150);
    bench.serve_evidence(Status::Valid);
    // What is at hand is fresh by policy and says no; the ledger says yes by now.
    assert_eq!(answer(&bench).await.status, 200);
}

#[actix_web::test]
async fn a_lying_node_deceives_nobody() {
    let bench = Bench::new().await;
    let key = did_key(&bench.world.issuer.did());
    let proof = bench.world.ledger.state_proof(&key, 1_800_005_000);
    let mut other = serde_json::to_value(&proof).unwrap();
    other["seal"] = json!(proof.seal.replace("height", "heighT"));
    for lie in [b"{}".to_vec(), other.to_string().into_bytes(), vec![0; 3_000_000]] {
        bench.fetch.answer(&state_url(&key), 200, "application/json", lie);
        let request = bench.ask("strict").await;
        let answered = bench.answer(&request, &bench.honest(&request)).await;
        assert_eq!((answered.status, answered.code()), (400, "verdict.evidence.missing"));
    }
}

#[actix_web::test]
async fn a_presentation_chooses_no_address() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    bench.answer(&request, &bench.honest(&request)).await;
    for asked in bench.fetch.asked() {
        let known = asked.url.starts_with("https://ledger.example/") || asked.url == LIST;
        assert!(known, "{}", asked.url);
    }
    // A list outside the issuer's registered address is not fetched, though an accredited issuer names it.
    let issuer = bench.world.issuer.did();
    let now = bench.verifier.clock.now();
    for uri in ["https://elsewhere.example/status/1", "https://d2.example.evil/1", "https://d2.example/../status"] {
        let needs = identity_core::verdict::Needs {
            states: Default::default(),
            status_lists: [(uri.to_owned(), issuer.clone())].into(),
        };
        let asked = bench.fetch.asked().len();
        bench.verifier.evidence.gather(&needs, now).await;
        assert_eq!(bench.fetch.asked().len(), asked, "{uri}");
    }
    // Nor one that somebody names who is not accredited to issue.
    let needs = identity_core::verdict::Needs {
        states: Default::default(),
        status_lists: [("https://d3.example/status/1".to_owned(), bench.world.asker.did())].into(),
    };
    let asked = bench.fetch.asked().len();
    bench.verifier.evidence.gather(&needs, now).await;
    assert_eq!(bench.fetch.asked().len(), asked);
}
