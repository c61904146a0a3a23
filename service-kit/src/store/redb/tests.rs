use std::{
    io,
    path::PathBuf,
    sync::Mutex,
    sync::atomic::{AtomicU64, Ordering},
};

use redb::{Database, DatabaseError, StorageBackend};

use super::*;
use crate::store::contract;

const FORMAT: Format = Format { service: "xinfu-test", version: 1 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redb_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let made = AtomicU64::new(0);
    contract::check(|| {
        let name = format!("{}.redb", made.fetch_add(1, Ordering::Relaxed));
        Arc::new(RedbStore::open(&directory.path().join(name), &FORMAT).unwrap())
    })
    .await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.redb");
    let store = RedbStore::open(&path, &FORMAT).unwrap();
    store.commit(Batch::new().put("a", "1")).await.unwrap();
    drop(store);
    let store = RedbStore::open(&path, &FORMAT).unwrap();
    assert_eq!(store.get(b"a").await.unwrap().unwrap(), b"1");
}

#[test]
fn calls_without_a_runtime_agree() {
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(&directory.path().join("a.redb"), &FORMAT).unwrap();
    store.commit_here(Batch::new().put_new("a", "1")).unwrap();
    assert!(store.commit_here(Batch::new().put_new("a", "2")).unwrap_err().is_precondition());
    assert_eq!(store.get_here(b"a").unwrap().unwrap(), b"1");
    assert_eq!(store.scan_here(&Range::all(), 9).unwrap().len(), 1);
}

#[test]
fn opening_says_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let open = |name: &str, format: &Format| RedbStore::open(&path(name), format).map(|_| ()).unwrap_err();

    assert!(matches!(open("none/a.redb", &FORMAT), OpenError::NoDirectory(_)));
    std::fs::write(path("text"), "some file of someone else, long enough to be looked at as a database header")
        .unwrap();
    assert!(matches!(open("text", &FORMAT), OpenError::Foreign { .. }));

    let held = RedbStore::open(&path("a.redb"), &FORMAT).unwrap();
    assert!(matches!(open("a.redb", &FORMAT), OpenError::InUse(_)));
    drop(held);
    let newer = Format { version: 2, ..FORMAT };
    let other = Format { service: "xinfu-other", ..FORMAT };
    assert!(matches!(open("a.redb", &newer), OpenError::OtherVersion { known: 2, .. }));
    assert!(matches!(open("a.redb", &other), OpenError::OtherService { .. }));

    let foreign: redb::TableDefinition<&str, u64> = redb::TableDefinition::new("someone");
    let database = Database::create(path("b.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(foreign).unwrap().insert("a", 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(open("b.redb", &FORMAT), OpenError::Foreign { .. }));
}

#[tokio::test]
async fn a_flipped_bit_is_named_or_harmless() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.redb");
    let store = RedbStore::open(&path, &FORMAT).unwrap();
    let batch =
        (0..200_u32).fold(Batch::new(), |batch, number| batch.put(format!("k{number:03}"), format!("v{number}")));
    store.commit(batch).await.unwrap();
    let entries = store.scan(Range::all(), 1000).await.unwrap();
    drop(store);
    let good = std::fs::read(&path).unwrap();
    let mut named = 0;
    for place in (0..good.len()).step_by(good.len() / 97) {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        match RedbStore::open(&path, &FORMAT) {
            Err(_) => named += 1,
            Ok(store) => assert_eq!(store.scan(Range::all(), 1000).await.unwrap(), entries, "byte {place}"),
        }
    }
    assert!(named > 0);
}

/// A drive and the system's memory before it, with a quota and a broken sync. After a sync that failed the system takes
/// for written what is not: a later one does not write it, and a power cut takes it away.
#[derive(Debug, Default)]
struct Platter {
    shown: Vec<u8>,
    durable: Vec<u8>,
    /// What is to be written with the next sync.
    dirty: Vec<std::ops::Range<usize>>,
    full: bool,
    sync_broken: bool,
}

#[derive(Debug, Clone, Default)]
struct Drive(Arc<Mutex<Platter>>);

impl StorageBackend for Drive {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.with(|platter| platter.shown.len())).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.with(|platter| out.copy_from_slice(&platter.shown[start..start + out.len()]));
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refuse_if_full()?;
        self.with(|platter| platter.shown.resize(usize::try_from(len).unwrap(), 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|platter| {
            let dirty = std::mem::take(&mut platter.dirty);
            if std::mem::take(&mut platter.sync_broken) {
                return Err(io::Error::other("the drive fell asleep"));
            }
            platter.durable.resize(platter.shown.len(), 0);
            for range in dirty {
                // What was cut off meanwhile is written by nobody.
                if let Some(written) = platter.shown.get(range.clone()) {
                    platter.durable[range].copy_from_slice(written);
                }
            }
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_if_full()?;
        let start = usize::try_from(offset).unwrap();
        let range = start..start + data.len();
        self.with(|platter| {
            platter.shown[range.clone()].copy_from_slice(data);
            platter.dirty.push(range);
        });
        Ok(())
    }
}

impl Drive {
    fn refuse_if_full(&self) -> io::Result<()> {
        if self.with(|platter| platter.full) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn set_full(&self, full: bool) {
        self.with(|platter| platter.full = full);
    }

    fn break_next_sync(&self) {
        self.with(|platter| platter.sync_broken = true);
    }

    /// What is left when the power comes back.
    fn after_a_power_cut(&self) -> Self {
        let durable = self.with(|platter| platter.durable.clone());
        Self(Arc::new(Mutex::new(Platter { shown: durable.clone(), durable, ..Platter::default() })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Platter) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }
}

struct DriveSource(Drive, PathBuf);

impl open::Source for DriveSource {
    fn open(&self) -> Result<Database, DatabaseError> {
        open::builder().create_with_backend(self.0.clone())
    }

    fn path(&self) -> &Path {
        &self.1
    }
}

fn store_on(drive: &Drive) -> RedbStore {
    let source = DriveSource(drive.clone(), PathBuf::from("drive"));
    RedbStore::start(Disk::open(Box::new(source), &FORMAT).unwrap())
}

#[tokio::test]
async fn a_full_disk_refuses_and_then_resumes() {
    let drive = Drive::default();
    let store = store_on(&drive);
    store.commit(Batch::new().put("kept", "1")).await.unwrap();
    drive.set_full(true);
    assert_eq!(store.commit(Batch::new().put("a", vec![7; 100_000])).await, Err(StoreError::Full));
    assert_eq!(store.commit(Batch::new().put("b", "1")).await, Err(StoreError::Full));
    drive.set_full(false);
    assert_eq!(store.get(b"a").await.unwrap(), None);
    assert_eq!(store.get(b"kept").await.unwrap().unwrap(), b"1");
    store.commit(Batch::new().put("a", "2").require_equals("kept", "1")).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap().unwrap(), b"2");
}

#[tokio::test]
async fn after_a_failed_sync_the_answer_is_the_truth() {
    let drive = Drive::default();
    let store = store_on(&drive);
    store.commit(Batch::new().put_new("kept", "1")).await.unwrap();
    drive.break_next_sync();
    let unknown = store.commit(Batch::new().put_new("unknown", "1")).await;
    assert!(matches!(unknown, Err(StoreError::Broken(_))), "{unknown:?}");
    // Whoever reads to learn how it ended learns nothing that the next power cut could take back.
    let read = store.get(b"unknown").await;
    assert!(matches!(read, Err(StoreError::Broken(_))), "{read:?}");
    assert!(matches!(store.scan(Range::all(), 9).await, Err(StoreError::Broken(_))));
    let later = store.commit(Batch::new().put_new("later", "1")).await;
    assert!(matches!(later, Err(StoreError::Broken(_))), "{later:?}");
    drop(store);

    let store = store_on(&drive.after_a_power_cut());
    assert_eq!(store.get(b"kept").await.unwrap().unwrap(), b"1");
    assert_eq!(store.get(b"later").await.unwrap(), None);
    store.commit(Batch::new().put_new("later", "1")).await.unwrap();
}
