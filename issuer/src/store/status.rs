//! Status lists: which indices are taken, and what each says.

use std::collections::BTreeMap;

use identity_core::status::{Bits, Standing, StatusError, StatusList};
use service_kit::audit::Act;
use service_kit::store::{Batch, Range, StoreError};

use super::grants::credential_key;
use super::{CredentialRecord, Outcome, Records, Stored, encode, orders};
use crate::flow::order::Ordered;

/// Lists read at once: of the smallest size, enough for eight thousand million credentials.
const MAX_LISTS: usize = 1 << 16;

/// A list with its exact bytes, which its replacement requires to be there still.
pub(crate) struct StoredList {
    pub(crate) list: StatusList,
    bytes: Vec<u8>,
}

/// A change of one credential: its record, and its entry in its list.
pub(crate) struct StandingChange<'a> {
    pub credential: &'a Stored<CredentialRecord>,
    pub next: Standing,
    pub old_list: &'a StoredList,
    pub new_list: &'a StatusList,
    pub order: &'a Ordered,
}

impl Records {
    /// Every list, with the bits of its entries.
    pub(crate) async fn status_lists(&self) -> Result<BTreeMap<u32, Bits>, StoreError> {
        let mut lists = BTreeMap::new();
        for (key, bits) in self.store.scan(Range::prefix("status-bits/"), MAX_LISTS).await? {
            lists.insert(number_of(&key)?, read_bits(&bits)?);
        }
        Ok(lists)
    }

    /// Lists that were opened before there was a choice have one bit for each entry: says so beside each.
    pub(crate) async fn name_bits_of_old_lists(&self) -> Result<(), StoreError> {
        let named = self.status_lists().await?;
        for (key, _) in self.store.scan(Range::prefix("status-list/"), MAX_LISTS).await? {
            let number = number_of(&key)?;
            if !named.contains_key(&number) {
                self.store.commit(Batch::new().put(bits_key(number), Bits::One.count().to_string())).await?;
            }
        }
        Ok(())
    }

    /// Opens a list, unless somebody opened one of that number.
    pub(crate) async fn open_list(&self, number: u32, list: &StatusList) -> Result<Outcome, StoreError> {
        let batch = Batch::new()
            .put_new(bits_key(number), list.bits().count().to_string())
            .put_new(list_key(number), list.as_bytes().to_vec());
        match self.store.commit(batch).await {
            Ok(()) => Ok(Outcome::Done),
            Err(StoreError::Precondition { .. }) => Ok(Outcome::Changed),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn is_index_taken(&self, list: u32, index: u32) -> Result<bool, StoreError> {
        Ok(self.store.get(&index_key(list, index)).await?.is_some())
    }

    pub(crate) async fn status_list(&self, number: u32) -> Result<Option<StoredList>, StoreError> {
        let Some(bits) = self.store.get(&bits_key(number)).await? else { return Ok(None) };
        let bytes = self.store.get(&list_key(number)).await?.ok_or_else(|| corrupt("is missing"))?;
        let list = StatusList::from_bytes(read_bits(&bits)?, bytes.clone()).map_err(|error| of_list(&error))?;
        Ok(Some(StoredList { list, bytes }))
    }

    /// Changes the standing of a credential: its record and its entry change together.
    pub(crate) async fn change_standing_once(
        &self,
        act: &Act,
        change: &StandingChange<'_>,
    ) -> Result<Outcome, StoreError> {
        let StandingChange { credential, next, old_list, new_list, order } = *change;
        let record = &credential.value;
        let changed = encode(&CredentialRecord { state: next, ..record.clone() })?;
        let key = credential_key(&record.id);
        let batch = Batch::new()
            .replace(list_key(record.list), old_list.bytes.clone(), new_list.as_bytes().to_vec())
            .replace(key.clone(), credential.bytes.clone(), changed.clone());
        let batch = orders::carried_out(batch, order);
        match self.act_and_settle(&orders::act_under(act, order), batch, &key, &changed).await {
            Ok(()) => Ok(Outcome::Done),
            Err(StoreError::Precondition { key, .. }) if orders::is_order(&key) => Ok(Outcome::OrderUsed),
            Err(StoreError::Precondition { .. }) => Ok(Outcome::Changed),
            Err(error) => Err(error),
        }
    }
}

fn number_of(key: &[u8]) -> Result<u32, StoreError> {
    let number = String::from_utf8_lossy(key).rsplit('/').next().and_then(|text| text.parse().ok());
    number.ok_or_else(|| corrupt("has no number"))
}

fn read_bits(bytes: &[u8]) -> Result<Bits, StoreError> {
    let count = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    count.and_then(Bits::from_count).ok_or_else(|| corrupt("has no number of bits"))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a status list {what}"))
}

/// A list that the store holds, and that is none.
pub(crate) fn of_list(error: &StatusError) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

pub(super) fn index_key(list: u32, index: u32) -> Vec<u8> {
    format!("status-index/{list:010}/{index:010}").into_bytes()
}

fn list_key(list: u32) -> Vec<u8> {
    format!("status-list/{list:010}").into_bytes()
}

fn bits_key(list: u32) -> Vec<u8> {
    format!("status-bits/{list:010}").into_bytes()
}
