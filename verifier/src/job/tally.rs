//! Telling the ledger, once a day, how many answers were accepted for each purpose.
//!
//! Two durable steps for each day, and what holds if we die after each:
//!
//! 1. **Signed**: the day is over, its receipts are counted, and the transaction's exact bytes are kept before they are sent.
//!    The next start sends the same bytes; the ledger takes them once and gives the first answer again.
//! 2. **Told**: the next day is next. Dead between the ledger's answer and this, the next start sends again.
//!
//! Days that were missed, because the service or the ledger was down, follow one after the other, quiet ones too. What is
//! counted are receipts, so an auditor who counts them comes to the same numbers.

use std::collections::BTreeMap;

use identity_core::receipt::{Entry, UnverifiedEntry};
use identity_core::registry::{
    Envelope, Operation, Tally, accreditation_key, make_transaction, tallied_purposes, tallies_key,
};
use identity_core::time::{UnixSeconds, UtcDay};
use identity_core::trust;
use service_kit::store::StoreError;

use super::anchor::{LIFETIME, PAUSE, RoundFailure, TRIES, is_refused};
use crate::receipts::Submitter;
use crate::service::Verifier;
use crate::store::tallies::{SignedTally, TallyRecord};

/// Seconds after midnight UTC at which a day is counted. By then each answer that was judged before midnight has its
/// receipt, and a clock that is set back by less dates none into a day that was told already.
pub(crate) const SETTLING: i64 = 600;

/// Receipts read at once.
const PAGE: u64 = 256;

/// Tells the ledger of one day that is over. Answers whether there was one.
pub(crate) async fn round(verifier: &Verifier, submitter: &Submitter) -> Result<bool, RoundFailure> {
    let record = match verifier.store.tally().await? {
        Some(record) => record,
        None => begin(verifier, submitter).await?,
    };
    let waiting = days_waiting(record.day, verifier.clock.now());
    verifier.receipts.counters.tallies_waiting(waiting);
    if waiting == 0 {
        return Ok(false);
    }
    carry(verifier, submitter, record).await?;
    Ok(true)
}

/// How many days from `first` on are over and settled.
pub(crate) fn days_waiting(first: UtcDay, now: UnixSeconds) -> u64 {
    let today = UtcDay::of(now.plus(-SETTLING));
    let days = today.map_or(0, |today| today.days_since_epoch().saturating_sub(first.days_since_epoch()));
    u64::try_from(days).unwrap_or(0)
}

/// Begins behind what the ledger has already, for this may be a copy of the data from before; else with the first receipt,
/// for there may be some from before tallies; else today.
async fn begin(verifier: &Verifier, submitter: &Submitter) -> Result<TallyRecord, RoundFailure> {
    let told = last_told(verifier, submitter).await?.and_then(UtcDay::next);
    let first = verifier.store.receipt(1).await?.map(|text| read(&text)).transpose()?;
    let first = first.map_or_else(|| verifier.clock.now(), |entry| entry.at());
    let day = told.or_else(|| UtcDay::of(first)).ok_or_else(|| RoundFailure::Make("no such day".to_owned()))?;
    let record = TallyRecord { day, behind: 0, signed: None };
    verifier.store.begin_tallies(&record).await?;
    Ok(record)
}

/// Both steps.
async fn carry(verifier: &Verifier, submitter: &Submitter, record: TallyRecord) -> Result<(), RoundFailure> {
    let mut record = sign_if_needed(verifier, submitter, record).await?;
    let mut tries = 1;
    while let Some(signed) = record.signed.clone() {
        match verifier.evidence.ledger().submit_and_wait(&signed.transaction).await {
            Ok(certified) => {
                tracing::info!(day = %record.day, index = certified.index, "a day's counts are on the ledger");
                verifier.receipts.counters.tallied();
                record = go_on(verifier, &record, record.day, signed.counted).await?;
            }
            Err(error) if is_refused(&error) => match last_told(verifier, submitter).await? {
                Some(last) if last >= record.day => {
                    tracing::warn!(day = %record.day, "the ledger has this day's counts already");
                    record = go_on(verifier, &record, last, signed.counted).await?;
                }
                // Expired, overtaken by another transaction under the same key, or another accreditation has begun: made
                // anew for the same day.
                _ if error.broken_rule().is_some() && tries < TRIES => {
                    tries += 1;
                    tracing::warn!(day = %record.day, reason = error.refusal(), "a day's counts are signed anew");
                    verifier.receipts.sequence.forget();
                    tokio::time::sleep(PAUSE).await;
                    record = sign(verifier, submitter, record).await?;
                }
                _ => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn sign_if_needed(
    verifier: &Verifier,
    submitter: &Submitter,
    record: TallyRecord,
) -> Result<TallyRecord, RoundFailure> {
    if record.signed.is_some() { Ok(record) } else { sign(verifier, submitter, record).await }
}

/// Step 1. Whoever was never accredited can have accepted nothing, and tallies nothing: the day is passed over.
async fn sign(verifier: &Verifier, submitter: &Submitter, record: TallyRecord) -> Result<TallyRecord, RoundFailure> {
    let ledger = verifier.evidence.ledger();
    let (state, _) = ledger.state(&accreditation_key(&submitter.did)).await?;
    let accreditations = trust::accreditations(&state, &submitter.did)?;
    let counted = count(verifier, &record).await?;
    if tallied_purposes(&accreditations).is_empty() {
        return go_on(verifier, &record, record.day, counted.places).await;
    }
    let tally = Tally::of(record.day, &counted.accepted, &accreditations);
    let sequence = verifier.receipts.sequence.next(ledger.next_sequence(&submitter.key_url()).await?);
    let exp = verifier.clock.now().plus(LIFETIME).0;
    let envelope = Envelope { aud: ledger.origin().to_owned(), seq: sequence, exp };
    let operation = Operation::Tally(tally);
    let transaction = make_transaction(&envelope, &operation, &submitter.did, &submitter.key_id, &submitter.key)
        .map_err(|refused| RoundFailure::Make(refused.to_string()))?;
    let after = TallyRecord { signed: Some(SignedTally { transaction, counted: counted.places }), ..record.clone() };
    verifier.store.advance_tally(&record, &after).await?;
    verifier.receipts.sequence.used(sequence);
    Ok(after)
}

/// Step 2: the day behind `last` is next.
async fn go_on(
    verifier: &Verifier,
    before: &TallyRecord,
    last: UtcDay,
    counted: u64,
) -> Result<TallyRecord, RoundFailure> {
    let day = last.next().ok_or_else(|| RoundFailure::Make("there is no next day".to_owned()))?;
    let after = TallyRecord { day, behind: counted, signed: None };
    verifier.store.advance_tally(before, &after).await?;
    verifier.receipts.counters.tallies_waiting(days_waiting(day, verifier.clock.now()));
    Ok(after)
}

/// The last day that the ledger has counts of ours for.
async fn last_told(verifier: &Verifier, submitter: &Submitter) -> Result<Option<UtcDay>, RoundFailure> {
    let (state, _) = verifier.evidence.ledger().state(&tallies_key(&submitter.did)).await?;
    Ok(trust::tallies(&state, &submitter.did)?.map(|told| told.last))
}

/// A day's receipts, counted.
struct Counted {
    /// Accepted answers by purpose.
    accepted: BTreeMap<String, u64>,
    /// Up to this place, no receipt is of a later day.
    places: u64,
}

/// Reads on from where the day begins until receipts are of the next day for certain: those beside each other may have
/// changed places at midnight, by clocks that were set.
async fn count(verifier: &Verifier, record: &TallyRecord) -> Result<Counted, RoundFailure> {
    let (begins, ends) = (record.day.begins(), record.day.ends());
    let (mut accepted, mut places, mut at) = (BTreeMap::new(), record.behind, record.behind);
    loop {
        let page = verifier.store.receipts_after(at, PAGE).await?;
        if page.is_empty() {
            return Ok(Counted { accepted, places });
        }
        for (seq, text) in page {
            let entry = read(&text)?;
            if entry.at() >= ends.plus(SETTLING) {
                return Ok(Counted { accepted, places });
            }
            if entry.at() < ends && places == at {
                places = seq;
            }
            at = seq;
            if let Some(purpose) = entry.accepted_for().filter(|_| (begins..ends).contains(&entry.at())) {
                *accepted.entry(purpose.to_owned()).or_default() += 1;
            }
        }
    }
}

/// What we signed ourselves, as far as it can be read.
fn read(text: &str) -> Result<Entry, StoreError> {
    let unreadable = |_| StoreError::Corrupt("a receipt is not readable; `audit verify` names it".to_owned());
    Ok(UnverifiedEntry::parse(text).map_err(unreadable)?.into_dangerous_claims())
}
