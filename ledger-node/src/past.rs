//! Which two seals lie around a time. Their times ascend along the log, so they are found by halving it: a few dozen looks,
//! each of at most one block, however long the log is.

use ledger::time_proof::tells_of;
use ledger::{Seal, TimeProof};
use service_kit::store::{Range, StoreError};

use crate::boundary::{ends_a_term, prove_seal};
use crate::node::Round;
use crate::store::{SyncStore, leaf_key};

/// Entries read at once while the next seal is looked for.
const PAGE: usize = 32;

/// What a node can show about a time.
pub(crate) enum Shown {
    /// The seals around it.
    Proof(Box<TimeProof>),
    /// The chain was founded later.
    BeforeGenesis,
    /// It lies before what is kept here.
    Pruned,
    /// Nothing is sealed after it yet, and the newest checkpoint is not late enough to do without, or by a set whose term
    /// has ended.
    NotYetKnown,
}

/// A seal in the log.
#[derive(Clone, Copy)]
struct Place {
    index: u64,
    time: u64,
}

/// Shows `time`, in milliseconds since the epoch, under a certified round. All entries from `kept_from` on are kept.
pub(crate) fn show(store: &SyncStore, round: &Round, kept_from: u64, time: u64) -> Result<Shown, StoreError> {
    let end = round.head.size;
    let last = end.saturating_sub(1);
    let newest = next_seal(store, last, end)?.ok_or_else(unsealed)?;
    if newest.time <= time {
        let is_late_enough = u64::try_from(round.at.0).is_ok_and(|at| tells_of(at, time));
        // What follows the last seal of a set, only the next set can tell.
        let told = is_late_enough && !ends_a_term(store, &round.head)?;
        return if told { proof(store, round, newest, None) } else { Ok(Shown::NotYetKnown) };
    }
    let oldest = next_seal(store, kept_from, end)?.ok_or_else(unsealed)?;
    if oldest.time > time {
        return Ok(if kept_from == 0 { Shown::BeforeGenesis } else { Shown::Pruned });
    }
    let (before, after) = around(store, oldest, newest, time)?;
    proof(store, round, before, Some(after))
}

/// The last seal that is not after `time`, and the next one. `before` is not after it, and `after` is.
fn around(store: &SyncStore, mut before: Place, mut after: Place, time: u64) -> Result<(Place, Place), StoreError> {
    // From here to `after` there is no other seal.
    let mut end = after.index;
    while let Some(middle) = between(before.index, end) {
        match next_seal(store, middle, end)? {
            None => end = middle,
            Some(seal) if seal.time <= time => before = seal,
            Some(seal) => (after, end) = (seal, middle),
        }
    }
    Ok((before, after))
}

/// An index halfway, if there is one that is neither.
fn between(low: u64, high: u64) -> Option<u64> {
    let middle = low.saturating_add(high.saturating_sub(low) / 2);
    (middle > low && middle < high).then_some(middle)
}

/// The first seal from `first` on, before `end`.
fn next_seal(store: &SyncStore, first: u64, end: u64) -> Result<Option<Place>, StoreError> {
    let mut range = Range::between(leaf_key(first), leaf_key(end));
    loop {
        let page = store.scan(range.clone(), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        // A transaction begins with `e`.
        if let Some((key, entry)) = page.iter().find(|(_, entry)| entry.starts_with(b"{")) {
            let time = Seal::parse(entry).map_err(|error| StoreError::Corrupt(error.to_string()))?.time;
            return Ok(Some(Place { index: index_of(key)?, time }));
        }
        range = range.after(last);
    }
}

fn index_of(key: &[u8]) -> Result<u64, StoreError> {
    let index = key.strip_prefix(b"leaf/").and_then(|index| index.try_into().ok());
    index.map(u64::from_be_bytes).ok_or_else(|| StoreError::Corrupt("the name of a log entry is malformed".into()))
}

fn proof(store: &SyncStore, round: &Round, before: Place, after: Option<Place>) -> Result<Shown, StoreError> {
    let before = prove_seal(store, before.index, round)?;
    let after = after.map(|after| prove_seal(store, after.index, round)).transpose()?;
    Ok(Shown::Proof(Box::new(TimeProof { before, after })))
}

fn unsealed() -> StoreError {
    StoreError::Corrupt("the log does not end with a seal".into())
}
