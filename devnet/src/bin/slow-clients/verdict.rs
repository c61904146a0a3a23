//! What the rounds say together.
//!
//! Whatever else runs on the machine makes requests slower, never faster. So the quiet value is the lowest p99 that any
//! round saw quietly, and the slow one the lowest that any saw with the crowd: a noisy round changes neither, and noise
//! in a quiet phase cannot make the ratio look better. Memory, failed requests and the crowd's pace count in each round.

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
}

/// What must hold.
pub(crate) struct Bounds {
    /// Slow connections that must have been open at once, in one round at least.
    pub(crate) connections: u32,
    pub(crate) ratio: f64,
    pub(crate) peak_mb: u64,
}

/// A crowd that could not keep its pace is no crowd: the machine is too busy to tell.
const LEAST_PACE: f64 = 0.9;

/// What came of all rounds.
#[derive(Debug)]
pub(crate) struct Verdict {
    quiet_p99: Duration,
    slow_p99: Duration,
    ratio: f64,
    peak_mb: u64,
    most_at_once: u32,
    failed: usize,
    /// Whatever did not hold, in words.
    pub(crate) complaints: Vec<String>,
}

impl Verdict {
    /// None without a round.
    pub(crate) fn of(rounds: &[Seen], bounds: &Bounds) -> Option<Self> {
        let quiet_p99 = rounds.iter().map(|seen| seen.quiet_p99).min()?;
        let slow_p99 = rounds.iter().map(|seen| seen.slow_p99).min()?;
        let peak_mb = rounds.iter().map(|seen| seen.peak_mb).max()?;
        let most_at_once = rounds.iter().map(|seen| seen.most_at_once).max()?;
        let failed = rounds.iter().map(|seen| seen.failed).sum();
        let ratio = slow_p99.as_secs_f64() / quiet_p99.as_secs_f64().max(f64::EPSILON);

        let mut complaints = Vec::new();
        if ratio >= bounds.ratio {
            complaints.push(format!("p99 with the crowd is {ratio:.2} times the quiet one"));
        }
        if peak_mb >= bounds.peak_mb {
            complaints.push(format!("the service took {peak_mb} MB"));
        }
        if failed > 0 {
            complaints.push(format!("{failed} honest requests failed"));
        }
        if most_at_once < bounds.connections {
            complaints.push(format!("only {most_at_once} slow clients were there at once: this says too little"));
        }
        if rounds.iter().any(|seen| seen.pace < LEAST_PACE) {
            complaints.push("the crowd could not keep its pace: this says too little".to_owned());
        }
        Some(Self { quiet_p99, slow_p99, ratio, peak_mb, most_at_once, failed, complaints })
    }

    pub(crate) fn held(&self) -> bool {
        self.complaints.is_empty()
    }

    /// One JSON object in one line.
    pub(crate) fn to_json_line(&self) -> String {
        serde_json::json!({
            "held": self.held(),
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

    const BOUNDS: Bounds = Bounds { connections: 100, ratio: 2.0, peak_mb: 256 };

    fn seen(quiet: u64, slow: u64) -> Seen {
        let (quiet_p99, slow_p99) = (Duration::from_micros(quiet), Duration::from_micros(slow));
        Seen { quiet_p99, slow_p99, failed: 0, most_at_once: 100, pace: 1.0, peak_mb: 100 }
    }

    fn held(rounds: &[Seen]) -> bool {
        Verdict::of(rounds, &BOUNDS).unwrap().held()
    }

    #[test]
    fn noise_neither_breaks_the_ratio_nor_mends_it() {
        assert!(held(&[seen(1000, 1500), seen(1000, 9000), seen(5000, 1500)]), "one noisy phase of each kind");
        assert!(!held(&[seen(1000, 2500), seen(9000, 2500)]), "a noisy quiet phase is no excuse");
        assert!(!held(&[seen(1000, 2000)]), "twice is too much");
    }

    #[test]
    fn all_else_counts_in_each_round() {
        let good = seen(1000, 1000);
        assert!(!held(&[good, Seen { peak_mb: 256, ..good }]));
        assert!(!held(&[good, Seen { failed: 1, ..good }]));
        assert!(!held(&[good, Seen { pace: 0.5, ..good }]));
        assert!(held(&[good, Seen { most_at_once: 99, ..good }]), "the whole crowd was there once");
        assert!(!held(&[Seen { most_at_once: 99, ..good }]));
        assert!(Verdict::of(&[], &BOUNDS).is_none());
    }
}
