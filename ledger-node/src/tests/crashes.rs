//! Every commit broken in every way, and a crash after each: nothing acknowledged is lost, nothing happens twice.

use std::sync::Arc;

use identity_core::registry::Transaction;
use service_kit::store::faulty::{Fault, FaultyStore};
use service_kit::store::{Store, StoreError};
use tokio::runtime::Runtime;

use super::world::{Founded, Served, later, memory};
use crate::engine::Ordered;
use crate::executor::{ExecuteError, Executor, Outcome};
use crate::fsck::fsck;
use crate::store::{Head, SyncStore};

/// What happens after a commit failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The process goes on and tries the block again.
    GoesOn,
    /// The process dies and a new one starts.
    Dies,
}

fn block(founded: &Founded, height: u64) -> Ordered {
    let texts = (1..=3).map(|number| founded.anchor(3 * (height - 1) + number));
    let transactions = texts.map(|text| Transaction::parse(&text).unwrap()).collect();
    Ordered { height, time: later(i64::try_from(height).unwrap()), transactions }
}

fn open(store: &SyncStore, founded: &Founded) -> Executor {
    loop {
        match Executor::open(store.clone(), founded.chain()) {
            Ok(executor) => return executor,
            Err(StoreError::Broken(_) | StoreError::Full) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Runs three blocks, repeating whatever was not saved.
fn run(store: &SyncStore, founded: &Founded, after: After) -> (Head, Vec<Outcome>) {
    let mut executor = open(store, founded);
    let mut outcomes = Vec::new();
    // As engines count: a height is over when its block was acknowledged.
    let mut height = executor.head().height + 1;
    for number in 0..3_u64 {
        // The senders' transactions stay the same; the block that carries them may become another.
        let texts = block(founded, number + 1).transactions;
        loop {
            let ordered = Ordered { height, time: later(i64::try_from(height).unwrap()), transactions: texts.clone() };
            match executor.execute(&ordered) {
                Ok(done) => {
                    height += 1;
                    outcomes.extend(done.into_iter().map(|(_, outcome)| outcome));
                    break;
                }
                Err(ExecuteError::NotSaved(_)) if after == After::GoesOn => {}
                Err(ExecuteError::NotSaved(_)) => {
                    executor = open(store, founded);
                    height = executor.head().height + 1;
                }
                Err(ExecuteError::Halted(error)) => panic!("{error}"),
            }
        }
    }
    (executor.head().clone(), outcomes)
}

#[test]
fn every_commit_broken_every_way_gives_the_same_ledger() {
    let runtime = Runtime::new().unwrap();
    let founded = Founded::new();
    let sync = |store: Arc<dyn Store>| SyncStore::new(store, runtime.handle().clone());
    let sound = Arc::new(FaultyStore::new(memory()));
    let expected = run(&sync(sound.clone()), &founded, After::GoesOn);
    assert!(expected.1.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))));
    assert_eq!(sound.commits(), 4, "genesis and three blocks, one commit each");
    for commit in 0..sound.commits() {
        for fault in Fault::ALL {
            for after in [After::GoesOn, After::Dies] {
                let inner = memory();
                let faulty = Arc::new(FaultyStore::new(inner.clone()));
                faulty.break_after(commit, fault);
                let found = run(&sync(faulty), &founded, after);
                assert_eq!(found, expected, "commit {commit} {fault:?} {after:?}");
                let report = fsck(inner, &founded.chain(), runtime.handle().clone()).unwrap();
                assert_eq!(report.head, expected.0);
            }
        }
    }
}

#[test]
fn a_sender_that_was_not_answered_finds_its_place() {
    let runtime = Runtime::new().unwrap();
    let founded = Founded::new();
    let store = SyncStore::new(memory(), runtime.handle().clone());
    let mut executor = open(&store, &founded);
    let first = executor.execute(&block(&founded, 1)).unwrap();
    // The answer got lost with the process; the same transactions come again, in another block.
    let mut executor = open(&store, &founded);
    let again = Ordered { height: 2, time: later(2), transactions: block(&founded, 1).transactions };
    assert_eq!(executor.execute(&again).unwrap(), first);
}

#[test]
fn a_store_that_is_silent_for_a_while_is_asked_what_became_of_a_block() {
    let runtime = Runtime::new().unwrap();
    let founded = Founded::new();
    for (fault, saved) in [(Fault::FailedYetSaved, true), (Fault::FailedNotSaved, false)] {
        let faulty = Arc::new(FaultyStore::new(memory()));
        let store = SyncStore::new(faulty.clone(), runtime.handle().clone());
        let mut executor = open(&store, &founded);
        faulty.break_next(fault);
        faulty.break_reads_after_next_commit();
        let healing = std::thread::spawn({
            let faulty = faulty.clone();
            move || {
                std::thread::sleep(std::time::Duration::from_millis(400));
                faulty.break_reads(false);
            }
        });
        let done = executor.execute(&block(&founded, 1));
        healing.join().unwrap();
        assert_eq!(done.is_ok(), saved, "{fault:?}: {done:?}");
        // The engine hands over the same height again, or the next one.
        assert!(executor.execute(&block(&founded, if saved { 2 } else { 1 })).is_ok(), "{fault:?}");
    }
}

#[test]
fn two_writers_on_one_store_do_not_fork() {
    let runtime = Runtime::new().unwrap();
    let founded = Founded::new();
    let store = SyncStore::new(memory(), runtime.handle().clone());
    let (mut one, mut other) = (open(&store, &founded), open(&store, &founded));
    one.execute(&block(&founded, 1)).unwrap();
    assert!(matches!(other.execute(&block(&founded, 1)), Err(ExecuteError::Halted(_))));
}

#[test]
fn data_of_another_chain_is_refused() {
    let runtime = Runtime::new().unwrap();
    let founded = Founded::new();
    let store = SyncStore::new(memory(), runtime.handle().clone());
    open(&store, &founded);
    let genesis = std::fs::read_to_string(&founded.done.genesis).unwrap().replace("Sample department", "Other");
    let other = crate::Chain::new(genesis.into_bytes()).unwrap();
    assert!(matches!(Executor::open(store, other), Err(StoreError::Corrupt(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_answered_and_survived() {
    let faulty = Arc::new(FaultyStore::new(memory()));
    let served = Served::over(faulty.clone()).await;
    for fault in Fault::ALL {
        faulty.break_next(fault);
        let seq = served.get(&format!("/registry/sequences?key={}%23invoke-1", served.founded.department.did())).await;
        let transaction = served.founded.anchor(seq.json()["next"].as_u64().unwrap());
        let answer = served.submit(&transaction).await;
        let status = if fault == Fault::FailedYetSaved { 200 } else { 503 };
        assert_eq!(answer.status, status, "{fault:?}: {}", answer.text());
        assert_eq!(served.submit(&transaction).await.status, 200);
    }
    assert_eq!(served.get("/readyz").await.status, 200);
    served.running.stop().await;
}
