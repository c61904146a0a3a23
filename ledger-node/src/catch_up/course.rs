//! The way to one target along one source: chunk by chunk, each proven before a block of it is handed out.

use ledger::Hash;
use ledger::tile::{Content, Tile, WIDTH};

use super::Asking;
use super::chunk::{Proven, RawBlock, Reach};
use super::error::{CatchUpError, SourceError, Stopped};
use super::hashes::HashTiles;
use super::standing::{Standing, Target};
use crate::store::Head;

/// Bytes of entries after which a chunk is proven and executed. With the bundle that goes beyond it, 12 MB are held before
/// they are proven, at most; a block that ends later is held until it does, but only as far as it is proven.
pub(super) const CHUNK: usize = 4 * 1024 * 1024;
/// The same where sources are slow: a bundle or two, which come in two minutes over a few kB a second.
pub(super) const LEAST_CHUNK: usize = 128 * 1024;

/// Under way.
pub(super) struct Course {
    target: Target,
    start: Standing,
    reach: Reach,
    /// The head after the last block handed out, and the set that its seal names.
    handed_out: Head,
    names: Hash,
    tiles: HashTiles,
    chunk: usize,
}

impl Course {
    /// Asks for the target; nothing if the source has none that is beyond where we stand.
    pub(super) async fn begin(asking: &mut Asking<'_>, standing: &Standing) -> Result<Option<Self>, Stopped> {
        let (walk, bytes) = asking.source.walk(&standing.trust_root.digest()).await?;
        asking.count(bytes);
        let Some(target) = Target::of(&walk, &standing.trust_root)? else { return Ok(None) };
        if target.size == standing.head.size && target.root != standing.head.root {
            return Err(Stopped::All(split_view(asking, &target, &standing.head)));
        }
        if target.size <= standing.head.size {
            return Ok(None);
        }
        let (start, reach) = (standing.clone(), Reach::new(standing.frontier.clone()));
        let (handed_out, names) = (standing.head.clone(), standing.trust_root.digest());
        let (tiles, chunk) = (HashTiles::default(), asking.chunk);
        Ok(Some(Self { target, start, reach, handed_out, names, tiles, chunk }))
    }

    /// Whether what was handed out was executed, and nothing else.
    pub(super) fn is_at(&self, standing: &Standing) -> bool {
        self.handed_out == standing.head
    }

    /// The next proven blocks, at least one.
    pub(super) async fn next(&mut self, asking: &mut Asking<'_>) -> Result<Proven, Stopped> {
        let mut raw = Vec::new();
        while raw.is_empty() {
            raw = self.next_chunk(asking).await?;
        }
        let mut blocks = Vec::with_capacity(raw.len());
        for block in raw {
            let (block, names) = block.read().map_err(Stopped::All)?;
            // The seal before names those who certify this one. Their keys may well sign for a later set, too.
            if block.head.size == self.target.size && self.names != self.start.trust_root.digest() {
                return Err(SourceError::PastTheSet { size: self.target.size }.into());
            }
            (self.handed_out, self.names) = (block.head.clone(), names);
            blocks.push(block);
        }
        let is_reached = self.reach.size() == self.target.size;
        let reached = is_reached.then(|| self.target.reached().clone());
        Ok(Proven { blocks, reached, target: self.target.size })
    }

    /// Fetches a chunk and proves it; gives the blocks that end in it.
    async fn next_chunk(&mut self, asking: &mut Asking<'_>) -> Result<Vec<RawBlock>, Stopped> {
        let from = self.reach.size();
        let mut blocks = Vec::new();
        let mut fetched = 0_usize;
        while fetched < self.chunk && self.reach.size() < self.target.size {
            let (entries, bytes) = self.next_entries(asking).await?;
            fetched = fetched.saturating_add(bytes);
            blocks.extend(self.reach.extend(entries));
        }
        self.prove(asking, from).await?;
        // That the target's last leaf is a seal was shown with the target.
        if self.reach.size() == self.target.size && self.reach.is_open() {
            let index = self.target.size.saturating_sub(1);
            return Err(Stopped::All(CatchUpError::Unreadable { index, reason: "no seal ends the log".into() }));
        }
        Ok(blocks)
    }

    /// The entries of the next bundle that we do not have.
    async fn next_entries(&self, asking: &mut Asking<'_>) -> Result<(Vec<Vec<u8>>, usize), Stopped> {
        let (width, size) = (u64::from(WIDTH), self.reach.size());
        let Some(tile) = Tile::of_log(Content::Entries, size / width, self.target.size) else {
            return Ok((Vec::new(), self.chunk));
        };
        let (mut entries, bytes) = asking.source.entries(tile).await?;
        asking.count(bytes);
        let have = usize::try_from(size % width).unwrap_or(usize::MAX).min(entries.len());
        entries.drain(..have);
        Ok((entries, bytes))
    }

    /// Proves that the log with the chunk from `from` on is a prefix of the target's. Nothing of the chunk leaves this
    /// room otherwise.
    async fn prove(&mut self, asking: &mut Asking<'_>, from: u64) -> Result<(), Stopped> {
        let (size, root) = (self.reach.size(), self.reach.root());
        if size == self.target.size && root == self.target.root {
            return Ok(());
        }
        match self.root_within(asking, size).await? {
            Some(certified) if certified == root => Ok(()),
            None => Err(SourceError::FalseHashes { size: self.target.size }.into()),
            Some(_) => {
                // Either the chunk is false, or the log that it was put after is not the quorum's.
                let head = self.start.head.clone();
                match self.root_within(asking, head.size).await? {
                    Some(certified) if certified != head.root => {
                        Err(Stopped::All(split_view(asking, &self.target, &head)))
                    }
                    _ => Err(SourceError::FalseEntries { from, to: size.saturating_sub(1) }.into()),
                }
            }
        }
    }

    /// The root of the first `size` leaves of the target's log, as the source's hash tiles prove it.
    async fn root_within(&mut self, asking: &mut Asking<'_>, size: u64) -> Result<Option<Hash>, Stopped> {
        for tile in self.tiles.lacks(size, self.target.size) {
            let (hashes, bytes) = asking.source.hashes(tile).await?;
            asking.count(bytes);
            self.tiles.put(tile, hashes);
        }
        Ok(self.tiles.root_within(size, self.target.size, &self.target.root))
    }
}

fn split_view(asking: &Asking<'_>, target: &Target, head: &Head) -> CatchUpError {
    let (source_name, note) = (asking.source.name().to_owned(), target.note().to_owned());
    CatchUpError::SplitView { source_name, size: target.size, ours: head.size, note }
}
