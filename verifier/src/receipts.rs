//! What the chain of receipts shares between requests and the job that anchors it.

use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use prometheus::{IntCounter, IntGauge};
use service_kit::anchoring::{KeptTrees, LastSequence, Renewals};
use service_kit::http::Metrics;
use tokio::sync::Notify;

/// Who brings receipts onto the ledger, and under which key.
pub(crate) struct Submitter {
    /// Our DID.
    pub(crate) did: Did,
    /// Fragment of the key of our transactions.
    pub(crate) key_id: String,
    pub(crate) key: SecretKey,
}

/// The shared state.
pub(crate) struct Receipts {
    /// Held while a receipt is made and kept.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Says that receipts wait.
    pub(crate) wake: Notify,
    pub(crate) counters: Counters,
    /// None where nothing is brought onto the ledger: judging a case again, writing evidence.
    pub(crate) submitter: Option<Submitter>,
    pub(crate) sequence: LastSequence,
    /// By the first places of their ranges.
    pub(crate) trees: KeptTrees,
    pub(crate) renewals: Renewals,
}

/// What is counted of receipts; numbers only.
#[derive(Clone)]
pub(crate) struct Counters {
    anchored: IntCounter,
    waiting: IntGauge,
    tallied: IntCounter,
    tallies_waiting: IntGauge,
}

impl Counters {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            anchored: IntCounter::new("verifier_receipts_anchored_total", "Receipts anchored on the ledger.")?,
            waiting: IntGauge::new("verifier_receipts_waiting", "Receipts on their way to the ledger.")?,
            tallied: IntCounter::new("verifier_tallies_sent_total", "Days whose counts were brought onto the ledger.")?,
            tallies_waiting: IntGauge::new("verifier_tallies_waiting", "Days that are over and not tallied yet.")?,
        })
    }

    pub(crate) fn show(&self, metrics: &Metrics) -> Result<(), prometheus::Error> {
        metrics.registry().register(Box::new(self.anchored.clone()))?;
        metrics.registry().register(Box::new(self.waiting.clone()))?;
        metrics.registry().register(Box::new(self.tallied.clone()))?;
        metrics.registry().register(Box::new(self.tallies_waiting.clone()))
    }

    pub(crate) fn anchored(&self, count: u64) {
        self.anchored.inc_by(count);
    }

    pub(crate) fn waiting(&self, receipts: u64) {
        self.waiting.set(i64::try_from(receipts).unwrap_or(i64::MAX));
    }

    pub(crate) fn tallied(&self) {
        self.tallied.inc();
    }

    pub(crate) fn tallies_waiting(&self, days: u64) {
        self.tallies_waiting.set(i64::try_from(days).unwrap_or(i64::MAX));
    }
}

impl Receipts {
    pub(crate) fn new(submitter: Option<Submitter>, counters: Counters) -> Self {
        let (turn, wake) = (tokio::sync::Mutex::new(()), Notify::new());
        let (sequence, trees, renewals) = (LastSequence::default(), KeptTrees::default(), Renewals::default());
        Self { turn, wake, counters, submitter, sequence, trees, renewals }
    }
}

impl Submitter {
    /// The DID URL of the key of our transactions.
    pub(crate) fn key_url(&self) -> String {
        format!("{}#{}", self.did, self.key_id)
    }
}
