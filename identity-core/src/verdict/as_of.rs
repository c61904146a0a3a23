//! As of when a presentation is judged: now, or a past moment that the ledger's clock shows.
//!
//! Both are read out of the same histories by the same checks; only the log index differs, and what makes evidence good
//! enough to answer for it. Now must be known freshly. What was certified about the past stays true: old evidence does, if
//! it reaches that far, and new evidence does, if it is a history.

use ledger::PastMoment;

use super::evidence::Known;
use super::{EvidenceError, Freshness};
use crate::time::{UnixMillis, UnixSeconds};

/// As of when something is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf<'a> {
    /// As it is: by the newest that fresh evidence knows.
    Now,
    /// As it was at a moment that is shown by the ledger's clock.
    ///
    /// Only an anchor tells that a credential was there by then, so it is demanded whatever the policy says. A status is
    /// believed only from a list that was at hand then: a later one says that an entry changed, never when.
    Past(&'a PastMoment),
}

/// When a presentation came in, and as of when it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When<'a> {
    /// When it came in, by the clock of whoever received it: the holder signed just before.
    pub received: UnixSeconds,
    /// As of when everything else is read.
    pub as_of: AsOf<'a>,
}

impl From<UnixSeconds> for When<'_> {
    /// Judged as it comes in.
    fn from(now: UnixSeconds) -> Self {
        Self { received: now, as_of: AsOf::Now }
    }
}

impl When<'_> {
    /// The calendar time of what is read.
    pub(super) fn time(&self) -> UnixSeconds {
        match self.as_of {
            AsOf::Now => self.received,
            AsOf::Past(moment) => time_of(moment),
        }
    }
}

/// How evidence is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) freshness: Freshness,
    pub(super) when: When<'a>,
}

impl Reading<'_> {
    /// By the newest that is known, which must be fresh.
    pub(super) fn fresh(freshness: Freshness, now: UnixSeconds) -> Self {
        Self { freshness, when: now.into() }
    }

    /// Whether what is known can answer.
    pub(super) fn check<T>(&self, known: &Known<T>) -> Result<(), EvidenceError> {
        match self.when.as_of {
            AsOf::Now => self.freshness.check(known.as_of, self.when.received),
            AsOf::Past(moment) if known.until < moment.index() => Err(EvidenceError::OlderThanMoment),
            AsOf::Past(_) => Ok(()),
        }
    }

    /// The log index that counts in a history that is known up to `until`.
    pub(super) const fn index(&self, until: u64) -> u64 {
        match self.when.as_of {
            AsOf::Now => until,
            AsOf::Past(moment) => moment.index(),
        }
    }
}

/// The second of a past moment. A seal's number is below 2^53; a time that is asked about may lie beyond, with no seal near.
fn time_of(moment: &PastMoment) -> UnixSeconds {
    UnixMillis(i64::try_from(moment.time()).unwrap_or(i64::MAX)).to_seconds()
}
