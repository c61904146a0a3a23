//! What can be wrong with a backup.

use identity_core::problem::Code;

/// Why a backup cannot be made or opened. Carries sizes, never content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is a file under that name already; a backup is never written over another.
    #[error("there is a file of that name already")]
    Exists,
    /// There is no such file, or it cannot be read.
    #[error("the backup cannot be read")]
    Unreadable,
    /// The file cannot be written.
    #[error("the backup cannot be written: {0}")]
    Unwritable(std::io::ErrorKind),
    /// What was written does not read back as what was to be written.
    #[error("the backup does not read back as it was written")]
    ReadBack,
    /// The file does not begin like a backup.
    #[error("the file is not a backup")]
    NotABackup,
    /// A later version of the format.
    #[error("the backup was made by a newer version")]
    Newer,
    /// A transfer given to `restore`, or a backup to `move --in`.
    #[error("the file was made for another act")]
    Purpose,
    /// Bytes are not what was written.
    #[error("the backup is damaged")]
    Damaged,
    /// The end is missing.
    #[error("the backup is cut off: {length} bytes of {expected}")]
    Truncated {
        /// How long the file is.
        length: u64,
        /// How long it must be.
        expected: u64,
    },
    /// More than a backup may hold.
    #[error("too large for a backup")]
    TooLarge,
    /// The phrase belongs to another backup.
    #[error("the recovery phrase does not open this backup")]
    Phrase,
}

impl BackupError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Exists => Code::WalletBackupExists,
            Self::Unreadable => Code::WalletBackupUnreadable,
            Self::Unwritable(_) => Code::WalletBackupUnwritable,
            Self::ReadBack => Code::WalletBackupReadBack,
            Self::NotABackup => Code::WalletBackupNotABackup,
            Self::Newer => Code::WalletBackupNewer,
            Self::Purpose => Code::WalletBackupPurpose,
            Self::Damaged => Code::WalletBackupDamaged,
            Self::Truncated { .. } => Code::WalletBackupTruncated,
            Self::TooLarge => Code::WalletBackupTooLarge,
            Self::Phrase => Code::WalletBackupPhrase,
        }
    }
}
