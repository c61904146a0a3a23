//! CPU time of this thread: what other processes do to the machine does not count.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A moment on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    cpu: Duration,
    wall: Instant,
}

/// What something took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken {
    /// CPU time of this thread.
    pub(crate) cpu: Duration,
    /// Time on the wall: an indication only.
    pub(crate) wall: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    pub(crate) fn stop(self) -> Taken {
        Taken { cpu: cpu().saturating_sub(self.cpu), wall: self.wall.elapsed() }
    }
}

impl std::ops::AddAssign for Taken {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.wall += other.wall;
    }
}

fn cpu() -> Duration {
    // The kernel's clock never runs before zero.
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
