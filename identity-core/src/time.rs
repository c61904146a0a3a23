//! Points in time, as integers. Nothing here reads a clock: `now` is always handed in.

use serde::{Deserialize, Serialize};

mod day;

pub use day::{NotADay, UtcDay};

/// Seconds since 1970-01-01T00:00:00Z. Tokens, accreditations and expiries count in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

/// Milliseconds since 1970-01-01T00:00:00Z. Seals of the ledger count in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixSeconds {
    /// The last second of the year 9999: no date beyond it can be written down, so none is accepted.
    pub const MAX: Self = Self(253_402_300_799);

    /// This moment moved by `seconds` (negative moves back). Stops at the ends of the range of numbers.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to `self`; negative if `earlier` is in fact later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same moment in milliseconds.
    #[must_use]
    pub const fn to_millis(self) -> UnixMillis {
        UnixMillis(self.0.saturating_mul(1000))
    }
}

impl UnixMillis {
    /// The second that this moment falls into.
    #[must_use]
    pub const fn to_seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::{UnixMillis, UnixSeconds};

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(UnixSeconds(i64::MAX).plus(1), UnixSeconds(i64::MAX));
        assert_eq!(UnixSeconds(i64::MIN).since(UnixSeconds(1)), i64::MIN);
        assert_eq!(UnixSeconds(10).since(UnixSeconds(12)), -2);
    }

    #[test]
    fn milliseconds_fall_into_their_second() {
        assert_eq!(UnixMillis(1_999).to_seconds(), UnixSeconds(1));
        assert_eq!(UnixMillis(-1).to_seconds(), UnixSeconds(-1));
        assert_eq!(UnixSeconds(2).to_millis(), UnixMillis(2_000));
    }
}
