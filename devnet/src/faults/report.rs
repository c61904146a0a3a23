//! What came of it: figures for people and one line for machines.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use service_kit::messages::Catalogue;

use super::check::Took;
use super::plan::Kind;
use crate::report::time;

/// What every node should have done this long after healing (the bound that fails a run is wider).
pub const PROGRESS_AIM: Duration = Duration::from_secs(5);

/// Times until nodes had certified something new, in milliseconds since everything was healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Times {
    /// Half of the rounds were faster.
    pub median: u64,
    /// All but one in a hundred were.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

/// What came of a run in which everything held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultsReport {
    /// Whether everything held: what does not hold ends the run without a report.
    pub ok: bool,
    /// Rounds.
    pub rounds: u32,
    /// Decides the faults.
    pub seed: u64,
    /// Ledger nodes.
    pub validators: usize,
    /// Seconds it took, founding and checks included.
    pub seconds: u64,
    /// Rounds by kind of fault.
    pub faults: BTreeMap<Kind, u32>,
    /// Transactions acknowledged, and proven at their places by every node.
    pub acknowledged: usize,
    /// Attempts that were not answered, as must be while nodes are away.
    pub unanswered: u64,
    /// Transactions that the rules refused.
    pub refused: u64,
    /// Times until every node that kept its data had certified something new.
    pub progress_ms: Times,
    /// The same by kind of fault.
    pub progress_ms_by_fault: BTreeMap<Kind, Times>,
    /// Where data was lost: times until a node that had lost it had executed the whole log again, and certified something new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catching_up_ms: Option<Times>,
    /// Rounds in which `progress_ms` was longer than [`PROGRESS_AIM`].
    pub slower_than_aimed: usize,
    /// Different certified heads seen; no size had two roots.
    pub heads: usize,
    /// Size of the log at the end, the same in every node.
    pub size: u64,
    /// Sizes with two certified roots; a run with one ends there.
    pub forks: u32,
    /// Acknowledged transactions that were not found; a run with one ends there.
    pub lost: u32,
}

impl FaultsReport {
    /// One JSON object in one line.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        // Strings, numbers and booleans only: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What came of it, for people.
#[must_use]
pub fn told(report: &FaultsReport, messages: &Catalogue) -> String {
    let faults: Vec<String> = report
        .faults
        .iter()
        .map(|(kind, count)| format!("{} {count}", messages.text(&format!("devnet-fault-{}", kind.as_str()), &[])))
        .collect();
    let values = [
        ("rounds", report.rounds.to_string().into()),
        ("seed", report.seed.to_string().into()),
        ("validators", report.validators.to_string().into()),
        ("seconds", report.seconds.to_string().into()),
        ("faults", faults.join(", ").into()),
        ("acknowledged", report.acknowledged.to_string().into()),
        ("unanswered", report.unanswered.to_string().into()),
        ("heads", report.heads.to_string().into()),
        ("median", time(report.progress_ms.median).into()),
        ("p99", time(report.progress_ms.p99).into()),
        ("max", time(report.progress_ms.max).into()),
        ("slower", report.slower_than_aimed.to_string().into()),
        ("aim", PROGRESS_AIM.as_secs().to_string().into()),
    ];
    let held = messages.text("devnet-faults-held", &values);
    let Some(Times { median, max, .. }) = report.catching_up_ms else { return held };
    let values = [("median", time(median).into()), ("max", time(max).into())];
    format!("{held}\n{}", messages.text("devnet-faults-emptied", &values))
}

/// How long each round took to go on.
#[derive(Debug, Default)]
pub(super) struct Rounds(Vec<(Kind, Took)>);

impl Rounds {
    pub(super) fn note(&mut self, kind: Kind, took: Took) {
        self.0.push((kind, took));
    }

    pub(super) fn by_kind(&self) -> BTreeMap<Kind, u32> {
        let mut counts: BTreeMap<Kind, u32> = BTreeMap::new();
        for (kind, _) in &self.0 {
            let count = counts.entry(*kind).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    pub(super) fn times(&self) -> Times {
        times(self.0.iter().map(|(_, took)| took.progress))
    }

    pub(super) fn times_to_catch_up(&self) -> Option<Times> {
        let took: Vec<Duration> = self.0.iter().filter_map(|(_, took)| took.catching_up).collect();
        (!took.is_empty()).then(|| times(took.into_iter()))
    }

    pub(super) fn times_by_kind(&self) -> BTreeMap<Kind, Times> {
        let of = |kind: Kind| times(self.0.iter().filter(|(other, _)| *other == kind).map(|(_, took)| took.progress));
        self.by_kind().into_keys().map(|kind| (kind, of(kind))).collect()
    }

    pub(super) fn slower_than_aimed(&self) -> usize {
        self.0.iter().filter(|(_, took)| took.progress > PROGRESS_AIM).count()
    }
}

fn times(took: impl Iterator<Item = Duration>) -> Times {
    let mut sorted: Vec<u64> = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)).collect();
    sorted.sort_unstable();
    // Nearest rank: a time that was measured, never one between two.
    let rank = |percent: usize| {
        let rank = sorted.len().saturating_mul(percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    };
    Times { median: rank(50), p99: rank(99), max: rank(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ranked_over_all_and_by_kind() {
        let mut rounds = Rounds::default();
        for second in 1..=9 {
            rounds.note(Kind::Kill, Took { progress: Duration::from_secs(second), catching_up: None });
        }
        let catching_up = Some(Duration::from_secs(60));
        rounds.note(Kind::Wipe, Took { progress: Duration::from_secs(20), catching_up });
        assert_eq!(rounds.times(), Times { median: 5_000, p99: 20_000, max: 20_000 });
        assert_eq!(rounds.times_by_kind()[&Kind::Kill], Times { median: 5_000, p99: 9_000, max: 9_000 });
        assert_eq!(rounds.by_kind(), [(Kind::Kill, 9), (Kind::Wipe, 1)].into());
        assert_eq!(rounds.slower_than_aimed(), 5);
        assert_eq!(rounds.times_to_catch_up(), Some(Times { median: 60_000, p99: 60_000, max: 60_000 }));
    }

    #[test]
    fn nothing_measured_is_nothing() {
        assert_eq!(Rounds::default().times(), Times { median: 0, p99: 0, max: 0 });
        assert_eq!(Rounds::default().times_to_catch_up(), None);
    }
}
