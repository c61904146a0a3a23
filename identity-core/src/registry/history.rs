//! What the state holds about a DID, a URL, a key's thumbprint, a member and a schema: whole histories.
//!
//! Every entry carries the log index of the change that made it (`from`) and of the one that ended it (`until`):
//! it holds at index `i` when `from <= i < until`. So one value, proven once, answers for every past index.

use serde::{Deserialize, Serialize};

use super::keys::{KeyEntry, KeyUse};
use super::services::{Label, ServiceEntry, ServiceType};
use crate::did::Did;
use crate::jose::Jwk;

/// Whether something that began and perhaps ended holds at a log index.
pub(super) fn holds_at(from: u64, until: Option<u64>, index: u64) -> bool {
    from <= index && until.is_none_or(|end| index < end)
}

/// Value under `did/<did>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DidHistory {
    /// The DID.
    pub did: Did,
    /// Log index of its creation.
    pub created: u64,
    /// Log index of its deactivation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated: Option<u64>,
    /// Public name, as created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Commitments to the recovery key, oldest first.
    pub recovery: Vec<Recovery>,
    /// Every key it ever had, oldest first.
    pub keys: Vec<KeyRecord>,
    /// Every service it ever had, oldest first.
    pub services: Vec<ServiceRecord>,
}

/// A commitment to a recovery key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// base64url of the key's RFC 7638 thumbprint; stands once in a history.
    pub commitment: String,
    /// Log index that set it: the creation, then one recovery each.
    pub from: u64,
}

/// A key in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Fragment of its DID URL.
    pub id: String,
    /// The public key.
    pub jwk: Jwk,
    /// What it may sign.
    #[serde(rename = "use")]
    pub key_use: KeyUse,
    /// Log index from which it holds.
    pub from: u64,
    /// Log index from which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Log index at which it was reported stolen. What it signed before stays good if something else, such as an
    /// anchor, shows that it is from before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compromised: Option<u64>,
}

/// A service in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecord {
    /// Fragment of its DID URL.
    pub id: String,
    /// What it does.
    #[serde(rename = "type")]
    pub kind: ServiceType,
    /// Where it is.
    pub url: String,
    /// Log index from which it holds.
    pub from: u64,
    /// Log index from which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl KeyRecord {
    /// Whether the key held at a log index.
    #[must_use]
    pub fn holds_at(&self, index: u64) -> bool {
        holds_at(self.from, self.until, index)
    }
}

impl ServiceRecord {
    /// Whether the service held at a log index.
    #[must_use]
    pub fn holds_at(&self, index: u64) -> bool {
        holds_at(self.from, self.until, index)
    }
}

impl DidHistory {
    /// Whether the DID exists and is not deactivated at a log index.
    #[must_use]
    pub fn is_active_at(&self, index: u64) -> bool {
        holds_at(self.created, self.deactivated, index)
    }

    /// The key with this id that holds now.
    #[must_use]
    pub fn current_key(&self, id: &str) -> Option<&KeyRecord> {
        self.keys.iter().find(|key| key.until.is_none() && key.id == id)
    }

    /// Log indexes at which the document changed, ascending, without repetition.
    #[must_use]
    pub fn changes(&self) -> Vec<u64> {
        let mut indexes = vec![self.created];
        indexes.extend(self.deactivated);
        indexes.extend(self.recovery.iter().map(|entry| entry.from));
        indexes.extend(self.keys.iter().flat_map(|key| [Some(key.from), key.until, key.compromised]).flatten());
        indexes.extend(self.services.iter().flat_map(|service| [Some(service.from), service.until]).flatten());
        indexes.sort_unstable();
        indexes.dedup();
        indexes
    }

    pub(super) fn add_key(&mut self, entry: &KeyEntry, key_use: KeyUse, from: u64) {
        let record =
            KeyRecord { id: entry.id.clone(), jwk: entry.jwk.clone(), key_use, from, until: None, compromised: None };
        self.keys.push(record);
    }

    pub(super) fn add_service(&mut self, entry: &ServiceEntry, from: u64) {
        let record =
            ServiceRecord { id: entry.id.clone(), kind: entry.kind, url: entry.url.clone(), from, until: None };
        self.services.push(record);
    }
}

/// Value under `url/<url>` and `thumbprint/<thumbprint>`: who registered it, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerHistory {
    /// Its owners; at any index at most one.
    pub owners: Vec<Owner>,
}

/// A registration of a URL or of a key's thumbprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Who.
    pub did: Did,
    /// Log index from which it holds.
    pub from: u64,
    /// Log index from which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl OwnerHistory {
    /// The DID that had registered it at a log index.
    #[must_use]
    pub fn owner_at(&self, index: u64) -> Option<&Did> {
        self.owners.iter().find(|owner| holds_at(owner.from, owner.until, index)).map(|owner| &owner.did)
    }

    pub(super) fn current(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.until.is_none())
    }
}

/// Value under `member/<did>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The member.
    pub did: Did,
    /// Its name in the consortium.
    pub name: String,
    /// Whether it may accredit from genesis on: chains of trust end here.
    pub authority: bool,
    /// Log index of its admission, the last one.
    pub from: u64,
    /// Log index of its expulsion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// When it was suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspended: Vec<Period>,
    /// When it was a member before its last admission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Period>,
}

/// From one log index to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Log index from which it holds.
    pub from: u64,
    /// Log index from which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl Period {
    fn holds_at(&self, index: u64) -> bool {
        holds_at(self.from, self.until, index)
    }
}

impl Member {
    pub(super) fn new(did: Did, name: &str, authority: bool, from: u64) -> Self {
        let (suspended, earlier) = (Vec::new(), Vec::new());
        Self { did, name: name.to_owned(), authority, from, until: None, suspended, earlier }
    }

    /// Whether it is a member at a log index, suspended or not.
    #[must_use]
    pub fn holds_at(&self, index: u64) -> bool {
        holds_at(self.from, self.until, index) || self.earlier.iter().any(|period| period.holds_at(index))
    }

    /// Whether it is suspended at a log index.
    #[must_use]
    pub fn is_suspended_at(&self, index: u64) -> bool {
        self.suspended.iter().any(|period| period.holds_at(index))
    }

    /// Whether it is a member now, and not suspended.
    #[must_use]
    pub fn is_in_good_standing(&self) -> bool {
        self.until.is_none() && self.suspended.iter().all(|period| period.until.is_some())
    }

    /// Suspended members stand again; expelled ones begin anew, as no authority.
    pub(super) fn readmitted(mut self, name: &str, index: u64) -> Self {
        self.end_suspension(index);
        name.clone_into(&mut self.name);
        if self.until.is_some() {
            self.earlier.push(Period { from: self.from, until: self.until });
            (self.from, self.until, self.authority) = (index, None, false);
        }
        self
    }

    pub(super) fn expel(&mut self, index: u64) {
        self.end_suspension(index);
        self.until = Some(index);
    }

    fn end_suspension(&mut self, index: u64) {
        for period in self.suspended.iter_mut().filter(|period| period.until.is_none()) {
            period.until = Some(index);
        }
    }
}

/// Value under `schema/<vct>`: every digest registered, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaHistory {
    /// The registrations; the last one holds.
    pub digests: Vec<SchemaRecord>,
}

/// A registered schema digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaRecord {
    /// base64url SHA-256 of the type metadata's exact bytes.
    pub digest: String,
    /// Who registered it.
    pub by: Did,
    /// Log index from which it holds.
    pub from: u64,
}

impl SchemaHistory {
    /// The registration that holds at a log index.
    #[must_use]
    pub fn at(&self, index: u64) -> Option<&SchemaRecord> {
        self.digests.iter().rev().find(|record| record.from <= index)
    }
}
