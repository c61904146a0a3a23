//! A node that drops its history, and what is found of damage where there is a floor.

use std::path::Path;

use service_kit::store::{Batch, Store as _};

use super::{Source, more, sources};
use crate::catch_up::tests::{Behind, IN_A_BLOCK, Seen};
use crate::catch_up::{ExportError, Source as Files, export};
use crate::executor::Outcome;
use crate::fsck::Finding;
use crate::proofs::prove_entry;
use crate::prune::PruneError;
use crate::snapshot::SnapshotError;
use crate::store::{CHECKPOINT, FLOOR, boundary_key, leaf_key};
use crate::tests::boundaries::AtRest;
use crate::tests::world::NOW;

#[test]
fn a_pruned_node_goes_on_and_proves_what_it_promised() {
    for (source, next) in sources() {
        let (node, store) = (&source.sample.node, source.sample.node.store.clone());
        let round = source.sample.round.clone();
        let before: Vec<_> = source.all(store.as_ref());
        let entries: Vec<_> =
            (0..round.head.size).map(|index| node.runtime.block_on(store.get(&leaf_key(index))).unwrap()).collect();
        let pruned = source.prune(store.clone(), 0).unwrap();
        assert_eq!((&pruned.head, pruned.entries), (&round.head, round.head.size - round.head.size % 256));
        assert!(pruned.removed > 0 || round.head.height == 1);
        source.check(store.clone()).unwrap();
        // Every entry is still proven, whoever has kept it.
        let trust = crate::boundary::certifying(&node.sync(), round.head.height, round.head.size - 1).unwrap();
        for (index, entry) in (0..).zip(&entries) {
            let proof = prove_entry(&node.sync(), index, &round).unwrap();
            proof.verify(&trust, entry.as_ref().unwrap()).unwrap();
        }
        // Places are all there.
        let places = |all: &[(Vec<u8>, Vec<u8>)]| all.iter().filter(|(key, _)| key.starts_with(b"tx/")).count();
        assert_eq!(places(&source.all(store.as_ref())), places(&before));
        // Its state is whole: it goes on, as a snapshot of it shows.
        let again = source.bytes();
        source.write().unwrap();
        assert_eq!(source.bytes(), again, "its snapshot is the same");
        let mut executor = Behind::over(&node.chain, store.clone()).executor();
        let outcomes = more(&mut executor, node, next);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))), "{outcomes:?}");
        let repeated = more(&mut executor, node, next);
        assert_eq!(repeated, outcomes, "the same again gets the same place");
        source.check(store.clone()).unwrap();
    }
}

#[test]
fn pruning_keeps_what_it_is_asked_to_keep_and_again_drops_more() {
    let source = Source::new(12);
    let store = source.sample.node.store.clone();
    let size = source.sample.round.head.size;
    let kept = source.prune(store.clone(), 300).unwrap();
    assert_eq!(kept.entries, (size - 300) / 256 * 256);
    source.check(store.clone()).unwrap();
    assert!(source.sample.node.runtime.block_on(store.get(&leaf_key(kept.entries))).unwrap().is_some());
    assert!(source.sample.node.runtime.block_on(store.get(&leaf_key(kept.entries - 1))).unwrap().is_none());
    let less = source.prune(store.clone(), 0).unwrap();
    assert!(less.entries > kept.entries && less.removed > 0);
    assert_eq!(source.prune(store.clone(), 300).unwrap().entries, less.entries, "what is gone is gone");
    source.check(store).unwrap();
}

#[test]
fn blocks_that_are_not_certified_yet_survive_a_pruning() {
    let mut source = Source::new(5);
    let certified = source.sample.round.head.clone();
    let next = 5 * IN_A_BLOCK + 1;
    more(&mut source.sample.node.executor, &AtRest::new(), next);
    more(&mut source.sample.node.executor, &AtRest::new(), next + 5);
    let store = source.sample.node.store.clone();
    assert_eq!(source.prune(store.clone(), 0).unwrap().head, certified);
    let node = Behind::over(&source.sample.node.chain, store.clone());
    assert_eq!(node.executor().head(), source.sample.node.executor.head());
    source.check(store.clone()).unwrap();
    more(&mut node.executor(), &source.sample.node, next + 10);
    source.check(store).unwrap();
}

#[test]
fn a_started_node_is_pruned_too() {
    let source = Source::changed(5);
    let node = source.started();
    let mut executor = node.executor();
    more(&mut executor, &source.sample.node, 3 * IN_A_BLOCK + 2);
    let head = executor.head().clone();
    let note = source.sample.node.note(210, head.size, head.root);
    node.runtime.block_on(node.store.commit(Batch::new().put(CHECKPOINT, note.as_bytes()))).unwrap();
    drop(executor);
    assert_eq!(source.prune(node.store.clone(), 0).unwrap().head, head);
    source.check(node.store.clone()).unwrap();
    more(&mut node.executor(), &source.sample.node, 3 * IN_A_BLOCK + 7);
    source.check(node.store.clone()).unwrap();
}

#[test]
fn every_flipped_value_of_a_node_with_a_floor_is_found() {
    for source in [Source::changed(3), Source::new(5)] {
        let started = source.started().store;
        source.prune(source.sample.node.store.clone(), 0).unwrap();
        for store in [started, source.sample.node.store.clone()] {
            source.check(store.clone()).unwrap();
            let put = |key: &[u8], value: &[u8]| {
                source.sample.node.runtime.block_on(store.commit(Batch::new().put(key, value))).unwrap();
            };
            for (number, (key, value)) in source.all(store.as_ref()).into_iter().enumerate() {
                // The entry is gone that would tell another place of its transaction: only its form is looked at.
                let is_place = key.starts_with(b"tx/");
                let is_many = ["node/", "value/", "leaf/"].iter().any(|area| key.starts_with(area.as_bytes()));
                if (is_place || is_many) && number % 16 != 0 {
                    continue;
                }
                let mut flipped = value.clone();
                let place = number % value.len();
                flipped[if is_place { 0 } else { place }] ^= 1;
                put(&key, &flipped);
                assert!(source.check(store.clone()).is_err(), "{} byte {place}", String::from_utf8_lossy(&key));
                let gone = source.sample.node.runtime.block_on(store.commit(Batch::new().delete(key.clone())));
                gone.unwrap();
                if !is_place && key != CHECKPOINT && key != FLOOR {
                    assert!(source.check(store.clone()).is_err(), "{} missing", String::from_utf8_lossy(&key));
                }
                put(&key, &value);
            }
            source.check(store.clone()).unwrap();
            for left in ["leaf/\0\0\0\0\0\0\0\u{1}", "node/x", "value/x", "step/x", "boundary/x", "tile/x"] {
                if source.sample.node.runtime.block_on(store.get(left.as_bytes())).unwrap().is_some() {
                    continue;
                }
                put(left.as_bytes(), b"x");
                assert!(matches!(source.check(store.clone()), Err(Finding::Leftover(_))), "{left:?}");
                source.sample.node.runtime.block_on(store.commit(Batch::new().delete(left))).unwrap();
            }
        }
    }
}

#[test]
fn a_node_that_lost_a_note_gives_no_snapshot_and_is_not_pruned() {
    let source = Source::changed(3);
    let store = source.sample.node.store.clone();
    source.sample.node.runtime.block_on(store.commit(Batch::new().delete(boundary_key(5)))).unwrap();
    assert!(matches!(source.write(), Err(SnapshotError::Lost(5))));
    let before = source.all(store.as_ref());
    assert_eq!(source.prune(store.clone(), 0), Err(PruneError::Lost(5)));
    assert_eq!(source.all(store.as_ref()), before);
}

/// A set cosigns its last head again while it is idle, and another note than that of its end may be published.
#[test]
fn a_node_that_published_another_note_over_a_sets_end_is_sound_after_it_was_pruned() {
    let mut source = Source::at_a_boundary();
    let head = source.sample.round.head.clone();
    let again = source.sample.node.note_at(NOW.plus(30), 200, head.size, head.root);
    source.sample.node.put(CHECKPOINT, again.as_bytes());
    source.sample.node.execute(2, Vec::new());
    let store = source.sample.node.store.clone();
    source.check(store.clone()).unwrap();
    assert_eq!(source.prune(store.clone(), 0).unwrap().head, head);
    source.check(store).unwrap();
}

/// A node that started below its first full bundle has every entry, and so has one that was pruned of nothing but states.
#[test]
fn a_node_that_has_every_entry_is_exported_and_another_says_from_where_on_it_has_them() {
    let write = |source: &Source, node: &Behind, to: &Path| {
        export(node.store.clone(), &source.sample.node.chain, to, node.runtime.handle(), &mut Seen::default())
    };
    let source = Source::new(3);
    let node = source.started();
    let done = write(&source, &node, &source.directory.path().join("files")).unwrap();
    assert_eq!((&done.head, done.lost.len()), (&source.sample.round.head, 0));
    let mut behind = Behind::new(&node.chain);
    let files = Files::directory(source.directory.path().join("files"));
    assert_eq!(behind.follow([files]), Ok(Some(source.sample.round.clone())));
    behind.check();

    let source = Source::new(9);
    let refused = write(&source, &source.started(), source.directory.path()).unwrap_err();
    assert!(matches!(refused, ExportError::Pruned(512)), "{refused}");
}
