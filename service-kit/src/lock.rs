//! One process per data directory: a second one is refused by name instead of corrupting both.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use identity_core::problem::Code;

/// Name of the lock file in the data directory. It stays; only the lock on it comes and goes, also by a crash.
const FILE: &str = "LOCK";

/// Why the directory could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process has it.
    #[error("{} is in use by {holder}", .directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
        /// Service and process id, as the holder wrote them.
        holder: String,
    },
    /// There is no such directory.
    #[error("{} does not exist: create the directory or correct the path", .0.display())]
    NoDirectory(PathBuf),
    /// The system refused.
    #[error("{} cannot be locked: {error}", .directory.display())]
    Io {
        /// The data directory.
        directory: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl LockError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } => Code::StoreInUse,
            Self::NoDirectory(_) => Code::ConfigInvalidValue,
            Self::Io { .. } => Code::StoreBroken,
        }
    }
}

/// The exclusive use of a data directory, until dropped.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes `directory` for `service`.
    ///
    /// # Errors
    /// In use (naming by whom), missing directory, refused by the system.
    pub fn take(directory: &Path, service: &str) -> Result<Self, LockError> {
        if !directory.is_dir() {
            return Err(LockError::NoDirectory(directory.to_owned()));
        }
        let refused = |error| LockError::Io { directory: directory.to_owned(), error };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(FILE))
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::InUse { directory: directory.to_owned(), holder: read_holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        write_holder(&mut file, service).map_err(refused)?;
        Ok(Self { _file: file })
    }
}

fn read_holder(file: &mut File) -> String {
    let mut holder = String::new();
    match file.take(200).read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

fn write_holder(file: &mut File, service: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{service} (process {})", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_by_name_until_the_first_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let first = DataLock::take(directory.path(), "xinfu-issuer").unwrap();
        let refusal = DataLock::take(directory.path(), "xinfu-issuer").unwrap_err();
        assert!(refusal.to_string().contains("xinfu-issuer (process "), "{refusal}");
        drop(first);
        DataLock::take(directory.path(), "xinfu-verifier").unwrap();
    }

    #[test]
    fn a_missing_directory_is_said_to_be_missing() {
        assert!(matches!(DataLock::take(Path::new("/nonexistent/x"), "x"), Err(LockError::NoDirectory(_))));
    }
}
