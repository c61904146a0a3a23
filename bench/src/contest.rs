//! Two sides, interleaved: whatever the machine does in between, it does to both.

use std::time::Duration;

use crate::clock::{Stopwatch, Taken};

/// CPU time of one side within one slice. Long against the clock's own cost, short against what disturbs machines.
const SLICE: Duration = Duration::from_millis(5);

/// Slices of each side within one round.
const SLICES: u32 = 4;

/// What the rounds gave.
pub(crate) struct Outcome {
    /// Operations per CPU second: ours, in the round of the median.
    pub(crate) ours: f64,
    /// The other side's.
    pub(crate) against: f64,
    /// Ours per second over the other side's: the median of the rounds.
    pub(crate) ratio: f64,
    /// Wall time per CPU time over all rounds: well above 1 on a busy machine.
    pub(crate) wall: f64,
}

/// One side: an operation, and how often it fits into a slice.
struct Side<'f> {
    operation: &'f mut dyn FnMut(),
    times: u32,
}

/// Runs `rounds` rounds, each with slices of both sides in turn, the first to go changing every time.
pub(crate) fn hold(rounds: u32, mut ours: impl FnMut(), mut against: impl FnMut()) -> Outcome {
    let mut ours = Side::calibrate(&mut ours);
    let mut against = Side::calibrate(&mut against);
    let mut all = Taken::default();
    let mut results: Vec<(f64, f64)> = (0..rounds).map(|_| round(&mut ours, &mut against, &mut all)).collect();
    results.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let median = results.get(results.len() / 2).copied().unwrap_or((f64::NAN, f64::NAN));
    let wall = all.wall.as_secs_f64() / all.cpu.as_secs_f64();
    Outcome { ours: median.0, against: median.1, ratio: ratio(&median), wall }
}

fn ratio((ours, against): &(f64, f64)) -> f64 {
    ours / against
}

/// Operations per CPU second of both sides.
fn round(ours: &mut Side<'_>, against: &mut Side<'_>, all: &mut Taken) -> (f64, f64) {
    let (mut mine, mut theirs) = (Taken::default(), Taken::default());
    for slice in 0..SLICES {
        if slice % 2 == 0 {
            mine += ours.slice();
            theirs += against.slice();
        } else {
            theirs += against.slice();
            mine += ours.slice();
        }
    }
    *all += mine;
    *all += theirs;
    (ours.per_second(mine), against.per_second(theirs))
}

impl<'f> Side<'f> {
    fn calibrate(operation: &'f mut dyn FnMut()) -> Self {
        let mut side = Self { operation, times: 1 };
        while side.slice().cpu < SLICE {
            side.times *= 2;
        }
        side
    }

    fn slice(&mut self) -> Taken {
        let stopwatch = Stopwatch::start();
        for _ in 0..self.times {
            (self.operation)();
        }
        stopwatch.stop()
    }

    fn per_second(&self, taken: Taken) -> f64 {
        f64::from(self.times * SLICES) / taken.cpu.as_secs_f64()
    }
}
