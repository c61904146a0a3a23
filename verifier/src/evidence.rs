//! Evidence at hand: what the ledger and the issuers say, proven once, with its age, so that a verdict asks nobody.
//!
//! Two forms of the same: `raw`, as it travelled, which a case keeps to be judged again, and `proven`, which a
//! verdict reads. Both change together, under one lock. Nothing is believed because it lies in our store: after a
//! restart everything is proven again from the trust root.
//!
//! What is fetched is never a presentation's choice. State proofs come from our ledger node. A status list is
//! fetched only below an address that its issuer's DID registers, and only if the ledger shows that issuer
//! accredited; anything else stays undetermined.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use identity_core::did::Did;
use identity_core::oid4vp::Parameters;
use identity_core::problem::Code;
use identity_core::registry::{accreditation_key, did_key, schema_key};
use identity_core::time::UnixSeconds;
use identity_core::trust;
use identity_core::verdict::{Evidence, Excess, FetchedList, Freshness, Needs, PreparedEvidence, standing};
use ledger::{StateProof, TrustRoot};
use serde::{Deserialize, Serialize};

pub(crate) use source::Source;

use crate::store::{Piece, VerifierStore};

/// The most keys of the state that are kept at hand. A presentation names its issuer, so strangers could make this
/// grow; beyond the limit evidence is used once and not kept.
const MAX_KEPT: usize = 4096;

/// What is at hand.
struct AtHand {
    states: BTreeMap<String, StateProof>,
    lists: BTreeMap<String, StatusList>,
    proven: PreparedEvidence,
}

/// A status list with the issuer it belongs to.
#[derive(Clone, Serialize, Deserialize)]
struct StatusList {
    signer: Did,
    #[serde(flatten)]
    fetched: FetchedList,
}

/// The evidence of one verifier.
pub(crate) struct EvidenceCache {
    at_hand: RwLock<AtHand>,
    source: Source,
    store: VerifierStore,
    freshness: Freshness,
    /// Ourselves: our own history and accreditation are evidence too.
    own: Did,
    /// Types that we understand.
    types: Vec<String>,
}

impl EvidenceCache {
    pub(crate) fn new(
        source: Source,
        store: VerifierStore,
        freshness: Freshness,
        own: Did,
        types: Vec<String>,
    ) -> Self {
        let proven = PreparedEvidence::new(source.trust_root().clone());
        let at_hand = RwLock::new(AtHand { states: BTreeMap::new(), lists: BTreeMap::new(), proven });
        Self { at_hand, source, store, freshness, own, types }
    }

    /// Whom everything is verified against.
    pub(crate) fn trust_root(&self) -> &TrustRoot {
        self.source.trust_root()
    }

    /// Takes back what was kept at the last run. What no longer proves is dropped.
    pub(crate) async fn load(&self) -> Result<(), service_kit::store::StoreError> {
        let kept = self.store.all_evidence().await?;
        let (lists, states): (Vec<Piece>, Vec<Piece>) =
            kept.into_iter().partition(|(name, _)| name.starts_with(LIST_PREFIX));
        let mut at_hand = self.write();
        for (_, bytes) in states {
            if let Ok(proof) = StateProof::parse(&bytes) {
                at_hand.add_state(proof);
            }
        }
        for (name, bytes) in lists {
            if let Ok(list) = serde_json::from_slice(&bytes) {
                at_hand.add_list(name.trim_start_matches(LIST_PREFIX).to_owned(), list);
            }
        }
        Ok(())
    }

    /// Fetches what `needs` lists and is missing or stale. What cannot be had stays missing: the verdict says what
    /// that means.
    pub(crate) async fn gather(&self, needs: &Needs, now: UnixSeconds) {
        let missing = self.read().proven.missing(needs, self.freshness, now);
        for key in missing.states.keys() {
            self.fetch_state(key).await;
        }
        for (uri, signer) in &missing.status_lists {
            self.fetch_list(uri, signer, now).await;
        }
    }

    /// Fetches everything anew: our own standing, the types we understand, the issuers that the ledger accredits
    /// for them, and their status lists known so far. Answers whether the ledger could be reached.
    pub(crate) async fn refresh(&self, now: UnixSeconds) -> bool {
        let mut parties: BTreeSet<Did> = self.source.members().await.into_iter().collect();
        parties.insert(self.own.clone());
        let mut keys: BTreeSet<String> = self.types.iter().map(|vct| schema_key(vct)).collect();
        keys.extend(parties.iter().flat_map(|did| [did_key(did), accreditation_key(did)]));
        keys.extend(self.read().states.keys().cloned());
        let mut reached = false;
        for key in &keys {
            reached |= self.fetch_state(key).await;
        }
        let lists: Vec<(String, Did)> =
            self.read().lists.iter().map(|(uri, list)| (uri.clone(), list.signer.clone())).collect();
        for (uri, signer) in lists {
            self.fetch_list(&uri, &signer, now).await;
        }
        self.write().forget_stale(self.freshness, now);
        reached
    }

    /// Asks `question` of the proven evidence.
    pub(crate) fn with<T>(&self, question: impl FnOnce(&PreparedEvidence) -> T) -> T {
        question(&self.read().proven)
    }

    /// The evidence for `needs`, as it travelled, for whoever judges again.
    pub(crate) fn excerpt(&self, needs: &Needs) -> Evidence {
        let at_hand = self.read();
        let states = needs.states.keys().filter_map(|key| at_hand.states.get(key).cloned());
        let lists = needs.status_lists.keys();
        let lists = lists.filter_map(|uri| Some((uri.clone(), at_hand.lists.get(uri)?.fetched.clone())));
        Evidence { states: states.collect(), status_lists: lists.collect() }
    }

    /// Where a question goes beyond our own accreditation, as far as we know.
    pub(crate) fn over_asking(&self, asked: &Parameters, now: UnixSeconds) -> Vec<Code> {
        let at_hand = self.read();
        let purpose = asked.purpose.as_deref();
        let standing = standing(&self.own, &asked.query, purpose, &at_hand.proven, self.freshness, now);
        match standing {
            Err(error) => vec![error.code()],
            Ok(standing) => {
                let mut codes: Vec<Code> = standing.excess.iter().map(excess_code).collect();
                codes.dedup();
                codes
            }
        }
    }

    /// Whether our own standing is known and not stale.
    pub(crate) fn knows_ourselves(&self, now: UnixSeconds) -> bool {
        let states = [did_key(&self.own), accreditation_key(&self.own)].map(|key| (key, 0)).into();
        let needs = Needs { states, status_lists: BTreeMap::new() };
        self.read().proven.missing(&needs, self.freshness, now).states.is_empty()
    }

    async fn fetch_state(&self, key: &str) -> bool {
        let proof = match self.source.state(key).await {
            Ok(proof) => proof,
            Err(error) => {
                tracing::warn!(code = error.code().as_str(), "no state proof from the ledger");
                return false;
            }
        };
        let kept = self.write().add_state(proof.clone());
        if kept && let Ok(bytes) = serde_json::to_vec(&proof) {
            self.keep(key, bytes).await;
        }
        true
    }

    async fn fetch_list(&self, uri: &str, signer: &Did, now: UnixSeconds) {
        if !self.may_fetch(uri, signer, now) {
            tracing::warn!("a status list lies outside the addresses of an accredited issuer");
            return;
        }
        match self.source.status_list(uri).await {
            Ok(token) => {
                let list = StatusList { signer: signer.clone(), fetched: FetchedList { token, fetched_at: now } };
                let bytes = serde_json::to_vec(&list).unwrap_or_default();
                if self.write().add_list(uri.to_owned(), list) {
                    self.keep(&format!("{LIST_PREFIX}{uri}"), bytes).await;
                }
            }
            Err(error) => tracing::warn!(code = error.code().as_str(), "no status list from an issuer"),
        }
    }

    /// Whether `uri` lies below an address that `signer` registers as an accredited issuer.
    fn may_fetch(&self, uri: &str, signer: &Did, now: UnixSeconds) -> bool {
        let at_hand = self.read();
        let Ok(document) = at_hand.proven.document(signer, self.freshness, now) else { return false };
        let registered = document.services().iter().any(|service| {
            service.kind == "XinfuIssuer"
                && uri.strip_prefix(&service.endpoint).is_some_and(|rest| rest.starts_with('/') && !rest.contains(".."))
        });
        registered && at_hand.is_accredited_issuer(signer, self.trust_root())
    }

    async fn keep(&self, name: &str, bytes: Vec<u8>) {
        // Losing this costs one fetch after a restart, so a full disk must not stop verdicts.
        if let Err(error) = self.store.put_evidence(name, bytes).await {
            tracing::warn!(%error, "evidence is not kept for the next start");
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, AtHand> {
        self.at_hand.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, AtHand> {
        self.at_hand.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names of status lists in the store.
const LIST_PREFIX: &str = "list/";

impl AtHand {
    /// Takes in a state proof if it proves and is not older than what is at hand.
    fn add_state(&mut self, proof: StateProof) -> bool {
        let trust_root = self.proven.trust_root();
        let Ok(new) = proof.verify(trust_root) else { return false };
        let key = new.key().to_owned();
        let known = self.states.get(&key).and_then(|old| old.verify(trust_root).ok());
        if known.is_some_and(|old| trust::known_until(&old) > trust::known_until(&new)) {
            return false;
        }
        if self.proven.add_state(&proof).is_err() {
            return false;
        }
        let room = self.states.len() < MAX_KEPT || self.states.contains_key(&key);
        if room {
            self.states.insert(key, proof);
        }
        room
    }

    fn add_list(&mut self, uri: String, list: StatusList) -> bool {
        let room = self.lists.len() < MAX_KEPT || self.lists.contains_key(&uri);
        if room {
            self.proven.add_status_list(&uri, &list.fetched);
            self.lists.insert(uri, list);
        }
        room
    }

    fn is_accredited_issuer(&self, did: &Did, trust_root: &TrustRoot) -> bool {
        let Some(proof) = self.states.get(&accreditation_key(did)) else { return false };
        let Ok(proven) = proof.verify(trust_root) else { return false };
        let index = trust::known_until(&proven);
        trust::accreditations(&proven, did).is_ok_and(|history| {
            let issues = |grant: &identity_core::registry::Grant| grant.role == identity_core::registry::Role::Issuer;
            history.grants.iter().any(|grant| issues(grant) && grant.holds_at(index))
        })
    }

    fn forget_stale(&mut self, freshness: Freshness, now: UnixSeconds) {
        self.proven.forget_stale(freshness, now);
        let needs = |key: &String| Needs { states: BTreeMap::from([(key.clone(), 0)]), status_lists: BTreeMap::new() };
        let proven = &self.proven;
        self.states.retain(|key, _| proven.missing(&needs(key), freshness, now).states.is_empty());
    }
}

fn excess_code(excess: &Excess) -> Code {
    match excess {
        Excess::Type { .. } => Code::VerdictAskerType,
        Excess::Claims { .. } => Code::VerdictAskerClaims,
        Excess::Purpose { .. } => Code::VerdictAskerPurpose,
    }
}
