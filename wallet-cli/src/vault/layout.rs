//! A whole file: header, two commit slots, records. Pure: bytes in, contents or a named fault out, and back.

use super::{
    Note, VaultError,
    header::{self, Unlocked},
    record::{self, RecordKey},
    slot::{self, Place, Slot},
};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// Where the first record begins.
pub(super) const RECORDS_START: u64 = 1536;

/// What a file holds.
pub(super) struct Contents {
    pub(super) records: Vec<Zeroizing<Vec<u8>>>,
    /// The digest of each record's frame.
    pub(super) frames: Vec<ledger::Hash>,
    /// The number of the last record, 0 if none.
    pub(super) sequence: u64,
    /// Where it ends.
    pub(super) end: u64,
    pub(super) file_length: u64,
    /// The slot that the next commit overwrites.
    pub(super) stale_slot: Place,
    pub(super) notes: Vec<Note>,
}

/// A length as the file counts it. No machine has a slice longer than `u64::MAX`.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The bytes of a file that holds these records and nothing else.
pub(super) fn write(
    unlocked: &Unlocked,
    records: &[Zeroizing<Vec<u8>>],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, VaultError> {
    let mut frames = Vec::new();
    for (record, sequence) in records.iter().zip(1..) {
        frames.extend(record::seal(record, sequence, &unlocked.key, rng)?);
    }
    let sequence = u64::try_from(records.len()).unwrap_or(u64::MAX);
    let slot = Slot { sequence, end: RECORDS_START + length(&frames) };
    let mut bytes = unlocked.header.bytes().to_vec();
    for _ in 0..2 {
        bytes.extend(slot.seal(&unlocked.key, rng)?);
    }
    bytes.extend(frames);
    Ok(bytes)
}

/// Reads everything behind the header, which `key` came from.
pub(super) fn read(bytes: &[u8], key: &RecordKey) -> Result<Contents, VaultError> {
    let (slot, newest, mut notes) = newest_slot(bytes, key)?;
    let cut_off = VaultError::Truncated { length: length(bytes), expected: slot.end };
    let committed_end = usize::try_from(slot.end).map_err(|_| VaultError::Damaged { offset: newest.offset() })?;
    let committed = bytes.get(..committed_end).ok_or(cut_off)?;

    let mut reader = Reader {
        bytes: committed,
        key,
        at: header::LENGTH + 2 * slot::LENGTH,
        records: Vec::new(),
        frames: Vec::new(),
    };
    while reader.at < committed.len() {
        reader.next().ok_or(VaultError::Damaged { offset: offset(reader.at) })?;
    }
    if reader.sequence() != slot.sequence {
        return Err(VaultError::Damaged { offset: offset(reader.at) });
    }

    // Behind the committed end stands what was never acknowledged: kept if whole, else left out.
    reader.bytes = bytes;
    while reader.next().is_some() {}
    if reader.sequence() > slot.sequence {
        notes.push(Note::WriteCompleted);
    }
    let end = offset(reader.at);
    let tail = length(bytes).saturating_sub(end);
    if tail > 0 {
        notes.push(Note::TailDropped { bytes: tail });
    }
    let (sequence, file_length) = (reader.sequence(), length(bytes));
    Ok(Contents {
        records: reader.records,
        frames: reader.frames,
        sequence,
        end,
        file_length,
        stale_slot: newest.other(),
        notes,
    })
}

fn newest_slot(bytes: &[u8], key: &RecordKey) -> Result<(Slot, Place, Vec<Note>), VaultError> {
    let at = |place: Place| {
        let start = usize::try_from(place.offset()).ok()?;
        Slot::open(bytes.get(start..start + slot::LENGTH)?, key)
    };
    if length(bytes) < RECORDS_START {
        return Err(VaultError::Truncated { length: length(bytes), expected: RECORDS_START });
    }
    match (at(Place::First), at(Place::Second)) {
        (Some(first), Some(second)) if first.sequence >= second.sequence => Ok((first, Place::First, Vec::new())),
        (Some(_), Some(second)) => Ok((second, Place::Second, Vec::new())),
        (Some(first), None) => Ok((first, Place::First, vec![Note::SlotDamaged])),
        (None, Some(second)) => Ok((second, Place::Second, vec![Note::SlotDamaged])),
        (None, None) => Err(VaultError::Damaged { offset: Place::First.offset() }),
    }
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

/// Walks the records in order.
struct Reader<'a> {
    bytes: &'a [u8],
    key: &'a RecordKey,
    at: usize,
    records: Vec<Zeroizing<Vec<u8>>>,
    frames: Vec<ledger::Hash>,
}

impl Reader<'_> {
    fn sequence(&self) -> u64 {
        u64::try_from(self.records.len()).unwrap_or(u64::MAX)
    }

    /// Takes the next record; `None` if what stands here is not one.
    fn next(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let (content, length) = record::open(rest, self.sequence() + 1, self.key)?;
        self.frames.push(ledger::sha256(rest.get(..length)?));
        self.records.push(content);
        self.at += length;
        Some(())
    }
}
