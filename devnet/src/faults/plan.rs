//! What goes wrong in which round: decided by the seed alone, before anything runs.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde::Serialize;

/// The longest time under load before a fault, in milliseconds: a few blocks, so that it strikes anywhere between two.
const MAX_BEFORE_MS: u64 = 1_500;
/// The longest time that a process is down, in milliseconds. Zero is the shortest: a restart at once.
const MAX_DOWN_MS: u64 = 3_000;
/// Time for which a process is paused, in milliseconds: from what a busy machine does to a process anyway to longer than
/// the engine waits for a leader, or an HTTP client for an answer.
const PAUSED_MS: std::ops::RangeInclusive<u64> = 500..=8_000;
/// Time without a quorum, in milliseconds: long enough to see that nothing is certified (see `SETTLED_WITHIN`).
const HALTED_MS: std::ops::RangeInclusive<u64> = 4_000..=6_000;

/// Time for which the network is cut or a clock wrong, in milliseconds: long enough that connections notice, and that the
/// majority is seen to go on although senders wait at a node that is out (see `SETTLED_WITHIN`, `ANSWER_SECONDS`); short
/// enough for a short run.
const OUT_MS: std::ops::RangeInclusive<u64> = 8_000..=12_000;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One node is killed (`kill -9`).
    Kill,
    /// So many are killed at once that no quorum is left: the ledger must halt.
    Halt,
    /// All are killed at once.
    KillAll,
    /// One is paused and goes on (`SIGSTOP`, `SIGCONT`).
    Pause,
    /// One is stopped as an operator would.
    Stop,
    /// One is killed and loses everything but its keys and its configuration.
    Wipe,
    /// The clock of one is an hour ahead, or behind, and set right again.
    Clock,
    /// The network falls into two halves, none of which is a quorum: the ledger must halt.
    Halves,
    /// One is cut off from all others: these must go on.
    Minority,
    /// One hears all others, and none of them hears it: these must go on.
    OneWay,
    /// One is cut off and connected again, over and over.
    Flapping,
}

impl Kind {
    /// What happens to processes; a deck of these is dealt again and again, so that a short run has all of them.
    pub const OF_PROCESSES: [Self; 6] = [Self::Kill, Self::Halt, Self::KillAll, Self::Pause, Self::Stop, Self::Wipe];
    /// What happens to clocks. Whether a node whose clock was set right goes on is seen when another is gone.
    pub const OF_CLOCKS: [Self; 2] = [Self::Clock, Self::Kill];
    /// What happens to the network between them; another deck.
    pub const OF_NETWORK: [Self; 4] = [Self::Halves, Self::Minority, Self::OneWay, Self::Flapping];

    /// Its name in reports and message ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Halt => "halt",
            Self::KillAll => "kill-all",
            Self::Pause => "pause",
            Self::Stop => "stop",
            Self::Wipe => "wipe",
            Self::Clock => "clock",
            Self::Halves => "halves",
            Self::Minority => "minority",
            Self::OneWay => "one-way",
            Self::Flapping => "flapping",
        }
    }
}

/// One round's fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// The places of the nodes that it strikes.
    pub(super) victims: Vec<usize>,
    /// How long the load runs before it.
    pub(super) before: Duration,
    /// How long it lasts.
    pub(super) lasting: Duration,
}

/// The faults of a run, one a round.
pub(super) struct Plan {
    rng: StdRng,
    nodes: usize,
    kinds: &'static [Kind],
    /// What is left of the deck.
    deck: Vec<Kind>,
}

impl Plan {
    pub(super) fn new(rng: StdRng, nodes: usize, kinds: &'static [Kind]) -> Self {
        Self { rng, nodes, kinds, deck: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Fault {
        let kind = self.deal();
        // Only one node forgets at a time, and the round ends when it has caught up: a validator that has forgotten its
        // votes counts as Byzantine until then, and f of these are all that n = 3f + 1 can bear.
        let struck = match kind {
            Kind::Kill | Kind::Pause | Kind::Stop | Kind::Wipe | Kind::Clock => 1,
            Kind::Minority | Kind::OneWay | Kind::Flapping => 1,
            Kind::Halt => most_faulty(self.nodes).saturating_add(1),
            Kind::Halves => self.nodes / 2,
            Kind::KillAll => self.nodes,
        };
        let mut places: Vec<usize> = (0..self.nodes).collect();
        places.shuffle(&mut self.rng);
        places.truncate(struck);
        let before = Duration::from_millis(self.rng.random_range(0..=MAX_BEFORE_MS));
        let lasting = Duration::from_millis(match kind {
            Kind::Pause => self.rng.random_range(PAUSED_MS),
            Kind::Halt => self.rng.random_range(HALTED_MS),
            Kind::Halves | Kind::Minority | Kind::OneWay | Kind::Flapping | Kind::Clock => {
                self.rng.random_range(OUT_MS)
            }
            Kind::Kill | Kind::KillAll | Kind::Stop | Kind::Wipe => self.rng.random_range(0..=MAX_DOWN_MS),
        });
        Fault { kind, victims: places, before, lasting }
    }

    fn deal(&mut self) -> Kind {
        if self.deck.is_empty() {
            self.deck = self.kinds.to_vec();
            self.deck.shuffle(&mut self.rng);
        }
        self.deck.pop().unwrap_or(Kind::Kill)
    }
}

/// Validators of `nodes` that may be faulty: f of n = 3f + 1.
fn most_faulty(nodes: usize) -> usize {
    nodes.saturating_sub(1) / 3
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng as _;

    use super::*;

    fn plan(seed: u64) -> Vec<Fault> {
        let mut plan = Plan::new(StdRng::seed_from_u64(seed), 4, &Kind::OF_PROCESSES);
        (0..60).map(|_| plan.next()).collect()
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }

    #[test]
    fn every_deck_has_every_kind() {
        for deck in plan(3).chunks(Kind::OF_PROCESSES.len()) {
            let kinds: BTreeSet<Kind> = deck.iter().map(|fault| fault.kind).collect();
            assert_eq!(kinds, Kind::OF_PROCESSES.into());
        }
    }

    #[test]
    fn no_more_forget_than_the_rules_bear_and_a_halt_leaves_no_quorum() {
        for Fault { kind, victims, .. } in plan(4) {
            let different: BTreeSet<_> = victims.iter().collect();
            assert_eq!(different.len(), victims.len());
            let expected = match kind {
                Kind::Halt => 2,
                Kind::KillAll => 4,
                _ => 1,
            };
            assert_eq!(victims.len(), expected, "{kind:?}");
        }
    }
}
