//! The chain of receipts, and how far the ledger has it. Nothing here ever ends: it is the service's own log of its acts.
//!
//! | key | what |
//! |---|---|
//! | `receipt/<seq>` | the receipt, as it was returned |
//! | `receipt-at/<digest>` | its place |
//! | `receipt-head` | place and digest of the last one |
//! | `receipt-range/<first>` | a range on its way to the ledger: root, head, and how far it got |
//! | `receipt-open` | the first place of the one range that is not anchored yet |
//!
//! A receipt and the verdict that it is over are one batch, and the batch requires the head to be the one that the
//! receipt follows: of two processes on one store, one makes its receipt anew.

use identity_core::receipt::ChainHead;
use ledger::Hash;
use serde::{Deserialize, Serialize};
use service_kit::store::{Batch, Range, StoreError};

use super::{VerifierStore, encode};

const HEAD: &str = "receipt-head";
const OPEN: &str = "receipt-open";

/// Receipts read at once: 8 MiB, if each is as long as one may be.
const PAGE: usize = 256;

/// A receipt that was signed for a place in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// The head that it follows.
    pub(crate) before: ChainHead,
    /// Its place.
    pub(crate) seq: u64,
    /// Its text.
    pub(crate) text: String,
}

/// A range of receipts on its way to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RangeRecord {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) root: Hash,
    pub(crate) head: Hash,
    pub(crate) state: RangeState,
}

/// How far a range got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub(crate) enum RangeState {
    /// Its bounds and tree are fixed.
    Formed,
    /// This transaction was made for it, and perhaps sent.
    Signed { transaction: String },
    /// It is on the ledger.
    Anchored { transaction: String, index: u64, proof: String },
    /// It is on the ledger, by what that says of our receipts; the node that we ask does not keep where.
    Standing { transaction: String },
}

impl RangeState {
    fn is_on_the_ledger(&self) -> bool {
        matches!(self, Self::Anchored { .. } | Self::Standing { .. })
    }
}

/// Adds a receipt to a batch that holds the verdict it is over.
pub(super) fn add(batch: Batch, signed: &Signed) -> Result<Batch, StoreError> {
    let head = ChainHead::after(signed.seq, &signed.text);
    let batch = match signed.before.seq {
        0 => batch.require_absent(HEAD),
        _ => batch.require_equals(HEAD, encode(&signed.before)?),
    };
    let place = head.digest.map(|digest| at_key(&digest)).unwrap_or_default();
    let text = signed.text.clone().into_bytes();
    Ok(batch
        .put_new(receipt_key(signed.seq), text)
        .put(place, signed.seq.to_string().into_bytes())
        .put(HEAD, encode(&head)?))
}

impl VerifierStore {
    /// Where the chain stands.
    pub(crate) async fn receipt_head(&self) -> Result<ChainHead, StoreError> {
        Ok(self.read(HEAD).await?.unwrap_or_default())
    }

    /// The place of the receipt with this digest.
    pub(crate) async fn receipt_place(&self, digest: &Hash) -> Result<Option<u64>, StoreError> {
        self.read(&at_key(digest)).await
    }

    /// The receipt at a place, if it was written.
    pub(crate) async fn receipt(&self, seq: u64) -> Result<Option<String>, StoreError> {
        let found = self.store.get(receipt_key(seq).as_bytes()).await?;
        found.map(|bytes| String::from_utf8(bytes).map_err(|_| corrupt())).transpose()
    }

    /// Up to `most` receipts behind a place, with the places that they stand at. What is there is given as it is: the
    /// caller finds out what is wrong with it.
    pub(crate) async fn receipts_after(&self, seq: u64, most: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let range = Range::between(receipt_key(seq.saturating_add(1)), "receipt/~");
        let entries = self.store.scan(range, usize::try_from(most).unwrap_or(usize::MAX)).await?;
        let read = |(key, text): (Vec<u8>, Vec<u8>)| {
            let place = String::from_utf8_lossy(&key).rsplit('/').next().and_then(|place| place.parse().ok());
            (place.unwrap_or_default(), String::from_utf8_lossy(&text).into_owned())
        };
        Ok(entries.into_iter().map(read).collect())
    }

    /// The digests of the receipts from `first` to `last`, each of which must be there.
    pub(crate) async fn receipt_digests(&self, first: u64, last: u64) -> Result<Vec<Hash>, StoreError> {
        let (mut digests, mut next) = (Vec::new(), first);
        while next <= last {
            let range = Range::between(receipt_key(next), receipt_key(last.saturating_add(1)));
            let page = self.store.scan(range, PAGE).await?;
            if page.is_empty() {
                return Err(missing());
            }
            for (key, text) in page {
                if key != receipt_key(next).as_bytes() {
                    return Err(missing());
                }
                digests.push(ledger::sha256(&text));
                next = next.saturating_add(1);
            }
        }
        Ok(digests)
    }

    /// The range that is not on the ledger yet, if there is one.
    pub(crate) async fn open_range(&self) -> Result<Option<RangeRecord>, StoreError> {
        let Some(first) = self.read::<u64>(OPEN).await? else { return Ok(None) };
        self.read(&range_key(first)).await
    }

    /// The range that a place belongs to, if one was formed.
    pub(crate) async fn range_of(&self, seq: u64) -> Result<Option<RangeRecord>, StoreError> {
        let range = Range::between("receipt-range/", range_key(seq.saturating_add(1))).descending();
        let Some((_, bytes)) = self.store.scan(range, 1).await?.into_iter().next() else { return Ok(None) };
        let record: RangeRecord = serde_json::from_slice(&bytes).map_err(|_| corrupt())?;
        Ok(Some(record).filter(|record| (record.first..=record.last).contains(&seq)))
    }

    /// The place of the last receipt that any range holds; 0 if none does.
    pub(crate) async fn last_in_a_range(&self) -> Result<u64, StoreError> {
        let newest = self.store.scan(Range::prefix("receipt-range/").descending(), 1).await?;
        let Some((_, bytes)) = newest.into_iter().next() else { return Ok(0) };
        serde_json::from_slice(&bytes).map(|record: RangeRecord| record.last).map_err(|_| corrupt())
    }

    /// Fixes a range.
    pub(crate) async fn form_range(&self, record: &RangeRecord) -> Result<(), StoreError> {
        let batch = Batch::new()
            .put_new(range_key(record.first), encode(record)?)
            .put_new(OPEN, record.first.to_string().into_bytes());
        self.store.commit(batch).await
    }

    /// Writes how far a range got, if it is still as it was read: of two processes on one store, one carries it on.
    /// Its bounds never change.
    pub(crate) async fn advance_range(
        &self,
        before: &RangeRecord,
        state: RangeState,
    ) -> Result<RangeRecord, StoreError> {
        let after = RangeRecord { state, ..before.clone() };
        let mut batch = Batch::new().replace(range_key(before.first), encode(before)?, encode(&after)?);
        // Another range may be open while the proof of this one is renewed.
        if after.state.is_on_the_ledger() && !before.state.is_on_the_ledger() {
            batch = batch.require_equals(OPEN, encode(&before.first)?).delete(OPEN);
        }
        self.store.commit(batch).await?;
        Ok(after)
    }
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("an entry of the receipts is not readable".to_owned())
}

fn missing() -> StoreError {
    StoreError::Corrupt("a receipt is missing".to_owned())
}

fn receipt_key(seq: u64) -> String {
    format!("receipt/{seq:020}")
}

fn at_key(digest: &Hash) -> String {
    format!("receipt-at/{}", digest.to_base64url())
}

fn range_key(first: u64) -> String {
    format!("receipt-range/{first:020}")
}
