//! Opening the file: where it comes from, whose data it is, and what is wrong if it cannot be opened.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use identity_core::problem::Code;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition, TableHandle};

use super::CACHE_BYTES;
use crate::store::place::Engine;

/// Whose data this is. One row per item: `service` and `version`.
const FORMAT: TableDefinition<&str, &str> = TableDefinition::new("xinfu-format");

/// How often, and how far apart, an open file is tried again: together half a second.
const IN_USE_TRIES: u32 = 25;
const IN_USE_PAUSE: Duration = Duration::from_millis(20);

/// Whose data a store holds, and in which version of its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The service that owns the data, e.g. `xinfu-issuer`.
    pub service: &'static str,
    /// Version of the layout of its keys and values; raised when old code could no longer read them.
    pub version: u32,
}

/// Why a store could not be opened. The text is for the operator and names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory of the file is not there.
    #[error("{} does not exist: create the directory or correct the path", .0.display())]
    NoDirectory(PathBuf),
    /// Another process (or another store in this one) has it open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The file was not written by us.
    #[error("{} is not a store of {expected}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The service that wanted to open it.
        expected: &'static str,
    },
    /// It holds the data of another of our services.
    #[error("{} holds the data of {found}, not of {expected}", .path.display())]
    OtherService {
        /// The file.
        path: PathBuf,
        /// The service named in it.
        found: String,
        /// The service that wanted to open it.
        expected: &'static str,
    },
    /// It was written by another version of this service.
    #[error("{} has layout version {found}; this program knows version {known}", .path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: String,
        /// Version this program reads and writes.
        known: u32,
    },
    /// Its bytes are not what was written.
    #[error("{} is damaged: {detail}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the store engine found.
        detail: String,
    },
    /// No space to open it.
    #[error("the disk of {} is full", .0.display())]
    Full(PathBuf),
    /// A store that nobody knows.
    #[error("`store` must be `redb` or `sled`, not `{0}`")]
    UnknownEngine(String),
    /// A store that this program was built without.
    #[error("this {service} was built without sled; build it with `--features sled`, or set `store = \"redb\"`")]
    NotBuilt {
        /// The program.
        service: &'static str,
    },
    /// The data lies in the other store.
    #[error(
        "{} holds this service's data, and `store` is `{configured}`: run `{service} migrate --config FILE --to \
         {configured}`, or set `store = \"{found}\"`",
        .path.display(), configured = .configured.name(), found = .found.name()
    )]
    OtherEngine {
        /// The other store's file or directory.
        path: PathBuf,
        /// The program.
        service: &'static str,
        /// The store that the data is in.
        found: Engine,
        /// The store that is configured.
        configured: Engine,
    },
    /// A migration made its switch and was interrupted then.
    #[error(
        "{} holds this service's data, and the migration that made it was interrupted: run `{service} migrate --config \
         FILE --to {to}` again",
        .path.display(), to = .to.name()
    )]
    Unfinished {
        /// The store in force, under its draft's name.
        path: PathBuf,
        /// The program.
        service: &'static str,
        /// The store that the data goes to.
        to: Engine,
    },
    /// Two stores, and no saying which is in force.
    #[error("{} and {} are both here: move away the one that is not to be used", .one.display(), .other.display())]
    TwoStores {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// No store, but one that a migration had kept or begun.
    #[error(
        "{} lies here and no store is in force: restore {}, or move away what a migration left",
        .path.display(), .place.display()
    )]
    Lost {
        /// What lies there.
        path: PathBuf,
        /// The name that a store in force would have.
        place: PathBuf,
    },
    /// It could not be read or written.
    #[error("{} cannot be opened: {detail}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoDirectory(_) | Self::UnknownEngine(_) | Self::NotBuilt { .. } => Code::ConfigInvalidValue,
            Self::OtherEngine { .. } => Code::StoreOtherEngine,
            Self::Unfinished { .. } => Code::StoreMigrateUnfinished,
            Self::TwoStores { .. } | Self::Lost { .. } => Code::StoreUnclear,
            Self::InUse(_) => Code::StoreInUse,
            Self::Foreign { .. } | Self::OtherService { .. } | Self::OtherVersion { .. } | Self::Corrupt { .. } => {
                Code::StoreCorrupt
            }
            Self::Full(_) => Code::StoreFull,
            Self::Broken { .. } => Code::StoreBroken,
        }
    }
}

/// Where a database comes from: a file, or in tests a disk that fails on purpose.
pub(super) trait Source: Send + Sync {
    /// Opens or creates the database. Called again after the disk failed.
    fn open(&self) -> Result<Database, DatabaseError>;

    /// The file, for messages.
    fn path(&self) -> &Path;
}

/// The usual source: a file.
pub(super) struct FileSource {
    path: PathBuf,
}

impl FileSource {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Source for FileSource {
    fn open(&self) -> Result<Database, DatabaseError> {
        builder().create(&self.path)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// How we use redb: a bounded cache, and no file trusted before its checksums were checked.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// Opens the source; a holder in this process may still be letting go of it, so "in use" is believed a little later.
/// Between processes the lock on the data directory ([`crate::lock`]) has the word.
fn open_patiently(source: &dyn Source) -> Result<Database, DatabaseError> {
    let mut tries = 0;
    loop {
        match source.open() {
            Err(DatabaseError::DatabaseAlreadyOpen) if tries < IN_USE_TRIES => {
                tries += 1;
                std::thread::sleep(IN_USE_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Opens the source and makes sure it holds data of `format`; a new, empty database gets its marker.
pub(super) fn open_marked(source: &dyn Source, format: &Format) -> Result<Database, OpenError> {
    let path = source.path();
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty())
        && !directory.is_dir()
    {
        return Err(OpenError::NoDirectory(directory.to_owned()));
    }
    let opening = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| open_patiently(source)));
    let database = match opening {
        Ok(opened) => opened.map_err(|error| explain(error, path, format))?,
        // redb asserts on some kinds of damage instead of answering; the file is damaged all the same.
        Err(_) => {
            return Err(OpenError::Corrupt {
                path: path.to_owned(),
                detail: "its structure contradicts itself".into(),
            });
        }
    };
    check_marker(&database, path, format)?;
    Ok(database)
}

fn check_marker(database: &Database, path: &Path, format: &Format) -> Result<(), OpenError> {
    match read_marker(database).map_err(|error| explain_later(&error, path))? {
        Marker::New => write_marker(database, format).map_err(|error| explain_later(&error, path)),
        Marker::Foreign => Err(OpenError::Foreign { path: path.to_owned(), expected: format.service }),
        Marker::Ours { service, version } => {
            if service != format.service {
                return Err(OpenError::OtherService {
                    path: path.to_owned(),
                    found: service,
                    expected: format.service,
                });
            }
            if version != format.version.to_string() {
                return Err(OpenError::OtherVersion { path: path.to_owned(), found: version, known: format.version });
            }
            Ok(())
        }
    }
}

enum Marker {
    New,
    Foreign,
    Ours { service: String, version: String },
}

fn read_marker(database: &Database) -> Result<Marker, redb::Error> {
    let transaction = database.begin_read()?;
    let names: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if names.is_empty() {
        return Ok(Marker::New);
    }
    if !names.iter().any(|name| name == FORMAT.name()) {
        return Ok(Marker::Foreign);
    }
    let table = match transaction.open_table(FORMAT) {
        Ok(table) => table,
        Err(redb::TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Ok(Marker::Foreign),
    };
    let text = |key: &str| -> Result<Option<String>, redb::Error> {
        Ok(table.get(key)?.map(|found| found.value().to_owned()))
    };
    Ok(match (text("service")?, text("version")?) {
        (Some(service), Some(version)) => Marker::Ours { service, version },
        _ => Marker::Foreign,
    })
}

fn write_marker(database: &Database, format: &Format) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(FORMAT)?;
        table.insert("service", format.service)?;
        table.insert("version", format.version.to_string().as_str())?;
        // Tables exist from their first opening in a write: readers may then rely on them.
        transaction.open_table(super::disk::DATA)?;
        transaction.open_table(super::disk::COUNTER)?;
    }
    transaction.commit()?;
    Ok(())
}

fn explain(error: DatabaseError, path: &Path, format: &Format) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(path),
        DatabaseError::Storage(StorageError::Corrupted(detail)) => OpenError::Corrupt { path, detail },
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData => OpenError::Foreign { path, expected: format.service },
            io::ErrorKind::UnexpectedEof => OpenError::Corrupt { path, detail: "it ends too early".into() },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::Full(path),
            _ => OpenError::Broken { path, detail: error.to_string() },
        },
        DatabaseError::UpgradeRequired(_) => OpenError::Foreign { path, expected: format.service },
        other => OpenError::Broken { path, detail: other.to_string() },
    }
}

fn explain_later(error: &redb::Error, path: &Path) -> OpenError {
    let path = path.to_owned();
    match super::disk::explain(error) {
        crate::store::StoreError::Full => OpenError::Full(path),
        crate::store::StoreError::Corrupt(detail) => OpenError::Corrupt { path, detail },
        other => OpenError::Broken { path, detail: other.to_string() },
    }
}
