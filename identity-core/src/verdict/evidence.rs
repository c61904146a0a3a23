//! Evidence: what the ledger and the issuers say, with proofs; and the same, proven once and ready to be asked.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use ledger::split_view::split_view;
use ledger::state_proof::StateProofError;
use ledger::{CertifiedCheckpoint, Hash, LogProof, ProvenState, StateProof, TrustRoot, sha256};
use serde::{Deserialize, Serialize};

use super::as_of::Reading;
use super::{AsOf, EvidenceError, Needs, StatusDoubt};
use crate::anchor::{AnchorError, AnchorProof, AnchoredAt};
use crate::did::{Did, DidUrl, Document};
use crate::encoding::{base64url, limits};
use crate::jose::UnverifiedJws;
use crate::registry::{
    AccreditationHistory, AnchorKind, DidHistory, DutyHistory, KeyRecord, KeyUse, Label, OwnerHistory, SchemaHistory,
};
use crate::status::{Reference, StatusError, StatusListToken};
use crate::time::UnixSeconds;
use crate::trust::{self, TrustError};

/// Evidence as it travelled: what an auditor keeps to judge again.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// State proofs: histories of DIDs, accreditations and types.
    pub states: Vec<StateProof>,
    /// Status lists by address.
    pub status_lists: BTreeMap<String, FetchedList>,
}

/// A status list token as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedList {
    /// The token.
    pub token: String,
    /// When it was fetched, by our clock.
    pub fetched_at: UnixSeconds,
}

/// Checkpoints remembered at once, at most: some 2 MB. A cache that is full starts again.
const MAX_CHECKPOINTS: usize = 4096;

/// How far the clock of whoever signs a status list may be ahead of ours, in seconds.
const LIST_LEEWAY: i64 = 60;

impl Evidence {
    /// Verifies every proof and every status list's signature, once.
    ///
    /// # Errors
    /// [`EvidenceError`] for a state proof that does not hold. A status list that does not hold is kept as a
    /// doubt: it makes a status undetermined, never a credential revoked.
    pub fn prepare(&self, trust_root: TrustRoot) -> Result<PreparedEvidence, EvidenceError> {
        let mut prepared = PreparedEvidence::new(trust_root);
        for proof in &self.states {
            prepared.add_state(proof)?;
        }
        for (uri, fetched) in &self.status_lists {
            prepared.add_status_list(uri, fetched);
        }
        Ok(prepared)
    }
}

/// How old evidence may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Greatest age of the checkpoint under a state proof, in seconds.
    pub max_age: i64,
    /// How far clocks may differ, in seconds.
    pub leeway: i64,
}

impl Freshness {
    pub(super) fn check(self, as_of: UnixSeconds, now: UnixSeconds) -> Result<(), EvidenceError> {
        if as_of > now.plus(self.leeway) {
            return Err(EvidenceError::FromTheFuture);
        }
        if now.since(as_of) > self.max_age.saturating_add(self.leeway) { Err(EvidenceError::Stale) } else { Ok(()) }
    }
}

/// What is proven under one key of the state.
#[derive(Clone, Debug)]
pub(super) struct Known<T> {
    /// `None` is proven absence.
    value: Option<T>,
    /// The last log index that the proof can answer for.
    pub(super) until: u64,
    /// When the checkpoint over it was cosigned.
    pub(super) as_of: UnixSeconds,
}

/// Proven evidence: a cache that a verifier keeps per ledger and asks for every presentation.
///
/// A checkpoint that was certified once is not certified again, so an anchor proof under it costs two hash paths.
#[derive(Clone, Debug)]
pub struct PreparedEvidence {
    trust_root: TrustRoot,
    checkpoints: HashMap<Hash, CertifiedCheckpoint>,
    dids: HashMap<Did, Known<DidHistory>>,
    accreditations: HashMap<Did, Known<AccreditationHistory>>,
    types: HashMap<String, Known<SchemaHistory>>,
    thumbprints: HashMap<Hash, Known<OwnerHistory>>,
    /// By department and duty number, as in the state's key.
    duties: HashMap<String, Known<DutyHistory>>,
    lists: HashMap<String, ListEntry>,
}

/// A status list under its address, or why it is of no use.
#[derive(Clone, Debug)]
struct ListEntry {
    signed: Result<SignedList, StatusDoubt>,
    fetched_at: UnixSeconds,
}

/// A status list under a key that is or was its signer's. Which of the two is asked when the list is: until then the key may
/// have been reported stolen.
#[derive(Clone, Debug)]
struct SignedList {
    token: Result<StatusListToken, StatusError>,
    key: DidUrl,
}

impl SignedList {
    fn token(&self) -> Result<&StatusListToken, StatusDoubt> {
        self.token.as_ref().map_err(|error| StatusDoubt::List(*error))
    }
}

impl ListEntry {
    fn signed(&self) -> Result<&SignedList, StatusDoubt> {
        self.signed.as_ref().map_err(|doubt| *doubt)
    }

    /// When it was signed; nothing if it does not hold.
    fn issued_at(&self) -> Option<UnixSeconds> {
        self.signed.as_ref().ok().and_then(|signed| Some(signed.token.as_ref().ok()?.issued_at()))
    }

    /// Whether the copy may still be used: `exp`, `ttl` and our own bound on age, whichever ends first.
    fn is_usable(&self, freshness: Freshness, now: UnixSeconds) -> bool {
        let token = self.signed().and_then(SignedList::token);
        let said = token.map_or(None, |token| token.usable_until(self.fetched_at));
        let until = self.fetched_at.plus(freshness.max_age);
        now < said.map_or(until, |said| said.min(until)).plus(freshness.leeway)
    }
}

impl PreparedEvidence {
    /// No evidence yet.
    #[must_use]
    pub fn new(trust_root: TrustRoot) -> Self {
        Self {
            trust_root,
            checkpoints: HashMap::new(),
            dids: HashMap::new(),
            accreditations: HashMap::new(),
            types: HashMap::new(),
            thumbprints: HashMap::new(),
            duties: HashMap::new(),
            lists: HashMap::new(),
        }
    }

    /// Whom this evidence was verified against.
    #[must_use]
    pub const fn trust_root(&self) -> &TrustRoot {
        &self.trust_root
    }

    /// Verifies a state proof and takes in what it shows. Older knowledge never replaces newer.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn add_state(&mut self, proof: &StateProof) -> Result<(), EvidenceError> {
        let note = LogProof::parse(&proof.proof).map_err(StateProofError::from)?.note;
        let proven = match self.checkpoints.get(&sha256(note.as_bytes())) {
            Some(checkpoint) => proof.verify_under(checkpoint)?,
            None => proof.verify(&self.trust_root)?,
        };
        if self.contradicts(proven.checkpoint()) {
            return Err(EvidenceError::SplitView);
        }
        self.remember(proven.checkpoint().clone());
        let (kind, name) = proven.key().split_once('/').ok_or(EvidenceError::Unexpected)?;
        match kind {
            "did" => {
                let did = Did::parse(name).map_err(|_| EvidenceError::Unexpected)?;
                let history = present(trust::did_history(&proven, &did))?;
                keep(&mut self.dids, did, known(history, &proven));
            }
            "accreditation" => {
                let did = Did::parse(name).map_err(|_| EvidenceError::Unexpected)?;
                let history = present(trust::accreditations(&proven, &did))?;
                keep(&mut self.accreditations, did, known(history, &proven));
            }
            "schema" => {
                let history = present(trust::schema_history(&proven, name))?;
                keep(&mut self.types, name.to_owned(), known(history, &proven));
            }
            "thumbprint" => {
                let thumbprint = parse_thumbprint(name).ok_or(EvidenceError::Unexpected)?;
                let owners = trust::thumbprint_owners(&proven, &thumbprint).map_err(EvidenceError::Trust)?;
                keep(&mut self.thumbprints, thumbprint, known(Some(owners), &proven));
            }
            "duty" => {
                let (department, number) = parse_duty(name).ok_or(EvidenceError::Unexpected)?;
                let history = present(trust::duty_history(&proven, &department, number))?;
                keep(&mut self.duties, name.to_owned(), known(history, &proven));
            }
            _ => return Err(EvidenceError::Unexpected),
        }
        Ok(())
    }

    /// Takes in a status list. Its signer's history must have been added before: the key that signed it must be in it. When
    /// the list is asked, the key must be one of the signer's current keys, or, to tell of a past moment, of its keys then.
    ///
    /// Answers whether it was taken in: neither a list that was signed before the one at hand nor one that does not hold
    /// takes its place. Whoever serves an old copy could hide a revocation otherwise. One under a key that its signer has no
    /// longer gives way whatever its date: whoever stole the key has chosen that.
    pub fn add_status_list(&mut self, uri: &str, fetched: &FetchedList) -> bool {
        let entry = ListEntry { signed: self.verify_list(uri, fetched), fetched_at: fetched.fetched_at };
        let worth = |entry: &ListEntry| (self.current(entry).is_ok(), entry.issued_at());
        let is_worse = self.lists.get(uri).is_some_and(|known| worth(&entry) < worth(known));
        if !is_worse {
            self.lists.insert(uri.to_owned(), entry);
        }
        !is_worse
    }

    fn verify_list(&self, uri: &str, fetched: &FetchedList) -> Result<SignedList, StatusDoubt> {
        let name = key_name(&fetched.token).map_err(StatusDoubt::List)?.ok_or(StatusDoubt::SignerUnknown)?;
        let signer = self.dids.get(name.did()).and_then(|known| known.value.as_ref());
        let history = signer.ok_or(StatusDoubt::SignerUnknown)?;
        // A key's id means one key for ever.
        let named = |record: &&KeyRecord| record.id == name.fragment() && record.key_use == KeyUse::AssertionMethod;
        let key = history.keys.iter().find(named).ok_or(StatusDoubt::SignerUnknown)?.jwk.key();
        let reference = Reference { index: 0, uri: uri.to_owned() };
        let token = StatusListToken::verify(&fetched.token, key, &reference, fetched.fetched_at, LIST_LEEWAY);
        Ok(SignedList { token, key: name })
    }

    /// Remembers a checkpoint that the trust root certified, such as one that a presentation brought along
    /// ([`super::Verified::newly_certified`]): all credentials of one batch come with the same one. It never goes
    /// stale, since it says what was, not what is.
    pub fn remember(&mut self, checkpoint: CertifiedCheckpoint) {
        if self.checkpoints.len() >= MAX_CHECKPOINTS {
            self.checkpoints.clear();
        }
        self.checkpoints.insert(*checkpoint.note_digest(), checkpoint);
    }

    /// Forgets evidence older than `freshness` allows, so that a cache does not grow for ever.
    pub fn forget_stale(&mut self, freshness: Freshness, now: UnixSeconds) {
        let fresh = |as_of: UnixSeconds| freshness.check(as_of, now).is_ok();
        self.dids.retain(|_, known| fresh(known.as_of));
        self.accreditations.retain(|_, known| fresh(known.as_of));
        self.types.retain(|_, known| fresh(known.as_of));
        self.thumbprints.retain(|_, known| fresh(known.as_of));
        self.duties.retain(|_, known| fresh(known.as_of));
        self.lists.retain(|_, entry| entry.is_usable(freshness, now));
    }

    /// What of `needs` is missing, stale, or too old to know the log index it must know: what is to be fetched.
    #[must_use]
    pub fn missing(&self, needs: &Needs, freshness: Freshness, now: UnixSeconds) -> Needs {
        let lacks = |key: &str, at_least: u64| {
            let found = key.split_once('/').and_then(|(kind, name)| self.extent(kind, name));
            found.is_none_or(|(until, as_of)| until < at_least || freshness.check(as_of, now).is_err())
        };
        let states = needs.states.iter().filter(|(key, at_least)| lacks(key, **at_least));
        let usable = |uri: &String| {
            let holds = |entry| self.current(entry).and_then(SignedList::token).is_ok();
            self.lists.get(uri).is_some_and(|entry| holds(entry) && entry.is_usable(freshness, now))
        };
        let lists = needs.status_lists.iter().filter(|(uri, _)| !usable(uri));
        Needs {
            states: states.map(|(key, at_least)| (key.clone(), *at_least)).collect(),
            status_lists: lists.map(|(uri, signer)| (uri.clone(), signer.clone())).collect(),
        }
    }

    fn extent(&self, kind: &str, name: &str) -> Option<(u64, UnixSeconds)> {
        fn of<T>(known: &Known<T>) -> (u64, UnixSeconds) {
            (known.until, known.as_of)
        }
        match kind {
            "did" => self.dids.get(&Did::parse(name).ok()?).map(of),
            "accreditation" => self.accreditations.get(&Did::parse(name).ok()?).map(of),
            "schema" => self.types.get(name).map(of),
            "thumbprint" => self.thumbprints.get(&parse_thumbprint(name)?).map(of),
            "duty" => self.duties.get(name).map(of),
            _ => None,
        }
    }

    /// The document of a ledger DID as of the newest index the evidence knows.
    ///
    /// # Errors
    /// [`EvidenceError`] if there is no fresh evidence, or it proves that there is no such DID.
    pub fn document(&self, did: &Did, freshness: Freshness, now: UnixSeconds) -> Result<Document, EvidenceError> {
        let known = self.did(did, Reading::fresh(freshness, now))?;
        known.value()?.document_at(known.until).ok_or(EvidenceError::Absent)
    }

    /// The public name of a ledger DID, as it registered it; `None` for a DID without one, or none at all.
    ///
    /// # Errors
    /// [`EvidenceError`] if there is no fresh evidence.
    pub fn label(&self, did: &Did, freshness: Freshness, now: UnixSeconds) -> Result<Option<&Label>, EvidenceError> {
        let known = self.did(did, Reading::fresh(freshness, now))?;
        Ok(known.value().ok().and_then(|history| history.label.as_ref()))
    }

    /// Who holds the public key with this RFC 7638 thumbprint, as of the newest index the evidence knows: the DID of an
    /// `x509_hash` client, whose leaf certificate has that key.
    ///
    /// # Errors
    /// [`EvidenceError`] if there is no fresh evidence; [`EvidenceError::Absent`] if it proves that nobody does.
    pub fn thumbprint_owner(
        &self,
        thumbprint: &Hash,
        freshness: Freshness,
        now: UnixSeconds,
    ) -> Result<&Did, EvidenceError> {
        self.owner_by(thumbprint, Reading::fresh(freshness, now))
    }

    /// As [`Self::thumbprint_owner`], as of whenever `reading` says.
    pub(super) fn owner_by(&self, thumbprint: &Hash, reading: Reading<'_>) -> Result<&Did, EvidenceError> {
        let known = usable(self.thumbprints.get(thumbprint), reading)?;
        known.value()?.owner_at(reading.index(known.until)).ok_or(EvidenceError::Absent)
    }

    pub(super) fn did(&self, did: &Did, reading: Reading<'_>) -> Result<&Known<DidHistory>, EvidenceError> {
        usable(self.dids.get(did), reading)
    }

    pub(super) fn accreditation(
        &self,
        did: &Did,
        reading: Reading<'_>,
    ) -> Result<&Known<AccreditationHistory>, EvidenceError> {
        usable(self.accreditations.get(did), reading)
    }

    pub(super) fn duty(
        &self,
        department: &Did,
        number: &str,
        reading: Reading<'_>,
    ) -> Result<&Known<DutyHistory>, EvidenceError> {
        usable(self.duties.get(&format!("{department}/{number}")), reading)
    }

    pub(super) fn credential_type(
        &self,
        vct: &str,
        reading: Reading<'_>,
    ) -> Result<&Known<SchemaHistory>, EvidenceError> {
        usable(self.types.get(vct), reading)
    }

    /// The status list at `uri` if `issuer` signed it and the copy may be used: still, or at the past moment, by which it
    /// had been fetched.
    pub(super) fn usable_list(
        &self,
        uri: &str,
        issuer: &Did,
        reading: Reading<'_>,
    ) -> Result<&StatusListToken, StatusDoubt> {
        let entry = self.lists.get(uri).ok_or(StatusDoubt::NoList)?;
        let signed = match reading.when.as_of {
            AsOf::Now => self.current(entry)?,
            AsOf::Past(_) => entry.signed()?,
        };
        let token = signed.token()?;
        if signed.key.did() != issuer {
            return Err(StatusDoubt::OtherSigner);
        }
        let time = reading.when.time();
        match (reading.when.as_of, entry.is_usable(reading.freshness, time)) {
            (AsOf::Now, true) => Ok(token),
            (AsOf::Now, false) => Err(StatusDoubt::Stale),
            (AsOf::Past(moment), true) if entry.fetched_at <= time => match self.had(&signed.key, moment.index()) {
                true => Ok(token),
                false => Err(StatusDoubt::SignerUnknown),
            },
            (AsOf::Past(_), _) => Err(StatusDoubt::OtherTime),
        }
    }

    /// A list whose signer still has the key, by the newest that is known of it.
    fn current<'e>(&self, entry: &'e ListEntry) -> Result<&'e SignedList, StatusDoubt> {
        let signed = entry.signed()?;
        let newest = self.dids.get(signed.key.did()).map(|known| known.until);
        let has = newest.is_some_and(|newest| self.had(&signed.key, newest));
        if has { Ok(signed) } else { Err(StatusDoubt::SignerUnknown) }
    }

    /// Whether a key signed lists and credentials for its DID at a log index.
    fn had(&self, key: &DidUrl, index: u64) -> bool {
        let history = self.dids.get(key.did()).and_then(|known| known.value_at(index).ok());
        history.is_some_and(|history| history.key_at(index, key.fragment(), KeyUse::AssertionMethod).is_some())
    }

    /// Verifies an anchor proof, without the signatures of a checkpoint that was certified before. Gives the
    /// checkpoint if it was certified only now.
    pub(super) fn verify_anchor(
        &self,
        proof: &AnchorProof,
        digest: &Hash,
        kind: AnchorKind,
    ) -> Result<(AnchoredAt, Option<CertifiedCheckpoint>), AnchorError> {
        let mut newly = None;
        let anchored = proof.verify_with(digest, kind, self.trust_root.origin(), |note| {
            match self.checkpoints.get(&sha256(note.as_bytes())) {
                Some(checkpoint) => Ok(Cow::Borrowed(checkpoint)),
                None => {
                    let checkpoint = self.trust_root.verify_checkpoint(note)?;
                    newly = Some(checkpoint.clone());
                    Ok(Cow::Owned(checkpoint))
                }
            }
        })?;
        if newly.as_ref().is_some_and(|checkpoint| self.contradicts(checkpoint)) {
            return Err(AnchorError::SplitView);
        }
        Ok((anchored, newly))
    }

    /// Whether a checkpoint that the trust root certified shows the same history as all that is known here.
    pub(super) fn agrees_with(&self, checkpoint: &CertifiedCheckpoint) -> bool {
        checkpoint.checkpoint().origin == self.trust_root.origin() && !self.contradicts(checkpoint)
    }

    /// Whether the ledger certified another history to us before: then nothing that it says can be relied on.
    fn contradicts(&self, checkpoint: &CertifiedCheckpoint) -> bool {
        self.checkpoints.values().any(|known| split_view(known, checkpoint).is_some())
    }
}

impl<T> Known<T> {
    /// What is proven to be there.
    pub(super) fn value(&self) -> Result<&T, EvidenceError> {
        self.value.as_ref().ok_or(EvidenceError::Absent)
    }

    /// What is proven to be there, if the proof can answer for `index`.
    pub(super) fn value_at(&self, index: u64) -> Result<&T, EvidenceError> {
        if index > self.until { Err(EvidenceError::OlderThanAnchor) } else { self.value() }
    }
}

fn usable<'k, T>(known: Option<&'k Known<T>>, reading: Reading<'_>) -> Result<&'k Known<T>, EvidenceError> {
    let known = known.ok_or(EvidenceError::Missing)?;
    reading.check(known)?;
    Ok(known)
}

fn known<T>(value: Option<T>, proven: &ProvenState) -> Known<T> {
    Known { value, until: trust::known_until(proven), as_of: cosigned_at(proven.checkpoint()) }
}

fn present<T>(history: Result<T, TrustError>) -> Result<Option<T>, EvidenceError> {
    match history {
        Ok(history) => Ok(Some(history)),
        Err(TrustError::Absent) => Ok(None),
        Err(error) => Err(EvidenceError::Trust(error)),
    }
}

/// The key that a status list claims to be signed by; `None` if it is no name of a DID's key.
fn key_name(token: &str) -> Result<Option<DidUrl>, StatusError> {
    let jws = UnverifiedJws::parse_limited(token, limits::STATUS_TOKEN)?;
    Ok(DidUrl::parse(jws.header().kid()?).ok())
}

/// Department and duty number, out of the name of a duty's history.
fn parse_duty(name: &str) -> Option<(Did, &str)> {
    let (department, number) = name.split_once('/')?;
    Some((Did::parse(department).ok()?, number))
}

/// One spelling per thumbprint: base64url of 32 bytes.
fn parse_thumbprint(name: &str) -> Option<Hash> {
    base64url::decode_array::<32>(name).ok().map(Hash::from)
}

/// Newer is what knows more of the log; of two that know as much, the one that was cosigned later.
fn keep<K: std::hash::Hash + Eq, T>(known: &mut HashMap<K, Known<T>>, key: K, new: Known<T>) {
    match known.get(&key) {
        Some(old) if (old.until, old.as_of) > (new.until, new.as_of) => {}
        Some(_) | None => {
            known.insert(key, new);
        }
    }
}

/// Cosignature times are seconds in a `u64`; one beyond `i64` is from the future whatever the clock says.
fn cosigned_at(checkpoint: &CertifiedCheckpoint) -> UnixSeconds {
    UnixSeconds(i64::try_from(checkpoint.cosigned_at()).unwrap_or(i64::MAX))
}
