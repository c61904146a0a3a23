//! The store in memory: nothing outlives the process, and every rule of the port is asserted.
//!
//! It is the strictest implementation on purpose. A test that names its immutable areas
//! ([`MemoryStore::with_immutable`]) fails when anything in them is changed or removed.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Answer, Batch, Entry, Range, Store, StoreError, Write};

/// A store that lives and dies with its value.
#[derive(Debug, Default)]
pub struct MemoryStore {
    entries: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    immutable: Vec<Vec<u8>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, refusing with [`StoreError::Misused`] any change or removal of a value whose key begins with one
    /// of `prefixes`. Writing the same bytes again is no change.
    #[must_use]
    pub fn with_immutable(mut self, prefixes: &[&str]) -> Self {
        self.immutable = prefixes.iter().map(|prefix| prefix.as_bytes().to_vec()).collect();
        self
    }

    fn read(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lock().get(key).cloned()
    }

    fn list(&self, range: &Range, limit: usize) -> Vec<Entry> {
        if range.is_empty() {
            return Vec::new();
        }
        let entries = self.lock();
        let end = range.end().map_or(Bound::Unbounded, Bound::Excluded);
        let found = entries.range::<[u8], _>((Bound::Included(range.start()), end));
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        if range.is_descending() {
            found.rev().take(limit).map(copy).collect()
        } else {
            found.take(limit).map(copy).collect()
        }
    }

    fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        let mut entries = self.lock();
        for (which, precondition) in batch.preconditions().iter().enumerate() {
            if !precondition.holds(entries.get(precondition.key()).map(Vec::as_slice)) {
                return Err(StoreError::Precondition { which, key: precondition.key().to_vec() });
            }
        }
        self.check_immutable(&entries, &batch)?;
        for write in batch.into_writes() {
            match write {
                Write::Put { key, value } => entries.insert(key, value),
                Write::Delete { key } => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn check_immutable(&self, entries: &BTreeMap<Vec<u8>, Vec<u8>>, batch: &Batch) -> Result<(), StoreError> {
        for write in batch.writes() {
            let guarded = self.immutable.iter().any(|prefix| write.key().starts_with(prefix));
            let changes = match write {
                Write::Put { key, value } => entries.get(key).is_some_and(|found| found != value),
                Write::Delete { key } => entries.contains_key(key),
            };
            if guarded && changes {
                return Err(StoreError::Misused("an immutable value was changed"));
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        // A panic while holding the lock cannot leave half a batch: writes follow all checks and do not panic.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.read(key)) })
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move { Ok(self.list(&range, limit)) })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move { self.apply(batch) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn memory_keeps_the_contract() {
        contract::check(|| Arc::new(MemoryStore::new())).await;
    }

    #[tokio::test]
    async fn an_immutable_value_stays() {
        let store = MemoryStore::new().with_immutable(&["log/"]);
        store.commit(Batch::new().put("log/1", "a")).await.unwrap();
        store.commit(Batch::new().put("log/1", "a")).await.unwrap();
        let changed = store.commit(Batch::new().put("log/1", "b")).await;
        assert_eq!(changed, Err(StoreError::Misused("an immutable value was changed")));
        assert!(store.commit(Batch::new().delete("log/1")).await.is_err());
    }
}
