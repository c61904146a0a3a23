//! The store in a sled directory, for those who ask for it: built with the feature `sled` only.
//!
//! **Not durable on power loss.** sled 0.34 flushes with `sync_file_range`, which leaves the drive's own cache and the
//! file's metadata to chance; a crash of the process loses nothing, a power cut may lose what was acknowledged. Services
//! that must not forget use redb, the default.
//!
//! One thread writes: it checks a batch's preconditions, applies the batch (atomic in sled), flushes, and answers. After
//! a flush that failed, memory may be ahead of the disk, so nothing more is written or read until the store is opened again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::redb::{Format, OpenError};
use super::{Answer, Batch, Entry, Range, Store, StoreError, Write};

/// Memory that sled may use for its page cache, in bytes: as much as redb has.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How often opening asks again for a directory that is held, and how long it waits before each: together 2 s. Threads
/// of sled's own pool hold a store for some moments after it was dropped, and nothing tells when they have let go.
const TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// The tree with the names of service and layout.
const FORMAT: &str = "xinfu-format";
const DATA: &str = "xinfu-data";

type Verdict = Result<(), StoreError>;
type Work = (Batch, oneshot::Sender<Verdict>);

/// A store in one sled directory. Dropping it finishes the commits under way and frees the directory.
pub struct SledStore {
    data: sled::Tree,
    /// Whether a write failed.
    doubtful: Arc<AtomicBool>,
    work: Option<mpsc::Sender<Work>>,
    writing: Option<JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store in the directory `path`, creating it if there is none, for data of `format`.
    ///
    /// # Errors
    /// Held by another process, another service's data, data of another version, damage.
    pub fn open(path: &Path, format: &Format) -> Result<Self, OpenError> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir()) {
            return Err(OpenError::NoDirectory(parent.to_owned()));
        }
        let broken = |error| explain_opening(path, &error);
        let database = open_when_let_go(path)?;
        check_marker(&database, path, format)?;
        let data = database.open_tree(DATA).map_err(broken)?;
        let (work, waiting) = mpsc::channel();
        let (tree, doubtful) = (data.clone(), Arc::<AtomicBool>::default());
        let failed = Arc::clone(&doubtful);
        let writing = std::thread::Builder::new()
            .name("sled".into())
            .spawn(move || write_all(&database, &tree, &failed, &waiting));
        let writing =
            writing.map_err(|error| OpenError::Broken { path: path.to_owned(), detail: error.to_string() })?;
        Ok(Self { data, doubtful, work: Some(work), writing: Some(writing) })
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.doubtful.load(Ordering::SeqCst) { Err(failed_before()) } else { Ok(()) }
    }
}

fn failed_before() -> StoreError {
    StoreError::Broken("an earlier write failed; start the service again".into())
}

impl Drop for SledStore {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(writing) = self.writing.take() {
            // A panic there was told to whoever waited.
            let _ended = writing.join();
        }
    }
}

fn open_when_let_go(path: &Path) -> Result<sled::Db, OpenError> {
    let open = || sled::Config::new().path(path).cache_capacity(CACHE_BYTES).open();
    let mut opened = open().map_err(|error| explain_opening(path, &error));
    for _ in 0..TRIES {
        if !matches!(opened, Err(OpenError::InUse(_))) {
            break;
        }
        std::thread::sleep(BETWEEN_TRIES);
        opened = open().map_err(|error| explain_opening(path, &error));
    }
    opened
}

fn check_marker(database: &sled::Db, path: &Path, format: &Format) -> Result<(), OpenError> {
    let broken = |error| explain_opening(path, &error);
    let known = database.tree_names().iter().any(|name| name.as_ref() == FORMAT.as_bytes());
    let is_new = database.tree_names().len() <= 1 && database.is_empty();
    if !known && !is_new {
        return Err(OpenError::Foreign { path: path.to_owned(), expected: format.service });
    }
    let marker = database.open_tree(FORMAT).map_err(broken)?;
    let read = |key: &str| -> Result<Option<String>, OpenError> {
        Ok(marker.get(key).map_err(broken)?.map(|value| String::from_utf8_lossy(&value).into_owned()))
    };
    match (read("service")?, read("version")?) {
        // A crash between the two inserts leaves one of them: the directory is still new.
        (None, _) | (_, None) => {
            marker.insert("version", format.version.to_string().as_bytes()).map_err(broken)?;
            marker.insert("service", format.service.as_bytes()).map_err(broken)?;
            marker.flush().map(drop).map_err(broken)
        }
        (Some(found), _) if found != format.service => {
            Err(OpenError::OtherService { path: path.to_owned(), found, expected: format.service })
        }
        (_, Some(found)) if found != format.version.to_string() => {
            Err(OpenError::OtherVersion { path: path.to_owned(), found, known: format.version })
        }
        _ => Ok(()),
    }
}

fn write_all(database: &sled::Db, data: &sled::Tree, doubtful: &AtomicBool, waiting: &mpsc::Receiver<Work>) {
    while let Ok((batch, caller)) = waiting.recv() {
        let verdict = if doubtful.load(Ordering::SeqCst) { Err(failed_before()) } else { apply(database, data, batch) };
        // Before anybody hears of it: who reads to learn how it ended must not be told what memory alone holds.
        if matches!(verdict, Err(StoreError::Broken(_) | StoreError::Corrupt(_))) {
            doubtful.store(true, Ordering::SeqCst);
        }
        let _nobody_waits = caller.send(verdict);
    }
}

/// Only this thread writes, so nothing changes between the look and the write.
fn apply(database: &sled::Db, data: &sled::Tree, batch: Batch) -> Verdict {
    for (which, precondition) in batch.preconditions().iter().enumerate() {
        let found = data.get(precondition.key()).map_err(|error| explain(&error))?;
        if !precondition.holds(found.as_deref()) {
            return Err(StoreError::Precondition { which, key: precondition.key().to_vec() });
        }
    }
    let mut changes = sled::Batch::default();
    for write in batch.into_writes() {
        match write {
            Write::Put { key, value } => changes.insert(key, value),
            Write::Delete { key } => changes.remove(key),
        }
    }
    data.apply_batch(changes).map_err(|error| explain(&error))?;
    database.flush().map(drop).map_err(|error| explain(&error))
}

impl Store for SledStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.check()?;
            let found = self.data.get(key).map_err(|error| explain(&error))?;
            Ok(found.map(|value| value.to_vec()))
        })
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move {
            self.check()?;
            if range.is_empty() || limit == 0 {
                return Ok(Vec::new());
            }
            let found = match range.end() {
                Some(end) => self.data.range(range.start()..end),
                None => self.data.range(range.start()..),
            };
            let copy = |row: sled::Result<(sled::IVec, sled::IVec)>| {
                row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(|error| explain(&error))
            };
            if range.is_descending() {
                found.rev().take(limit).map(copy).collect()
            } else {
                found.take(limit).map(copy).collect()
            }
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            batch.check()?;
            let stopped = || StoreError::Broken("the store's thread has ended".into());
            let (caller, verdict) = oneshot::channel();
            let work = self.work.as_ref().ok_or_else(stopped)?;
            work.send((batch, caller)).map_err(|_| stopped())?;
            verdict.await.unwrap_or_else(|_| Err(stopped()))
        })
    }
}

/// A full disk is "broken" here, not "full": sled has the batch in memory already and may still write it.
fn explain(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } => StoreError::Corrupt("its checksums do not fit".into()),
        other => StoreError::Broken(other.to_string()),
    }
}

fn explain_opening(path: &Path, error: &sled::Error) -> OpenError {
    let path = path.to_owned();
    match error {
        sled::Error::Corruption { .. } => OpenError::Corrupt { path, detail: "its checksums do not fit".into() },
        // sled says nothing better when it does not get the lock.
        sled::Error::Io(error) if error.to_string().contains("lock") => OpenError::InUse(path),
        other => OpenError::Broken { path, detail: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::store::contract;

    const FORMAT: Format = Format { service: "xinfu-test", version: 1 };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sled_keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let made = AtomicU64::new(0);
        contract::check(|| {
            let name = format!("{}.sled", made.fetch_add(1, Ordering::Relaxed));
            Arc::new(SledStore::open(&directory.path().join(name), &FORMAT).unwrap())
        })
        .await;
    }

    #[tokio::test]
    async fn what_was_committed_is_there_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sled");
        let store = SledStore::open(&path, &FORMAT).unwrap();
        store.commit(Batch::new().put("a", "1")).await.unwrap();
        drop(store);
        let store = SledStore::open(&path, &FORMAT).unwrap();
        assert_eq!(store.get(b"a").await.unwrap().unwrap(), b"1");
    }

    #[tokio::test]
    async fn after_a_write_that_failed_nothing_is_answered() {
        let directory = tempfile::tempdir().unwrap();
        let store = SledStore::open(&directory.path().join("a.sled"), &FORMAT).unwrap();
        store.commit(Batch::new().put("a", "1")).await.unwrap();
        store.doubtful.store(true, Ordering::SeqCst);
        assert_eq!(store.get(b"a").await, Err(failed_before()));
        assert_eq!(store.scan(Range::all(), 9).await, Err(failed_before()));
        assert_eq!(store.commit(Batch::new()).await, Err(failed_before()));
    }

    #[test]
    fn opening_waits_for_one_that_is_letting_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sled");
        let held = SledStore::open(&path, &FORMAT).unwrap();
        let letting_go = std::thread::spawn(move || {
            std::thread::sleep(BETWEEN_TRIES * 3);
            drop(held);
        });
        SledStore::open(&path, &FORMAT).unwrap();
        letting_go.join().unwrap();
    }

    #[test]
    fn opening_says_what_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let open = |name: &str, format: &Format| SledStore::open(&path(name), format).map(drop).unwrap_err();
        assert!(matches!(open("none/a.sled", &FORMAT), OpenError::NoDirectory(_)));
        let held = SledStore::open(&path("a.sled"), &FORMAT).unwrap();
        assert!(matches!(open("a.sled", &FORMAT), OpenError::InUse(_)));
        drop(held);
        let newer = Format { version: 2, ..FORMAT };
        let other = Format { service: "xinfu-other", ..FORMAT };
        assert!(matches!(open("a.sled", &newer), OpenError::OtherVersion { known: 2, .. }));
        assert!(matches!(open("a.sled", &other), OpenError::OtherService { .. }));
        let foreign = sled::open(path("b.sled")).unwrap();
        foreign.insert("a", "1").unwrap();
        drop(foreign);
        assert!(matches!(open("b.sled", &FORMAT), OpenError::Foreign { .. }));
    }
}
