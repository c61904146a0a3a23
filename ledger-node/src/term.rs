//! Terms: from the seal that names a set of validators to the next such seal, this set orders and certifies.
//!
//! ```text
//!   block 0 ... block 127 | block 128 ...        a boundary: the seal of block 127 names another set
//!   certified by set A -->| certified by set B
//!   ordered by A's engine | ordered by B's engine, which begins at that seal and knows nothing older
//! ```
//!
//! What an engine of the set before orders beyond the boundary never happened: every node ends the term at the same
//! block, because that follows from executing it.

use std::sync::Arc;

use identity_core::registry::{GenesisValidator, StateView as _, Validators, policy_key};
use identity_core::time::UnixMillis;
use ledger::{Hash, Seal, TrustRoot, sha256};
use service_kit::store::StoreError;

use crate::chain::Chain;
use crate::store::{Head, SyncStore, VersionedState, boundary_key, leaf_key};

/// A set of validators of this chain. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Set(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    origin: String,
    validators: Vec<GenesisValidator>,
    trust_root: TrustRoot,
}

/// The term of a set. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) set: Set,
    /// The first epoch of it.
    pub(crate) epoch: u64,
    /// Height of the block whose seal names the set: 0, or the last block of the set before.
    pub(crate) begins: u64,
    /// That block's time.
    #[cfg_attr(not(feature = "simplex"), expect(dead_code, reason = "only an engine of several begins at a seal"))]
    pub(crate) time: UnixMillis,
    /// SHA-256 of that seal.
    #[cfg_attr(not(feature = "simplex"), expect(dead_code, reason = "only an engine of several begins at a seal"))]
    pub(crate) seal: Hash,
}

impl Set {
    /// The set that the genesis file names.
    #[cfg(test)]
    pub(crate) fn of_genesis(chain: &Chain) -> Self {
        let (origin, validators) = (chain.origin().to_owned(), chain.genesis().validators.clone());
        Self(Arc::new(Facts { origin, validators, trust_root: chain.trust_root().clone() }))
    }

    pub(crate) fn origin(&self) -> &str {
        &self.0.origin
    }

    /// In the order in which everything of ours counts them.
    pub(crate) fn validators(&self) -> &[GenesisValidator] {
        &self.0.validators
    }

    /// What verifiers hold who believe this set.
    pub(crate) fn trust_root(&self) -> &TrustRoot {
        &self.0.trust_root
    }
}

impl Term {
    /// The term in which the block after this one stands.
    ///
    /// # Errors
    /// A store that cannot be read, or does not hold what execution wrote.
    pub(crate) fn after(store: &SyncStore, chain: &Chain, height: u64) -> Result<Self, StoreError> {
        let state = VersionedState::new(store, Some(height));
        let validators = Validators::of(&state).map_err(|error| state.cause(error))?;
        let record = *validators.sets.last().ok_or_else(|| wrong("no set of validators is in force"))?;
        let policy = state.get(&policy_key(&record.policy)).map_err(|error| state.cause(error))?;
        let policy: Option<String> = policy.and_then(|json| serde_json::from_slice(&json).ok());
        let trust_root = policy.and_then(|policy| TrustRoot::parse(&policy).ok());
        let trust_root = trust_root.ok_or_else(|| wrong("the policy of a set is missing or malformed"))?;
        let line = store.get(&leaf_key(record.from))?.ok_or_else(|| wrong("the seal that names a set is missing"))?;
        let seal = Seal::parse(&line).map_err(|_| wrong("the seal that names a set is malformed"))?;
        let time = UnixMillis(i64::try_from(seal.time).map_err(|_| wrong("a seal of no time"))?);
        let facts = Facts { origin: chain.origin().to_owned(), validators: validators.in_force, trust_root };
        Ok(Self { set: Set(Arc::new(facts)), epoch: record.epoch, begins: seal.height, time, seal: sha256(&line) })
    }

    /// The term in which this block stands: its set certifies it.
    ///
    /// # Errors
    /// As [`Self::after`].
    pub(crate) fn of(store: &SyncStore, chain: &Chain, height: u64) -> Result<Self, StoreError> {
        Self::after(store, chain, height.saturating_sub(1))
    }

    /// The term to go on in from this head: the one that its block ended as long as the note over that block is not
    /// kept, because nobody else can make it.
    ///
    /// # Errors
    /// As [`Self::after`].
    pub(crate) fn at(store: &SyncStore, chain: &Chain, head: &Head) -> Result<Self, StoreError> {
        let next = Self::after(store, chain, head.height)?;
        let is_boundary = next.begins == head.height && head.height > 0;
        let kept = || store.get(&boundary_key(head.size.saturating_sub(1)));
        if is_boundary && kept()?.is_none() { Self::of(store, chain, head.height) } else { Ok(next) }
    }
}

fn wrong(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}
