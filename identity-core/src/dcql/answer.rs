//! The verifier's side: an answer is checked as if the wallet had never seen the query.

use std::collections::{BTreeMap, BTreeSet};

use super::authority;
use super::error::{AnswerError, OutlineError};
use super::query::{ClaimQuery, CredentialQuery, Query};
use crate::encoding::limits;
use crate::sd_jwt_vc::Credential;

impl Query {
    /// Holds the outline of an answer, presentations by credential query id, against the query: nothing that was
    /// not asked for, one presentation for each query unless it asks for several, none twice, and every credential
    /// set that is required met by one of its options.
    ///
    /// # Errors
    /// [`OutlineError`].
    pub fn check_outline(&self, token: &BTreeMap<String, Vec<String>>) -> Result<(), OutlineError> {
        let mut answered = BTreeSet::new();
        for (id, presentations) in token {
            let position = self.credentials.iter().position(|asked| asked.id == *id);
            let position = position.ok_or(OutlineError::Unasked)?;
            let asked = self.credentials.get(position).ok_or(OutlineError::Unasked)?;
            asked.check_count(presentations)?;
            answered.insert(position);
        }
        if answered.is_empty() { Err(OutlineError::Unanswered) } else { self.is_met_by(&answered) }
    }
}

impl CredentialQuery {
    fn check_count(&self, presentations: &[String]) -> Result<(), OutlineError> {
        let most = if self.multiple { limits::DCQL_MULTIPLE } else { 1 };
        if !(1..=most).contains(&presentations.len()) {
            return Err(OutlineError::Count);
        }
        // One credential shown twice must not count as two: two degrees, two children.
        let mut seen = BTreeSet::new();
        if presentations.iter().all(|text| seen.insert(issued(text))) { Ok(()) } else { Err(OutlineError::Twice) }
    }

    /// Checks that a presented credential answers the query. `holder_bound` says whether its key binding held; that
    /// its key is its issuer's is proven elsewhere.
    ///
    /// # Errors
    /// [`AnswerError`]. Where several alternatives fail, the error is the one of the preferred alternative.
    pub fn check(&self, credential: &Credential<'_>, holder_bound: bool) -> Result<(), AnswerError> {
        if !self.vct_values.iter().any(|wanted| wanted == credential.vct()) {
            return Err(AnswerError::Type);
        }
        if self.holder_binding && !holder_bound {
            return Err(AnswerError::HolderBinding);
        }
        if !authority::met(&self.trusted_authorities, credential.sd_jwt().header().kid().ok()) {
            return Err(AnswerError::Authority);
        }
        let mut first_error = None;
        for claims in self.alternatives() {
            match claims.into_iter().try_for_each(|claim| claim.check(credential)) {
                Ok(()) => return Ok(()),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or(AnswerError::Claims))
    }
}

/// What the issuer signed. Not the signature: under ES256 anybody makes a second one of the first.
fn issued(presentation: &str) -> &str {
    let jwt = presentation.split('~').next().unwrap_or_default();
    jwt.rsplit_once('.').map_or(jwt, |(signing_input, _)| signing_input)
}

impl ClaimQuery {
    fn check(&self, credential: &Credential<'_>) -> Result<(), AnswerError> {
        let found = credential.sd_jwt().select(&self.path).map_err(|_| AnswerError::Claims)?;
        match found.as_slice() {
            [] => Err(AnswerError::Claims),
            values if values.iter().any(|value| self.accepts(value)) => Ok(()),
            _ => Err(AnswerError::Values),
        }
    }
}
