//! What only the log tells and the state does not list: which duties a member ever gave, and which of its receipts each
//! anchor covers.
//!
//! The log is read once, from where this node keeps it, on a thread that may block; it begins when the first page wants
//! to know, and a page that comes before the end says how far it is. Nothing of it is kept on disk: the log is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use identity_core::did::Did;
use identity_core::registry::{AnchorKind, Operation};
use ledger::Hash;
use tokio::sync::Notify;

use super::entry::Entry;
use super::reading::leaves;
use crate::node::Node;
use crate::store::SyncStore;

/// How long a page waits for the log to be read.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Entries that are read at once.
const AT_ONCE: u64 = 64;

/// Which receipts of a member an anchor covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceiptRange {
    /// Log index of the anchor.
    pub(super) index: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Digest of the last one.
    pub(super) head: Option<Hash>,
}

/// Reads along.
pub(super) struct Follower {
    /// Where it began.
    first: u64,
    found: Mutex<Found>,
    is_reading: AtomicBool,
    progressed: Notify,
}

#[derive(Default)]
struct Found {
    /// Entries below this index have been read.
    next: u64,
    duties: BTreeMap<Did, BTreeSet<String>>,
    /// By the first receipt of each range.
    receipts: BTreeMap<Did, BTreeMap<u64, ReceiptRange>>,
}

impl Follower {
    pub(super) fn new(first: u64) -> Self {
        let found = Mutex::new(Found { next: first, ..Found::default() });
        Self { first, found, is_reading: AtomicBool::new(false), progressed: Notify::new() }
    }

    /// The first entry that it knows.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Entries below this index have been read.
    pub(super) fn next(&self) -> u64 {
        self.found().next
    }

    /// The duty numbers that a member ever used.
    pub(super) fn duties(&self, department: &Did) -> Vec<String> {
        self.found().duties.get(department).into_iter().flatten().cloned().collect()
    }

    /// Every member that ever gave a duty, with its duty numbers.
    pub(super) fn all_duties(&self) -> Vec<(Did, Vec<String>)> {
        let found = self.found();
        found.duties.iter().map(|(did, numbers)| (did.clone(), numbers.iter().cloned().collect())).collect()
    }

    /// The anchor that covers a member's receipt of this number.
    pub(super) fn receipt(&self, service: &Did, number: u64) -> Option<ReceiptRange> {
        let found = self.found();
        let (_, range) = found.receipts.get(service)?.range(..=number).next_back()?;
        (number <= range.last).then(|| range.clone())
    }

    /// Reads on towards the first `size` entries, and waits a while for it.
    pub(super) async fn reach(self: &Arc<Self>, node: &Node, size: u64) {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (before, progressed) = (self.next(), self.progressed.notified());
            if before >= size {
                return;
            }
            if !self.is_reading.swap(true, Ordering::AcqRel) {
                let (follower, store) = (Arc::clone(self), node.sync_store());
                // It ends with the log, or with the store when the node stops; nobody waits for it.
                drop(tokio::task::spawn_blocking(move || follower.read_on(&store, size)));
            }
            // Without progress the store is at fault, and asking again at once would not help.
            if tokio::time::timeout_at(until, progressed).await.is_err() || self.next() == before {
                return;
            }
        }
    }

    fn read_on(&self, store: &SyncStore, size: u64) {
        loop {
            let from = self.next();
            let end = from.saturating_add(AT_ONCE).min(size);
            if from >= end {
                break;
            }
            let entries = match leaves(store, from, end) {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::warn!(%error, "the console cannot read the log");
                    break;
                }
            };
            let read: Vec<Entry> = entries.iter().map(|entry| Entry::read(entry)).collect();
            let mut found = self.found();
            (from..end).zip(&read).for_each(|(index, entry)| found.note(index, entry));
            found.next = end;
        }
        self.is_reading.store(false, Ordering::Release);
        self.progressed.notify_waiters();
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn note(&mut self, index: u64, entry: &Entry) {
        let Entry::Transaction(transaction) = entry else { return };
        match transaction.operation() {
            Operation::Delegate(given) => {
                self.duties.entry(transaction.sender().clone()).or_default().insert(given.duty.clone());
            }
            Operation::Anchor(anchor) if anchor.kind == AnchorKind::Receipt => {
                if let (Some(first), Some(last)) = (anchor.first, anchor.last) {
                    let range = ReceiptRange { index, first, last, head: anchor.head };
                    self.receipts.entry(transaction.sender().clone()).or_default().insert(first, range);
                }
            }
            _ => {}
        }
    }
}
