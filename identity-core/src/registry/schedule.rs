//! What is due when: starts and lapses of accreditations and delegations that a later block has to write down.
//!
//! Two levels, so that a block looks at one short list: `schedule` holds the days on which something is due,
//! `schedule/<day>` the entries of that day.

use serde::{Deserialize, Serialize};

use super::NotApplied;
use super::state::Overlay;
use crate::did::Did;

/// Key of the days on which something is due.
const DAYS: &str = "schedule";
/// Seconds in a day.
const DAY: i64 = 86_400;

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Due {
    /// Unix seconds.
    pub(super) at: i64,
    /// The accreditation's or delegation's number; unique, so the order below is total.
    pub(super) grant: u64,
    /// What happens to it.
    pub(super) event: Event,
    /// Whose history holds it.
    pub(super) subject: Did,
    /// Which of the subject's duties, if it is a delegation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) duty: Option<String>,
}

/// What happens to an accreditation or a delegation by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    /// It begins to hold.
    Start,
    /// It ceases to hold.
    Lapse,
}

/// Remembers an event.
pub(super) fn put(state: &mut Overlay<'_>, due: Due) -> Result<(), NotApplied> {
    let day = due.at.div_euclid(DAY);
    let mut entries = day_entries(state, day)?;
    let place = entries.binary_search(&due).unwrap_or_else(|place| place);
    entries.insert(place, due);
    state.write(day_key(day), &entries)?;

    let mut days = days(state)?;
    if let Err(place) = days.binary_search(&day) {
        days.insert(place, day);
        state.write(DAYS.to_owned(), &days)?;
    }
    Ok(())
}

/// Takes out everything due at or before `now` (Unix seconds), in order of time and number.
pub(super) fn take_due_once(state: &mut Overlay<'_>, now: i64) -> Result<Vec<Due>, NotApplied> {
    let mut days = days(state)?;
    let mut due = Vec::new();
    let mut finished = 0;
    for day in days.iter().copied().take_while(|day| *day <= now.div_euclid(DAY)) {
        let mut entries = day_entries(state, day)?;
        let later = entries.split_off(entries.partition_point(|entry| entry.at <= now));
        if entries.is_empty() {
            continue;
        }
        due.append(&mut entries);
        finished += usize::from(later.is_empty());
        state.write(day_key(day), &later)?;
    }
    if finished > 0 {
        // Days finish from the front: a later day cannot be over before an earlier one.
        days.drain(..finished.min(days.len()));
        state.write(DAYS.to_owned(), &days)?;
    }
    Ok(due)
}

fn days(state: &Overlay<'_>) -> Result<Vec<i64>, NotApplied> {
    Ok(state.read(DAYS)?.unwrap_or_default())
}

fn day_entries(state: &Overlay<'_>, day: i64) -> Result<Vec<Due>, NotApplied> {
    Ok(state.read(&day_key(day))?.unwrap_or_default())
}

fn day_key(day: i64) -> String {
    format!("{DAYS}/{day}")
}
