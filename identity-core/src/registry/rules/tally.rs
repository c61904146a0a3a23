//! Counts of what a service accepted in a day.

use super::super::accreditation::AccreditationHistory;
use super::super::apply::Act;
use super::super::state::{Overlay, accreditation_key, tallied_month_key, tallies_key};
use super::super::tally::{TalliedDay, TalliedMonth, Tallies, Tally, tallied_purposes};
use super::super::{NotApplied, Refused};

/// Whether the numbers are true the ledger cannot know: whoever holds the service's receipts can. What it sees to is that a
/// tally is of a day that is over, comes once and in order, and lists the same purposes whatever happened.
pub(in super::super) fn tally(state: &mut Overlay<'_>, act: &Act<'_>, tally: &Tally) -> Result<(), NotApplied> {
    if act.block.seconds() < tally.day.ends().0 {
        return Err(Refused::TallyNotOver.into());
    }
    check_purposes(state, act, tally)?;
    let key = tallies_key(act.sender);
    let before: Option<Tallies> = state.read(&key)?;
    if before.is_some_and(|before| tally.day <= before.last) {
        return Err(Refused::TallyOrder.into());
    }
    let first = before.map_or(tally.day, |before| before.first);
    state.write(key, &Tallies { first, last: tally.day })?;
    let key = tallied_month_key(act.sender, tally.day);
    let mut month: TalliedMonth = state.read(&key)?.unwrap_or_default();
    month.days.insert(tally.day, TalliedDay { index: act.index, counts: tally.counts.clone() });
    state.write(key, &month)
}

/// Exactly those that the sender was ever accredited for: if it had a choice, what it leaves out would tell something. Nobody
/// is accredited for more than fit (`room.rs`).
fn check_purposes(state: &Overlay<'_>, act: &Act<'_>, tally: &Tally) -> Result<(), NotApplied> {
    let accreditations: Option<AccreditationHistory> = state.read(&accreditation_key(act.sender))?;
    let expected = accreditations.as_ref().map(tallied_purposes).unwrap_or_default();
    if expected.is_empty() {
        return Err(Refused::TallyNotAccredited.into());
    }
    if !expected.into_iter().eq(tally.counts.keys().map(String::as_str)) {
        return Err(Refused::TallyPurposes.into());
    }
    Ok(())
}
