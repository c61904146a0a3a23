//! The entries themselves: packed, compressed, read back within bounds.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::error::StatusError;
use crate::encoding::limits;

/// How many bits an entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bits {
    /// Valid or invalid.
    One,
    /// Valid, invalid, suspended, and one value of the issuer's own.
    Two,
    /// 16 values.
    Four,
    /// 256 values.
    Eight,
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0x00: valid.
    Valid,
    /// 0x01: revoked, annulled, cancelled.
    Invalid,
    /// 0x02: invalid for the time being.
    Suspended,
    /// Any other value: only the issuer, or a later specification, knows. Never valid.
    Other(u8),
}

/// A list of statuses, uncompressed.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl Bits {
    /// The number: 1, 2, 4 or 8.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// From the number.
    #[must_use]
    pub const fn from_count(count: u64) -> Option<Self> {
        match count {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    const fn per_byte(self) -> usize {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }

    /// The bits of one entry, at the low end of a byte.
    const fn mask(self) -> u8 {
        u8::MAX >> (8 - self.count())
    }

    /// How far the entry at `index` is shifted within its byte.
    fn shift(self, index: usize) -> usize {
        (index % self.per_byte()) * usize::from(self.count())
    }
}

impl Status {
    /// The value in a list.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Other(value) => value,
        }
    }

    /// From the value in a list.
    #[must_use]
    pub const fn from_value(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }
}

impl StatusList {
    /// A list of at least `entries` entries, all [`Status::Valid`]: unused entries look like valid credentials.
    ///
    /// # Errors
    /// [`StatusError::Size`] below [`limits::STATUS_HERD`] or beyond [`limits::STATUS_LIST`].
    pub fn new(bits: Bits, entries: usize) -> Result<Self, StatusError> {
        let bytes = entries.div_ceil(bits.per_byte());
        if entries < limits::STATUS_HERD || bytes > limits::STATUS_LIST {
            return Err(StatusError::Size);
        }
        Ok(Self { bits, bytes: vec![0; bytes] })
    }

    /// A list from its packed bytes, as [`Self::as_bytes`] gave them.
    ///
    /// # Errors
    /// [`StatusError::TooLong`].
    pub fn from_bytes(bits: Bits, bytes: Vec<u8>) -> Result<Self, StatusError> {
        if bytes.len() > limits::STATUS_LIST { Err(StatusError::TooLong) } else { Ok(Self { bits, bytes }) }
    }

    /// The packed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bits per entry.
    #[must_use]
    pub const fn bits(&self) -> Bits {
        self.bits
    }

    /// How many entries fit.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.bytes.len() * self.bits.per_byte()
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`]: nothing can then be said, least of all "valid".
    pub fn get(&self, index: usize) -> Result<Status, StatusError> {
        let byte = self.bytes.get(index / self.bits.per_byte()).ok_or(StatusError::OutOfRange)?;
        Ok(Status::from_value((byte >> self.bits.shift(index)) & self.bits.mask()))
    }

    /// Sets the status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`]; [`StatusError::Value`] if the status needs more bits.
    pub fn set(&mut self, index: usize, status: Status) -> Result<(), StatusError> {
        let (mask, shift) = (self.bits.mask(), self.bits.shift(index));
        if status.value() > mask {
            return Err(StatusError::Value);
        }
        let byte = self.bytes.get_mut(index / self.bits.per_byte()).ok_or(StatusError::OutOfRange)?;
        *byte = (*byte & !(mask << shift)) | (status.value() << shift);
        Ok(())
    }

    /// The list as one zlib stream.
    ///
    /// # Errors
    /// [`StatusError::Compression`] if memory runs out.
    pub fn compress(&self) -> Result<Vec<u8>, StatusError> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.bytes).and_then(|()| encoder.finish()).map_err(|_| StatusError::Compression)
    }

    /// Reads a zlib stream, and stops at [`limits::STATUS_LIST`] however much it would become.
    ///
    /// # Errors
    /// [`StatusError::Compression`], also for anything after the stream; [`StatusError::TooLong`];
    /// [`StatusError::Malformed`] if it becomes nothing: such a list speaks of no credential.
    pub fn decompress(bits: Bits, compressed: &[u8]) -> Result<Self, StatusError> {
        let mut rest = compressed;
        let mut bytes = Vec::new();
        let limit = u64::try_from(limits::STATUS_LIST).unwrap_or(u64::MAX).saturating_add(1);
        ZlibDecoder::new(&mut rest).take(limit).read_to_end(&mut bytes).map_err(|_| StatusError::Compression)?;
        if bytes.len() > limits::STATUS_LIST {
            return Err(StatusError::TooLong);
        }
        if !rest.is_empty() {
            return Err(StatusError::Compression);
        }
        if bytes.is_empty() {
            return Err(StatusError::Malformed);
        }
        Ok(Self { bits, bytes })
    }
}

impl std::fmt::Debug for StatusList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatusList({} bits, {} entries)", self.bits.count(), self.entries())
    }
}
