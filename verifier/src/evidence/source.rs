//! Where evidence comes from: our ledger node, and accredited issuers' status lists.

use std::sync::Arc;

use identity_core::did::Did;
use ledger::{StateProof, TrustRoot};
use serde::Deserialize;
use service_kit::fetch::{Fetch, FetchError, Request};
use service_kit::ledger_client::{LedgerClient, LedgerError};

/// Largest status list token fetched, in bytes: a million entries of two bits that do not compress have 350 KiB.
const LIST_BYTES: usize = 1024 * 1024;
/// The most members of a chain that evidence is kept about.
const MAX_MEMBERS: usize = 1024;

/// Fetches evidence; proves what comes from the ledger.
pub(crate) struct Source {
    ledger: LedgerClient,
    fetch: Arc<dyn Fetch>,
}

#[derive(Deserialize)]
struct Members {
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    did: Did,
}

impl Source {
    pub(crate) fn new(ledger: LedgerClient, fetch: Arc<dyn Fetch>) -> Self {
        Self { ledger, fetch }
    }

    pub(crate) fn trust_root(&self) -> Arc<TrustRoot> {
        self.ledger.trust_root()
    }

    pub(crate) fn ledger(&self) -> &LedgerClient {
        &self.ledger
    }

    pub(crate) async fn state(&self, key: &str) -> Result<StateProof, LedgerError> {
        self.ledger.state(key).await.map(|(_, proof)| proof)
    }

    /// Whom the node names as members: a hint about which proofs to ask for, believed for nothing else.
    pub(crate) async fn members(&self) -> Vec<Did> {
        let url = format!("{}/registry/members", self.ledger.url());
        let asked = async {
            let answer = self.fetch.send(Request::get(url)).await?.success()?;
            answer.json::<Members>()
        };
        match asked.await {
            Ok(list) => list.members.into_iter().take(MAX_MEMBERS).map(|member| member.did).collect(),
            Err(error) => {
                tracing::warn!(code = error.code().as_str(), "no list of members from the ledger");
                Vec::new()
            }
        }
    }

    pub(crate) async fn status_list(&self, uri: &str) -> Result<String, FetchError> {
        let request = Request::get(uri).with_header("accept", "application/statuslist+jwt").with_limit(LIST_BYTES);
        let answer = self.fetch.send(request).await?.success()?;
        answer.text().map(|token| token.trim().to_owned())
    }
}
