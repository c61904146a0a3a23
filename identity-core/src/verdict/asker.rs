//! May this asker ask for these claims of this type, for this purpose? The wallet asks before it shows anything,
//! the verifier before it releases anything.

use super::as_of::Reading;
use super::{EvidenceError, Freshness, PreparedEvidence};
use crate::dcql;
use crate::did::Did;
use crate::registry::{AccreditationHistory, Grant, Label, Role};
use crate::sd_jwt::ClaimPath;
use crate::time::UnixSeconds;

/// Who asks, by the ledger, and where the question goes beyond what it may ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The asker's public name, as it registered it.
    pub label: Option<Label>,
    /// Where the question goes too far, query by query. Empty: all of it may be asked.
    pub excess: Vec<Excess>,
    /// When the checkpoint under this knowledge was cosigned.
    pub as_of: UnixSeconds,
}

/// One way in which a question goes too far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The asker may not ask for this type at all.
    Type {
        /// The credential query.
        query_id: String,
    },
    /// The asker may ask for the type, but not for these claims of it.
    Claims {
        /// The credential query.
        query_id: String,
        /// The claims beyond.
        claims: Vec<ClaimPath>,
    },
    /// The asker may ask for these claims, but not for this purpose.
    Purpose {
        /// The credential query.
        query_id: String,
    },
}

/// Holds a question against the asker's accreditation, as of the newest index the evidence knows.
///
/// An asker whom the ledger does not know, or never accredited, may ask for nothing.
///
/// # Errors
/// [`EvidenceError`] if evidence about the asker is missing or stale: then nobody can say, and a wallet asks its
/// user with that said plainly.
pub fn standing(
    asker: &Did,
    query: &dcql::Query,
    purpose: Option<&str>,
    evidence: &PreparedEvidence,
    freshness: Freshness,
    now: UnixSeconds,
) -> Result<Standing, EvidenceError> {
    standing_by(asker, query, purpose, evidence, Reading::fresh(freshness, now))
}

/// As [`standing`], as of whenever `reading` says.
pub(super) fn standing_by(
    asker: &Did,
    query: &dcql::Query,
    purpose: Option<&str>,
    evidence: &PreparedEvidence,
    reading: Reading<'_>,
) -> Result<Standing, EvidenceError> {
    let did = evidence.did(asker, reading)?;
    let accreditation = evidence.accreditation(asker, reading)?;
    let index = reading.index(did.until.min(accreditation.until));
    let history = did.value().ok().filter(|history| history.is_active_at(index));
    let grants = history.and(accreditation.value().ok());
    let excess = query.credentials.iter().filter_map(|asked| excess(asked, purpose, grants, index)).collect();
    let label = history.and_then(|history| history.label.clone());
    Ok(Standing { label, excess, as_of: did.as_of.min(accreditation.as_of) })
}

/// Where one query goes too far. It may be answered by a credential of any of its types, so each of them must be allowed;
/// of what is wrong with them, the widest is told.
fn excess(
    asked: &dcql::CredentialQuery,
    purpose: Option<&str>,
    grants: Option<&AccreditationHistory>,
    index: u64,
) -> Option<Excess> {
    let held: Vec<&Grant> =
        grants.map_or(&[][..], |history| &history.grants).iter().filter(|grant| grant.holds_at(index)).collect();
    let lacks: Vec<Lack> = asked.vct_values.iter().filter_map(|vct| lack(asked, vct, purpose, &held)).collect();
    let (claims, query_id) = (lacks.iter().filter_map(Lack::claims).flatten().cloned().collect(), asked.id.clone());
    lacks.into_iter().min_by_key(Lack::place).map(|lack| match lack {
        Lack::Type => Excess::Type { query_id },
        Lack::Claims(_) => Excess::Claims { query_id, claims },
        Lack::Purpose => Excess::Purpose { query_id },
    })
}

/// What an asker lacks to ask for one type.
enum Lack {
    Type,
    Claims(Vec<ClaimPath>),
    Purpose,
}

impl Lack {
    /// The widest first.
    const fn place(&self) -> u8 {
        match self {
            Self::Type => 0,
            Self::Claims(_) => 1,
            Self::Purpose => 2,
        }
    }

    const fn claims(&self) -> Option<&Vec<ClaimPath>> {
        match self {
            Self::Claims(claims) => Some(claims),
            Self::Type | Self::Purpose => None,
        }
    }
}

fn lack(asked: &dcql::CredentialQuery, vct: &str, purpose: Option<&str>, held: &[&Grant]) -> Option<Lack> {
    let for_type: Vec<&Grant> = held.iter().copied().filter(|grant| grant.is_for(Role::Verifier, vct)).collect();
    let paths = || asked.claims.iter().map(|claim| &claim.path);
    let uncovered =
        |grant: &Grant| paths().filter(|path| !grant.covers_claim(&path.leading_names())).cloned().collect::<Vec<_>>();
    let Some(fewest) = for_type.iter().map(|grant| uncovered(grant)).min_by_key(Vec::len) else {
        return Some(Lack::Type);
    };
    if !fewest.is_empty() {
        return Some(Lack::Claims(fewest));
    }
    // Claims and purpose under one accreditation: two narrow ones do not add up to a wide one.
    let allows = |grant: &Grant| uncovered(grant).is_empty() && is_for_purpose(grant, purpose);
    if for_type.into_iter().any(allows) { None } else { Some(Lack::Purpose) }
}

/// An accreditation for purposes covers a question that names one of them; one without, a question without.
fn is_for_purpose(grant: &Grant, purpose: Option<&str>) -> bool {
    match purpose {
        Some(purpose) => grant.purposes.iter().any(|given| given == purpose),
        None => grant.purposes.is_empty(),
    }
}
