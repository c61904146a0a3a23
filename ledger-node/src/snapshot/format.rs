//! The bytes of a snapshot's file: written in one go, read in one go, never in memory as a whole.

use std::io::{Read, Write};

use ledger::Hash;
use ledger::tile::{MAX_ENTRY, WIDTH};
use ledger::tree::Frontier;
use ledger::walk::Walk;
use serde::{Deserialize, Serialize};
use service_kit::store::MAX_VALUE_BYTES;

use super::SnapshotError;
use crate::store::edge_tiles;

/// The first line.
const MAGIC: &[u8] = b"xinfu-snapshot@v1\n";
/// Longest header, in bytes: the way of some thousand sets of validators. It is the one part that is held in memory.
const MAX_HEADER: u32 = 64 * 1024 * 1024;

/// What stands before entries and pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// From the genesis file's validators to the checkpoint.
    pub(super) way: Vec<Walk>,
    /// The hash tiles that are not full at the checkpoint's size, from level 0 up; empty where that level's is.
    pub(super) edge: Vec<Vec<Hash>>,
    /// Pairs of the state.
    pub(super) pairs: u64,
}

impl Header {
    /// The right edge of the log of `size` entries, if the hashes are as many as it has.
    pub(super) fn frontier(&self, size: u64) -> Option<Frontier> {
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
    pub(super) fn leaf(&self, place: usize) -> Option<&Hash> {
        self.edge.first()?.get(place)
    }
}

/// Writes a snapshot.
pub(super) struct Writer<W>(W);

impl<W: Write> Writer<W> {
    /// Begins with the header and the entries of the last bundle.
    pub(super) fn begin(mut to: W, header: &Header, entries: &[Vec<u8>]) -> std::io::Result<Self> {
        let json = serde_json::to_vec(header)?;
        let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_HEADER);
        let length = length.ok_or_else(|| std::io::Error::other("the way of the validators is too long"))?;
        to.write_all(MAGIC)?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&json)?;
        for entry in entries {
            let length = u16::try_from(entry.len()).map_err(std::io::Error::other)?;
            to.write_all(&length.to_be_bytes())?;
            to.write_all(entry)?;
        }
        Ok(Self(to))
    }

    pub(super) fn pair(&mut self, key: &Hash, value: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(value.len()).map_err(std::io::Error::other)?;
        self.0.write_all(key.as_bytes())?;
        self.0.write_all(&length.to_be_bytes())?;
        self.0.write_all(value)
    }
}

/// Reads a snapshot: form only, and never more than one item of it at a time.
pub(super) struct Reader<R>(R);

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(super) fn begin(from: R) -> Result<(Self, Header), SnapshotError> {
        let mut reader = Self(from);
        if reader.exactly(MAGIC.len())? != MAGIC {
            return Err(SnapshotError::Malformed("its first line"));
        }
        let length = reader.length::<4>(u64::from(MAX_HEADER), "the length of its header")?;
        let json = reader.exactly(length)?;
        let header: Header = serde_json::from_slice(&json).map_err(|_| SnapshotError::Malformed("its header"))?;
        // One spelling: whatever else says the same is refused.
        if serde_json::to_vec(&header).ok().as_ref() != Some(&json) {
            return Err(SnapshotError::Malformed("the spelling of its header"));
        }
        Ok((reader, header))
    }

    pub(super) fn entry(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let length = self.length::<2>(u64::try_from(MAX_ENTRY).unwrap_or(u64::MAX), "the length of an entry")?;
        self.exactly(length)
    }

    pub(super) fn pair(&mut self) -> Result<(Hash, Vec<u8>), SnapshotError> {
        let key = self.exactly(Hash::LENGTH)?;
        let key = Hash::from_slice(&key).map_err(|_| SnapshotError::Malformed("a key"))?;
        let limit = u64::try_from(MAX_VALUE_BYTES).unwrap_or(u64::MAX);
        let length = self.length::<4>(limit, "the length of a value")?;
        Ok((key, self.exactly(length)?))
    }

    /// Nothing may follow.
    pub(super) fn end(mut self) -> Result<(), SnapshotError> {
        let mut more = [0];
        match self.0.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(SnapshotError::Malformed("it goes on after its end")),
            Err(_) => Err(SnapshotError::Malformed("it cannot be read to its end")),
        }
    }

    fn length<const N: usize>(&mut self, limit: u64, what: &'static str) -> Result<usize, SnapshotError> {
        let length = self.exactly(N)?.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        usize::try_from(length).ok().filter(|_| length <= limit).ok_or(SnapshotError::Malformed(what))
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, SnapshotError> {
        let mut bytes = Vec::new();
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        // What is allocated is what is there, whatever a length says.
        let read = self.0.by_ref().take(wanted).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() == length => Ok(bytes),
            _ => Err(SnapshotError::Malformed("it ends too early")),
        }
    }
}
