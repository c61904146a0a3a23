//! Anchoring batches of digests.

use ledger::Hash;

use super::super::anchor::{Anchor, AnchorKind, AnchoredReceipts, MAX_BATCH};
use super::super::apply::Act;
use super::super::state::{Overlay, receipts_key};
use super::super::{NotApplied, Refused};

/// The log entry itself is the anchor; only chains of receipts leave a trace in the state.
pub(in super::super) fn anchor(state: &mut Overlay<'_>, act: &Act<'_>, anchor: &Anchor) -> Result<(), NotApplied> {
    if !(1..=MAX_BATCH).contains(&anchor.count) {
        return Err(Refused::AnchorMalformed("count").into());
    }
    match (anchor.kind, anchor.first, anchor.last, anchor.head) {
        (AnchorKind::Receipt, Some(first), Some(last), Some(head)) => {
            continue_receipts(state, act, anchor.count, first, last, head)
        }
        (AnchorKind::Credential | AnchorKind::StatusList | AnchorKind::Notarised, None, None, None) => Ok(()),
        _ => Err(Refused::AnchorMalformed("range").into()),
    }
}

fn continue_receipts(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    count: u64,
    first: u64,
    last: u64,
    head: Hash,
) -> Result<(), NotApplied> {
    let key = receipts_key(act.sender);
    let before: AnchoredReceipts = state.read(&key)?.unwrap_or_default();
    let expected = before.last.saturating_add(1);
    if first != expected {
        return Err(Refused::ReceiptRange { expected, got: first }.into());
    }
    if first.checked_add(count).and_then(|end| end.checked_sub(1)) != Some(last) {
        return Err(Refused::AnchorMalformed("range").into());
    }
    state.write(key, &AnchoredReceipts { last, head: Some(head) })
}
