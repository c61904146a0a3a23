//! The ledger port over a ledger node.

use ledger::LogProof;
use service_kit::ledger_client::{LedgerClient, LedgerError};

use crate::ports::{Certified, Ledger, LedgerAnswer, LedgerFault};

/// A ledger node, believed only as far as its proofs go.
pub struct LedgerNode {
    client: LedgerClient,
}

impl LedgerNode {
    /// The port over `client`.
    #[must_use]
    pub fn new(client: LedgerClient) -> Self {
        Self { client }
    }
}

impl Ledger for LedgerNode {
    fn origin(&self) -> &str {
        self.client.origin()
    }

    fn next_sequence<'a>(&'a self, key_url: &'a str) -> LedgerAnswer<'a, u64> {
        Box::pin(async move { self.client.next_sequence(key_url).await.map_err(|error| fault(&error)) })
    }

    fn submit<'a>(&'a self, transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        Box::pin(async move {
            let certified = self.client.submit_and_wait(transaction).await.map_err(|error| fault(&error))?;
            Ok(Certified { index: certified.index, proof: certified.proof })
        })
    }

    fn holds(&self, proof: &str, transaction: &str) -> bool {
        let trust_root = self.client.trust_root();
        LogProof::parse(proof).is_ok_and(|proof| proof.verify(&trust_root, transaction.as_bytes()).is_ok())
    }

    fn prove<'a>(&'a self, index: u64, transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        Box::pin(async move {
            let proven = self.client.log_proof(index, transaction.as_bytes()).await.map_err(|error| fault(&error))?;
            Ok(Certified { index: proven.index, proof: proven.proof })
        })
    }

    fn look_around(&self) -> LedgerAnswer<'_, ()> {
        Box::pin(async move { self.client.checkpoint().await.map(drop).map_err(|error| fault(&error)) })
    }
}

/// Only the ledger's own rules refuse for good; anything else leaves open whether it was done.
fn fault(error: &LedgerError) -> LedgerFault {
    match error.refusal() {
        Some(code) if code.starts_with("registry.") => LedgerFault::Refused(code.to_owned()),
        _ => LedgerFault::Unreachable(error.to_string()),
    }
}
