//! What a validator runs on: the simulated runtime, with a clock and a disk of its own, which may be wrong.

use std::convert::Infallible;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use commonware_runtime::deterministic::Context;
use commonware_runtime::telemetry::metrics::{Metric, Registered};
use commonware_runtime::{
    BlobVersion, Clock, Error, Handle, Metrics, Name, Spawner, Storage, Supervisor, signal::Signal,
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand_core::{TryCryptoRng, TryRng};

use super::dice::Dice;
use super::disk::{Disk, Watched};
use super::panics;

/// What survives a node's deaths. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hardware {
    /// Milliseconds by which its clock is ahead.
    ahead: Arc<AtomicI64>,
    pub(super) disk: Disk,
}

impl Hardware {
    pub(super) fn new(dice: Dice) -> Self {
        Self { ahead: Arc::default(), disk: Disk::new(dice) }
    }

    /// Sets the clock so many milliseconds ahead of the others, or behind.
    pub(super) fn set_clock(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }
}

/// The runtime as one node sees it.
pub(super) struct Machine {
    pub(super) context: Context,
    hardware: Hardware,
}

impl Machine {
    pub(super) fn new(context: Context, hardware: Hardware) -> Self {
        Self { context, hardware }
    }

    /// The node died and comes back: its disk is as the crash left it.
    pub(super) async fn settle(&self) {
        self.hardware.disk.settle(&self.context).await;
    }

    /// How long it is since now, whatever happens to the clock.
    pub(super) fn elapsed(&self) -> impl Fn() -> Duration {
        let began = self.context.current();
        move || self.context.current().duration_since(began).unwrap_or_default()
    }

    fn with(&self, context: Context) -> Self {
        Self { context, hardware: self.hardware.clone() }
    }
}

fn shift(time: SystemTime, milliseconds: i64) -> SystemTime {
    let by = Duration::from_millis(milliseconds.unsigned_abs());
    if milliseconds < 0 { time - by } else { time + by }
}

impl GovernorClock for Machine {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl ReasonablyRealtime for Machine {}

impl Clock for Machine {
    fn current(&self) -> SystemTime {
        shift(self.context.current(), self.hardware.ahead())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.context.sleep(duration)
    }

    fn sleep_until(&self, deadline: SystemTime) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.context.sleep_until(shift(deadline, -self.hardware.ahead()))
    }
}

impl Supervisor for Machine {
    fn name(&self) -> Name {
        self.context.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.context.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl Display) -> Self {
        Self { context: self.context.with_attribute(key, value), hardware: self.hardware }
    }
}

impl Spawner for Machine {
    fn shared(self, blocking: bool) -> Self {
        Self { context: self.context.shared(blocking), hardware: self.hardware }
    }

    fn dedicated(self) -> Self {
        Self { context: self.context.dedicated(), hardware: self.hardware }
    }

    fn spawn<F, Fut, T>(self, task: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (hardware, excuse) = (self.hardware.clone(), self.hardware.disk.excuse().clone());
        self.context.spawn(move |context| panics::excused_by(excuse, task(Self { context, hardware })))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.context.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.context.stopped()
    }
}

impl Metrics for Machine {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(&self, name: N, help: H, metric: M) -> Registered<M> {
        self.context.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.context.encode()
    }
}

impl Storage for Machine {
    type Blob = Watched;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Watched, u64, BlobVersion), Error> {
        self.hardware.disk.open(&self.context, partition, name, versions).await
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.context.remove(partition, name).await?;
        self.hardware.disk.forget(partition, name);
        Ok(())
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.context.scan(partition).await
    }
}

impl TryRng for Machine {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.context.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.context.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.context.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Machine {}
