//! A node that starts from a file, and one that drops its history: what both keep, whatever breaks or lies.

mod crashes;
mod lies;
mod pruning;
mod taking;

use std::path::PathBuf;
use std::sync::Arc;

use ledger::TrustRoot;
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Range, Store};
use tempfile::TempDir;

use super::{SnapshotError, Started, Written, snapshot, start_from};
use crate::catch_up::tests::{Behind, IN_A_BLOCK, Sample, Seen, anchors};
use crate::engine::Ordered;
use crate::executor::{Executor, Outcome};
use crate::fsck::{Finding, fsck};
use crate::prune::{PruneError, Pruned, prune};
use crate::store::CHECKPOINT;
use crate::tests::boundaries::AtRest;
use crate::tests::world::{anchor, later};

/// A node with a snapshot of it in a file.
struct Source {
    sample: Sample,
    directory: TempDir,
}

impl Source {
    /// Blocks that go beyond a few bundles.
    fn new(blocks: u64) -> Self {
        Self::of(Sample::new(blocks))
    }

    /// Another set of validators since block 1, and blocks after it.
    fn changed(blocks: u64) -> Self {
        let mut node = AtRest::new();
        node.decide();
        let boundary = node.certified(200);
        node.keep(&boundary);
        node.execute(2, Vec::new());
        anchors(&mut node, 3..=blocks, 2, 0);
        Self::of(Sample::at(node, 210))
    }

    /// The last block is the one whose seal names another set.
    fn at_a_boundary() -> Self {
        let mut node = AtRest::new();
        node.decide();
        let boundary = node.certified(200);
        node.keep(&boundary);
        Self::of(Sample::at(node, 200))
    }

    fn of(sample: Sample) -> Self {
        sample.node.put(CHECKPOINT, sample.round.note.as_bytes());
        let source = Self { sample, directory: TempDir::new().unwrap() };
        source.write().unwrap();
        source
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("snapshot")
    }

    fn write(&self) -> Result<Written, SnapshotError> {
        let node = &self.sample.node;
        snapshot(node.store.clone(), &node.chain, &self.file(), node.runtime.handle(), &mut Seen::default())
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    /// Takes these bytes into a store.
    fn take(&self, store: Arc<dyn Store>, bytes: &[u8]) -> Result<Started, SnapshotError> {
        self.take_trusting(store, bytes, None)
    }

    fn take_trusting(
        &self,
        store: Arc<dyn Store>,
        bytes: &[u8],
        trust: Option<&TrustRoot>,
    ) -> Result<Started, SnapshotError> {
        let path = self.directory.path().join("taken");
        std::fs::write(&path, bytes).unwrap();
        let node = &self.sample.node;
        start_from(store, &node.chain, &path, trust, node.runtime.handle(), &mut Seen::default())
    }

    /// A node that has started from the file as it is.
    fn started(&self) -> Behind {
        let store = Arc::new(MemoryStore::new());
        self.take(store.clone(), &self.bytes()).unwrap();
        Behind::over(&self.sample.node.chain, store)
    }

    fn all(&self, store: &dyn Store) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.sample.node.runtime.block_on(store.scan(Range::all(), usize::MAX)).unwrap()
    }

    fn check(&self, store: Arc<dyn Store>) -> Result<(), Finding> {
        fsck(store, &self.sample.node.chain, self.sample.node.runtime.handle().clone()).map(|_| ())
    }

    fn prune(&self, store: Arc<dyn Store>, keep: u64) -> Result<Pruned, PruneError> {
        prune(store, &self.sample.node.chain, keep, self.sample.node.runtime.handle())
    }
}

/// A block more, of transactions that begin with this number.
fn more(executor: &mut Executor, node: &AtRest, first: u64) -> Vec<Outcome> {
    let height = executor.head().height + 1;
    let transactions = (first..first + 5).map(|seq| node.signed(10, seq, &anchor(seq))).collect();
    let time = later(i64::try_from(height).unwrap());
    let outcomes = executor.execute(&Ordered { height, time, transactions }).unwrap();
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn sources() -> Vec<(Source, u64)> {
    vec![
        (Source::new(1), IN_A_BLOCK + 1),
        (Source::new(9), 9 * IN_A_BLOCK + 1),
        (Source::changed(9), 7 * IN_A_BLOCK + 2),
        (Source::at_a_boundary(), 2),
    ]
}
