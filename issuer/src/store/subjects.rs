//! Subjects: imported, replaced by a newer import, read when a credential is issued.

use serde_json::{Map, Value};
use service_kit::audit::Act;
use service_kit::store::{Batch, Range, StoreError};

use super::{Outcome, Records, decode, encode, orders};
use crate::flow::order::Ordered;

/// Rows per commit of an import: some 500 kB, so that an import neither waits for a flush per row nor holds up
/// everybody else.
pub(crate) const ROWS_PER_COMMIT: usize = 512;

/// A subject of the table: its id and its claims.
pub(crate) type Subject = (String, Map<String, Value>);

impl Records {
    /// Puts subjects in place, over older rows of the same id. Until it is over it goes on where it ended under the same
    /// order, which is over the same table. Each commit has its line in the audit log, with the number of its rows.
    pub(crate) async fn import_subjects(
        &self,
        act: &Act,
        kind: &str,
        subjects: &[Subject],
        order: &Ordered,
    ) -> Result<Outcome, StoreError> {
        let act = orders::act_under(act, order);
        let mut before = self.rows_in_place(&order.digest).await?;
        // Releases before this one kept that there was more to do, not from where on.
        let mut in_place = before.as_ref().and_then(|rows| rows.parse().ok()).unwrap_or(0_usize);
        let mut parts = subjects.get(in_place..).unwrap_or_default().chunks(ROWS_PER_COMMIT).peekable();
        while let Some(rows) = parts.next() {
            let mut batch = Batch::new();
            for (id, claims) in rows {
                batch = batch.put(subject_key(kind, id), encode(claims)?);
            }
            in_place = in_place.saturating_add(rows.len());
            let after = parts.peek().map(|_| in_place.to_string());
            let batch = orders::carried_on(batch, order, before.as_deref(), after.as_deref());
            match self.audit.commit(&act.clone().on(kind).count(rows.len()), batch).await {
                Err(StoreError::Precondition { key, .. }) if orders::is_order(&key) => return Ok(Outcome::OrderUsed),
                done => done?,
            }
            before = after;
        }
        Ok(Outcome::Done)
    }

    pub(crate) async fn subject(&self, kind: &str, id: &str) -> Result<Option<Map<String, Value>>, StoreError> {
        self.store.get(&subject_key(kind, id)).await?.map(|bytes| decode(&bytes)).transpose()
    }

    /// Ids of one type's subjects after `after`, in order.
    pub(crate) async fn subject_ids(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let prefix = subject_key(kind, "");
        let mut range = Range::prefix(prefix.clone());
        if let Some(after) = after {
            range = range.after(&subject_key(kind, after));
        }
        let entries = self.store.scan(range, limit).await?;
        let id = |key: &[u8]| key.get(prefix.len()..).map(|id| String::from_utf8_lossy(id).into_owned());
        Ok(entries.iter().filter_map(|(key, _)| id(key)).collect())
    }
}

fn subject_key(kind: &str, id: &str) -> Vec<u8> {
    format!("subject/{kind}\0{id}").into_bytes()
}
