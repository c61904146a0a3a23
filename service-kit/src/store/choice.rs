//! Which store a service's data lives in, as its configuration names it.

use std::path::Path;
use std::sync::Arc;

use super::Store;
use super::redb::{Format, OpenError, RedbStore};

/// The default, and always built.
pub const REDB: &str = "redb";
/// Built with the feature `sled` only.
pub const SLED: &str = "sled";

/// Opens the store `engine` (`redb` or `sled`) of the service `name` in the directory `data`.
///
/// A service that changed its store without its data would begin anew, and give away again what it gave away before: data
/// of the other store in the directory is refused.
///
/// # Errors
/// [`OpenError`]; an engine that nobody knows, that was not built in, or beside whose data another's lies.
pub fn open(engine: &str, data: &Path, name: &str, format: &Format) -> Result<Arc<dyn Store>, OpenError> {
    let file = |engine: &str| data.join(format!("{name}.{engine}"));
    let other = match engine {
        REDB => SLED,
        SLED => REDB,
        _ => return Err(OpenError::UnknownEngine(engine.to_owned())),
    };
    if file(other).exists() {
        return Err(OpenError::OtherEngine { path: file(other), engine: engine.to_owned() });
    }
    match engine {
        SLED => open_sled(&file(SLED), format),
        _ => Ok(Arc::new(RedbStore::open(&file(REDB), format)?)),
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

    const FORMAT: Format = Format { service: "xinfu-test", version: 1 };

    #[test]
    fn a_service_never_begins_anew_beside_its_data() {
        let directory = tempfile::tempdir().unwrap();
        let open = |engine| open(engine, directory.path(), "test", &FORMAT);
        assert!(matches!(open("postgres").err(), Some(OpenError::UnknownEngine(_))));
        drop(open(REDB).unwrap());
        drop(open(REDB).unwrap());
        assert!(matches!(open(SLED).err(), Some(OpenError::OtherEngine { .. })));
    }

    #[test]
    #[cfg(feature = "sled")]
    fn sled_opens_where_it_was_built_in_and_guards_its_data_alike() {
        let directory = tempfile::tempdir().unwrap();
        drop(open(SLED, directory.path(), "test", &FORMAT).unwrap());
        drop(open(SLED, directory.path(), "test", &FORMAT).unwrap());
        let error = open(REDB, directory.path(), "test", &FORMAT).err();
        assert!(matches!(error, Some(OpenError::OtherEngine { .. })));
    }

    #[test]
    #[cfg(not(feature = "sled"))]
    fn a_program_without_sled_says_how_to_build_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = open(SLED, directory.path(), "test", &FORMAT).err().unwrap();
        assert!(error.to_string().contains("--features sled"), "{error}");
    }
}
