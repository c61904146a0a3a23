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

impl Records {
    /// An order that something was done under, as it was signed.
    pub(crate) async fn order(&self, digest: &Hash) -> Result<Option<String>, StoreError> {
        let found = self.store.get(&order_key(digest)).await?;
        let corrupt = |_| StoreError::Corrupt("an order is no text".to_owned());
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

/// One part of many was done under an order: another may be, until the last.
pub(super) fn carried_on(batch: Batch, order: &Ordered, last: bool) -> Batch {
    let batch = batch.put(order_key(&order.digest), order.text.as_str());
    if last { anchored(batch.delete(begun_key(&order.digest)), order) } else { batch.put(begun_key(&order.digest), "") }
}

/// What an official ordered goes onto the ledger by its digest, so that neither the official nor the department can deny
/// it later. The service account's orders are the department's own word, as the credentials are.
fn anchored(batch: Batch, order: &Ordered) -> Batch {
    match order.holder {
        DutyHolder::Official => batch.put(pending_key(&order.digest), ""),
        DutyHolder::Service => batch,
    }
}

/// Whether a commit was refused because its order had been carried out.
pub(super) fn is_order(key: &[u8]) -> bool {
    key.starts_with(ORDERS)
}

fn order_key(digest: &Hash) -> Vec<u8> {
    [ORDERS, digest.to_base64url().as_bytes()].concat()
}

fn begun_key(digest: &Hash) -> Vec<u8> {
    format!("order-begun/{}", digest.to_base64url()).into_bytes()
}
