//! `fsck` finds every kind of damage, and a node refuses to start on what it can see.

use std::sync::Arc;

use service_kit::store::memory::MemoryStore;
use service_kit::store::{Batch, Range, Store as _};
use tokio::runtime::Runtime;

use super::world::{Founded, later};
use crate::engine::Ordered;
use crate::executor::Executor;
use crate::fsck::{Finding, fsck};
use crate::store::{CHECKPOINT, HEAD, SyncStore};

/// A small node at rest, whose store lets itself be damaged.
struct AtRest {
    runtime: Runtime,
    founded: Founded,
    store: Arc<MemoryStore>,
}

impl AtRest {
    fn new() -> Self {
        let (runtime, founded, store) = (Runtime::new().unwrap(), Founded::new(), Arc::new(MemoryStore::new()));
        let sync = SyncStore::new(store.clone(), runtime.handle().clone());
        let mut executor = Executor::open(sync, founded.chain()).unwrap();
        let anchor = |seq| identity_core::registry::Transaction::parse(&founded.anchor(seq)).unwrap();
        for height in 1..=3 {
            // The last block has one beside that is refused: not in its turn.
            let out_of_turn = (height == 3).then(|| anchor(9));
            let transactions = std::iter::once(anchor(height)).chain(out_of_turn).collect();
            let time = later(i64::try_from(height).unwrap());
            executor.execute(&Ordered { height, time, transactions }).unwrap();
        }
        Self { runtime, founded, store }
    }

    fn check(&self) -> Result<crate::fsck::Report, Finding> {
        fsck(self.store.clone(), &self.founded.chain(), self.runtime.handle().clone())
    }

    fn all(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.runtime.block_on(self.store.scan(Range::all(), usize::MAX)).unwrap()
    }

    fn put(&self, key: &[u8], value: &[u8]) {
        self.runtime.block_on(self.store.commit(Batch::new().put(key, value))).unwrap();
    }

    fn delete(&self, key: &[u8]) {
        self.runtime.block_on(self.store.commit(Batch::new().delete(key))).unwrap();
    }
}

#[test]
fn every_flipped_value_is_found_and_most_are_named_to_the_byte() {
    let node = AtRest::new();
    assert_eq!(node.check().unwrap().entries, 9);
    let is_refusal = |key: &[u8]| key.starts_with(b"refused/");
    assert!(node.all().iter().any(|(key, _)| is_refusal(key)));
    for (key, value) in node.all() {
        for place in [0, value.len() / 2, value.len() - 1] {
            let mut flipped = value.clone();
            flipped[place] ^= 1;
            node.put(&key, &flipped);
            let finding = node.check().expect_err(&String::from_utf8_lossy(&key));
            if key.starts_with(b"tile/") || key.starts_with(b"value/") {
                assert!(matches!(&finding, Finding::Item { byte, .. } if *byte == place), "{finding}");
            }
            node.put(&key, &value);
        }
        node.delete(&key);
        // Nothing else says that a transaction was ever refused.
        assert_eq!(node.check().is_ok(), is_refusal(&key), "{} missing", String::from_utf8_lossy(&key));
        node.put(&key, &value);
    }
    assert!(node.check().is_ok());
}

#[test]
fn leftovers_and_false_checkpoints_are_found() {
    let node = AtRest::new();
    let unknown =
        ["leaf/\0\0\0\0\0\0\0\u{9}", "leaf/\0\0\0\0\0\0\0\u{1}x", "x", "headx", "refused/x", "step/x", "boundary/x"];
    for area in unknown.into_iter().chain(["node/x", "value/x", "tx/x", "tile/x"]) {
        node.put(area.as_bytes(), b"x");
        assert!(matches!(node.check(), Err(Finding::Leftover(_))), "{area:?}");
        node.delete(area.as_bytes());
    }
    node.put(CHECKPOINT, b"xinfu/sample/00\n1\nAAAA\n\n");
    assert!(matches!(node.check(), Err(Finding::Checkpoint(_))));
}

#[test]
fn a_damaged_edge_stops_the_start() {
    let node = AtRest::new();
    let sync = || SyncStore::new(node.store.clone(), node.runtime.handle().clone());
    for (key, value) in node.all().into_iter().filter(|(key, _)| key.starts_with(b"tile/") || key == HEAD) {
        let mut flipped = value.clone();
        let place = flipped.len() - 3;
        flipped[place] ^= 1;
        node.put(&key, &flipped);
        assert!(Executor::open(sync(), node.founded.chain()).is_err());
        node.put(&key, &value);
    }
    assert!(Executor::open(sync(), node.founded.chain()).is_ok());
}

#[test]
fn founding_twice_or_with_bad_founders_is_refused() {
    let founded = Founded::new();
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(founded.path(name)).unwrap().permissions().mode() & 0o777
    };
    for key in ["log", "witness", "operator", "relay", "recovery"] {
        assert_eq!(mode(&format!("keys/{key}.jwk")), 0o600);
    }
    let mut rng = service_kit::chance::system_rng().unwrap();
    let options = |directory: std::path::PathBuf, create: &str| crate::InitOptions {
        directory,
        chain: "sample".into(),
        operator: "Sample".into(),
        label: None,
        url: None,
        founders: vec![crate::Founder { name: "Other".into(), create: create.into() }],
        config: crate::Config::default(),
        peer: None,
        others: Vec::new(),
    };
    let again = options(founded.path(""), founded.department.as_str());
    assert!(matches!(crate::init(&again, later(0), &mut rng), Err(crate::InitError::Exists(_))));
    let bad = options(founded.path("new"), "hello");
    assert!(matches!(crate::init(&bad, later(0), &mut rng), Err(crate::InitError::Create { .. })));
    assert!(!founded.path("new").exists());
}
