//! What the rounds say together.
//!
//! Whatever else runs on the machine makes requests slower, never faster. So the quiet value is the lowest p99 that any
//! round saw quietly, and the slow one the lowest that any saw with the crowd: a noisy round changes neither, and noise
//! in a quiet phase cannot make the ratio look better. A service that lets the crowd starve others does so in each round, so
//! a result that does not hold may be tried again.
//!
//! Rounds in which others kept the machine busy say nothing about time; if there is no other, nothing is decided. Memory
//! and failed requests count in each round.

use std::time::Duration;

/// What one round saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) quiet_p99: Duration,
    pub(crate) slow_p99: Duration,
    /// Honest requests that were not answered.
    pub(crate) failed: usize,
    /// The most slow connections that were open at once.
    pub(crate) most_at_once: u32,
    /// Bytes that a slow client sent per second.
    pub(crate) pace: f64,
    pub(crate) peak_mb: u64,
    /// The share of the machine that others took.
    pub(crate) others: f64,
}

/// What must hold.
pub(crate) struct Bounds {
    /// Slow connections that must have been open at once, in one round at least.
    pub(crate) connections: u32,
    pub(crate) ratio: f64,
    pub(crate) peak_mb: u64,
    /// Rounds on a quiet machine that must have been seen.
    pub(crate) quiet_rounds: usize,
}

/// A crowd that could not keep its pace is no crowd.
const LEAST_PACE: f64 = 0.9;

/// Share of the machine beyond which others disturb what is timed. A virtual machine's own housekeeping was seen to take a
/// sixth; both values of a round are timed beside it.
const MOST_OTHERS: f64 = 0.2;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Held,
    Broken,
    /// The machine was never quiet.
    Undecided,
}

/// What came of all rounds.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    quiet_p99: Duration,
    slow_p99: Duration,
    ratio: f64,
    peak_mb: u64,
    most_at_once: u32,
    failed: usize,
    /// Whether another round could change the outcome, or is wanted.
    pub(crate) is_open: bool,
    /// Whatever did not hold, in words.
    pub(crate) complaints: Vec<String>,
}

impl Verdict {
    /// None without a round.
    pub(crate) fn of(rounds: &[Seen], bounds: &Bounds) -> Option<Self> {
        let peak_mb = rounds.iter().map(|seen| seen.peak_mb).max()?;
        let failed = rounds.iter().map(|seen| seen.failed).sum();
        let mut complaints = Vec::new();
        if peak_mb >= bounds.peak_mb {
            complaints.push(format!("the service took {peak_mb} MB"));
        }
        if failed > 0 {
            complaints.push(format!("{failed} honest requests failed"));
        }

        let beyond_mending = !complaints.is_empty();

        let quiet: Vec<Seen> = rounds.iter().copied().filter(|seen| seen.others < MOST_OTHERS).collect();
        // Of a busy machine the figures are told, but not judged.
        let told = if quiet.is_empty() { rounds } else { &quiet };
        let quiet_p99 = told.iter().map(|seen| seen.quiet_p99).min()?;
        let slow_p99 = told.iter().map(|seen| seen.slow_p99).min()?;
        let most_at_once = told.iter().map(|seen| seen.most_at_once).max()?;
        let pace = told.iter().map(|seen| seen.pace).max_by(f64::total_cmp)?;
        let ratio = slow_p99.as_secs_f64() / quiet_p99.as_secs_f64().max(f64::EPSILON);
        if !quiet.is_empty() {
            if ratio >= bounds.ratio {
                complaints.push(format!("p99 with the crowd is {ratio:.2} times the quiet one"));
            }
            if most_at_once < bounds.connections {
                complaints.push(format!("only {most_at_once} slow clients were there at once"));
            }
            if pace < LEAST_PACE {
                complaints.push(format!("the crowd could not keep its pace: {pace:.2} bytes a second each"));
            }
        }

        let outcome = match (complaints.is_empty(), quiet.is_empty()) {
            (false, _) => Outcome::Broken,
            (true, true) => Outcome::Undecided,
            (true, false) => Outcome::Held,
        };
        if outcome == Outcome::Undecided {
            complaints.push("others kept the machine busy in each round: nothing is decided".to_owned());
        }
        let is_open = match outcome {
            Outcome::Held => quiet.len() < bounds.quiet_rounds,
            Outcome::Broken => !beyond_mending,
            Outcome::Undecided => true,
        };
        Some(Self { outcome, is_open, quiet_p99, slow_p99, ratio, peak_mb, most_at_once, failed, complaints })
    }

    /// One JSON object in one line.
    pub(crate) fn to_json_line(&self) -> String {
        let outcome = match self.outcome {
            Outcome::Held => "held",
            Outcome::Broken => "broken",
            Outcome::Undecided => "undecided",
        };
        serde_json::json!({
            "outcome": outcome,
            "at_once": self.most_at_once,
            "quiet_p99_us": u64::try_from(self.quiet_p99.as_micros()).unwrap_or(u64::MAX),
            "slow_p99_us": u64::try_from(self.slow_p99.as_micros()).unwrap_or(u64::MAX),
            "ratio": (self.ratio * 100.0).round() / 100.0,
            "peak_mb": self.peak_mb,
            "failed": self.failed,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { connections: 100, ratio: 2.0, peak_mb: 256, quiet_rounds: 1 };

    fn seen(quiet: u64, slow: u64) -> Seen {
        let (quiet_p99, slow_p99) = (Duration::from_micros(quiet), Duration::from_micros(slow));
        Seen { quiet_p99, slow_p99, failed: 0, most_at_once: 100, pace: 1.0, peak_mb: 100, others: 0.0 }
    }

    fn verdict(rounds: &[Seen]) -> Verdict {
        Verdict::of(rounds, &BOUNDS).unwrap()
    }

    fn outcome(rounds: &[Seen]) -> Outcome {
        verdict(rounds).outcome
    }

    #[test]
    fn noise_neither_breaks_the_ratio_nor_mends_it() {
        let noisy = [seen(1000, 1500), seen(1000, 9000), seen(5000, 1500)];
        assert_eq!(outcome(&noisy), Outcome::Held, "one noisy phase of each kind");
        assert_eq!(outcome(&[seen(1000, 2500), seen(9000, 2500)]), Outcome::Broken, "a noisy quiet phase is no excuse");
        assert_eq!(outcome(&[seen(1000, 2000)]), Outcome::Broken, "twice is too much");
    }

    #[test]
    fn memory_and_failures_count_in_each_round() {
        let good = seen(1000, 1000);
        for bad in [Seen { peak_mb: 256, ..good }, Seen { failed: 1, ..good }] {
            for others in [0.0, 1.0] {
                let verdict = verdict(&[good, Seen { others, ..bad }]);
                assert_eq!((verdict.outcome, verdict.is_open), (Outcome::Broken, false), "{verdict:?}");
            }
        }
        assert!(Verdict::of(&[], &BOUNDS).is_none());
    }

    #[test]
    fn the_whole_crowd_must_have_been_there_at_its_pace_once() {
        let good = seen(1000, 1000);
        for weak in [Seen { most_at_once: 99, ..good }, Seen { pace: 0.5, ..good }] {
            assert_eq!(outcome(&[good, weak]), Outcome::Held);
            let verdict = verdict(&[weak]);
            assert_eq!((verdict.outcome, verdict.is_open), (Outcome::Broken, true), "another round may show it");
        }
    }

    #[test]
    fn a_busy_machine_decides_nothing() {
        let busy = |seen: Seen| Seen { others: 0.3, ..seen };
        for round in [seen(1000, 1000), seen(1000, 9000), Seen { most_at_once: 9, pace: 0.1, ..seen(1000, 1000) }] {
            let verdict = verdict(&[busy(round)]);
            assert_eq!((verdict.outcome, verdict.is_open), (Outcome::Undecided, true));
        }
        assert_eq!(outcome(&[seen(1000, 9000), busy(seen(1000, 1000))]), Outcome::Broken, "nor mends anything");
        assert_eq!(outcome(&[seen(1000, 1000), busy(seen(100, 1000))]), Outcome::Held, "nor breaks it");
    }

    #[test]
    fn as_many_quiet_rounds_as_wanted_are_run() {
        let two = Bounds { quiet_rounds: 2, ..BOUNDS };
        let good = seen(1000, 1000);
        let is_open = |rounds: &[Seen]| Verdict::of(rounds, &two).unwrap().is_open;
        assert!(is_open(&[good]) && !is_open(&[good, good]) && is_open(&[good, Seen { others: 1.0, ..good }]));
    }
}
