//! Starting a node's data from a file that somebody else wrote.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use identity_core::registry::{VALIDATORS, Validators};
use identity_core::time::UnixSeconds;
use ledger::snapshot::{Header, Malformed, Reader};
use ledger::tile::edge_tiles;
use ledger::tree::leaf_hash;
use ledger::{Hash, TrustRoot, sha256};
use service_kit::store::{Batch, Range, Store, StoreError};
use tokio::runtime::Handle;

use super::SnapshotError;
use super::way::{Target, follow};
use crate::catch_up::{Progress, Watch};
use crate::chain::Chain;
use crate::executor::first_seal;
use crate::store::{
    CHECKPOINT, FLOOR, Floor, GENESIS, HEAD, Head, STARTING, Stored, SyncStore, TreeBuilder, boundary_key,
    first_of_last_bundle, leaf_key, step_key, tile_bytes, tile_key, value_key,
};

/// Bytes written in one batch: few commits, and little in memory.
const BATCH: usize = 4 * 1024 * 1024;
/// Keys removed in one batch.
const PAGE: usize = 1024;

/// Where a node has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its head.
    pub head: Head,
    /// Pairs of its state.
    pub pairs: u64,
    /// When the head was certified, by the rule that verifiers apply.
    pub at: UnixSeconds,
}

/// Takes a snapshot into an empty store, after all of it was verified. `trust_root` is one that is known to be kept up to
/// date; without one the genesis file alone says whom to believe. Blocking: nothing else may use the store.
///
/// # Errors
/// [`SnapshotError`]; the store is as empty as before, unless it cannot be written any more: then the next call empties it.
pub fn start_from(
    store: Arc<dyn Store>,
    chain: &Chain,
    file: &Path,
    trust_root: Option<&TrustRoot>,
    runtime: &Handle,
    watch: &mut dyn Watch,
) -> Result<Started, SnapshotError> {
    let store = SyncStore::new(store, runtime.clone());
    if store.get(STARTING)?.is_some() {
        empty(&store)?;
    } else if !store.scan(Range::all(), 1)?.is_empty() {
        return Err(SnapshotError::NotEmpty);
    }
    let open = || {
        let file = File::open(file).map_err(|error| SnapshotError::File { path: file.to_owned(), error })?;
        Ok(Reader::begin(BufReader::new(file))?)
    };
    let (mut reader, header) = open()?;
    let verified = Verified::of(chain, &header, &mut reader, trust_root)?;
    let mut count = |done: u64, bytes: u64| watch.progressed(Progress { entries: done, of: header.pairs, bytes });
    let mut ignore = |_: &Hash, _: &[u8], _: Vec<Stored>| Ok(());
    verified.check_state(header.pairs, reader, &mut ignore)?;

    // The second time; whoever changed the file meanwhile is found out as the first time.
    let taken = open().and_then(|(mut reader, again)| {
        let same = again == header && Verified::of(chain, &again, &mut reader, trust_root)? == verified;
        if !same {
            return Err(Malformed("it was changed while it was read").into());
        }
        store.commit(Batch::new().put_new(STARTING, b"").require_absent(HEAD))?;
        let mut taking = Taking { store: &store, height: verified.target.head.height, batch: Batch::new(), bytes: 0 };
        let (mut done, mut bytes) = (0_u64, 0_u64);
        verified.check_state(header.pairs, reader, &mut |key, value, nodes| {
            done = done.saturating_add(1);
            bytes = bytes.saturating_add(u64::try_from(value.len()).unwrap_or(u64::MAX));
            count(done, bytes);
            taking.put(key, value, nodes)
        })?;
        let last = taking.batch;
        store.commit(verified.last_batch(chain, &header, &first_seal(&store, chain)?, last)?)?;
        Ok(())
    });
    if let Err(error) = taken {
        // Whether a last commit that broke is there is for the store to say.
        if store.get(STARTING)?.is_some() {
            empty(&store)?;
            return Err(error);
        }
        if store.get(HEAD)?.is_none() {
            return Err(error);
        }
    }
    let Target { head, at, .. } = verified.target;
    Ok(Started { head, pairs: header.pairs, at })
}

/// Takes a pair, with the nodes that it completes.
type Give<'a> = &'a mut dyn FnMut(&Hash, &[u8], Vec<Stored>) -> Result<(), SnapshotError>;

/// What of a snapshot is verified before its state is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Verified {
    target: Target,
    /// Those of the last bundle, by their log index.
    entries: BTreeMap<u64, Vec<u8>>,
}

impl Verified {
    /// Verifies way, edge and entries.
    fn of(
        chain: &Chain,
        header: &Header,
        reader: &mut Reader<BufReader<File>>,
        trust_root: Option<&TrustRoot>,
    ) -> Result<Self, SnapshotError> {
        let target = follow(chain, &header.way)?;
        if trust_root.is_some_and(|trust_root| !target.leads_through(trust_root)) {
            return Err(SnapshotError::OtherTrust);
        }
        let size = target.head.size;
        let frontier = header.frontier(size).ok_or(Malformed("its edge"))?;
        if frontier.root() != target.head.root {
            return Err(SnapshotError::FalseLog);
        }
        let mut entries = BTreeMap::new();
        for (place, index) in (first_of_last_bundle(size)..size).enumerate() {
            let entry = reader.entry()?;
            if header.leaf(place) != Some(&leaf_hash(&entry)) {
                return Err(SnapshotError::FalseEntry(index));
            }
            entries.insert(index, entry);
        }
        Ok(Self { target, entries })
    }

    /// Reads all pairs, hands each on with the nodes that it completes, and compares what they are together.
    fn check_state(
        &self,
        pairs: u64,
        mut reader: Reader<BufReader<File>>,
        give: Give<'_>,
    ) -> Result<(), SnapshotError> {
        let (mut builder, mut nodes) = (TreeBuilder::new(self.target.head.height), Vec::new());
        let validators = sha256(VALIDATORS.as_bytes());
        let mut sets = None;
        let mut last = None;
        for _ in 0..pairs {
            let (key, value) = reader.pair()?;
            let pushed = builder.push(key, sha256(&value), &mut |node| nodes.push(node));
            pushed.map_err(|_| Malformed("the order of its pairs"))?;
            if key == validators {
                sets = serde_json::from_slice::<Validators>(&value).ok();
            }
            if let Some((key, value)) = last.replace((key, value)) {
                give(&key, &value, std::mem::take(&mut nodes))?;
            }
        }
        reader.end()?;
        if builder.finish(&mut |node| nodes.push(node)) != self.target.head.state {
            return Err(SnapshotError::FalseState);
        }
        if !sets.is_some_and(|sets| self.target.agrees_with(&sets)) {
            return Err(SnapshotError::FalseSets);
        }
        match last {
            Some((key, value)) => give(&key, &value, nodes),
            None => Err(SnapshotError::FalseState),
        }
    }

    /// Everything but the state, with what is left of that: the batch that makes the store a node's data.
    fn last_batch(
        &self,
        chain: &Chain,
        header: &Header,
        (first, seal): &(u64, Vec<u8>),
        state: Batch,
    ) -> Result<Batch, SnapshotError> {
        let Target { head, shown, note, passed, .. } = &self.target;
        let floor = Floor {
            head: head.clone(),
            proof: shown.proof.clone(),
            entries: first_of_last_bundle(head.size),
            hashes: head.size,
            places: head.size,
        };
        let json = |done: Result<Vec<u8>, serde_json::Error>| {
            done.map_err(|_| StoreError::Misused("a record cannot be written down"))
        };
        // By key: a seal may stand here for several reasons.
        let mut puts = BTreeMap::from([
            (GENESIS.to_vec(), chain.genesis_file().to_vec()),
            (HEAD.to_vec(), json(serde_json::to_vec(head))?),
            (CHECKPOINT.to_vec(), note.as_bytes().to_vec()),
            (FLOOR.to_vec(), json(serde_json::to_vec(&floor))?),
            (leaf_key(*first), seal.clone()),
            (leaf_key(head.size.saturating_sub(1)), shown.seal.as_bytes().to_vec()),
        ]);
        for ((level, tile), hashes) in edge_tiles(head.size).zip(&header.edge) {
            puts.extend(tile.map(|tile| (tile_key(level, tile.index), tile_bytes(hashes))));
        }
        puts.extend(self.entries.iter().map(|(index, entry)| (leaf_key(*index), entry.clone())));
        for seal in passed {
            puts.insert(leaf_key(seal.index), seal.named.seal.as_bytes().to_vec());
            puts.insert(step_key(seal.index), seal.named.proof.as_bytes().to_vec());
            puts.insert(boundary_key(seal.index), seal.note.as_bytes().to_vec());
        }
        let batch = state.require_absent(HEAD).delete(STARTING);
        Ok(puts.into_iter().fold(batch, |batch, (key, value)| batch.put(key, value)))
    }
}

/// Writes the state as it comes.
struct Taking<'a> {
    store: &'a SyncStore,
    height: u64,
    batch: Batch,
    bytes: usize,
}

impl Taking<'_> {
    fn put(&mut self, key: &Hash, value: &[u8], nodes: Vec<Stored>) -> Result<(), SnapshotError> {
        let mut batch = std::mem::take(&mut self.batch).put(value_key(key, self.height), value);
        self.bytes = self.bytes.saturating_add(value.len());
        for node in nodes {
            self.bytes = self.bytes.saturating_add(node.bytes.len());
            batch = batch.put(node.key, node.bytes);
        }
        if self.bytes < BATCH {
            self.batch = batch;
            return Ok(());
        }
        self.bytes = 0;
        Ok(self.store.commit(batch)?)
    }
}

/// Removes everything of a start that was interrupted, its mark last.
fn empty(store: &SyncStore) -> Result<(), StoreError> {
    loop {
        let page = store.scan(Range::all(), PAGE)?;
        let others: Vec<_> = page.iter().filter(|(key, _)| key != STARTING).collect();
        if others.is_empty() {
            return store.commit(Batch::new().delete(STARTING));
        }
        let batch = others.into_iter().fold(Batch::new(), |batch, (key, _)| batch.delete(key.clone()));
        store.commit(batch)?;
    }
}
