//! Whoever submits while a validator still catches up is answered, whether the transaction is on the ledger already or not.

use std::sync::Arc;
use std::time::Duration;

use identity_core::registry::Transaction;
use service_kit::fetch::{Fetch, FetchConfig, Fetcher};
use service_kit::key_guard::KeyGuard;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::world::{Served, memory};
use crate::catch_up::{Source, Sources};
use crate::executor::{Executor, Outcome};
use crate::node::{Node, Parts};
use crate::ordering::Ordering;
use crate::store::SyncStore;
use crate::tenure::Tenure;

/// Far more than catching up with three blocks takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn source(url: &str) -> Source {
    let host = url.strip_prefix("http://").unwrap().to_owned();
    let config = FetchConfig { allow_private: vec![host], allow_plain: true, ..FetchConfig::default() };
    let fetch: Arc<dyn Fetch> = Arc::new(Fetcher::new(&config).unwrap());
    Source::peer(fetch, url)
}

/// The same validator with an empty store, as after its disk was replaced; it knows whom to ask.
fn emptied(served: &Served) -> (Arc<Node>, Tenure) {
    let store = memory();
    let chain = served.founded.chain();
    let executor = Executor::open(SyncStore::new(store.clone(), Handle::current()), chain.clone()).unwrap();
    let parts = Parts {
        chain,
        store,
        clock: served.clock.clone(),
        evidence: served.founded.path("evidence"),
        runtime: Handle::current(),
    };
    let node = Arc::new(Node::new(parts, executor.head().clone(), None));
    let ordering = Ordering::new(served.founded.config.clone(), KeyGuard::plain(), served.clock.clone());
    let sources = Sources::new(vec![source(&served.running.url)]);
    (Arc::clone(&node), Tenure::new(node, ordering, executor, sources))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_submits_to_a_validator_that_catches_up_is_answered() {
    let served = Served::new().await;
    for seq in [1, 2] {
        assert_eq!(served.submit(&served.founded.anchor(seq)).await.status, 200);
    }
    let early = [1, 3].map(|seq| Transaction::parse(&served.founded.anchor(seq)).unwrap());
    let (node, mut tenure) = tokio::task::block_in_place(|| emptied(&served));
    let first = tokio::task::block_in_place(|| tenure.enter()).unwrap();
    let answers = early.map(|transaction| node.desk.submit(transaction).unwrap());
    let working = std::thread::spawn(move || tenure.run(first));
    let mut indexes = Vec::new();
    for answer in answers {
        let answer = timeout(PATIENCE, answer).await.expect("nobody is left waiting").unwrap();
        let Outcome::Accepted(place) = answer else { panic!("{answer:?}") };
        indexes.push(place.index);
    }
    let head = served.running.node().executed();
    assert!(indexes[0] < head.size, "that one was there already, at {}", indexes[0]);
    assert_eq!(indexes[1], head.size, "that one comes next");
    node.desk.close();
    tokio::task::spawn_blocking(move || working.join()).await.unwrap().unwrap();
    served.running.stop().await;
}
