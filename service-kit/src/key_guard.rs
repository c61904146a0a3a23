//! What guards key files at rest: nothing but their mode 0600, or a passphrase from a file or from a command.
//!
//! A command runs without a shell, is given [`COMMAND_PATIENCE`] and may print [`MAX_PASSPHRASE_BYTES`]; what it prints
//! is never logged, and what it complains of goes nowhere, because it may be the same.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use identity_core::problem::Code;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::messages::Catalogue;
use crate::private_file::{self, PrivateFileError};
use crate::sealed::{self, MAX_PASSPHRASE_BYTES, Passphrase, Unsealable};

/// Longest time a command may take to print the passphrase: it may ask a token or a vault over the network.
pub const COMMAND_PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks at a command that has said everything and does not end.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Why the secret in a file cannot be had, or put there. Names files and commands, never what they say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The secret's own file: missing, exposed, unreadable, already there.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// It is encrypted, and no passphrase is configured.
    #[error("{} is encrypted, and neither `key_passphrase_file` nor `key_passphrase_command` is set", .0.display())]
    Locked(PathBuf),
    /// The passphrase does not open it.
    #[error("{} does not open: another passphrase sealed it, or it was changed", .0.display())]
    WrongPassphrase(PathBuf),
    /// It begins like an encrypted file and is none.
    #[error("{} is damaged", .0.display())]
    Damaged(PathBuf),
    /// A passphrase is configured, and the file is not encrypted.
    #[error("{} is not encrypted, although a passphrase is configured", .0.display())]
    Plain(PathBuf),
    /// Both sources are configured.
    #[error("`key_passphrase_file` and `key_passphrase_command` are both set")]
    TwoSources,
    /// The passphrase file cannot be read.
    #[error("the passphrase file {} cannot be read: {detail}", .path.display())]
    PassphraseFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Others can read the passphrase file.
    #[error("the passphrase file {} can be read by others (mode {mode:03o})", .path.display())]
    PassphraseExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The command cannot be run.
    #[error("the passphrase command `{program}` cannot be run: {detail}")]
    NoCommand {
        /// The program.
        program: String,
        /// What the system said.
        detail: String,
    },
    /// The command ended with a failure.
    #[error("the passphrase command `{program}` failed ({status})")]
    CommandFailed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
    },
    /// The command does not end.
    #[error("the passphrase command `{program}` gave no answer in {} seconds", COMMAND_PATIENCE.as_secs())]
    CommandSlow {
        /// The program.
        program: String,
    },
    /// What came is no passphrase.
    #[error("{origin} gives no usable passphrase: its first line is empty, too short, too long or not UTF-8")]
    Unusable {
        /// The file or the command.
        origin: String,
    },
    /// Sealing failed: a mistake in our code.
    #[error("{} cannot be sealed", .0.display())]
    NotSealed(PathBuf),
}

impl GuardError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::File(PrivateFileError::Exposed { .. }) => Code::KeyFileExposed,
            Self::File(_) => Code::KeyFileUnreadable,
            Self::Locked(_) => Code::KeyPassphraseMissing,
            Self::WrongPassphrase(_) => Code::KeyPassphraseWrong,
            Self::Damaged(_) => Code::KeyFileUnusable,
            Self::Plain(_) => Code::KeyFilePlain,
            Self::TwoSources => Code::ConfigInvalidValue,
            Self::PassphraseFile { .. } => Code::KeyPassphraseFile,
            Self::PassphraseExposed { .. } => Code::KeyPassphraseExposed,
            Self::NoCommand { .. } => Code::KeyPassphraseCommandMissing,
            Self::CommandFailed { .. } => Code::KeyPassphraseCommandFailed,
            Self::CommandSlow { .. } => Code::KeyPassphraseCommandSlow,
            Self::Unusable { .. } => Code::KeyPassphraseUnusable,
            Self::NotSealed(_) => Code::HttpInternal,
        }
    }

    /// Whether the secret's file is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::File(error) if error.kind() == Some(std::io::ErrorKind::NotFound))
    }
}

/// What guards the key files of one service.
#[derive(Debug, Default)]
pub struct KeyGuard {
    passphrase: Option<Passphrase>,
}

impl KeyGuard {
    /// Nothing but the files' mode.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// What the configuration names: `file` with the passphrase on its first line, or `command` that prints it, or
    /// neither (both empty).
    ///
    /// # Errors
    /// Everything about file, command and passphrase in [`GuardError`].
    pub fn configured(file: &Path, command: &[String]) -> Result<Self, GuardError> {
        let passphrase = match (file.as_os_str().is_empty(), command.split_first()) {
            (true, None) => return Ok(Self::plain()),
            (false, Some(_)) => return Err(GuardError::TwoSources),
            (false, None) => from_file(file)?,
            (true, Some((program, arguments))) => from_command(program, arguments, COMMAND_PATIENCE)?,
        };
        Ok(Self { passphrase: Some(passphrase) })
    }

    /// Whether only the files' mode guards them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.passphrase.is_none()
    }

    /// The line that an operator reads at every start while the keys in `place` are not encrypted.
    #[must_use]
    pub fn warning(&self, place: &Path, messages: &Catalogue) -> Option<String> {
        let values = [("place", place.display().to_string().into())];
        self.is_plain().then(|| messages.text("keys-not-encrypted", &values))
    }

    /// The secret in `path`.
    ///
    /// # Errors
    /// Missing or exposed file; encrypted and no passphrase, or the wrong one; not encrypted although there is one: a
    /// key must not stay in the open because somebody believes that it is not.
    pub fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, GuardError> {
        let content = private_file::read(path)?;
        match (sealed::is_sealed(&content), &self.passphrase) {
            (false, None) => Ok(content),
            (false, Some(_)) => Err(GuardError::Plain(path.to_owned())),
            (true, None) => Err(GuardError::Locked(path.to_owned())),
            (true, Some(passphrase)) => sealed::open(&content, passphrase).map_err(|error| match error {
                Unsealable::Malformed => GuardError::Damaged(path.to_owned()),
                Unsealable::Passphrase => GuardError::WrongPassphrase(path.to_owned()),
            }),
        }
    }

    /// Puts a secret into `path`, which must not be there yet.
    ///
    /// # Errors
    /// Already there, missing directory, disk full.
    pub fn create(&self, path: &Path, secret: &[u8], rng: &mut dyn CryptoRng) -> Result<(), GuardError> {
        let Some(passphrase) = &self.passphrase else { return Ok(private_file::create(path, secret)?) };
        let sealed = sealed::seal(secret, passphrase, rng).ok_or(GuardError::NotSealed(path.to_owned()))?;
        Ok(private_file::create(path, sealed.as_bytes())?)
    }

    /// Encrypts the secret in `path` where it stands. Answers whether it was in the open. A crash leaves the open file
    /// or the encrypted one; doing it again is safe. What the disk remembers of the open one is beyond a program.
    ///
    /// # Errors
    /// As [`Self::read`] and [`Self::create`]; [`GuardError::Locked`] too where no passphrase is configured.
    pub fn protect(&self, path: &Path, rng: &mut dyn CryptoRng) -> Result<bool, GuardError> {
        let Some(passphrase) = &self.passphrase else { return Err(GuardError::Locked(path.to_owned())) };
        match self.read(path) {
            Ok(_) => Ok(false),
            Err(GuardError::Plain(_)) => {
                let content = private_file::read(path)?;
                let sealed = sealed::seal(&content, passphrase, rng).ok_or(GuardError::NotSealed(path.to_owned()))?;
                private_file::replace(path, sealed.as_bytes())?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

fn from_file(path: &Path) -> Result<Passphrase, GuardError> {
    let content = private_file::read(path).map_err(|error| match error {
        PrivateFileError::Exposed { path, mode } => GuardError::PassphraseExposed { path, mode },
        PrivateFileError::Io { path, error } => GuardError::PassphraseFile { path, detail: error.to_string() },
        PrivateFileError::TooLarge(path) => GuardError::Unusable { origin: path.display().to_string() },
    })?;
    usable(&content, || path.display().to_string())
}

fn usable(content: &[u8], origin: impl Fn() -> String) -> Result<Passphrase, GuardError> {
    let passphrase = Passphrase::first_line(content).filter(Passphrase::is_long_enough);
    passphrase.ok_or_else(|| GuardError::Unusable { origin: origin() })
}

fn from_command(program: &str, arguments: &[String], patience: Duration) -> Result<Passphrase, GuardError> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let missing =
        |error: std::io::Error| GuardError::NoCommand { program: program.to_owned(), detail: error.to_string() };
    let mut child = command.spawn().map_err(missing)?;
    let said = listen(&mut child, program, patience);
    if said.is_err() {
        // Whatever it is doing, nobody waits for it any more.
        let _gone = child.kill();
        let _reaped = child.wait();
    }
    usable(&said?, || format!("the command `{program}`"))
}

/// What the command prints until it ends well. Reading happens elsewhere, so that a silent command cannot hold us.
fn listen(child: &mut Child, program: &str, patience: Duration) -> Result<Zeroizing<Vec<u8>>, GuardError> {
    let slow = || GuardError::CommandSlow { program: program.to_owned() };
    let deadline = Instant::now() + patience;
    let (sender, receiver) = mpsc::channel();
    let output = child.stdout.take();
    std::thread::spawn(move || {
        let mut said = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE_BYTES + 2));
        let most = u64::try_from(MAX_PASSPHRASE_BYTES).unwrap_or(u64::MAX).saturating_add(2);
        let read = output.map(|output| output.take(most).read_to_end(&mut said));
        // Dropping the pipe now ends a command that prints without end.
        drop(read);
        let _nobody_waits = sender.send(said);
    });
    let said = receiver.recv_timeout(patience).map_err(|_| slow())?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(said),
            Ok(Some(status)) => {
                return Err(GuardError::CommandFailed { program: program.to_owned(), status: status.to_string() });
            }
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK_AGAIN),
            Ok(None) => return Err(slow()),
            Err(error) => {
                return Err(GuardError::CommandFailed { program: program.to_owned(), status: error.to_string() });
            }
        }
    }
}

#[cfg(test)]
mod tests;
