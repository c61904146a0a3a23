//! The ledger port over a ledger node.

use identity_core::did::Did;
use identity_core::registry::{DutyHistory, duty_key};
use identity_core::trust::{self, TrustError};
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
        self.client.holds(proof, transaction.as_bytes())
    }

    fn prove<'a>(&'a self, index: u64, transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        Box::pin(async move {
            let proven = self.client.log_proof(index, transaction.as_bytes()).await.map_err(|error| fault(&error))?;
            Ok(Certified { index: proven.index, proof: proven.proof })
        })
    }

    fn duty<'a>(&'a self, department: &'a Did, duty: &'a str) -> LedgerAnswer<'a, Option<(DutyHistory, u64)>> {
        Box::pin(async move {
            let key = duty_key(department, duty);
            let (proven, _) = self.client.state(&key).await.map_err(|error| fault(&error))?;
            match trust::duty_history(&proven, department, duty) {
                Ok(history) => Ok(Some((history, trust::known_until(&proven)))),
                Err(TrustError::Absent) => Ok(None),
                Err(error) => Err(LedgerFault::Unreachable(error.to_string())),
            }
        })
    }

    fn look_around(&self) -> LedgerAnswer<'_, ()> {
        Box::pin(async move { self.client.checkpoint().await.map(drop).map_err(|error| fault(&error)) })
    }
}

fn fault(error: &LedgerError) -> LedgerFault {
    match error.broken_rule() {
        Some(code) => LedgerFault::Refused(code.to_owned()),
        None => LedgerFault::Unreachable(error.to_string()),
    }
}
