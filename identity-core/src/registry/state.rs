//! The state the rules read and write: text keys, JSON values.
//!
//! The rules never hold state themselves. They read through [`StateView`] and hand back the set of values that
//! changed, so a refused transaction changes nothing by construction: its writes are simply dropped.

use std::collections::BTreeMap;

use ledger::Hash;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::NotApplied;
use crate::did::Did;
use crate::time::UtcDay;

/// What the ledger holds under a key right now.
pub trait StateView {
    /// The value under `key`, or `None` where there is none.
    ///
    /// # Errors
    /// [`StateUnreadable`] when the store behind the view fails; that is never a verdict on a transaction.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateUnreadable>;
}

/// The state could not be read, or holds something the rules did not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's state cannot be read: {0}")]
pub struct StateUnreadable(pub String);

/// New values by key. Nothing is ever deleted: histories only grow.
pub type WriteSet = BTreeMap<String, Vec<u8>>;

impl StateView for WriteSet {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateUnreadable> {
        Ok(BTreeMap::get(self, key).cloned())
    }
}

/// Key of a DID's history.
#[must_use]
pub fn did_key(did: &Did) -> String {
    format!("did/{did}")
}

/// Key of the history of who registered a URL.
#[must_use]
pub fn url_key(url: &str) -> String {
    format!("url/{url}")
}

/// Key of the history of who registered a public key, named by its RFC 7638 thumbprint.
#[must_use]
pub fn thumbprint_key(thumbprint: &Hash) -> String {
    format!("thumbprint/{}", thumbprint.to_base64url())
}

/// Key of a DID's accreditations.
#[must_use]
pub fn accreditation_key(subject: &Did) -> String {
    format!("accreditation/{subject}")
}

/// Key of the delegations of one duty of a member, by its duty number.
#[must_use]
pub fn duty_key(department: &Did, duty: &str) -> String {
    format!("duty/{department}/{duty}")
}

/// Key of a credential type's schema digests.
#[must_use]
pub fn schema_key(vct: &str) -> String {
    format!("schema/{vct}")
}

/// Key of the last sequence number used under a key, named by its DID URL.
#[must_use]
pub fn sequence_key(key_url: &str) -> String {
    format!("seq/{key_url}")
}

/// Key of a membership.
#[must_use]
pub fn member_key(did: &Did) -> String {
    format!("member/{did}")
}

/// Key of the list of all members' DIDs.
pub const MEMBERS: &str = "members";

/// Key of what genesis fixed for ever.
pub const RULES: &str = "rules";

/// Key of the validators: in force, next, and every set there was.
pub const VALIDATORS: &str = "validators";

/// Key of a validator's name: whose it is, and every set of keys it had.
#[must_use]
pub fn validator_key(name: &str) -> String {
    format!("validator/{name}")
}

/// Key of the policy file of a set of validators, named by its digest.
#[must_use]
pub fn policy_key(policy: &Hash) -> String {
    format!("policy/{}", policy.to_base64url())
}

/// Key of the list of proposals that were open when the last one was made.
pub const PROPOSALS: &str = "proposals";

/// Key of a proposal.
#[must_use]
pub fn proposal_key(number: u64) -> String {
    format!("proposal/{number}")
}

/// Key of a member's chain of receipts: its last number and head.
#[must_use]
pub fn receipts_key(did: &Did) -> String {
    format!("receipts/{did}")
}

/// Key of how far a member's tallies reach.
#[must_use]
pub fn tallies_key(did: &Did) -> String {
    format!("tallies/{did}")
}

/// Key of a member's tallies of the month of `day`.
#[must_use]
pub fn tallied_month_key(did: &Did, day: UtcDay) -> String {
    format!("tally/{did}/{}", day.month())
}

/// Key of the accreditations made under one delegable accreditation.
#[must_use]
pub fn delegations_key(accreditation: u64) -> String {
    format!("delegations/{accreditation}")
}

/// Reads a JSON value that the rules wrote earlier.
pub(super) fn read_json<T: DeserializeOwned>(state: &dyn StateView, key: &str) -> Result<Option<T>, StateUnreadable> {
    let Some(bytes) = state.get(key)? else { return Ok(None) };
    parse_json(&bytes, key).map(Some)
}

pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8], key: &str) -> Result<T, StateUnreadable> {
    serde_json::from_slice(bytes).map_err(|_| StateUnreadable(format!("malformed value under {key}")))
}

/// A view with changes on top that are not kept yet.
pub(super) struct Overlay<'a> {
    below: &'a dyn StateView,
    writes: WriteSet,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(below: &'a dyn StateView) -> Self {
        Self { below, writes: WriteSet::new() }
    }

    pub(super) fn into_writes(self) -> WriteSet {
        self.writes
    }

    /// Reads a JSON value that the rules wrote earlier.
    pub(super) fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, NotApplied> {
        Ok(read_json(self, key)?)
    }

    pub(super) fn write<T: Serialize>(&mut self, key: String, value: &T) -> Result<(), NotApplied> {
        let bytes = serde_json::to_vec(value).map_err(|_| StateUnreadable(format!("unwritable value under {key}")))?;
        self.writes.insert(key, bytes);
        Ok(())
    }
}

impl StateView for Overlay<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateUnreadable> {
        match BTreeMap::get(&self.writes, key) {
            Some(value) => Ok(Some(value.clone())),
            None => self.below.get(key),
        }
    }
}
