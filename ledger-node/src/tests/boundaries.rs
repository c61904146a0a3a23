//! One set of validators ends and another begins: what is sealed, kept, checked at rest, and served as a walk.

use std::sync::Arc;

use identity_core::crypto::Signer as _;
use identity_core::registry::{
    Change, Envelope, Genesis, GenesisMember, GenesisValidator, OnProposal, Operation, Propose, Transaction,
    make_transaction, validator_set,
};
use identity_core::time::UnixSeconds;
use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::walk::{Walk, Walked};
use ledger::{Hash, TrustRoot};
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Batch, Store as _};
use tokio::runtime::Runtime;

use super::world::{NOW, Served, department, key, later};
use crate::engine::Ordered;
use crate::executor::{Executor, Outcome};
use crate::fsck::{Finding, fsck};
use crate::node::Round;
use crate::past::{self, Shown};
use crate::resume::last_round;
use crate::store::{SyncStore, boundary_key};
use crate::{Chain, boundary};

/// The chain's one validator: its keys follow from a number.
pub(crate) fn validator(number: u8) -> GenesisValidator {
    let public = |place: u8| Hash::from_slice(key(place).public_key().bytes()).unwrap();
    let (log, witness) = (public(number), public(number + 1));
    GenesisValidator { name: "solo".into(), member: None, log, witness, peer: None }
}

/// Two members, two blocks an epoch; the validator gets other keys in block 1, the last of its epoch.
pub(crate) struct AtRest {
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) chain: Chain,
    pub(crate) executor: Executor,
}

impl AtRest {
    pub(crate) fn new() -> Self {
        let founders = [department(50), department(10)];
        let member = |place: usize| GenesisMember { did: founders[place].did().clone(), name: "Sample".into() };
        let genesis = Genesis {
            chain: "sample".into(),
            time: NOW.to_millis().0,
            members: vec![member(0), member(1)],
            authorities: vec![founders[0].did().clone()],
            creates: founders.iter().map(|create| create.as_str().to_owned()).collect(),
            validators: vec![validator(200)],
            epoch: Some(2),
            votes: None,
        };
        let chain = Chain::new(serde_json::to_vec(&genesis).unwrap()).unwrap();
        let (runtime, store) = (Runtime::new().unwrap(), Arc::new(MemoryStore::new()));
        let sync = SyncStore::new(store.clone(), runtime.handle().clone());
        let executor = Executor::open(sync, chain.clone()).unwrap();
        Self { runtime, store, chain, executor }
    }

    pub(crate) fn sync(&self) -> SyncStore {
        SyncStore::new(self.store.clone(), self.runtime.handle().clone())
    }

    pub(crate) fn signed(&self, seed: u8, seq: u64, operation: &Operation) -> Transaction {
        let envelope = Envelope { aud: self.chain.origin().to_owned(), seq, exp: NOW.plus(60).0 };
        let (did, key) = (department(seed).did().clone(), key(seed + 3));
        Transaction::parse(&make_transaction(&envelope, operation, &did, "invoke-1", &key).unwrap()).unwrap()
    }

    pub(crate) fn execute(&mut self, height: u64, transactions: Vec<Transaction>) {
        let time = later(i64::try_from(height).unwrap());
        let outcomes = self.executor.execute(&Ordered { height, time, transactions }).unwrap();
        assert!(outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Accepted(_))), "{outcomes:?}");
    }

    /// Block 1: both members want other keys for the validator.
    pub(crate) fn decide(&mut self) {
        let did = department(50).did().clone();
        let change = Change::Validator { did, validator: Some(validator(210)) };
        let propose = self.signed(50, 1, &Operation::Propose(Propose { change, until: NOW.plus(60).0 }));
        let approve = self.signed(10, 1, &Operation::Approve(OnProposal { proposal: self.executor.head().size }));
        self.execute(1, vec![propose, approve]);
    }

    /// The head, certified by the validator with the keys of this number.
    pub(crate) fn certified(&self, number: u8) -> Round {
        let head = self.executor.head().clone();
        let note = self.note(number, head.size, head.root);
        Round { head, note, at: NOW }
    }

    /// A note over a log of this size and root, by the validator with the keys of this number.
    pub(crate) fn note(&self, number: u8, size: u64, root: Hash) -> String {
        self.note_at(NOW, number, size, root)
    }

    pub(crate) fn note_at(&self, now: UnixSeconds, number: u8, size: u64, root: Hash) -> String {
        let checkpoint = Checkpoint { origin: self.chain.origin().into(), size, root };
        let set = validator_set(self.chain.origin(), &[validator(number)]).unwrap();
        let keys = &set.validators()[0];
        let log = checkpoint.sign(&keys.log, |bytes| key(number).sign(bytes).unwrap()).unwrap();
        let time = u64::try_from(now.0).unwrap();
        let witness = cosign(&checkpoint, &keys.witness, time, |bytes| key(number + 1).sign(bytes).unwrap()).unwrap();
        checkpoint.to_note([log, witness]).unwrap().to_string()
    }

    pub(crate) fn keep(&self, round: &Round) {
        boundary::keep(&self.sync(), &round.head, &round.note).unwrap();
    }

    pub(crate) fn walk(&self, round: &Round, from: &TrustRoot) -> Option<Walk> {
        boundary::walk(&self.sync(), round, &from.digest()).unwrap()
    }

    pub(crate) fn check(&self) -> Result<(), Finding> {
        fsck(self.store.clone(), &self.chain, self.runtime.handle().clone()).map(|_| ())
    }

    pub(crate) fn put(&self, key: &[u8], value: &[u8]) {
        self.runtime.block_on(self.store.commit(Batch::new().put(key, value))).unwrap();
    }

    fn has_note(&self, index: u64) -> bool {
        self.runtime.block_on(self.store.get(&boundary_key(index))).unwrap().is_some()
    }
}

#[test]
fn a_node_serves_the_walk_from_its_genesis_to_the_set_in_force() {
    let mut node = AtRest::new();
    let genesis = node.chain.trust_root().clone();
    node.decide();
    let boundary = node.certified(200);
    node.keep(&boundary);
    let seal_index = boundary.head.size - 1;
    assert!(node.has_note(seal_index));
    // The new set has sealed nothing yet: the walk leads to it, and does not say that it is the newest.
    let walk = node.walk(&boundary, &genesis).unwrap();
    assert_eq!((walk.steps.len(), walk.newest.is_none()), (1, true));

    node.execute(2, Vec::new());
    let round = node.certified(210);
    node.keep(&round);
    assert!(!node.has_note(round.head.size - 1), "an ordinary seal leaves no note");
    let walked = Walked::from(genesis.clone()).along(&node.walk(&round, &genesis).unwrap()).unwrap();
    assert!(walked.has_arrived());
    assert_eq!(walked.checkpoint().unwrap().size(), round.head.size);
    // Whoever stands there already is told that it is the newest; whoever stands elsewhere is unknown.
    let standing = node.walk(&round, walked.trust_root()).unwrap();
    assert!(standing.steps.is_empty() && Walked::from(walked.trust_root().clone()).along(&standing).is_ok());
    let other = validator_set(node.chain.origin(), &[validator(220)]).unwrap().to_policy_text();
    assert_eq!(node.walk(&round, &TrustRoot::parse(&other).unwrap()), None);
    assert_eq!(node.check(), Ok(()));
}

/// It dies before the published checkpoint was kept, too: whoever lacks the note of the set that ended asks for it.
#[test]
fn a_node_that_kept_the_note_shows_it_again_as_long_as_nothing_is_newer() {
    let mut node = AtRest::new();
    let first = node.certified(200);
    node.put(b"checkpoint", first.note.as_bytes());
    let shown = |node: &AtRest| last_round(&node.sync(), &node.chain).unwrap().map(|round| round.head);
    assert_eq!(shown(&node), Some(first.head.clone()));
    node.decide();
    assert_eq!(shown(&node), Some(first.head));
    let boundary = node.certified(200);
    node.keep(&boundary);
    assert_eq!(shown(&node), Some(boundary.head.clone()));
    node.put(b"checkpoint", boundary.note.as_bytes());
    node.execute(2, Vec::new());
    assert_eq!(shown(&node), Some(boundary.head));
    let newest = node.certified(210);
    node.put(b"checkpoint", newest.note.as_bytes());
    assert_eq!(shown(&node), Some(newest.head));
}

#[test]
fn what_follows_the_last_seal_of_a_set_is_left_to_the_next_one_to_tell() {
    let mut node = AtRest::new();
    let (hour, minute) = (NOW.plus(3_600), u64::try_from(NOW.plus(60).to_millis().0).unwrap());
    let certified = |node: &AtRest, number| {
        let head = node.executor.head().clone();
        let note = node.note_at(hour, number, head.size, head.root);
        Round { head, note, at: hour }
    };
    let shown = |node: &AtRest, round: &Round| past::show(&node.sync(), round, 0, minute).unwrap();
    let root =
        |number| TrustRoot::parse(&validator_set(node.chain.origin(), &[validator(number)]).unwrap().to_policy_text());
    let (genesis, next) = (root(200).unwrap(), root(210).unwrap());
    let told = |shown: Shown, by: &TrustRoot| match shown {
        Shown::Proof(proof) => Some(proof.verify(by, minute).unwrap().is_closed()),
        _ => None,
    };
    let first = certified(&node, 200);
    assert_eq!(told(shown(&node, &first), &genesis), Some(false));
    node.decide();
    let boundary = certified(&node, 200);
    assert!(matches!(shown(&node, &boundary), Shown::NotYetKnown));
    node.execute(2, Vec::new());
    let newest = certified(&node, 210);
    assert_eq!(told(shown(&node, &newest), &next), Some(false));
}

#[test]
fn a_node_that_lost_the_note_leads_nowhere_and_says_nothing_false() {
    let mut node = AtRest::new();
    let genesis = node.chain.trust_root().clone();
    node.decide();
    node.execute(2, Vec::new());
    let round = node.certified(210);
    assert_eq!(node.walk(&round, &genesis), Some(Walk { steps: Vec::new(), newest: None }));
    assert_eq!(node.check(), Ok(()), "a note is no part of the chain");
}

#[test]
fn fsck_checks_the_notes_by_the_set_of_their_time() {
    let mut node = AtRest::new();
    node.decide();
    let boundary = node.certified(200);
    let early = node.certified(210);
    node.execute(2, Vec::new());
    let (old, new) = (node.certified(200), node.certified(210));
    let key = boundary_key(boundary.head.size - 1);
    for (note, sound) in [(&boundary.note, true), (&early.note, false), (&new.note, false)] {
        node.put(&key, note.as_bytes());
        assert_eq!(node.check().is_ok(), sound, "{note}");
    }
    node.put(&key, boundary.note.as_bytes());
    for (note, sound) in [(&new.note, true), (&old.note, false)] {
        node.put(b"checkpoint", note.as_bytes());
        assert_eq!(node.check().is_ok(), sound, "the published note is the new set's: {note}");
    }
    node.put(b"checkpoint", new.note.as_bytes());
    node.put(&boundary_key(1), boundary.note.as_bytes());
    assert!(matches!(node.check(), Err(Finding::Leftover(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_policies_and_walks_are_served() {
    let served = Served::new().await;
    let genesis = served.founded.trust_root();
    let digest = genesis.digest().to_base64url();
    let policy = std::fs::read_to_string(&served.founded.done.trust_root).unwrap();
    assert_eq!(served.get("/trust-root").await.text(), policy);
    assert_eq!(served.get(&format!("/trust/policies/{digest}")).await.text(), policy);
    let walk = Walk::parse(&served.get(&format!("/trust/walk?from={digest}")).await.body).unwrap();
    let walked = Walked::from(genesis).along(&walk).unwrap();
    assert_eq!((walked.has_arrived(), walked.policy()), (true, None));
    let validators = served.get("/registry/validators").await.json();
    assert_eq!(validators["in_force"][0]["name"], "solo");
    assert_eq!(validators["sets"][0]["policy"], digest);

    let other = Hash::from([7; 32]).to_base64url();
    for (path, status, code) in [
        (format!("/trust/policies/{other}"), 404, "ledger.entry.unknown"),
        ("/trust/policies/x".into(), 400, "ledger.digest.malformed"),
        (format!("/trust/walk?from={other}"), 404, "ledger.walk.unknown"),
        ("/trust/walk?from=x".into(), 400, "ledger.digest.malformed"),
        ("/trust/walk".into(), 400, "ledger.digest.malformed"),
    ] {
        let answer = served.get(&path).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }

    assert_eq!(served.get("/registry/proposals").await.text(), "[]");
    let change = Change::Expel { did: served.founded.department.did().clone() };
    let propose = Operation::Propose(Propose { change, until: NOW.plus(60).0 });
    assert_eq!(served.submit(&served.founded.transaction(1, &propose)).await.status, 200);
    let proposals = served.get("/registry/proposals").await.json();
    assert_eq!((&proposals[0]["number"], &proposals[0]["change"]["kind"]), (&3.into(), &"expel".into()));
    served.running.stop().await;
}
