//! Whatever a file says that was not certified is refused, and leaves nothing.

use std::sync::Arc;

use identity_core::registry::validator_set;
use ledger::TrustRoot;
use ledger::snapshot::Malformed;
use service_kit::store::memory::MemoryStore;

use super::Source;
use crate::catch_up::tests::{Behind, Seen};
use crate::snapshot::{SnapshotError, snapshot};
use crate::store::CHECKPOINT;
use crate::tests::boundaries::{AtRest, validator};
use crate::tests::world::anchor;

#[test]
fn every_byte_that_is_changed_and_every_end_is_refused_and_leaves_nothing() {
    for source in [Source::changed(2), Source::new(1)] {
        let sound = source.bytes();
        let store = Arc::new(MemoryStore::new());
        // Those of both ends, and some of each part: each is looked at in the same way as its neighbours.
        let places = (0..sound.len()).filter(|place| *place < 40 || place % 31 == 0 || place + 40 > sound.len());
        for place in places {
            let mut changed = sound.clone();
            changed[place] ^= 1;
            let error = source.take(store.clone(), &changed).expect_err(&format!("byte {place} of {}", sound.len()));
            assert!(!matches!(error, SnapshotError::Store(_) | SnapshotError::File { .. }), "byte {place}: {error}");
            assert!(source.all(store.as_ref()).is_empty(), "byte {place} leaves something");
        }
        for end in (0..sound.len()).step_by(97).chain([sound.len() - 1]) {
            let refused = source.take(store.clone(), &sound[..end]);
            assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "cut at {end}: {refused:?}");
        }
        let longer = [&sound[..], b"x"].concat();
        assert!(matches!(source.take(store.clone(), &longer), Err(SnapshotError::Malformed(_))));
        assert!(source.all(store.as_ref()).is_empty());
        source.take(store, &sound).unwrap();
    }
}

/// Where the pairs of a snapshot begin, and its header.
fn parts(bytes: &[u8], entries: usize) -> (serde_json::Value, usize, usize) {
    let length = usize::try_from(u32::from_be_bytes(bytes[18..22].try_into().unwrap())).unwrap();
    let header = serde_json::from_slice(&bytes[22..22 + length]).unwrap();
    let mut at = 22 + length;
    for _ in 0..entries {
        at += 2 + usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()));
    }
    (header, 22 + length, at)
}

/// The same snapshot with other pairs, and as many as it says.
fn with_pairs(bytes: &[u8], entries: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let (_, header_ends, mut at) = parts(bytes, entries);
    let middle = bytes[header_ends..at].to_vec();
    let mut pairs = Vec::new();
    while at < bytes.len() {
        let length = usize::try_from(u32::from_be_bytes(bytes[at + 32..at + 36].try_into().unwrap())).unwrap();
        pairs.push(bytes[at..at + 36 + length].to_vec());
        at += 36 + length;
    }
    let before = pairs.len();
    change(&mut pairs);
    let header = std::str::from_utf8(&bytes[22..header_ends]).unwrap();
    let header = header.replace(&format!("\"pairs\":{before}"), &format!("\"pairs\":{}", pairs.len()));
    let length = u32::try_from(header.len()).unwrap().to_be_bytes();
    [&bytes[..18], &length, header.as_bytes(), &middle, &pairs.concat()].concat()
}

#[test]
fn pairs_that_are_added_removed_swapped_or_without_end_are_refused() {
    let source = Source::changed(2);
    let size = source.sample.round.head.size;
    let (sound, entries) = (source.bytes(), usize::try_from(size % 256).unwrap());
    let store = Arc::new(MemoryStore::new());
    assert_eq!(with_pairs(&sound, entries, |_| ()), sound, "the test's own hands are steady");
    let lie = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let refused = source.take(store.clone(), &with_pairs(&sound, entries, |pairs| change(pairs))).unwrap_err();
        assert!(source.all(store.as_ref()).is_empty());
        refused
    };
    let last = [&[0xff; 32][..], &1_u32.to_be_bytes(), b"1"].concat();
    assert!(matches!(lie(&|pairs| pairs.push(last.clone())), SnapshotError::FalseState));
    assert!(matches!(lie(&|pairs| drop(pairs.pop())), SnapshotError::FalseState));
    assert!(matches!(lie(&|pairs| drop(pairs.remove(2))), SnapshotError::FalseState));
    assert!(matches!(lie(&|pairs| pairs.swap(0, 1)), SnapshotError::Malformed(_)));
    assert!(matches!(lie(&|pairs| pairs.insert(1, pairs[0].clone())), SnapshotError::Malformed(_)));
    assert!(matches!(lie(&Vec::clear), SnapshotError::FalseState));
    // A value that says it is larger than any is; nothing is allocated for what a length says.
    let huge = |length: u32| [&[0xff; 32][..], &length.to_be_bytes()].concat();
    assert!(matches!(
        lie(&|pairs| pairs.push(huge(u32::MAX))),
        SnapshotError::Malformed(Malformed("the length of a value"))
    ));
    assert!(matches!(
        lie(&|pairs| pairs.push(huge(1 << 24))),
        SnapshotError::Malformed(Malformed("it ends too early"))
    ));
    let mut header = sound.clone();
    header[18..22].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(
        source.take(store, &header),
        Err(SnapshotError::Malformed(Malformed("the length of its header")))
    ));
}

#[test]
fn a_snapshot_of_another_chain_or_of_other_validators_is_refused() {
    let (source, other) = (Source::changed(2), Source::at_a_boundary());
    let store = Arc::new(MemoryStore::new());
    // Another history under the same genesis, certified by nobody in force: the new set's keys over the old set's log.
    let mut forged = AtRest::new();
    forged.execute(1, vec![forged.signed(10, 1, &anchor(77))]);
    let round = forged.certified(210);
    forged.put(CHECKPOINT, round.note.as_bytes());
    let path = other.directory.path().join("forged");
    let refused = snapshot(forged.store.clone(), &forged.chain, &path, forged.runtime.handle(), &mut Seen::default());
    assert!(refused.is_err() && !path.exists(), "whoever writes it notices first");
    // A way without its step.
    let size = usize::try_from(source.sample.round.head.size % 256).unwrap();
    let sound = source.bytes();
    let (mut header, ends, _) = parts(&sound, size);
    header["way"][0]["steps"] = serde_json::json!([]);
    let json = serde_json::to_vec(&header).unwrap();
    let length = u32::try_from(json.len()).unwrap().to_be_bytes();
    let forged = [&sound[..18], &length, &json, &sound[ends..]].concat();
    let refused = source.take(store.clone(), &forged).unwrap_err();
    assert!(matches!(refused, SnapshotError::Way(_) | SnapshotError::Malformed(_)), "{refused}");
    // A trust root that the way does not lead through, and two that it does.
    let stranger = TrustRoot::parse(
        &validator_set(source.sample.node.chain.origin(), &[validator(220)]).unwrap().to_policy_text(),
    )
    .unwrap();
    let refused = source.take_trusting(store.clone(), &sound, Some(&stranger));
    assert!(matches!(refused, Err(SnapshotError::OtherTrust)), "{refused:?}");
    assert!(source.all(store.as_ref()).is_empty());
    let newest = crate::catch_up::Standing::of(&source.sample.node.executor).unwrap();
    for trust in [source.sample.node.chain.trust_root(), &newest.trust_root] {
        source.take_trusting(Arc::new(MemoryStore::new()), &sound, Some(trust)).unwrap();
    }
}

#[test]
fn a_store_that_holds_something_is_left_alone() {
    let source = Source::new(1);
    let node = Behind::new(&source.sample.node.chain);
    drop(node.executor());
    let before = source.all(node.store.as_ref());
    assert!(matches!(source.take(node.store.clone(), &source.bytes()), Err(SnapshotError::NotEmpty)));
    assert_eq!(source.all(node.store.as_ref()), before);
}
