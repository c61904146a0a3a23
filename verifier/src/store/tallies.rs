//! How far the days are counted and told to the ledger.
//!
//! | key | what | until |
//! |---|---|---|
//! | `tally` | the day that comes next, where its receipts begin, and the transaction over it that is on its way | never |
//!
//! The counts themselves are nowhere kept: they are in the receipts.

use identity_core::time::UtcDay;
use serde::{Deserialize, Serialize};
use service_kit::store::{Batch, StoreError};

use super::{VerifierStore, encode};

const KEY: &str = "tally";

/// Where the counting stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TallyRecord {
    /// The first day that the ledger does not have yet.
    pub(crate) day: UtcDay,
    /// Up to this place in the chain of receipts, all are of earlier days.
    pub(crate) behind: u64,
    /// What was made of the day, and perhaps sent.
    pub(crate) signed: Option<SignedTally>,
}

/// A transaction over a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedTally {
    /// Its exact bytes.
    pub(crate) transaction: String,
    /// Up to this place, no receipt is of a later day.
    pub(crate) counted: u64,
}

impl VerifierStore {
    /// Where the counting stands, once it has begun.
    pub(crate) async fn tally(&self) -> Result<Option<TallyRecord>, StoreError> {
        self.read(KEY).await
    }

    /// Begins to count.
    pub(crate) async fn begin_tallies(&self, record: &TallyRecord) -> Result<(), StoreError> {
        self.store.commit(Batch::new().put_new(KEY, encode(record)?)).await
    }

    /// Writes how far the counting got, if it is still as it was read: of two processes on one store, one carries it on.
    pub(crate) async fn advance_tally(&self, before: &TallyRecord, after: &TallyRecord) -> Result<(), StoreError> {
        self.store.commit(Batch::new().replace(KEY, encode(before)?, encode(after)?)).await
    }
}
