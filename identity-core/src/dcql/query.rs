//! The query itself, read strictly.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::authority::TrustedAuthority;
use super::error::QueryError;
use super::sets::CredentialSet;
use crate::encoding::limits;
use crate::jose::typ;
use crate::sd_jwt::ClaimPath;

/// What a verifier asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// One per credential wanted; never empty.
    pub credentials: Vec<CredentialQuery>,
    /// Which combinations of answers will do. Empty: an answer to every one of the credential queries.
    pub credential_sets: Vec<CredentialSet>,
}

/// A question that a credential answers, or several if it says so.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialQuery {
    /// Its name in the answer.
    pub id: String,
    /// The types that will do; never empty.
    pub vct_values: Vec<String>,
    /// The claims asked for. Empty: nothing that can be kept back.
    pub claims: Vec<ClaimQuery>,
    /// Alternatives, the preferred one first, as positions in [`Self::claims`]. Empty: all claims are asked for.
    pub claim_sets: Vec<Vec<usize>>,
    /// Whether the holder must prove possession; so unless the query says otherwise.
    pub holder_binding: bool,
    /// Whether several credentials may be shown.
    pub multiple: bool,
    /// Whose credentials will do: one condition must be met. Empty: anyone's.
    pub trusted_authorities: Vec<TrustedAuthority>,
}

/// One claim asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimQuery {
    /// Its name in `claim_sets`.
    pub id: Option<String>,
    /// Which claim.
    pub path: ClaimPath,
    /// The values that will do; empty: any.
    pub values: Vec<Value>,
}

impl Query {
    /// Reads the value of `dcql_query`.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn from_json(value: &Value) -> Result<Self, QueryError> {
        let members = value.as_object().ok_or(QueryError::Malformed)?;
        let credentials = list(members.get("credentials").ok_or(QueryError::Malformed)?, limits::DCQL_CREDENTIALS)?;
        let credentials = credentials.iter().map(CredentialQuery::read).collect::<Result<Vec<_>, _>>()?;
        distinct(credentials.iter().map(|credential| credential.id.as_str()))?;
        let credential_sets = match members.get("credential_sets") {
            None => Vec::new(),
            Some(sets) => {
                let sets = list(sets, limits::DCQL_CREDENTIAL_SETS)?;
                sets.iter().map(|set| CredentialSet::read(set, &credentials)).collect::<Result<_, _>>()?
            }
        };
        Ok(Self { credentials, credential_sets })
    }

    /// Whether a verifier may ask it: every condition is one that it will check itself, and no claim stands twice
    /// in one credential query (OpenID4VP 1.0 §6.1). A wallet that is asked so all the same passes over both.
    ///
    /// # Errors
    /// [`QueryError::AuthorityUnknown`], [`QueryError::ClaimTwice`].
    pub fn check_askable(&self) -> Result<(), QueryError> {
        for credential in &self.credentials {
            if credential.trusted_authorities.contains(&TrustedAuthority::Unknown) {
                return Err(QueryError::AuthorityUnknown);
            }
            let mut paths = BTreeSet::new();
            if !credential.claims.iter().all(|claim| paths.insert(&claim.path)) {
                return Err(QueryError::ClaimTwice);
            }
        }
        Ok(())
    }

    /// The credential query of this name.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials.iter().find(|credential| credential.id == id)
    }
}

impl CredentialQuery {
    fn read(value: &Value) -> Result<Self, QueryError> {
        let members = value.as_object().ok_or(QueryError::Malformed)?;
        check_format(members)?;
        let claims = match members.get("claims") {
            None => Vec::new(),
            Some(claims) => {
                list(claims, limits::DCQL_CLAIMS)?.iter().map(ClaimQuery::read).collect::<Result<_, _>>()?
            }
        };
        distinct(claims.iter().filter_map(|claim| claim.id.as_deref()))?;
        let claim_sets = members.get("claim_sets").map_or(Ok(Vec::new()), |sets| read_claim_sets(sets, &claims))?;
        let holder_binding = flag(members, "require_cryptographic_holder_binding", true)?;
        let multiple = flag(members, "multiple", false)?;
        let trusted_authorities = match members.get("trusted_authorities") {
            None => Vec::new(),
            Some(conditions) => {
                let conditions = list(conditions, limits::DCQL_AUTHORITIES)?;
                conditions.iter().map(TrustedAuthority::read).collect::<Result<_, _>>()?
            }
        };
        let id = read_id(members.get("id").ok_or(QueryError::Id)?)?;
        let vct_values = read_vct_values(members.get("meta").ok_or(QueryError::Meta)?)?;
        Ok(Self { id, vct_values, claims, claim_sets, holder_binding, multiple, trusted_authorities })
    }

    /// The combinations of claims that answer the query, the preferred one first.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = Vec<&ClaimQuery>> {
        let all = self.claim_sets.is_empty().then(|| self.claims.iter().collect());
        let sets = self.claim_sets.iter().map(|set| set.iter().filter_map(|claim| self.claims.get(*claim)).collect());
        all.into_iter().chain(sets)
    }
}

impl ClaimQuery {
    fn read(value: &Value) -> Result<Self, QueryError> {
        let members = value.as_object().ok_or(QueryError::Malformed)?;
        let id = members.get("id").map(read_id).transpose()?;
        let path = members.get("path").ok_or(QueryError::Path)?;
        let path = serde_json::from_value(path.clone()).map_err(|_| QueryError::Path)?;
        let values = match members.get("values") {
            None => Vec::new(),
            Some(values) => list(values, limits::DCQL_VALUES)?.to_vec(),
        };
        let fits = |value: &Value| value.is_string() || value.is_i64() || value.is_u64() || value.is_boolean();
        if values.iter().all(fits) { Ok(Self { id, path, values }) } else { Err(QueryError::Values) }
    }

    /// Whether `value` is one of those that will do: same type, same value.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }
}

fn check_format(members: &Map<String, Value>) -> Result<(), QueryError> {
    let format = members.get("format").and_then(Value::as_str).ok_or(QueryError::Malformed)?;
    if format == typ::CREDENTIAL { Ok(()) } else { Err(QueryError::Format) }
}

fn flag(members: &Map<String, Value>, name: &str, absent: bool) -> Result<bool, QueryError> {
    members.get(name).map_or(Ok(absent), |flag| flag.as_bool().ok_or(QueryError::Malformed))
}

fn read_vct_values(meta: &Value) -> Result<Vec<String>, QueryError> {
    let values = list(meta.get("vct_values").ok_or(QueryError::Meta)?, limits::DCQL_VALUES)?;
    values.iter().map(|vct| vct.as_str().map(str::to_owned).ok_or(QueryError::Meta)).collect()
}

fn read_claim_sets(sets: &Value, claims: &[ClaimQuery]) -> Result<Vec<Vec<usize>>, QueryError> {
    if claims.iter().any(|claim| claim.id.is_none()) {
        return Err(QueryError::Id);
    }
    let position = |id: &Value| {
        let id = id.as_str()?;
        claims.iter().position(|claim| claim.id.as_deref() == Some(id))
    };
    let read_set = |set: &Value| {
        list(set, limits::DCQL_CLAIMS)?.iter().map(|id| position(id).ok_or(QueryError::ClaimSets)).collect()
    };
    list(sets, limits::DCQL_CLAIM_SETS)?.iter().map(read_set).collect()
}

/// A non-empty array of at most `limit` elements.
pub(super) fn list(value: &Value, limit: usize) -> Result<&[Value], QueryError> {
    match value.as_array().map(Vec::as_slice) {
        None => Err(QueryError::Malformed),
        Some([]) => Err(QueryError::Empty),
        Some(elements) if elements.len() > limit => Err(QueryError::TooLarge),
        Some(elements) => Ok(elements),
    }
}

fn read_id(value: &Value) -> Result<String, QueryError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match value.as_str() {
        Some(id) if (1..=limits::DCQL_ID).contains(&id.len()) && id.bytes().all(allowed) => Ok(id.to_owned()),
        _ => Err(QueryError::Id),
    }
}

fn distinct<'i>(ids: impl Iterator<Item = &'i str>) -> Result<(), QueryError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(QueryError::Id);
        }
    }
    Ok(())
}
