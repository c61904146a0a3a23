//! Writes down what a node would serve to one that is behind, as files that go where no network goes.
//!
//! ```text
//! genesis                  the genesis file
//! tile/…, tile/entries/…   C2SP tlog-tiles, partial ones for the checkpoint and for the last seal of each set
//! trust/walk/<digest>      the way from each set of validators there was (base64url of the SHA-256 of its policy)
//! checkpoint               the newest certified checkpoint that the node has kept
//! ```
//!
//! Each file appears whole, the ones that lead to others last. So a directory whose export was interrupted shows what it
//! showed before, and the next export ends it: full tiles that are there never change and are left alone. Whoever reads
//! such a directory believes nothing in it; see [`super`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity_core::problem::Code;
use ledger::tile::{Content, Tile, TileReader as _, WIDTH, new_tiles, push_entry};
use service_kit::store::{Range, Store, StoreError};
use service_kit::whole_file;
use tokio::runtime::Handle;

use super::source::walk_file;
use super::{Progress, Watch};
use crate::boundary;
use crate::chain::Chain;
use crate::resume::last_round;
use crate::store::{Floor, Head, Holds, LogReader, SyncStore, leaf_key, tile_bytes};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The head that the checkpoint certifies.
    pub head: Head,
    /// Files written; those that were there and stay are not counted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Log indices of seals that ended a set, and whose checkpoint this node does not have: nobody gets past them by
    /// these files.
    pub lost: Vec<u64>,
}

/// Why a node was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store cannot be read, or its checkpoint does not certify its log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds no chain, or no checkpoint.
    #[error("the node has kept no certified checkpoint yet")]
    Uncertified,
    /// The node does not keep all that an export holds.
    #[error("the node keeps log entries from {0} on only: export another one, or write a snapshot of this one")]
    Pruned(u64),
    /// The store, or the directory, is of another chain.
    #[error("{} is of a chain with another genesis file", .0.display())]
    OtherChain(PathBuf),
    /// A file cannot be written.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl ExportError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Uncertified => Code::LedgerUncertified,
            Self::Pruned(_) => Code::LedgerPruned,
            Self::OtherChain(_) => Code::LedgerCatchUpOtherChain,
            Self::File { .. } => Code::LedgerCatchUpFile,
        }
    }
}

/// Writes everything up to the kept checkpoint into a directory, which is made if it is missing. Blocking: the node must
/// not be running.
///
/// # Errors
/// [`ExportError`]. What was written by then stays, and the next export goes on.
pub fn export(
    store: Arc<dyn Store>,
    chain: &Chain,
    to: &Path,
    runtime: &Handle,
    watch: &mut dyn Watch,
) -> Result<Exported, ExportError> {
    let store = SyncStore::new(store, runtime.clone());
    if !Holds::of(&store, chain)?.something()? {
        return Err(ExportError::Uncertified);
    }
    // With every entry, every hash over them is kept, too.
    if let Some(floor) = Floor::of(&store)?.filter(|floor| floor.entries > 0) {
        return Err(ExportError::Pruned(floor.entries));
    }
    let round = last_round(&store, chain)?.ok_or(ExportError::Uncertified)?;
    let mut directory = Directory::open(to, chain)?;
    let sets = boundary::validators(&store, round.head.height)?.sets;

    // The last one is the checkpoint's own; the others are those at which a node that follows stops on its way.
    let ends = sets.iter().skip(1).map(|set| set.from.saturating_add(1)).chain([round.head.size]);
    let mut before = 0;
    for size in ends {
        for tile in new_tiles(before, size) {
            directory.put_tile(&store, tile)?;
            let entries = if tile.content == Content::Entries { end_of(tile) } else { size };
            watch.progressed(Progress { entries, of: round.head.size, bytes: directory.bytes });
        }
        before = size;
    }
    let mut lost = Vec::new();
    let nexts = sets.iter().skip(1).map(Some).chain([None]);
    for (set, next) in sets.iter().zip(nexts) {
        if let Some(walk) = boundary::walk(&store, &round, &set.policy)? {
            // With a next set there is a step to it, unless its note is gone.
            lost.extend(next.filter(|_| walk.steps.is_empty() && walk.newest.is_none()).map(|next| next.from));
            let json = serde_json::to_vec(&walk).map_err(|_| StoreError::Misused("a walk cannot be written"))?;
            directory.put(&walk_file(&set.policy), &json)?;
        }
    }
    directory.put("checkpoint", round.note.as_bytes())?;
    Ok(Exported { head: round.head, files: directory.files, bytes: directory.bytes, lost })
}

fn end_of(tile: Tile) -> u64 {
    tile.index.saturating_mul(u64::from(WIDTH)).saturating_add(u64::from(tile.width))
}

/// Where it all goes.
struct Directory<'a> {
    path: &'a Path,
    files: u64,
    bytes: u64,
}

impl<'a> Directory<'a> {
    /// A directory that is empty, or holds this chain.
    fn open(path: &'a Path, chain: &Chain) -> Result<Self, ExportError> {
        let mut directory = Self { path, files: 0, bytes: 0 };
        match std::fs::read(path.join("genesis")) {
            Ok(genesis) if genesis == chain.genesis_file() => {}
            Ok(_) => return Err(ExportError::OtherChain(path.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                directory.put("genesis", chain.genesis_file())?;
            }
            Err(error) => return Err(ExportError::File { path: path.join("genesis"), error }),
        }
        Ok(directory)
    }

    /// Writes a tile unless it is there: a resource of the log, once made, never changes.
    fn put_tile(&mut self, store: &SyncStore, tile: Tile) -> Result<(), ExportError> {
        let name = tile.to_string();
        if self.path.join(&name).is_file() {
            return Ok(());
        }
        let bytes = match tile.content {
            Content::Hashes { .. } => tile_bytes(&LogReader::new(store).hashes(tile).map_err(StoreError::from)?),
            Content::Entries => bundle(store, tile)?,
        };
        self.put(&name, &bytes)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.path.join(name);
        let failed = |error| ExportError::File { path: path.clone(), error };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        whole_file::write(&path, bytes).map_err(failed)?;
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

fn bundle(store: &SyncStore, tile: Tile) -> Result<Vec<u8>, StoreError> {
    let first = tile.index.saturating_mul(u64::from(WIDTH));
    let range = Range::between(leaf_key(first), leaf_key(end_of(tile)));
    let entries = store.scan(range, usize::from(tile.width))?;
    if entries.len() != usize::from(tile.width) {
        return Err(StoreError::Corrupt(format!("entries from {first} on are missing; run fsck")));
    }
    let mut bytes = Vec::new();
    for (_, entry) in entries {
        push_entry(&mut bytes, &entry).map_err(|_| StoreError::Corrupt("an entry is too long; run fsck".into()))?;
    }
    Ok(bytes)
}
