//! A sample ledger in memory: real rules, real proofs, one validator, trees by their definition.

use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::policy::{Validator, ValidatorSet};
use ledger::state::{EMPTY, OtherLeaf, StatePath};
use ledger::tree::{leaf_hash, node_hash};
use ledger::{Hash, LogProof, Seal, StateProof, TrustRoot, ed25519, sha256};

use super::parties::{Party, key};
use crate::crypto::Signer as _;
use crate::did::Did;
use crate::registry::{
    Block, Create, Envelope, Genesis, GenesisMember, GenesisValidator, NotApplied, Operation, Refused, Transaction,
    WriteSet, apply, close_block, make_transaction, sequence_key,
};
use crate::time::UnixMillis;

/// Seconds at which the sample chain begins.
pub const START: i64 = 1_800_000_000;

/// One chain with one validator, in memory. A clone is a fork.
#[derive(Clone)]
pub struct SampleLedger {
    state: WriteSet,
    block: Block,
    leaves: Vec<String>,
    set: ValidatorSet,
}

impl SampleLedger {
    /// A chain that these members found; `authority` may accredit from the start.
    pub fn founded_by(members: &[&Party], authority: &Party) -> Self {
        let parties: Vec<(Did, &str)> = members.iter().map(|party| (party.did(), party.create.as_str())).collect();
        Self::found(&parties, vec![authority.did()])
    }

    fn found(parties: &[(Did, &str)], authorities: Vec<Did>) -> Self {
        let public = |seed: u8| Hash::from_slice(key(seed, 0).public_key().bytes()).unwrap();
        let genesis = Genesis {
            chain: "sample".to_owned(),
            time: START * 1000,
            members: parties
                .iter()
                .map(|(did, _)| GenesisMember { did: did.clone(), name: "Sample department".to_owned() })
                .collect(),
            authorities,
            creates: parties.iter().map(|(_, create)| (*create).to_owned()).collect(),
            validators: vec![GenesisValidator {
                name: "solo".to_owned(),
                log: public(201),
                witness: public(203),
                peer: None,
            }],
        };
        let file = serde_json::to_vec(&genesis).unwrap();
        let origin = genesis.origin(&file);
        let first = genesis.execute(&origin).unwrap();
        let set = ValidatorSet::new(&origin, vec![validator(&origin)]).unwrap();
        let mut ledger = Self { state: first.writes, block: genesis.block(&origin), leaves: first.leaves, set };
        ledger.seal(START);
        ledger
    }

    /// Whom a verifier of this chain believes.
    pub fn trust_root(&self) -> TrustRoot {
        TrustRoot::parse(&self.trust_root_text()).unwrap()
    }

    /// The chain's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.block.origin
    }

    /// The policy file of its one validator.
    #[must_use]
    pub fn trust_root_text(&self) -> String {
        self.set.to_policy_text()
    }

    /// A chain that these creations found; none of them may accredit.
    pub fn founded_on(creates: &[&Create]) -> Self {
        let parties: Vec<(Did, &str)> = creates.iter().map(|create| (create.did().clone(), create.as_str())).collect();
        Self::found(&parties, Vec::new())
    }

    /// Takes a transaction as a node would; gives the log index, and ends the block.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn submit(&mut self, jws: &str) -> Result<u64, Refused> {
        let index = self.next_index();
        let transaction = Transaction::parse(jws)?;
        let accepted = apply(&self.state, &self.block, index, &transaction).map_err(|error| match error {
            NotApplied::Refused(refused) => refused,
            NotApplied::State(_) => Refused::Malformed("state"),
        })?;
        self.state.extend(accepted.writes);
        self.leaves.push(jws.to_owned());
        self.seal(self.block.time.0 / 1000 + 1);
        Ok(index)
    }

    /// Signs, submits and expects acceptance; gives the log index.
    pub fn act(&mut self, party: &Party, operation: &Operation) -> u64 {
        let jws = self.signed_by(party, operation);
        let index = self.next_index();
        let accepted = apply(&self.state, &self.block, index, &Transaction::parse(&jws).unwrap()).unwrap();
        self.state.extend(accepted.writes);
        self.leaves.push(jws);
        index
    }

    /// The party's next transaction, not submitted yet.
    #[must_use]
    pub fn signed_by(&self, party: &Party, operation: &Operation) -> String {
        let last = self.state.get(&sequence_key(&format!("{}#invoke-1", party.did())));
        let last: u64 = last.map_or(0, |value| serde_json::from_slice(value).unwrap());
        let envelope = Envelope { aud: self.block.origin.clone(), seq: last + 1, exp: START + 100_000_000 };
        make_transaction(&envelope, operation, &party.did(), "invoke-1", &party.invoker()).unwrap()
    }

    /// Ends the block at `seconds`, and begins the next.
    pub fn seal(&mut self, seconds: i64) {
        self.block.time = UnixMillis(seconds * 1000);
        let writes = close_block(&self.state, &self.block, self.next_index()).unwrap();
        self.state.extend(writes);
        let time = u64::try_from(seconds * 1000).unwrap();
        let policy = self.trust_root().digest();
        let seal = Seal { height: self.block.height, time, state: subtree(&self.entries(), 0), policy };
        self.leaves.push(seal.to_line());
        self.block.height += 1;
    }

    /// The log entry at `index`.
    pub fn leaf(&self, index: u64) -> &str {
        &self.leaves[usize::try_from(index).unwrap()]
    }

    /// The proof of an entry under a checkpoint of the log as it stands, cosigned at `seconds`.
    pub fn log_proof(&self, index: u64, seconds: i64) -> String {
        let leaves: Vec<Hash> = self.leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect();
        let mut path = inclusion(&leaves, usize::try_from(index).unwrap());
        path.reverse();
        let size = u64::try_from(leaves.len()).unwrap();
        let checkpoint = Checkpoint { origin: self.block.origin.clone(), size, root: log_root(&leaves) };
        LogProof { index, path, note: self.certify(&checkpoint, seconds), extra: None }.to_string()
    }

    /// What the state holds under `key`; the last entry of the log must be a seal.
    pub fn state_proof(&self, state_key: &str, seconds: i64) -> StateProof {
        let value = self.state.get(state_key).cloned();
        let path = state_path(&self.entries(), sha256(state_key.as_bytes()), value.is_some());
        let last = self.next_index() - 1;
        let (seal, proof) = (self.leaf(last).to_owned(), self.log_proof(last, seconds));
        StateProof { key: state_key.to_owned(), value, path, seal, proof }
    }

    fn certify(&self, checkpoint: &Checkpoint, seconds: i64) -> String {
        let validator = validator(&self.block.origin);
        let log = checkpoint.sign(&validator.log, |bytes| key(201, 0).sign(bytes).unwrap()).unwrap();
        let time = u64::try_from(seconds).unwrap();
        let witness = cosign(checkpoint, &validator.witness, time, |bytes| key(203, 0).sign(bytes).unwrap()).unwrap();
        checkpoint.to_note([log, witness]).unwrap().to_string()
    }

    fn next_index(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        self.state.iter().map(|(key, value)| (sha256(key.as_bytes()), sha256(value))).collect()
    }
}

fn validator(origin: &str) -> Validator {
    let public = |seed| {
        let bytes: [u8; 32] = key(seed, 0).public_key().bytes().try_into().unwrap();
        ed25519::PublicKey::from_bytes(&bytes).unwrap()
    };
    Validator::new(origin, "solo", public(201), public(203)).unwrap()
}

fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// MTH of RFC 6962 §2.1 over leaf hashes.
fn log_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [alone] => *alone,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&log_root(left), &log_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1, the root's child first.
fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (sibling, below) = if index < middle {
        (log_root(right), inclusion(left, index))
    } else {
        (log_root(left), inclusion(right, index - middle))
    };
    [vec![sibling], below].concat()
}

/// Digests of a state key and of its value.
type Entry = (Hash, Hash);

fn bit(hash: &Hash, depth: usize) -> bool {
    hash.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1
}

fn halves(entries: &[Entry], depth: usize) -> (Vec<Entry>, Vec<Entry>) {
    entries.iter().copied().partition(|(key, _)| !bit(key, depth))
}

fn subtree(entries: &[Entry], depth: usize) -> Hash {
    match entries {
        [] => Hash::from(EMPTY),
        [(key, value)] => sha256(&[b"JMT::LeafNode", key.as_ref(), value.as_ref()].concat()),
        _ => {
            let (left, right) = halves(entries, depth);
            let (left, right) = (subtree(&left, depth + 1), subtree(&right, depth + 1));
            sha256(&[b"JMT::IntrnalNode", left.as_ref(), right.as_ref()].concat())
        }
    }
}

fn state_path(entries: &[Entry], place: Hash, present: bool) -> StatePath {
    let (mut siblings, mut around) = (Vec::new(), entries.to_vec());
    while around.len() > 1 {
        let (left, right) = halves(&around, siblings.len());
        let (mine, other) = if bit(&place, siblings.len()) { (right, left) } else { (left, right) };
        siblings.push(subtree(&other, siblings.len() + 1));
        around = mine;
    }
    siblings.reverse();
    let other = around.first().filter(|_| !present).map(|(key, value)| OtherLeaf { key: *key, value: *value });
    StatePath { siblings, other }
}
