//! The nodes of the tree, read from hash tiles.

use super::path::{Content, Tile};
use crate::hash::Hash;
use crate::tree::{NodeReader, node_hash};

/// Hash tiles, from wherever they are kept.
pub trait TileReader {
    /// What can go wrong where they are kept.
    type Error;

    /// The hashes of `tile`, which is never an entry bundle. More than its width is no harm.
    ///
    /// # Errors
    /// When the tile cannot be read.
    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, Self::Error>;

    /// The error for a tile that holds fewer hashes than its width.
    fn too_narrow(&self, tile: Tile) -> Self::Error;
}

/// The nodes of a log of `size` leaves. The levels between tiles are hashed again from the level below, at most 127
/// hashes.
#[derive(Debug, Clone, Copy)]
pub struct TiledNodes<T> {
    tiles: T,
    size: u64,
}

impl<T: TileReader> TiledNodes<T> {
    /// Reads nodes from `tiles`, which are those of a log of `size` leaves, or of a larger one.
    pub const fn new(tiles: T, size: u64) -> Self {
        Self { tiles, size }
    }
}

impl<T: TileReader> NodeReader for TiledNodes<T> {
    type Error = T::Error;

    fn node(&self, level: u8, index: u64) -> Result<Hash, T::Error> {
        let (tile_level, height) = (level / 8, level % 8);
        let first = index << height;
        let content = Content::Hashes { level: tile_level };
        // A node is only asked for within the size; beyond it, the reader gets to answer for a full tile it lacks.
        let tile = Tile::of_log(content, first >> 8, self.size).unwrap_or(Tile {
            content,
            index: first >> 8,
            width: super::WIDTH,
        });
        let hashes = self.tiles.hashes(tile)?;
        let offset = usize::try_from(first & 0xff).unwrap_or(usize::MAX);
        let nodes = hashes.get(offset..).and_then(|from| from.get(..1 << height));
        nodes.and_then(subtree_root).ok_or_else(|| self.tiles.too_narrow(tile))
    }
}

/// Root over a power of two of nodes of one level.
fn subtree_root(nodes: &[Hash]) -> Option<Hash> {
    match nodes {
        [] => None,
        [alone] => Some(*alone),
        _ => {
            let (left, right) = nodes.split_at_checked(nodes.len() / 2)?;
            Some(node_hash(&subtree_root(left)?, &subtree_root(right)?))
        }
    }
}
