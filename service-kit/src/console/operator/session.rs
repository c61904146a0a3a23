//! Who is signed in: short lived, few, in memory, and of an admin token each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use identity_core::time::UnixSeconds;
use ledger::{Hash, sha256};

use crate::admin::Official;
use crate::chance::{self, Chance};
use crate::clock::Clock;

/// Seconds after which a session ends that nobody used.
const IDLE: i64 = 15 * 60;

/// Seconds after which a session ends in any case: a working day.
pub(super) const LONGEST: i64 = 8 * 3600;

/// Sessions of one token at a time. One more ends the one that was not used for longest.
const PER_TOKEN: usize = 8;

/// Random bytes of a session's secret.
const SECRET_BYTES: usize = 32;

struct Session {
    official: Official,
    begun: UnixSeconds,
    used: UnixSeconds,
}

impl Session {
    fn is_over(&self, now: UnixSeconds) -> bool {
        now.since(self.used) >= IDLE || now.since(self.begun) >= LONGEST
    }
}

/// All sessions there are. A restart ends them, and with it a token that was taken out of its file.
pub(super) struct Sessions {
    /// By the digest of the secret: how long a search takes says nothing about any secret.
    open: Mutex<HashMap<Hash, Session>>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
}

impl Sessions {
    pub(super) fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        Self { open: Mutex::default(), clock, chance }
    }

    /// Begins a session; answers with its secret.
    pub(super) fn begin(&self, official: &Official) -> String {
        let now = self.clock.now();
        let secret = chance::token(&mut *self.chance.rng(), SECRET_BYTES);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| !session.is_over(now));
        let theirs = || open.iter().filter(|(_, session)| session.official.name() == official.name());
        if theirs().count() >= PER_TOKEN
            && let Some(oldest) = theirs().min_by_key(|(_, session)| session.used).map(|(digest, _)| *digest)
        {
            open.remove(&oldest);
        }
        open.insert(sha256(secret.as_bytes()), Session { official: official.clone(), begun: now, used: now });
        secret
    }

    /// Whose session it is. Asking counts as using it, unless `only_looking`.
    pub(super) fn whose(&self, secret: &str, only_looking: bool) -> Option<Official> {
        let (now, digest) = (self.clock.now(), sha256(secret.as_bytes()));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&digest)?.is_over(now) {
            open.remove(&digest);
            return None;
        }
        let session = open.get_mut(&digest)?;
        if !only_looking {
            session.used = now;
        }
        Some(session.official.clone())
    }

    pub(super) fn end(&self, secret: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&sha256(secret.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::SeededChance;
    use crate::clock::ManualClock;

    fn sessions() -> (Sessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(UnixSeconds(1_800_000_000)));
        (Sessions::new(clock.clone(), Arc::new(SeededChance::new(1))), clock)
    }

    #[test]
    fn a_session_ends_unused_or_after_a_day_or_when_it_is_told_to() {
        let (sessions, clock) = sessions();
        let official = Official::at_the_machine();
        let secret = sessions.begin(&official);
        assert_eq!(sessions.whose(&secret, false), Some(official.clone()));
        assert_eq!(sessions.whose("", false), None);
        assert_eq!(sessions.whose(&secret[1..], false), None);
        clock.advance(IDLE - 1);
        assert!(sessions.whose(&secret, true).is_some(), "looking keeps nobody signed in");
        clock.advance(1);
        assert!(sessions.whose(&secret, true).is_none());

        let secret = sessions.begin(&official);
        for _ in 0..LONGEST / (IDLE - 1) {
            clock.advance(IDLE - 1);
            assert!(sessions.whose(&secret, false).is_some());
        }
        clock.advance(IDLE - 1);
        assert!(sessions.whose(&secret, false).is_none(), "a day is over");

        let secret = sessions.begin(&official);
        sessions.end(&secret);
        assert!(sessions.whose(&secret, false).is_none());
    }

    #[test]
    fn a_token_has_few_sessions_and_ends_none_of_another_one() {
        let (sessions, clock) = sessions();
        let other = sessions.begin(&Official::holder());
        let official = Official::at_the_machine();
        let begun: Vec<String> = (0..=PER_TOKEN)
            .map(|_| {
                clock.advance(1);
                sessions.begin(&official)
            })
            .collect();
        assert!(sessions.whose(&begun[0], false).is_none());
        assert!(begun[1..].iter().all(|secret| sessions.whose(secret, false).is_some()));
        assert!(sessions.whose(&other, false).is_some());
    }
}
