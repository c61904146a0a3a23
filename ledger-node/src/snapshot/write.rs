//! Writing a node's newest certified state into a file.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ledger::Hash;
use ledger::tile::TileReader as _;
use service_kit::store::{Range, Store, StoreError};
use service_kit::whole_file;
use tokio::runtime::Handle;

use super::format::{Header, Writer, edge_tiles};
use super::{SnapshotError, way};
use crate::boundary;
use crate::catch_up::{Progress, Watch};
use crate::chain::Chain;
use crate::resume::last_round;
use crate::store::{GENESIS, Head, LogReader, SyncStore, first_of_last_bundle, leaf_key};

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

/// Writes the state under the newest certified checkpoint that the node has kept; the file appears whole. Blocking; a node
/// may be writing to the store meanwhile.
///
/// # Errors
/// [`SnapshotError`]; there is no file then.
pub fn snapshot(
    store: Arc<dyn Store>,
    chain: &Chain,
    to: &Path,
    runtime: &Handle,
    watch: &mut dyn Watch,
) -> Result<Written, SnapshotError> {
    let store = SyncStore::new(store, runtime.clone());
    if store.get(GENESIS)?.is_some_and(|file| file != chain.genesis_file()) {
        return Err(StoreError::Corrupt("the data belongs to a chain with another genesis file".into()).into());
    }
    let round = last_round(&store, chain)?.ok_or(SnapshotError::Uncertified)?;
    let head = round.head.clone();
    let newest = boundary::prove_seal(&store, head.size.saturating_sub(1), &round)?;
    let way = way::to(&store, &head, newest)?.map_err(SnapshotError::Lost)?;
    let mut pairs = 0_u64;
    each_pair(&store, head.height, |_, _| {
        pairs = pairs.saturating_add(1);
        Ok::<_, StoreError>(())
    })?;
    let header = Header { way, edge: edge(&store, head.size)?, pairs };
    let failed = |error| SnapshotError::File { path: to.to_owned(), error };
    let bytes = whole_file::write_with(to, |file| -> Result<u64, InFile> {
        let mut counted = Counted { to: file, bytes: 0 };
        let entries = entries(&store, head.size)?;
        let mut writer = Writer::begin(&mut counted, &header, &entries)?;
        let (mut done, mut bytes) = (0_u64, 0_u64);
        each_pair(&store, head.height, |key, value| {
            writer.pair(key, value)?;
            done = done.saturating_add(1);
            bytes = bytes.saturating_add(u64::try_from(value.len()).unwrap_or(u64::MAX));
            watch.progressed(Progress { entries: done, of: pairs, bytes });
            Ok::<_, InFile>(())
        })?;
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

impl From<StoreError> for InFile {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Every pair of the state after the block of `height`, by the hash of its key, in order.
fn each_pair<E: From<StoreError>>(
    store: &SyncStore,
    height: u64,
    mut give: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut range = Range::prefix("value/");
    let mut newest: Option<(Vec<u8>, Vec<u8>)> = None;
    loop {
        let page = store.scan(range.clone(), PAGE)?;
        let is_last = page.len() < PAGE;
        if let Some((key, _)) = page.last() {
            range = range.after(key);
        }
        for (key, value) in page {
            let parts = key.strip_prefix(b"value/").and_then(|rest| rest.split_at_checked(Hash::LENGTH));
            let parts = parts.and_then(|(key, at)| Some((key, u64::from_be_bytes(at.try_into().ok()?))));
            let (key, at) = parts.ok_or_else(|| StoreError::Corrupt("a value stands in no place; run fsck".into()))?;
            if let Some((before, value)) = newest.take_if(|(before, _)| before.as_slice() != key) {
                give(&before, &value)?;
            }
            if at <= height {
                newest = Some((key.to_vec(), value));
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

/// The entries of the bundle that is not full.
fn entries(store: &SyncStore, size: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let missing = || StoreError::Corrupt("an entry is missing; run fsck".into());
    (first_of_last_bundle(size)..size).map(|index| store.get(&leaf_key(index))?.ok_or_else(missing)).collect()
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
