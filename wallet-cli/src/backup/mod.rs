//! Backups: everything in the vault in one file that the recovery phrase alone opens. Bytes in, bytes out; the commands
//! are in [`crate::keeping`] and [`crate::restore`].
//!
//! | bytes | what |
//! |---|---|
//! | 0..13 | `XINFU BACKUP` and a line feed |
//! | 13..15 | version, 1 |
//! | 15 | what it is for: 1 backup, 2 transfer to another device |
//! | 16..32 | id, random |
//! | 32..40 | length of the sealed part, s |
//! | 40..72 | SHA-256 of bytes 0..40 |
//! | 72..72+s | the sealed part: nonce and XChaCha20-Poly1305 of the content, with `xinfu-backup` and bytes 0..72 as associated data |
//! | 72+s..104+s | SHA-256 of everything before |
//!
//! The key is SHA-256 of `xinfu-backup key`, the id, and the 16 bytes of the phrase. The content: when it was made
//! (seconds, 8 bytes), then each record with its length before it (4 bytes). Numbers are little-endian. The checksums
//! tell damage from a wrong phrase; against intent it is the seal that counts.

mod error;

pub use error::BackupError;

use crate::{
    phrase::Phrase,
    vault::{Key, open_sealed, seal_bytes, wipe_dead_stack},
};
use identity_core::time::UnixSeconds;
use rand::CryptoRng;
use zeroize::Zeroizing;

/// The largest backup read, in bytes: hundreds of times what a citizen's vault grows to, and no more than a small
/// machine can hold.
pub const MOST_BYTES: u64 = 256 * 1024 * 1024;

const MAGIC: &[u8; 13] = b"XINFU BACKUP\n";
const VERSION: u16 = 1;
const CHECKED_HEAD: usize = 40;
const HEAD: usize = 72;
const CHECKSUM: usize = 32;

/// What the file is for. A transfer leaves its old device frozen; a backup changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To restore from, should the vault be lost.
    Backup,
    /// To move the vault to another device.
    Transfer,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Backup => 1,
            Self::Transfer => 2,
        }
    }
}

/// What a backup holds.
#[derive(Debug)]
pub struct Content {
    /// When it was made.
    pub made: UnixSeconds,
    /// The vault's records, oldest first, byte for byte.
    pub records: Vec<Zeroizing<Vec<u8>>>,
}

/// The backup of these records.
///
/// # Errors
/// [`BackupError::TooLarge`].
pub fn seal<'a>(
    purpose: Purpose,
    made: UnixSeconds,
    records: impl Iterator<Item = &'a [u8]>,
    phrase: &Phrase,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, BackupError> {
    let records: Vec<&[u8]> = records.collect();
    let size = 8 + records.iter().map(|record| 4 + record.len()).sum::<usize>();
    // Room for all from the start: a buffer that grows leaves copies of secrets behind.
    let mut content = Zeroizing::new(Vec::with_capacity(size));
    content.extend(made.0.to_le_bytes());
    for record in records {
        content.extend(u32::try_from(record.len()).map_err(|_| BackupError::TooLarge)?.to_le_bytes());
        content.extend(record);
    }

    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    let mut bytes = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &[purpose.byte()], &id].concat();
    let sealed_length = u64::try_from(content.len() + 40).map_err(|_| BackupError::TooLarge)?;
    bytes.extend(sealed_length.to_le_bytes());
    bytes.extend(ledger::sha256(&bytes).as_bytes());
    let key = key_of(phrase, &id);
    let sealed = seal_bytes(key.bytes(), &content, &bound(&bytes), rng).map_err(|_| BackupError::TooLarge)?;
    wipe_dead_stack();
    bytes.extend(sealed);
    bytes.extend(ledger::sha256(&bytes).as_bytes());
    let small_enough = u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES);
    if small_enough { Ok(bytes) } else { Err(BackupError::TooLarge) }
}

/// Opens a file made for this purpose.
///
/// # Errors
/// Each thing that can be wrong has its own variant; what is wrong with the file is found before the phrase is used.
pub fn open(file: &[u8], purpose: Purpose, phrase: &Phrase) -> Result<Content, BackupError> {
    let (head, sealed) = check(file, purpose)?;
    let id = head.get(16..32).and_then(|id| id.first_chunk()).ok_or(BackupError::Damaged)?;
    let opened = open_sealed(key_of(phrase, id).bytes(), sealed, &bound(head));
    wipe_dead_stack();
    read(&opened.ok_or(BackupError::Phrase)?).ok_or(BackupError::Damaged)
}

/// Everything that can be said about the file without the phrase; gives its head and its sealed part.
///
/// # Errors
/// [`BackupError`], but never [`BackupError::Phrase`].
pub fn check(file: &[u8], purpose: Purpose) -> Result<(&[u8], &[u8]), BackupError> {
    let truncated = |expected| BackupError::Truncated { length: length(file), expected };
    if file.is_empty() || !MAGIC.iter().zip(file).all(|(magic, byte)| magic == byte) {
        return Err(BackupError::NotABackup);
    }
    let (head, rest) = file.split_at_checked(HEAD).ok_or(truncated(length(&[0; HEAD + CHECKSUM])))?;
    let (checked, checksum) = head.split_at_checked(CHECKED_HEAD).ok_or(BackupError::Damaged)?;
    if ledger::sha256(checked).as_bytes().as_slice() != checksum {
        return Err(BackupError::Damaged);
    }
    let (_, fields) = checked.split_first_chunk::<13>().ok_or(BackupError::Damaged)?;
    let (known, fields) = fields.split_first_chunk::<3>().ok_or(BackupError::Damaged)?;
    let [low, high] = VERSION.to_le_bytes();
    match *known {
        [a, b, made_for] if [a, b] == [low, high] && made_for == purpose.byte() => {}
        [a, b, 1 | 2] if [a, b] == [low, high] => return Err(BackupError::Purpose),
        _ => return Err(BackupError::Newer),
    }
    let sealed_length = fields.last_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).unwrap_or_default();
    let expected = sealed_length.saturating_add(length(&[0; HEAD + CHECKSUM]));
    if length(file) < expected {
        return Err(truncated(expected));
    }
    let (sealed, checksum) = rest.split_at_checked(rest.len().saturating_sub(CHECKSUM)).ok_or(BackupError::Damaged)?;
    let (before, _) = file.split_at_checked(file.len().saturating_sub(CHECKSUM)).ok_or(BackupError::Damaged)?;
    let whole = length(file) == expected && ledger::sha256(before).as_bytes().as_slice() == checksum;
    if whole { Ok((head, sealed)) } else { Err(BackupError::Damaged) }
}

/// The code by which the old device knows that the new one has opened the transfer: eight digits that follow from
/// phrase and file. `None` if this is no such file.
#[must_use]
pub fn confirmation_code(file: &[u8], phrase: &Phrase) -> Option<String> {
    let id: &[u8; 16] = file.get(16..32)?.first_chunk()?;
    let key = phrase.key(&[b"xinfu-move code".as_slice(), id].concat());
    let number = u64::from_le_bytes(*key.bytes().first_chunk()?);
    Some(format!("{:04}-{:04}", number % 10_000, number / 10_000 % 10_000))
}

fn read(content: &[u8]) -> Option<Content> {
    let (made, mut rest) = content.split_first_chunk::<8>()?;
    let mut records = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (record, behind) = behind.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        records.push(Zeroizing::new(record.to_vec()));
        rest = behind;
    }
    rest.is_empty().then_some(Content { made: UnixSeconds(i64::from_le_bytes(*made)), records })
}

fn key_of(phrase: &Phrase, id: &[u8; 16]) -> Key {
    phrase.key(&[b"xinfu-backup key".as_slice(), id].concat())
}

fn bound(head: &[u8]) -> Vec<u8> {
    [b"xinfu-backup".as_slice(), head].concat()
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
