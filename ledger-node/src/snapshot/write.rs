//! Writing a node's newest certified state into a file.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ledger::snapshot::{Header, MAX_VALUE, Writer};
use ledger::tile::{TileReader as _, edge_tiles};
use ledger::tree::leaf_hash;
use ledger::{Hash, sha256};
use service_kit::store::{MAX_VALUE_BYTES, Range, Store, StoreError};
use service_kit::whole_file;
use tokio::runtime::Handle;

use super::{SnapshotError, way};
use crate::boundary;
use crate::catch_up::{Progress, Watch};
use crate::chain::Chain;
use crate::resume::last_round;
use crate::store::{Head, Holds, LogReader, OutOfOrder, SyncStore, TreeBuilder, first_of_last_bundle, leaf_key};

const _: () = assert!(MAX_VALUE == MAX_VALUE_BYTES, "what the store takes, the file takes, and the other way round");

/// Values read from the store at a time.
const PAGE: usize = 256;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The block whose state it is.
    pub head: Head,
    /// Pairs of the state.
    pub pairs: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes the state under the newest certified checkpoint that the node has kept; the file appears whole, after all of it
/// was compared with what the checkpoint certifies. Blocking; a node may be writing to the store meanwhile.
///
/// # Errors
/// [`SnapshotError`]; what was there before stays.
pub fn snapshot(
    store: Arc<dyn Store>,
    chain: &Chain,
    to: &Path,
    runtime: &Handle,
    watch: &mut dyn Watch,
) -> Result<Written, SnapshotError> {
    let store = SyncStore::new(store, runtime.clone());
    if !Holds::of(&store, chain)?.something()? {
        return Err(SnapshotError::Uncertified);
    }
    let round = last_round(&store, chain)?.ok_or(SnapshotError::Uncertified)?;
    let head = round.head.clone();
    let newest = boundary::prove_seal(&store, head.size.saturating_sub(1), &round)?;
    let (way, _) = way::prove(&store, chain, &head, newest)?;
    let mut pairs = 0_u64;
    each_pair(&store, head.height, |_, _| {
        pairs = pairs.saturating_add(1);
        Ok::<_, StoreError>(())
    })?;
    let header = Header { way, edge: edge(&store, head.size)?, pairs };
    if header.frontier(head.size).is_none_or(|frontier| frontier.root() != head.root) {
        return Err(not_certified("the edge of the log").into());
    }
    let entries = entries(&store, &header, head.size)?;
    let failed = |error| SnapshotError::File { path: to.to_owned(), error };
    let bytes = whole_file::write_with(to, |file| -> Result<u64, InFile> {
        let mut counted = Counted { to: file, bytes: 0 };
        let mut writer = Writer::begin(&mut counted, &header, &entries)?;
        let (mut tree, mut done, mut bytes) = (TreeBuilder::new(head.height), 0_u64, 0_u64);
        each_pair(&store, head.height, |key, value| {
            tree.push(*key, sha256(value), &mut |_| ())?;
            writer.pair(key, value)?;
            done = done.saturating_add(1);
            bytes = bytes.saturating_add(u64::try_from(value.len()).unwrap_or(u64::MAX));
            watch.progressed(Progress { entries: done, of: pairs, bytes });
            Ok::<_, InFile>(())
        })?;
        if done != pairs || tree.finish(&mut |_| ()) != head.state {
            return Err(not_certified("the state").into());
        }
        Ok(counted.bytes)
    });
    match bytes {
        Ok(bytes) => Ok(Written { head, pairs, bytes }),
        Err(InFile::File(error)) => Err(failed(error)),
        Err(InFile::Store(error)) => Err(error.into()),
    }
}

/// What goes wrong while the file is filled.
enum InFile {
    File(std::io::Error),
    Store(StoreError),
}

impl From<std::io::Error> for InFile {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

impl From<OutOfOrder> for InFile {
    fn from(_: OutOfOrder) -> Self {
        Self::Store(not_certified("the order of the state"))
    }
}

impl From<StoreError> for InFile {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn not_certified(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is not what was certified; run fsck"))
}

/// Every pair of the state after the block of `height`, by the hash of its key, in order.
fn each_pair<E: From<StoreError>>(
    store: &SyncStore,
    height: u64,
    mut give: impl FnMut(&Hash, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut range = Range::prefix("value/");
    let mut newest: Option<(Hash, Vec<u8>)> = None;
    loop {
        let page = store.scan(range.clone(), PAGE)?;
        let is_last = page.len() < PAGE;
        if let Some((key, _)) = page.last() {
            range = range.after(key);
        }
        for (key, value) in page {
            let parts = key.strip_prefix(b"value/").and_then(|rest| rest.split_at_checked(Hash::LENGTH));
            let parts = parts
                .and_then(|(key, at)| Some((Hash::from_slice(key).ok()?, u64::from_be_bytes(at.try_into().ok()?))));
            let (key, at) = parts.ok_or_else(|| StoreError::Corrupt("a value stands in no place; run fsck".into()))?;
            if let Some((before, value)) = newest.take_if(|(before, _)| *before != key) {
                give(&before, &value)?;
            }
            if at <= height {
                newest = Some((key, value));
            }
        }
        if is_last {
            break;
        }
    }
    newest.map_or(Ok(()), |(key, value)| give(&key, &value))
}

fn edge(store: &SyncStore, size: u64) -> Result<Vec<Vec<Hash>>, StoreError> {
    let hashes = |tile| LogReader::new(store).hashes(tile).map_err(StoreError::from);
    edge_tiles(size).map(|(_, tile)| tile.map_or(Ok(Vec::new()), hashes)).collect()
}

/// The entries of the bundle that is not full, each the one of its hash at the edge.
fn entries(store: &SyncStore, header: &Header, size: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let certified = |(place, index)| {
        let entry = store.get(&leaf_key(index))?.filter(|entry| header.leaf(place) == Some(&leaf_hash(entry)));
        entry.ok_or_else(|| not_certified("an entry"))
    };
    (first_of_last_bundle(size)..size).enumerate().map(certified).collect()
}

/// Counts what goes through.
struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}
