//! The clock port: the one place that reads the time.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use identity_core::time::{UnixMillis, UnixSeconds};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since the epoch.
    fn now_millis(&self) -> UnixMillis;

    /// Now, in whole seconds since the epoch.
    fn now(&self) -> UnixSeconds {
        self.now_millis().to_seconds()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_millis(&self) -> UnixMillis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that tests set by hand.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock standing at `now`.
    #[must_use]
    pub fn at(now: UnixSeconds) -> Self {
        Self { millis: AtomicI64::new(now.to_millis().0) }
    }

    /// Moves the clock by `seconds`; negative moves it back.
    pub fn advance(&self, seconds: i64) {
        self.millis.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }

    /// Sets the clock to `now`.
    pub fn set(&self, now: UnixSeconds) {
        self.millis.store(now.to_millis().0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_millis(&self) -> UnixMillis {
        UnixMillis(self.millis.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_goes_where_it_is_put() {
        let clock = ManualClock::at(UnixSeconds(100));
        clock.advance(5);
        assert_eq!(clock.now(), UnixSeconds(105));
        assert_eq!(clock.now_millis(), UnixMillis(105_000));
        clock.set(UnixSeconds(-1));
        assert_eq!(clock.now(), UnixSeconds(-1));
    }

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        assert!(SystemClock.now() > UnixSeconds(1_780_000_000));
    }
}
