//! Each lie is refused by its name, and nothing of it is executed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use ledger::log_proof::LogProofError;
use ledger::tile::read_bundle;
use ledger::trust_root::CertificateError;
use ledger::walk::{Walk, WalkError};
use ledger::{Seal, sha256};
use service_kit::fetch::{FetchConfig, FetchError, Fetcher};

use super::{Behind, GENESIS, Log, Peer, Sample, anchors, bundle};
use crate::catch_up::{CatchUpError, Source, SourceError};
use crate::tests::boundaries::AtRest;

/// What a liar does to a file.
type Change = dyn Fn(&mut Vec<u8>);

/// The name that the lie is refused by, by a node that began with the genesis block.
fn refused(sample: &Sample, peer: &Peer) -> (SourceError, u64) {
    let mut behind = Behind::new(&sample.node.chain);
    let error = behind.follow([peer.source()]).unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    let CatchUpError::NoSource(mut failures) = error else { panic!("{error}") };
    let (name, error) = failures.pop().unwrap();
    assert_eq!((name, failures), (peer.name.clone(), vec![]));
    (error, behind.size())
}

fn rebundle(bytes: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut all = read_bundle(bytes).unwrap().into_iter().map(<[u8]>::to_vec).collect();
    change(&mut all);
    *bytes = bundle(&all);
}

#[test]
fn false_files_are_refused_by_name_and_nothing_of_them_is_executed() {
    let sample = Sample::new(9);
    let last = sample.target() - 1;
    let partial = format!("tile/entries/002.p/{}", sample.target() - 512);
    let is_malformed = |error: &SourceError| matches!(error, SourceError::Malformed(_));
    let lie = |path: &str, change: &Change| {
        let peer = sample.peer.copied("http://liar.example");
        peer.change(path, change);
        refused(&sample, &peer)
    };
    let first = SourceError::FalseEntries { from: GENESIS, to: 255 };

    // Changed bytes, swapped entries, one in place of another: in the first chunk, then in a later one.
    let changed = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(lie("tile/entries/000", &changed), (first.clone(), GENESIS));
    let swapped = |bytes: &mut Vec<u8>| rebundle(bytes, |all| all.swap(10, 11));
    assert_eq!(lie("tile/entries/000", &swapped), (first, GENESIS));
    let (error, reached) = lie(&partial, &changed);
    assert_eq!(error, SourceError::FalseEntries { from: 512, to: last });
    assert_eq!(reached, GENESIS + 8 * (super::IN_A_BLOCK + 1), "what was proven before stays");

    // An entry too few, one too many, bytes that are no bundle, nothing at all.
    let short = |bytes: &mut Vec<u8>| rebundle(bytes, |all| drop(all.pop()));
    let long = |bytes: &mut Vec<u8>| bytes.extend_from_slice(&[0, 1, b'e']);
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
    let empty = |bytes: &mut Vec<u8>| bytes.clear();
    let misshapen: [&Change; 4] = [&short, &long, &cut, &empty];
    for change in misshapen {
        let (error, reached) = lie("tile/entries/000", change);
        assert!(is_malformed(&error) && reached == GENESIS, "{error}");
        assert!(is_malformed(&lie(&partial, change).0));
    }
    let endless = |bytes: &mut Vec<u8>| bytes.resize(16 * 1024 * 1024, b'e');
    assert!(matches!(lie("tile/entries/000", &endless).0, SourceError::Fetch(FetchError::TooLarge { .. })));

    // Hashes that lead elsewhere, and tiles of another length.
    let size = sample.target();
    for path in [format!("tile/0/002.p/{}", size - 512), "tile/1/000.p/2".into()] {
        assert_eq!(lie(&path, &changed), (SourceError::FalseHashes { size }, GENESIS), "{path}");
        assert!(is_malformed(&lie(&path, &cut).0), "{path}");
    }
    for path in ["tile/entries/001", "tile/1/000.p/2", &partial] {
        let peer = sample.peer.copied("http://liar.example");
        peer.remove(path);
        assert!(matches!(refused(&sample, &peer).0, SourceError::Lacks(_)), "{path}");
    }
}

#[test]
fn false_checkpoints_are_refused_by_name() {
    let sample = Sample::new(2);
    let from = sample.node.chain.trust_root().digest();
    let with = |walk: &[u8]| {
        let peer = sample.peer.copied("http://liar.example");
        peer.put(&format!("trust/walk?from={}", from.to_base64url()), walk.to_vec());
        let (error, reached) = refused(&sample, &peer);
        assert_eq!(reached, GENESIS);
        error
    };
    let newest = |newest| serde_json::to_vec(&Walk { steps: Vec::new(), newest: Some(newest) }).unwrap();
    let (size, root) = (sample.target(), sample.log.root());

    let strangers = newest(sample.log.last(&sample.node.note(220, size, root)));
    let unsigned = LogProofError::Certificate(CertificateError::NoLogSignature);
    assert_eq!(with(&strangers), SourceError::Walk(WalkError::LogProof(unsigned)));
    let other_root = newest(sample.log.last(&sample.node.note(200, size, sha256(b"other"))));
    assert!(matches!(with(&other_root), SourceError::Walk(WalkError::LogProof(LogProofError::Inclusion(_)))));
    // A log that does not end with a seal: what is shown is none, or not the last entry.
    let mut headless = sample.log.entries.clone();
    headless.pop();
    let headless = Log::of(headless);
    let note = sample.node.note(200, headless.size(), headless.root());
    assert!(matches!(with(&newest(headless.last(&note))), SourceError::Walk(WalkError::Seal(_))));
    for (bytes, error) in [(vec![b'{'; 9 * 1024 * 1024], None), (b"{}".to_vec(), Some(WalkError::Malformed))] {
        match (with(&bytes), error) {
            (SourceError::Fetch(FetchError::TooLarge { .. }), None) => {}
            (found, error) => assert_eq!(Some(found), error.map(SourceError::Walk)),
        }
    }
}

#[test]
fn an_old_set_has_no_word_after_its_last_seal() {
    let mut node = AtRest::new();
    node.decide();
    let boundary = node.certified(200);
    node.keep(&boundary);
    anchors(&mut node, 2..=3, 2, 0);
    let sample = Sample::at(node, 210);
    let from = sample.node.chain.trust_root().digest();
    let mut walk = crate::boundary::walk(&sample.node.sync(), &sample.round, &from).unwrap().unwrap();
    // The old set signs the newest seal, which names the new set as the one at its end does.
    let late = sample.log.last(&sample.node.note(200, sample.target(), sample.log.root()));
    walk.steps[0].named = late.clone();
    let peer = sample.peer.copied("http://liar.example");
    peer.put_walk(from, &walk);
    assert_eq!(refused(&sample, &peer).0, SourceError::PastTheSet { size: sample.target() });
    peer.put_walk(from, &Walk { steps: Vec::new(), newest: Some(late) });
    assert_eq!(refused(&sample, &peer), (SourceError::Walk(WalkError::NotTheNewest), GENESIS));
}

#[test]
fn another_history_stops_everything() {
    let ours = Sample::new(1);
    for blocks in [1, 2, 5] {
        let mut node = AtRest::new();
        anchors(&mut node, 1..=blocks, 1, 1000);
        let theirs = Sample::at(node, 200);
        let mut behind = Behind::new(&ours.node.chain);
        behind.follow([ours.peer.source()]).unwrap();
        // Nobody else is asked: that would hide it.
        let error = behind.follow([theirs.peer.source(), ours.peer.source()]).unwrap_err();
        assert!(error.is_fatal());
        let CatchUpError::SplitView { size, ours: own, note, .. } = error else { panic!("{error}") };
        assert_eq!((size, own, note), (theirs.target(), ours.target(), theirs.round.note.clone()));
        behind.assert_same(ours.node.store.as_ref());
        behind.check();
    }
}

/// A quorum certifies this log, whatever is in it.
fn certified(sample: &Sample, entries: Vec<Vec<u8>>) -> Peer {
    let log = Log::of(entries);
    let newest = Some(log.last(&sample.node.note(200, log.size(), log.root())));
    Peer::of(&log, &[(sample.node.chain.trust_root().digest(), Walk { steps: Vec::new(), newest })])
}

#[test]
fn what_comes_out_otherwise_than_certified_is_not_kept_and_stops_the_node() {
    let sample = Sample::new(2);
    let first = usize::try_from(GENESIS + super::IN_A_BLOCK + 1).unwrap();
    let entries = &sample.log.entries;
    let seal = Seal::parse(entries.last().unwrap()).unwrap();
    let ending = |seal: Seal| {
        let mut entries = entries.clone();
        *entries.last_mut().unwrap() = seal.to_line().into_bytes();
        entries
    };
    let mut twice = entries.clone();
    twice.insert(first, entries[first].clone());
    let without = |place: usize| {
        let mut entries = entries.clone();
        entries.remove(place);
        entries
    };
    for (entries, height) in [
        (ending(Seal { state: sha256(b"another state"), ..seal }), 2),
        (ending(Seal { height: 3, ..seal }), 3),
        (ending(Seal { time: 1, ..seal }), 2),
        (twice, 2),
        (without(first), 2),
    ] {
        let mut behind = Behind::new(&sample.node.chain);
        let peer = certified(&sample, entries);
        let error = behind.follow([peer.source(), sample.peer.source()]).unwrap_err();
        assert_eq!((error.is_fatal(), error), (true, CatchUpError::Diverges { height }));
        assert_eq!(behind.size(), GENESIS + super::IN_A_BLOCK + 1, "the block before is sound, and stays");
        behind.check();
        // With a program that agrees, it goes on.
        assert_eq!(behind.follow([sample.peer.source()]), Ok(Some(sample.round.clone())));
    }
}

#[test]
fn certified_entries_that_cannot_be_read_stop_the_node() {
    let sample = Sample::new(2);
    let place = sample.log.entries.len() - 2;
    for nonsense in [b"eNonsense".as_slice(), b"", b"\xff\xff", b"{\"type\":\"seal\"}"] {
        let mut entries = sample.log.entries.clone();
        entries[place] = nonsense.to_vec();
        let mut behind = Behind::new(&sample.node.chain);
        let error = behind.follow([certified(&sample, entries).source()]).unwrap_err();
        assert!(error.is_fatal());
        let CatchUpError::Unreadable { index, .. } = error else { panic!("{error}") };
        assert_eq!((index, behind.size()), (u64::try_from(place).unwrap(), GENESIS));
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let sample = Sample::new(1);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let endless = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _head = stream.read(&mut [0; 4096]);
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'{'; 65_536]).is_ok() {}
    });
    let config = FetchConfig { allow_private: vec![host.clone()], allow_plain: true, ..FetchConfig::default() };
    let fetch = Arc::new(Fetcher::new(&config).unwrap());
    let mut behind = Behind::new(&sample.node.chain);
    let error = behind.follow([Source::peer(fetch, &format!("http://{host}"))]).unwrap_err();
    let CatchUpError::NoSource(failures) = error else { panic!("{error}") };
    assert!(matches!(failures[0].1, SourceError::Fetch(FetchError::TooLarge { .. })), "{failures:?}");
    endless.join().unwrap();
}

#[test]
fn a_directory_may_not_be_endless_either() {
    let sample = Sample::new(1);
    let directory = tempfile::tempdir().unwrap();
    let walk = directory.path().join(crate::catch_up::source::walk_file(&sample.node.chain.trust_root().digest()));
    std::fs::create_dir_all(walk.parent().unwrap()).unwrap();
    std::fs::write(&walk, vec![b'{'; 9 * 1024 * 1024]).unwrap();
    let refused = || {
        let error = Behind::new(&sample.node.chain).follow([Source::directory(directory.path())]).unwrap_err();
        let CatchUpError::NoSource(mut failures) = error else { panic!("{error}") };
        failures.pop().unwrap().1
    };
    assert!(matches!(refused(), SourceError::TooLong { .. }));
    // What is no file is not read: a pipe would be waited for.
    std::fs::remove_file(&walk).unwrap();
    std::fs::create_dir(&walk).unwrap();
    assert!(matches!(refused(), SourceError::File { .. }));
}
