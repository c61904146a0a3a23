//! Files that hold secrets: mode 0600, made whole or not at all, refused when others can read them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
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

/// Makes a secret file that must not be there yet. It appears whole, so a crash leaves no half a key: written and synced
/// under another name, then linked, or renamed where the file system knows no links (FAT and exFAT, as on most sticks).
/// One that knows neither gets the file written in place, and there a crash may leave half of it. Where a file system has no
/// permissions, the file has those that it was mounted with.
///
/// # Errors
/// Already there, missing directory, disk full.
pub fn create(path: &Path, content: &[u8]) -> Result<(), PrivateFileError> {
    create_by(&WAYS, path, content).map_err(|error| PrivateFileError::Io { path: path.to_owned(), error })
}

/// Finds out whether [`create`] can make a file there, before anybody is put to trouble for what goes into it: makes an
/// empty one beside it, the same way, and takes it away.
///
/// # Errors
/// Missing directory, no permission; [`io::ErrorKind::AlreadyExists`] if something has the name.
pub fn probe(path: &Path) -> Result<(), PrivateFileError> {
    let io_error = |error| PrivateFileError::Io { path: path.to_owned(), error };
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(io_error(io::ErrorKind::AlreadyExists.into()));
    }
    let probe = beside(path, "probe");
    create_by(&WAYS, &probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(io_error)
}

/// A way to give a draft the name of a file that must not be there yet.
type Way = fn(&Path, &Path) -> io::Result<()>;

/// The ways, the best first. A way that the file system does not know leaves everything as it was.
const WAYS: [Way; 3] = [|draft, path| std::fs::hard_link(draft, path), rename_over_nothing, copy_in_place];

fn create_by(ways: &[Way], path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = beside(path, "new");
    let made = write_draft(&draft, content).and_then(|()| publish(ways, &draft, path));
    // The draft has done its duty either way; a leftover is harmless and private.
    let _left_over = std::fs::remove_file(&draft);
    made.and_then(|()| sync_directory(path))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.{ending}", std::process::id()));
    PathBuf::from(name)
}

fn publish(ways: &[Way], draft: &Path, path: &Path) -> io::Result<()> {
    let mut done = Err(io::ErrorKind::Unsupported.into());
    for way in ways {
        done = way(draft, path);
        if !done.as_ref().is_err_and(is_unknown) {
            break;
        }
    }
    done
}

/// Whether a file system says that it knows no such call.
fn is_unknown(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL))
}

fn rename_over_nothing(draft: &Path, path: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE)?)
}

fn copy_in_place(draft: &Path, path: &Path) -> io::Result<()> {
    let mut draft = File::open(draft)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let copied = io::copy(&mut draft, &mut file).and_then(|_| file.sync_all());
    if copied.is_err() {
        // Half a file is none. If not even that can be done, the error is told all the same.
        let _half = std::fs::remove_file(path);
    }
    copied
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

    /// FAT and exFAT answer so to a link; others to a rename over nothing.
    const NO_LINKS: Way = |_, _| Err(Errno::PERM.into());
    const NO_FLAGS: Way = |_, _| Err(Errno::INVAL.into());

    #[test]
    fn a_file_system_without_links_gets_the_file_too_and_never_over_another() {
        for ways in [&[NO_LINKS, rename_over_nothing, copy_in_place][..], &[NO_LINKS, NO_FLAGS, copy_in_place]] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("secret");
            create_by(ways, &path, b"one").unwrap();
            assert_eq!(read(&path).unwrap().as_slice(), b"one");
            assert_eq!(create_by(ways, &path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(read(&path).unwrap().as_slice(), b"one");
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left behind");
        }
    }

    #[test]
    fn what_cannot_be_made_is_told_and_nothing_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let full: Way = |_, _| Err(Errno::NOSPC.into());
        let refused =
            create_by(&[NO_LINKS, full, copy_in_place], &directory.path().join("secret"), b"one").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull, "only an unknown way has another after it");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_probe_says_whether_a_file_can_be_made_and_makes_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        probe(&path).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        create(&path, b"one").unwrap();
        assert_eq!(probe(&path).unwrap_err().kind(), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(probe(&directory.path().join("none/secret")).unwrap_err().kind(), Some(io::ErrorKind::NotFound));
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
