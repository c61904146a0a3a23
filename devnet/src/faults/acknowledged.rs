//! What the nodes acknowledged, noted where no fault can reach it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A transaction that a node answered with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) index: u64,
    pub(super) transaction: String,
}

/// Everything that happened to the load so far.
#[derive(Debug, Default)]
pub(super) struct Acknowledged(Mutex<Things>);

#[derive(Debug, Default)]
struct Things {
    entries: Vec<Entry>,
    unanswered: u64,
    refused: u64,
}

impl Acknowledged {
    pub(super) fn note(&self, index: u64, transaction: String) {
        self.things().entries.push(Entry { index, transaction });
    }

    /// An attempt that was not answered, as must be while nodes are away.
    pub(super) fn unanswered(&self) {
        let mut things = self.things();
        things.unanswered = things.unanswered.saturating_add(1);
    }

    /// A transaction that the rules refused.
    pub(super) fn refused(&self) {
        let mut things = self.things();
        things.refused = things.refused.saturating_add(1);
    }

    /// The entries that were acknowledged after the first `known`.
    pub(super) fn since(&self, known: usize) -> Vec<Entry> {
        self.things().entries.get(known..).unwrap_or_default().to_vec()
    }

    /// Entries, attempts without an answer, and refusals.
    pub(super) fn counts(&self) -> (usize, u64, u64) {
        let things = self.things();
        (things.entries.len(), things.unanswered, things.refused)
    }

    fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
