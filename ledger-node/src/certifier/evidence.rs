//! What is kept when a validator contradicts itself: two notes that convict it before anybody.

use std::path::{Path, PathBuf};

use service_kit::whole_file;

/// Two cosignatures of one key on different roots of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Name of the validator.
    pub(crate) validator: String,
    /// The size at which it showed two histories.
    pub(crate) size: u64,
    /// The two checkpoints, each a note with its cosignature.
    pub(crate) notes: [String; 2],
}

impl Evidence {
    /// Keeps the two notes as one file each in `directory`, unless this validator was caught at this size before.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn keep(&self, directory: &Path) -> std::io::Result<PathBuf> {
        let place = directory.join(format!("{}-{}", self.validator, self.size));
        std::fs::create_dir_all(&place)?;
        for (name, note) in ["one", "other"].into_iter().zip(&self.notes) {
            let path = place.join(name);
            if !path.exists() {
                whole_file::write(&path, note)?;
            }
        }
        Ok(place)
    }
}
