//! Files that hold secrets: mode 0600, made whole or not at all, refused when others can read them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::whole_file::sync_directory;

/// Largest secret file read, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a secret file was refused. The text names the file, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateFileError {
    /// The system refused.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others may read or write it.
    #[error("{} can be read by others (mode {mode:03o}): chmod 600 it", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too long to be a secret of ours.
    #[error("{} is too large to be a secret file", .0.display())]
    TooLarge(PathBuf),
}

impl PrivateFileError {
    /// What kind of refusal by the system it was, if any.
    #[must_use]
    pub fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { error, .. } => Some(error.kind()),
            Self::Exposed { .. } | Self::TooLarge(_) => None,
        }
    }
}

/// Reads a secret file.
///
/// # Errors
/// Missing, unreadable, readable by others, too large.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let io_error = |error| PrivateFileError::Io { path: path.to_owned(), error };
    let file = File::open(path).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PrivateFileError::Exposed { path: path.to_owned(), mode });
    }
    if metadata.len() > MAX_BYTES {
        return Err(PrivateFileError::TooLarge(path.to_owned()));
    }
    // As large as it may get from the start: a buffer that grows leaves copies of the secret behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_BYTES).unwrap_or_default() + 1));
    file.take(MAX_BYTES).read_to_end(&mut content).map_err(io_error)?;
    Ok(content)
}

/// Makes a secret file that must not be there yet. It appears whole: written and synced under another name, then
/// linked, so a crash leaves no half a key.
///
/// # Errors
/// Already there, missing directory, disk full.
pub fn create(path: &Path, content: &[u8]) -> Result<(), PrivateFileError> {
    let io_error = |error| PrivateFileError::Io { path: path.to_owned(), error };
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let made = write_draft(&draft, content).and_then(|()| std::fs::hard_link(&draft, path));
    // The draft has done its duty either way; a leftover is harmless and private.
    let _left_over = std::fs::remove_file(&draft);
    made.and_then(|()| sync_directory(path)).map_err(io_error)
}

/// Writes a secret file in place of the one that may be there. A crash leaves the old content or the new, and at most a
/// draft beside it under the file's name with `.new`, which the next replacement takes away. One writer at a time: the
/// caller holds a lock.
///
/// # Errors
/// Missing directory, no permission, disk full.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), PrivateFileError> {
    let io_error = |error| PrivateFileError::Io { path: path.to_owned(), error };
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(error)),
        _ => {}
    }
    let made = write_draft(&draft, content).and_then(|()| std::fs::rename(&draft, path));
    made.and_then(|()| sync_directory(path)).map_err(io_error)
}

fn write_draft(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_private_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create(&path, b"one").unwrap();
        assert_eq!(read(&path).unwrap().as_slice(), b"one");
        assert_eq!(create(&path, b"two").unwrap_err().kind(), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(read(&path).unwrap().as_slice(), b"one");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_replacement_is_private_and_leaves_no_draft() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(directory.path().join("secret.new"), b"half").unwrap();
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().as_slice(), b"two");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn is_refused_when_others_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create(&path, b"one").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(PrivateFileError::Exposed { mode: 0o640, .. })));
        assert_eq!(read(&directory.path().join("none")).unwrap_err().kind(), Some(io::ErrorKind::NotFound));
    }
}
