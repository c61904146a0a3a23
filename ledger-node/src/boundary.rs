//! Where one set of validators ends and the next begins: what a node keeps of it, and the walk that it serves.
//!
//! The last seal of a set is certified by that set and by nobody after it, so its note must be kept before the next set
//! takes over. A note that was not kept when the process died is made again at the next start, while that seal is still
//! the head; a node that has lost one serves no walk across it, and its peers still do.
//!
//! A node with a floor ([`crate::store::Floor`]) has no tiles to prove older seals from: it keeps their proofs as they are.

use identity_core::registry::{SetRecord, StateView as _, Validators, policy_key};
use ledger::tree::make_inclusion;
use ledger::walk::{MAX_STEPS, SealProof, Step, Walk};
use ledger::{Hash, LogProof, TrustRoot};
use service_kit::store::{Batch, StoreError};

use crate::node::Round;
use crate::proofs::prove_entry;
use crate::store::{Head, LogReader, SyncStore, VersionedState, boundary_key, leaf_key, step_key};

/// Keeps the certified note of a head whose seal names another set; any other head leaves no trace.
pub(crate) fn keep(store: &SyncStore, head: &Head, note: &str) -> Result<(), StoreError> {
    if !ends_a_term(store, head)? {
        return Ok(());
    }
    store.commit(Batch::new().put(boundary_key(head.size.saturating_sub(1)), note.as_bytes()))
}

/// Whether the seal of a head names another set than the one that certifies it.
pub(crate) fn ends_a_term(store: &SyncStore, head: &Head) -> Result<bool, StoreError> {
    let seal_index = head.size.saturating_sub(1);
    Ok(validators(store, head.height)?.sets.iter().skip(1).any(|set| set.from == seal_index))
}

/// The way from the set with this policy to today's, as far as one answer goes; nothing if no set has that policy.
pub(crate) fn walk(store: &SyncStore, round: &Round, from: &Hash) -> Result<Option<Walk>, StoreError> {
    let height = round.head.height;
    let sets = validators(store, height)?.sets;
    let Some(place) = sets.iter().rposition(|set| set.policy == *from) else { return Ok(None) };
    let after = sets.get(place.saturating_add(1)..).unwrap_or_default();
    let mut steps = Vec::new();
    for set in after.iter().take(MAX_STEPS) {
        match step(store, height, set)? {
            Some(step) => steps.push(step),
            None => break,
        }
    }
    let last = round.head.size.saturating_sub(1);
    // A seal that names another set is a step; the set that it names has said nothing yet.
    let is_whole = steps.len() == after.len() && sets.iter().skip(1).all(|set| set.from != last);
    let newest = if is_whole { Some(prove_seal(store, last, round)?) } else { None };
    Ok(Some(Walk { steps, newest }))
}

/// Nothing where the note was lost.
fn step(store: &SyncStore, height: u64, set: &SetRecord) -> Result<Option<Step>, StoreError> {
    let note = store.get(&boundary_key(set.from))?.and_then(|note| String::from_utf8(note).ok());
    let Some(note) = note else { return Ok(None) };
    let kept = store.get(&step_key(set.from))?.and_then(|proof| String::from_utf8(proof).ok());
    let proof = match kept {
        Some(proof) => proof,
        None => {
            let size = set.from.saturating_add(1);
            let nodes = LogReader::new(store).nodes(size);
            let path = make_inclusion(&nodes, set.from, size)?;
            LogProof { index: set.from, path, note, extra: None }.to_string()
        }
    };
    let named = SealProof { seal: seal(store, set.from)?, proof };
    Ok(Some(Step { named, policy: policy(store, &set.policy, height)? }))
}

/// Every step there was up to a block, or the log index of a seal whose note was lost.
pub(crate) fn steps(store: &SyncStore, height: u64) -> Result<Result<Vec<Step>, u64>, StoreError> {
    let mut steps = Vec::new();
    for set in validators(store, height)?.sets.iter().skip(1) {
        match step(store, height, set)? {
            Some(step) => steps.push(step),
            None => return Ok(Err(set.from)),
        }
    }
    Ok(Ok(steps))
}

/// What verifiers hold who believe the set that certifies the seal at this index, as the state after it knows the sets:
/// the newest set that an earlier seal names.
pub(crate) fn certifying(store: &SyncStore, height: u64, seal_index: u64) -> Result<TrustRoot, StoreError> {
    let sets = validators(store, height)?.sets;
    let set = sets.iter().rev().find(|set| set.from < seal_index).or(sets.first());
    let set = set.ok_or_else(|| StoreError::Corrupt("no set of validators is in force".into()))?;
    TrustRoot::parse(&policy(store, &set.policy, height)?).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(crate) fn prove_seal(store: &SyncStore, index: u64, round: &Round) -> Result<SealProof, StoreError> {
    Ok(SealProof { seal: seal(store, index)?, proof: prove_entry(store, index, round)?.to_string() })
}

pub(crate) fn seal(store: &SyncStore, index: u64) -> Result<String, StoreError> {
    let entry = store.get(&leaf_key(index))?.and_then(|bytes| String::from_utf8(bytes).ok());
    entry.ok_or_else(|| StoreError::Corrupt("the seal is missing".into()))
}

pub(crate) fn validators(store: &SyncStore, height: u64) -> Result<Validators, StoreError> {
    Validators::of(&VersionedState::new(store, Some(height))).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// The policy file of a set, as the state after the block of `height` holds it.
pub(crate) fn policy(store: &SyncStore, digest: &Hash, height: u64) -> Result<String, StoreError> {
    let state = VersionedState::new(store, Some(height));
    let found = state.get(&policy_key(digest)).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let text = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    text.ok_or_else(|| StoreError::Corrupt("the policy of a set is missing or malformed".into()))
}
