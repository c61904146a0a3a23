//! Who certifies, epoch by epoch: what the state holds about validators, and reading it.
//!
//! A set of validators is in force for whole epochs, each of [`Rules::epoch`] blocks. Votes and evidence change the set
//! that comes next; the last block of an epoch puts it in force. The seal of that block names it, so whoever knows the
//! old set, which certifies that seal, is told the new one ([`ledger::walk`]).

use ledger::Hash;
use ledger::ed25519::PublicKey;
use ledger::note::{SignatureKind, VerifierKey};
use ledger::policy::{Validator, ValidatorSet};
use serde::{Deserialize, Serialize};

use super::genesis::{GenesisValidator, Peer};
use super::state::{RULES, StateUnreadable, StateView, VALIDATORS, read_json};
use super::voting::VoteRule;
use crate::did::Did;

/// Blocks in an epoch where the genesis file says nothing.
pub const DEFAULT_EPOCH: u64 = 128;
/// Most blocks in an epoch: a chain that cannot change its validators within a year or so is a mistake.
pub const MAX_EPOCH: u64 = 100_000_000;

/// Value under `rules`: what genesis fixed for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Blocks in an epoch.
    pub epoch: u64,
    /// When a proposal is accepted.
    pub votes: VoteRule,
}

impl Rules {
    /// The rules that the state holds.
    ///
    /// # Errors
    /// [`StateUnreadable`]; also where there are none: no chain is without.
    pub fn of(state: &dyn StateView) -> Result<Self, StateUnreadable> {
        read_json(state, RULES)?.ok_or_else(|| StateUnreadable("the state holds no rules".into()))
    }

    /// The epoch that a block is in; the genesis block begins epoch 0.
    #[must_use]
    pub fn epoch_of(&self, height: u64) -> u64 {
        height.checked_div(self.epoch).unwrap_or(0)
    }

    /// Whether an epoch ends with this block.
    #[must_use]
    pub fn is_last_of_epoch(&self, height: u64) -> bool {
        height.checked_add(1).and_then(|next| next.checked_rem(self.epoch)) == Some(0)
    }
}

/// Value under `validators`: who certifies now, who from the next epoch on, and every set there was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validators {
    /// Every set that was in force, oldest first; the last one is.
    pub sets: Vec<SetRecord>,
    /// The set in force, sorted by name.
    pub in_force: Vec<GenesisValidator>,
    /// The set from the next epoch on, sorted by name; absent while it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Vec<GenesisValidator>>,
}

/// When a set came into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRecord {
    /// The first epoch that it certifies.
    pub epoch: u64,
    /// Log index of the seal that names it; the set before certifies that seal.
    pub from: u64,
    /// SHA-256 of its policy file, which stands under `policy/<digest>`.
    pub policy: Hash,
}

impl Validators {
    /// The validators that the state holds.
    ///
    /// # Errors
    /// [`StateUnreadable`]; also where there are none: no chain is without.
    pub fn of(state: &dyn StateView) -> Result<Self, StateUnreadable> {
        read_json(state, VALIDATORS)?.ok_or_else(|| StateUnreadable("the state holds no validators".into()))
    }

    /// The set from the next epoch on; the one in force unless it changes.
    #[must_use]
    pub fn next(&self) -> &[GenesisValidator] {
        self.next.as_deref().unwrap_or(&self.in_force)
    }

    /// SHA-256 of the policy of the set in force: what the seal of the block states.
    ///
    /// # Errors
    /// [`StateUnreadable`] if there never was a set, which no rule writes.
    pub fn policy(&self) -> Result<Hash, StateUnreadable> {
        let last = self.sets.last().ok_or_else(|| StateUnreadable("no set of validators is in force".into()))?;
        Ok(last.policy)
    }
}

/// SHA-256 of the policy of the set in force, which every seal states: after [`super::close_block`], that of the set in
/// force after the block.
///
/// # Errors
/// [`StateUnreadable`].
pub fn policy_in_force(state: &dyn StateView) -> Result<Hash, StateUnreadable> {
    Validators::of(state)?.policy()
}

/// The set that these validators make, for its policy file and its quorum; nothing if they break a rule of
/// [`ValidatorSet`].
#[must_use]
pub fn validator_set(origin: &str, validators: &[GenesisValidator]) -> Option<ValidatorSet> {
    let key = |bytes: &Hash| PublicKey::from_bytes(bytes.as_bytes()).ok();
    let validator = |validator: &GenesisValidator| {
        Validator::new(origin, &validator.name, key(&validator.log)?, key(&validator.witness)?).ok()
    };
    ValidatorSet::new(origin, validators.iter().map(validator).collect::<Option<_>>()?).ok()
}

/// Value under `validator/<name>`: whose name it is, and every set of keys it had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorHistory {
    /// The member whose validator it is; absent for one of genesis that nobody has claimed by vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Did>,
    /// Its keys, oldest first. A key stands in one entry for ever.
    pub keys: Vec<ValidatorKeys>,
}

/// The keys that a validator had from some time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorKeys {
    /// Signs checkpoints as the log.
    pub log: Hash,
    /// Cosigns checkpoints.
    pub witness: Hash,
    /// How other validators know and reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    /// Log index at which they were named; they certify from the next epoch on.
    pub from: u64,
    /// Log index of the evidence that they signed two histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convicted: Option<u64>,
}

impl ValidatorKeys {
    pub(super) fn new(validator: &GenesisValidator, from: u64) -> Self {
        let (log, witness, peer) = (validator.log, validator.witness, validator.peer.clone());
        Self { log, witness, peer, from, convicted: None }
    }

    pub(super) fn has(&self, key: &Hash) -> bool {
        let peer = self.peer.iter().flat_map(|peer| [&peer.consensus, &peer.transport]);
        [&self.log, &self.witness].into_iter().chain(peer).any(|own| own == key)
    }

    /// The key that cosigns, under the name that it has in notes.
    pub(super) fn witness_key(&self, origin: &str, name: &str) -> Option<VerifierKey> {
        let key = PublicKey::from_bytes(self.witness.as_bytes()).ok()?;
        VerifierKey::new(&format!("{origin}/{name}"), SignatureKind::CosignatureV1, key).ok()
    }
}
