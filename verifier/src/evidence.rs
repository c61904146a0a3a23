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
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures_util::future::join_all;
use identity_core::did::Did;
use identity_core::oid4vp::Parameters;
use identity_core::problem::Code;
use identity_core::registry::{Grant, Role, accreditation_key, did_key, duty_key, schema_key};
use identity_core::time::UnixSeconds;
use identity_core::trust;
use identity_core::verdict::{Evidence, Excess, FetchedList, Freshness, Needs, PreparedEvidence, standing};
use ledger::{CertifiedCheckpoint, StateProof, TrustRoot};
use serde::{Deserialize, Serialize};
use service_kit::ledger_client::LedgerClient;

pub(crate) use source::Source;

use crate::store::{Piece, VerifierStore};

/// The most keys of the state that are kept at hand. A presentation names its issuer, so strangers could make this
/// grow; beyond the limit evidence is used once and not kept.
const MAX_KEPT: usize = 4096;

/// State proofs asked of the ledger at one time: a large consortium must not look like a flood to its own node.
const FETCHES_AT_ONCE: usize = 16;

/// What is at hand.
struct AtHand {
    states: BTreeMap<String, KnownState>,
    lists: BTreeMap<String, StatusList>,
    proven: PreparedEvidence,
}

/// A state proof with the last log index that it knows.
struct KnownState {
    proof: StateProof,
    until: u64,
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
    /// Duty number of our service account, if there is one.
    service_duty: Option<String>,
    /// Types that we understand.
    types: Vec<String>,
}

impl EvidenceCache {
    pub(crate) fn new(
        source: Source,
        store: VerifierStore,
        freshness: Freshness,
        own: Did,
        service_duty: Option<String>,
        types: Vec<String>,
    ) -> Self {
        let proven = PreparedEvidence::new(TrustRoot::clone(&source.trust_root()));
        let at_hand = RwLock::new(AtHand { states: BTreeMap::new(), lists: BTreeMap::new(), proven });
        Self { at_hand, source, store, freshness, own, service_duty, types }
    }

    /// Whom everything is verified against.
    pub(crate) fn trust_root(&self) -> Arc<TrustRoot> {
        self.source.trust_root()
    }

    /// The ledger, for whatever else is asked of it or brought onto it.
    pub(crate) fn ledger(&self) -> &LedgerClient {
        self.source.ledger()
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
                at_hand.add_list(name.trim_start_matches(LIST_PREFIX).to_owned(), list, self.freshness);
            }
        }
        Ok(())
    }

    /// Fetches what `needs` lists and is missing or stale. What cannot be had stays missing: the verdict says what
    /// that means.
    pub(crate) async fn gather(&self, needs: &Needs, now: UnixSeconds) {
        let missing = self.read().proven.missing(needs, self.freshness, now);
        let mut kept = self.fetch_states(missing.states.into_keys()).await.kept;
        // After the states: who may be asked for a list is read from them, and whether the key of one at hand still counts.
        let missing = self.read().proven.missing(needs, self.freshness, now);
        kept.extend(self.fetch_lists(missing.status_lists, now).await);
        self.keep(kept).await;
    }

    /// Fetches the states that `needs` lists anew, whatever is at hand. Without the ledger, what is at hand stays.
    pub(crate) async fn renew(&self, needs: &Needs) {
        let kept = self.fetch_states(needs.states.keys().cloned()).await.kept;
        self.keep(kept).await;
    }

    /// Fetches everything anew: our own standing, the types we understand, the members' standings, whatever was
    /// wanted before, and its status lists. Answers whether the ledger could be reached.
    pub(crate) async fn refresh(&self, now: UnixSeconds) -> bool {
        let mut parties: BTreeSet<Did> = self.source.members().await.into_iter().collect();
        parties.insert(self.own.clone());
        let mut keys: BTreeSet<String> = self.types.iter().map(|vct| schema_key(vct)).collect();
        keys.extend(parties.iter().flat_map(|did| [did_key(did), accreditation_key(did)]));
        keys.extend(self.read().states.keys().cloned());
        keys.extend(self.service_duty.as_ref().map(|duty| duty_key(&self.own, duty)));
        let mut fetched = self.fetch_states(keys).await;
        let lists: BTreeMap<String, Did> =
            self.read().lists.iter().map(|(uri, list)| (uri.clone(), list.signer.clone())).collect();
        fetched.kept.extend(self.fetch_lists(lists, now).await);
        self.write().forget_stale(self.freshness, now);
        self.keep(fetched.kept).await;
        fetched.reached
    }

    /// Asks `question` of the proven evidence.
    pub(crate) fn with<T>(&self, question: impl FnOnce(&PreparedEvidence) -> T) -> T {
        question(&self.read().proven)
    }

    /// Remembers checkpoints that a verdict certified: all credentials of one batch come with the same one.
    pub(crate) fn remember(&self, certified: &[CertifiedCheckpoint]) {
        if !certified.is_empty() {
            let mut at_hand = self.write();
            certified.iter().for_each(|checkpoint| at_hand.proven.remember(checkpoint.clone()));
        }
    }

    /// The evidence for `needs`, as it travelled, for whoever judges again.
    pub(crate) fn excerpt(&self, needs: &Needs) -> Evidence {
        let at_hand = self.read();
        let states = needs.states.keys().filter_map(|key| Some(at_hand.states.get(key)?.proof.clone()));
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

    async fn fetch_states(&self, keys: impl IntoIterator<Item = String>) -> Fetched {
        let mut fetched = Fetched::default();
        let keys: Vec<String> = keys.into_iter().collect();
        for some in keys.chunks(FETCHES_AT_ONCE) {
            let asked = some.iter().map(async |key| (self.source.state(key).await, key));
            for (answer, key) in join_all(asked).await {
                match answer {
                    Ok(proof) => {
                        fetched.reached = true;
                        self.follow_validators();
                        let bytes = serde_json::to_vec(&proof).unwrap_or_default();
                        if self.write().add_state(proof) {
                            fetched.kept.push((key.clone(), bytes));
                        }
                    }
                    Err(error) => tracing::warn!(code = error.code().as_str(), "no state proof from the ledger"),
                }
            }
        }
        fetched
    }

    /// Where other validators came into force meanwhile, what was proven is proven anew, or forgotten: the keys of the
    /// set before say nothing any more.
    fn follow_validators(&self) {
        let trust_root = self.source.trust_root();
        if *self.read().proven.trust_root() == *trust_root {
            return;
        }
        let mut at_hand = self.write();
        let (states, lists) = (std::mem::take(&mut at_hand.states), std::mem::take(&mut at_hand.lists));
        at_hand.proven = PreparedEvidence::new(TrustRoot::clone(&trust_root));
        for known in states.into_values() {
            at_hand.add_state(known.proof);
        }
        for (uri, list) in lists {
            at_hand.add_list(uri, list, self.freshness);
        }
    }

    async fn fetch_lists(&self, lists: BTreeMap<String, Did>, now: UnixSeconds) -> Vec<Piece> {
        let mut kept = Vec::new();
        for (uri, signer) in lists {
            if !self.may_fetch(&uri, &signer, now) {
                tracing::warn!("a status list lies outside the addresses of an accredited issuer");
                continue;
            }
            match self.source.status_list(&uri).await {
                Ok(token) => {
                    let list = StatusList { signer, fetched: FetchedList { token, fetched_at: now } };
                    let bytes = serde_json::to_vec(&list).unwrap_or_default();
                    if self.write().add_list(uri.clone(), list, self.freshness) {
                        kept.push((format!("{LIST_PREFIX}{uri}"), bytes));
                    }
                }
                Err(error) => tracing::warn!(code = error.code().as_str(), "no status list from an issuer"),
            }
        }
        kept
    }

    /// Whether `uri` lies below an address that `signer` registers as an accredited issuer.
    fn may_fetch(&self, uri: &str, signer: &Did, now: UnixSeconds) -> bool {
        let at_hand = self.read();
        let Ok(document) = at_hand.proven.document(signer, self.freshness, now) else { return false };
        let registered = document.services().iter().any(|service| {
            service.kind == "XinfuIssuer" && uri.strip_prefix(&service.endpoint).is_some_and(is_plain_path)
        });
        registered && at_hand.is_accredited_issuer(signer)
    }

    async fn keep(&self, pieces: Vec<Piece>) {
        // Losing this costs one fetch after a restart, so a full disk must not stop verdicts.
        if let Err(error) = self.store.put_evidence(pieces).await {
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

/// Whether `rest` stays below the address before it, and names one thing only once: a query would let a stranger
/// name one list in a thousand ways.
fn is_plain_path(rest: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    rest.starts_with('/') && rest.len() <= MAX_LIST_PATH && !rest.contains("..") && rest.bytes().all(plain)
}

/// Longest path of a status list below its issuer's address, in bytes; ours have about 20.
const MAX_LIST_PATH: usize = 256;

/// What a round of fetching brought.
#[derive(Default)]
struct Fetched {
    /// What is new, to be kept for the next start.
    kept: Vec<Piece>,
    /// Whether anyone answered.
    reached: bool,
}

/// Names of status lists in the store.
const LIST_PREFIX: &str = "list/";

impl AtHand {
    /// Takes in a state proof if it proves and says more than what is at hand; answers whether it is new to keep.
    fn add_state(&mut self, proof: StateProof) -> bool {
        if self.states.get(&proof.key).is_some_and(|known| known.proof == proof) {
            return false;
        }
        let Ok(proven) = proof.verify(self.proven.trust_root()) else { return false };
        let (key, until) = (proven.key().to_owned(), trust::known_until(&proven));
        let older = self.states.get(&key).is_some_and(|known| known.until > until);
        if older || self.proven.add_state(&proof).is_err() {
            return false;
        }
        let room = self.states.len() < MAX_KEPT || self.states.contains_key(&key);
        if room {
            self.states.insert(key, KnownState { proof, until });
        }
        room
    }

    /// Takes in a status list if it is not older than the one at hand; answers whether it is to be kept. What an address
    /// serves that is no list of its own is remembered as a doubt at most, so that it takes no room.
    fn add_list(&mut self, uri: String, list: StatusList, freshness: Freshness) -> bool {
        if !self.proven.add_status_list(&uri, &list.fetched) {
            return false;
        }
        let needs =
            Needs { states: BTreeMap::new(), status_lists: BTreeMap::from([(uri.clone(), list.signer.clone())]) };
        let usable = self.proven.missing(&needs, freshness, list.fetched.fetched_at).status_lists.is_empty();
        let room = self.lists.len() < MAX_KEPT || self.lists.contains_key(&uri);
        let kept = usable && room;
        if kept {
            self.lists.insert(uri, list);
        }
        kept
    }

    fn is_accredited_issuer(&self, did: &Did) -> bool {
        let Some(known) = self.states.get(&accreditation_key(did)) else { return false };
        let Ok(proven) = known.proof.verify(self.proven.trust_root()) else { return false };
        let issues = |grant: &Grant| grant.role == Role::Issuer && grant.holds_at(known.until);
        trust::accreditations(&proven, did).is_ok_and(|history| history.grants.iter().any(issues))
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
