//! A store that can be taken away from everybody who still holds it.
//!
//! A stopped server's threads may hold their handles a moment longer. Whoever stops a service and starts it again
//! on the same file cannot wait for that moment, so the service closes its store when it has finished.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Answer, Batch, Entry, Range, Store, StoreError};

/// Wraps a store until [`ClosableStore::close`].
pub struct ClosableStore {
    inner: RwLock<Option<Arc<dyn Store>>>,
}

impl ClosableStore {
    /// Wraps `inner`, which should not be held elsewhere.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner: RwLock::new(Some(inner)) }
    }

    /// Lets go of the store. Calls under way finish; later ones are refused.
    pub fn close(&self) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.clone().ok_or_else(|| StoreError::Broken("the store was closed".into()))
    }
}

impl Store for ClosableStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.open()?.get(key).await })
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move { self.open()?.scan(range, limit).await })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move { self.open()?.commit(batch).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{contract, memory::MemoryStore};

    #[tokio::test]
    async fn open_it_is_the_store_it_wraps() {
        contract::check(|| Arc::new(ClosableStore::new(Arc::new(MemoryStore::new())))).await;
    }

    #[tokio::test]
    async fn closed_it_holds_nothing_and_refuses() {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let store = ClosableStore::new(Arc::clone(&inner));
        store.close();
        assert_eq!(Arc::strong_count(&inner), 1);
        assert!(matches!(store.get(b"a").await, Err(StoreError::Broken(_))));
        assert!(store.commit(Batch::new().put("a", "1")).await.is_err());
    }
}
