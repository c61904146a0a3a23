//! The wallet's side: which credentials answer, and the least that each must show for it.

use serde_json::Value;

use super::error::NoMatch;
use super::query::{ClaimQuery, CredentialQuery, Query};
use crate::sd_jwt::{ClaimPath, HeldSdJwt};

/// A credential of the wallet that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the wallet, as handed in.
    pub credential: usize,
    /// What to present of it: without wildcards, for [`HeldSdJwt::present`].
    pub disclose: Vec<ClaimPath>,
}

impl Query {
    /// For each credential query, in order, the credentials of `wallet` that answer it; never none.
    ///
    /// # Errors
    /// [`NoMatch`] for the first query that nothing answers: then nothing at all may be sent.
    pub fn candidates(&self, wallet: &[&HeldSdJwt]) -> Result<Vec<Vec<Candidate>>, NoMatch> {
        self.credentials.iter().map(|query| query.candidates(wallet)).collect()
    }
}

impl CredentialQuery {
    fn candidates(&self, wallet: &[&HeldSdJwt]) -> Result<Vec<Candidate>, NoMatch> {
        let answer = |(credential, held): (usize, &&HeldSdJwt)| {
            self.disclosures(held).map(|disclose| Candidate { credential, disclose })
        };
        let candidates: Vec<Candidate> = wallet.iter().enumerate().filter_map(answer).collect();
        if candidates.is_empty() { Err(NoMatch { id: self.id.clone() }) } else { Ok(candidates) }
    }

    /// What `held` must show to answer the query: the first alternative that it can, and of a wildcard with
    /// values only the elements that have one of them. `None` if it does not answer.
    #[must_use]
    pub fn disclosures(&self, held: &HeldSdJwt) -> Option<Vec<ClaimPath>> {
        let vct = held.claims().get("vct").and_then(Value::as_str)?;
        if !self.vct_values.iter().any(|wanted| wanted == vct) {
            return None;
        }
        if self.holder_binding && !held.claims().contains_key("cnf") {
            return None;
        }
        self.alternatives().find_map(|claims| {
            let places: Option<Vec<_>> = claims.into_iter().map(|claim| claim.places(held)).collect();
            Some(places?.concat())
        })
    }
}

impl ClaimQuery {
    /// Where `held` has the claim with a value that will do; `None` if nowhere.
    fn places(&self, held: &HeldSdJwt) -> Option<Vec<ClaimPath>> {
        let found = held.places(&self.path).ok()?;
        let places: Vec<ClaimPath> =
            found.into_iter().filter(|(_, value)| self.accepts(value)).map(|(place, _)| place).collect();
        (!places.is_empty()).then_some(places)
    }
}
