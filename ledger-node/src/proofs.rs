//! Making proofs under a certified round. Blocking: runs on threads for that.

use ledger::tree::make_inclusion;
use ledger::{LogProof, StateProof};
use service_kit::store::StoreError;

use crate::node::Round;
use crate::store::{LogReader, SyncStore, leaf_key, prove};

/// The proof that the entry at `index` is in the log; the round must cover it.
pub(crate) fn prove_entry(store: &SyncStore, index: u64, round: &Round) -> Result<LogProof, StoreError> {
    let size = round.head.size;
    let nodes = LogReader::new(store).nodes(size);
    let path = make_inclusion(&nodes, index, size)?;
    Ok(LogProof { index, path, note: round.note.clone(), extra: None })
}

/// The proof of what the state holds under `key`, or that it holds nothing.
pub(crate) fn prove_state(store: &SyncStore, key: &str, round: &Round) -> Result<StateProof, StoreError> {
    let (value, path) = prove(store, key, round.head.height)?;
    let last = round.head.size.saturating_sub(1);
    let seal = store.get(&leaf_key(last))?.and_then(|bytes| String::from_utf8(bytes).ok());
    let seal = seal.ok_or_else(|| StoreError::Corrupt("the seal is missing".into()))?;
    let proof = prove_entry(store, last, round)?.to_string();
    Ok(StateProof { key: key.to_owned(), value, path, seal, proof })
}
