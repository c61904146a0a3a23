//! Histories that an act, or the end of a block, changes: each is read once and written once, however many of its entries
//! change.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::NotApplied;
use super::state::Overlay;

/// Values by their keys, on their way from the state and back.
#[derive(Debug)]
pub(super) struct Open<T>(BTreeMap<String, T>);

impl<T> Default for Open<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Serialize + DeserializeOwned> Open<T> {
    /// The value under `key`, to be read and changed; `None` where there is none.
    pub(super) fn get(&mut self, state: &Overlay<'_>, key: String) -> Result<Option<&mut T>, NotApplied> {
        match self.0.entry(key) {
            Entry::Occupied(place) => Ok(Some(place.into_mut())),
            Entry::Vacant(place) => match state.read(place.key())? {
                Some(value) => Ok(Some(place.insert(value))),
                None => Ok(None),
            },
        }
    }

    /// Writes all of them back.
    pub(super) fn write(self, state: &mut Overlay<'_>) -> Result<(), NotApplied> {
        self.0.into_iter().try_for_each(|(key, value)| state.write(key, &value))
    }
}
