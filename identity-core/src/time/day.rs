//! Days of the calendar in UTC, and their one spelling, `2026-11-30`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::UnixSeconds;

const SECONDS: i64 = 86_400;

/// A day in UTC, from midnight to midnight, in the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcDay {
    /// Days since 1970-01-01.
    days: i64,
}

/// Not the one spelling of a day that the calendar has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day of the calendar, written YYYY-MM-DD")]
pub struct NotADay;

impl UtcDay {
    /// The day so many days after 1970-01-01, if the calendar writes it with four digits of a year.
    #[must_use]
    pub fn since_epoch(days: i64) -> Option<Self> {
        Self { days }.try_civil().map(|_| Self { days })
    }

    /// The day of a moment.
    #[must_use]
    pub fn of(moment: UnixSeconds) -> Option<Self> {
        Self::since_epoch(moment.0.div_euclid(SECONDS))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days_since_epoch(self) -> i64 {
        self.days
    }

    /// Its first moment.
    #[must_use]
    pub const fn begins(self) -> UnixSeconds {
        UnixSeconds(self.days.saturating_mul(SECONDS))
    }

    /// The first moment that is no longer part of it.
    #[must_use]
    pub const fn ends(self) -> UnixSeconds {
        self.begins().plus(SECONDS)
    }

    /// The day so many days later, or earlier.
    #[must_use]
    pub fn plus(self, days: i64) -> Option<Self> {
        Self::since_epoch(self.days.checked_add(days)?)
    }

    /// The day behind it.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.plus(1)
    }

    /// Year, month and day of the month.
    #[must_use]
    pub fn civil(self) -> (i64, i64, i64) {
        // Every way to make one has looked.
        self.try_civil().unwrap_or_default()
    }

    /// `2026-11`.
    #[must_use]
    pub fn month(self) -> String {
        let (year, month, _) = self.civil();
        format!("{year:04}-{month:02}")
    }

    /// The first day of the month behind its own.
    #[must_use]
    pub fn next_month(self) -> Option<Self> {
        let (year, month, _) = self.civil();
        if month == 12 { Self::of_civil(year + 1, 1, 1) } else { Self::of_civil(year, month + 1, 1) }
    }

    /// Counts in eras of 400 years that begin on the first of March, so that the leap day is the last of its year.
    fn try_civil(self) -> Option<(i64, i64, i64)> {
        let shifted = self.days.checked_add(719_468)?;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era.checked_mul(400)?.checked_add(year_of_era)?.checked_add(i64::from(month <= 2))?;
        (0..=9999).contains(&year).then_some((year, month, day))
    }

    fn of_civil(year: i64, month: i64, day: i64) -> Option<Self> {
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let shifted = if month > 2 { year } else { year - 1 };
        let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * from_march + 2) / 5 + day - 1;
        let found = Self { days: era * 146_097 + day_of_era - 719_468 };
        // The thirtieth of February is the second of March, which is not what stands there.
        (found.try_civil() == Some((year, month, day))).then_some(found)
    }
}

impl fmt::Display for UtcDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for UtcDay {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let text = parts.next().filter(|part| part.len() == digits)?;
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
        };
        let (year, month, day) = (part(4), part(2), part(2));
        let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else { return Err(NotADay) };
        Self::of_civil(year, month, day).ok_or(NotADay)
    }
}

impl Serialize for UtcDay {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_spelling_and_ends_where_the_next_begins() {
        for days in (-719_528..2_932_896).step_by(367) {
            let day = UtcDay::since_epoch(days).unwrap();
            assert_eq!(day.to_string().parse(), Ok(day));
            assert_eq!(day.ends(), day.next().unwrap().begins());
            assert_eq!(UtcDay::of(day.begins()), Some(day));
            assert_eq!(UtcDay::of(day.ends().plus(-1)), Some(day));
        }
        let day: UtcDay = "2024-02-29".parse().unwrap();
        assert_eq!((day.begins(), day.month().as_str()), (UnixSeconds(1_709_164_800), "2024-02"));
        assert_eq!(day.next().unwrap().to_string(), "2024-03-01");
        assert_eq!(day.next_month(), day.next());
        let december: UtcDay = "2024-12-31".parse().unwrap();
        assert_eq!(december.next_month().unwrap().to_string(), "2025-01-01");
        assert_eq!(UtcDay::of(UnixSeconds::MAX).unwrap().next(), None);
        assert_eq!(UtcDay::of(UnixSeconds(i64::MIN)), None);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2026", "2026-1-1", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-01-01"] {
            assert_eq!(text.parse::<UtcDay>(), Err(NotADay), "{text}");
        }
        for text in ["+026-01-01", "2026-01-01 ", "2026-01-1\u{661}", "20260101", "2026-01-01T00:00"] {
            assert_eq!(text.parse::<UtcDay>(), Err(NotADay), "{text}");
        }
    }
}
