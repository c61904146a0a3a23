//! `credential_sets` (OpenID4VP 1.0 §6.2): which combinations of answers will do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::{OutlineError, QueryError};
use super::query::{CredentialQuery, Query, list};
use crate::encoding::limits;

/// A need of the asker, met by the answers to all credential queries of one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSet {
    /// Each a set of positions in [`Query::credentials`], the preferred one first; never empty.
    pub options: Vec<BTreeSet<usize>>,
    /// Whether it must be met.
    pub required: bool,
}

impl CredentialSet {
    pub(super) fn read(value: &Value, credentials: &[CredentialQuery]) -> Result<Self, QueryError> {
        let required = match value.get("required") {
            None => true,
            Some(required) => required.as_bool().ok_or(QueryError::Malformed)?,
        };
        let options = list(value.get("options").ok_or(QueryError::Malformed)?, limits::DCQL_OPTIONS)?;
        let options = options.iter().map(|option| read_option(option, credentials)).collect::<Result<_, _>>()?;
        Ok(Self { options, required })
    }

    fn met_by(&self, answered: &BTreeSet<usize>) -> impl Iterator<Item = &BTreeSet<usize>> {
        self.options.iter().filter(|option| option.is_subset(answered))
    }
}

impl Query {
    /// Whether answers to exactly these credential queries answer the question: each required set is met, and
    /// nothing is shown that no met option asks for.
    pub(super) fn is_met_by(&self, answered: &BTreeSet<usize>) -> Result<(), OutlineError> {
        if self.credential_sets.is_empty() {
            let all = (0..self.credentials.len()).all(|query| answered.contains(&query));
            return if all { Ok(()) } else { Err(OutlineError::Unanswered) };
        }
        let unmet = |set: &CredentialSet| set.required && set.met_by(answered).next().is_none();
        if self.credential_sets.iter().any(unmet) {
            return Err(OutlineError::Unanswered);
        }
        let asked: BTreeSet<usize> =
            self.credential_sets.iter().flat_map(|set| set.met_by(answered)).flatten().copied().collect();
        if answered.is_subset(&asked) { Ok(()) } else { Err(OutlineError::Unasked) }
    }
}

fn read_option(option: &Value, credentials: &[CredentialQuery]) -> Result<BTreeSet<usize>, QueryError> {
    let mut positions = BTreeSet::new();
    for id in list(option, limits::DCQL_CREDENTIALS)? {
        let id = id.as_str().ok_or(QueryError::CredentialSets)?;
        let position = credentials.iter().position(|credential| credential.id == id);
        if !positions.insert(position.ok_or(QueryError::CredentialSets)?) {
            return Err(QueryError::CredentialSets);
        }
    }
    Ok(positions)
}
