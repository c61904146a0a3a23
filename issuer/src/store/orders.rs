//! Orders: under which one an act was done, and that none is carried out twice.

use identity_core::registry::DutyHolder;
use ledger::Hash;
use service_kit::audit::Act;
use service_kit::store::{Batch, StoreError};

use super::Records;
use super::anchors::pending_key;
use crate::flow::order::Ordered;

/// What an order's key begins with.
const ORDERS: &[u8] = b"order/";

/// What the key of an import's progress begins with.
const BEGUN: &[u8] = b"order-begun/";

impl Records {
    /// An order that something was done under, as it was signed.
    pub(crate) async fn order(&self, digest: &Hash) -> Result<Option<String>, StoreError> {
        let found = self.store.get(&order_key(digest)).await?;
        let corrupt = |_| StoreError::Corrupt("an order is no text".to_owned());
        found.map(|bytes| String::from_utf8(bytes).map_err(corrupt)).transpose()
    }

    /// How many rows are in place of an import that was begun under an order and is not over, as it is kept.
    pub(super) async fn rows_in_place(&self, digest: &Hash) -> Result<Option<String>, StoreError> {
        let found = self.store.get(&begun_key(digest)).await?;
        let corrupt = |_| StoreError::Corrupt("the progress of an import is no text".to_owned());
        found.map(|bytes| String::from_utf8(bytes).map_err(corrupt)).transpose()
    }

    /// Whether an order was carried out. One that an import began under counts when the import is over.
    pub(crate) async fn is_order_used(&self, digest: &Hash) -> Result<bool, StoreError> {
        Ok(self.store.get(&order_key(digest)).await?.is_some() && self.store.get(&begun_key(digest)).await?.is_none())
    }
}

/// The act's line in the audit log names the order.
pub(super) fn act_under(act: &Act, order: &Ordered) -> Act {
    act.clone().under(&order.duty, order.digest)
}

/// The order is kept with what was done under it, once.
pub(super) fn carried_out(batch: Batch, order: &Ordered) -> Batch {
    anchored(batch.put_new(order_key(&order.digest), order.text.as_str()), order)
}

/// One part of an import was done under an order. The first part keeps the order; each later one goes on from exactly
/// where the one before it ended, and the last leaves none to come. So whoever carries it out beside somebody else does no
/// part a second time, and what is over does not come open again.
pub(super) fn carried_on(batch: Batch, order: &Ordered, before: Option<&str>, after: Option<&str>) -> Batch {
    let begun = begun_key(&order.digest);
    let batch = match before {
        None => batch.put_new(order_key(&order.digest), order.text.as_str()).require_absent(begun.clone()),
        Some(before) => batch.require_equals(begun.clone(), before),
    };
    match after {
        Some(after) => batch.put(begun, after),
        None => anchored(batch.delete(begun), order),
    }
}

/// What an official ordered goes onto the ledger by its digest, so that neither the official nor the department can deny
/// it later. The service account's orders are the department's own word, as the credentials are.
fn anchored(batch: Batch, order: &Ordered) -> Batch {
    match order.holder {
        DutyHolder::Official => batch.put(pending_key(&order.digest), ""),
        DutyHolder::Service => batch,
    }
}

/// Whether a commit was refused because its order had been carried out, or somebody else carries it out just now.
pub(super) fn is_order(key: &[u8]) -> bool {
    key.starts_with(ORDERS) || key.starts_with(BEGUN)
}

fn order_key(digest: &Hash) -> Vec<u8> {
    [ORDERS, digest.to_base64url().as_bytes()].concat()
}

fn begun_key(digest: &Hash) -> Vec<u8> {
    [BEGUN, digest.to_base64url().as_bytes()].concat()
}
