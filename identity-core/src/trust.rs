//! Reading the ledger's histories "as of a log index": which keys a DID had, who was accredited for what.
//!
//! The ledger's clock is the log index. A value proven once, under today's state root, answers for every index up to
//! that of its proof; what happened later it cannot know, so the caller states the proof's age.

use ledger::{Hash, ProvenState};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::crypto::PublicKey;
use crate::did::{Did, DidUrl, Document, Relationship, Service, VerificationMethod};
use crate::encoding::json::{self, Limits};
use crate::problem::Code;
use crate::receipt::ChainHead;
use crate::registry::{
    AccreditationHistory, AnchoredReceipts, DidHistory, DutyHistory, Grant, KeyRecord, KeyUse, Label, OwnerHistory,
    Proposal, Role, SchemaHistory, TalliedMonth, Tallies, accreditation_key, did_key, duty_key, proposal_key,
    receipts_key, schema_key, tallied_month_key, tallies_key, thumbprint_key,
};
use crate::time::UtcDay;

/// Longest history that is read, in bytes; as long as a state proof may be.
const MAX_HISTORY_BYTES: usize = ledger::state_proof::MAX_BYTES;

/// Why a proven state value says nothing about the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The proof is about another key of the state.
    #[error("the state proof answers another question")]
    OtherKey,
    /// The proof shows that the ledger holds nothing.
    #[error("the ledger holds no such entry")]
    Absent,
    /// The value is not a history; whoever certified it runs other rules than ours.
    #[error("the state value is malformed")]
    Malformed,
}

impl TrustError {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::OtherKey => Code::RegistryEvidenceOtherKey,
            Self::Absent => Code::RegistryEvidenceAbsent,
            Self::Malformed => Code::RegistryEvidenceMalformed,
        }
    }
}

/// The last log index that a state proof can answer for: its seal's.
#[must_use]
pub fn known_until(proven: &ProvenState) -> u64 {
    proven.checkpoint().size().saturating_sub(1)
}

/// A DID's history out of a state proof.
///
/// # Errors
/// [`TrustError`]; [`TrustError::Absent`] is itself proven.
pub fn did_history(proven: &ProvenState, did: &Did) -> Result<DidHistory, TrustError> {
    let history: DidHistory = read(proven, &did_key(did))?.ok_or(TrustError::Absent)?;
    if history.did == *did { Ok(history) } else { Err(TrustError::Malformed) }
}

/// The name that a DID registered, out of a state proof. Its keys are not looked at.
///
/// # Errors
/// As [`did_history`].
pub fn did_label(proven: &ProvenState, did: &Did) -> Result<Option<Label>, TrustError> {
    #[derive(Deserialize)]
    struct Named {
        did: Did,
        label: Option<Label>,
    }
    let named: Named = read(proven, &did_key(did))?.ok_or(TrustError::Absent)?;
    if named.did == *did { Ok(named.label) } else { Err(TrustError::Malformed) }
}

/// A DID's accreditations out of a state proof. One that was never accredited has none, which is proven too.
///
/// # Errors
/// [`TrustError`], never [`TrustError::Absent`].
pub fn accreditations(proven: &ProvenState, subject: &Did) -> Result<AccreditationHistory, TrustError> {
    match read::<AccreditationHistory>(proven, &accreditation_key(subject))? {
        None => Ok(AccreditationHistory { subject: subject.clone(), grants: Vec::new() }),
        Some(history) if history.subject == *subject => Ok(history),
        Some(_) => Err(TrustError::Malformed),
    }
}

/// A credential type's registered schema digests out of a state proof.
///
/// # Errors
/// [`TrustError`]; [`TrustError::Absent`] is itself proven.
pub fn schema_history(proven: &ProvenState, vct: &str) -> Result<SchemaHistory, TrustError> {
    read(proven, &schema_key(vct))?.ok_or(TrustError::Absent)
}

/// The delegations of one duty of a department out of a state proof.
///
/// # Errors
/// [`TrustError`]; [`TrustError::Absent`] is itself proven.
pub fn duty_history(proven: &ProvenState, department: &Did, number: &str) -> Result<DutyHistory, TrustError> {
    let history: DutyHistory = read(proven, &duty_key(department, number))?.ok_or(TrustError::Absent)?;
    if history.department == *department && history.duty == number { Ok(history) } else { Err(TrustError::Malformed) }
}

/// A proposal out of a state proof.
///
/// # Errors
/// As [`did_history`].
pub fn proposal(proven: &ProvenState, number: u64) -> Result<Proposal, TrustError> {
    let proposal: Proposal = read(proven, &proposal_key(number))?.ok_or(TrustError::Absent)?;
    if proposal.number == number { Ok(proposal) } else { Err(TrustError::Malformed) }
}

/// How far the ledger has a service's chain of receipts, out of a state proof. One that never anchored any has none,
/// which is proven too.
///
/// # Errors
/// [`TrustError`], never [`TrustError::Absent`].
pub fn receipts_anchored(proven: &ProvenState, service: &Did) -> Result<ChainHead, TrustError> {
    let anchored: AnchoredReceipts = read(proven, &receipts_key(service))?.unwrap_or_default();
    Ok(ChainHead { seq: anchored.last, digest: anchored.head })
}

/// How far the ledger has a service's tallies, out of a state proof; `None` before the first, which is proven too.
///
/// # Errors
/// [`TrustError`], never [`TrustError::Absent`].
pub fn tallies(proven: &ProvenState, service: &Did) -> Result<Option<Tallies>, TrustError> {
    read(proven, &tallies_key(service))
}

/// A service's tallies of the month of `day` out of a state proof. A month without any has none, which is proven too.
///
/// # Errors
/// [`TrustError`], never [`TrustError::Absent`].
pub fn tallied_month(proven: &ProvenState, service: &Did, day: UtcDay) -> Result<TalliedMonth, TrustError> {
    Ok(read(proven, &tallied_month_key(service, day))?.unwrap_or_default())
}

/// Who registered a public key, named by its RFC 7638 thumbprint, out of a state proof. A key that nobody ever
/// registered has no owners, which is proven too. [`OwnerHistory::owner_at`] answers as of an index.
///
/// # Errors
/// [`TrustError`], never [`TrustError::Absent`].
pub fn thumbprint_owners(proven: &ProvenState, thumbprint: &Hash) -> Result<OwnerHistory, TrustError> {
    Ok(read(proven, &thumbprint_key(thumbprint))?.unwrap_or_default())
}

fn read<T: DeserializeOwned>(proven: &ProvenState, key: &str) -> Result<Option<T>, TrustError> {
    if proven.key() != key {
        return Err(TrustError::OtherKey);
    }
    proven.value().map(parse_value).transpose()
}

/// Parses a state value that was proven or is otherwise believed, such as our own node's.
///
/// # Errors
/// [`TrustError::Malformed`].
pub fn parse_value<T: DeserializeOwned>(value: &[u8]) -> Result<T, TrustError> {
    json::read(value, Limits::of(MAX_HISTORY_BYTES)).map_err(|_| TrustError::Malformed)
}

impl DidHistory {
    /// The keys that held at a log index; none once the DID is deactivated.
    pub fn keys_at(&self, index: u64) -> impl Iterator<Item = &KeyRecord> {
        let active = self.is_active_at(index);
        self.keys.iter().filter(move |key| active && key.holds_at(index))
    }

    /// The public key with this id and use at a log index.
    #[must_use]
    pub fn key_at(&self, index: u64, id: &str, key_use: KeyUse) -> Option<&PublicKey> {
        self.keys_at(index).find(|key| key.id == id && key.key_use == key_use).map(|key| key.jwk.key())
    }

    /// Whether a URL was one of the DID's services at a log index.
    #[must_use]
    pub fn has_service_at(&self, index: u64, url: &str) -> bool {
        self.is_active_at(index) && self.services.iter().any(|service| service.holds_at(index) && service.url == url)
    }

    /// The DID document as of a log index; `None` before the DID's creation. A deactivated DID has an empty one.
    #[must_use]
    pub fn document_at(&self, index: u64) -> Option<Document> {
        if index < self.created {
            return None;
        }
        let url = |fragment: &str| DidUrl::new(self.did.clone(), fragment).ok();
        let methods = self.keys_at(index).filter_map(|key| {
            Some(VerificationMethod::new(url(&key.id)?, key.jwk.clone(), vec![relationship(key.key_use)]))
        });
        let active = self.is_active_at(index);
        let services = self.services.iter().filter(|service| active && service.holds_at(index)).filter_map(|service| {
            let kind = service.kind.as_str().to_owned();
            Some(Service { id: url(&service.id)?, kind, endpoint: service.url.clone() })
        });
        Some(Document::new(self.did.clone(), methods.collect(), services.collect()))
    }
}

/// A relay key invokes capabilities too, narrower ones; other software has no name for that.
fn relationship(key_use: KeyUse) -> Relationship {
    match key_use {
        KeyUse::AssertionMethod => Relationship::AssertionMethod,
        KeyUse::Authentication => Relationship::Authentication,
        KeyUse::CapabilityInvocation | KeyUse::Relay => Relationship::CapabilityInvocation,
    }
}

impl AccreditationHistory {
    /// The accreditation that held at a log index for this role and credential type and, for a verifier, covered every
    /// one of `claims`; an issuer is not limited by claims.
    #[must_use]
    pub fn find(&self, role: Role, vct: &str, claims: &[Vec<String>], index: u64) -> Option<&Grant> {
        let covers = |grant: &&Grant| match role {
            Role::Issuer => true,
            Role::Verifier => claims.iter().all(|path| grant.covers_claim(path)),
        };
        self.grants.iter().filter(|grant| grant.holds_at(index) && grant.is_for(role, vct)).find(covers)
    }

    /// Whether [`Self::find`] finds one.
    #[must_use]
    pub fn is_accredited(&self, role: Role, vct: &str, claims: &[Vec<String>], index: u64) -> bool {
        self.find(role, vct, claims, index).is_some()
    }

    /// Of `claims`, those that no verifier accreditation for this type covered at a log index: what a wallet shows as
    /// "asks for more than it may". Accreditations add up here.
    #[must_use]
    pub fn beyond<'a>(&self, vct: &str, claims: &'a [Vec<String>], index: u64) -> Vec<&'a Vec<String>> {
        let held = |grant: &&Grant| grant.holds_at(index) && grant.is_for(Role::Verifier, vct);
        let covered = |path: &Vec<String>| self.grants.iter().filter(held).any(|grant| grant.covers_claim(path));
        claims.iter().filter(|path| !covered(path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Ending;

    fn grant(started: u64, ended: Option<u64>) -> Grant {
        Grant {
            id: started,
            by: Did::parse("did:xinfu:sample:authority").unwrap(),
            under: None,
            depth: 1,
            role: Role::Verifier,
            types: vec!["urn:sample:type".into()],
            claims: vec![vec!["name".into()], vec!["address".into(), "region".into()]],
            purposes: Vec::new(),
            from: 0,
            until: 1,
            delegable: false,
            started: Some(started),
            ended,
            ending: ended.map(|_| Ending::Ended),
        }
    }

    #[test]
    fn an_index_and_the_claims_decide() {
        let subject = Did::parse("did:xinfu:sample:subject").unwrap();
        let history = AccreditationHistory { subject, grants: vec![grant(5, Some(9))] };
        let path = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
        let asks =
            |claims: &[Vec<String>], index| history.is_accredited(Role::Verifier, "urn:sample:type", claims, index);
        assert!(asks(&[path(&["name"])], 5) && asks(&[path(&["name"])], 8));
        assert!(!asks(&[path(&["name"])], 4) && !asks(&[path(&["name"])], 9));
        assert!(asks(&[path(&["address", "region", "code"])], 5));
        assert!(!asks(&[path(&["address"])], 5));
        assert!(!history.is_accredited(Role::Issuer, "urn:sample:type", &[], 5));
        assert!(!history.is_accredited(Role::Verifier, "urn:sample:other", &[], 5));
        let asked = [path(&["name"]), path(&["birth_date"])];
        assert_eq!(history.beyond("urn:sample:type", &asked, 5), vec![&asked[1]]);
        assert_eq!(history.beyond("urn:sample:type", &asked, 9).len(), 2);
    }
}
