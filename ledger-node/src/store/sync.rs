//! The store for callers on a thread of their own: the executor, proofs, `fsck`.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use service_kit::store::{Batch, Entry, Range, Store, StoreError};
use tokio::runtime::Handle;

/// A store whose calls block. Never to be used on a thread that serves requests.
#[derive(Clone)]
pub(crate) struct SyncStore {
    store: Arc<dyn Store>,
    runtime: Handle,
}

impl SyncStore {
    pub(crate) fn new(store: Arc<dyn Store>, runtime: Handle) -> Self {
        Self { store, runtime }
    }

    /// Another store, for the same threads.
    pub(crate) fn beside(&self, store: Arc<dyn Store>) -> Self {
        Self { store, runtime: self.runtime.clone() }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.runtime.block_on(self.store.get(key))
    }

    pub(crate) fn scan(&self, range: Range, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.runtime.block_on(self.store.scan(range, limit))
    }

    pub(crate) fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.runtime.block_on(self.store.commit(batch))
    }

    /// Reads one of our JSON records.
    pub(crate) fn record<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.get(key)? else { return Ok(None) };
        let what = String::from_utf8_lossy(key).into_owned();
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::Corrupt(format!("record {what} is malformed")))
    }
}
