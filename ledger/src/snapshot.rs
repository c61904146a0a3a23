//! A node's state at a checkpoint, as one file: written in one go, read in one go, never in memory as a whole.
//!
//! Form only. What is believed of a file, and in which order, is for whoever reads it (`docs/formats.md`, "Snapshot").

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::tile::{MAX_ENTRY, WIDTH, edge_tiles};
use crate::tree::Frontier;
use crate::walk::Walk;

/// The first line.
const MAGIC: &[u8] = b"xinfu-snapshot@v1\n";
/// Longest header, in bytes: the way of some thousand sets of validators. It is the one part that is held in memory.
pub const MAX_HEADER: u32 = 64 * 1024 * 1024;
/// Longest value of the state, in bytes: what a node's store takes.
pub const MAX_VALUE: usize = 16 * 1024 * 1024;

/// The bytes are not a snapshot in its one spelling: what of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file is not a snapshot: {0}")]
pub struct Malformed(pub &'static str);

/// What stands before entries and pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// From the genesis file's validators to the checkpoint.
    pub way: Vec<Walk>,
    /// The hash tiles that are not full at the checkpoint's size, from level 0 up; empty where that level's is.
    pub edge: Vec<Vec<Hash>>,
    /// Pairs of the state.
    pub pairs: u64,
}

impl Header {
    /// The right edge of the log of `size` entries, if the hashes are as many as it has.
    #[must_use]
    pub fn frontier(&self, size: u64) -> Option<Frontier> {
        let widths = edge_tiles(size).map(|(_, tile)| tile.map_or(0, |tile| usize::from(tile.width)));
        if !widths.eq(self.edge.iter().map(Vec::len)) {
            return None;
        }
        let subtrees = Frontier::positions(size).map(|(level, index)| {
            let (tile_level, height) = (usize::from(level / 8), level % 8);
            let first = usize::try_from((index << height) % u64::from(WIDTH)).ok()?;
            let hashes = self.edge.get(tile_level)?.get(first..)?.get(..1_usize << height)?;
            let mut whole = Frontier::new();
            hashes.iter().for_each(|hash| whole.append(*hash, |_, _, _| ()));
            Some(whole.root())
        });
        Frontier::from_subtrees(size, subtrees.collect::<Option<_>>()?).ok()
    }

    /// The hash of the entry so many places after the first of the last bundle.
    #[must_use]
    pub fn leaf(&self, place: usize) -> Option<&Hash> {
        self.edge.first()?.get(place)
    }
}

/// Writes a snapshot.
#[derive(Debug)]
pub struct Writer<W>(W);

impl<W: Write> Writer<W> {
    /// Begins with the header and the entries of the last bundle.
    ///
    /// # Errors
    /// The writer's own; header, or an entry, is longer than one may be.
    pub fn begin(mut to: W, header: &Header, entries: &[Vec<u8>]) -> io::Result<Self> {
        let json = serde_json::to_vec(header)?;
        let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_HEADER);
        let length = length.ok_or_else(|| io::Error::other("the way of the validators is too long"))?;
        to.write_all(MAGIC)?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&json)?;
        for entry in entries {
            let length = u16::try_from(entry.len()).map_err(io::Error::other)?;
            to.write_all(&length.to_be_bytes())?;
            to.write_all(entry)?;
        }
        Ok(Self(to))
    }

    /// Goes on with a pair of the state. Pairs ascend by key.
    ///
    /// # Errors
    /// The writer's own; the value is longer than one may be.
    pub fn pair(&mut self, key: &Hash, value: &[u8]) -> io::Result<()> {
        let length = u32::try_from(value.len()).ok().filter(|_| value.len() <= MAX_VALUE);
        let length = length.ok_or_else(|| io::Error::other("a value of the state is too long"))?;
        self.0.write_all(key.as_bytes())?;
        self.0.write_all(&length.to_be_bytes())?;
        self.0.write_all(value)
    }
}

/// Reads a snapshot, never more than one item of it at a time. How many entries and pairs follow is for the caller to know.
#[derive(Debug)]
pub struct Reader<R>(R);

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Malformed`], as in all that follows.
    pub fn begin(from: R) -> Result<(Self, Header), Malformed> {
        let mut reader = Self(from);
        if reader.exactly(MAGIC.len())? != MAGIC {
            return Err(Malformed("its first line"));
        }
        let length = reader.length::<4>(u64::from(MAX_HEADER), "the length of its header")?;
        let json = reader.exactly(length)?;
        let header: Header = serde_json::from_slice(&json).map_err(|_| Malformed("its header"))?;
        // One spelling: whatever else says the same is refused.
        if serde_json::to_vec(&header).ok().as_ref() != Some(&json) {
            return Err(Malformed("the spelling of its header"));
        }
        Ok((reader, header))
    }

    /// Reads the next entry.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn entry(&mut self) -> Result<Vec<u8>, Malformed> {
        let length = self.length::<2>(u64::try_from(MAX_ENTRY).unwrap_or(u64::MAX), "the length of an entry")?;
        self.exactly(length)
    }

    /// Reads the next pair of the state.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn pair(&mut self) -> Result<(Hash, Vec<u8>), Malformed> {
        let key = self.exactly(Hash::LENGTH)?;
        let key = Hash::from_slice(&key).map_err(|_| Malformed("a key"))?;
        let length = self.length::<4>(u64::try_from(MAX_VALUE).unwrap_or(u64::MAX), "the length of a value")?;
        Ok((key, self.exactly(length)?))
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn end(mut self) -> Result<(), Malformed> {
        let mut more = [0];
        match self.0.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Malformed("it goes on after its end")),
            Err(_) => Err(Malformed("it cannot be read to its end")),
        }
    }

    fn length<const N: usize>(&mut self, limit: u64, what: &'static str) -> Result<usize, Malformed> {
        let length = self.exactly(N)?.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        usize::try_from(length).ok().filter(|_| length <= limit).ok_or(Malformed(what))
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Malformed> {
        let mut bytes = Vec::new();
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        // What is allocated is what is there, whatever a length says.
        let read = self.0.by_ref().take(wanted).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() == length => Ok(bytes),
            _ => Err(Malformed("it ends too early")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::NodeReader as _;
    use crate::tree::tests::log_of;

    /// A header with the edge of a log of so many entries, and the log's root.
    fn header_of(size: u32) -> (Header, Hash) {
        let entries: Vec<_> = (0..size).map(u32::to_be_bytes).collect();
        let (log, nodes) = log_of(entries.iter().map(<[u8; 4]>::as_slice));
        let edge = edge_tiles(u64::from(size)).map(|(level, tile)| {
            let first = tile.map_or(0, |tile| tile.index * u64::from(WIDTH));
            let width = tile.map_or(0, |tile| u64::from(tile.width));
            (first..first + width).map(|index| nodes.node(8 * level, index).unwrap()).collect()
        });
        let walk = Walk { steps: Vec::new(), newest: None };
        (Header { way: vec![walk], edge: edge.collect(), pairs: 2 }, log.root())
    }

    #[test]
    fn the_edge_of_a_log_gives_its_root_at_its_own_size_only() {
        for size in [0, 1, 2, 3, 255, 256, 257, 300, 511, 512, 1_000, 65_535, 65_536, 65_537, 66_051] {
            let (header, root) = header_of(size);
            let size = u64::from(size);
            assert_eq!(header.frontier(size).unwrap().root(), root, "{size}");
            for other in [size.wrapping_sub(1), size + 1, size + 256, size << 8 | 1] {
                assert!(header.frontier(other).is_none(), "{size} as {other}");
            }
        }
    }

    type Parts = (Header, Vec<Vec<u8>>, Vec<(Hash, Vec<u8>)>);

    fn read(bytes: &[u8]) -> Result<Parts, Malformed> {
        let (mut reader, header) = Reader::begin(bytes)?;
        let entries = (0..3).map(|_| reader.entry()).collect::<Result<_, _>>()?;
        let pairs = (0..header.pairs).map(|_| reader.pair()).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok((header, entries, pairs))
    }

    #[test]
    fn what_is_written_is_read_and_nothing_shorter_longer_or_spelt_otherwise() {
        let (header, _) = header_of(515);
        let entries = [b"one".to_vec(), Vec::new(), vec![7; MAX_ENTRY]];
        let pairs = vec![(Hash::from([1; 32]), b"value".to_vec()), (Hash::from([2; 32]), Vec::new())];
        let mut whole = Vec::new();
        let mut writer = Writer::begin(&mut whole, &header, &entries).unwrap();
        pairs.iter().for_each(|(key, value)| writer.pair(key, value).unwrap());
        assert!(writer.pair(&Hash::from([3; 32]), &vec![0; MAX_VALUE + 1]).is_err());
        assert_eq!(read(&whole), Ok((header.clone(), entries.to_vec(), pairs)));
        for end in (0..whole.len()).step_by(41).chain([whole.len() - 1]) {
            assert_eq!(read(&whole[..end]), Err(Malformed("it ends too early")), "cut at {end}");
        }
        assert_eq!(read(&[&whole[..], b"x"].concat()), Err(Malformed("it goes on after its end")));
        let json = serde_json::to_string(&header).unwrap();
        let with = |json: &str| {
            let length = u32::try_from(json.len()).unwrap().to_be_bytes();
            read(&[MAGIC, &length, json.as_bytes()].concat()).unwrap_err()
        };
        assert_eq!(with(&json.replace("\"pairs\":", "\"pairs\": ")), Malformed("the spelling of its header"));
        assert_eq!(with(&json.replace("pairs", "Pairs")), Malformed("its header"));
        assert_eq!(with(&json.replace("\"pairs\":2", "\"pairs\":2,\"more\":1")), Malformed("its header"));
        let longest = [MAGIC, &(MAX_HEADER + 1).to_be_bytes()].concat();
        assert_eq!(read(&longest), Err(Malformed("the length of its header")));
        assert_eq!(read(b"xinfu-snapshot@v2\n"), Err(Malformed("its first line")));
    }
}
