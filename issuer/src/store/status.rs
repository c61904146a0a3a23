//! Status lists: which indices are taken, and the bits.

use service_kit::store::{Batch, Range, StoreError};

use super::grants::credential_key;
use super::{CredentialRecord, CredentialState, Outcome, Records, Stored, encode};

impl Records {
    /// The number of the newest list; none before the first credential.
    pub(crate) async fn newest_list(&self) -> Result<Option<u32>, StoreError> {
        let newest = self.store.scan(Range::prefix("status-list/").descending(), 1).await?;
        Ok(newest.first().and_then(|(key, _)| String::from_utf8_lossy(key).rsplit('/').next()?.parse().ok()))
    }

    /// Opens a list whose bits are all zero, unless somebody did.
    pub(crate) async fn open_list(&self, list: u32, bits: Vec<u8>) -> Result<(), StoreError> {
        match self.store.commit(Batch::new().put_new(list_key(list), bits)).await {
            Ok(()) | Err(StoreError::Precondition { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn is_index_taken(&self, list: u32, index: u32) -> Result<bool, StoreError> {
        Ok(self.store.get(&index_key(list, index)).await?.is_some())
    }

    pub(crate) async fn list_bits(&self, list: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&list_key(list)).await
    }

    /// Revokes: the record and its bit change together.
    pub(crate) async fn revoke_once(
        &self,
        credential: &Stored<CredentialRecord>,
        old_bits: Vec<u8>,
        new_bits: Vec<u8>,
    ) -> Result<Outcome, StoreError> {
        let record = &credential.value;
        let revoked = encode(&CredentialRecord { state: CredentialState::Revoked, ..record.clone() })?;
        let key = credential_key(&record.id);
        let batch = Batch::new().replace(list_key(record.list), old_bits, new_bits).replace(
            key.clone(),
            credential.bytes.clone(),
            revoked.clone(),
        );
        match self.commit_and_settle(batch, &key, &revoked).await {
            Ok(()) => Ok(Outcome::Done),
            Err(StoreError::Precondition { .. }) => Ok(Outcome::Changed),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn index_key(list: u32, index: u32) -> Vec<u8> {
    format!("status-index/{list:010}/{index:010}").into_bytes()
}

fn list_key(list: u32) -> Vec<u8> {
    format!("status-list/{list:010}").into_bytes()
}
