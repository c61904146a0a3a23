//! The log in the store: entries one by one, hashes in tiles.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Hash;
use ledger::tile::{Content, Tile, TileReader, TiledNodes, WIDTH, edge_tiles};
use ledger::tree::{Frontier, InclusionError, NodeReader as _, leaf_hash};
use service_kit::store::{Batch, Range, Store, StoreError};

use super::{SyncStore, leaf_key, tile_key};

/// A hash tile's bytes, as they are served and kept.
pub(crate) fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The right edge of the log: what appending needs, in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    frontier: Frontier,
    /// By level, the hashes of the tile that is not full yet.
    partial: BTreeMap<u8, Vec<Hash>>,
    /// Tiles that became full since the last batch.
    full: BTreeMap<(u8, u64), Vec<Hash>>,
    /// Tiles that grew since the last batch and are not full.
    grown: BTreeSet<(u8, u64)>,
}

impl Edge {
    /// Reads the edge of a log of `size` leaves.
    pub(crate) fn load(store: &SyncStore, size: u64) -> Result<Self, StoreError> {
        let nodes = LogReader::new(store).nodes(size);
        let subtrees = Frontier::positions(size).map(|(level, index)| nodes.node(level, index));
        let subtrees = subtrees.collect::<Result<Vec<Hash>, TileError>>()?;
        let frontier = Frontier::from_subtrees(size, subtrees)
            .map_err(|_| StoreError::Corrupt("the log's edge does not fit its size".into()))?;
        let mut partial = BTreeMap::new();
        for (level, tile) in edge_tiles(size) {
            if let Some(tile) = tile {
                partial.insert(level, LogReader::new(store).hashes(tile)?);
            }
        }
        Ok(Self { frontier, partial, ..Self::default() })
    }

    /// Appends an entry.
    pub(crate) fn append(&mut self, entry: &[u8]) {
        self.append_hash(leaf_hash(entry));
    }

    /// Appends an entry by its hash as a leaf.
    pub(crate) fn append_hash(&mut self, leaf: Hash) {
        let Self { frontier, partial, full, grown } = self;
        frontier.append(leaf, |level, index, hash| {
            if level % 8 != 0 {
                return;
            }
            let (level, tile) = (level / 8, index / u64::from(WIDTH));
            let hashes = partial.entry(level).or_default();
            hashes.push(hash);
            if hashes.len() == usize::from(WIDTH) {
                grown.remove(&(level, tile));
                full.insert((level, tile), std::mem::take(hashes));
            } else {
                grown.insert((level, tile));
            }
        });
    }

    pub(crate) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Takes all of the edge for changed.
    pub(crate) fn touch(&mut self) {
        let there = edge_tiles(self.frontier.size()).filter_map(|(level, tile)| Some((level, tile?.index)));
        self.grown.extend(there);
    }

    /// Puts the tiles that changed into a batch.
    pub(crate) fn write_changed(&mut self, mut batch: Batch) -> Batch {
        for ((level, index), hashes) in std::mem::take(&mut self.full) {
            batch = batch.put(tile_key(level, index), tile_bytes(&hashes));
        }
        for (level, index) in std::mem::take(&mut self.grown) {
            let hashes = self.partial.get(&level).map(Vec::as_slice).unwrap_or_default();
            batch = batch.put(tile_key(level, index), tile_bytes(hashes));
        }
        batch
    }
}

/// Reads hash tiles, on a thread that may block.
pub(crate) struct LogReader<'a> {
    store: &'a SyncStore,
}

impl<'a> LogReader<'a> {
    pub(crate) fn new(store: &'a SyncStore) -> Self {
        Self { store }
    }

    /// The nodes of the log's first `size` leaves.
    pub(crate) fn nodes(self, size: u64) -> TiledNodes<Self> {
        TiledNodes::new(self, size)
    }
}

/// Hashes of leaves in the order of the log, tile by tile.
pub(crate) struct Leaves<'a> {
    store: &'a SyncStore,
    tile: Option<(u64, Vec<Hash>)>,
}

impl<'a> Leaves<'a> {
    pub(crate) fn new(store: &'a SyncStore) -> Self {
        Self { store, tile: None }
    }

    /// The hash of the leaf at an index.
    pub(crate) fn at(&mut self, index: u64) -> Result<Hash, StoreError> {
        let (tile, place) = (index / u64::from(WIDTH), usize::try_from(index % u64::from(WIDTH)).unwrap_or(usize::MAX));
        let named = Tile { content: Content::Hashes { level: 0 }, index: tile, width: 1 };
        if self.tile.as_ref().is_none_or(|(read, _)| *read != tile) {
            let bytes = self.store.get(&tile_key(0, tile))?.ok_or_else(|| missing(named))?;
            let hashes = bytes.chunks(Hash::LENGTH).map(Hash::from_slice).collect::<Result<_, _>>();
            self.tile = Some((tile, hashes.map_err(|_| missing(named))?));
        }
        let hash = self.tile.as_ref().and_then(|(_, hashes)| hashes.get(place));
        hash.copied().ok_or_else(|| missing(named))
    }
}

/// Why a proof could not be made from tiles: a store's failure, in the shape that `ledger` asks for.
#[derive(Debug)]
pub(crate) struct TileError(StoreError);

impl From<TileError> for StoreError {
    fn from(error: TileError) -> Self {
        error.0
    }
}

impl From<StoreError> for TileError {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<InclusionError> for TileError {
    fn from(_: InclusionError) -> Self {
        Self(StoreError::Misused("a proof was asked for beyond the log's size"))
    }
}

impl TileReader for LogReader<'_> {
    type Error = TileError;

    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, TileError> {
        let Content::Hashes { level } = tile.content else { return Err(missing(tile).into()) };
        let bytes = self.store.get(&tile_key(level, tile.index))?.ok_or_else(|| missing(tile))?;
        let hashes = bytes.chunks(Hash::LENGTH).map(Hash::from_slice).collect::<Result<Vec<Hash>, _>>();
        let mut hashes = hashes.map_err(|_| missing(tile))?;
        if hashes.len() < usize::from(tile.width) {
            return Err(missing(tile).into());
        }
        // The store holds the tile as it is now; an earlier size saw a shorter one.
        hashes.truncate(usize::from(tile.width));
        Ok(hashes)
    }

    fn too_narrow(&self, tile: Tile) -> TileError {
        missing(tile).into()
    }
}

fn missing(tile: Tile) -> StoreError {
    StoreError::Corrupt(format!("{tile} is missing or too short"))
}

/// The bytes of a hash tile, as they are served.
pub(crate) async fn read_tile(store: &dyn Store, level: u8, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(mut bytes) = store.get(&tile_key(level, tile.index)).await? else { return Ok(None) };
    let wanted = usize::from(tile.width) * Hash::LENGTH;
    if bytes.len() < wanted {
        return Err(missing(tile));
    }
    bytes.truncate(wanted);
    Ok(Some(bytes))
}

/// The `count` entries from `first` on.
pub(crate) async fn read_entries(store: &dyn Store, first: u64, count: u16) -> Result<Vec<Vec<u8>>, StoreError> {
    let range = Range::between(leaf_key(first), leaf_key(first.saturating_add(u64::from(count))));
    let entries = store.scan(range, usize::from(count)).await?;
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}
