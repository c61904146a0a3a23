//! On whose word the service asked: from its accreditation to an authority of genesis.

use super::BundleError;
use super::states::States;
use crate::dcql::Query;
use crate::did::Did;
use crate::registry::{AccreditationHistory, Grant, Label, MAX_CHAIN, Role};

/// A DID and the name that it registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The DID.
    pub did: Did,
    /// Its public name.
    pub label: Option<Label>,
}

/// One accreditation in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who was accredited.
    pub holder: Named,
    /// By whom.
    pub by: Named,
    /// For what, from when to when.
    pub grant: Grant,
}

/// The chains above every accreditation under which the question was asked, each from the service up.
pub(super) fn above(
    states: &States,
    service: &Did,
    query: &Query,
    purpose: &str,
    index: u64,
) -> Result<Vec<Vec<Link>>, BundleError> {
    let history = states.accreditations(service)?;
    let grants = covering(&history, query, purpose, index).ok_or(BundleError::Accreditation)?;
    // Every chain is walked before one is found wanting, so that all that is missing is asked for in one round.
    let chains: Vec<_> = grants.into_iter().map(|grant| climb(states, service, grant, index)).collect();
    chains.into_iter().collect()
}

/// For each type that is asked for, one accreditation that covers all of its claims and the purpose: two narrow ones do
/// not add up to a wide one.
fn covering<'h>(history: &'h AccreditationHistory, query: &Query, purpose: &str, index: u64) -> Option<Vec<&'h Grant>> {
    let mut grants: Vec<&Grant> = Vec::new();
    for asked in &query.credentials {
        for vct in &asked.vct_values {
            let covers = |grant: &&Grant| {
                grant.holds_at(index)
                    && grant.is_for(Role::Verifier, vct)
                    && asked.claims.iter().all(|claim| grant.covers_claim(&claim.path.leading_names()))
                    && grant.purposes.iter().any(|given| given == purpose)
            };
            let grant = history.grants.iter().find(covers)?;
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
    }
    Some(grants)
}

/// From one accreditation to the authority, each link holding at `index` and no wider than the one above it.
fn climb(states: &States, holder: &Did, grant: &Grant, index: u64) -> Result<Vec<Link>, BundleError> {
    let (mut holder, mut grant) = (holder.clone(), grant.clone());
    let mut links = Vec::new();
    for _ in 0..MAX_CHAIN {
        let grantor = grant.by.clone();
        let link = Link { holder: named(states, &holder)?, by: named(states, &grantor)?, grant: grant.clone() };
        links.push(link);
        let Some(under) = grant.under else {
            return if grant.depth == 1 && was_authority(states, &grantor, grant.id)? {
                Ok(links)
            } else {
                Err(BundleError::Chain)
            };
        };
        let given = states.accreditations(&grantor)?;
        let above = given.grants.iter().find(|above| above.id == under).ok_or(BundleError::Chain)?.clone();
        let sound = above.delegable
            && above.holds_at(index)
            && grant.is_within(&above)
            && Some(grant.depth) == above.depth.checked_add(1);
        if !sound {
            return Err(BundleError::Chain);
        }
        (holder, grant) = (grantor, above);
    }
    Err(BundleError::Chain)
}

/// Whether a DID was an authority when it gave the accreditation with this number. One that was expelled and came back
/// is none any more; what it gave before stands.
fn was_authority(states: &States, did: &Did, given: u64) -> Result<bool, BundleError> {
    let member = states.member(did)?;
    Ok(member.is_some_and(|member| member.holds_at(given) && (member.authority || given < member.from)))
}

pub(super) fn named(states: &States, did: &Did) -> Result<Named, BundleError> {
    Ok(Named { did: did.clone(), label: states.label(did)? })
}
