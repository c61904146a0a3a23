use identity_core::receipt::ChainHead;
use service_kit::store::faulty::{Fault, FaultyStore};
use service_kit::store::memory::MemoryStore;

use super::*;
use crate::policy::{AnchorPolicy, Grounds};

fn record() -> RequestRecord {
    RequestRecord {
        session: Value::from("session"),
        signed: Some("a.b.c".to_owned()),
        policy: Policy {
            purpose: None,
            anchor: AnchorPolicy::Required,
            accept_undetermined_status: false,
            grounds: Grounds {
                basis: "Sample Act".to_owned(),
                retention_days: 1,
                holder_signs: true,
                required_by_law: None,
            },
        },
        created: UnixSeconds(1_000_000),
        browser: None,
        duty: "counter-1".to_owned(),
        official: false,
        case: None,
    }
}

fn outcome() -> OutcomeRecord {
    OutcomeRecord {
        refused: None,
        undetermined: Vec::new(),
        judged: UnixSeconds(1_000_100),
        evidence_as_of: None,
        handover: None,
        receipt: None,
    }
}

fn signed() -> receipts::Signed {
    receipts::Signed { before: ChainHead::default(), seq: 1, text: "a.receipt.1".to_owned() }
}

fn case() -> (CaseRecord, Vec<Piece>) {
    let case = CaseRecord {
        vp_token: Value::from("token"),
        anchors: None,
        claims: Some(Value::from("claims")),
        evidence: Vec::new(),
        hour: 0,
        by_law: None,
        withdrawn: false,
    };
    (
        case,
        vec![("a".to_owned(), b"one".to_vec()), ("b".to_owned(), b"one".to_vec()), ("c".to_owned(), b"two".to_vec())],
    )
}

fn fresh() -> (Arc<MemoryStore>, VerifierStore) {
    let memory = Arc::new(MemoryStore::new().with_immutable(&["nonce/", "outcome/", "blob/", "redeemed/"]));
    (memory.clone(), VerifierStore::new(memory, clock(), 1_000, 100))
}

#[tokio::test]
async fn of_concurrent_answers_exactly_one_is_kept() {
    let (_, store) = fresh();
    let answers = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), None).await.is_ok()
        })
    });
    let mut kept = 0;
    for answer in answers.collect::<Vec<_>>() {
        kept += usize::from(answer.await.unwrap());
    }
    assert_eq!(kept, 1);
    assert!(store.is_taken("nonce").await.unwrap());
}

#[tokio::test]
async fn a_case_comes_back_with_its_evidence() {
    let (_, store) = fresh();
    store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), None).await.unwrap();
    let found = store.case("id").await.unwrap().unwrap();
    assert_eq!(store.pieces(&found).await.unwrap(), case().1);
    store.forget_case(&act(), "id").await.unwrap();
    assert_eq!(store.case("id").await.unwrap(), None);
}

#[tokio::test]
async fn everything_is_forgotten_in_its_time_and_not_before() {
    let memory = Arc::new(MemoryStore::new());
    let store = VerifierStore::new(memory.clone(), clock(), 1_000, 100);
    store.open(&act(), "id", &record(), None).await.unwrap();
    store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), None).await.unwrap();

    store.forget_due(UnixSeconds(1_000_199)).await.unwrap();
    assert!(store.case("id").await.unwrap().is_some());
    store.forget_due(UnixSeconds(1_000_200)).await.unwrap();
    assert!(store.case("id").await.unwrap().is_none());
    assert!(store.outcome("id").await.unwrap().is_some());
    store.forget_due(UnixSeconds(1_000_000 + 7_200)).await.unwrap();
    let left = memory.scan(Range::all(), usize::MAX).await.unwrap();
    let left: Vec<_> =
        left.into_iter().filter(|(key, _)| !key.starts_with(b"audit") && !key.starts_with(b"receipt")).collect();
    assert_eq!(left, Vec::new(), "what officials and the service did stays");
}

#[tokio::test]
async fn a_broken_write_leaves_all_or_nothing() {
    for fault in Fault::ALL {
        let (memory, _) = fresh();
        let faulty = Arc::new(FaultyStore::new(memory));
        let store = VerifierStore::new(faulty.clone(), clock(), 1_000, 100);
        faulty.break_next(fault);
        assert!(
            store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), None).await.is_err(),
            "{fault:?}"
        );
        let saved = fault == Fault::FailedYetSaved;
        assert_eq!(store.is_taken("nonce").await.unwrap(), saved, "{fault:?}");
        assert_eq!(store.outcome("id").await.unwrap().is_some(), saved, "{fault:?}");
        assert_eq!(store.case("id").await.unwrap().is_some(), saved, "{fault:?}");
        match store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), None).await {
            Ok(()) => assert!(!saved, "{fault:?}"),
            Err(CloseError::Taken) => assert!(saved, "{fault:?}"),
            Err(error @ (CloseError::Overtaken | CloseError::Signing)) => panic!("{fault:?}: {error}"),
            Err(CloseError::Store(error)) => panic!("{fault:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn of_concurrent_redemptions_exactly_one_takes_the_code() {
    let (_, store) = fresh();
    let now = UnixSeconds(1_000_100);
    let takers = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.take_response_code_once(&act(), "id", None, now).await.is_ok() })
    });
    let mut taken = 0;
    for taker in takers.collect::<Vec<_>>() {
        taken += usize::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
    assert!(store.is_redeemed("id").await.unwrap());
}

#[tokio::test]
async fn a_broken_redemption_takes_the_code_or_leaves_it() {
    let now = UnixSeconds(1_000_100);
    for fault in Fault::ALL {
        let (memory, _) = fresh();
        let faulty = Arc::new(FaultyStore::new(memory));
        let store = VerifierStore::new(faulty.clone(), clock(), 1_000, 100);
        faulty.break_next(fault);
        assert!(store.take_response_code_once(&act(), "id", None, now).await.is_err(), "{fault:?}");
        let saved = fault == Fault::FailedYetSaved;
        assert_eq!(store.is_redeemed("id").await.unwrap(), saved, "{fault:?}");
        assert_eq!(store.take_response_code_once(&act(), "id", None, now).await.is_ok(), !saved, "{fault:?}");
    }
}

/// A request's whole life, each act repeated until it is done, as callers repeat themselves. Answers what is left.
async fn live(faulty: &Arc<FaultyStore>, memory: &Arc<MemoryStore>) -> Vec<Vec<service_kit::store::Entry>> {
    let store = VerifierStore::new(faulty.clone(), clock(), 1_000, 100);
    let mut seen = Vec::new();
    for step in 0..6 {
        for _again in 0..2 {
            let later = UnixSeconds(1_000_000 + 7_200);
            // Done already by a write that was said to have failed: for a caller that repeats itself, that is success.
            let _said = match step {
                0 => store.open(&act(), "id", &record(), None).await.is_ok(),
                1 => store.put_evidence(vec![("a".to_owned(), b"one".to_vec())]).await.is_ok(),
                2 => store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), None).await.is_ok(),
                3 => store.take_response_code_once(&act(), "id", None, UnixSeconds(1_000_100)).await.is_ok(),
                4 => store.forget_case(&act(), "id").await.is_ok(),
                _ => store.forget_due(later).await.is_ok(),
            };
        }
        // An act that was repeated has a line for each time that it was done.
        let left = memory.scan(Range::all(), usize::MAX).await.unwrap();
        seen.push(left.into_iter().filter(|(key, _)| !key.starts_with(b"audit")).collect());
    }
    seen
}

#[tokio::test]
async fn every_commit_broken_every_way_leaves_what_an_untroubled_life_leaves() {
    let faulty_over = |memory: &Arc<MemoryStore>| Arc::new(FaultyStore::new(memory.clone()));
    let memory = Arc::new(MemoryStore::new());
    let untroubled = faulty_over(&memory);
    let expected = live(&untroubled, &memory).await;
    let commits = untroubled.commits();
    assert!(commits >= 6, "{commits}");
    for (commit, fault) in (0..commits).flat_map(|commit| Fault::ALL.map(|fault| (commit, fault))) {
        let memory = Arc::new(MemoryStore::new());
        let faulty = faulty_over(&memory);
        faulty.break_after(commit, fault);
        assert_eq!(live(&faulty, &memory).await, expected, "commit {commit}, {fault:?}");
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(service_kit::clock::ManualClock::at(UnixSeconds(0)))
}

fn act() -> Act {
    Act::new(&service_kit::admin::Official::at_the_machine(), "test")
}

fn sharing() -> sharings::SharingRecord {
    let holders = vec![ledger::sha256(b"a holder")];
    sharings::SharingRecord { request: "id".to_owned(), holders, until: UnixSeconds(1_086_500) }
}

#[tokio::test]
async fn a_broken_withdrawal_deletes_and_acknowledges_or_does_neither() {
    let now = UnixSeconds(1_000_150);
    for fault in Fault::ALL {
        let (memory, _) = fresh();
        let faulty = Arc::new(FaultyStore::new(memory));
        let store = VerifierStore::new(faulty.clone(), clock(), 1_000, 100);
        store.take_nonce_once(("id", "nonce"), &outcome(), Some(case()), &signed(), Some(&sharing())).await.unwrap();
        let withdrawable = store.withdrawable(1).await.unwrap().unwrap();
        let before = store.receipt_head().await.unwrap();
        let acknowledgement = receipts::Signed { before, seq: 2, text: "an.acknowledgement.2".to_owned() };
        let withdrawn = sharings::Withdrawn {
            receipt: 1,
            withdrawal: ledger::sha256(b"a withdrawal"),
            acknowledgement: 2,
            request: "id".to_owned(),
        };
        let withdraw = async || store.withdraw_once(&withdrawable, &withdrawn, &acknowledgement, now).await;
        faulty.break_next(fault);
        assert!(withdraw().await.is_err(), "{fault:?}");
        let saved = fault == Fault::FailedYetSaved;
        assert_eq!(store.case("id").await.unwrap().is_none(), saved, "{fault:?}");
        assert_eq!(store.withdrawable(1).await.unwrap().is_none(), saved, "{fault:?}");
        assert_eq!(store.withdrawn(1).await.unwrap().is_some(), saved, "{fault:?}");
        assert_eq!(store.receipt_head().await.unwrap().seq, if saved { 2 } else { 1 }, "{fault:?}");
        assert_eq!(withdraw().await.is_ok(), !saved, "{fault:?}");
        assert_eq!(store.withdrawals_after(0, 9).await.unwrap(), [withdrawn], "{fault:?}");
        assert_eq!(store.audit.verify().await.unwrap().lines, 1, "{fault:?}");
    }
}
