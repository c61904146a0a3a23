//! Checks a node's data at rest, byte for byte, believing nothing in it but the genesis file.
//!
//! Every block is executed again from the log's own entries, with every signature checked again; each seal, tile,
//! state node, value, place and the last checkpoint is recomputed and compared. The first thing that differs is
//! named, and so is whatever stands where no block writes (`census`).
//!
//! Where a node has a floor, what stands there is proven instead (`base`), and executing begins after it.

mod base;
mod census;

use std::collections::BTreeMap;
use std::sync::Arc;

use identity_core::registry::{self, Block, NotApplied, Transaction, WriteSet};
use identity_core::time::UnixMillis;
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::tile::{WIDTH, edge_tiles, full_tiles};
use ledger::{Hash, Seal, TrustRoot};
use service_kit::store::{Batch, Range, Store, StoreError, Write};
use tokio::runtime::Handle;

use crate::chain::Chain;
use crate::store::{
    CHECKPOINT, Edge, Floor, HEAD, Head, Holds, PRUNING, Place, STARTING, SyncStore, VersionedState, boundary_key,
    leaf_key, place_key, update,
};
use census::Census;

/// Entries read from the store at a time.
const PAGE: usize = 1024;

/// What a sound node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The last block.
    pub head: Head,
    /// Log entries checked.
    pub entries: u64,
    /// State nodes and values checked.
    pub state_items: u64,
    /// Whether a published checkpoint was kept; it is checked if so.
    pub checkpoint: bool,
}

/// The first thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// The store itself cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(#[from] StoreError),
    /// There is no chain in the store.
    #[error("the store holds no chain")]
    Empty,
    /// The data is of another chain.
    #[error("the data belongs to a chain with another genesis file")]
    OtherChain,
    /// A log entry differs from what execution gives, from this byte on.
    #[error("log entry {index} (block {height}) is wrong from byte {byte}: {what}")]
    Entry {
        /// Its leaf index.
        index: u64,
        /// Its block.
        height: u64,
        /// First byte that differs; 0 where the whole entry is refused.
        byte: usize,
        /// What is wrong.
        what: String,
    },
    /// Something stored beside the log differs, from this byte on, or is missing.
    #[error("{what} is wrong from byte {byte}")]
    Item {
        /// What.
        what: String,
        /// First byte that differs.
        byte: usize,
    },
    /// Something stored that no block made.
    #[error("{0} was not made by any block")]
    Leftover(String),
    /// The published checkpoint does not certify this log.
    #[error("the published checkpoint is wrong: {0}")]
    Checkpoint(String),
    /// The block that this node's history begins with is not proven by what is kept of it.
    #[error("the block that the history begins with here is not proven: {0}")]
    Floor(String),
    /// A pruning or a start from a snapshot did not come to its end.
    #[error("{0} was interrupted; run it again")]
    Unfinished(&'static str),
}

/// Checks everything. Blocking, and reads all data: the node must not be running.
///
/// # Errors
/// The first [`Finding`].
pub fn fsck(store: Arc<dyn Store>, chain: &Chain, runtime: Handle) -> Result<Report, Finding> {
    let store = SyncStore::new(store, runtime);
    if store.get(STARTING)?.is_some() {
        return Err(Finding::Unfinished("a start from a snapshot"));
    }
    match Holds::of(&store, chain)? {
        Holds::Nothing => return Err(Finding::Empty),
        Holds::OtherChain => return Err(Finding::OtherChain),
        Holds::ThisChain => {}
    }
    if store.get(PRUNING)?.is_some() {
        return Err(Finding::Unfinished("a pruning"));
    }
    let head: Head = store.record(HEAD)?.ok_or_else(|| item("head", 0))?;
    let mut replay = Replay::new(&store, chain);
    match Floor::of(&store)? {
        None => replay.begin()?,
        Some(floor) => replay.begin_at(&floor)?,
    }
    while replay.edge.size() < head.size {
        replay.block()?;
    }
    replay.check_head(&head)?;
    replay.check_tiles(true)?;
    let census = Census::of(&store, &head)?;
    replay.check_areas(&census)?;
    let checkpoint = match store.get(CHECKPOINT)? {
        None => false,
        Some(note) => replay.check_note(note).map(|_| true)?,
    };
    replay.check_boundaries(&census)?;
    Ok(Report { entries: head.size, state_items: replay.state_items, checkpoint, head })
}

/// Executes the log again, block by block.
struct Replay<'a> {
    store: &'a SyncStore,
    chain: &'a Chain,
    edge: Edge,
    /// The floor that this began at; without one, genesis.
    floor: Option<Floor>,
    state: WriteSet,
    last: Option<Seal>,
    /// Roots by size, and the policy of those who certify them, to compare kept checkpoints with.
    roots: BTreeMap<u64, (Hash, Hash)>,
    places: u64,
    state_items: u64,
    expected: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> Replay<'a> {
    fn new(store: &'a SyncStore, chain: &'a Chain) -> Self {
        Self {
            store,
            chain,
            edge: Edge::default(),
            floor: None,
            state: WriteSet::new(),
            last: None,
            roots: BTreeMap::new(),
            places: 0,
            state_items: 0,
            expected: BTreeMap::new(),
        }
    }

    fn begin(&mut self) -> Result<(), Finding> {
        let genesis = self.chain.genesis();
        let first = genesis.execute(self.chain.origin()).map_err(|_| Finding::OtherChain)?;
        for leaf in &first.leaves {
            let found = self.entry()?;
            self.compare_entry(&found, leaf.as_bytes(), 0)?;
            self.append(&found)?;
        }
        let block = genesis.block(self.chain.origin());
        let found = self.entry()?;
        self.seal(&found, &block, first.writes)
    }

    /// Executes the next block: entries up to its seal, whose height and time the block takes.
    fn block(&mut self) -> Result<(), Finding> {
        let height = self.last.map_or(0, |seal| seal.height.saturating_add(1));
        let mut entries = Vec::new();
        let found = loop {
            let at = self.edge.size().saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
            let entry = self.store.get(&leaf_key(at))?.ok_or_else(|| missing_entry(at, height))?;
            if entry.first() == Some(&b'{') {
                break entry;
            }
            entries.push(entry);
        };
        let seal_index = self.edge.size().saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        let wrong = |what: String| Finding::Entry { index: seal_index, height, byte: 0, what };
        let seal = Seal::parse(&found).map_err(|error| wrong(error.to_string()))?;
        let earlier = self.last.map_or(0, |seal| seal.time);
        if seal.height != height || seal.time <= earlier {
            return Err(wrong("its height or time does not follow the seal before".into()));
        }
        let time = UnixMillis(i64::try_from(seal.time).map_err(|_| wrong("its time is impossible".into()))?);
        let genesis = self.chain.genesis();
        let block = Block { chain: genesis.chain.clone(), origin: self.chain.origin().to_owned(), height, time };
        let mut writes = WriteSet::new();
        for entry in entries {
            let changed = self.apply(&entry, &block, &writes)?;
            writes.extend(changed);
        }
        self.seal(&found, &block, writes)
    }

    fn apply(&mut self, entry: &[u8], block: &Block, so_far: &WriteSet) -> Result<WriteSet, Finding> {
        let index = self.edge.size();
        let wrong = |what: String| Finding::Entry { index, height: block.height, byte: 0, what };
        let text = std::str::from_utf8(entry).map_err(|_| wrong("it is not text".into()))?;
        let transaction = Transaction::parse(text).map_err(|refused| wrong(refused.to_string()))?;
        let view = self.layered(so_far);
        let accepted = registry::apply(&view, block, index, &transaction).map_err(|error| match error {
            NotApplied::Refused(refused) => wrong(refused.to_string()),
            NotApplied::State(unreadable) => wrong(unreadable.to_string()),
        })?;
        let place = Place { index, height: block.height };
        let place = serde_json::to_vec(&place).map_err(|_| wrong("its place cannot be written".into()))?;
        self.compare(&place_key(&transaction.digest()), &place, &format!("place of log entry {index}"))?;
        self.places = self.places.saturating_add(1);
        self.append(entry)?;
        Ok(accepted.writes)
    }

    fn seal(&mut self, found: &[u8], block: &Block, mut writes: WriteSet) -> Result<(), Finding> {
        let index = self.edge.size();
        let view = self.layered(&writes);
        let due = registry::close_block(&view, block, index)
            .map_err(|error| Finding::Store(StoreError::Corrupt(error.to_string())))?;
        writes.extend(due);
        let view = self.layered(&writes);
        let policy =
            registry::policy_in_force(&view).map_err(|error| Finding::Store(StoreError::Corrupt(error.to_string())))?;
        // State nodes of this block, recomputed from those of the blocks before, which were compared already.
        let (state, batch) = update(self.store, block.height, &writes, Batch::new())?;
        for write in batch.into_writes() {
            if let Write::Put { key, value } = write {
                self.compare(&key, &value, &name_of(&key))?;
                self.state_items = self.state_items.saturating_add(1);
            }
        }
        let time = u64::try_from(block.time.0).unwrap_or(0);
        let seal = Seal { height: block.height, time, state, policy };
        self.compare_entry(found, seal.to_line().as_bytes(), block.height)?;
        self.append(found)?;
        self.state.extend(writes);
        // The set that the seal before names certifies this one; genesis names its own.
        let certifying = self.last.map_or(seal.policy, |before| before.policy);
        self.last = Some(seal);
        self.roots.insert(self.edge.size(), (self.edge.root(), certifying));
        Ok(())
    }

    fn entry(&self) -> Result<Vec<u8>, Finding> {
        let index = self.edge.size();
        self.store.get(&leaf_key(index))?.ok_or_else(|| missing_entry(index, 0))
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), Finding> {
        self.edge.append(entry);
        // Tiles are compared once they are full, and at the end as far as they go.
        if self.edge.size().is_multiple_of(u64::from(WIDTH)) {
            self.check_tiles(false)?;
        }
        Ok(())
    }

    fn check_tiles(&mut self, at_end: bool) -> Result<(), Finding> {
        for write in self.edge.write_changed(Batch::new()).into_writes() {
            if let Write::Put { key, value } = write {
                self.expected.insert(key, value);
            }
        }
        let full = usize::from(WIDTH) * Hash::LENGTH;
        let due: Vec<Vec<u8>> =
            self.expected.iter().filter(|(_, v)| at_end || v.len() == full).map(|(key, _)| key.clone()).collect();
        for key in due {
            if let Some(value) = self.expected.remove(&key) {
                self.compare(&key, &value, &name_of(&key))?;
            }
        }
        Ok(())
    }

    fn check_head(&self, head: &Head) -> Result<(), Finding> {
        let seal = self.last.ok_or(Finding::Empty)?;
        let time = UnixMillis(i64::try_from(seal.time).unwrap_or(i64::MAX));
        let (size, root) = (self.edge.size(), self.edge.root());
        let expected = Head { height: seal.height, time, size, root, state: seal.state };
        if *head == expected { Ok(()) } else { Err(item("head", 0)) }
    }

    /// Nothing may be there that no block made.
    fn check_areas(&self, census: &Census) -> Result<(), Finding> {
        let size = self.edge.size();
        let beyond = Range::between(leaf_key(size), leaf_key(u64::MAX));
        if let Some((key, _)) = self.store.scan(beyond, 1)?.first() {
            return Err(Finding::Leftover(name_of(key)));
        }
        self.check_below(census)?;
        let state_items = census.count("node/").saturating_add(census.count("value/"));
        if state_items != self.state_items {
            return Err(Finding::Leftover("an item of the state tree".into()));
        }
        if census.count("tx/") != self.places.saturating_add(self.places_below()?) {
            return Err(Finding::Leftover("the place of a transaction".into()));
        }
        let from = self.floor.as_ref().map_or(0, |floor| floor.hashes);
        // Those that are full, and the one at the edge where there is one.
        let tiles: u64 = edge_tiles(size)
            .map(|(level, edge)| full_tiles(size, level) + u64::from(edge.is_some()) - full_tiles(from, level))
            .sum();
        if census.count("tile/") != tiles { Err(Finding::Leftover("a tile".into())) } else { Ok(()) }
    }

    /// A kept note must certify this log, by the set that was in force; gives the size that it is of.
    fn check_note(&self, note: Vec<u8>) -> Result<u64, Finding> {
        let wrong = |what: &str| Finding::Checkpoint(what.to_owned());
        let note = String::from_utf8(note).map_err(|_| wrong("it is not text"))?;
        let size = Note::parse(&note).ok().and_then(|note| Checkpoint::parse_text(note.text()).ok()).map(|c| c.size);
        let size = size.ok_or_else(|| wrong("it is not a checkpoint"))?;
        let (root, certifying) =
            self.roots.get(&size).ok_or_else(|| wrong("its size is not that of the log after any block"))?;
        let policy = self.value(&registry::policy_key(certifying))?;
        let policy = policy.ok_or_else(|| wrong("its validators are unknown"))?;
        let policy: String = serde_json::from_slice(&policy).map_err(|_| wrong("its validators are malformed"))?;
        let trust_root = TrustRoot::parse(&policy).map_err(|error| wrong(&error.to_string()))?;
        let certified = trust_root.verify_checkpoint(&note).map_err(|error| wrong(&error.to_string()))?;
        if certified.root() == root { Ok(size) } else { Err(wrong("its root is not that of the log at its size")) }
    }

    /// The notes over seals that name another set: each certifies what its key says, and there are no others.
    fn check_boundaries(&self, census: &Census) -> Result<(), Finding> {
        let nothing = WriteSet::new();
        let sets = registry::Validators::of(&self.layered(&nothing));
        let sets = sets.map_err(|error| StoreError::Corrupt(error.to_string()))?.sets;
        let size = self.floor.as_ref().map_or(0, |floor| floor.head.size);
        // Those at the floor and below were proven with it.
        let (below, above): (Vec<u64>, Vec<u64>) =
            sets.iter().skip(1).map(|set| set.from).partition(|from| *from < size);
        let mut notes = u64::try_from(below.len()).unwrap_or(u64::MAX);
        for from in above {
            if let Some(note) = self.store.get(&boundary_key(from))? {
                let size = self.check_note(note)?;
                if size != from.saturating_add(1) {
                    return Err(Finding::Checkpoint("it is of another size than its place says".into()));
                }
                notes = notes.saturating_add(1);
            }
        }
        if census.count("boundary/") == notes { Ok(()) } else { Err(Finding::Leftover("a kept checkpoint".into())) }
    }

    fn layered<'b>(&'b self, above: &'b WriteSet) -> Layered<'b> {
        let height = self.floor.as_ref().map(|floor| floor.head.height);
        Layered { above, below: &self.state, base: VersionedState::new(self.store, height) }
    }

    /// What the state holds after all blocks so far.
    fn value(&self, key: &str) -> Result<Option<Vec<u8>>, Finding> {
        let found = registry::StateView::get(&self.layered(&WriteSet::new()), key);
        found.map_err(|error| Finding::Store(StoreError::Corrupt(error.to_string())))
    }

    fn compare(&self, key: &[u8], expected: &[u8], what: &str) -> Result<(), Finding> {
        let found = self.store.get(key)?.ok_or_else(|| item(what, 0))?;
        match first_difference(&found, expected) {
            None => Ok(()),
            Some(byte) => Err(item(what, byte)),
        }
    }

    fn compare_entry(&self, found: &[u8], expected: &[u8], height: u64) -> Result<(), Finding> {
        match first_difference(found, expected) {
            None => Ok(()),
            Some(byte) => {
                let what = "execution gives another entry".to_owned();
                Err(Finding::Entry { index: self.edge.size(), height, byte, what })
            }
        }
    }
}

/// The block under way over the blocks before it, over the state at the floor.
struct Layered<'a> {
    above: &'a WriteSet,
    below: &'a WriteSet,
    base: VersionedState<'a>,
}

impl registry::StateView for Layered<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, registry::StateUnreadable> {
        match self.above.get(key).or_else(|| self.below.get(key)) {
            Some(value) => Ok(Some(value.clone())),
            None => self.base.get(key),
        }
    }
}

fn first_difference(found: &[u8], expected: &[u8]) -> Option<usize> {
    let differing = found.iter().zip(expected).position(|(found, expected)| found != expected);
    differing.or_else(|| (found.len() != expected.len()).then(|| found.len().min(expected.len())))
}

fn item(what: &str, byte: usize) -> Finding {
    Finding::Item { what: what.to_owned(), byte }
}

fn missing_entry(index: u64, height: u64) -> Finding {
    Finding::Entry { index, height, byte: 0, what: "it is missing".to_owned() }
}

/// A stored key in words.
fn name_of(key: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).unwrap_or(u64::MAX);
    if let Some(rest) = key.strip_prefix(b"leaf/") {
        return format!("log entry {}", number(rest));
    }
    if let Some((level, index)) = key.strip_prefix(b"tile/").and_then(<[u8]>::split_first) {
        return format!("hash tile {} of level {level}", number(index));
    }
    if let Some((place, height)) = key.strip_prefix(b"value/").and_then(|rest| rest.split_at_checked(Hash::LENGTH)) {
        return format!("state value {} of block {}", hex(place), number(height));
    }
    if let Some(digest) = key.strip_prefix(b"refused/") {
        return format!("refusal of transaction {}", hex(digest));
    }
    match key.strip_prefix(b"node/") {
        Some(node) => format!("state node {}", hex(node)),
        None => hex(key),
    }
}
