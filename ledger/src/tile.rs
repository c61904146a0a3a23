//! C2SP tlog-tiles: the log as static files, which any web server or cache can carry.
//!
//! A hash tile of level `L` holds 256 consecutive nodes of level `8 L`; an entry bundle holds the 256 entries under a
//! tile of level 0. At the right edge they are partial: `W` of 256, in a resource of its own with `.p/W` in its name.
//! Made once, a resource never changes.

mod bundle;
mod nodes;
mod path;

pub use bundle::{BundleError, MAX_ENTRY, push_entry, read_bundle};
pub use nodes::{TileReader, TiledNodes};
pub use path::{Content, PathError, Tile};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u16 = 256;

/// The resources that a log of `size` leaves has and a log of `old` leaves had not: what to write, and later to serve,
/// when a checkpoint of `size` is made. Entries first, then hashes from level 0 upward.
pub fn new_tiles(old: u64, size: u64) -> impl Iterator<Item = Tile> {
    let entries = tiles_between(Content::Entries, old, size);
    let hashes = (0..LEVELS).flat_map(move |level| tiles_between(Content::Hashes { level }, old, size));
    entries.chain(hashes)
}

/// Levels of hash tiles: a log of 2^64 leaves has no more.
const LEVELS: u8 = 8;

/// How many hash tiles of a level a log of `size` leaves has filled: the index of the one after them.
#[must_use]
pub fn full_tiles(size: u64, level: u8) -> u64 {
    Content::Hashes { level }.items(size) / u64::from(WIDTH)
}

/// The hash tiles at the right edge of a log of `size` leaves that are not full, by level from 0 to 7; nothing where that
/// level's are all full.
pub fn edge_tiles(size: u64) -> impl Iterator<Item = (u8, Option<Tile>)> {
    (0..LEVELS).map(move |level| (level, Tile::of_log(Content::Hashes { level }, full_tiles(size, level), size)))
}

fn tiles_between(content: Content, old: u64, size: u64) -> impl Iterator<Item = Tile> {
    let (have, want) = (content.items(old), content.items(size));
    let first = have / u64::from(WIDTH);
    let end = if want > have { want.div_ceil(u64::from(WIDTH)) } else { first };
    (first..end).filter_map(move |index| Tile::of_log(content, index, size))
}

#[cfg(test)]
mod tests;
