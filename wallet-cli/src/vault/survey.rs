//! Looking at a vault's directory from outside, without the passphrase: what `doctor` begins with.

use super::{
    VaultError,
    disk::{FILE, take_lock},
    header::Header,
};
use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Something that is wrong around a vault's file.
#[derive(Debug)]
pub enum Fault {
    /// The directory lets others in; they see at least that there is a vault.
    DirectoryOpen,
    /// The file lets others read or write it.
    FileOpen,
    /// A draft that a crash left behind.
    Draft(PathBuf),
    /// What keeps the vault from being opened, and nothing mends.
    Hopeless(VaultError),
}

/// What is wrong in `dir`, in the order in which it can be mended; something hopeless comes last and ends the list.
///
/// # Errors
/// [`VaultError::Missing`], or a directory that cannot be read.
pub fn survey(dir: &Path) -> Result<Vec<Fault>, VaultError> {
    let path = dir.join(FILE);
    let metadata = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VaultError::Missing),
        other => other?,
    };
    let mut faults = Vec::new();
    let directory = fs::metadata(dir)?;
    let me = rustix::process::geteuid().as_raw();
    if directory.permissions().mode() & 0o077 != 0 {
        faults.push(Fault::DirectoryOpen);
    }
    let hopeless = if !metadata.is_file() {
        Some(VaultError::NotAFile)
    } else if metadata.uid() != me {
        Some(VaultError::OtherOwner)
    } else {
        take_lock(dir).err()
    };
    if let Some(error) = hopeless {
        faults.push(Fault::Hopeless(error));
        return Ok(faults);
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        faults.push(Fault::FileOpen);
    }
    faults.extend(drafts(dir)?.into_iter().map(Fault::Draft));
    faults.extend(Header::parse(&fs::read(&path)?).err().map(Fault::Hopeless));
    Ok(faults)
}

/// Mends what needs no passphrase: permissions, and drafts while nobody has the vault open.
///
/// # Errors
/// [`VaultError::InUse`], the system's refusal; a hopeless fault is answered with itself.
pub fn mend_without_opening(fault: Fault, dir: &Path) -> Result<(), VaultError> {
    let _lock = take_lock(dir)?;
    let set_mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    match fault {
        Fault::DirectoryOpen => set_mode(dir, 0o700)?,
        Fault::FileOpen => set_mode(&dir.join(FILE), 0o600)?,
        Fault::Draft(path) => fs::remove_file(path)?,
        Fault::Hopeless(error) => return Err(error),
    }
    Ok(())
}

/// Files that only an interrupted write leaves: `vault.new`.
fn drafts(dir: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let draft = dir.join(format!("{FILE}.new"));
    Ok(fs::symlink_metadata(&draft).is_ok().then_some(draft).into_iter().collect())
}
