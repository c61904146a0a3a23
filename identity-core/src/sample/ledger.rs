//! A sample ledger in memory: real rules, real proofs, one validator or several, trees by their definition.

use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::policy::{Validator, ValidatorSet, quorum_of};
use ledger::state::{EMPTY, OtherLeaf, StatePath};
use ledger::tree::{leaf_hash, node_hash};
use ledger::walk::{SealProof, Step, Walk};
use ledger::{Hash, LogProof, PastMoment, Seal, StateProof, TimeProof, TrustRoot, sha256};

use super::parties::{Party, key};
use crate::crypto::Signer as _;
use crate::did::Did;
use crate::registry::{
    Block, Change, Create, Envelope, Genesis, GenesisMember, GenesisValidator, NotApplied, OnProposal, Operation,
    Propose, Refused, Rules, Transaction, Validators, WriteSet, apply, close_block, make_transaction, sequence_key,
    validator_set,
};
use crate::time::UnixMillis;

/// Seconds at which the sample chain begins.
pub const START: i64 = 1_800_000_000;

/// One chain with its validators, in memory. A clone is a fork.
#[derive(Clone)]
pub struct SampleLedger {
    state: WriteSet,
    block: Block,
    leaves: Vec<String>,
    /// The set that certifies the last seal: the one in force before it.
    certifying: Vec<GenesisValidator>,
    /// From each set of validators to the next.
    steps: Vec<Step>,
}

/// A sample validator: its keys follow from its number. Number 0 is the one of a chain that has only one.
pub fn validator(number: u8, member: Option<Did>) -> GenesisValidator {
    let public = |seed: u8| Hash::from_slice(key(seed, number).public_key().bytes()).unwrap();
    let name = if number == 0 { "solo".to_owned() } else { format!("validator-{number:02}") };
    GenesisValidator { name, member, log: public(201), witness: public(203), peer: None }
}

impl SampleLedger {
    /// A chain that these members found; `authority` may accredit from the start.
    pub fn founded_by(members: &[&Party], authority: &Party) -> Self {
        let parties: Vec<(Did, &str)> = members.iter().map(|party| (party.did(), party.create.as_str())).collect();
        Self::found(&parties, vec![authority.did()], vec![validator(0, None)], None)
    }

    /// The same with these validators, who may be others after every `epoch` blocks.
    pub fn founded_with(members: &[&Party], authority: &Party, validators: Vec<GenesisValidator>, epoch: u64) -> Self {
        let parties: Vec<(Did, &str)> = members.iter().map(|party| (party.did(), party.create.as_str())).collect();
        Self::found(&parties, vec![authority.did()], validators, Some(epoch))
    }

    fn found(
        parties: &[(Did, &str)],
        authorities: Vec<Did>,
        validators: Vec<GenesisValidator>,
        epoch: Option<u64>,
    ) -> Self {
        let genesis = Genesis {
            chain: "sample".to_owned(),
            time: START * 1000,
            members: parties
                .iter()
                .map(|(did, _)| GenesisMember { did: did.clone(), name: "Sample department".to_owned() })
                .collect(),
            authorities,
            creates: parties.iter().map(|(_, create)| (*create).to_owned()).collect(),
            validators,
            epoch,
            votes: None,
        };
        let file = serde_json::to_vec(&genesis).unwrap();
        let origin = genesis.origin(&file);
        let first = genesis.execute(&origin).unwrap();
        let (block, leaves) = (genesis.block(&origin), first.leaves);
        let mut ledger = Self { state: first.writes, block, leaves, certifying: genesis.validators, steps: Vec::new() };
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

    /// The policy file of those who certify its last seal.
    #[must_use]
    pub fn trust_root_text(&self) -> String {
        self.set().to_policy_text()
    }

    fn set(&self) -> ValidatorSet {
        validator_set(&self.block.origin, &self.certifying).unwrap()
    }

    /// Who certifies from the next seal on, and what comes after.
    pub fn validators(&self) -> Validators {
        Validators::of(&self.state).unwrap()
    }

    /// The way from the first set of validators to the one that certifies the last seal, cosigned at `seconds`.
    pub fn walk(&self, seconds: i64) -> Walk {
        let last = self.next_index() - 1;
        let newest = SealProof { seal: self.leaf(last).to_owned(), proof: self.log_proof(last, seconds) };
        Walk { steps: self.steps.clone(), newest: Some(newest) }
    }

    /// A chain that these creations found; none of them may accredit.
    pub fn founded_on(creates: &[&Create]) -> Self {
        let parties: Vec<(Did, &str)> = creates.iter().map(|create| (create.did().clone(), create.as_str())).collect();
        Self::found(&parties, Vec::new(), vec![validator(0, None)], None)
    }

    /// Takes a transaction as a node would; gives the log index, and ends the block.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn submit(&mut self, jws: &str) -> Result<u64, Refused> {
        let index = self.try_act(jws)?;
        self.seal(self.block.time.0 / 1000 + 1);
        Ok(index)
    }

    /// Signs, submits and expects acceptance; gives the log index.
    pub fn act(&mut self, party: &Party, operation: &Operation) -> u64 {
        let jws = self.signed_by(party, operation);
        self.try_act(&jws).unwrap()
    }

    /// Takes a transaction into the block under way, as a node would; gives the log index.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn try_act(&mut self, jws: &str) -> Result<u64, Refused> {
        let index = self.next_index();
        let transaction = Transaction::parse(jws)?;
        let accepted = apply(&self.state, &self.block, index, &transaction).map_err(|error| match error {
            NotApplied::Refused(refused) => refused,
            NotApplied::State(_) => Refused::Malformed("state"),
        })?;
        self.state.extend(accepted.writes);
        self.leaves.push(jws.to_owned());
        Ok(index)
    }

    /// The height of the block under way.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.block.height
    }

    /// The party's next transaction, not submitted yet.
    #[must_use]
    pub fn signed_by(&self, party: &Party, operation: &Operation) -> String {
        let last = self.state.get(&sequence_key(&format!("{}#invoke-1", party.did())));
        let last: u64 = last.map_or(0, |value| serde_json::from_slice(value).unwrap());
        let envelope = Envelope { aud: self.block.origin.clone(), seq: last + 1, exp: START + 100_000_000 };
        make_transaction(&envelope, operation, &party.did(), "invoke-1", &party.invoker()).unwrap()
    }

    /// The time of the block that was begun or ended last, in seconds.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.block.time.0 / 1000
    }

    /// The block under way is of this time, for its transactions too.
    pub fn begin(&mut self, seconds: i64) {
        self.block.time = UnixMillis(seconds * 1000);
    }

    /// Ends the block at `seconds`, and begins the next.
    pub fn seal(&mut self, seconds: i64) {
        self.begin(seconds);
        self.certifying = self.validators().in_force;
        let writes = close_block(&self.state, &self.block, self.next_index()).unwrap();
        self.state.extend(writes);
        let time = u64::try_from(seconds * 1000).unwrap();
        let policy = self.validators().policy().unwrap();
        let seal = Seal { height: self.block.height, time, state: subtree(&self.entries(), 0), policy };
        self.leaves.push(seal.to_line());
        self.block.height += 1;
        if policy != self.trust_root().digest() {
            let index = self.next_index() - 1;
            let named = SealProof { seal: seal.to_line(), proof: self.log_proof(index, seconds) };
            let policy = validator_set(&self.block.origin, &self.validators().in_force).unwrap().to_policy_text();
            self.steps.push(Step { named, policy });
        }
    }

    /// Puts another validator in force by the votes of these members, of whom the first proposes; the last seals are made
    /// at `seconds`, each a second after the one before.
    pub fn rotate(&mut self, voters: &[&Party], validator: GenesisValidator, seconds: i64) {
        let (proposer, others) = voters.split_first().unwrap();
        let change = Change::Validator { did: proposer.did(), validator: Some(validator) };
        let propose = Propose { change, until: self.block.time.0 / 1000 + 1_000 };
        let proposal = self.act(proposer, &Operation::Propose(propose));
        for other in others {
            self.act(other, &Operation::Approve(OnProposal { proposal }));
        }
        let sets = self.validators().sets.len();
        let seals = Rules::of(&self.state).unwrap().epoch + 1;
        let mut left = (0..).zip(0..seals).map(|(after, _)| seconds + after);
        while self.validators().sets.len() == sets {
            self.seal(left.next().unwrap());
        }
        self.seal(left.next().unwrap());
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

    /// The seals around a time, in milliseconds, under a checkpoint of the log as it stands, cosigned at `seconds`.
    pub fn time_proof(&self, time: u64, seconds: i64) -> TimeProof {
        let seals = || (0_u64..).zip(&self.leaves).filter_map(|(index, leaf)| Some((index, seal_time(leaf)?)));
        let prove = |(index, _): (u64, u64)| SealProof {
            seal: self.leaf(index).to_owned(),
            proof: self.log_proof(index, seconds),
        };
        let before = seals().take_while(|(_, sealed)| *sealed <= time).last().unwrap();
        TimeProof { before: prove(before), after: seals().find(|(_, sealed)| *sealed > time).map(prove) }
    }

    /// A past second by this ledger's clock.
    pub fn moment(&self, seconds: i64) -> PastMoment {
        let time = u64::try_from(seconds * 1000).unwrap();
        self.time_proof(time, seconds + 3600).verify(&self.trust_root(), time).unwrap()
    }

    fn certify(&self, checkpoint: &Checkpoint, seconds: i64) -> String {
        let set = self.set();
        let time = u64::try_from(seconds).unwrap();
        let first = &set.validators()[0];
        let log = checkpoint.sign(&first.log, |bytes| key(201, number_of(first)).sign(bytes).unwrap()).unwrap();
        let cosignatures = set.validators().iter().take(quorum_of(set.validators().len())).map(|validator| {
            let secret = key(203, number_of(validator));
            cosign(checkpoint, &validator.witness, time, |bytes| secret.sign(bytes).unwrap()).unwrap()
        });
        checkpoint.to_note([log].into_iter().chain(cosignatures)).unwrap().to_string()
    }

    fn next_index(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        self.state.iter().map(|(key, value)| (sha256(key.as_bytes()), sha256(value))).collect()
    }
}

/// The time of a log entry, if it is a seal.
fn seal_time(leaf: &str) -> Option<u64> {
    Seal::parse(leaf.as_bytes()).ok().map(|seal| seal.time)
}

/// The number that a sample validator's keys follow from.
fn number_of(validator: &Validator) -> u8 {
    let own = |number: &u8| key(203, *number).public_key().bytes() == validator.witness.public_key().as_bytes();
    (0..=u8::MAX).find(own).unwrap()
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
