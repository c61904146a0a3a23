//! The `tally` operation: how many answers a service accepted in one day, purpose by purpose, without small numbers.
//!
//! Neither a number below ten nor which purposes had none can be written: a count is `"<10"` or a number from ten on, and
//! the purposes of a tally are all those that the sender was ever accredited for, whatever happened that day.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Refused;
use super::accreditation::{AccreditationHistory, Grant, Role};
use crate::oid4vp::request::is_purpose;
use crate::time::UtcDay;

/// The smallest number that a tally tells.
pub const FEWEST_TOLD: u64 = 10;
/// The largest: what every JSON reader reads exactly.
const MOST_TOLD: u64 = (1 << 53) - 1;
/// How a smaller one is written.
pub const FEWER: &str = "<10";

/// How many: exactly, or only that there were fewer than ten. A small number has no value of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Count(Inner);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Inner {
    Fewer,
    Exactly(u64),
}

/// Neither `"<10"` nor a number from ten on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a count is a number from {FEWEST_TOLD} on, or \"{FEWER}\"")]
pub struct NotACount;

impl Count {
    /// Fewer than ten, which may be none.
    pub const FEWER: Self = Self(Inner::Fewer);

    /// What may be told of a number.
    #[must_use]
    pub fn of(number: u64) -> Self {
        if number < FEWEST_TOLD { Self::FEWER } else { Self(Inner::Exactly(number.min(MOST_TOLD))) }
    }

    /// The number, if it is told.
    #[must_use]
    pub fn exactly(self) -> Option<u64> {
        match self.0 {
            Inner::Fewer => None,
            Inner::Exactly(number) => Some(number),
        }
    }

    /// The fewest and the most that it can stand for.
    #[must_use]
    pub fn bounds(self) -> (u64, u64) {
        match self.0 {
            Inner::Fewer => (0, FEWEST_TOLD - 1),
            Inner::Exactly(number) => (number, number),
        }
    }
}

impl TryFrom<Value> for Count {
    type Error = NotACount;

    fn try_from(value: Value) -> Result<Self, NotACount> {
        match value {
            Value::String(text) if text == FEWER => Ok(Self::FEWER),
            Value::Number(number) => {
                let told = number.as_u64().filter(|number| (FEWEST_TOLD..=MOST_TOLD).contains(number));
                told.map(|number| Self(Inner::Exactly(number))).ok_or(NotACount)
            }
            _ => Err(NotACount),
        }
    }
}

impl From<Count> for Value {
    fn from(count: Count) -> Self {
        match count.0 {
            Inner::Fewer => Self::from(FEWER),
            Inner::Exactly(number) => Self::from(number),
        }
    }
}

/// Counts by the codes of purposes.
pub type Counts = BTreeMap<String, Count>;

/// Members of `tally`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Which day, in UTC.
    pub day: UtcDay,
    /// How many answers were accepted for each purpose.
    pub counts: Counts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TallyMembers {
    day: String,
    counts: Map<String, Value>,
}

impl Tally {
    /// What a service tallies of a day: `accepted` by purpose, under these accreditations.
    #[must_use]
    pub fn of(day: UtcDay, accepted: &BTreeMap<String, u64>, accreditations: &AccreditationHistory) -> Self {
        let number = |code: &str| accepted.get(code).copied().unwrap_or_default();
        let counts =
            tallied_purposes(accreditations).into_iter().map(|code| (code.to_owned(), Count::of(number(code))));
        Self { day, counts: counts.collect() }
    }

    /// Reads the members, each fault by its own name.
    pub(super) fn from_members(members: Map<String, Value>) -> Result<Self, Refused> {
        let read = serde_json::from_value(Value::Object(members));
        let TallyMembers { day, counts } = read.map_err(|_| Refused::Malformed("members of the operation"))?;
        let day = day.parse().map_err(|_| Refused::TallyDay)?;
        let count = |(code, value)| Ok((code, Count::try_from(value).map_err(|NotACount| Refused::TallyCount)?));
        Ok(Self { day, counts: counts.into_iter().map(count).collect::<Result<_, _>>()? })
    }
}

/// The purposes that each of a service's tallies lists: those that an accreditation as a verifier which ever began to hold
/// names, and that a question can be asked for.
#[must_use]
pub fn tallied_purposes(accreditations: &AccreditationHistory) -> BTreeSet<&str> {
    purposes_of(accreditations.grants.iter().filter(|grant| grant.started.is_some()))
}

/// What those of `grants` that are as a verifier name, and a question can be asked for.
pub(super) fn purposes_of<'a>(grants: impl Iterator<Item = &'a Grant>) -> BTreeSet<&'a str> {
    let purposes = grants.filter(|grant| grant.role == Role::Verifier).flat_map(|grant| &grant.purposes);
    purposes.map(String::as_str).filter(|code| is_purpose(code)).collect()
}

/// Value under `tallies/<did>`: how far a member's tallies reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tallies {
    /// The first day that was tallied.
    pub first: UtcDay,
    /// The last one.
    pub last: UtcDay,
}

/// Value under `tally/<did>/<month>`: the days of a month that a member tallied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TalliedMonth {
    /// By the day.
    pub days: BTreeMap<UtcDay, TalliedDay>,
}

/// One day's tally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TalliedDay {
    /// Log index of its transaction.
    pub index: u64,
    /// How many, by purpose.
    pub counts: Counts,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_small_number_cannot_be_written() {
        for number in 0..FEWEST_TOLD {
            assert_eq!(Count::of(number), Count::FEWER);
            assert_eq!(Count::try_from(json!(number)), Err(NotACount), "{number}");
        }
        assert_eq!(serde_json::to_string(&[Count::of(9), Count::of(10)]).unwrap(), r#"["<10",10]"#);
        assert_eq!(Count::try_from(json!("<10")), Ok(Count::of(0)));
        for value in [json!(10), json!(9_007_199_254_740_991_u64)] {
            assert_eq!(Value::from(Count::try_from(value.clone()).unwrap()), value);
        }
        let other = [json!("10"), json!("< 10"), json!("<9"), json!("<11"), json!(10.0), json!(10.5), json!(-12)];
        for value in other.into_iter().chain([json!(9_007_199_254_740_992_u64), json!(null), json!([12]), json!(true)])
        {
            assert_eq!(Count::try_from(value.clone()), Err(NotACount), "{value}");
            assert!(serde_json::from_value::<Count>(value).is_err());
        }
        assert_eq!((Count::of(9).bounds(), Count::of(31).bounds()), ((0, 9), (31, 31)));
    }
}
