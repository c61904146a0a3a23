//! Notices that the machine's clock was set back.
//!
//! The engine and its connections wait for moments of that clock. If it was an hour ahead and is set right, a validator waits
//! for that hour before it gives up a round, calls a peer or lets one in; so it begins anew. A clock that is set forward only
//! ends some waits early.

use std::time::Duration;

use identity_core::time::UnixMillis;

/// How far a clock may be set back and nobody minds: a wait of the engine is as much longer, once. Far more than a clock that
/// is kept by the network is ever corrected by.
const TOLERANCE_MILLIS: i64 = 5_000;

/// Compares a clock that may be set with one that only counts.
#[derive(Debug)]
pub(crate) struct Timepiece {
    /// The most that the clock has been ahead of the count.
    ahead: i64,
}

impl Timepiece {
    /// Begins where the clock shows `now` and it is so long since some moment.
    pub(crate) fn new(now: UnixMillis, elapsed: Duration) -> Self {
        Self { ahead: ahead(now, elapsed) }
    }

    /// Whether the clock was set back since it was furthest ahead. From then on it counts from where it is now.
    pub(crate) fn was_set_back(&mut self, now: UnixMillis, elapsed: Duration) -> bool {
        let ahead = ahead(now, elapsed);
        let was_set_back = self.ahead.saturating_sub(ahead) > TOLERANCE_MILLIS;
        self.ahead = if was_set_back { ahead } else { self.ahead.max(ahead) };
        was_set_back
    }
}

fn ahead(now: UnixMillis, elapsed: Duration) -> i64 {
    now.0.saturating_sub(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_is_set_back_far_is_noticed_and_only_once() {
        let mut timepiece = Timepiece::new(UnixMillis(1_000_000), Duration::from_secs(50));
        // By how much the clock has gone on in all, and what was counted meanwhile.
        for (shown, counted, expected) in [
            (1_000, 1_000, false),
            (2_000, 3_000, false),
            // An hour ahead, for a while, and right again.
            (3_604_000, 4_000, false),
            (3_605_000, 5_000, false),
            (6_000, 6_000, true),
            (7_000, 7_000, false),
            // An hour behind.
            (-3_592_000, 8_000, true),
            (-3_591_000, 9_000, false),
            (10_000, 10_000, false),
            // By little, until it is too much.
            (6_000, 11_000, false),
            (6_000, 12_000, true),
            // It stands still.
            (6_000, 17_000, false),
            (6_000, 17_001, true),
        ] {
            let (now, elapsed) = (UnixMillis(1_000_000 + shown), Duration::from_millis(50_000 + counted));
            assert_eq!(timepiece.was_set_back(now, elapsed), expected, "{shown} {counted}");
        }
    }
}
