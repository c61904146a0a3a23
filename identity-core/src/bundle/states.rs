//! What the ledger says in a bundle, proven once; and what is wanted and not there.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ledger::trust_root::CertificateError;
use ledger::{CertifiedCheckpoint, Hash, LogProof, ProvenState, StateProof, TrustRoot};
use serde::de::DeserializeOwned;

use super::{Bundle, BundleError, LEEWAY};
use crate::anchor::{AnchorError, AnchorProof, AnchoredAt};
use crate::crypto::Known;
use crate::did::Did;
use crate::registry::{
    AccreditationHistory, AnchorKind, DidHistory, DutyHistory, Label, Member, accreditation_key, did_key, duty_key,
    member_key,
};
use crate::time::{UnixMillis, UnixSeconds};
use crate::trust::{self, TrustError, known_until};

/// The states of a bundle before they are proven: good for finding a key that may have signed something, and for nothing
/// else. What is read here need not be read again.
pub(super) struct Unproven<'b> {
    bundle: &'b Bundle,
    /// `None` is one that was looked for and is not there: whoever names it a thousand times costs one look.
    dids: BTreeMap<Did, Option<Rc<DidHistory>>>,
    duties: BTreeMap<String, Rc<DutyHistory>>,
}

/// The proven states of a bundle. Asking for one that is not there is remembered as a want. A note is checked once, and a
/// history is read once, however often either is come back to.
#[derive(Default)]
pub(super) struct States {
    proven: BTreeMap<String, ProvenState>,
    known: Known,
    certified: RefCell<BTreeMap<String, CertifiedCheckpoint>>,
    roots: RefCell<BTreeMap<u64, Hash>>,
    wanted: RefCell<BTreeSet<String>>,
    duties: RefCell<BTreeMap<String, Rc<DutyHistory>>>,
    dids: RefCell<BTreeMap<Did, Rc<DidHistory>>>,
    accredited: RefCell<BTreeMap<Did, Rc<AccreditationHistory>>>,
}

impl<'b> Unproven<'b> {
    pub(super) fn of(bundle: &'b Bundle) -> Self {
        Self { bundle, dids: BTreeMap::new(), duties: BTreeMap::new() }
    }

    pub(super) fn did(&mut self, did: &Did) -> Option<Rc<DidHistory>> {
        if let Some(read) = self.dids.get(did) {
            return read.clone();
        }
        let history = self.value(&did_key(did)).filter(|history: &DidHistory| history.did == *did).map(Rc::new);
        self.dids.insert(did.clone(), history.clone());
        history
    }

    pub(super) fn duty(&mut self, (department, number): (&Did, &str)) -> Option<Rc<DutyHistory>> {
        let key = duty_key(department, number);
        let is_of = |history: &DutyHistory| history.department == *department && history.duty == number;
        let history = self.value(&key).filter(is_of)?;
        Some(Rc::clone(self.duties.entry(key).or_insert(Rc::new(history))))
    }

    fn value<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let state = self.bundle.states.iter().find(|state| state.key == key)?;
        trust::parse_value(state.value.as_deref()?).ok()
    }

    /// Proves all of them, each key once; so whatever was read before was read out of what is proven now.
    pub(super) fn prove(self, trust_root: &TrustRoot, known: Known) -> Result<States, BundleError> {
        let Self { bundle, dids, duties } = self;
        let dids = dids.into_iter().filter_map(|(did, history)| Some((did, history?))).collect();
        let (dids, duties) = (RefCell::new(dids), RefCell::new(duties));
        let mut states = States { known, dids, duties, ..States::default() };
        // States are asked for together, so many of them are of one seal.
        let mut seals = BTreeMap::<(&str, &str), ProvenState>::new();
        for proof in &bundle.states {
            let seal = (proof.seal.as_str(), proof.proof.as_str());
            let proven = match seals.get(&seal) {
                Some(beside) => proof.verify_beside(beside).map_err(|_| BundleError::State)?,
                None => states.prove_alone(proof, trust_root)?,
            };
            states.note(proven.checkpoint())?;
            seals.entry(seal).or_insert_with(|| proven.clone());
            if states.proven.insert(proven.key().to_owned(), proven).is_some() {
                return Err(BundleError::State);
            }
        }
        Ok(states)
    }
}

impl States {
    /// The signatures of the bundle that are known to be valid.
    pub(super) const fn known(&self) -> &Known {
        &self.known
    }

    fn prove_alone(&self, proof: &StateProof, trust_root: &TrustRoot) -> Result<ProvenState, BundleError> {
        let note = LogProof::note_in(&proof.proof).ok_or(BundleError::State)?;
        let checkpoint = self.certify(note, trust_root).map_err(|_| BundleError::State)?;
        proof.verify_under(&checkpoint).map_err(|_| BundleError::State)
    }

    fn certify(&self, note: &str, trust_root: &TrustRoot) -> Result<CertifiedCheckpoint, CertificateError> {
        if let Some(known) = self.certified.borrow().get(note) {
            return Ok(known.clone());
        }
        let checkpoint = trust_root.verify_checkpoint_knowing(note, &self.known)?;
        self.certified.borrow_mut().insert(note.to_owned(), checkpoint.clone());
        Ok(checkpoint)
    }

    /// Takes note of a certified checkpoint: of one size there is one root, or the ledger shows two histories.
    pub(super) fn note(&self, checkpoint: &CertifiedCheckpoint) -> Result<(), BundleError> {
        let known = self.roots.borrow_mut().insert(checkpoint.size(), *checkpoint.root());
        if known.is_none_or(|known| known == *checkpoint.root()) { Ok(()) } else { Err(BundleError::SplitView) }
    }

    /// Holds an anchor proof against the trust root, and takes note of its checkpoint.
    pub(super) fn anchored(
        &self,
        proof: &AnchorProof,
        digest: &Hash,
        kind: AnchorKind,
        trust_root: &TrustRoot,
    ) -> Result<Result<AnchoredAt, AnchorError>, BundleError> {
        let mut certified = None;
        let certify = |note: &str| {
            let checkpoint = self.certify(note, trust_root)?;
            certified = Some(checkpoint.clone());
            Ok(Cow::Owned(checkpoint))
        };
        let at = proof.verify_with(digest, kind, trust_root.origin(), certify);
        certified.iter().try_for_each(|checkpoint| self.note(checkpoint))?;
        Ok(at)
    }

    /// What was asked for and is not there.
    pub(super) fn wanted(&self) -> Vec<String> {
        self.wanted.borrow().iter().cloned().collect()
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

    /// Everything that is here was certified after `time`, but for how far clocks may differ.
    pub(super) fn is_since(&self, time: UnixSeconds) -> bool {
        let since = |proven: &ProvenState| {
            i64::try_from(proven.checkpoint().cosigned_at()).is_ok_and(|at| at >= time.plus(-LEEWAY).0)
        };
        self.proven.values().all(since)
    }

    pub(super) fn did(&self, did: &Did) -> Result<Rc<DidHistory>, BundleError> {
        self.issuer(did)?.ok_or(BundleError::State)
    }

    /// The keys of whoever is said to have issued a credential; none where the ledger proves that there is no such DID.
    pub(super) fn issuer(&self, did: &Did) -> Result<Option<Rc<DidHistory>>, BundleError> {
        if let Some(known) = self.dids.borrow().get(did) {
            return Ok(Some(Rc::clone(known)));
        }
        let history = self.read(&did_key(did), |proven| match trust::did_history(proven, did) {
            Err(TrustError::Absent) => Ok(None),
            other => other.map(Some),
        });
        Ok(history?.map(|history| keep(&self.dids, did, history)))
    }

    /// The name that a DID registered. Of most in a chain nothing else is wanted, and keys cost more to read than the rest.
    pub(super) fn label(&self, did: &Did) -> Result<Option<Label>, BundleError> {
        match self.dids.borrow().get(did) {
            Some(known) => Ok(known.label.clone()),
            None => self.read(&did_key(did), |proven| trust::did_label(proven, did)),
        }
    }

    pub(super) fn accreditations(&self, subject: &Did) -> Result<Rc<AccreditationHistory>, BundleError> {
        if let Some(known) = self.accredited.borrow().get(subject) {
            return Ok(Rc::clone(known));
        }
        let history = self.read(&accreditation_key(subject), |proven| trust::accreditations(proven, subject));
        Ok(keep(&self.accredited, subject, history?))
    }

    /// The delegations of a duty; none where the ledger proves that there is no such duty.
    pub(super) fn duty(&self, department: &Did, number: &str) -> Result<Option<Rc<DutyHistory>>, BundleError> {
        let key = duty_key(department, number);
        if let Some(known) = self.duties.borrow().get(&key) {
            return Ok(Some(Rc::clone(known)));
        }
        let history = self.read(&key, |proven| match trust::duty_history(proven, department, number) {
            Err(TrustError::Absent) => Ok(None),
            other => other.map(Some),
        });
        Ok(history?.map(|history| keep(&self.duties, &key, history)))
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

fn keep<K: Ord + Clone, T>(read: &RefCell<BTreeMap<K, Rc<T>>>, key: &K, history: T) -> Rc<T> {
    let history = Rc::new(history);
    read.borrow_mut().insert(key.clone(), Rc::clone(&history));
    history
}

fn value<T: DeserializeOwned>(proven: &ProvenState) -> Result<Option<T>, TrustError> {
    proven.value().map(trust::parse_value).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::world::World;

    #[test]
    fn a_history_is_looked_for_once_whether_it_is_there_or_not() {
        let world = World::new();
        let (bundle, mut emptied) = (world.bundle(None, false), world.bundle(None, false));
        emptied.states.clear();
        let did = world.asker.did();
        let asked_twice = |first, second| {
            let mut unproven = Unproven::of(first);
            let found = unproven.did(&did).is_some();
            unproven.bundle = second;
            (found, unproven.did(&did).is_some())
        };
        assert_eq!(asked_twice(&bundle, &emptied), (true, true));
        assert_eq!(asked_twice(&emptied, &bundle), (false, false), "what was not there is not looked for again");
    }
}
