//! A node's disk: what the engine wrote to it and did not sync may be torn, reordered or lost when the node dies, and it
//! may fill up or fail, for the engine's files and for the node's store alike.
//!
//! The runtime's own storage in memory forgets every byte that was not synced. So what was not is remembered here, and a
//! node that comes back finds as much of it as chance left there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use commonware_runtime::{
    Blob, BlobVersion, Error, Handle, IoBufs, IoBufsMut, ReadOptions, Storage as _, WriteOptions, deterministic,
};
use service_kit::store::{Answer, Batch, Entry, Range, Store, StoreError};

use super::dice::Dice;
use super::panics::Excuse;

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Partition and name.
type File = (String, Vec<u8>);

/// A disk. Cheap to clone.
#[derive(Clone)]
pub(super) struct Disk {
    inside: Arc<Mutex<Inside>>,
    /// It refused to write something, or to sync it, since its node came back: then a part of the engine may end.
    excuse: Excuse,
}

struct Inside {
    trouble: Trouble,
    /// How the next commit of the store goes wrong.
    commit: Option<Commit>,
    /// By file, what was done to it since it was synced.
    unsynced: BTreeMap<File, Unsynced>,
    dice: Dice,
}

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// It takes nothing more: a write stops in the middle.
    Full,
    /// It takes writes and does not make them durable.
    Unsyncable,
}

/// How a commit of the store goes wrong once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// The caller hears of a failure, and nothing was saved.
    Lost,
    /// The caller hears of a failure, and all was saved.
    Saved,
}

struct Unsynced {
    version: BlobVersion,
    changes: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    /// Not sure to be there.
    Bytes(u64, Vec<u8>),
    Length(u64),
    /// Durable by itself, after whatever came before.
    Durable(u64, Vec<u8>),
}

/// What a crash leaves of the changes that were not synced.
#[derive(Debug, Clone, Copy)]
enum Crash {
    Nothing,
    Everything,
    /// The first of them; of the last one its beginning.
    Prefix,
    /// Some sectors of some of them, in no order.
    Sectors,
}

impl Disk {
    pub(super) fn new(dice: Dice) -> Self {
        let inside = Inside { trouble: Trouble::None, commit: None, unsynced: BTreeMap::new(), dice };
        Self { inside: Arc::new(Mutex::new(inside)), excuse: Excuse::default() }
    }

    /// From now on this is wrong with it.
    pub(super) fn suffer(&self, trouble: Trouble) {
        self.with(|inside| inside.trouble = trouble);
    }

    fn refuse(&self) -> Error {
        self.excuse.set(true);
        Error::WriteFailed
    }

    /// What it excuses: that a part of its node's engine ends.
    pub(super) fn excuse(&self) -> &Excuse {
        &self.excuse
    }

    /// The next commit of the store goes wrong.
    pub(super) fn break_commit(&self, how: Commit) {
        self.with(|inside| inside.commit = Some(how));
    }

    /// Opens a file whose changes are watched.
    pub(super) async fn open(
        &self,
        context: &deterministic::Context,
        partition: &str,
        name: &[u8],
        versions: std::ops::RangeInclusive<BlobVersion>,
    ) -> Result<(Watched, u64, BlobVersion), Error> {
        let (inner, size, version) = context.open_versioned(partition, name, versions).await?;
        let file = (partition.to_owned(), name.to_vec());
        // Whatever an earlier life left was settled when this one began.
        self.with(|inside| inside.unsynced.remove(&file));
        Ok((Watched { inner, file, version, disk: self.clone() }, size, version))
    }

    /// A file, or all of a partition, is no more.
    pub(super) fn forget(&self, partition: &str, name: Option<&[u8]>) {
        self.with(|inside| {
            inside.unsynced.retain(|file, _| file.0 != partition || name.is_some_and(|name| file.1 != name))
        });
    }

    /// The node died: writes what the crash left of its unsynced changes, before anybody opens a file again.
    pub(super) async fn settle(&self, context: &deterministic::Context) {
        self.with(|inside| inside.commit = None);
        self.excuse.set(false);
        for ((partition, name), version, changes) in self.leftovers() {
            let (blob, ..) = context.open_versioned(&partition, &name, version..=version).await.unwrap();
            for change in changes {
                match change {
                    Change::Bytes(offset, bytes) | Change::Durable(offset, bytes) => {
                        blob.write_at(offset, bytes, WriteOptions::default()).await.unwrap();
                    }
                    Change::Length(length) => blob.resize(length).await.unwrap(),
                }
            }
            blob.sync().await.unwrap();
        }
    }

    fn leftovers(&self) -> Vec<(File, BlobVersion, Vec<Change>)> {
        self.with(|inside| {
            let all = [Crash::Nothing, Crash::Everything, Crash::Prefix, Crash::Sectors];
            let crash = all[inside.dice.below(all.len())];
            let unsynced = std::mem::take(&mut inside.unsynced);
            let dice = &mut inside.dice;
            let left = |(file, Unsynced { version, changes })| (file, version, crash.leaves(changes, dice));
            unsynced.into_iter().map(left).filter(|(.., changes)| !changes.is_empty()).collect()
        })
    }

    fn note(&self, blob: &Watched, change: Change) {
        self.with(|inside| {
            let new = || Unsynced { version: blob.version, changes: Vec::new() };
            inside.unsynced.entry(blob.file.clone()).or_insert_with(new).changes.push(change);
        });
    }

    fn synced(&self, file: &File) {
        self.with(|inside| inside.unsynced.remove(file));
    }

    fn trouble(&self) -> Trouble {
        self.with(|inside| inside.trouble)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inside) -> T) -> T {
        act(&mut self.inside.lock().unwrap())
    }
}

impl Crash {
    fn leaves(self, changes: Vec<Change>, dice: &mut Dice) -> Vec<Change> {
        match self {
            Self::Everything => changes,
            Self::Nothing => changes.into_iter().filter(|change| matches!(change, Change::Durable(..))).collect(),
            Self::Prefix => {
                let cut = dice.below(changes.len() + 1);
                let left = |(number, change): (usize, Change)| match change {
                    Change::Bytes(offset, mut bytes) if number == cut => {
                        bytes.truncate(dice.below(bytes.len() + 1));
                        Some(Change::Bytes(offset, bytes))
                    }
                    Change::Bytes(..) | Change::Length(_) if number >= cut => None,
                    change => Some(change),
                };
                changes.into_iter().enumerate().filter_map(left).collect()
            }
            Self::Sectors => changes.into_iter().flat_map(|change| scatter(change, dice)).collect(),
        }
    }
}

/// Some sectors of a change.
fn scatter(change: Change, dice: &mut Dice) -> Vec<Change> {
    match change {
        Change::Durable(..) => vec![change],
        Change::Length(_) => Some(change).filter(|_| dice.below(2) == 0).into_iter().collect(),
        Change::Bytes(offset, bytes) => {
            let kept = sectors(offset, &bytes).filter(|_| dice.below(2) == 0);
            kept.map(|(offset, bytes)| Change::Bytes(offset, bytes.to_vec())).collect()
        }
    }
}

/// What a write puts into each sector. They lie at their own places in the file, wherever it begins.
fn sectors(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let into_its_sector = usize::try_from(offset).unwrap() % SECTOR;
    let (first, others) = bytes.split_at(bytes.len().min(SECTOR - into_its_sector));
    let after = offset + u64::try_from(first.len()).unwrap();
    let others = (after..).step_by(SECTOR).zip(others.chunks(SECTOR));
    Some((offset, first)).filter(|(_, first)| !first.is_empty()).into_iter().chain(others)
}

/// A file whose unsynced changes are remembered.
pub(super) struct Watched {
    inner: deterministic::Blob,
    file: File,
    version: BlobVersion,
    disk: Disk,
}

impl Watched {
    async fn write(&self, offset: u64, bytes: Vec<u8>, options: WriteOptions) -> Result<(), Error> {
        self.inner.write_at(offset, bytes.clone(), options).await?;
        let durable = options.contains(WriteOptions::SYNC);
        self.disk.note(self, if durable { Change::Durable(offset, bytes) } else { Change::Bytes(offset, bytes) });
        Ok(())
    }
}

impl Blob for Watched {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.inner.read_at_buf(offset, len, bufs, options).await
    }

    async fn read_at(&self, offset: u64, len: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        self.inner.read_at(offset, len, options).await
    }

    async fn write_at(&self, offset: u64, bufs: impl Into<IoBufs> + Send, options: WriteOptions) -> Result<(), Error> {
        let mut bytes = bufs.into().coalesce().as_ref().to_vec();
        match self.disk.trouble() {
            Trouble::None => self.write(offset, bytes, options).await,
            Trouble::Full => {
                bytes.truncate(bytes.len() / 2);
                self.write(offset, bytes, WriteOptions::default()).await?;
                Err(self.disk.refuse())
            }
            Trouble::Unsyncable => {
                self.write(offset, bytes, WriteOptions::default()).await?;
                if options.contains(WriteOptions::SYNC) { Err(self.disk.refuse()) } else { Ok(()) }
            }
        }
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        self.inner.resize(len).await?;
        self.disk.note(self, Change::Length(len));
        Ok(())
    }

    async fn sync(&self) -> Result<(), Error> {
        self.start_sync().await.await
    }

    async fn start_sync(&self) -> Handle<()> {
        if self.disk.trouble() == Trouble::Unsyncable {
            return Handle::ready(Err(self.disk.refuse()));
        }
        // In memory it is done when it has begun.
        let handle = self.inner.start_sync().await;
        self.disk.synced(&self.file);
        handle
    }
}

/// The node's store, on the same disk: its commits are whole or nothing, and fail when the disk does.
pub(super) struct Shelf {
    pub(super) inner: Arc<dyn Store>,
    pub(super) disk: Disk,
}

impl Store for Shelf {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        self.inner.get(key)
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        self.inner.scan(range, limit)
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        let (trouble, commit) = self.disk.with(|inside| (inside.trouble, inside.commit.take()));
        let broken = || StoreError::Broken("broken on purpose".into());
        Box::pin(async move {
            match (trouble, commit) {
                (Trouble::Full, _) => Err(StoreError::Full),
                (Trouble::Unsyncable, _) | (Trouble::None, Some(Commit::Lost)) => Err(broken()),
                (Trouble::None, Some(Commit::Saved)) => {
                    self.inner.commit(batch).await?;
                    Err(broken())
                }
                (Trouble::None, None) => self.inner.commit(batch).await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use commonware_runtime::{Runner as _, Supervisor as _};

    use super::super::machine::{Hardware, Machine};
    use super::*;

    /// Four sectors that were synced, then four more behind them and two over the first, and the node dies.
    fn left_after(seed: u64) -> Vec<u8> {
        deterministic::Runner::default().start(|context| async move {
            let hardware = Hardware::new(Dice::new(seed));
            let machine = Machine::new(context.child("machine"), hardware);
            let (blob, _) = machine.open("partition", b"file").await.unwrap();
            blob.write_at(0, vec![1; 4 * SECTOR], WriteOptions::default()).await.unwrap();
            blob.sync().await.unwrap();
            blob.write_at(4 * 512, vec![2; 4 * SECTOR], WriteOptions::default()).await.unwrap();
            blob.write_at(0, vec![3; 2 * SECTOR], WriteOptions::default()).await.unwrap();
            drop(blob);
            machine.settle().await;
            let (blob, size) = machine.open("partition", b"file").await.unwrap();
            let length = usize::try_from(size).unwrap();
            blob.read_at(0, length, ReadOptions::default()).await.unwrap().coalesce().as_ref().to_vec()
        })
    }

    #[test]
    fn a_crash_leaves_what_was_synced_and_anything_of_the_rest() {
        let (mut torn, mut reordered, mut outcomes) = (0, 0, BTreeSet::new());
        for seed in 0..200 {
            let left = left_after(seed);
            let (synced, behind) = left.split_at(4 * SECTOR);
            assert!(synced[2 * SECTOR..].iter().all(|byte| *byte == 1), "what nobody touched stays");
            assert!(synced.iter().all(|byte| [1, 3].contains(byte)) && behind.iter().all(|byte| [0, 2].contains(byte)));
            let (new, twos) =
                (synced.iter().filter(|byte| **byte == 3).count(), behind.iter().filter(|byte| **byte == 2).count());
            torn += u64::from(twos % (4 * SECTOR) != 0);
            reordered += u64::from(new > 0 && twos < 4 * SECTOR);
            outcomes.insert((new, twos));
        }
        assert!(torn > 0 && reordered > 0, "{torn} torn, {reordered} reordered");
        assert!(outcomes.contains(&(0, 0)) && outcomes.contains(&(2 * SECTOR, 4 * SECTOR)), "{outcomes:?}");
    }

    #[test]
    fn a_crash_tears_at_the_borders_of_sectors_wherever_a_write_begins() {
        let bytes: Vec<u8> = (0..1300).map(|place| u8::try_from(place % 251).unwrap()).collect();
        for (offset, length, borders) in [
            (0, 1300, vec![0, 512, 1024]),
            (100, 1300, vec![100, 512, 1024]),
            (1023, 514, vec![1023, 1024, 1536]),
            (511, 1, vec![511]),
            (700, 0, vec![]),
        ] {
            let pieces: Vec<_> = sectors(offset, &bytes[..length]).collect();
            assert_eq!(pieces.iter().map(|(at, _)| *at).collect::<Vec<_>>(), borders, "{offset}, {length}");
            assert_eq!(pieces.iter().flat_map(|(_, piece)| piece.to_vec()).collect::<Vec<_>>(), bytes[..length]);
        }
    }

    #[test]
    fn a_full_disk_tears_what_is_written_and_one_that_cannot_sync_says_so() {
        deterministic::Runner::default().start(|context| async move {
            let hardware = Hardware::new(Dice::new(1));
            let machine = Machine::new(context.child("machine"), hardware.clone());
            let (blob, _) = machine.open("partition", b"file").await.unwrap();
            hardware.disk.suffer(Trouble::Full);
            assert!(!hardware.disk.excuse().holds(), "it has refused nothing yet");
            assert!(blob.write_at(0, vec![1; 8], WriteOptions::default()).await.is_err());
            assert!(blob.read_at(0, 5, ReadOptions::default()).await.is_err(), "half of it is there");
            assert!(blob.read_at(0, 4, ReadOptions::default()).await.is_ok());
            let shelf = Shelf { inner: crate::tests::world::memory(), disk: hardware.disk.clone() };
            assert_eq!(shelf.commit(Batch::new().put("a", "1")).await, Err(StoreError::Full));
            hardware.disk.suffer(Trouble::Unsyncable);
            assert!(blob.write_at(0, vec![1; 8], WriteOptions::default()).await.is_ok());
            assert!(blob.sync().await.is_err());
            hardware.disk.suffer(Trouble::None);
            assert!(blob.sync().await.is_ok());
            assert!(shelf.commit(Batch::new().put("a", "1")).await.is_ok());
            assert!(hardware.disk.excuse().holds(), "whatever has become of it since");
            machine.settle().await;
            assert!(!hardware.disk.excuse().holds());
        });
    }
}
