//! What this service counts, beside what every service counts. Numbers only: no label names a person.

use identity_core::status::Change;
use prometheus::{IntCounter, IntGauge};
use service_kit::http::Metrics;

/// Counters of issuing and anchoring.
#[derive(Clone)]
pub(crate) struct Counters {
    issued: IntCounter,
    revoked: IntCounter,
    suspended: IntCounter,
    reinstated: IntCounter,
    anchored: IntCounter,
    waiting: IntGauge,
}

impl Counters {
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let counters = Self {
            issued: IntCounter::new("issuer_credentials_issued_total", "Credentials issued.")?,
            revoked: IntCounter::new("issuer_credentials_revoked_total", "Credentials revoked.")?,
            suspended: IntCounter::new("issuer_credentials_suspended_total", "Credentials suspended.")?,
            reinstated: IntCounter::new("issuer_credentials_reinstated_total", "Credentials reinstated.")?,
            anchored: IntCounter::new("issuer_digests_anchored_total", "Digests anchored on the ledger.")?,
            waiting: IntGauge::new("issuer_batches_waiting", "Batches on their way to the ledger.")?,
        };
        let registry = metrics.registry();
        registry.register(Box::new(counters.issued.clone()))?;
        registry.register(Box::new(counters.revoked.clone()))?;
        registry.register(Box::new(counters.suspended.clone()))?;
        registry.register(Box::new(counters.reinstated.clone()))?;
        registry.register(Box::new(counters.anchored.clone()))?;
        registry.register(Box::new(counters.waiting.clone()))?;
        Ok(counters)
    }

    pub(crate) fn issued(&self, count: usize) {
        self.issued.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(crate) fn changed(&self, change: Change) {
        match change {
            Change::Revoke => self.revoked.inc(),
            Change::Suspend => self.suspended.inc(),
            Change::Reinstate => self.reinstated.inc(),
        }
    }

    pub(crate) fn anchored(&self, count: u64) {
        self.anchored.inc_by(count);
    }

    pub(crate) fn waiting(&self, batches: usize) {
        self.waiting.set(i64::try_from(batches).unwrap_or(i64::MAX));
    }
}
