//! The verifier's side: an answer is checked as if the wallet had never seen the query.

use super::error::AnswerError;
use super::query::{ClaimQuery, CredentialQuery};
use crate::sd_jwt_vc::Credential;

impl CredentialQuery {
    /// Checks that a presented credential answers the query. `holder_bound` says whether its key binding held.
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
