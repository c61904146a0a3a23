//! Each day is told to the ledger once, when it is over, as its receipts have it; and the audit knows whether it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use identity_core::did::DidUrl;
use identity_core::problem::{Code, Lang};
use identity_core::receipt::{ACCEPTED, Act, ChainHead, Receipt};
use identity_core::registry::{
    Accredit, Count, DutyHolder, Operation, Role, TalliedDay, Tallies, Tally, tallied_month_key, tallies_key,
};
use identity_core::sample::world::{NOW, PURPOSE, accredit};
use identity_core::time::{UnixSeconds, UtcDay};
use identity_core::trust;
use ledger::sha256;
use service_kit::clock::Clock as _;
use service_kit::http::Metrics;
use service_kit::ledger_client::LedgerClient;
use service_kit::messages::Catalogue;
use service_kit::store::faulty::{Fault, FaultyStore};
use service_kit::store::{Batch, Store as _};

use super::node::{Mood, SampleNode, beside_a_ledger};
use super::world::{Bench, settled};
use crate::flow::receipt_audit::{ask, read};
use crate::flow::tally_audit::{TalliesRead, TallyFault};
use crate::job::anchor::RoundFailure;
use crate::job::tally::{SETTLING, days_waiting, round};
use crate::store::tallies::TallyRecord;

/// A service whose ledger takes transactions, and whose receipts are as the test writes them.
struct Scene {
    bench: Bench,
    node: Arc<SampleNode>,
    store: Arc<FaultyStore>,
}

fn first_day() -> UtcDay {
    UtcDay::of(NOW).unwrap()
}

fn day(later: i64) -> UtcDay {
    first_day().plus(later).unwrap()
}

impl Scene {
    async fn new() -> Self {
        let (bench, node, store) = beside_a_ledger().await;
        Self { bench, node, store }
    }

    /// Service and ledger agree on the time.
    fn set_time(&self, now: UnixSeconds) {
        self.bench.clock.set(now);
        self.node.seal(now.0);
    }

    /// Late enough that this day is counted.
    fn set_behind(&self, day: UtcDay) {
        self.set_time(day.ends().plus(SETTLING));
    }

    /// Writes receipts of a moment into the chain.
    async fn add(&self, count: usize, at: UnixSeconds, purpose: &str, verdict: &str) {
        let asker = &self.bench.world.asker;
        let name = DidUrl::parse(&asker.key_name("auth-1")).unwrap();
        for _ in 0..count {
            let head = self.bench.verifier.store.receipt_head().await.unwrap();
            let receipt = Receipt {
                iss: asker.did(),
                act: Act { duty: "desk".to_owned(), key: sha256(b"key"), holder: DutyHolder::Service },
                iat: at,
                request: sha256(b"request"),
                presentations: BTreeMap::new(),
                purpose: purpose.to_owned(),
                basis: "Sample Act".to_owned(),
                retention_days: 1,
                case: None,
                holder_signs: true,
                verdict: verdict.to_owned(),
                seq: head.seq + 1,
                previous: head.digest,
            };
            let text = receipt.sign(&name, &asker.authenticator()).unwrap();
            let head = serde_json::to_vec(&ChainHead::after(receipt.seq, &text)).unwrap();
            let batch = Batch::new().put(format!("receipt/{:020}", receipt.seq), text).put("receipt-head", head);
            self.store.commit(batch).await.unwrap();
        }
    }

    async fn accepted(&self, count: usize, at: UnixSeconds) {
        self.add(count, at, PURPOSE, ACCEPTED).await;
    }

    async fn round(&self) -> Result<bool, RoundFailure> {
        round(&self.bench.verifier, self.bench.verifier.receipts.submitter.as_ref().unwrap()).await
    }

    async fn settle(&self) -> usize {
        settled(async || self.round().await).await
    }

    /// What the ledger has of a day, by the purpose that the service may ask for.
    async fn told(&self, day: UtcDay) -> Option<Count> {
        Some(self.told_whole(day).await?.counts[PURPOSE])
    }

    async fn told_whole(&self, day: UtcDay) -> Option<TalliedDay> {
        let service = self.bench.world.asker.did();
        let (state, _) = self.ledger().state(&tallied_month_key(&service, day)).await.unwrap();
        trust::tallied_month(&state, &service, day).unwrap().days.remove(&day)
    }

    async fn reach(&self) -> Option<Tallies> {
        let service = self.bench.world.asker.did();
        let (state, _) = self.ledger().state(&tallies_key(&service)).await.unwrap();
        trust::tallies(&state, &service).unwrap()
    }

    fn ledger(&self) -> &LedgerClient {
        self.bench.verifier.evidence.ledger()
    }

    /// Sends a day's tally as a service would that counts otherwise.
    fn tells(&self, day: UtcDay, count: u64) {
        let tally = Tally { day, counts: BTreeMap::from([(PURPOSE.to_owned(), Count::of(count))]) };
        self.node.act(&self.bench.world.asker, &Operation::Tally(tally));
    }

    async fn audited(&self) -> Result<TalliesRead, TallyFault> {
        let service = self.bench.world.asker.did();
        let view = ask(self.ledger(), &service).await;
        let now = self.bench.clock.now();
        read(&self.bench.verifier.store, &service, view, now).await.unwrap().unwrap().tallies.unwrap()
    }

    /// How many days wait, as the metrics show it.
    fn waiting(&self) -> u64 {
        let metrics = Metrics::new().unwrap();
        self.bench.verifier.receipts.counters.show(&metrics).unwrap();
        let shown = prometheus::TextEncoder::new().encode_to_string(&metrics.registry().gather()).unwrap();
        let line = shown.lines().find_map(|line| line.strip_prefix("verifier_tallies_waiting "));
        line.unwrap().parse().unwrap()
    }
}

#[actix_web::test]
async fn a_day_is_told_once_when_it_is_over_and_quiet_ones_too() {
    let scene = Scene::new().await;
    scene.accepted(11, NOW).await;
    scene.add(3, NOW, PURPOSE, Code::KbJwtNonce.as_str()).await;
    assert!(!scene.round().await.unwrap(), "today is not over");
    scene.set_time(first_day().ends().plus(SETTLING - 1));
    assert!(!scene.round().await.unwrap(), "answers under way may still be dated before midnight");
    scene.accepted(2, first_day().ends()).await;
    scene.set_behind(first_day());
    assert!(scene.round().await.unwrap());
    assert!(!scene.round().await.unwrap(), "once");
    assert_eq!(scene.told(first_day()).await, Some(Count::of(11)));
    scene.set_behind(day(3));
    assert_eq!(scene.settle().await, 0);
    assert_eq!(scene.told(day(1)).await, Some(Count::of(2)), "which reads as fewer than ten");
    assert_eq!((scene.told(day(2)).await, scene.told(day(3)).await), (Some(Count::FEWER), Some(Count::FEWER)));
    assert_eq!(scene.reach().await, Some(Tallies { first: first_day(), last: day(3) }));
    assert_eq!((scene.node.sent().len(), scene.node.taken(), scene.waiting()), (4, 4, 0));
    assert!(scene.node.sent().iter().all(|text| !text.contains("~")));
}

#[actix_web::test]
async fn midnight_parts_the_days_also_where_a_clock_was_set() {
    let scene = Scene::new().await;
    let midnight = first_day().ends();
    scene.accepted(10, midnight.plus(-1)).await;
    scene.accepted(10, midnight).await;
    // A clock that was ahead is set back over midnight and goes on.
    scene.accepted(1, midnight.plus(-200)).await;
    scene.accepted(1, midnight.plus(100)).await;
    scene.accepted(1, midnight.plus(-1)).await;
    scene.accepted(1, midnight.plus(SETTLING)).await;
    scene.accepted(12, day(1).ends().plus(-1)).await;
    scene.set_behind(day(1));
    assert_eq!(scene.settle().await, 0);
    assert_eq!(scene.told(first_day()).await, Some(Count::of(12)));
    assert_eq!(scene.told(day(1)).await, Some(Count::of(24)));
    assert_eq!(scene.audited().await, Ok(TalliesRead { days: 2, waiting: 0 }));
}

#[actix_web::test]
async fn more_receipts_than_are_read_at_once_are_counted_all() {
    let scene = Scene::new().await;
    scene.accepted(300, NOW).await;
    scene.accepted(290, day(1).begins()).await;
    scene.set_behind(day(1));
    assert_eq!(scene.settle().await, 0);
    assert_eq!(scene.told(first_day()).await, Some(Count::of(300)));
    assert_eq!(scene.told(day(1)).await, Some(Count::of(290)));
}

#[actix_web::test]
async fn every_write_may_break_at_every_step_and_a_restart_goes_on() {
    for fault in Fault::ALL {
        for step in 0..6 {
            let mut scene = Scene::new().await;
            scene.accepted(10, NOW).await;
            scene.set_behind(day(1));
            scene.store.break_after(step, fault);
            let broken = [scene.round().await.is_ok(), scene.round().await.is_ok()];
            // What was in memory is gone; the store and the ledger are as they are.
            scene.bench.restart().await;
            assert_eq!(scene.settle().await, 0, "{fault:?} {step} {broken:?}");
            assert_eq!(scene.told(first_day()).await, Some(Count::of(10)), "{fault:?} {step}");
            assert_eq!(scene.told(day(1)).await, Some(Count::FEWER), "{fault:?} {step}");
            assert_eq!(scene.node.taken(), 2, "{fault:?} {step}");
            assert_eq!(scene.audited().await, Ok(TalliesRead { days: 2, waiting: 0 }));
        }
    }
}

#[actix_web::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_bytes() {
    let mut scene = Scene::new().await;
    scene.accepted(10, NOW).await;
    scene.set_behind(first_day());
    scene.node.will(&[Mood::Down, Mood::AnswerLost]);
    assert!(scene.round().await.is_err());
    assert_eq!(scene.waiting(), 1);
    scene.bench.restart().await;
    assert_eq!(scene.settle().await, 1);
    assert_eq!(scene.told(first_day()).await, Some(Count::of(10)));
    let sent = scene.node.sent();
    assert_eq!((sent.len(), scene.node.taken()), (3, 1));
    assert!(sent.iter().all(|text| *text == sent[0]));
}

#[actix_web::test]
async fn what_our_node_does_not_place_was_told_all_the_same() {
    let scene = Scene::new().await;
    scene.accepted(10, NOW).await;
    scene.set_behind(first_day());
    scene.node.will(&[Mood::AnswerLost]);
    assert!(scene.round().await.is_err());
    // Meanwhile the node was made anew from a snapshot.
    scene.node.knows_places(false);
    assert_eq!(scene.settle().await, 0);
    assert_eq!((scene.told(first_day()).await, scene.node.taken()), (Some(Count::of(10)), 1));
}

#[actix_web::test]
async fn what_expired_or_lacks_a_new_purpose_is_made_anew_for_the_same_day() {
    let scene = Scene::new().await;
    scene.accepted(10, NOW).await;
    scene.set_behind(first_day());
    scene.node.will(&[Mood::Down]);
    assert!(scene.round().await.is_err());
    let world = &scene.bench.world;
    let wider = Accredit { purposes: vec!["age-check".to_owned()], ..accredit(&world.asker, Role::Verifier) };
    scene.node.act(&world.authority, &Operation::Accredit(wider));
    assert!(scene.round().await.unwrap());
    let whole = scene.told_whole(first_day()).await.unwrap().counts;
    assert_eq!(whole, BTreeMap::from([("age-check".into(), Count::FEWER), (PURPOSE.into(), Count::of(10))]));

    scene.set_behind(day(1));
    scene.node.will(&[Mood::Down]);
    assert!(scene.round().await.is_err());
    scene.set_time(day(1).ends().plus(SETTLING + 400));
    assert_eq!(scene.settle().await, 0);
    assert_eq!(scene.reach().await.map(|reach| reach.last), Some(day(1)));
}

#[actix_web::test]
async fn data_from_before_go_on_behind_what_the_ledger_has() {
    // The ledger has more than the data know: at their beginning, and under way.
    for begun in [false, true] {
        let scene = Scene::new().await;
        scene.accepted(12, NOW).await;
        scene.set_behind(day(2));
        if begun {
            let record = TallyRecord { day: first_day(), behind: 0, signed: None };
            scene.bench.verifier.store.begin_tallies(&record).await.unwrap();
        }
        scene.tells(first_day(), 12);
        scene.tells(day(1), 0);
        assert_eq!(scene.settle().await, 0);
        assert_eq!(scene.reach().await, Some(Tallies { first: first_day(), last: day(2) }));
        assert_eq!(scene.audited().await, Ok(TalliesRead { days: 3, waiting: 0 }));
    }
}

#[actix_web::test]
async fn two_processes_on_one_store_tell_a_day_once() {
    let mut scene = Scene::new().await;
    scene.accepted(10, NOW).await;
    scene.set_behind(day(1));
    let first = scene.bench.verifier.clone();
    scene.bench.restart().await;
    let other = scene.bench.verifier.clone();
    for _ in 0..6 {
        let rounds = [&first, &other].map(|one| round(one, one.receipts.submitter.as_ref().unwrap()));
        futures_util::future::join_all(rounds).await;
    }
    assert_eq!(scene.settle().await, 0);
    assert_eq!(scene.reach().await, Some(Tallies { first: first_day(), last: day(1) }));
    assert_eq!(scene.audited().await, Ok(TalliesRead { days: 2, waiting: 0 }));
}

#[actix_web::test]
async fn whoever_was_never_accredited_tells_nothing_and_owes_nothing() {
    let mut scene = Scene::new().await;
    // Another of the world's members stands in for one that may not ask.
    let submitter = crate::receipts::Submitter {
        did: scene.bench.world.issuer.did(),
        key_id: "invoke-1".to_owned(),
        key: scene.bench.world.issuer.invoker(),
    };
    scene.bench.restart().await;
    assert!(!round(&scene.bench.verifier, &submitter).await.unwrap());
    scene.set_behind(day(1));
    while round(&scene.bench.verifier, &submitter).await.unwrap() {}
    assert_eq!((scene.node.sent().len(), scene.waiting()), (0, 0));
}

#[actix_web::test]
async fn the_audit_names_day_and_purpose_that_differ() {
    let differs = |later: i64, purpose: &str| Err(TallyFault::Differs { day: day(later), purpose: purpose.to_owned() });
    // One off, in either direction; and small numbers, of which nobody can be one off.
    for (accepted, told, expected) in [
        (11, 11, Ok(TalliesRead { days: 1, waiting: 0 })),
        (11, 12, differs(0, PURPOSE)),
        (11, 10, differs(0, PURPOSE)),
        (10, 9, differs(0, PURPOSE)),
        (9, 10, differs(0, PURPOSE)),
        (9, 0, Ok(TalliesRead { days: 1, waiting: 0 })),
    ] {
        let scene = Scene::new().await;
        scene.accepted(accepted, NOW).await;
        scene.set_behind(first_day());
        scene.tells(first_day(), told);
        assert_eq!(scene.audited().await, expected, "{accepted} {told}");
    }
    // Counts of a day without receipts.
    let scene = Scene::new().await;
    scene.set_behind(first_day());
    scene.tells(first_day(), 10);
    assert_eq!(scene.audited().await, differs(0, PURPOSE));
    // Sharings that no count has room for.
    let scene = Scene::new().await;
    scene.add(1, NOW, "another-purpose", ACCEPTED).await;
    scene.set_behind(first_day());
    scene.tells(first_day(), 0);
    assert_eq!(scene.audited().await, differs(0, "another-purpose"));
}

#[actix_web::test]
async fn the_audit_names_a_day_that_was_left_out_and_tells_which_wait() {
    let scene = Scene::new().await;
    scene.accepted(1, NOW).await;
    scene.set_behind(day(3));
    assert_eq!(scene.audited().await, Ok(TalliesRead { days: 0, waiting: 4 }));
    scene.tells(first_day(), 1);
    scene.tells(day(2), 0);
    assert_eq!(scene.audited().await, Err(TallyFault::Missing { day: day(1) }), "though nothing was shared");

    let late = Scene::new().await;
    late.accepted(1, NOW).await;
    late.set_behind(day(3));
    late.tells(day(2), 0);
    assert_eq!(late.audited().await, Err(TallyFault::Missing { day: first_day() }), "something was shared before");
    assert_eq!(TallyFault::Missing { day: first_day() }.code(), Code::TallyMissing);

    let waits = Scene::new().await;
    waits.add(1, NOW, PURPOSE, Code::KbJwtNonce.as_str()).await;
    waits.set_behind(day(32));
    waits.tells(day(30), 0);
    let read = waits.audited().await.unwrap();
    assert_eq!(read, TalliesRead { days: 1, waiting: 2 }, "what was refused is owed to no count");
    let told = "Days counted on the ledger: 1, each as the receipts have it; days that wait to be counted: 2.";
    assert_eq!(read.told(&Catalogue::new(Lang::En)), told);
}

#[test]
fn a_day_waits_from_a_little_after_midnight_on() {
    let (first, midnight) = (first_day(), first_day().ends());
    assert_eq!(days_waiting(first, midnight.plus(SETTLING - 1)), 0);
    assert_eq!(days_waiting(first, midnight.plus(SETTLING)), 1);
    assert_eq!(days_waiting(first, midnight.plus(SETTLING + 86_400)), 2);
    assert_eq!(days_waiting(day(5), midnight), 0, "a clock that was set back owes nothing");
}
