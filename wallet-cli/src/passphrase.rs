//! Where the passphrase comes from: the terminal, a file of the owner's only, or an open file descriptor. Never the
//! command line or the environment, which other processes can read.

use crate::{
    ui::Ui,
    vault::{Passphrase, VaultError},
};
use identity_core::problem::Code;
use service_kit::private_file::{self, PrivateFileError};
use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The most bytes of a passphrase.
const MOST_BYTES: u64 = 4096;

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Neither a terminal to ask at, nor a file, nor a file descriptor.
    #[error("there is no terminal to ask for the passphrase")]
    NoTerminal,
    /// The file is missing or cannot be read.
    #[error("the passphrase file cannot be read")]
    File,
    /// Others can read the file.
    #[error("the passphrase file can be read by others")]
    FileExposed,
    /// The file descriptor is not open, or not one.
    #[error("the passphrase's file descriptor cannot be read")]
    Descriptor,
    /// Longer than a passphrase may be, or not UTF-8.
    #[error("the passphrase cannot be used")]
    Unusable,
    /// The two entries differ.
    #[error("the two entries differ")]
    Differ,
    /// A new passphrase that is too short.
    #[error(transparent)]
    New(VaultError),
}

impl PassphraseError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoTerminal => Code::WalletPassphraseNoTerminal,
            Self::File => Code::WalletPassphraseFile,
            Self::FileExposed => Code::WalletPassphraseFileExposed,
            Self::Descriptor => Code::WalletPassphraseDescriptor,
            Self::Unusable => Code::WalletPassphraseUnusable,
            Self::Differ => Code::WalletPassphraseDiffer,
            Self::New(error) => error.code(),
        }
    }
}

/// Where to take the passphrase from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Ask at the terminal.
    Terminal,
    /// The first line of this file, mode 0600.
    File(PathBuf),
    /// The first line of what this file descriptor gives.
    Descriptor(u32),
}

impl Source {
    /// A file if one is named, else a descriptor, else the terminal.
    #[must_use]
    pub fn of(file: Option<&PathBuf>, descriptor: Option<u32>) -> Self {
        match (file, descriptor) {
            (Some(path), _) => Self::File(path.clone()),
            (None, Some(number)) => Self::Descriptor(number),
            (None, None) => Self::Terminal,
        }
    }

    /// The passphrase of an existing vault.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn read(&self, ui: &Ui) -> Result<Passphrase, PassphraseError> {
        match self {
            Self::Terminal => ask(&ui.text("wallet-ask-passphrase", &[])),
            Self::File(path) => from_file(path),
            Self::Descriptor(number) => from_descriptor(*number),
        }
    }

    /// A passphrase for a new vault: long enough and, at the terminal, typed twice.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn read_new(&self, ui: &Ui) -> Result<Passphrase, PassphraseError> {
        let passphrase = match self {
            Self::Terminal => {
                let first = ask(&ui.text("wallet-ask-new-passphrase", &[]))?;
                first.check_new().map_err(PassphraseError::New)?;
                let second = ask(&ui.text("wallet-ask-passphrase-again", &[]))?;
                if !first.same(&second) {
                    return Err(PassphraseError::Differ);
                }
                first
            }
            Self::File(_) | Self::Descriptor(_) => self.read(ui)?,
        };
        passphrase.check_new().map_err(PassphraseError::New)?;
        Ok(passphrase)
    }
}

fn ask(prompt: &str) -> Result<Passphrase, PassphraseError> {
    let text = rpassword::prompt_password(prompt).map_err(|_| PassphraseError::NoTerminal)?;
    Ok(Passphrase::new(text))
}

fn from_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let bytes = private_file::read(path).map_err(|error| match error {
        PrivateFileError::Exposed { .. } => PassphraseError::FileExposed,
        PrivateFileError::TooLarge(_) => PassphraseError::Unusable,
        PrivateFileError::Io { .. } => PassphraseError::File,
        _ => PassphraseError::File,
    })?;
    first_line(&bytes)
}

/// Opens the descriptor by its name in `/dev/fd`: no unsafe code, and the shell's `3<file` works.
fn from_descriptor(number: u32) -> Result<Passphrase, PassphraseError> {
    let file = File::open(format!("/dev/fd/{number}")).map_err(|_| PassphraseError::Descriptor)?;
    // As large as it may get from the start: a buffer that grows leaves copies of the passphrase behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MOST_BYTES).unwrap_or_default() + 64));
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => PassphraseError::Unusable,
        _ => PassphraseError::Descriptor,
    })?;
    first_line(&bytes)
}

fn first_line(bytes: &[u8]) -> Result<Passphrase, PassphraseError> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let short_enough = u64::try_from(line.len()).is_ok_and(|length| length <= MOST_BYTES);
    let text = str::from_utf8(line).ok().filter(|text| short_enough && !text.is_empty());
    text.map(|text| Passphrase::new(text.to_owned())).ok_or(PassphraseError::Unusable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn the_first_line_of_a_private_file_counts() {
        let (_dir, path) = file("样本口令一二三四\r\nnot this\n".as_bytes(), 0o600);
        assert!(from_file(&path).unwrap().same(&Passphrase::new("样本口令一二三四".into())));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let (_dir, path) = file(b"a sample passphrase", 0o644);
        assert!(matches!(from_file(&path), Err(PassphraseError::FileExposed)));
        assert!(matches!(from_file(Path::new("/nonexistent/x")), Err(PassphraseError::File)));
    }

    #[test]
    fn what_is_no_text_is_no_passphrase() {
        for content in [b"".as_slice(), b"\n", b"\xff\xfe"] {
            let (_dir, path) = file(content, 0o600);
            assert!(matches!(from_file(&path), Err(PassphraseError::Unusable)));
        }
        assert!(matches!(from_descriptor(9999), Err(PassphraseError::Descriptor)));
    }
}
