//! A node that starts from a file goes on like the one that wrote it.

use identity_core::registry::Transaction;
use ledger::{StateProof, sha256};
use service_kit::store::{Batch, Store as _};

use super::{Source, more, sources};
use crate::catch_up::tests::{IN_A_BLOCK, Sample};
use crate::engine::Ordered;
use crate::executor::Outcome;
use crate::proofs::{prove_entry, prove_state};
use crate::store::{SyncStore, leaf_key};
use crate::tests::world::{anchor, later};

#[test]
fn a_node_that_starts_from_a_file_goes_on_like_the_one_that_wrote_it() {
    for (mut source, next) in sources() {
        let node = source.started();
        let mut executor = node.executor();
        assert_eq!(executor.head(), source.sample.node.executor.head());
        source.check(node.store.clone()).unwrap();
        let last = crate::resume::last_round(executor.store(), &node.chain).unwrap();
        assert_eq!(last.unwrap().head, source.sample.round.head);
        for block in 0..3 {
            let ours = more(&mut executor, &source.sample.node, next + 5 * block);
            assert!(ours.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))), "{ours:?}");
            let height = executor.head().height;
            let transactions: Vec<Transaction> = (0..5)
                .map(|place| next + 5 * block + place)
                .map(|seq| source.sample.node.signed(10, seq, &anchor(seq)))
                .collect();
            source.sample.node.execute(height, transactions);
            assert_eq!(executor.head(), source.sample.node.executor.head(), "the same blocks, the same roots");
        }
        source.check(node.store.clone()).unwrap();
    }
}

/// A change of this number is another format: whoever means it raises the version in the first line.
#[test]
fn the_bytes_are_what_they_always_were() {
    assert_eq!(
        sha256(&Source::changed(3).bytes()).to_hex(),
        "58df19c730078d5d868055550ddd8ff4583a03f2510b6234db69c49929e00179"
    );
}

#[test]
fn what_was_accepted_before_cannot_happen_again() {
    let source = Source::new(2);
    let node = source.started();
    let mut executor = node.executor();
    let before = executor.head().size;
    let outcomes = more(&mut executor, &source.sample.node, 1);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Refused(_))), "{outcomes:?}");
    assert_eq!(executor.head().size, before + 1, "nothing but the seal");
}

#[test]
fn it_proves_its_state_and_what_comes_after_and_serves_the_walk() {
    let source = Source::changed(9);
    let node = source.started();
    let sync = SyncStore::new(node.store.clone(), node.runtime.handle().clone());
    let mut executor = node.executor();
    let genesis = node.chain.trust_root();
    let round = source.sample.round.clone();
    let walk = crate::boundary::walk(&sync, &round, &genesis.digest()).unwrap().unwrap();
    let walked = ledger::walk::Walked::from(genesis.clone()).along(&walk).unwrap();
    assert!(walked.has_arrived());
    let key = "members";
    let proven = prove_state(&sync, key, &round).unwrap();
    let proven = StateProof::parse(&serde_json::to_vec(&proven).unwrap()).unwrap();
    assert!(proven.verify(walked.trust_root()).unwrap().value().is_some());
    more(&mut executor, &source.sample.node, 7 * IN_A_BLOCK + 2);
    let head = executor.head().clone();
    let note = source.sample.node.note(210, head.size, head.root);
    let round = crate::node::Round { head: head.clone(), note, at: round.at };
    for index in source.sample.round.head.size - 1..head.size {
        let entry = node.get(&leaf_key(index)).unwrap();
        let proof = prove_entry(&sync, index, &round).unwrap();
        assert_eq!(proof.verify(walked.trust_root(), &entry).unwrap().index(), index);
    }
}

#[test]
fn it_catches_up_with_those_who_are_ahead() {
    let source = Source::new(3);
    let mut node = source.started();
    let ahead = Sample::new(9);
    assert_eq!(node.follow([ahead.peer.source()]).unwrap(), Some(ahead.round.clone()));
    assert_eq!(node.executor().head(), &ahead.round.head);
    source.check(node.store.clone()).unwrap();
}

#[test]
fn a_snapshot_is_of_one_block_while_others_are_executed() {
    let mut source = Source::new(3);
    let before = source.bytes();
    // More blocks than the checkpoint knows of: they are there, and the file is the same.
    for height in 4..=6 {
        let transactions =
            (0..40).map(|place| source.sample.node.signed(10, (height - 1) * 60 + 1 + place, &anchor(place)));
        let transactions: Vec<_> = transactions.collect();
        let time = later(i64::try_from(height).unwrap());
        source.sample.node.executor.execute(&Ordered { height, time, transactions }).unwrap();
    }
    let written = source.write().unwrap();
    assert_eq!((source.bytes(), &written.head), (before, &source.sample.round.head));
}

#[test]
fn what_does_not_give_what_was_certified_is_never_written_over_what_does() {
    let source = Source::changed(7);
    let (sound, store) = (source.bytes(), source.sample.node.store.clone());
    let put = |key: &[u8], value: &[u8]| source.sample.node.put(key, value);
    let is_many = |key: &[u8]| ["leaf/", "node/", "tx/"].iter().any(|area| key.starts_with(area.as_bytes()));
    let mut refused = [("leaf/", 0), ("tile/", 0), ("value/", 0)];
    // All that a snapshot is made of but its entries, and some of everything else.
    let is_looked_at = |number: usize, key: &[u8]| number.is_multiple_of(9) || !is_many(key);
    let all = source.all(store.as_ref()).into_iter().enumerate();
    for (number, (key, value)) in all.filter(|(number, (key, _))| is_looked_at(*number, key)) {
        let is_refused = || {
            let written = source.write();
            assert!(source.bytes() == sound, "{}: {written:?}", String::from_utf8_lossy(&key));
            written.is_err()
        };
        let mut flipped = value.clone();
        flipped[number % value.len()] ^= 1;
        put(&key, &flipped);
        let area = refused.iter_mut().find(|(area, _)| key.starts_with(area.as_bytes()));
        let counted = usize::from(is_refused());
        if let Some((_, count)) = area {
            *count += counted;
        }
        source.sample.node.runtime.block_on(store.commit(Batch::new().delete(key.clone()))).unwrap();
        is_refused();
        put(&key, &value);
    }
    assert!(refused.iter().all(|(_, count)| *count > 0), "{refused:?}");
    source.write().unwrap();
}
