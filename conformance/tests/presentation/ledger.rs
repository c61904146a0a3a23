//! A small ledger in memory: the real rules, four validators, trees made by their definition.

use std::collections::HashMap;

use identity_core::registry::{
    Block, Envelope, Genesis, GenesisMember, GenesisValidator, Operation, Transaction, WriteSet, apply, close_block,
    make_transaction, policy_in_force,
};
use identity_core::time::UnixMillis;
use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::policy::{Validator, ValidatorSet};
use ledger::state::{EMPTY, OtherLeaf, StatePath};
use ledger::tree::{Frontier, InclusionError, NodeReader, leaf_hash, make_inclusion};
use ledger::{Hash, LogProof, Seal, StateProof, sha256};
use serde_json::Value;

use super::parties::{Party, ed25519_key, sign};

/// Names of the validators; the log keys have seeds from 101, the witness keys from 201.
const VALIDATORS: [&str; 4] = ["civil-affairs", "housing-fund", "market-regulation", "public-security"];

pub(crate) struct SampleLedger {
    state: WriteSet,
    block: Block,
    entries: Vec<String>,
    frontier: Frontier,
    nodes: HashMap<(u8, u64), Hash>,
    set: ValidatorSet,
    sent: HashMap<String, u64>,
    /// The time that the last validator states, instead of the right one.
    pub(crate) lie: Option<u64>,
}

impl SampleLedger {
    /// Block 0, at `time` in seconds: the members' creations and a seal.
    pub(crate) fn found(time: i64, members: &[&Party], authority: &Party) -> Self {
        let raw = |seed: u8| Hash::from(*ed25519_key(seed).as_bytes());
        let validators = (0u8..).zip(VALIDATORS).map(|(n, name)| GenesisValidator {
            name: name.to_owned(),
            member: None,
            log: raw(101 + n),
            witness: raw(201 + n),
            peer: None,
        });
        let member = |party: &&Party| GenesisMember { did: party.did(), name: "Sample department".to_owned() };
        let genesis = Genesis {
            chain: "sample".to_owned(),
            time: time * 1000,
            members: members.iter().map(member).collect(),
            authorities: vec![authority.did()],
            creates: members.iter().map(|party| party.create.as_str().to_owned()).collect(),
            validators: validators.collect(),
            epoch: None,
            votes: None,
        };
        let file = serde_json::to_vec(&genesis).unwrap();
        let origin = genesis.origin(&file);
        let validators = (0u8..)
            .zip(VALIDATORS)
            .map(|(n, name)| Validator::new(&origin, name, ed25519_key(101 + n), ed25519_key(201 + n)).unwrap());
        let executed = genesis.execute(&origin).unwrap();
        let mut ledger = Self {
            state: executed.writes,
            block: genesis.block(&origin),
            entries: Vec::new(),
            frontier: Frontier::new(),
            nodes: HashMap::new(),
            set: ValidatorSet::new(&origin, validators.collect()).unwrap(),
            sent: HashMap::new(),
            lie: None,
        };
        executed.leaves.into_iter().for_each(|leaf| ledger.append(leaf));
        ledger.seal(time);
        ledger
    }

    pub(crate) fn trust_root(&self) -> String {
        self.set.to_policy_text()
    }

    /// Signs and applies an operation; gives its log index.
    pub(crate) fn act(&mut self, party: &Party, operation: &Operation) -> u64 {
        let seq = self.sent.entry(party.did().to_string()).or_default();
        *seq += 1;
        let envelope = Envelope { aud: self.block.origin.clone(), seq: *seq, exp: self.block.time.0 / 1000 + 3600 };
        let jws = make_transaction(&envelope, operation, &party.did(), "invoke-1", &party.invoker()).unwrap();
        let index = self.frontier.size();
        let accepted = apply(&self.state, &self.block, index, &Transaction::parse(&jws).unwrap()).unwrap();
        self.state.extend(accepted.writes);
        self.append(jws);
        index
    }

    /// Ends the block at `time`, in seconds.
    pub(crate) fn seal(&mut self, time: i64) {
        self.block.time = UnixMillis(time * 1000);
        let writes = close_block(&self.state, &self.block, self.frontier.size()).unwrap();
        self.state.extend(writes);
        let state = subtree(&self.leaves(), 0);
        let policy = policy_in_force(&self.state).unwrap();
        let time = u64::try_from(time * 1000).unwrap();
        self.append(Seal { height: self.block.height, time, state, policy }.to_line());
        self.block.height += 1;
    }

    /// Entries in the log.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// What the state holds under a key.
    pub(crate) fn value(&self, key: &str) -> Value {
        serde_json::from_slice(&self.state[key]).unwrap()
    }

    /// Changes a value as no rule would: what dishonest validators, enough of them for a quorum, could certify.
    pub(crate) fn dangerous_overwrite(&mut self, key: &str, change: impl FnOnce(&mut Value)) {
        let mut value = serde_json::from_slice(&self.state[key]).unwrap();
        change(&mut value);
        self.state.insert(key.to_owned(), value.to_string().into_bytes());
    }

    /// Takes a value out of the state, as no rule would.
    pub(crate) fn dangerous_remove(&mut self, key: &str) {
        self.state.remove(key).unwrap();
    }

    pub(crate) fn entry(&self, index: u64) -> &str {
        &self.entries[usize::try_from(index).unwrap()]
    }

    /// The proof of an entry under a checkpoint of the whole log, cosigned at about `time` in seconds.
    pub(crate) fn log_proof(&self, index: u64, time: u64) -> String {
        let path = make_inclusion(&self, index, self.frontier.size()).unwrap();
        LogProof { index, path, note: self.certify(time), extra: None }.to_string()
    }

    /// What the state holds under `key`; the log's last entry must be a seal.
    pub(crate) fn state_proof(&self, key: &str, time: u64) -> StateProof {
        let value = self.state.get(key).cloned();
        let path = state_path(&self.leaves(), &sha256(key.as_bytes()), value.is_some());
        let last = self.frontier.size() - 1;
        let (seal, proof) = (self.entry(last).to_owned(), self.log_proof(last, time));
        StateProof { key: key.to_owned(), value, path, seal, proof }
    }

    /// One log signature, and cosignatures of all but the second validator: a quorum of three.
    fn certify(&self, time: u64) -> String {
        let origin = self.block.origin.clone();
        let checkpoint = Checkpoint { origin, size: self.frontier.size(), root: self.frontier.root() };
        let validators = self.set.validators();
        let log = checkpoint.sign(&validators[0].log, |message| sign(101, message)).unwrap();
        let cosignatures = [(0, 201), (2, 203), (3, 204)].map(|(place, seed): (usize, u8)| {
            let time = self.lie.filter(|_| place == 3).unwrap_or(time + u64::from(seed - 201));
            cosign(&checkpoint, &validators[place].witness, time, |message| sign(seed, message)).unwrap()
        });
        checkpoint.to_note([log].into_iter().chain(cosignatures)).unwrap().to_string()
    }

    fn append(&mut self, entry: String) {
        let nodes = &mut self.nodes;
        self.frontier.append(leaf_hash(entry.as_bytes()), |level, index, hash| {
            nodes.insert((level, index), hash);
        });
        self.entries.push(entry);
    }

    fn leaves(&self) -> Vec<(Hash, Hash)> {
        self.state.iter().map(|(key, value)| (sha256(key.as_bytes()), sha256(value))).collect()
    }
}

impl NodeReader for SampleLedger {
    type Error = InclusionError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, InclusionError> {
        self.nodes.get(&(level, index)).copied().ok_or(InclusionError::IndexOutsideTree)
    }
}

fn is_right(key: &Hash, depth: usize) -> bool {
    (key.as_bytes()[depth / 8] >> (7 - depth % 8)) & 1 == 1
}

/// Root of the state tree over leaves that agree in their first `depth` bits.
fn subtree(leaves: &[(Hash, Hash)], depth: usize) -> Hash {
    match leaves {
        [] => Hash::from(EMPTY),
        [(key, value)] => sha256(&[b"JMT::LeafNode", key.as_ref(), value.as_ref()].concat()),
        _ => {
            let (right, left): (Vec<_>, Vec<_>) = leaves.iter().copied().partition(|(key, _)| is_right(key, depth));
            let (left, right) = (subtree(&left, depth + 1), subtree(&right, depth + 1));
            sha256(&[b"JMT::IntrnalNode", left.as_ref(), right.as_ref()].concat())
        }
    }
}

fn state_path(leaves: &[(Hash, Hash)], place: &Hash, is_present: bool) -> StatePath {
    let (mut siblings, mut around) = (Vec::new(), leaves.to_vec());
    while around.len() > 1 {
        let depth = siblings.len();
        let side = is_right(place, depth);
        let (mine, beside): (Vec<_>, Vec<_>) = around.into_iter().partition(|(key, _)| is_right(key, depth) == side);
        siblings.push(subtree(&beside, depth + 1));
        around = mine;
    }
    siblings.reverse();
    let other = around.first().filter(|_| !is_present).map(|(key, value)| OtherLeaf { key: *key, value: *value });
    StatePath { siblings, other }
}
