//! As files: written by one node at rest, read by another.

use std::collections::BTreeMap;
use std::path::Path;

use service_kit::store::{Batch, Store as _, StoreError};
use tempfile::TempDir;

use super::{Behind, IN_A_BLOCK, Sample, Seen, anchors};
use crate::catch_up::{CatchUpError, ExportError, Exported, Source, SourceError, export};
use crate::store::{CHECKPOINT, boundary_key};
use crate::tests::boundaries::AtRest;

fn exported(sample: &Sample, to: &Path) -> Result<Exported, ExportError> {
    let node = &sample.node;
    node.put(CHECKPOINT, sample.round.note.as_bytes());
    export(node.store.clone(), &node.chain, to, node.runtime.handle(), &mut Seen::default())
}

/// Every file below, by its path.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// A set that ended at six entries, and one that goes on.
fn changed(blocks: u64) -> Sample {
    let mut node = AtRest::new();
    node.decide();
    node.keep(&node.certified(200));
    anchors(&mut node, 2..=1 + blocks, 2, 0);
    Sample::at(node, 210)
}

#[test]
fn an_empty_store_reaches_the_head_from_files_alone() {
    let (sample, directory) = (changed(5), TempDir::new().unwrap());
    let done = exported(&sample, directory.path()).unwrap();
    let there = files(directory.path());
    assert_eq!((&done.head, &done.lost), (&sample.round.head, &vec![]));
    assert_eq!(done.files, u64::try_from(there.len()).unwrap());
    assert_eq!(there["checkpoint"], sample.round.note.as_bytes());
    assert_eq!(there["genesis"], sample.node.chain.genesis_file());
    assert!(there.contains_key("tile/entries/000.p/6") && there.contains_key("tile/0/000.p/6"), "where the set ended");
    assert_eq!(there.keys().filter(|name| name.starts_with("trust/walk/")).count(), 2);
    // What is served and what is written is the same.
    for (name, bytes) in there.iter().filter(|(name, _)| name.starts_with("tile/")) {
        if !name.ends_with(".p/6") {
            assert_eq!(*bytes, sample.peer.file(name), "{name}");
        }
    }

    let mut behind = Behind::new(&sample.node.chain);
    let source = || Source::directory(directory.path());
    assert_eq!(behind.follow([source()]), Ok(Some(sample.round.clone())));
    behind.assert_same(sample.node.store.as_ref());
    behind.check();
    assert!(behind.get(&boundary_key(5)).is_some());
    assert_eq!(behind.follow([source()]), Ok(None));
}

#[test]
fn a_later_export_adds_and_a_broken_one_is_ended() {
    let directory = TempDir::new().unwrap();
    let first = changed(5);
    exported(&first, directory.path()).unwrap();
    let before = files(directory.path());
    let again = exported(&first, directory.path()).unwrap();
    assert_eq!((again.files, files(directory.path())), (3, before.clone()), "walks and checkpoint only");

    let more = changed(9);
    exported(&more, directory.path()).unwrap();
    let after = files(directory.path());
    assert!(before.iter().all(|(name, bytes)| !name.starts_with("tile/") || after[name] == *bytes));
    let mut behind = Behind::new(&more.node.chain);
    assert_eq!(behind.follow([Source::directory(directory.path())]), Ok(Some(more.round.clone())));

    // One that was interrupted: some tiles are there, nothing leads to them.
    let half = TempDir::new().unwrap();
    std::fs::write(half.path().join("genesis"), more.node.chain.genesis_file()).unwrap();
    std::fs::create_dir_all(half.path().join("tile/entries")).unwrap();
    std::fs::write(half.path().join("tile/entries/000"), &after["tile/entries/000"]).unwrap();
    std::fs::write(half.path().join("tile/entries/001.new"), b"half of it").unwrap();
    let mut behind = Behind::new(&more.node.chain);
    let error = behind.follow([Source::directory(half.path())]).unwrap_err();
    assert!(matches!(error, CatchUpError::NoSource(failures) if failures[0].1 == SourceError::UnknownSet));
    exported(&more, half.path()).unwrap();
    assert_eq!(behind.follow([Source::directory(half.path())]), Ok(Some(more.round.clone())));
}

#[test]
fn a_file_that_was_changed_is_refused_and_the_next_directory_helps() {
    let sample = changed(5);
    let (bad, good) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    exported(&sample, bad.path()).unwrap();
    exported(&sample, good.path()).unwrap();
    let bundle = bad.path().join("tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let mut behind = Behind::new(&sample.node.chain);
    let sources = [bad.path(), good.path()].map(Source::directory);
    assert_eq!(behind.follow(sources), Ok(Some(sample.round.clone())));
    let (name, error) = &behind.seen.complaints[0];
    assert_eq!(*name, bad.path().display().to_string());
    assert_eq!(*error, SourceError::FalseEntries { from: 6, to: 255 });
}

#[test]
fn a_note_that_was_lost_is_said_at_once() {
    let (sample, directory) = (changed(1), TempDir::new().unwrap());
    let batch = Batch::new().delete(boundary_key(5));
    sample.node.runtime.block_on(sample.node.store.commit(batch)).unwrap();
    assert_eq!(exported(&sample, directory.path()).unwrap().lost, [5]);
    let mut behind = Behind::new(&sample.node.chain);
    assert_eq!(behind.follow([Source::directory(directory.path())]), Ok(None));
}

#[test]
fn what_cannot_be_exported_is_said_plainly() {
    let (sample, directory) = (Sample::new(1), TempDir::new().unwrap());
    let node = &sample.node;
    let try_it =
        || export(node.store.clone(), &node.chain, directory.path(), node.runtime.handle(), &mut Seen::default());
    assert!(matches!(try_it(), Err(ExportError::Uncertified)));
    assert_eq!(files(directory.path()).len(), 0);
    // A checkpoint by strangers, over another root, of a size that no block has.
    let (size, root) = (sample.target(), sample.log.root());
    for note in [node.note(220, size, root), node.note(200, size, ledger::sha256(b"x")), node.note(200, size - 1, root)]
    {
        node.put(CHECKPOINT, note.as_bytes());
        assert!(matches!(try_it(), Err(ExportError::Store(StoreError::Corrupt(_)))), "{note}");
    }
    node.put(CHECKPOINT, sample.round.note.as_bytes());
    std::fs::write(directory.path().join("genesis"), b"{}").unwrap();
    assert!(matches!(try_it(), Err(ExportError::OtherChain(_))));
    std::fs::write(directory.path().join("genesis"), node.chain.genesis_file()).unwrap();
    std::fs::write(directory.path().join("tile"), b"in the way").unwrap();
    assert!(matches!(try_it(), Err(ExportError::File { .. })));
    std::fs::remove_file(directory.path().join("tile")).unwrap();
    node.runtime.block_on(node.store.commit(Batch::new().delete(crate::store::leaf_key(IN_A_BLOCK)))).unwrap();
    assert!(matches!(try_it(), Err(ExportError::Store(StoreError::Corrupt(_)))));
}
