//! The wallet's side: which credentials answer, in which combinations, and the least that each must show for it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::authority;
use super::error::NoMatch;
use super::query::{ClaimQuery, CredentialQuery, Query};
use super::sets::CredentialSet;
use crate::sd_jwt::{ClaimPath, HeldSdJwt};

/// A credential of the wallet that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the wallet, as handed in.
    pub credential: usize,
    /// What to present of it: without wildcards, for [`HeldSdJwt::present`].
    pub disclose: Vec<ClaimPath>,
}

/// What of a wallet answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matches {
    /// For each credential query, in order, what answers it. None answers one that is not needed.
    pub candidates: Vec<Vec<Candidate>>,
    /// The needs of the asker that can be met, in the order of the query.
    pub needs: Vec<Need>,
}

/// A need of the asker, and the ways to meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Sets of credential queries that can all be answered, the preferred one first; never empty.
    pub options: Vec<BTreeSet<usize>>,
    /// Whether nothing at all may be sent unless it is met.
    pub required: bool,
}

impl Query {
    /// What of `wallet` answers. Without `credential_sets`, the one need is all credentials.
    ///
    /// # Errors
    /// [`NoMatch`] if something that is needed cannot be answered: then nothing at all may be sent.
    pub fn matches(&self, wallet: &[&HeldSdJwt]) -> Result<Matches, NoMatch> {
        let candidates: Vec<Vec<Candidate>> = self.credentials.iter().map(|query| query.candidates(wallet)).collect();
        let answerable: BTreeSet<usize> =
            (0..).zip(&candidates).filter(|(_, found)| !found.is_empty()).map(|(query, _)| query).collect();
        let all = [CredentialSet { options: vec![(0..self.credentials.len()).collect()], required: true }];
        let sets = if self.credential_sets.is_empty() { &all[..] } else { &self.credential_sets };
        let mut needs = Vec::new();
        for set in sets {
            let options: Vec<_> = set.options.iter().filter(|option| option.is_subset(&answerable)).cloned().collect();
            if !options.is_empty() {
                needs.push(Need { options, required: set.required });
            } else if set.required {
                return Err(self.unmatched(set, &answerable));
            }
        }
        // Only optional needs, and none that can be met: there is nothing to send.
        if needs.is_empty() {
            return Err(sets.first().map_or(NoMatch { id: String::new() }, |set| self.unmatched(set, &answerable)));
        }
        Ok(Matches { candidates, needs })
    }

    /// Names the first query of the preferred option that nothing answers.
    fn unmatched(&self, set: &CredentialSet, answerable: &BTreeSet<usize>) -> NoMatch {
        let missing = set.options.first().and_then(|option| option.difference(answerable).next());
        let id = missing.and_then(|query| self.credentials.get(*query)).map(|query| query.id.clone());
        NoMatch { id: id.unwrap_or_default() }
    }
}

impl CredentialQuery {
    fn candidates(&self, wallet: &[&HeldSdJwt]) -> Vec<Candidate> {
        let answer = |(credential, held): (usize, &&HeldSdJwt)| {
            self.disclosures(held).map(|disclose| Candidate { credential, disclose })
        };
        wallet.iter().enumerate().filter_map(answer).collect()
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
        if !authority::met(&self.trusted_authorities, held.issuer_key_name().as_deref()) {
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
