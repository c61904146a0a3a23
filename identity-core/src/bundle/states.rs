//! What the ledger says in a bundle, proven once; and what is wanted and not there.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ledger::{CertifiedCheckpoint, Hash, ProvenState, TrustRoot};
use serde::de::DeserializeOwned;

use super::{Bundle, BundleError};
use crate::did::Did;
use crate::registry::{
    AccreditationHistory, DidHistory, DutyHistory, Member, accreditation_key, did_key, duty_key, member_key,
};
use crate::time::UnixMillis;
use crate::trust::{self, TrustError, known_until};

/// The proven states of a bundle. Asking for one that is not there is remembered as a want.
pub(super) struct States {
    proven: BTreeMap<String, ProvenState>,
    roots: BTreeMap<u64, Hash>,
    wanted: RefCell<BTreeSet<String>>,
}

impl States {
    pub(super) fn prove(bundle: &Bundle, trust_root: &TrustRoot) -> Result<Self, BundleError> {
        let mut states = Self { proven: BTreeMap::new(), roots: BTreeMap::new(), wanted: RefCell::default() };
        for proof in &bundle.states {
            let proven = proof.verify(trust_root).map_err(|_| BundleError::State)?;
            states.note(proven.checkpoint())?;
            if states.proven.insert(proven.key().to_owned(), proven).is_some() {
                return Err(BundleError::State);
            }
        }
        Ok(states)
    }

    /// Takes note of a certified checkpoint: of one size there is one root, or the ledger shows two histories.
    pub(super) fn note(&mut self, checkpoint: &CertifiedCheckpoint) -> Result<(), BundleError> {
        let known = self.roots.insert(checkpoint.size(), *checkpoint.root());
        if known.is_none_or(|known| known == *checkpoint.root()) { Ok(()) } else { Err(BundleError::SplitView) }
    }

    /// What was asked for and is not there.
    pub(super) fn wanted(self) -> Vec<String> {
        self.wanted.into_inner().into_iter().collect()
    }

    /// The newest index that all that is here can answer for.
    pub(super) fn newest(&self) -> u64 {
        self.proven.values().map(known_until).min().unwrap_or_default()
    }

    /// When, at the latest, the log had reached `index`: the earliest seal here that stands after it.
    pub(super) fn sealed_by(&self, index: u64) -> Option<UnixMillis> {
        let after = self.proven.values().filter(|proven| known_until(proven) >= index);
        after.map(|proven| proven.seal().time).min().and_then(|time| i64::try_from(time).ok()).map(UnixMillis)
    }

    /// Everything that is here knows `index`.
    pub(super) fn reach(&self, index: u64) -> Result<(), BundleError> {
        let behind = |proven: &ProvenState| known_until(proven) < index;
        if self.proven.values().any(behind) { Err(BundleError::Behind) } else { Ok(()) }
    }

    pub(super) fn did(&self, did: &Did) -> Result<DidHistory, BundleError> {
        self.read(&did_key(did), |proven| trust::did_history(proven, did))
    }

    pub(super) fn accreditations(&self, subject: &Did) -> Result<AccreditationHistory, BundleError> {
        self.read(&accreditation_key(subject), |proven| trust::accreditations(proven, subject))
    }

    /// The delegations of a duty; none where the ledger proves that there is no such duty.
    pub(super) fn duty(&self, department: &Did, number: &str) -> Result<Option<DutyHistory>, BundleError> {
        self.read(&duty_key(department, number), |proven| match trust::duty_history(proven, department, number) {
            Err(TrustError::Absent) => Ok(None),
            other => other.map(Some),
        })
    }

    /// A membership; none where the ledger proves that there never was one.
    pub(super) fn member(&self, did: &Did) -> Result<Option<Member>, BundleError> {
        let member: Option<Member> = self.read(&member_key(did), value)?;
        if member.as_ref().is_none_or(|member| member.did == *did) { Ok(member) } else { Err(BundleError::State) }
    }

    fn read<T>(&self, key: &str, read: impl FnOnce(&ProvenState) -> Result<T, TrustError>) -> Result<T, BundleError> {
        let Some(proven) = self.proven.get(key) else {
            self.wanted.borrow_mut().insert(key.to_owned());
            return Err(BundleError::Incomplete);
        };
        read(proven).map_err(|_| BundleError::State)
    }
}

fn value<T: DeserializeOwned>(proven: &ProvenState) -> Result<Option<T>, TrustError> {
    proven.value().map(trust::parse_value).transpose()
}
