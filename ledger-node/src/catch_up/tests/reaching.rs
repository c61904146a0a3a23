//! The head is reached.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use service_kit::fetch::{Answer, Fetch, FetchConfig, FetchError, Fetcher, Fetching, Request};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{Behind, GENESIS, IN_A_BLOCK, Peer, Sample, Seen, anchors};
use crate::catch_up::{CatchUpError, CaughtUp, Source, SourceError, Standing, catch_up};
use crate::fsck::fsck;
use crate::store::{CHECKPOINT, boundary_key};
use crate::tests::boundaries::AtRest;
use crate::tests::world::{Served, memory};

fn fetcher(url: &str) -> Arc<Fetcher> {
    let host = url.strip_prefix("http://").unwrap().to_owned();
    let config = FetchConfig { allow_private: vec![host], allow_plain: true, ..FetchConfig::default() };
    Arc::new(Fetcher::new(&config).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_reaches_a_served_node_and_goes_on_after_more_blocks() {
    let served = Served::new().await;
    let store = memory();
    let url = served.running.url.clone();
    let (chain, fetch) = (served.founded.chain(), fetcher(&url));
    let mut seq = 0;
    for more in [0, 3, 1] {
        for _ in 0..more {
            seq += 1;
            assert_eq!(served.submit(&served.founded.anchor(seq)).await.status, 200);
        }
        let (store, chain, source) = (store.clone(), chain.clone(), Source::peer(fetch.clone(), &url));
        let head = served.running.node().executed();
        let (reached, sound) = tokio::task::spawn_blocking(move || {
            let mut seen = Seen::default();
            let reached = catch_up(store.clone(), &chain, vec![source], &Handle::current(), &mut seen).unwrap();
            assert_eq!(seen.complaints, []);
            (reached, fsck(store, &chain, Handle::current()).unwrap())
        })
        .await
        .unwrap();
        let CaughtUp { from, head: ours, bytes } = reached;
        assert_eq!((&ours, &sound.head, from.size + more * 2), (&head, &head, head.size));
        assert_eq!((bytes > 0, sound.checkpoint), (true, more > 0), "the note is kept with its block");
    }
    served.running.stop().await;
}

/// Never answers.
struct Silent;

impl Fetch for Silent {
    fn send(&self, _: Request) -> Fetching<'_> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_source_that_takes_too_long_is_passed_over() {
    let sample = Sample::new(3);
    let behind = Behind::new(&sample.node.chain);
    let standing = Standing::of(&behind.executor()).unwrap();
    let silent = Source::peer(Arc::new(Silent), "https://silent.example");
    let mut sources = Behind::sources([silent, sample.peer.source()]);
    behind.runtime.block_on(async {
        assert!(timeout(Duration::from_millis(50), sources.next_blocks(&standing)).await.is_err());
        sources.pass_over();
        assert!(sources.next_blocks(&standing).await.unwrap().is_some(), "the other one is asked now");
    });
}

#[test]
fn blocks_that_straddle_chunks_come_out_the_same() {
    let sample = Sample::new(9);
    assert!(sample.target() > 512, "three bundles: {}", sample.target());
    let mut behind = Behind::new(&sample.node.chain);
    let round = behind.follow([sample.peer.source()]).unwrap();
    assert_eq!(round.as_ref(), Some(&sample.round));
    behind.assert_same(sample.node.store.as_ref());
    behind.check();
    assert_eq!(behind.get(CHECKPOINT).unwrap(), sample.round.note.as_bytes());
    let sizes: Vec<u64> = behind.seen.progress.iter().map(|progress| progress.entries).collect();
    assert!(sizes.iter().copied().eq((1..=9).map(|block| GENESIS + block * (IN_A_BLOCK + 1))), "{sizes:?}");
    let read: BTreeSet<u64> = behind.seen.progress.iter().map(|progress| progress.bytes).collect();
    assert_eq!(read.len(), 3, "chunk by chunk");
    assert!(behind.seen.progress.iter().all(|progress| progress.of == sample.target()));
    // Whoever is there has nothing to do.
    assert_eq!(behind.follow([sample.peer.source()]), Ok(None));
}

#[test]
fn a_change_of_validators_is_followed_where_our_own_state_says_so() {
    let mut node = AtRest::new();
    node.decide();
    let boundary = node.certified(200);
    node.keep(&boundary);
    anchors(&mut node, 2..=6, 2, 0);
    let sample = Sample::at(node, 210);
    // What the boundary's checkpoint has of partial files, as an export keeps them.
    sample.peer.put_tiles(&sample.log, boundary.head.size);
    let mut behind = Behind::new(&sample.node.chain);
    assert_eq!(behind.follow([sample.peer.source()]), Ok(Some(sample.round.clone())));
    behind.assert_same(sample.node.store.as_ref());
    behind.check();
    assert_eq!(behind.get(&boundary_key(boundary.head.size - 1)).unwrap(), boundary.note.as_bytes());
    assert_eq!(behind.seen.progress[0].of, boundary.head.size, "the first target is the end of the first set");
    // Where the partial bundle is gone, the full one that grew from it serves.
    sample.peer.remove(&format!("tile/entries/000.p/{}", boundary.head.size));
    let mut other = Behind::new(&sample.node.chain);
    assert_eq!(other.follow([sample.peer.source()]), Ok(Some(sample.round)));
}

#[test]
fn a_source_that_fails_is_named_and_the_next_one_helps() {
    let sample = Sample::new(5);
    let broken = sample.peer.copied("http://broken.example");
    broken.change("tile/entries/001.p/52", |bytes| *bytes.last_mut().unwrap() ^= 1);
    let gone = Source::directory("/nowhere/at/all");
    let mut behind = Behind::new(&sample.node.chain);
    let round = behind.follow([gone, broken.source(), sample.peer.source()]).unwrap();
    assert_eq!(round, Some(sample.round.clone()));
    let complaints: Vec<_> =
        behind.seen.complaints.iter().map(|(name, error)| (name.as_str(), error.clone())).collect();
    let no_directory =
        SourceError::File { path: "/nowhere/at/all".into(), reason: "there is no such directory".into() };
    assert_eq!(complaints[0], ("/nowhere/at/all", no_directory));
    let false_entries = SourceError::FalseEntries { from: 256, to: sample.target() - 1 };
    assert!(complaints.contains(&("http://broken.example", false_entries)), "{complaints:?}");
    behind.assert_same(sample.node.store.as_ref());
}

#[test]
fn a_source_that_is_behind_has_nothing_to_give() {
    let (short, long) = (Sample::new(1), Sample::new(2));
    let mut behind = Behind::new(&long.node.chain);
    assert_eq!(behind.follow([long.peer.source()]), Ok(Some(long.round.clone())));
    assert_eq!(behind.follow([short.peer.source()]), Ok(None));
    assert_eq!(behind.size(), long.target());
}

#[test]
fn a_peer_that_counts_its_readers_is_waited_for_but_not_for_ever() {
    let sample = Sample::new(1);
    *sample.peer.excuses.lock().unwrap() = 4;
    let mut behind = Behind::new(&sample.node.chain);
    assert_eq!(behind.follow([sample.peer.source()]), Ok(Some(sample.round.clone())));
    *sample.peer.excuses.lock().unwrap() = 5;
    let mut behind = Behind::new(&sample.node.chain);
    let error = behind.follow([sample.peer.source()]).unwrap_err();
    let CatchUpError::NoSource(failures) = error else { panic!("{error}") };
    assert!(matches!(failures[0].1, SourceError::Fetch(FetchError::Refused { status: 429, .. })), "{failures:?}");
}

/// A peer that keeps the entries from its second bundle on.
struct Pruned(Peer);

impl Fetch for Pruned {
    fn send(&self, request: Request) -> Fetching<'_> {
        if !request.url.ends_with("/tile/entries/000") {
            return self.0.send(request);
        }
        let host = "peer.example".to_owned();
        let gone = Answer { host, status: 410, kind: String::new(), retry_after: None, body: Vec::new() };
        Box::pin(async move { Ok(gone) })
    }
}

#[test]
fn a_source_that_dropped_its_history_is_named_and_another_is_asked() {
    let sample = Sample::new(9);
    let mut behind = Behind::new(&sample.node.chain);
    let pruned =
        || Source::peer(Arc::new(Pruned(sample.peer.copied("http://pruned.example"))), "http://pruned.example");
    let alone = behind.follow([pruned()]).unwrap_err();
    let expected = SourceError::Pruned("tile/entries/000".into());
    let named = vec![("http://pruned.example".to_owned(), expected)];
    assert_eq!(alone, CatchUpError::NoSource(named.clone()));
    behind.seen.complaints.clear();
    assert_eq!(behind.follow([pruned(), sample.peer.source()]), Ok(Some(sample.round.clone())));
    assert_eq!(behind.seen.complaints, named);
    // Whoever needs nothing of what is gone is served by it alone.
    assert_eq!(behind.follow([pruned()]), Ok(None));
}
