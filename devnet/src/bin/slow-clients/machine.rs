//! How much of the machine others took. What is timed on a machine that others keep busy says nothing about the service.

use std::fs;

use anyhow::{Context as _, Result, bail};

/// The unit of processor times under `/proc` (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process so far, in seconds.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name, in parentheses, may hold anything; of what follows, fields 12 and 13 are the times.
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// A moment from which on it is seen what others take.
pub(crate) struct Watch {
    service: u32,
    since: Times,
}

/// Processor time in seconds.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// That all processors had, idle or not.
    all: f64,
    /// That programs took, or the machine's owner for other machines.
    taken: f64,
    /// That we and the service took.
    ours: f64,
}

impl Watch {
    /// Begins; `service` is the process that is ours beside this one.
    pub(crate) fn begin(service: u32) -> Result<Self> {
        Ok(Self { service, since: Times::now(service)? })
    }

    /// The share of all processors' time that others took since.
    pub(crate) fn share_of_others(&self) -> Result<f64> {
        Ok(share_of_others(self.since, Times::now(self.service)?))
    }
}

impl Times {
    fn now(service: u32) -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let (all, taken) = of_machine(&stat)?;
        Ok(Self { all, taken, ours: cpu_seconds(std::process::id())? + cpu_seconds(service)? })
    }
}

/// All and taken time, from the first line of `/proc/stat`. Interrupts are nobody's: most of them are our own packets.
fn of_machine(stat: &str) -> Result<(f64, f64)> {
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).context("no line of all processors")?;
    let ticks: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [user, nice, system, idle, io_wait, interrupt, soft_interrupt, stolen, ..] = ticks[..] else {
        bail!("too few times in: {line}");
    };
    let taken = user + nice + system + stolen;
    Ok(((taken + idle + io_wait + interrupt + soft_interrupt) / TICKS_PER_SECOND, taken / TICKS_PER_SECOND))
}

fn share_of_others(since: Times, now: Times) -> f64 {
    let others = (now.taken - since.taken) - (now.ours - since.ours);
    // Below zero where the system counts a packet's work as ours and as an interrupt.
    others.max(0.0) / (now.all - since.all).max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_whoever_is_not_us() {
        let (all, taken) = of_machine("cpu  100 20 30 500 50 10 20 40 0 0\ncpu0 1 2 3\n").unwrap();
        assert_eq!((all, taken), (7.7, 1.9));
        assert!(of_machine("cpu 1 2 3\n").is_err() && of_machine("").is_err());
        let since = Times { all: 10.0, taken: 5.0, ours: 1.0 };
        let quiet = share_of_others(since, Times { all: 30.0, taken: 15.0, ours: 11.5 });
        let busy = share_of_others(since, Times { all: 30.0, taken: 15.0, ours: 6.0 });
        assert_eq!((quiet, busy), (0.0, 0.25));
    }

    #[test]
    fn a_process_has_taken_time() {
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
        let watch = Watch::begin(std::process::id()).unwrap();
        assert!((0.0..=1.0).contains(&watch.share_of_others().unwrap()));
    }
}
