//! The directory of the world: the one named, kept; or a temporary one, removed at the end.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rand::Rng;

/// The directory of the world.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    temporary: bool,
}

impl Home {
    /// The directory `kept`, made if there is none; without one, a fresh directory that only we can read.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn open(kept: Option<&Path>, rng: &mut impl Rng) -> Result<Self> {
        let (path, temporary) = match kept {
            Some(path) => (path.to_owned(), false),
            None => (std::env::temp_dir().join(format!("xinfu-devnet-{:016x}", rng.next_u64())), true),
        };
        // The path stands in configuration files of processes with other working directories.
        DirBuilder::new()
            .recursive(!temporary)
            .mode(0o700)
            .create(&path)
            .and_then(|()| path.canonicalize())
            .map(|path| Self { path, temporary })
            .with_context(|| format!("the directory {} cannot be made", path.display()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed at the end.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(directory = %self.path.display(), %error, "a temporary directory stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_home_goes_and_a_named_one_stays() {
        let mut rng = service_kit::chance::system_rng().unwrap();
        let home = Home::open(None, &mut rng).unwrap();
        let path = home.path().to_owned();
        std::fs::write(path.join("file"), "x").unwrap();
        drop(home);
        assert!(!path.exists());

        let directory = tempfile::tempdir().unwrap();
        let named = directory.path().join("a/b");
        drop(Home::open(Some(&named), &mut rng).unwrap());
        assert!(named.is_dir());
    }
}
