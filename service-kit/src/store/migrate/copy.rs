//! Copying a store into another, and the digest by which both are compared.

use ledger::Hash;
use sha2::{Digest as _, Sha256};

use crate::store::{Batch, Entry, Range, Store, StoreError};

/// Entries read at once: at the longest value ([`crate::store::MAX_VALUE_BYTES`]) they are 256 MiB in memory.
const PAGE_ENTRIES: usize = 16;

/// Entries written in one commit: many, because each commit waits for the disk.
const BATCH_ENTRIES: usize = 4096;

/// Keys and values written in one commit, in bytes; one entry that is longer goes alone.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What a store holds, in short: equal where the contents are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// How many entries.
    pub entries: u64,
    /// SHA-256 over all entries in key order: length of the key (8 bytes, big-endian), key, length of the value (the
    /// same), value.
    pub digest: Hash,
}

/// Copies every entry of `from` into `to`, which must be empty, and tallies what was read. Never writes to `from`.
///
/// # Errors
/// [`StoreError`]; `to` holds a part then and is worth nothing.
pub async fn copy(from: &dyn Store, to: &dyn Store) -> Result<Tally, StoreError> {
    let mut pages = Pages::of(from);
    let mut counter = Counter::default();
    let mut load = Load::default();
    while let Some(page) = pages.next().await? {
        for (key, value) in page {
            counter.count(&key, &value);
            if load.is_full_for(&key, &value) {
                to.commit(std::mem::take(&mut load).batch).await?;
            }
            load.add(key, value);
        }
    }
    to.commit(load.batch).await?;
    Ok(counter.tally())
}

/// Tallies what `store` holds.
///
/// # Errors
/// [`StoreError`], if it cannot be read.
pub async fn tally(store: &dyn Store) -> Result<Tally, StoreError> {
    let mut pages = Pages::of(store);
    let mut counter = Counter::default();
    while let Some(page) = pages.next().await? {
        page.iter().for_each(|(key, value)| counter.count(key, value));
    }
    Ok(counter.tally())
}

/// Every entry of a store, in key order.
struct Pages<'a> {
    store: &'a dyn Store,
    rest: Range,
}

impl<'a> Pages<'a> {
    fn of(store: &'a dyn Store) -> Self {
        Self { store, rest: Range::all() }
    }

    async fn next(&mut self) -> Result<Option<Vec<Entry>>, StoreError> {
        let page = self.store.scan(self.rest.clone(), PAGE_ENTRIES).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.rest = Range::all().after(last);
        Ok(Some(page))
    }
}

/// What waits for the next commit.
#[derive(Default)]
struct Load {
    batch: Batch,
    entries: usize,
    bytes: usize,
}

impl Load {
    fn is_full_for(&self, key: &[u8], value: &[u8]) -> bool {
        let bytes = self.bytes.saturating_add(key.len()).saturating_add(value.len());
        self.entries > 0 && (self.entries >= BATCH_ENTRIES || bytes > BATCH_BYTES)
    }

    fn add(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.entries = self.entries.saturating_add(1);
        self.bytes = self.bytes.saturating_add(key.len()).saturating_add(value.len());
        // Never over anything: the copy is of one store, not of two.
        self.batch = std::mem::take(&mut self.batch).put_new(key, value);
    }
}

#[derive(Default)]
struct Counter {
    entries: u64,
    hasher: Sha256,
}

impl Counter {
    fn count(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.saturating_add(1);
        for part in [key, value] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            self.hasher.update(length.to_be_bytes());
            self.hasher.update(part);
        }
    }

    fn tally(self) -> Tally {
        Tally { entries: self.entries, digest: Hash::from(<[u8; Hash::LENGTH]>::from(self.hasher.finalize())) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::MAX_VALUE_BYTES;
    use crate::store::faulty::{Fault, FaultyStore};
    use crate::store::memory::MemoryStore;

    async fn filled() -> MemoryStore {
        let store = MemoryStore::new();
        let many =
            (0..9000_u32).fold(Batch::new(), |batch, number| batch.put(number.to_be_bytes(), number.to_string()));
        store.commit(many.put("empty", "").put("a", vec![7; MAX_VALUE_BYTES])).await.unwrap();
        store
    }

    #[tokio::test]
    async fn everything_arrives_and_the_source_is_only_read() {
        let from = FaultyStore::new(Arc::new(filled().await));
        let to = FaultyStore::new(Arc::new(MemoryStore::new()));
        let copied = copy(&from, &to).await.unwrap();
        assert_eq!(copied.entries, 9002);
        assert_eq!(tally(&to).await.unwrap(), copied);
        assert_eq!(tally(&from).await.unwrap(), copied);
        assert_eq!(from.commits(), 0);
        // 4096, 4096, what is left before the long one, the long one, and the one after it.
        assert_eq!(to.commits(), 5);
    }

    #[tokio::test]
    async fn nothing_is_a_content_too() {
        let to = MemoryStore::new();
        let copied = copy(&MemoryStore::new(), &to).await.unwrap();
        assert_eq!(copied, Tally { entries: 0, digest: ledger::sha256(b"") });
    }

    #[tokio::test]
    async fn each_byte_and_each_border_counts() {
        let mut seen = Vec::new();
        for entry in [("a", "b"), ("a", "c"), ("c", "b"), ("ab", ""), ("a", ""), ("b", "")] {
            let store = MemoryStore::new();
            store.commit(Batch::new().put(entry.0, entry.1)).await.unwrap();
            let tally = tally(&store).await.unwrap();
            assert!(!seen.contains(&tally), "{entry:?}");
            seen.push(tally);
        }
    }

    #[tokio::test]
    async fn a_write_or_a_read_that_breaks_ends_the_copy() {
        let from = FaultyStore::new(Arc::new(filled().await));
        for fault in Fault::ALL {
            for good in 0..5 {
                let to = FaultyStore::new(Arc::new(MemoryStore::new()));
                to.break_after(good, fault);
                copy(&from, &to).await.unwrap_err();
                assert_eq!(to.commits(), good + 1, "nothing is written after a failure");
            }
        }
        from.break_reads(true);
        copy(&from, &MemoryStore::new()).await.unwrap_err();
        tally(&from).await.unwrap_err();
    }

    #[tokio::test]
    async fn what_stands_in_the_target_is_not_overwritten() {
        let to = MemoryStore::new();
        to.commit(Batch::new().put("empty", "not")).await.unwrap();
        assert!(copy(&filled().await, &to).await.unwrap_err().is_precondition());
    }
}
