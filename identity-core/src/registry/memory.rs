//! Histories that were read before. A sender's history is the longest value that a transaction needs, and its keys are
//! points of a curve that have to be decoded; in a block of many transactions by few senders, once is enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::history::DidHistory;
use super::state::{Overlay, StateView, did_key, parse_json};
use super::{NotApplied, StateUnreadable};
use crate::did::Did;

/// Histories remembered at a time: each may have its own tens of kilobytes, and few members send at once.
const MAX_HISTORIES: usize = 64;

/// What the histories of senders say, by their exact bytes. So it never has to be told of changes: other bytes are read
/// anew, and a memory that is empty, or another's, gives the same answers.
#[derive(Debug, Default)]
pub struct Memory(BTreeMap<Did, (Vec<u8>, Arc<DidHistory>)>);

impl Memory {
    /// The DID's history, as the state holds it now.
    pub(super) fn history(&mut self, state: &Overlay<'_>, did: &Did) -> Result<Option<Arc<DidHistory>>, NotApplied> {
        let key = did_key(did);
        let Some(bytes) = state.get(&key)? else { return Ok(None) };
        if let Some((known, history)) = self.0.get(did)
            && *known == bytes
        {
            return Ok(Some(Arc::clone(history)));
        }
        let history: Result<DidHistory, StateUnreadable> = parse_json(&bytes, &key);
        let history = Arc::new(history?);
        if self.0.len() >= MAX_HISTORIES {
            self.0.clear();
        }
        self.0.insert(did.clone(), (bytes, Arc::clone(&history)));
        Ok(Some(history))
    }
}
