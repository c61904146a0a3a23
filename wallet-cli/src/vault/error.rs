//! What can be wrong with a vault.

use identity_core::problem::Code;
use service_kit::private_file::PrivateFileError;
use std::io;

/// Why a vault cannot be made, opened or written. Carries places and sizes, never content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is no vault in the directory.
    #[error("there is no vault here")]
    Missing,
    /// There is a vault in the directory already.
    #[error("there is a vault here already")]
    Exists,
    /// Another process has the vault open.
    #[error("another process has the vault open")]
    InUse,
    /// The file's permissions let others read or write it.
    #[error("the vault file is open to other users; its mode must be 0600")]
    OpenToOthers,
    /// The vault's name leads to something that is not a file, such as a symbolic link.
    #[error("the vault's name does not lead to a regular file")]
    NotAFile,
    /// The file does not begin like a vault.
    #[error("the file is not a vault, or its first bytes are damaged")]
    NotAVault,
    /// A later version of the format, or a function this version does not know.
    #[error("the vault was made by a newer version")]
    Newer,
    /// The header's checksum does not fit.
    #[error("the vault's header is damaged")]
    HeaderDamaged,
    /// The key derivation asks for less than the floor: somebody weakened it.
    #[error("the vault's key derivation is too weak")]
    KdfTooWeak,
    /// The key derivation asks for more than the ceiling.
    #[error("the vault's key derivation asks for more memory or time than a vault may")]
    KdfTooCostly,
    /// The passphrase does not open the header (or somebody altered the header and fixed its checksum: the two cannot
    /// be told apart, and should not be).
    #[error("the passphrase does not open the vault")]
    Passphrase,
    /// A passphrase shorter than the least length was offered for a new vault.
    #[error("the passphrase is too short")]
    PassphraseTooShort,
    /// Bytes inside the committed part are not what was written.
    #[error("the vault is damaged at byte {offset}")]
    Damaged {
        /// Where the damaged part begins.
        offset: u64,
    },
    /// The file ends before its committed end.
    #[error("the vault is cut off: {length} bytes of {expected}")]
    Truncated {
        /// How long the file is.
        length: u64,
        /// How long it must be at least.
        expected: u64,
    },
    /// The file is older than what this machine last saw of the vault.
    #[error("the vault's file is older than what this machine last saw: {records} records then")]
    OlderThanSeen {
        /// How many records there were.
        records: u64,
        /// When that was, in seconds.
        time: i64,
    },
    /// The file went another way than what this machine last saw of the vault.
    #[error("the vault's file is another copy than the one this machine last saw")]
    OtherThanSeen,
    /// The file belongs to another user of the machine.
    #[error("the vault's file belongs to another user")]
    OtherOwner,
    /// A record above the limit.
    #[error("too large for one record")]
    RecordTooLarge,
    /// An earlier write failed; open the vault again to see what is there.
    #[error("an earlier write failed")]
    Poisoned,
    /// No room on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// The disk or the system refused.
    #[error("the system refused: {0}")]
    Io(io::ErrorKind),
}

impl VaultError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Missing => Code::WalletVaultMissing,
            Self::Exists => Code::WalletVaultExists,
            Self::InUse => Code::WalletVaultInUse,
            Self::OpenToOthers => Code::WalletVaultOpenToOthers,
            Self::NotAFile => Code::WalletVaultNotAFile,
            Self::NotAVault => Code::WalletVaultNotAVault,
            Self::Newer => Code::WalletVaultNewer,
            Self::HeaderDamaged => Code::WalletVaultHeaderDamaged,
            Self::KdfTooWeak => Code::WalletVaultKdfTooWeak,
            Self::KdfTooCostly => Code::WalletVaultKdfTooCostly,
            Self::Passphrase => Code::WalletVaultPassphrase,
            Self::PassphraseTooShort => Code::WalletVaultPassphraseTooShort,
            Self::Damaged { .. } => Code::WalletVaultDamaged,
            Self::Truncated { .. } => Code::WalletVaultTruncated,
            Self::OlderThanSeen { .. } => Code::WalletVaultOlderThanSeen,
            Self::OtherThanSeen => Code::WalletVaultOtherThanSeen,
            Self::OtherOwner => Code::WalletVaultOtherOwner,
            Self::RecordTooLarge => Code::WalletVaultRecordTooLarge,
            Self::Poisoned => Code::WalletVaultPoisoned,
            Self::DiskFull => Code::WalletVaultDiskFull,
            Self::Io(_) => Code::WalletVaultIo,
        }
    }
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Io(kind),
        }
    }
}

impl From<PrivateFileError> for VaultError {
    fn from(error: PrivateFileError) -> Self {
        match error {
            PrivateFileError::Io { error, .. } => error.into(),
            PrivateFileError::Exposed { .. } => Self::OpenToOthers,
            _ => Self::Io(io::ErrorKind::Other),
        }
    }
}
