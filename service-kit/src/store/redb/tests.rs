use std::{
    io,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use redb::{Database, DatabaseError, StorageBackend, backends::InMemoryBackend};

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

/// Bytes that outlive the databases opened on them, with a quota and a broken sync.
#[derive(Debug)]
struct Platter {
    bytes: InMemoryBackend,
    full: AtomicBool,
    sync_broken: AtomicBool,
}

#[derive(Debug, Clone)]
struct Drive(Arc<Platter>);

impl StorageBackend for Drive {
    fn len(&self) -> io::Result<u64> {
        self.0.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refuse_if_full()?;
        self.0.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.sync_broken.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("the drive fell asleep"));
        }
        self.0.bytes.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_if_full()?;
        self.0.bytes.write(offset, data)
    }
}

impl Drive {
    fn new() -> Self {
        let platter = Platter { bytes: InMemoryBackend::new(), full: false.into(), sync_broken: false.into() };
        Self(Arc::new(platter))
    }

    fn refuse_if_full(&self) -> io::Result<()> {
        if self.0.full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn set_full(&self, full: bool) {
        self.0.full.store(full, Ordering::SeqCst);
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
    let drive = Drive::new();
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
    let drive = Drive::new();
    let store = store_on(&drive);
    for number in 0..6_u32 {
        let key = format!("k{number}");
        drive.0.sync_broken.store(number % 2 == 0, Ordering::SeqCst);
        let answer = store.commit(Batch::new().put_new(key.clone(), "1")).await;
        let there = store.get(key.as_bytes()).await.unwrap().is_some();
        assert_eq!(answer.is_ok(), there, "{answer:?}");
    }
}
