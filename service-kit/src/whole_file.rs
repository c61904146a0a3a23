//! Public files that appear whole or not at all, and are read whole or not at all. Secrets have their own, stricter way: [`crate::private_file`].

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

/// Writes `path`, in place of what may be there: written and synced under another name, then renamed, so that a reader
/// sees the old content or the new, and a crash leaves no half of it.
///
/// # Errors
/// Missing directory, no permission, disk full.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    write_with(path, |file| file.write_all(content.as_ref()))
}

/// The same for what is too long to be in memory: `fill` writes it. Where that fails, nothing is left of it.
///
/// # Errors
/// As [`write()`], and what `fill` says.
pub fn write_with<T, E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<T, E>,
) -> Result<T, E> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let filled = File::create(&draft).map_err(E::from).and_then(|file| {
        let mut file = BufWriter::new(file);
        let filled = fill(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(filled)
    });
    if filled.is_err() {
        let _gone_already = fs::remove_file(&draft);
    }
    let filled = filled?;
    fs::rename(&draft, path)?;
    sync_directory(path)?;
    Ok(filled)
}

/// Reads `path`, unless it has more than `most` bytes: then no more than one of them too many is read, whatever the file
/// system says of its length.
///
/// # Errors
/// Missing file, no permission; [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut content)?;
    if content.len() > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
}

/// Makes a new name in `path`'s directory outlast a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_is_there_and_leaves_no_draft() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.json");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write(&directory.path().join("none/identity.json"), "one").is_err());
    }

    #[test]
    fn what_is_too_long_or_endless_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write(&path, "1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        for (path, most) in [(path.as_path(), 3), (Path::new("/dev/zero"), 1000)] {
            assert_eq!(read(path, most).unwrap_err().kind(), io::ErrorKind::FileTooLarge, "{}", path.display());
        }
        assert_eq!(read(&directory.path().join("none"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_cannot_be_filled_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("long");
        write(&path, "one").unwrap();
        let failed = write_with(&path, |file| {
            file.write_all(b"two")?;
            Err::<(), _>(io::Error::other("no more"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a draft is left");
    }
}
