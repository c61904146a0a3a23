//! Wherever it stops, it goes on or begins anew.

use std::sync::Arc;

use service_kit::store::faulty::{Fault, FaultyStore};
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Batch, Store as _, StoreError};

use super::{Source, more};
use crate::catch_up::tests::{Behind, Sample};
use crate::executor::Executor;
use crate::fsck::Finding;
use crate::resume::last_round;
use crate::store::{CHECKPOINT, PRUNING, STARTING, SyncStore, leaf_key};
use crate::tests::boundaries::AtRest;

#[test]
fn a_start_that_breaks_anywhere_is_begun_anew() {
    let source = Source::changed(9);
    let expected = source.all(source.started().store.as_ref());
    let counting = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    source.take(counting.clone(), &source.bytes()).unwrap();
    assert!(counting.commits() >= 2, "the mark, and what is there with it");
    for commit in 0..counting.commits() {
        for fault in Fault::ALL {
            let inner = Arc::new(MemoryStore::new());
            let faulty = Arc::new(FaultyStore::new(inner.clone()));
            faulty.break_after(commit, fault);
            let first = source.take(faulty.clone(), &source.bytes());
            let left = source.all(inner.as_ref());
            match first {
                Ok(_) => assert_eq!(left, expected),
                Err(_) => assert!(left.is_empty(), "commit {commit} {fault:?} leaves {}", left.len()),
            }
            if left.is_empty() {
                source.take(faulty, &source.bytes()).unwrap();
            }
            assert_eq!(source.all(inner.as_ref()), expected, "commit {commit} {fault:?}");
        }
    }
}

#[test]
fn a_process_that_dies_on_the_way_leaves_a_store_that_no_node_takes_for_its_own() {
    let source = Source::new(1);
    let inner = Arc::new(MemoryStore::new());
    let runtime = source.sample.node.runtime.handle().clone();
    // What a process leaves that dies between the mark and the last batch.
    let some = Batch::new().put(STARTING, b"").put(leaf_key(7), b"x").put(b"node/x", b"x");
    source.sample.node.runtime.block_on(inner.commit(some)).unwrap();
    let sync = SyncStore::new(inner.clone(), runtime);
    let opened = Executor::open(sync, source.sample.node.chain.clone());
    assert!(matches!(opened.err(), Some(StoreError::Corrupt(said)) if said.contains("interrupted")));
    assert!(matches!(source.check(inner.clone()), Err(Finding::Unfinished(_))));
    source.take(inner.clone(), &source.bytes()).unwrap();
    source.check(inner).unwrap();
}

/// What the source's node has, in another store.
fn copy(source: &Source) -> Arc<MemoryStore> {
    let copy = Arc::new(MemoryStore::new());
    let all = source.all(source.sample.node.store.as_ref());
    let batch = all.into_iter().fold(Batch::new(), |batch, (key, value)| batch.put(key, value));
    source.sample.node.runtime.block_on(copy.commit(batch)).unwrap();
    copy
}

#[test]
fn a_pruning_that_breaks_anywhere_goes_on() {
    let source = Source::changed(9);
    let copy = || copy(&source);
    let whole = copy();
    let counting = Arc::new(FaultyStore::new(whole.clone()));
    source.prune(counting.clone(), 0).unwrap();
    let expected = source.all(whole.as_ref());
    assert!(counting.commits() >= 4, "the floor, entries, the state, the end");
    for commit in 0..counting.commits() {
        for fault in Fault::ALL {
            let inner = copy();
            let faulty = Arc::new(FaultyStore::new(inner.clone()));
            faulty.break_after(commit, fault);
            let first = source.prune(faulty.clone(), 0);
            assert!(first.is_err(), "commit {commit} {fault:?}");
            // A node runs on whatever is there.
            let executor = Behind::over(&source.sample.node.chain, inner.clone()).executor();
            assert_eq!(executor.head(), &source.sample.round.head);
            drop(executor);
            let is_marked = source.sample.node.runtime.block_on(inner.get(PRUNING)).unwrap().is_some();
            assert_eq!(matches!(source.check(inner.clone()), Err(Finding::Unfinished(_))), is_marked);
            source.prune(inner.clone(), 0).unwrap();
            assert!(source.all(inner.as_ref()) == expected, "commit {commit} {fault:?}");
        }
    }
}

/// The newest note may be that of a set's end: it is kept before it is published, and the node may have died in between.
#[test]
fn wherever_a_pruning_dies_the_kept_checkpoint_is_one_that_the_node_can_serve() {
    let mut node = AtRest::new();
    let published = node.certified(200);
    node.decide();
    node.keep(&node.certified(200));
    let source = Source::of(Sample::at(node, 200));
    source.sample.node.put(CHECKPOINT, published.note.as_bytes());
    let counting = Arc::new(FaultyStore::new(copy(&source)));
    source.prune(counting.clone(), 0).unwrap();
    for commit in 0..=counting.commits() {
        let inner = copy(&source);
        let faulty = Arc::new(FaultyStore::new(inner.clone()));
        faulty.break_after(commit, Fault::FailedYetSaved);
        assert_eq!(source.prune(faulty, 0).is_ok(), commit == counting.commits());
        // It runs, a block comes, and it dies again before anything newer was published.
        let node = Behind::over(&source.sample.node.chain, inner);
        more(&mut node.executor(), &source.sample.node, 2);
        let shown = last_round(node.executor().store(), &node.chain);
        assert_eq!(shown, Ok(Some(source.sample.round.clone())), "after batch {commit}");
    }
}
