//! Catching up: from a node over HTTP, from files, over a change of validators; and every lie a source can tell.

mod crashes;
mod files;
mod lies;
mod reaching;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use ledger::tile::{Content, Tile, TileReader, TiledNodes, new_tiles, push_entry};
use ledger::tree::{Frontier, InclusionError, leaf_hash, make_inclusion, root};
use ledger::walk::{SealProof, Walk};
use ledger::{Hash, LogProof, TrustRoot};
use service_kit::fetch::{Answer, Fetch, FetchError, Fetching, Request};
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Range, Store};
use tokio::runtime::Runtime;

use super::{CatchUpError, Progress, Source, SourceError, Sources, Watch, run};
use crate::Chain;
use crate::executor::Executor;
use crate::node::Round;
use crate::store::{IMMUTABLE, SyncStore, read_entries};
use crate::tests::boundaries::AtRest;
use crate::tests::world::anchor;

/// Size of the genesis block: what a node has that was told nothing yet, or nothing but lies.
const GENESIS: u64 = 3;
/// Transactions in a block of the sample: blocks straddle the borders of bundles, which are the borders of small chunks.
pub(crate) const IN_A_BLOCK: u64 = 60;

/// A log's leaves and hashes, to make files of.
#[derive(Clone, Default)]
pub(crate) struct Log {
    entries: Vec<Vec<u8>>,
    levels: BTreeMap<u8, Vec<Hash>>,
}

impl Log {
    fn of(entries: Vec<Vec<u8>>) -> Self {
        let mut levels: BTreeMap<u8, Vec<Hash>> = BTreeMap::new();
        let mut frontier = Frontier::new();
        for entry in &entries {
            frontier.append(leaf_hash(entry), |level, _, hash| {
                if level % 8 == 0 {
                    levels.entry(level / 8).or_default().push(hash);
                }
            });
        }
        Self { entries, levels }
    }

    fn size(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    fn root(&self) -> Hash {
        root(&TiledNodes::new(self, self.size()), self.size()).unwrap()
    }

    fn file(&self, tile: Tile) -> Vec<u8> {
        let (first, count) = (usize::try_from(tile.index).unwrap() * 256, usize::from(tile.width));
        match tile.content {
            Content::Hashes { level } => {
                self.levels[&level][first..first + count].iter().flat_map(|hash| *hash.as_bytes()).collect()
            }
            Content::Entries => bundle(&self.entries[first..first + count]),
        }
    }

    /// The last entry, proven by a note over the whole log.
    fn last(&self, note: &str) -> SealProof {
        let index = self.size() - 1;
        let path = make_inclusion(&TiledNodes::new(self, self.size()), index, self.size()).unwrap();
        let proof = LogProof { index, path, note: note.to_owned(), extra: None }.to_string();
        SealProof { seal: String::from_utf8(self.entries.last().unwrap().clone()).unwrap(), proof }
    }
}

#[derive(Debug)]
pub(crate) struct NotThere;

impl From<InclusionError> for NotThere {
    fn from(_: InclusionError) -> Self {
        Self
    }
}

impl TileReader for &Log {
    type Error = NotThere;

    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, NotThere> {
        let Content::Hashes { level } = tile.content else { return Err(NotThere) };
        let first = usize::try_from(tile.index).unwrap() * 256;
        let hashes = self.levels.get(&level).and_then(|level| level.get(first..)).ok_or(NotThere)?;
        Ok(hashes[..hashes.len().min(usize::from(tile.width))].to_vec())
    }

    fn too_narrow(&self, _: Tile) -> NotThere {
        NotThere
    }
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.iter().for_each(|entry| push_entry(&mut bytes, entry).unwrap());
    bytes
}

/// A node's files by path; whoever holds it may change them.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    name: String,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// How often it says that it has been asked too often, each time before it answers.
    excuses: Arc<Mutex<u8>>,
}

impl Peer {
    /// Everything that a log of this size has, full and partial.
    fn of(log: &Log, walks: &[(Hash, Walk)]) -> Self {
        let peer = Self { name: "http://peer.example".into(), ..Self::default() };
        peer.put_tiles(log, log.size());
        walks.iter().for_each(|(from, walk)| peer.put_walk(*from, walk));
        peer
    }

    fn put_tiles(&self, log: &Log, size: u64) {
        for tile in new_tiles(0, size) {
            self.put(&tile.to_string(), log.file(tile));
        }
    }

    fn put_walk(&self, from: Hash, walk: &Walk) {
        self.put(&format!("trust/walk?from={}", from.to_base64url()), serde_json::to_vec(walk).unwrap());
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes);
    }

    fn file(&self, path: &str) -> Vec<u8> {
        self.files.lock().unwrap()[path].clone()
    }

    fn remove(&self, path: &str) {
        self.files.lock().unwrap().remove(path).unwrap();
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.files.lock().unwrap().get_mut(path).unwrap());
    }

    pub(crate) fn source(&self) -> Source {
        Source::peer(Arc::new(self.clone()), &self.name)
    }

    /// The same under another name, and independent of this one.
    fn copied(&self, name: &str) -> Self {
        let files = Arc::new(Mutex::new(self.files.lock().unwrap().clone()));
        Self { name: name.into(), files, ..Self::default() }
    }
}

impl Fetch for Peer {
    fn send(&self, request: Request) -> Fetching<'_> {
        let host = "peer.example".to_owned();
        let path = request.url.strip_prefix(&format!("{}/", self.name)).unwrap();
        let mut excuses = self.excuses.lock().unwrap();
        if *excuses > 0 {
            *excuses -= 1;
            let busy = Answer { host, status: 429, kind: String::new(), retry_after: Some(0), body: Vec::new() };
            return Box::pin(async move { Ok(busy) });
        }
        let body = self.files.lock().unwrap().get(path).cloned();
        let answer = |status, body| Answer { host: host.clone(), status, kind: String::new(), retry_after: None, body };
        let answer = match body {
            Some(body) if body.len() > request.limit => {
                Err(FetchError::TooLarge { host: host.clone(), limit: request.limit })
            }
            Some(body) => Ok(answer(200, body)),
            None => Ok(answer(404, Vec::new())),
        };
        Box::pin(async move { answer })
    }
}

/// A chain with blocks of anchors up to about this size, certified by its one validator.
pub(crate) struct Sample {
    pub(crate) node: AtRest,
    log: Log,
    pub(crate) round: Round,
    pub(crate) peer: Peer,
}

impl Sample {
    pub(crate) fn new(blocks: u64) -> Self {
        let mut node = AtRest::new();
        anchors(&mut node, 1..=blocks, 1, 0);
        Self::at(node, 200)
    }

    /// The node as it stands, certified with the keys of this number.
    pub(crate) fn at(node: AtRest, number: u8) -> Self {
        let (log, round) = (log_of(&node), node.certified(number));
        node.keep(&round);
        let mut froms = vec![node.chain.trust_root().digest()];
        froms.push(set_in_force(&node).digest());
        let walks =
            froms.iter().map(|from| (*from, crate::boundary::walk(&node.sync(), &round, from).unwrap().unwrap()));
        let peer = Peer::of(&log, &walks.collect::<Vec<_>>());
        Self { node, log, round, peer }
    }

    fn target(&self) -> u64 {
        self.round.head.size
    }
}

/// Blocks of anchors, the department's sequence numbers from `first` on; `other` makes others of them.
pub(crate) fn anchors(node: &mut AtRest, heights: RangeInclusive<u64>, first: u64, other: u64) {
    let mut seqs = first..;
    for height in heights {
        let transactions = seqs.by_ref().take(usize::try_from(IN_A_BLOCK).unwrap());
        let transactions = transactions.map(|seq| node.signed(10, seq, &anchor(seq + other))).collect();
        node.execute(height, transactions);
    }
}

fn set_in_force(node: &AtRest) -> TrustRoot {
    super::Standing::of(&node.executor).unwrap().trust_root
}

fn log_of(node: &AtRest) -> Log {
    let size = node.executor.head().size;
    let read = async {
        let mut entries = Vec::new();
        for first in (0..size).step_by(256) {
            entries.extend(read_entries(node.store.as_ref(), first, 256).await.unwrap());
        }
        entries
    };
    Log::of(node.runtime.block_on(read))
}

/// A node that is behind.
pub(crate) struct Behind {
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) chain: Chain,
    pub(crate) seen: Seen,
}

#[derive(Default)]
pub(crate) struct Seen {
    progress: Vec<Progress>,
    complaints: Vec<(String, SourceError)>,
}

impl Watch for Seen {
    fn progressed(&mut self, progress: Progress) {
        self.progress.push(progress);
    }

    fn gave_up(&mut self, source: &str, error: &SourceError) {
        self.complaints.push((source.to_owned(), error.clone()));
    }
}

impl Behind {
    pub(crate) fn new(chain: &Chain) -> Self {
        Self::over(chain, Arc::new(MemoryStore::new().with_immutable(&IMMUTABLE)))
    }

    pub(crate) fn over(chain: &Chain, store: Arc<dyn Store>) -> Self {
        Self { runtime: Runtime::new().unwrap(), store, chain: chain.clone(), seen: Seen::default() }
    }

    pub(crate) fn executor(&self) -> Executor {
        let sync = SyncStore::new(self.store.clone(), self.runtime.handle().clone());
        Executor::open(sync, self.chain.clone()).unwrap()
    }

    /// Small chunks: one bundle each.
    fn sources(sources: impl IntoIterator<Item = Source>) -> Sources {
        Sources { chunk: 1, ..Sources::new(sources.into_iter().collect()) }
    }

    pub(crate) fn follow(&mut self, sources: impl IntoIterator<Item = Source>) -> Result<Option<Round>, CatchUpError> {
        let mut sources = Self::sources(sources);
        run(&mut self.executor(), &mut sources, self.runtime.handle(), &mut self.seen)
    }

    pub(crate) fn size(&self) -> u64 {
        self.executor().head().size
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.runtime.block_on(self.store.get(key)).unwrap()
    }

    pub(crate) fn check(&self) {
        crate::fsck::fsck(self.store.clone(), &self.chain, self.runtime.handle().clone()).unwrap();
    }

    /// Everything that blocks made is the same, byte for byte.
    fn assert_same(&self, other: &dyn Store) {
        for area in ["genesis", "head", "leaf/", "tile/", "node/", "value/", "tx/"] {
            let all = |store: &dyn Store| self.runtime.block_on(store.scan(Range::prefix(area), 1_000_000)).unwrap();
            let (ours, theirs) = (all(self.store.as_ref()), all(other));
            assert!(!ours.is_empty() && ours == theirs, "{area}");
        }
    }
}
