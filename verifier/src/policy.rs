//! Named queries and how their answers are judged.

use std::collections::BTreeMap;

use identity_core::dcql;
use identity_core::duty::{MAX_BASIS_CHARS, MAX_RETENTION_DAYS, is_basis};
use identity_core::oid4vp::AnchorWish;
use identity_core::oid4vp::request::is_purpose;
use identity_core::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::config::ConfigError;

use crate::store::ByLaw;

/// How the answer to one request is judged. Travels with the request, so that a change of the
/// configuration does not reach requests that are under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// What the data is wanted for, as the accreditation calls it.
    pub(crate) purpose: Option<String>,
    /// Whether a presentation without anchor proof is refused.
    pub(crate) anchor: AnchorPolicy,
    /// Whether a credential passes whose status list cannot be had or is stale.
    pub(crate) accept_undetermined_status: bool,
    /// What an official answers for beside the question.
    pub(crate) grounds: Grounds,
}

/// On what grounds data is asked for, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grounds {
    /// The legal basis, in the words of the law.
    pub(crate) basis: String,
    /// How long the answer is kept, in days.
    pub(crate) retention_days: u32,
    /// Whether the holder's signature is to cover what the data is wanted for.
    pub(crate) holder_signs: bool,
    /// The law that makes the answer stay, also after its withdrawal.
    #[serde(default)]
    pub(crate) required_by_law: Option<RequiredByLaw>,
}

/// A law that demands that answers are kept, also after a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredByLaw {
    /// In the words of the law.
    pub basis: String,
    /// For how many days after the answer.
    pub days: u32,
}

impl Grounds {
    /// Why requests on these grounds cannot be made by a service that keeps answers for `keep_cases` seconds.
    pub(crate) fn fault(&self, keep_cases: u32) -> Option<(&'static str, String)> {
        if !is_basis(&self.basis) {
            return Some(("basis", format!("must be some printable text of at most {MAX_BASIS_CHARS} characters")));
        }
        if self.retention_days > MAX_RETENTION_DAYS {
            return Some(("retention_days", format!("must be at most {MAX_RETENTION_DAYS}")));
        }
        if self.required_by_law.as_ref().is_some_and(|law| !is_basis(&law.basis)) {
            return Some((
                "required_by_law",
                "needs as basis some printable text of at most 256 characters".to_owned(),
            ));
        }
        // What citizens are told must be true of this very service.
        if self.required_by_law.as_ref().is_some_and(|law| law.days > self.retention_days) {
            return Some(("retention_days", "must not be shorter than required_by_law".to_owned()));
        }
        let kept = i64::from(keep_cases) <= i64::from(self.retention_days).saturating_mul(DAY);
        if kept { None } else { Some(("retention_days", "must not be shorter than keep_cases".to_owned())) }
    }
}

impl Grounds {
    /// For how many seconds the answer may be kept.
    pub(crate) fn retention_seconds(&self) -> i64 {
        i64::from(self.retention_days).saturating_mul(DAY)
    }

    /// For how many seconds a law makes it stay.
    pub(crate) fn seconds_by_law(&self) -> i64 {
        self.required_by_law.as_ref().map_or(0, |law| i64::from(law.days).saturating_mul(DAY))
    }

    /// The law that makes an answer of now stay.
    pub(crate) fn by_law(&self, now: UnixSeconds) -> Option<ByLaw> {
        let law = self.required_by_law.as_ref()?;
        Some(ByLaw { basis: law.basis.clone(), until: now.plus(self.seconds_by_law()) })
    }
}

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// What a query says about anchor proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnchorPolicy {
    /// Refused without one: the ledger must show that the department issued it.
    #[default]
    Required,
    /// Checked when there; without one the anchor is undetermined.
    Optional,
}

impl AnchorPolicy {
    pub(crate) fn wish(self) -> AnchorWish {
        match self {
            Self::Required => AnchorWish::Required,
            Self::Optional => AnchorWish::Optional,
        }
    }
}

/// One `[queries.<name>]` table of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// What the data is wanted for; must be among the purposes that the ledger accredits to us.
    pub purpose: String,
    /// The legal basis, in the words of the law.
    pub basis: String,
    /// How long the answer is kept, in days; at least as long as `keep_cases`.
    pub retention_days: u32,
    /// Whether the holder's signature is to cover what the data is wanted for. `false` for wallets that do not know how;
    /// receipt and verdict then say so.
    #[serde(default = "yes")]
    pub holder_signs: bool,
    /// A law that makes the answer stay, also after its withdrawal; at most as long as `retention_days`.
    #[serde(default)]
    pub required_by_law: Option<RequiredByLaw>,
    /// `required` or `optional`.
    #[serde(default)]
    pub anchor: AnchorPolicy,
    /// `accept` or `refuse` a credential whose status is undetermined.
    #[serde(default)]
    pub undetermined_status: Undetermined,
    /// The DCQL query, as JSON text.
    pub dcql: String,
}

fn yes() -> bool {
    true
}

/// What becomes of something that could not be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Undetermined {
    /// Taken as not good enough.
    #[default]
    Refuse,
    /// Taken, and said so in the verdict.
    Accept,
}

/// A question with a name, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedQuery {
    /// The DCQL query.
    pub(crate) dcql: Value,
    /// How its answers are judged.
    pub(crate) policy: Policy,
}

/// Checks the configured queries once, at start.
///
/// # Errors
/// [`ConfigError`] naming the first query that cannot be asked.
pub(crate) fn named_queries(
    configured: &BTreeMap<String, QueryConfig>,
    keep_cases: u32,
) -> Result<BTreeMap<String, NamedQuery>, ConfigError> {
    configured
        .iter()
        .map(|(name, query)| {
            let invalid = |key: &str, reason: String| ConfigError::invalid(format!("queries.{name}.{key}"), reason);
            let dcql: Value =
                serde_json::from_str(&query.dcql).map_err(|error| invalid("dcql", format!("is not JSON: {error}")))?;
            let parsed = dcql::Query::from_json(&dcql);
            let parsed = parsed.map_err(|error| invalid("dcql", format!("is not a DCQL query: {error}")))?;
            parsed.check_askable().map_err(|error| invalid("dcql", format!("cannot be asked: {error}")))?;
            if !is_purpose(&query.purpose) {
                return Err(invalid("purpose", "is not short visible ASCII without spaces".to_owned()));
            }
            let grounds = Grounds {
                basis: query.basis.clone(),
                retention_days: query.retention_days,
                holder_signs: query.holder_signs,
                required_by_law: query.required_by_law.clone(),
            };
            if let Some((key, reason)) = grounds.fault(keep_cases) {
                return Err(invalid(key, reason.to_owned()));
            }
            let policy = Policy {
                grounds,
                purpose: Some(query.purpose.clone()),
                anchor: query.anchor,
                accept_undetermined_status: query.undetermined_status == Undetermined::Accept,
            };
            Ok((name.clone(), NamedQuery { dcql, policy }))
        })
        .collect()
}
