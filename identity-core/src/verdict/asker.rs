//! May this asker ask for these claims of this type, for this purpose? The wallet asks before it shows anything,
//! the verifier before it releases anything.

use super::{EvidenceError, Freshness, PreparedEvidence};
use crate::dcql;
use crate::did::Did;
use crate::registry::{AccreditationHistory, Grant, Label, Role};
use crate::sd_jwt::{ClaimPath, Segment};
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
    let did = evidence.did(asker, freshness, now)?;
    let accreditation = evidence.accreditation(asker, freshness, now)?;
    let index = did.until.min(accreditation.until);
    let history = did.value().ok().filter(|history| history.is_active_at(index));
    let grants = history.and(accreditation.value().ok());
    let excess = query.credentials.iter().filter_map(|asked| excess(asked, purpose, grants, index)).collect();
    let label = history.and_then(|history| history.label.clone());
    Ok(Standing { label, excess, as_of: did.as_of.min(accreditation.as_of) })
}

fn excess(
    asked: &dcql::CredentialQuery,
    purpose: Option<&str>,
    grants: Option<&AccreditationHistory>,
    index: u64,
) -> Option<Excess> {
    let query_id = || asked.id.clone();
    let held: Vec<&Grant> =
        grants.map_or(&[][..], |history| &history.grants).iter().filter(|grant| grant.holds_at(index)).collect();
    let mut beyond: Option<Vec<ClaimPath>> = None;
    for vct in &asked.vct_values {
        let for_type: Vec<&Grant> = held.iter().copied().filter(|grant| grant.is_for(Role::Verifier, vct)).collect();
        if for_type.is_empty() {
            return Some(Excess::Type { query_id: query_id() });
        }
        let paths = || asked.claims.iter().map(|claim| &claim.path);
        let uncovered = |grant: &Grant| paths().filter(|path| !covers(grant, path)).cloned().collect::<Vec<_>>();
        // All claims under one accreditation: two narrow ones do not add up to a wide one.
        let all_claims: Vec<&Grant> = for_type.iter().copied().filter(|grant| uncovered(grant).is_empty()).collect();
        if all_claims.is_empty() {
            let fewest = for_type.iter().map(|grant| uncovered(grant)).min_by_key(Vec::len).unwrap_or_default();
            beyond.get_or_insert_default().extend(fewest);
        } else if !all_claims.iter().any(|grant| is_for_purpose(grant, purpose)) {
            return Some(Excess::Purpose { query_id: query_id() });
        }
    }
    beyond.map(|claims| Excess::Claims { query_id: query_id(), claims })
}

/// A path is covered by the names that lead it: whatever an array holds belongs to the array.
fn covers(grant: &Grant, path: &ClaimPath) -> bool {
    let leads = |(given, segment): (&String, &Segment)| matches!(segment, Segment::Name(name) if name == given);
    let covers =
        |given: &Vec<String>| given.len() <= path.segments().len() && given.iter().zip(path.segments()).all(leads);
    grant.claims.iter().any(covers)
}

/// An accreditation for purposes covers a question that names one of them; one without, a question without.
fn is_for_purpose(grant: &Grant, purpose: Option<&str>) -> bool {
    match purpose {
        Some(purpose) => grant.purposes.iter().any(|given| given == purpose),
        None => grant.purposes.is_empty(),
    }
}
