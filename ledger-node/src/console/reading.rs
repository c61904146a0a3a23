//! What pages read: the state and the log as of one certified head, so that a page does not contradict itself.
//!
//! A page is cheap for whoever asks for it, so what it costs here is bounded: entries are searched up to a number, the
//! directory is read once for each head, and the time of an entry, which never changes, is remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::registry::{
    AccreditationHistory, DidHistory, DutyHistory, MEMBERS, Member, StateView, accreditation_key, did_key, duty_key,
    member_key,
};
use ledger::Seal;
use serde::de::DeserializeOwned;
use service_kit::reply::Problem;
use service_kit::store::{Range, StoreError};
use tokio::sync::Mutex;

use super::duties::Follower;
use super::entry::{Entry, Kind};
use super::names::{Directory, Known};
use crate::http::{Api, blocking};
use crate::node::Round;
use crate::store::{Past, SyncStore, VersionedState, leaf_key};

/// Entries on one page of the log.
const PER_PAGE: usize = 25;
/// Entries that are looked at for one page: a kind that is rare is looked for over several.
const SEARCHED: u64 = 1024;
/// Entries that are read at once.
const AT_ONCE: u64 = 64;
/// Times that are remembered: some 200 KiB.
const REMEMBERED: usize = 4096;

/// What all pages of a node share.
pub(super) struct Console {
    pub(super) api: Api,
    directory: Mutex<Option<(u64, Arc<Directory>)>>,
    moments: Mutex<BTreeMap<u64, Block>>,
    follower: Arc<Follower>,
}

/// The block in which an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Index of its seal.
    pub(super) sealed: u64,
    pub(super) seal: Seal,
}

impl Block {
    /// Seconds since the epoch.
    pub(super) fn time(&self) -> i64 {
        i64::try_from(self.seal.time / 1000).unwrap_or(i64::MAX)
    }
}

/// One row of the log.
pub(super) struct Row {
    pub(super) index: u64,
    pub(super) entry: Entry,
    pub(super) block: Option<Block>,
}

/// A page of the log, newest first.
pub(super) struct Listed {
    pub(super) rows: Vec<Row>,
    /// The lowest index that was looked at.
    pub(super) searched_to: u64,
}

/// The ledger at one certified head.
pub(super) struct Reading<'a> {
    pub(super) console: &'a Console,
    pub(super) round: Arc<Round>,
}

impl Console {
    pub(super) fn new(api: Api) -> Self {
        let first = api.floor.as_ref().map_or(0, |floor| floor.entries);
        let (directory, moments) = (Mutex::default(), Mutex::default());
        Self { api, directory, moments, follower: Arc::new(Follower::new(first)) }
    }

    /// The newest certified head.
    pub(super) fn reading(&self) -> Result<Reading<'_>, Problem> {
        Ok(Reading { console: self, round: self.api.round()? })
    }

    pub(super) fn follower(&self) -> &Follower {
        &self.follower
    }

    /// The first log entry from which on all are kept here.
    pub(super) fn kept_from(&self) -> u64 {
        self.api.floor.as_ref().map_or(0, |floor| floor.entries)
    }
}

impl Reading<'_> {
    /// The index of the last entry.
    pub(super) fn last(&self) -> u64 {
        self.round.head.size.saturating_sub(1)
    }

    /// What the state holds under a key.
    pub(super) async fn value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Problem> {
        let value = self.console.api.node.value(key, &self.round).await?;
        value.map(|bytes| parsed(&bytes)).transpose().map_err(Problem::from)
    }

    pub(super) async fn did(&self, did: &Did) -> Result<Option<DidHistory>, Problem> {
        self.value(&did_key(did)).await
    }

    pub(super) async fn accreditations(&self, did: &Did) -> Result<Option<AccreditationHistory>, Problem> {
        self.value(&accreditation_key(did)).await
    }

    pub(super) async fn duty(&self, did: &Did, duty: &str) -> Result<Option<DutyHistory>, Problem> {
        self.value(&duty_key(did, duty)).await
    }

    /// Every member, with its names and accreditations. Whoever asks while it is being read waits for the same one.
    pub(super) async fn directory(&self) -> Result<Arc<Directory>, Problem> {
        let mut kept = self.console.directory.lock().await;
        let height = self.round.head.height;
        if let Some((_, directory)) = kept.as_ref().filter(|(of, _)| *of == height) {
            return Ok(Arc::clone(directory));
        }
        let directory = blocking(&self.console.api.node, move |store| read_directory(store, height)).await?;
        let directory = Arc::new(directory);
        *kept = Some((height, Arc::clone(&directory)));
        Ok(directory)
    }

    /// The entry at an index, and the block in which it stands.
    pub(super) async fn entry(&self, index: u64) -> Result<(Vec<u8>, Block), Problem> {
        if index >= self.round.head.size {
            return Err(Problem::new(Code::LedgerIndexUnknown));
        }
        self.console.api.is_kept(Past::Entries(index))?;
        let size = self.round.head.size;
        blocking(&self.console.api.node, move |store| {
            let bytes = store.get(&leaf_key(index))?.ok_or_else(|| missing(index))?;
            Ok((bytes, block_of(store, index, size)?))
        })
        .await
    }

    /// The blocks in which entries stand, for those that are kept here.
    pub(super) async fn blocks(&self, indexes: &[u64]) -> Result<BTreeMap<u64, Block>, Problem> {
        let (size, first) = (self.round.head.size, self.console.kept_from());
        let kept = indexes.iter().copied().filter(|index| (first..size).contains(index));
        let mut moments = self.console.moments.lock().await;
        let unknown: Vec<u64> = kept.clone().filter(|index| !moments.contains_key(index)).collect();
        if moments.len().saturating_add(unknown.len()) > REMEMBERED {
            moments.clear();
        }
        if !unknown.is_empty() {
            let found = blocking(&self.console.api.node, move |store| {
                unknown
                    .into_iter()
                    .map(|index| Ok((index, block_of(store, index, size)?)))
                    .collect::<Result<Vec<_>, _>>()
            });
            moments.extend(found.await?);
        }
        // Those that were known may have been forgotten above; a page without a time is better than none.
        Ok(kept.filter_map(|index| Some((index, *moments.get(&index)?))).collect())
    }

    /// The entries below `before`, newest first, of one kind or of every kind but seals.
    pub(super) async fn list(&self, before: u64, kind: Option<Kind>) -> Result<Listed, Problem> {
        let (size, first) = (self.round.head.size, self.console.kept_from());
        let before = before.min(size);
        blocking(&self.console.api.node, move |store| list(store, first..before, size, kind)).await
    }

    /// What the log says of duties and receipts, as far as it has been read: see [`super::duties`].
    pub(super) async fn follower(&self) -> &Follower {
        let follower = &self.console.follower;
        follower.reach(&self.console.api.node, self.round.head.size).await;
        follower
    }
}

fn read_directory(store: &SyncStore, height: u64) -> Result<Directory, StoreError> {
    let state = VersionedState::new(store, Some(height));
    let mut members = Vec::new();
    for did in of_state::<Vec<Did>>(&state, MEMBERS)?.unwrap_or_default() {
        let member: Member = of_state(&state, &member_key(&did))?.ok_or_else(|| malformed("a member is missing"))?;
        let history: Option<DidHistory> = of_state(&state, &did_key(&did))?;
        let given: Option<AccreditationHistory> = of_state(&state, &accreditation_key(&did))?;
        let (label, grants) = (history.and_then(|history| history.label), given.map(|given| given.grants));
        members.push(Known { member, label, grants: grants.unwrap_or_default() });
    }
    Ok(Directory { members })
}

fn of_state<T: DeserializeOwned>(state: &VersionedState<'_>, key: &str) -> Result<Option<T>, StoreError> {
    let value = state.get(key).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    value.map(|bytes| parsed(&bytes)).transpose()
}

/// The block of the entry at `index`: the next seal is its own.
fn block_of(store: &SyncStore, index: u64, size: u64) -> Result<Block, StoreError> {
    let mut from = index;
    while from < size {
        let end = from.saturating_add(AT_ONCE).min(size);
        for (sealed, bytes) in (from..end).zip(leaves(store, from, end)?) {
            if let Ok(seal) = Seal::parse(&bytes) {
                return Ok(Block { sealed, seal });
            }
        }
        from = end;
    }
    Err(malformed("the log does not end with a seal"))
}

fn list(store: &SyncStore, range: std::ops::Range<u64>, size: u64, kind: Option<Kind>) -> Result<Listed, StoreError> {
    let mut listed = Listed { rows: Vec::new(), searched_to: range.end };
    if range.is_empty() {
        return Ok(listed);
    }
    let mut block = block_of(store, range.end.saturating_sub(1), size)?;
    let lowest = range.start.max(range.end.saturating_sub(SEARCHED));
    while listed.searched_to > lowest {
        let from = listed.searched_to.saturating_sub(AT_ONCE).max(lowest);
        let bytes = leaves(store, from, listed.searched_to)?;
        for (index, bytes) in (from..listed.searched_to).rev().zip(bytes.into_iter().rev()) {
            let entry = Entry::read(&bytes);
            if let Entry::Seal(seal) = entry {
                block = Block { sealed: index, seal };
            }
            listed.searched_to = index;
            if kind.map_or(entry.kind() != Kind::Seal, |kind| entry.kind() == kind) {
                listed.rows.push(Row { index, entry, block: Some(block) });
                if listed.rows.len() == PER_PAGE {
                    return Ok(listed);
                }
            }
        }
    }
    Ok(listed)
}

/// The entries from `from` to before `end`, all of which must be there.
pub(super) fn leaves(store: &SyncStore, from: u64, end: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let count = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
    let found = store.scan(Range::between(leaf_key(from), leaf_key(end)), count)?;
    if found.len() != count {
        return Err(missing(from));
    }
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| malformed("a state value is malformed"))
}

fn malformed(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

fn missing(index: u64) -> StoreError {
    StoreError::Corrupt(format!("log entries from {index} on are missing"))
}
