//! The ledger port over a ledger node.

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
        self.client.trust_root().origin()
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
}

/// Only the ledger's own rules refuse for good; anything else leaves open whether it was done.
fn fault(error: &LedgerError) -> LedgerFault {
    match error.refusal() {
        Some(code) if code.starts_with("registry.") => LedgerFault::Refused(code.to_owned()),
        _ => LedgerFault::Unreachable(error.to_string()),
    }
}
