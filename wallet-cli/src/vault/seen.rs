//! What this machine remembers of a vault, outside the vault's directory: how far it had come when it was last seen. So
//! an old copy of the file put back is noticed, and a copy that went on elsewhere.
//!
//! | bytes | what |
//! |---|---|
//! | 0..16 | `XINFU VAULT SEEN` |
//! | 16..32 | vault id |
//! | 32..40 | generation |
//! | 40..48 | sequence number of the last record |
//! | 48..80 | SHA-256 of that record's frame, zero if there is none |
//! | 80..88 | when it was written, in seconds |
//! | 88..128 | nonce and tag of nothing under the counter key, with `xinfu-vault seen` and bytes 0..88 as associated data |
//!
//! It is written after the vault, so a crash leaves it behind the vault and never ahead: it raises no false alarm. What
//! it cannot notice is a memory that was put back, or taken away, together with the file.

use super::{Vault, VaultError, open_sealed, seal_bytes};
use identity_core::time::UnixSeconds;
use rand::CryptoRng;
use service_kit::private_file::{self, PrivateFileError};
use std::{
    fs::DirBuilder,
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 16] = b"XINFU VAULT SEEN";
const FIELDS: usize = 88;

/// How the file compares with what this machine remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// This machine never saw the vault.
    First,
    /// It is what was last seen, or further.
    Current,
    /// It is older than what was last seen.
    Older {
        /// How many records there were.
        records: u64,
        /// When that was.
        time: UnixSeconds,
    },
    /// It went another way than what was last seen: another copy was changed.
    Other,
    /// The memory is there but damaged, or somebody else's.
    Unreadable,
}

struct Memory {
    generation: u64,
    sequence: u64,
    last: [u8; 32],
    time: UnixSeconds,
}

impl Vault {
    /// Compares the open vault with the memory in `directory`.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn sight(&self, directory: &Path) -> Result<Sight, VaultError> {
        let bytes = match private_file::read(&self.memory_file(directory)) {
            Err(error) if error.kind() == Some(ErrorKind::NotFound) => return Ok(Sight::First),
            Err(error @ PrivateFileError::Io { .. }) => return Err(error.into()),
            Err(_) => return Ok(Sight::Unreadable),
            Ok(bytes) => bytes,
        };
        let Some(memory) = self.recall(&bytes) else { return Ok(Sight::Unreadable) };
        let now = (self.unlocked.header.generation(), self.contents.sequence);
        let further = (memory.generation, memory.sequence) > now;
        let other = memory.generation == now.0 && self.frame_digest(memory.sequence) != memory.last;
        Ok(match (further, other) {
            (true, _) => Sight::Older { records: memory.sequence, time: memory.time },
            (false, true) => Sight::Other,
            (false, false) => Sight::Current,
        })
    }

    /// Remembers how far the vault has come.
    ///
    /// # Errors
    /// A directory that cannot be written; the vault itself is safe.
    pub fn remember(&self, directory: &Path, now: UnixSeconds, rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.unlocked.header.vault_id());
        bytes.extend(self.unlocked.header.generation().to_le_bytes());
        bytes.extend(self.contents.sequence.to_le_bytes());
        bytes.extend(self.frame_digest(self.contents.sequence));
        bytes.extend(now.0.to_le_bytes());
        bytes.extend(seal_bytes(self.unlocked.counter.bytes(), b"", &bound(&bytes), rng)?);
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        Ok(private_file::replace(&self.memory_file(directory), &bytes)?)
    }

    /// Takes this file for the vault although the machine remembers another: it is written anew with a generation above
    /// the one remembered, so that from now on the other one is the old one.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn take_for_current(&mut self, directory: &Path, rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        let memory = private_file::read(&self.memory_file(directory)).ok().and_then(|bytes| self.recall(&bytes));
        let above = memory.map_or(0, |memory| memory.generation.saturating_add(1));
        let next = self.unlocked.renew(above, None, rng)?;
        let records = std::mem::take(&mut self.contents.records);
        self.rewrite(next, &records, rng)
    }

    fn recall(&self, bytes: &[u8]) -> Option<Memory> {
        let (fields, seal) = bytes.split_at_checked(FIELDS)?;
        open_sealed(self.unlocked.counter.bytes(), seal, &bound(fields))?;
        let (magic, rest) = fields.split_first_chunk::<16>()?;
        let (vault_id, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (last, time) = rest.split_first_chunk::<32>()?;
        let ours = magic == MAGIC && *vault_id == self.unlocked.header.vault_id();
        ours.then_some(Memory {
            generation: u64::from_le_bytes(*generation),
            sequence: u64::from_le_bytes(*sequence),
            last: *last,
            time: UnixSeconds(i64::from_le_bytes(*time.first_chunk()?)),
        })
    }

    fn frame_digest(&self, sequence: u64) -> [u8; 32] {
        let at = usize::try_from(sequence).ok().and_then(|sequence| sequence.checked_sub(1));
        at.and_then(|at| self.contents.frames.get(at)).map_or([0; 32], |digest| *digest.as_bytes())
    }

    fn memory_file(&self, directory: &Path) -> PathBuf {
        let id: String = self.unlocked.header.vault_id().iter().map(|byte| format!("{byte:02x}")).collect();
        directory.join(id)
    }
}

fn bound(fields: &[u8]) -> Vec<u8> {
    [b"xinfu-vault seen".as_slice(), fields].concat()
}
