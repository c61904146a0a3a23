//! How often a value of the state is read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::{StateUnreadable, StateView, WriteSet};

/// A state that counts how often each of its values is read.
pub(super) struct Counted<'a> {
    state: &'a WriteSet,
    reads: RefCell<BTreeMap<String, usize>>,
}

impl<'a> Counted<'a> {
    pub(super) fn new(state: &'a WriteSet) -> Self {
        Self { state, reads: RefCell::default() }
    }

    /// What was read.
    pub(super) fn keys(&self) -> Vec<String> {
        self.reads.borrow().keys().cloned().collect()
    }

    pub(super) fn reads_of(&self, key: &str) -> usize {
        self.reads.borrow().get(key).copied().unwrap_or_default()
    }
}

impl StateView for Counted<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateUnreadable> {
        *self.reads.borrow_mut().entry(key.to_owned()).or_default() += 1;
        StateView::get(self.state, key)
    }
}
