//! Whether a log stands at the beginning of a larger one, by the hash tiles of a source.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use ledger::Hash;
use ledger::tile::{Tile, TileReader, TiledNodes};
use ledger::tree::{ConsistencyError, make_consistency, root, verify_consistency};

/// Hash tiles as a source gave them: none is believed until what it leads to is.
#[derive(Debug, Default)]
pub(super) struct HashTiles(HashMap<Tile, Vec<Hash>>);

impl HashTiles {
    /// The tiles still needed to show how the first `old` leaves stand in a log of `new`. Forgets those that are not: in a
    /// long log they would add up.
    pub(super) fn lacks(&mut self, old: u64, new: u64) -> Vec<Tile> {
        let needed = RefCell::default();
        let dry = TiledNodes::new(Dry { needed: &needed }, new);
        // Which nodes are asked for depends on the sizes alone, so any answer will do.
        let _path = make_consistency(&dry, old, new);
        let _root = root(&dry, old);
        let needed: HashSet<Tile> = needed.into_inner();
        self.0.retain(|tile, _| needed.contains(tile));
        needed.into_iter().filter(|tile| !self.0.contains_key(tile)).collect()
    }

    pub(super) fn put(&mut self, tile: Tile, hashes: Vec<Hash>) {
        self.0.insert(tile, hashes);
    }

    /// The root of the first `old` leaves, as these tiles show it to stand in the log of `new` leaves with this root;
    /// nothing if they do not lead there.
    pub(super) fn root_within(&self, old: u64, new: u64, new_root: &Hash) -> Option<Hash> {
        let nodes = TiledNodes::new(self, new);
        let old_root = root(&nodes, old).ok()?;
        let proof = make_consistency(&nodes, old, new).ok()?;
        verify_consistency(old, &old_root, new, new_root, &proof).ok()?;
        Some(old_root)
    }
}

/// A tile is missing or narrower than its name says, or sizes are reversed.
#[derive(Debug)]
pub(super) struct Unshown;

impl From<ConsistencyError> for Unshown {
    fn from(_: ConsistencyError) -> Self {
        Self
    }
}

impl TileReader for &HashTiles {
    type Error = Unshown;

    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, Unshown> {
        self.0.get(&tile).cloned().ok_or(Unshown)
    }

    fn too_narrow(&self, _: Tile) -> Unshown {
        Unshown
    }
}

/// Answers anything, and notes what it was asked for.
struct Dry<'a> {
    needed: &'a RefCell<HashSet<Tile>>,
}

impl TileReader for Dry<'_> {
    type Error = Unshown;

    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, Unshown> {
        self.needed.borrow_mut().insert(tile);
        Ok(vec![Hash::from([0; Hash::LENGTH]); usize::from(tile.width)])
    }

    fn too_narrow(&self, _: Tile) -> Unshown {
        Unshown
    }
}
