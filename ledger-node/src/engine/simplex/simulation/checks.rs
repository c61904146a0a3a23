//! What must hold, looked at whenever a node executes a block or shows a round.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger::Hash;

use crate::node::Round;
use crate::store::{Head, Place};

/// How far a quorum lets a block's time be ahead, one of which at least has a clock that is right.
const TOLERANCE: Duration = Duration::from_secs(30);

/// Everything seen so far. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Checks(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    heads: BTreeMap<u64, Head>,
    certified: BTreeMap<u64, Hash>,
    acknowledged: Vec<(String, Place)>,
    violations: Vec<String>,
    /// How often an engine ended because the others had let go of what came next.
    fallen_behind: usize,
    /// All notes shown, one after the other.
    notes: Vec<u8>,
}

impl Checks {
    /// A node executed a block, at this time by a clock that is right.
    pub(super) fn executed(&self, place: usize, head: &Head, now: SystemTime) {
        let mut seen = self.0.lock().unwrap();
        let latest = now.duration_since(UNIX_EPOCH).unwrap() + TOLERANCE;
        if u128::try_from(head.time.0).unwrap() > latest.as_millis() {
            seen.violations.push(format!("block {} is of a time that has not come: {:?}", head.height, head.time));
        }
        let known = seen.heads.entry(head.height).or_insert_with(|| head.clone()).clone();
        if known != *head {
            seen.violations.push(format!("node {place} disagrees after block {}: {head:?}, {known:?}", head.height));
        }
    }

    /// A node shows a round.
    pub(super) fn certified(&self, place: usize, round: &Round) {
        let mut seen = self.0.lock().unwrap();
        seen.notes.extend(place.to_be_bytes());
        seen.notes.extend(round.note.as_bytes());
        let root = *seen.certified.entry(round.head.size).or_insert(round.head.root);
        if root != round.head.root {
            let size = round.head.size;
            seen.violations.push(format!("two certified roots of size {size}, the second shown by node {place}"));
        }
    }

    /// A sender was told where its transaction stands.
    pub(super) fn acknowledged(&self, transaction: &str, place: Place) {
        self.0.lock().unwrap().acknowledged.push((transaction.to_owned(), place));
    }

    /// An engine ended because the others' had let go of what came next.
    pub(super) fn fell_behind(&self) {
        self.0.lock().unwrap().fallen_behind += 1;
    }

    pub(super) fn fallen_behind(&self) -> usize {
        self.0.lock().unwrap().fallen_behind
    }

    pub(super) fn violated(&self, what: String) {
        self.0.lock().unwrap().violations.push(what);
    }

    pub(super) fn acknowledgements(&self) -> Vec<(String, Place)> {
        self.0.lock().unwrap().acknowledged.clone()
    }

    pub(super) fn height(&self) -> u64 {
        self.0.lock().unwrap().heads.last_key_value().map_or(0, |(height, _)| *height)
    }

    /// Blocks with no transaction, and nothing but their seal.
    pub(super) fn empty(&self) -> usize {
        let seen = self.0.lock().unwrap();
        let pairs = seen.heads.values().zip(seen.heads.values().skip(1));
        pairs.filter(|(one, next)| next.height == one.height + 1 && next.size == one.size + 1).count()
    }

    /// What was violated, and a digest of all notes.
    pub(super) fn end(&self) -> (Vec<String>, Hash) {
        let seen = self.0.lock().unwrap();
        (seen.violations.clone(), ledger::sha256(&seen.notes))
    }
}
