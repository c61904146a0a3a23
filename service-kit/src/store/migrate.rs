//! Moving a service's data from one kind of store into the other.
//!
//! The steps, and what holds after a crash behind each:
//! 1. A draft beside the store in force is filled, read back, compared and synced. The old store is in force.
//! 2. The old store is renamed to its kept name: **this one rename is the switch**. The draft, whole by then, is in force;
//!    no service starts on it yet, because it lacks its name.
//! 3. The draft gets its name.
//!
//! Until the switch, the same command drops the draft and begins again; after it, it does what is left. No step changes an
//! entry of the old store, which stays until the operator removes it.

pub mod command;
mod copy;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity_core::problem::Code;

pub use copy::{Tally, copy, tally};

use super::place::{Engine, Place, Standing};
use super::redb::{Format, OpenError};
use super::{Store, StoreError, choice};
use crate::lock::{DataLock, LockError};
use crate::whole_file::sync_directory;

/// How a store is opened; tests open ones that break.
type Open<'a> = dyn Fn(Engine, &Path, &Format) -> Result<Arc<dyn Store>, OpenError> + 'a;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// What is in the new store.
    pub tally: Tally,
    /// Where the old one lies.
    pub kept: PathBuf,
    /// What an interrupted migration had left to be dropped or, after its switch, to be finished.
    pub interrupted: Option<Interrupted>,
}

/// What an earlier migration had left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interrupted {
    /// A draft, dropped.
    Dropped(PathBuf),
    /// A whole store without its name, which it has now.
    Finished(PathBuf),
}

/// Why nothing was migrated. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The service runs, or the directory is not there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// One of the stores cannot be opened, or the directory's names contradict each other.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// One of the stores cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data is where it shall go.
    #[error("{} is a store of {} already", .path.display(), .engine.name())]
    SameEngine {
        /// The store in force.
        path: PathBuf,
        /// Its engine.
        engine: Engine,
    },
    /// There is no data.
    #[error("{} has no store of {}", .directory.display(), .engine.name())]
    Nothing {
        /// The data directory.
        directory: PathBuf,
        /// The engine whose store was looked for.
        engine: Engine,
    },
    /// Something bears the name that the new or the old store shall have.
    #[error("{} exists: move it away or remove it first", .0.display())]
    Exists(PathBuf),
    /// The copy is not like the original.
    #[error("{copied} entries were copied and {arrived} arrived, or their digests differ")]
    Differs {
        /// Entries read from the old store.
        copied: u64,
        /// Entries read back from the draft.
        arrived: u64,
    },
    /// The system refused.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl MigrateError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Lock(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::SameEngine { .. } => Code::StoreMigrateSameEngine,
            Self::Nothing { .. } => Code::StoreMigrateNothing,
            Self::Exists(_) => Code::StoreMigrateExists,
            Self::Differs { .. } => Code::StoreMigrateDiffers,
            Self::Io { .. } => Code::StoreBroken,
        }
    }
}

/// Moves the data at `place` into a store of `to`, or finishes what an interrupted migration began.
///
/// # Errors
/// [`MigrateError`]; the old store is in force then as before, unless the switch was made: then the same call finishes it.
pub async fn migrate(place: &Place<'_>, to: Engine) -> Result<Migrated, MigrateError> {
    let _lock = DataLock::take(place.data, place.format.service)?;
    migrate_locked(place, to, &choice::open_at).await
}

async fn migrate_locked(place: &Place<'_>, to: Engine, open: &Open<'_>) -> Result<Migrated, MigrateError> {
    let from = to.other();
    match place.standing() {
        Standing::InForce(found) if found == from => begin(place, to, open).await,
        Standing::InForce(engine) => Err(MigrateError::SameEngine { path: place.store(engine), engine }),
        Standing::Unnamed(found) if found == to => finish(place, to, open).await,
        Standing::Unnamed(found) => {
            let service = place.format.service;
            Err(OpenError::Unfinished { path: place.draft(found), service, to: found }.into())
        }
        Standing::Two => Err(MigrateError::Exists(place.store(to))),
        Standing::New => Err(MigrateError::Nothing { directory: place.data.to_owned(), engine: from }),
        Standing::Lost(path) => Err(OpenError::Lost { path, place: place.store(from) }.into()),
    }
}

async fn begin(place: &Place<'_>, to: Engine, open: &Open<'_>) -> Result<Migrated, MigrateError> {
    let kept = place.kept(to.other());
    if kept.exists() {
        return Err(MigrateError::Exists(kept));
    }
    let interrupted = drop_draft(&place.draft(to))?.map(Interrupted::Dropped);
    let tally = match fill_draft(place, to, open).await {
        Ok(tally) => tally,
        Err(error) => {
            // It may be what filled the disk. If even this fails, the next attempt drops it.
            let _dropped = drop_draft(&place.draft(to));
            return Err(error);
        }
    };
    take_out_of_force(place, to.other())?;
    name(place, to)?;
    Ok(Migrated { tally, kept, interrupted })
}

async fn finish(place: &Place<'_>, to: Engine, open: &Open<'_>) -> Result<Migrated, MigrateError> {
    let draft = place.draft(to);
    let tally = tally(&*open(to, &draft, &place.format)?).await?;
    name(place, to)?;
    Ok(Migrated { tally, kept: place.kept(to.other()), interrupted: Some(Interrupted::Finished(draft)) })
}

/// Step 1. Both stores are closed when it returns.
async fn fill_draft(place: &Place<'_>, to: Engine, open: &Open<'_>) -> Result<Tally, MigrateError> {
    let draft = place.draft(to);
    // The target first: an engine that was not built in is refused before anything is read.
    let target = open(to, &draft, &place.format)?;
    let source = open(to.other(), &place.store(to.other()), &place.format)?;
    let copied = copy(&*source, &*target).await?;
    drop(target);
    // Opened anew: what counts is what the files say, not what the writer remembers.
    let arrived = tally(&*open(to, &draft, &place.format)?).await?;
    if copied != arrived {
        return Err(MigrateError::Differs { copied: copied.entries, arrived: arrived.entries });
    }
    sync(&draft).map_err(|error| MigrateError::Io { path: draft.clone(), error })?;
    Ok(copied)
}

/// Step 2, the switch.
fn take_out_of_force(place: &Place<'_>, from: Engine) -> Result<(), MigrateError> {
    rename(&place.store(from), &place.kept(from))
}

/// Step 3.
fn name(place: &Place<'_>, to: Engine) -> Result<(), MigrateError> {
    rename(&place.draft(to), &place.store(to))
}

fn rename(from: &Path, to: &Path) -> Result<(), MigrateError> {
    let done = fs::rename(from, to).and_then(|()| sync_directory(to));
    done.map_err(|error| MigrateError::Io { path: from.to_owned(), error })
}

/// Removes what an interrupted migration left, file or directory, and says whether there was anything.
fn drop_draft(draft: &Path) -> Result<Option<PathBuf>, MigrateError> {
    let removed = if draft.is_dir() { fs::remove_dir_all(draft) } else { fs::remove_file(draft) };
    match removed {
        Ok(()) => Ok(Some(draft.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(MigrateError::Io { path: draft.to_owned(), error }),
    }
}

/// Makes a file, or all that a directory holds, outlast a power cut; its own name too. sled alone does not.
fn sync(path: &Path) -> io::Result<()> {
    sync_below(path)?;
    sync_directory(path)
}

fn sync_below(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_below(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
