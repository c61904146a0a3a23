//! One round: a fresh service, timed alone and among the crowd.

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::crowd::{self, Census, Plan};
use crate::honest::{self, Timing};
use crate::machine::{self, Watch};
use crate::target::{self, Changes, Memory};
use crate::verdict::Seen;

/// What came of a round.
pub(crate) struct Round {
    quiet: Timing,
    slow: Timing,
    census: Census,
    memory: Memory,
    /// Seconds of processor time that the service took while the crowd was there.
    service_seconds: f64,
    /// The larger share of the machine that others took, quietly and with the crowd.
    others: f64,
}

impl Round {
    pub(crate) fn run(port: u16, changes: Changes, plan: Plan, span: Duration) -> Result<Self> {
        let target = target::start(port, changes)?;
        let watch = Watch::begin(target.process())?;
        let quiet = honest::measure(&target, span)?;
        let others_quietly = watch.share_of_others()?;
        let before = machine::cpu_seconds(target.process())?;
        let watch = Watch::begin(target.process())?;
        let crowd = crowd::gather(&target, plan)?;
        crowd.wait_until_complete()?;
        let slow = honest::measure(&target, span)?;
        let others = others_quietly.max(watch.share_of_others()?);
        let service_seconds = machine::cpu_seconds(target.process())? - before;
        let census = crowd.disperse()?;
        Ok(Self { quiet, slow, census, memory: target.memory()?, service_seconds, others })
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            quiet_p99: self.quiet.p99,
            slow_p99: self.slow.p99,
            failed: self.quiet.failed.saturating_add(self.slow.failed),
            most_at_once: self.census.most_at_once,
            pace: self.census.pace,
            peak_mb: self.memory.peak_mb,
            others: self.others,
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quiet, slow, census, memory, service_seconds, others } = self;
        let Census { opened, most_at_once, at_the_end, cut, pace, cpu_seconds, took } = census;
        writeln!(f, "  quiet: {quiet}")?;
        writeln!(f, "  with the crowd: {slow}")?;
        writeln!(
            f,
            "  crowd: opened {opened}, at once {most_at_once}, at the end {at_the_end}, cut by the service {cut}, \
             {pace:.2} bytes a second each"
        )?;
        writeln!(f, "  memory of the service: {} MB, at its peak {} MB", memory.now_mb, memory.peak_mb)?;
        writeln!(
            f,
            "  processor time in the {:.1} s with the crowd: service {service_seconds:.1} s, crowd {cpu_seconds:.1} s",
            took.as_secs_f64()
        )?;
        write!(f, "  others took up to {:.1} % of the machine", others * 100.0)
    }
}
