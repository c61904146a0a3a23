//! The vault's file on the disk: one holder at a time, readable by its owner only, made whole or not at all.

use super::VaultError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// The vault's file within its directory.
const FILE: &str = "vault";
/// Locked while the vault is open. A file of its own, so that it never has to be replaced.
const LOCK: &str = "lock";
/// A vault in the making; whoever finds one may delete it.
const DRAFT: &str = "vault.new";

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
}

/// The real file, with the lock that keeps a second process out.
pub(super) struct FileDisk {
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
        let draft = dir.join(DRAFT);
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        // The name itself is durable only when the directory is.
        File::open(dir)?.sync_all()?;
        Ok(Self { file, _lock: lock })
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
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { file, _lock: lock })
    }
}

fn take_lock(dir: &Path) -> Result<File, VaultError> {
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
}
