//! The vault's file on the disk: one holder at a time, readable by its owner only, made whole or not at all.

use super::VaultError;
use service_kit::private_file;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The vault's file within its directory.
pub(super) const FILE: &str = "vault";
/// Locked while the vault is open. A file of its own, so that it never has to be replaced.
const LOCK: &str = "lock";

/// What the vault asks of a file. Writes may reach the disk in any order, or in part, until `sync` returns.
pub(super) trait Disk: Send {
    /// The whole file.
    fn read_all(&mut self) -> Result<Vec<u8>, VaultError>;
    /// Overwrites, or extends, from `offset`.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), VaultError>;
    /// Cuts the file off.
    fn set_length(&mut self, length: u64) -> Result<(), VaultError>;
    /// Everything written so far survives a power cut when this returns.
    fn sync(&mut self) -> Result<(), VaultError>;
    /// Makes this the whole file: after a crash on the way there is the old file or the new one, whole. Durable when
    /// this returns, and the old file's way to its key is then overwritten.
    fn replace(&mut self, content: &[u8]) -> Result<(), VaultError>;
}

/// The real file, with the lock that keeps a second process out.
pub(super) struct FileDisk {
    path: PathBuf,
    file: File,
    _lock: File,
}

impl FileDisk {
    /// Makes the file with this content. If we die on the way there is either no vault or a whole one.
    pub(super) fn create(dir: &Path, content: &[u8]) -> Result<Self, VaultError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let lock = take_lock(dir)?;
        let path = dir.join(FILE);
        if fs::symlink_metadata(&path).is_ok() {
            return Err(VaultError::Exists);
        }
        private_file::replace(&path, content)?;
        let file = open_both_ways(&path)?;
        Ok(Self { path, file, _lock: lock })
    }

    /// Opens the file that is there.
    pub(super) fn open(dir: &Path) -> Result<Self, VaultError> {
        let path = dir.join(FILE);
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(VaultError::Missing),
            other => other?,
        };
        if !metadata.is_file() {
            return Err(VaultError::NotAFile);
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(VaultError::OpenToOthers);
        }
        let lock = take_lock(dir)?;
        let file = open_both_ways(&path)?;
        Ok(Self { path, file, _lock: lock })
    }
}

fn open_both_ways(path: &Path) -> Result<File, VaultError> {
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

pub(super) fn take_lock(dir: &Path) -> Result<File, VaultError> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(VaultError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

impl Disk for FileDisk {
    fn read_all(&mut self) -> Result<Vec<u8>, VaultError> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), VaultError> {
        self.file.seek(SeekFrom::Start(offset))?;
        Ok(self.file.write_all(bytes)?)
    }

    fn set_length(&mut self, length: u64) -> Result<(), VaultError> {
        Ok(self.file.set_len(length)?)
    }

    fn sync(&mut self) -> Result<(), VaultError> {
        Ok(self.file.sync_all()?)
    }

    fn replace(&mut self, content: &[u8]) -> Result<(), VaultError> {
        private_file::replace(&self.path, content)?;
        let old = std::mem::replace(&mut self.file, open_both_ways(&self.path)?);
        forget(old);
        Ok(())
    }
}

/// Overwrites the header of a file that has lost its name, so that what the disk still holds of it opens no more. A
/// second name (a hard link) is somebody's wish, and left alone; so is what copy-on-write, snapshots and worn flash
/// cells keep, which no program reaches.
fn forget(mut old: File) {
    let nameless = old.metadata().is_ok_and(|metadata| metadata.nlink() == 0);
    if nameless {
        let _best_effort = old
            .seek(SeekFrom::Start(0))
            .and_then(|_| old.write_all(&[0; super::header::LENGTH]))
            .and_then(|()| old.sync_all());
    }
}
