//! What came of it, for people and for programs.

use std::time::Duration;

use serde_json::json;

use crate::nodes::{Figures, Memory, NODES};
use crate::senders::Sent;

/// Nodes as a number to divide by.
const DIVIDED: f64 = 4.0;
const _: () = assert!(NODES == 4, "the number above");
/// What must be reached of the limit.
const SHARE: f64 = 0.5;
/// Waits for the disk that a block may take from its proposal to its certification.
const SYNCS: f64 = 6.0;
/// Memory of a node, in MB.
const IDLE_MB: f64 = 64.0;
const LOADED_MB: f64 = 256.0;

/// One load, and what was measured just before it.
pub(crate) struct Round {
    /// Signatures verified in a second of one thread.
    pub(crate) verified: f64,
    /// The median wait for the disk.
    pub(crate) sync: Duration,
    pub(crate) sent: Sent,
    /// Processor time of all nodes.
    pub(crate) cpu: f64,
    pub(crate) blocks: u64,
}

/// A run.
pub(crate) struct Report {
    cores: f64,
    idle: Vec<Memory>,
    loaded: Vec<Memory>,
    outside: Vec<f64>,
    /// Proposal to certification, and how many times the median wait for the disk that is.
    alone: (f64, f64),
    under_load: Vec<(f64, f64)>,
    rounds: Vec<Round>,
}

impl Round {
    fn per_second(&self) -> f64 {
        f64::from(self.sent.transactions) / self.sent.took.as_secs_f64()
    }

    /// Processor time of one node for one transaction.
    fn cpu_each(&self) -> f64 {
        self.cpu / f64::from(self.sent.transactions) / DIVIDED
    }

    fn limit(&self, cores: f64) -> f64 {
        cores * self.verified / DIVIDED
    }

    /// Of the limit, as the clock on the wall has it.
    fn share(&self, cores: f64) -> f64 {
        self.per_second() / self.limit(cores)
    }

    /// Of the limit, if the nodes had the machine to themselves: verifying alone over all that they computed.
    fn share_by_cpu(&self) -> f64 {
        self.verified.recip() / self.cpu_each()
    }

    /// For who watches.
    pub(crate) fn line(&self) -> String {
        let blocks = format!("{}", self.blocks);
        format!(
            "{:.0} tx/s in {blocks} blocks; a node computes {:.1} µs for each, {:.1} µs of it is to verify; senders {:.1} µs; sync {:.2} ms",
            self.per_second(),
            self.cpu_each() * 1e6,
            self.verified.recip() * 1e6,
            self.sent.cpu / f64::from(self.sent.transactions) * 1e6,
            self.sync.as_secs_f64() * 1e3,
        )
    }
}

impl Report {
    pub(crate) fn new(idle: Vec<Memory>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = u32::try_from(cores).map_or(1.0, f64::from);
        Self { cores, idle, loaded: vec![], outside: vec![], alone: (0.0, 0.0), under_load: vec![], rounds: vec![] }
    }

    /// A transaction that was sent when nothing else was.
    pub(crate) fn alone(&mut self, took: Duration) {
        self.outside.push(took.as_secs_f64());
    }

    pub(crate) fn certified_alone(&mut self, before: &[Figures], after: &[Figures], sync: Duration) {
        let median = quantile(before, after, 0.5);
        self.alone = (median, median / sync.as_secs_f64());
    }

    pub(crate) fn round(&mut self, round: Round, before: &[Figures], after: &[Figures]) {
        let median = quantile(before, after, 0.5);
        self.under_load.push((median, median / round.sync.as_secs_f64()));
        self.rounds.push(round);
    }

    pub(crate) fn loaded(&mut self, memory: Vec<Memory>) {
        self.loaded = memory;
    }

    fn of_rounds(&self, value: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(value))
    }

    fn most(memory: &[Memory], value: impl Fn(&Memory) -> u64) -> f64 {
        let most = memory.iter().map(value).max().unwrap_or(0);
        u32::try_from(most).map_or(f64::INFINITY, f64::from) * 1024.0 / 1e6
    }

    pub(crate) fn table(&self) {
        let loaded = |which: fn(&(f64, f64)) -> f64| median(self.under_load.iter().map(which));
        let cores = self.cores;
        let rate = self.of_rounds(Round::per_second);
        println!("{NODES} nodes on {cores:.0} cores, median of {} loads", self.rounds.len());
        println!("P18 durable certified transactions   {rate:>9.0} a second");
        println!("    limit: cores × verified ÷ nodes  {:>9.0} a second", self.of_rounds(|round| round.limit(cores)));
        verdict(
            "    share of half the limit, by the wall",
            self.share_by_wall(),
            ">= 1.00",
            self.share_by_wall() >= 1.0,
        );
        let by_cpu = self.of_rounds(Round::share_by_cpu) / SHARE;
        verdict("    the same by the nodes' own CPU time", by_cpu, ">= 1.00", by_cpu >= 1.0);
        println!("    a node computes for one          {:>9.1} µs", self.of_rounds(Round::cpu_each) * 1e6);
        println!(
            "    of that, to verify its signature {:>9.1} µs",
            self.of_rounds(|round| round.verified.recip()) * 1e6
        );
        println!("P17 proposal to certified, alone     {:>9.1} ms", self.alone.0 * 1e3);
        verdict("    in waits for the disk", self.alone.1, "<= 6", self.alone.1 <= SYNCS);
        println!("    seen by the sender               {:>9.1} ms", median(self.outside.iter().copied()) * 1e3);
        println!("    proposal to certified, loaded    {:>9.1} ms", loaded(|pair| pair.0) * 1e3);
        verdict("    in waits for the disk", loaded(|pair| pair.1), "<= 6", loaded(|pair| pair.1) <= SYNCS);
        println!("    a wait for the disk              {:>9.2} ms", self.sync_millis());
        let (idle, most) = (self.idle_mb(), self.loaded_mb());
        verdict("    MB of a node, idle", idle, "<= 64", idle <= IDLE_MB);
        verdict("    MB of a node, the most under load", most, "<= 256", most <= LOADED_MB);
    }

    pub(crate) fn json(&self) {
        let rows = json!({
            "cores": self.cores,
            "per_second": self.of_rounds(Round::per_second),
            "limit": self.of_rounds(|round| round.limit(self.cores)),
            "share_of_half_the_limit": self.share_by_wall(),
            "share_of_half_the_limit_by_cpu": self.of_rounds(Round::share_by_cpu) / SHARE,
            "cpu_micros": self.of_rounds(Round::cpu_each) * 1e6,
            "sync_millis": self.sync_millis(),
            "certified_alone_millis": self.alone.0 * 1e3,
            "certified_alone_syncs": self.alone.1,
            "certified_loaded_millis": median(self.under_load.iter().map(|pair| pair.0)) * 1e3,
            "certified_loaded_syncs": median(self.under_load.iter().map(|pair| pair.1)),
            "idle_mb": self.idle_mb(),
            "loaded_mb": self.loaded_mb(),
        });
        println!("{rows}");
    }

    fn share_by_wall(&self) -> f64 {
        self.of_rounds(|round| round.share(self.cores)) / SHARE
    }

    fn sync_millis(&self) -> f64 {
        self.of_rounds(|round| round.sync.as_secs_f64()) * 1e3
    }

    fn idle_mb(&self) -> f64 {
        Self::most(&self.idle, |memory| memory.now_kib)
    }

    fn loaded_mb(&self) -> f64 {
        Self::most(&self.loaded, |memory| memory.most_kib)
    }
}

fn verdict(what: &str, value: f64, wanted: &str, held: bool) {
    println!("{what:<37}{value:>9.2} {wanted} {}", if held { "yes" } else { "NO" });
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A quantile of the times from proposal to certification that all nodes saw between two looks, in seconds: within its
/// bucket as if times were spread evenly there.
fn quantile(before: &[Figures], after: &[Figures], quantile: f64) -> f64 {
    let sum = |figures: &[Figures]| {
        let mut all = Vec::<(f64, f64)>::new();
        for one in figures.iter().map(Figures::certification) {
            all.resize(one.len(), (0.0, 0.0));
            all.iter_mut().zip(one).for_each(|(sum, (bound, count))| *sum = (bound, sum.1 + count));
        }
        all
    };
    let counts: Vec<_> =
        sum(after).into_iter().zip(sum(before)).map(|(after, before)| (after.0, after.1 - before.1)).collect();
    let wanted = counts.last().map_or(0.0, |(_, all)| all * quantile);
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, count) in counts {
        if count >= wanted && count > below {
            return if bound.is_finite() { low + (bound - low) * (wanted - below) / (count - below) } else { low };
        }
        (low, below) = (bound, count);
    }
    f64::NAN
}
