use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::Hash;
use crate::tree::tests::log_of;
use crate::tree::{Frontier, InclusionError, NodeReader, leaf_hash, make_inclusion, root, verify_inclusion};

fn hashes(level: u8, index: u64, width: u16) -> Tile {
    Tile { content: Content::Hashes { level }, index, width }
}

#[test]
fn names_are_those_of_the_specification() {
    for (tile, name) in [
        (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (hashes(0, 0, 256), "tile/0/000"),
        (hashes(1, 999, 17), "tile/1/999.p/17"),
        (hashes(63, 1000, 1), "tile/63/x001/000.p/1"),
        (Tile { content: Content::Entries, index: 273, width: 112 }, "tile/entries/273.p/112"),
    ] {
        assert_eq!(tile.to_string(), name);
        assert_eq!(name.parse(), Ok(tile));
    }
}

#[test]
fn other_names_are_refused() {
    for name in [
        "tile/0",
        "tile/0/",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/../000",
        "tile/entries/",
        "tile/entry/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/+01",
    ] {
        assert_eq!(name.parse::<Tile>(), Err(PathError), "{name}");
    }
}

#[test]
fn the_tiles_of_the_specifications_example() {
    // "A tree of size 70,000": 273 full and one partial tile at level 0, one and one at level 1, one at level 2.
    let tiles: Vec<Tile> = new_tiles(0, 70_000).collect();
    let level = |level| tiles.iter().filter(move |tile| tile.content == Content::Hashes { level });
    assert_eq!(level(0).filter(|tile| tile.is_full()).count(), 273);
    assert_eq!(level(0).next_back(), Some(&hashes(0, 273, 112)));
    assert_eq!(level(1).copied().collect::<Vec<_>>(), [hashes(1, 0, 256), hashes(1, 1, 17)]);
    assert_eq!(level(2).copied().collect::<Vec<_>>(), [hashes(2, 0, 1)]);
    assert_eq!(level(3).count(), 0);
    let at_256: Vec<Tile> = new_tiles(0, 256).skip(1).collect();
    assert_eq!(at_256, [hashes(0, 0, 256), hashes(1, 0, 1)]);
    assert_eq!(new_tiles(256, 256).count(), 0);
    assert_eq!(new_tiles(255, 256).count(), 3);
}

#[test]
fn a_log_has_no_tile_of_nothing() {
    assert_eq!(Tile::of_log(Content::Entries, 1, 257).map(|tile| tile.width), Some(1));
    assert_eq!(Tile::of_log(Content::Entries, 1, 256), None);
    assert_eq!(Tile::of_log(Content::Hashes { level: 1 }, 0, 255), None);
}

#[test]
fn bundles_keep_their_entries() {
    let mut bundle = Vec::new();
    for entry in [&b"one"[..], b"", &[7; MAX_ENTRY]] {
        push_entry(&mut bundle, entry).unwrap();
    }
    assert_eq!(read_bundle(&bundle).unwrap(), [&b"one"[..], b"", &[7; MAX_ENTRY]]);
    assert_eq!(push_entry(&mut bundle, &[0; MAX_ENTRY + 1]), Err(BundleError::EntryTooLong));
    assert_eq!(read_bundle(&bundle[..bundle.len() - 1]), Err(BundleError::Truncated));
    assert_eq!(read_bundle(&[0]), Err(BundleError::Truncated));
    assert_eq!(read_bundle(&[]), Err(BundleError::Width));
    assert_eq!(read_bundle(&[0; 2 * 257]), Err(BundleError::Width));
}

/// Tiles as a node keeps them: one list of hashes for each level, cut on reading.
#[derive(Default)]
struct Kept(RefCell<HashMap<u8, Vec<Hash>>>);

#[derive(Debug, PartialEq)]
enum KeptError {
    TooNarrow(Tile),
    Inclusion(InclusionError),
}

impl From<InclusionError> for KeptError {
    fn from(error: InclusionError) -> Self {
        Self::Inclusion(error)
    }
}

impl TileReader for &Kept {
    type Error = KeptError;

    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, KeptError> {
        let Content::Hashes { level } = tile.content else { return Err(KeptError::TooNarrow(tile)) };
        let start = usize::try_from(tile.index).unwrap() * 256;
        let kept = self.0.borrow();
        let from = kept.get(&level).and_then(|level| level.get(start..)).ok_or(KeptError::TooNarrow(tile))?;
        Ok(from[..from.len().min(usize::from(tile.width))].to_vec())
    }

    fn too_narrow(&self, tile: Tile) -> KeptError {
        KeptError::TooNarrow(tile)
    }
}

fn kept_log(size: u64) -> (Frontier, Kept) {
    let (mut frontier, kept) = (Frontier::new(), Kept::default());
    for number in 0..size {
        frontier.append(leaf_hash(&number.to_be_bytes()), |level, _, hash| {
            if level % 8 == 0 {
                kept.0.borrow_mut().entry(level / 8).or_default().push(hash);
            }
        });
    }
    (frontier, kept)
}

#[test]
fn proofs_come_out_of_tiles() {
    let size = 66_000;
    let (frontier, kept) = kept_log(size);
    let nodes = TiledNodes::new(&kept, size);
    assert_eq!(root(&nodes, size), Ok(frontier.root()));
    for index in [0, 1, 255, 256, 65_535, 65_536, size - 1] {
        let path = make_inclusion(&nodes, index, size).unwrap();
        let leaf = leaf_hash(&index.to_be_bytes());
        assert_eq!(verify_inclusion(leaf, index, size, &path, &frontier.root()), Ok(()));
    }
    // Beyond the end of the log, the tile asked for is the one that would hold the node.
    assert_eq!(nodes.node(0, size), Err(KeptError::TooNarrow(hashes(0, 257, 208))));
    assert_eq!(nodes.node(0, 66_048), Err(KeptError::TooNarrow(hashes(0, 258, 256))));
}

#[test]
fn tiles_and_whole_trees_agree() {
    for size in [1u64, 2, 255, 256, 257, 300, 513] {
        let entries: Vec<[u8; 8]> = (0..size).map(u64::to_be_bytes).collect();
        let (_, nodes) = log_of(entries.iter().map(<[u8; 8]>::as_slice));
        let (_, kept) = kept_log(size);
        let tiled = TiledNodes::new(&kept, size);
        for index in (0..size).step_by(37) {
            assert_eq!(make_inclusion(&tiled, index, size).unwrap(), make_inclusion(&nodes, index, size).unwrap());
        }
    }
}

proptest! {
    #[test]
    fn every_name_is_read_back(level in 0u8..64, index: u64, width in 1u16..=256, entries: bool) {
        let content = if entries { Content::Entries } else { Content::Hashes { level } };
        let tile = Tile { content, index, width };
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }

    #[test]
    fn a_name_that_is_read_is_the_one_that_would_be_written(name in "tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,2}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = name.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), name);
        }
    }
}
