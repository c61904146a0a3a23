use std::cell::RefCell;

use tempfile::TempDir;

use super::*;
use crate::store::Batch;
use crate::store::faulty::{Fault, FaultyStore};
use crate::store::memory::MemoryStore;
use crate::store::redb::RedbStore;

const FORMAT: Format = Format { service: "xinfu-test", version: 1 };

struct World {
    directory: TempDir,
}

impl World {
    /// A directory with data in a store of redb.
    async fn new() -> Self {
        let world = Self { directory: tempfile::tempdir().unwrap() };
        let store = stand_in(Engine::Redb, &world.place().store(Engine::Redb), &FORMAT).unwrap();
        store.commit((0..100_u8).fold(Batch::new(), |batch, n| batch.put([n], vec![n; 100]))).await.unwrap();
        world
    }

    fn place(&self) -> Place<'_> {
        Place { data: self.directory.path(), name: "test", format: FORMAT }
    }

    async fn content(&self, path: &Path) -> Tally {
        tally(&*stand_in(Engine::Redb, path, &FORMAT).unwrap()).await.unwrap()
    }

    async fn migrate(&self, to: Engine) -> Result<Migrated, MigrateError> {
        migrate_locked(&self.place(), to, &stand_in).await
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "LOCK")
            .collect();
        names.sort();
        names
    }
}

/// redb in the place of either engine: the steps are the same, and every build tests them.
fn stand_in(_: Engine, path: &Path, format: &Format) -> Result<Arc<dyn Store>, OpenError> {
    Ok(Arc::new(RedbStore::open(path, format)?))
}

#[tokio::test]
async fn there_and_back() {
    let world = World::new().await;
    let place = world.place();
    let before = world.content(&place.store(Engine::Redb)).await;
    let done = world.migrate(Engine::Sled).await.unwrap();
    assert_eq!(done, Migrated { tally: before, kept: place.kept(Engine::Redb), interrupted: None });
    assert_eq!(world.files(), ["test.redb.migrated", "test.sled"]);
    assert_eq!(world.content(&place.store(Engine::Sled)).await, before);
    assert_eq!(world.content(&done.kept).await, before);
    assert_eq!(world.migrate(Engine::Redb).await.unwrap().tally, before);
    assert_eq!(world.files(), ["test.redb", "test.redb.migrated", "test.sled.migrated"]);
    // What is kept is never overwritten.
    let refused = world.migrate(Engine::Sled).await;
    assert!(matches!(refused, Err(MigrateError::Exists(path)) if path == place.kept(Engine::Redb)));
}

#[tokio::test]
async fn every_write_broken_every_way_leaves_the_old_store_in_force() {
    for fault in Fault::ALL {
        let world = World::new().await;
        let before = world.content(&world.place().store(Engine::Redb)).await;
        let open = |engine: Engine, path: &Path, format: &Format| -> Result<Arc<dyn Store>, OpenError> {
            let store = FaultyStore::new(stand_in(engine, path, format)?);
            store.break_next(fault);
            Ok(Arc::new(store))
        };
        migrate_locked(&world.place(), Engine::Sled, &open).await.unwrap_err();
        assert_eq!(world.files(), ["test.redb"], "{fault:?}");
        assert_eq!(world.migrate(Engine::Sled).await.unwrap().tally, before);
    }
}

#[tokio::test]
async fn a_draft_that_differs_is_dropped() {
    let world = World::new().await;
    let opened = RefCell::new(0);
    // The third store opened is the draft, read back.
    let open = |engine: Engine, path: &Path, format: &Format| -> Result<Arc<dyn Store>, OpenError> {
        let store = stand_in(engine, path, format)?;
        *opened.borrow_mut() += 1;
        if *opened.borrow() == 3 {
            return Ok(Arc::new(MemoryStore::new()));
        }
        Ok(store)
    };
    let refused = migrate_locked(&world.place(), Engine::Sled, &open).await;
    assert!(matches!(refused, Err(MigrateError::Differs { copied: 100, arrived: 0 })));
    assert_eq!(world.files(), ["test.redb"]);
}

#[tokio::test]
async fn interrupted_after_any_step_the_same_command_ends_it() {
    for steps in 0..=3 {
        let world = World::new().await;
        let place = world.place();
        let before = world.content(&place.store(Engine::Redb)).await;
        if steps == 0 {
            drop(stand_in(Engine::Sled, &place.draft(Engine::Sled), &FORMAT).unwrap());
        } else {
            fill_draft(&place, Engine::Sled, &stand_in).await.unwrap();
        }
        if steps >= 2 {
            take_out_of_force(&place, Engine::Redb).unwrap();
        }
        if steps == 3 {
            name(&place, Engine::Sled).unwrap();
        }
        // At every moment exactly one is in force, and a service starts on nothing else.
        let draft = place.draft(Engine::Sled);
        let expected = match steps {
            0 | 1 => Standing::InForce(Engine::Redb),
            2 => Standing::Unnamed(Engine::Sled),
            _ => Standing::InForce(Engine::Sled),
        };
        assert_eq!(place.standing(), expected);
        let starts = choice::open("redb", &place).map(drop);
        match steps {
            0 | 1 => starts.unwrap(),
            2 => assert!(matches!(starts, Err(OpenError::Unfinished { to: Engine::Sled, .. }))),
            _ => assert!(matches!(starts, Err(OpenError::OtherEngine { .. }))),
        }
        match (steps, world.migrate(Engine::Sled).await) {
            (0 | 1, Ok(done)) => assert_eq!(done.interrupted, Some(Interrupted::Dropped(draft))),
            (2, Ok(done)) => assert_eq!(done.interrupted, Some(Interrupted::Finished(draft))),
            (3, Err(MigrateError::SameEngine { .. })) => {}
            (_, other) => panic!("{steps}: {other:?}"),
        }
        assert_eq!(world.files(), ["test.redb.migrated", "test.sled"]);
        assert_eq!(world.content(&place.store(Engine::Sled)).await, before);
        assert_eq!(world.content(&place.kept(Engine::Redb)).await, before);
    }
}

#[tokio::test]
async fn a_switch_that_was_made_is_not_gone_back_on() {
    let world = World::new().await;
    fill_draft(&world.place(), Engine::Sled, &stand_in).await.unwrap();
    take_out_of_force(&world.place(), Engine::Redb).unwrap();
    let refused = world.migrate(Engine::Redb).await.unwrap_err();
    assert!(refused.to_string().contains("`xinfu-test migrate --config FILE --to sled`"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_migrated_is_refused_and_left_alone() {
    let world = World::new().await;
    let refused = world.migrate(Engine::Redb).await.unwrap_err();
    assert!(matches!(refused, MigrateError::SameEngine { engine: Engine::Redb, .. }));
    fs::write(world.place().store(Engine::Sled), "").unwrap();
    let refused = world.migrate(Engine::Sled).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Exists(path) if path == world.place().store(Engine::Sled)));
    assert_eq!(world.files(), ["test.redb", "test.sled"]);

    let empty = World { directory: tempfile::tempdir().unwrap() };
    let refused = empty.migrate(Engine::Sled).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Nothing { engine: Engine::Redb, .. }));
    assert_eq!(empty.files(), [""; 0]);

    let another = Place { format: Format { service: "xinfu-other", ..FORMAT }, ..world.place() };
    fs::remove_file(another.store(Engine::Sled)).unwrap();
    let refused = migrate_locked(&another, Engine::Sled, &stand_in).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Open(OpenError::OtherService { .. })));
    assert_eq!(world.files(), ["test.redb"]);
}

#[tokio::test]
async fn a_running_service_is_left_alone() {
    let world = World::new().await;
    let _running = DataLock::take(world.directory.path(), "xinfu-test").unwrap();
    assert!(matches!(migrate(&world.place(), Engine::Sled).await, Err(MigrateError::Lock(LockError::InUse { .. }))));
}

#[tokio::test]
#[cfg(not(feature = "sled"))]
async fn an_engine_that_was_not_built_in_is_refused() {
    let world = World::new().await;
    let refused = migrate(&world.place(), Engine::Sled).await;
    assert!(matches!(refused, Err(MigrateError::Open(OpenError::NotBuilt { .. }))));
    assert_eq!(world.files(), ["test.redb"]);
}

#[tokio::test]
#[cfg(feature = "sled")]
async fn between_redb_and_sled_there_and_back() {
    let world = World::new().await;
    let before = world.content(&world.place().store(Engine::Redb)).await;
    // The draft of a migration that was interrupted is a whole directory here.
    drop(choice::open_at(Engine::Sled, &world.place().draft(Engine::Sled), &FORMAT).unwrap());
    let done = migrate(&world.place(), Engine::Sled).await.unwrap();
    assert!(matches!(done.interrupted, Some(Interrupted::Dropped(_))));
    let store = choice::open("sled", &world.place()).unwrap();
    assert_eq!(tally(&*store).await.unwrap(), before);
    store.commit(Batch::new().put("new", "1")).await.unwrap();
    drop(store);
    let done = migrate(&world.place(), Engine::Redb).await.unwrap();
    assert_eq!(done.tally.entries, before.entries + 1);
    let store = choice::open("redb", &world.place()).unwrap();
    assert_eq!(store.get(b"new").await.unwrap().unwrap(), b"1");
}
