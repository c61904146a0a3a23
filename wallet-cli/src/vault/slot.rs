//! Commit slots: which record is the last, and where it ends.
//!
//! There are two, at bytes 512 and 1024, each in a disk sector of its own, and each commit overwrites the older one. So
//! a write that dies half-way never harms the newer.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | sequence number of the last record, 0 if none |
//! | 8..16 | where it ends in the file |
//! | 16..56 | nonce and tag of nothing, with `xinfu-vault commit`, SHA-256 of the header and bytes 0..16 as associated data |
//! | 56..512 | zero |

use super::{
    VaultError,
    record::{RecordKey, open_sealed, seal_bytes},
};
use rand::CryptoRng;

/// The length of one slot in the file.
pub(super) const LENGTH: usize = 512;

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) sequence: u64,
    pub(super) end: u64,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    First,
    Second,
}

impl Place {
    pub(super) fn offset(self) -> u64 {
        match self {
            Self::First => 512,
            Self::Second => 1024,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl Slot {
    /// The slot as it stands in the file.
    pub(super) fn seal(self, key: &RecordKey, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, VaultError> {
        let fields = [self.sequence.to_le_bytes(), self.end.to_le_bytes()].concat();
        let seal = seal_bytes(key.key(), b"", &key.bind(b"xinfu-vault commit", &[&fields]), rng)?;
        let mut bytes = [fields, seal].concat();
        bytes.resize(LENGTH, 0);
        Ok(bytes)
    }

    /// Reads a slot; `None` if a bit of it is not as written.
    pub(super) fn open(bytes: &[u8], key: &RecordKey) -> Option<Self> {
        let (fields, rest) = bytes.split_first_chunk::<16>()?;
        let (seal, zeros) = rest.split_first_chunk::<40>()?;
        let orderly = bytes.len() == LENGTH && zeros.iter().all(|byte| *byte == 0);
        open_sealed(key.key(), seal, &key.bind(b"xinfu-vault commit", &[fields])).filter(|_| orderly)?;
        let (sequence, end) = fields.split_first_chunk::<8>()?;
        Some(Self { sequence: u64::from_le_bytes(*sequence), end: u64::from_le_bytes(*end.first_chunk()?) })
    }
}
