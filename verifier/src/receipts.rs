//! What the chain of receipts shares between requests and the job that anchors it.

use std::sync::{Arc, Mutex, PoisonError};

use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use ledger::LogProof;
use ledger::batch::BatchTree;
use prometheus::{IntCounter, IntGauge};
use service_kit::http::Metrics;
use service_kit::ledger_client::{LedgerClient, LedgerError};
use tokio::sync::Notify;

/// Who brings receipts onto the ledger, and under which key.
pub(crate) struct Submitter {
    pub(crate) client: LedgerClient,
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
    /// None where there is no key for transactions: judging a case again needs none.
    pub(crate) ledger: Option<Submitter>,
    tree: Mutex<Option<(u64, Arc<BatchTree>)>>,
}

/// What is counted of receipts; numbers only.
#[derive(Clone)]
pub(crate) struct Counters {
    anchored: IntCounter,
    waiting: IntGauge,
}

impl Counters {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            anchored: IntCounter::new("verifier_receipts_anchored_total", "Receipts anchored on the ledger.")?,
            waiting: IntGauge::new("verifier_receipts_waiting", "Receipts on their way to the ledger.")?,
        })
    }

    pub(crate) fn show(&self, metrics: &Metrics) -> Result<(), prometheus::Error> {
        metrics.registry().register(Box::new(self.anchored.clone()))?;
        metrics.registry().register(Box::new(self.waiting.clone()))
    }

    pub(crate) fn anchored(&self, count: u64) {
        self.anchored.inc_by(count);
    }

    pub(crate) fn waiting(&self, receipts: u64) {
        self.waiting.set(i64::try_from(receipts).unwrap_or(i64::MAX));
    }
}

impl Receipts {
    pub(crate) fn new(ledger: Option<Submitter>, counters: Counters) -> Self {
        Self { turn: tokio::sync::Mutex::new(()), wake: Notify::new(), counters, ledger, tree: Mutex::new(None) }
    }

    pub(crate) fn kept_tree(&self, first: u64) -> Option<Arc<BatchTree>> {
        let kept = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(kept, _)| *kept == first).map(|(_, tree)| Arc::clone(tree))
    }

    pub(crate) fn keep_tree(&self, first: u64, tree: Arc<BatchTree>) {
        *self.tree.lock().unwrap_or_else(PoisonError::into_inner) = Some((first, tree));
    }
}

impl Submitter {
    /// The sequence number that the next transaction must have.
    pub(crate) async fn next_sequence(&self) -> Result<u64, LedgerError> {
        self.client.next_sequence(&format!("{}#{}", self.did, self.key_id)).await
    }

    /// Whether a proof of this transaction holds under the validators in force, as far as is known here.
    pub(crate) fn holds(&self, proof: &str, transaction: &str) -> bool {
        let trust_root = self.client.trust_root();
        LogProof::parse(proof).is_ok_and(|proof| proof.verify(&trust_root, transaction.as_bytes()).is_ok())
    }

    /// A fresh proof of the transaction at `index`.
    pub(crate) async fn prove(&self, index: u64, transaction: &str) -> Result<String, LedgerError> {
        Ok(self.client.log_proof(index, transaction.as_bytes()).await?.proof)
    }
}
