//! What this service keeps, named by acts over the store port.
//!
//! ```text
//! subject/<type>\0<id>           claims of one subject
//! offer/<id>                     one grant, replaced by its next state
//! nonce/<expiry>/<nonce>         nonces that were used, until they expire
//! credential/<id>                one issued credential (never the credential itself)
//! of/<subject>\0<id>             the credentials of one subject
//! as/<reference>\0<id>           the credentials of one case, by the department's own name for it
//! offer-made/<second>/<id>       that an offer was made then, for who lists the newest
//! offer-of/<subject>\0<id>       the offers of one subject
//! offer-as/<reference>\0<id>     the offers of one case
//! status-index/<list>/<index>    which credential an index belongs to
//! status-bits/<list>             how many bits each entry of one list has
//! status-list/<list>             its entries, packed
//! order/<digest>                 an order that something was done under, as it was signed
//! order-begun/<digest>           how many rows of an import under that order are in place, while there are more
//! pending/<digest>               digests that wait for a batch
//! batch/<number>                 one batch on its way to the ledger
//! batch-digests/<number>         its digests, in the order of its leaves
//! open/<number>                  batches that are not anchored yet
//! anchored/<digest>              batch and place of a digest
//! audit/…, audit-head            the audit log, written with each administrative act
//! ```
//!
//! A commit whose outcome is unknown is settled by reading back what it would have written: every write here has
//! something that only its own writer could have made.

mod anchors;
mod grants;
mod orders;
mod search;
mod status;
mod subjects;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::audit::{Act, AuditLog};
use service_kit::clock::Clock;
use service_kit::store::{Batch, Store, StoreError};

pub(crate) use anchors::{BatchRecord, BatchState};
pub(crate) use grants::{CredentialRecord, Issuance, Outcome, Stored};
pub(crate) use search::{Page, Search};
pub(crate) use status::{StandingChange, of_list};
#[cfg(test)]
pub(crate) use subjects::ROWS_PER_COMMIT;
pub(crate) use subjects::Subject;

/// The records of this service.
#[derive(Clone)]
pub(crate) struct Records {
    store: Arc<dyn Store>,
    pub(crate) audit: AuditLog,
}

impl Records {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { audit: AuditLog::new(Arc::clone(&store), clock), store }
    }

    async fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.store.get(key).await?.map(|bytes| decode(&bytes)).transpose()
    }

    /// Commits; when the outcome is unknown, reads `key` back and sees whether `value` stands there.
    async fn commit_and_settle(&self, batch: Batch, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let settled = self.store.commit(batch).await;
        self.settle(settled, key, value).await
    }

    /// The same for an official's act, with its line in the audit log.
    async fn act_and_settle(&self, act: &Act, batch: Batch, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let settled = self.audit.commit(act, batch).await;
        self.settle(settled, key, value).await
    }

    async fn settle(&self, settled: Result<(), StoreError>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        match settled {
            Err(unknown @ StoreError::Broken(_)) => match self.store.get(key).await {
                Ok(Some(found)) if found == value => Ok(()),
                Ok(_) | Err(_) => Err(unknown),
            },
            settled => settled,
        }
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Misused("a record cannot be written as JSON"))
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("a record is not what was written".to_owned()))
}
