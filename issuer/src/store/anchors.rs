//! Digests on their way to the ledger.

use ledger::Hash;
use serde::{Deserialize, Serialize};
use service_kit::store::{Batch, Range, StoreError};

use super::{Records, encode};

/// One batch of digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BatchRecord {
    pub number: u64,
    pub root: Hash,
    pub count: u64,
    pub state: BatchState,
}

/// How far a batch got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub(crate) enum BatchState {
    /// Its tree is fixed.
    Formed,
    /// This transaction was made for it, and perhaps sent.
    Signed { transaction: String },
    /// It is on the ledger.
    Anchored { transaction: String, index: u64, proof: String },
}

/// Where a digest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub batch: u64,
    pub index: u64,
}

impl Records {
    /// Up to `limit` digests that wait.
    pub(crate) async fn pending(&self, limit: usize) -> Result<Vec<Hash>, StoreError> {
        let entries = self.store.scan(Range::prefix("pending/"), limit).await?;
        entries.iter().map(|(key, _)| digest_of(key)).collect()
    }

    pub(crate) async fn is_pending(&self, digest: &Hash) -> Result<bool, StoreError> {
        Ok(self.store.get(&pending_key(digest)).await?.is_some())
    }

    pub(crate) async fn place(&self, digest: &Hash) -> Result<Option<Place>, StoreError> {
        self.read(&place_key(digest)).await
    }

    /// Fixes a batch: its digests leave the queue and get their places, in `order`.
    pub(crate) async fn form_batch(&self, record: &BatchRecord, order: &[Hash]) -> Result<(), StoreError> {
        let number = record.number;
        let digests: Vec<u8> = order.iter().flat_map(|digest| *digest.as_bytes()).collect();
        let (key, value) = (batch_key(number), encode(record)?);
        let mut batch = Batch::new()
            .put_new(key.clone(), value.clone())
            .put(digests_key(number), digests)
            .put(open_key(number), "");
        for (index, digest) in (0..).zip(order) {
            let place = encode(&Place { batch: number, index })?;
            batch = batch.delete(pending_key(digest)).put(place_key(digest), place);
        }
        self.commit_and_settle(batch, &key, &value).await
    }

    /// Batches that are not anchored yet, oldest first.
    pub(crate) async fn open_batches(&self) -> Result<Vec<BatchRecord>, StoreError> {
        let mut records = Vec::new();
        for (key, _) in self.store.scan(Range::prefix("open/"), 64).await? {
            let number = String::from_utf8_lossy(key.get(5..).unwrap_or_default()).parse().unwrap_or_default();
            records.extend(self.batch(number).await?);
        }
        Ok(records)
    }

    pub(crate) async fn batch(&self, number: u64) -> Result<Option<BatchRecord>, StoreError> {
        self.read(&batch_key(number)).await
    }

    pub(crate) async fn batch_digests(&self, number: u64) -> Result<Vec<Hash>, StoreError> {
        let bytes = self.store.get(&digests_key(number)).await?.unwrap_or_default();
        let corrupt = |_| StoreError::Corrupt("a batch's digests are not what was written".to_owned());
        bytes.chunks(32).map(|digest| Hash::from_slice(digest).map_err(corrupt)).collect()
    }

    /// The number that the next batch gets.
    pub(crate) async fn next_batch_number(&self) -> Result<u64, StoreError> {
        let newest = self.store.scan(Range::prefix("batch/").descending(), 1).await?;
        let number = newest.first().and_then(|(key, _)| String::from_utf8_lossy(key).rsplit('/').next()?.parse().ok());
        Ok(number.map_or(1, |number: u64| number.saturating_add(1)))
    }

    /// Writes how far a batch got. Its root and count never change.
    pub(crate) async fn advance_batch(&self, record: &BatchRecord) -> Result<(), StoreError> {
        let (key, value) = (batch_key(record.number), encode(record)?);
        let mut batch = Batch::new().put(key.clone(), value.clone());
        if matches!(record.state, BatchState::Anchored { .. }) {
            batch = batch.delete(open_key(record.number));
        }
        self.commit_and_settle(batch, &key, &value).await
    }
}

fn digest_of(key: &[u8]) -> Result<Hash, StoreError> {
    let text = String::from_utf8_lossy(key.get(8..).unwrap_or_default()).into_owned();
    Hash::from_base64url(&text).map_err(|_| StoreError::Corrupt("a queued digest is not one".to_owned()))
}

pub(super) fn pending_key(digest: &Hash) -> Vec<u8> {
    format!("pending/{}", digest.to_base64url()).into_bytes()
}

fn place_key(digest: &Hash) -> Vec<u8> {
    format!("anchored/{}", digest.to_base64url()).into_bytes()
}

fn batch_key(number: u64) -> Vec<u8> {
    format!("batch/{number:020}").into_bytes()
}

fn digests_key(number: u64) -> Vec<u8> {
    format!("batch-digests/{number:020}").into_bytes()
}

fn open_key(number: u64) -> Vec<u8> {
    format!("open/{number:020}").into_bytes()
}
