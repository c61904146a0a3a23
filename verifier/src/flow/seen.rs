//! What an operator sees of requests: everything but the values that a citizen disclosed.

use identity_core::duty::Attestation;
use identity_core::oid4vp::request::Parameters;
use identity_core::problem::Code;
use service_kit::store::StoreError;

use super::result::{RequestResult, State};
use crate::policy::Grounds;
use crate::service::Verifier;

/// A request as it stands.
pub(crate) struct Seen {
    pub(crate) id: String,
    /// Without claims, whatever it says.
    pub(crate) result: RequestResult,
    pub(crate) parameters: Parameters,
    pub(crate) grounds: Grounds,
    /// Duty number of whoever answers for it.
    pub(crate) duty: String,
    /// Whether that is an official, or the service account.
    pub(crate) official: bool,
    /// What an official is to sign, while that is waited for.
    pub(crate) to_attest: Option<Attestation>,
    /// The link for a wallet on another device, while an answer is waited for.
    pub(crate) link: Option<String>,
    /// Why wallets will refuse it, as far as we know, while an answer is waited for.
    pub(crate) warnings: Vec<Code>,
}

/// Some requests, newest first.
pub(crate) struct Listed {
    pub(crate) requests: Vec<Seen>,
    /// Where older ones begin, if there may be any.
    pub(crate) older: Option<String>,
}

impl Verifier {
    /// The requests made before a place of the list.
    pub(crate) async fn newest(&self, before: Option<&str>, limit: usize) -> Result<Listed, StoreError> {
        let places = self.store.newest(before, limit).await?;
        let older = places.last().filter(|_| places.len() == limit).map(|last| last.place.clone());
        let mut requests = Vec::new();
        for made in places {
            requests.extend(self.seen(&made.id).await?);
        }
        Ok(Listed { requests, older })
    }

    /// One request; none if nothing is kept of it.
    pub(crate) async fn seen(&self, id: &str) -> Result<Option<Seen>, StoreError> {
        let (Some((record, session)), Some(mut result)) = (self.load(id).await?, self.result(id).await?) else {
            return Ok(None);
        };
        if let State::Verified { claims } = &mut result.state {
            *claims = None;
        }
        let waits = matches!(result.state, State::Pending);
        let to_attest = match result.state {
            State::Unattested { .. } => self.to_attest(&record, &session).ok(),
            _ => None,
        };
        Ok(Some(Seen {
            id: id.to_owned(),
            link: (waits && record.browser.is_none()).then(|| self.link(&session)),
            warnings: if waits { self.evidence.over_asking(&session.parameters, self.clock.now()) } else { Vec::new() },
            parameters: session.parameters,
            grounds: record.policy.grounds,
            duty: record.duty,
            official: record.official,
            to_attest,
            result,
        }))
    }
}
