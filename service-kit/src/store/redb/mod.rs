//! The store on disk: one redb file, one durable commit at a time, many batches in each.
//!
//! Life of a batch: the caller's task hands it to the committer's thread; the thread takes everything that is
//! waiting, judges each batch's preconditions in order inside one redb transaction, applies those that hold, and
//! makes one durable commit (one `fdatasync`) for all of them; only then do the callers hear. If we die before the
//! commit, nobody was told anything; after it, everything that was told is there.
//!
//! When the disk fails in the middle, redb closes itself. If it is full, calls are refused with [`StoreError::Full`], and
//! each call tries to open the file again; the commit counter kept inside it must then be as it was before.
//!
//! After any other failure, of a sync above all, nobody knows what is on the drive. The system shows what was to be
//! written, takes it for written, and a second sync would not tell. So the store answers [`StoreError::Broken`] to
//! everything from then on, reads too, that nobody takes for certain what a power cut would take back; and it leaves the
//! file alone, since whatever is written on top may make the file unreadable after that power cut. Starting the service
//! again would do just that. Starting the machine again reads what the drive has: the last good commit.

mod committer;
mod disk;
mod open;

use std::{path::Path, sync::Arc};

use committer::GroupCommitter;
use disk::Disk;
pub use open::{Format, OpenError};

use super::{Answer, Batch, Entry, Range, Store, StoreError};

/// Memory that redb may use for its page cache, in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// A store in one redb file. Dropping it finishes the commits under way and frees the file.
pub struct RedbStore {
    disk: Arc<Disk>,
    committer: GroupCommitter,
}

impl RedbStore {
    /// Opens the store at `path`, creating it if there is none, for data of `format`.
    ///
    /// The whole file is checked against its own checksums first, so damage is named here and not met later.
    /// Blocks while it reads: call it before serving.
    ///
    /// # Errors
    /// Says plainly what is wrong: missing directory, held by another process, another program's data, data of a
    /// newer version, damage.
    pub fn open(path: &Path, format: &Format) -> Result<Self, OpenError> {
        let disk = Disk::open(Box::new(open::FileSource::new(path)), format)?;
        Ok(Self::start(disk))
    }

    fn start(disk: Disk) -> Self {
        let disk = Arc::new(disk);
        let committer = GroupCommitter::start(Arc::clone(&disk));
        Self { disk, committer }
    }

    /// The value at `key`, for callers without a runtime (the ledger's executor): the same answer as
    /// [`Store::get`], on the caller's thread.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn get_here(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.get(key)
    }

    /// The entries of `range`, for callers without a runtime: as [`Store::scan`], on the caller's thread.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan_here(&self, range: &Range, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.disk.scan(range, limit)
    }

    /// Commits for callers without a runtime: as [`Store::commit`], waiting on the caller's thread. It joins the
    /// same groups as everyone else. Not for async code, which it would block.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit_here(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        self.committer.submit(batch).blocking_recv().unwrap_or_else(|_| Err(committer::stopped()))
    }
}

impl Store for RedbStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        // A read is microseconds from the page cache: cheaper here than the way to another thread and back.
        Box::pin(async move { self.disk.get(key) })
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move { self.disk.scan(&range, limit) })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            batch.check()?;
            self.committer.submit(batch).await.unwrap_or_else(|_| Err(committer::stopped()))
        })
    }
}

#[cfg(test)]
mod tests;
