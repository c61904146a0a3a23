//! Which store a service's data lives in, as its configuration names it.

use std::path::Path;
use std::sync::Arc;

use super::Store;
use super::place::{Engine, Place, Standing};
use super::redb::{Format, OpenError, RedbStore};

/// Opens the store `engine` (`redb` or `sled`) of a service at its `place`.
///
/// A service that changed its store without its data would begin anew, and give away again what it gave away before: where
/// data lies in the other store, or a migration ended halfway, the service is refused and told the command.
///
/// # Errors
/// [`OpenError`]; an engine that nobody knows, that was not built in, or beside whose data another's lies.
pub fn open(engine: &str, place: &Place<'_>) -> Result<Arc<dyn Store>, OpenError> {
    let engine = Engine::parse(engine).ok_or_else(|| OpenError::UnknownEngine(engine.to_owned()))?;
    let service = place.format.service;
    match place.standing() {
        Standing::New => {}
        Standing::InForce(found) if found == engine => warn_of_drafts(place, engine),
        Standing::InForce(found) => {
            return Err(OpenError::OtherEngine { path: place.store(found), service, found, configured: engine });
        }
        Standing::Unnamed(found) => {
            return Err(OpenError::Unfinished { path: place.draft(found), service, to: found });
        }
        Standing::Two => {
            return Err(OpenError::TwoStores { one: place.store(Engine::Redb), other: place.store(Engine::Sled) });
        }
        Standing::Lost(path) => return Err(OpenError::Lost { path, place: place.store(engine) }),
    }
    open_at(engine, &place.store(engine), &place.format)
}

/// An interrupted migration took nothing from the store in force: the service may start, and the operator should know.
fn warn_of_drafts(place: &Place<'_>, engine: Engine) {
    let draft = place.draft(engine.other());
    if draft.exists() {
        tracing::warn!(
            draft = %draft.display(),
            "a migration was interrupted before it took effect; run `migrate` again, or remove the draft"
        );
    }
}

/// Opens whatever `path` holds as a store of `engine`, creating it if there is none.
pub(super) fn open_at(engine: Engine, path: &Path, format: &Format) -> Result<Arc<dyn Store>, OpenError> {
    match engine {
        Engine::Redb => Ok(Arc::new(RedbStore::open(path, format)?)),
        Engine::Sled => open_sled(path, format),
    }
}

#[cfg(feature = "sled")]
fn open_sled(path: &Path, format: &Format) -> Result<Arc<dyn Store>, OpenError> {
    Ok(Arc::new(super::sled::SledStore::open(path, format)?))
}

#[cfg(not(feature = "sled"))]
fn open_sled(_path: &Path, format: &Format) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::NotBuilt { service: format.service })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(data: &Path) -> Place<'_> {
        Place { data, name: "test", format: Format { service: "xinfu-test", version: 1 } }
    }

    #[test]
    fn a_service_never_begins_anew_beside_its_data() {
        let directory = tempfile::tempdir().unwrap();
        let open = |engine| open(engine, &at(directory.path()));
        assert!(matches!(open("postgres").err(), Some(OpenError::UnknownEngine(_))));
        drop(open("redb").unwrap());
        drop(open("redb").unwrap());
        let error = open("sled").err().unwrap().to_string();
        assert!(error.contains("`xinfu-test migrate --config FILE --to sled`"), "{error}");
    }

    #[test]
    fn names_that_no_migration_leaves_are_refused() {
        for (files, refused) in [
            (["test.redb", "test.sled"].as_slice(), "are both"),
            (&["test.redb.migrated"], "no store is in force"),
            (&["test.redb.draft"], "no store is in force"),
            (&["test.redb.draft", "test.redb.migrated"], "no store is in force"),
            (&["test.redb.draft", "test.sled.draft", "test.redb.migrated"], "no store is in force"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            for file in files {
                std::fs::write(directory.path().join(file), "").unwrap();
            }
            let error = open("redb", &at(directory.path())).err().unwrap().to_string();
            assert!(error.contains(refused), "{files:?}: {error}");
        }
    }

    #[test]
    #[cfg(feature = "sled")]
    fn sled_opens_where_it_was_built_in_and_guards_its_data_alike() {
        let directory = tempfile::tempdir().unwrap();
        let open = |engine| open(engine, &at(directory.path()));
        drop(open("sled").unwrap());
        drop(open("sled").unwrap());
        assert!(matches!(open("redb").err(), Some(OpenError::OtherEngine { .. })));
    }

    #[test]
    #[cfg(not(feature = "sled"))]
    fn a_program_without_sled_says_how_to_build_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = open("sled", &at(directory.path())).err().unwrap();
        assert!(error.to_string().contains("--features sled"), "{error}");
    }
}
