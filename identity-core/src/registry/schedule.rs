//! What is due when: starts and lapses of accreditations and delegations that a later block has to write down.
//!
//! However much is due, and at whatever times, each value here is small, putting something in writes a few of them, and a
//! block reads what is due by its time and little more. A tree of times (Unix seconds) leads to the entries:
//!
//! | key | value |
//! |---|---|
//! | `schedule` | `[t]`: when something is due, in steps of twelve days |
//! | `schedule/<t>` | `[t]`: within these, in steps of a quarter of an hour |
//! | `schedule/<t>/<t>` | `[t]`: within these, in seconds |
//! | `schedule/<t>/<t>/<t>` | how many entries that second has |
//! | `schedule/<t>/<t>/<t>/<n>` | `[entry]`: so many of these, from n times so many on |
//!
//! What was taken out leaves an empty list, or zero, behind.

use serde::{Deserialize, Serialize};

use super::NotApplied;
use super::state::Overlay;
use crate::did::Did;

/// Key of the tree's root.
const SCHEDULE: &str = "schedule";
/// Seconds between the times in a list, level by level. A list has about a thousand of them at most, the first one too, for
/// nothing is due more than twenty years ahead.
const STEPS: [i64; 3] = [1 << 20, 1 << 10, 1];
/// Entries in one value, which are some 16 KiB.
const ENTRIES: u64 = 64;

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Due {
    /// Unix seconds, later than the time of the block that puts it in.
    pub(super) at: i64,
    /// The accreditation's or delegation's number; of one second, each is put in once, and later ones later. So the entries
    /// of a second stand in their order.
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
    let mut key = SCHEDULE.to_owned();
    for step in STEPS {
        let time = due.at.saturating_sub(due.at.rem_euclid(step));
        let mut times: Vec<i64> = state.read(&key)?.unwrap_or_default();
        if let Err(place) = times.binary_search(&time) {
            times.insert(place, time);
            state.write(key.clone(), &times)?;
        }
        key = below(&key, time);
    }
    let count: u64 = state.read(&key)?.unwrap_or_default();
    let last = below(&key, count / ENTRIES);
    let mut entries: Vec<Due> = state.read(&last)?.unwrap_or_default();
    entries.push(due);
    state.write(last, &entries)?;
    state.write(key, &count.saturating_add(1))
}

/// Takes out everything due at or before `now` (Unix seconds), in order of time and number.
pub(super) fn take_due_once(state: &mut Overlay<'_>, now: i64) -> Result<Vec<Due>, NotApplied> {
    let mut due = Vec::new();
    take_list(state, SCHEDULE, &STEPS, now, &mut due)?;
    Ok(due)
}

/// Takes what is due below a list of times, and says whether the list is empty then.
fn take_list(
    state: &mut Overlay<'_>,
    key: &str,
    steps: &[i64],
    now: i64,
    due: &mut Vec<Due>,
) -> Result<bool, NotApplied> {
    let Some((_, finer)) = steps.split_first() else {
        take_second(state, key, due)?;
        return Ok(true);
    };
    let times: Vec<i64> = state.read(key)?.unwrap_or_default();
    let (come, ahead) = times.split_at(times.partition_point(|time| *time <= now));
    let mut left = Vec::new();
    for time in come {
        if !take_list(state, &below(key, time), finer, now, due)? {
            left.push(*time);
        }
    }
    left.extend_from_slice(ahead);
    if left != times {
        state.write(key.to_owned(), &left)?;
    }
    Ok(left.is_empty())
}

/// Takes all entries of a second.
fn take_second(state: &mut Overlay<'_>, key: &str, due: &mut Vec<Due>) -> Result<(), NotApplied> {
    let count: u64 = state.read(key)?.unwrap_or_default();
    for number in 0..count.div_ceil(ENTRIES) {
        let entries = below(key, number);
        due.append(&mut state.read(&entries)?.unwrap_or_default());
        state.write(entries, &Vec::<Due>::new())?;
    }
    state.write(key.to_owned(), &0)
}

fn below(key: &str, place: impl std::fmt::Display) -> String {
    format!("{key}/{place}")
}
