//! What a node answers that does not keep all of the history.

use std::sync::Arc;

use ledger::walk::{Walk, Walked};
use ledger::{LogProof, StateProof, TimeProof};
use serde_json::json;
use service_kit::clock::ManualClock;
use service_kit::store::Store;
use service_kit::store::memory::MemoryStore;
use tokio::runtime::Handle;

use super::world::{Founded, NOW, Served};
use crate::catch_up::tests::Seen;
use crate::prune::prune;
use crate::snapshot::{snapshot, start_from};
use crate::{Ports, start};

/// Transactions in the log, each in a block of its own, after the genesis block of three entries.
const SENT: u64 = 140;
const SIZE: u64 = 3 + 2 * SENT;

async fn serve(founded: Founded, store: Arc<dyn Store>) -> Served {
    let clock = Arc::new(ManualClock::at(NOW.plus(1)));
    let running = start(&founded.config, Ports { store, clock: clock.clone() }).await.unwrap();
    Served { founded, clock, running }
}

/// Blocks the thread, so on another than the runtime's.
async fn at_rest<T: Send + 'static>(act: impl FnOnce(&Handle) -> T + Send + 'static) -> T {
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || act(&handle)).await.unwrap()
}

/// A node with more than a bundle of entries, and the digest of its first transaction.
async fn grown() -> (Founded, Arc<MemoryStore>, String) {
    let store = Arc::new(MemoryStore::new());
    let served = serve(Founded::new(), store.clone()).await;
    let mut first = None;
    for seq in 1..=SENT {
        let answer = served.submit(&served.founded.anchor(seq)).await;
        first.get_or_insert(answer.json()["digest"].as_str().unwrap().to_owned());
    }
    served.running.node().tick().await;
    served.running.stop().await;
    (served.founded, store, first.unwrap())
}

/// It goes on: what is new is accepted and proven, the state and the way to its validators are.
async fn check_it_goes_on(served: &Served) {
    let trust_root = served.founded.trust_root();
    let new = served.founded.anchor(SENT + 1);
    let next = served.running.node().executed().size;
    let answer = served.submit(&new).await.json();
    assert_eq!(answer["index"], next, "{answer}");
    let proof = LogProof::parse(answer["proof"].as_str().unwrap()).unwrap();
    proof.verify(&trust_root, new.as_bytes()).unwrap();
    let did = served.founded.department.did();
    let state = served.get(&format!("/proofs/state?key=did/{did}")).await;
    assert!(StateProof::parse(&state.body).unwrap().verify(&trust_root).unwrap().value().is_some());
    let history = served.get(&format!("/1.0/identifiers/{did}?versionId=2")).await;
    assert_eq!(history.status, 200, "as of an index from before: {}", history.text());
    let walk = served.get(&format!("/trust/walk?from={}", trust_root.digest().to_base64url())).await;
    assert!(Walked::from(trust_root.clone()).along(&Walk::parse(&walk.body).unwrap()).unwrap().has_arrived());
    // A time after what is gone is shown: until the new block, the last seal but one was the newest.
    let time = u64::try_from(served.running.node().executed().time.0).unwrap() - 1;
    let shown = served.get(&format!("/proofs/time?at={time}")).await;
    let moment = TimeProof::parse(&shown.body).unwrap().verify(&trust_root, time).unwrap();
    assert_eq!(moment.index(), next - 1);
    // The bundle that was not full is served, full or not, and so is the edge.
    let width = SIZE - 256;
    let partial = [format!("/tile/entries/001.p/{width}"), format!("/tile/0/001.p/{width}")];
    for path in partial.iter().map(String::as_str).chain(["/tile/1/000.p/1", "/checkpoint"]) {
        assert_eq!(served.get(path).await.status, 200, "{path}");
    }
}

/// The pages say that older history is gone, and show what is there.
async fn check_pages(served: &Served) {
    let gone = "This node keeps the log from entry 256 on.";
    let entry = served.get("/console/transactions/3").await;
    assert_eq!(entry.status, 410);
    assert!(entry.text().contains(gone), "{}", entry.text());
    assert_eq!(served.get("/console/transactions/257").await.status, 200);
    let list = served.get("/console/transactions?before=262").await;
    assert!(list.text().contains(gone) && list.text().contains("credentials · 1 digest(s)"), "{}", list.text());
    let did = served.founded.department.did();
    let did = served.get(&format!("/console/dids?did={did}")).await;
    assert!(did.text().contains("The DID was created.") && did.text().contains("not kept here"), "{}", did.text());
    assert!(did.text().contains("Listed are duties given from log entry 256 on"), "{}", did.text());
    assert!(served.get("/console/").await.text().contains("Log kept here from entry"));
}

/// What is asked for is gone; its like is kept from this log entry on.
async fn check_gone(served: &Served, path: &str, from: u64) {
    let answer = served.get(path).await;
    assert_eq!((answer.status, answer.code().as_str()), (410, "ledger.pruned"), "{path}: {}", answer.text());
    assert_eq!(answer.json()["detail"], kept_from(from), "{path}");
}

fn kept_from(entry: u64) -> String {
    format!("kept here from log entry {entry} on; ask another member's node")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_node_names_what_is_gone_and_keeps_places_and_proofs() {
    let (founded, store, digest) = grown().await;
    let (chain, pruned) = (founded.chain(), store.clone());
    at_rest(move |runtime| prune(pruned, &chain, 0, runtime)).await.unwrap();
    let served = serve(founded, store).await;
    check_gone(&served, "/tile/entries/000", 256).await;
    check_gone(&served, &format!("/proofs/time?at={}", NOW.plus(1).to_millis().0), 256).await;
    assert_eq!(served.get("/status").await.json()["kept_from"], 256);
    let first = served.founded.anchor(1);
    let proof = served.get("/proofs/log/3").await;
    let proof = LogProof::parse(proof.text()).unwrap();
    proof.verify(&served.founded.trust_root(), first.as_bytes()).unwrap();
    assert_eq!(served.get("/tile/0/000").await.body.len(), 256 * 32);
    let again = served.submit(&first).await.json();
    assert_eq!((&again["index"], &again["digest"]), (&3.into(), &digest.clone().into()));
    assert!(again["proof"].is_string());
    assert_eq!(served.get(&format!("/transactions/{digest}")).await.json()["index"], 3);
    check_it_goes_on(&served).await;
    check_pages(&served).await;
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_started_from_a_snapshot_says_what_it_never_had() {
    let (founded, source, digest) = grown().await;
    let (chain, file, store) = (founded.chain(), founded.path("snapshot"), Arc::new(MemoryStore::new()));
    let taken = store.clone();
    at_rest(move |runtime| {
        snapshot(source, &chain, &file, runtime, &mut Seen::default()).unwrap();
        start_from(taken, &chain, &file, Some(chain.trust_root()), runtime, &mut Seen::default()).unwrap();
    })
    .await;
    let served = serve(founded, store).await;
    for path in ["/tile/entries/000", "/tile/0/000", "/proofs/log/3"] {
        check_gone(&served, path, 256).await;
    }
    let by_digest = format!("/transactions/{digest}");
    check_gone(&served, &by_digest, SIZE).await;
    let again = served.submit(&served.founded.anchor(1)).await;
    assert_eq!((again.status, again.code().as_str()), (410, "ledger.pruned"), "{}", again.text());
    assert_eq!(again.json()["detail"], kept_from(SIZE));
    // It was refused just now, for the number that it may have taken itself.
    check_gone(&served, &by_digest, SIZE).await;
    let many = [served.founded.anchor(2), "hello".to_owned()].join("\n");
    let many = served.post("/transactions/batch", "text/plain", &many).await.json();
    assert_eq!(many["results"][0], json!({"code": "ledger.pruned", "detail": kept_from(SIZE)}));
    assert_eq!(many["results"][1]["code"], "registry.transaction.malformed");
    let early = served.submit(&served.founded.anchor(SENT + 9)).await;
    assert_eq!(early.code(), "registry.transaction.sequence", "that one was never there");
    check_it_goes_on(&served).await;
    check_pages(&served).await;
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_writes_a_snapshot_that_another_starts_from() {
    let mut founded = Founded::new();
    let file = founded.path("snapshot");
    founded.config.snapshot = file.clone();
    let served = serve(founded, Arc::new(MemoryStore::new())).await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    // While it takes transactions.
    for seq in 1.. {
        assert!(std::time::Instant::now() < until, "there is no snapshot");
        assert_eq!(served.submit(&served.founded.anchor(seq)).await.status, 200);
        if file.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (chain, store) = (served.founded.chain(), Arc::new(MemoryStore::new()));
    let started = at_rest(move |runtime| start_from(store, &chain, &file, None, runtime, &mut Seen::default())).await;
    assert!(started.unwrap().head.size <= served.running.node().executed().size);
    served.running.stop().await;
}
