//! A period of our chain of receipts, as a file for auditors.

use identity_core::period::{AnchoredRange, Period, PeriodError};
use identity_core::problem::Code;
use identity_core::receipt::UnverifiedEntry;
use identity_core::registry::{did_key, receipts_key};
use identity_core::time::UnixSeconds;
use identity_core::trust::{self, TrustError};
use service_kit::ledger_client::LedgerError;
use service_kit::store::StoreError;

use crate::service::Verifier;
use crate::store::receipts::RangeRecord;

/// How often it is begun anew because other validators came into force while the ledger was asked.
const TRIES: usize = 3;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeriodUnmade {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("what the ledger holds of our receipts cannot be read: {0}")]
    Unreadable(#[from] TrustError),
    /// Our node does not tell the place of an anchor.
    #[error("the ledger has the receipts, and our node does not show where")]
    NoProof,
    /// It would not hold.
    #[error(transparent)]
    Period(#[from] PeriodError),
}

impl PeriodUnmade {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Unreadable(error) => error.code(),
            Self::NoProof => Code::ReceiptWaiting,
            Self::Period(error) => error.code(),
        }
    }
}

impl Verifier {
    /// All that we did from one moment to another, checked as an auditor will.
    pub(crate) async fn period(&self, from: UnixSeconds, to: UnixSeconds) -> Result<Period, PeriodUnmade> {
        let mut tries = 1;
        loop {
            let ledger = self.evidence.ledger();
            let trust_root = ledger.trust_root();
            let period = self.make_period(from, to).await?;
            match period.check(&ledger.trust_root()) {
                Ok(_) => return Ok(period),
                // Where other validators came into force on the way, what the ones before said counts for nothing.
                Err(_) if tries < TRIES && *ledger.trust_root() != *trust_root => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn make_period(&self, from: UnixSeconds, to: UnixSeconds) -> Result<Period, PeriodUnmade> {
        let ledger = self.evidence.ledger();
        let (_, keys) = ledger.state(&did_key(&self.did)).await?;
        let (proven, anchored) = ledger.state(&receipts_key(&self.did)).await?;
        let known = trust::receipts_anchored(&proven, &self.did)?.seq;
        let mut period = Period::of(self.did.clone(), (from, to), keys, anchored);

        let last = self.store.receipt_head().await?.seq;
        let (first, after) = (self.first_from(from, last).await?, self.first_from(to, last).await?);
        let begin = first.saturating_sub(1).max(1);
        let end = after.min(last);
        let mut size = 0;
        for seq in begin..=end {
            let text = self.entry(seq).await?;
            size += text.len();
            if size > identity_core::period::MAX_PERIOD_BYTES {
                return Err(PeriodError::TooLarge.into());
            }
            match seq {
                seq if seq < first => period.before = Some(text),
                seq if seq < after => period.entries.push(text),
                _ => period.after = Some(text),
            }
        }
        let mut next = begin;
        while next <= end.min(known) {
            let range = self.store.range_of(next).await?.ok_or(PeriodUnmade::NoProof)?;
            next = range.last.saturating_add(1);
            period.ranges.push(self.anchored_range(&range, (begin, end)).await?);
        }
        Ok(period)
    }

    /// The first place whose entry was made at `time` or later; one behind the last if there is none. Entries are dated in
    /// their order, but for answers that were judged side by side; the check of the whole then says so.
    async fn first_from(&self, time: UnixSeconds, last: u64) -> Result<u64, PeriodUnmade> {
        let (mut low, mut high) = (1, last.saturating_add(1));
        while low < high {
            let middle = low.midpoint(high);
            let text = self.entry(middle).await?;
            let unreadable = |_| StoreError::Corrupt(format!("receipt {middle} cannot be read"));
            let at = UnverifiedEntry::parse(&text).map_err(unreadable)?.into_dangerous_claims().at();
            if at < time { low = middle.saturating_add(1) } else { high = middle }
        }
        Ok(low)
    }

    async fn entry(&self, seq: u64) -> Result<String, StoreError> {
        self.store.receipt(seq).await?.ok_or_else(|| StoreError::Corrupt(format!("receipt {seq} is missing")))
    }

    /// A range with the digests of those of its entries that are not in the file.
    async fn anchored_range(
        &self,
        range: &RangeRecord,
        (begin, end): (u64, u64),
    ) -> Result<AnchoredRange, PeriodUnmade> {
        let (transaction, proof) = self.proof_of(range).await?.ok_or(PeriodUnmade::NoProof)?;
        let (first, last) = (range.first, range.last);
        let leading = match first < begin {
            true => self.store.receipt_digests(first, begin.saturating_sub(1)).await?,
            false => Vec::new(),
        };
        let trailing = match last > end {
            true => self.store.receipt_digests(end.saturating_add(1), last).await?,
            false => Vec::new(),
        };
        Ok(AnchoredRange { first, last, leading, trailing, transaction, proof })
    }
}
