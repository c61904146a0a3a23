//! Delegations: who acts for a member, under which duty key, for what, from when to when.
//!
//! An official is named here by duty number and title, never as a person: who held the duty when is the department's
//! to know, and to disclose to auditors.

use serde::{Deserialize, Serialize};

use super::Refused;
use super::accreditation::{Ending, Role, check_lists, covers_claim};
use super::history::holds_at;
use super::keys::is_fragment;
use super::services::Label;
use crate::did::Did;
use crate::jose::Jwk;

/// Value under `duty/<did>/<duty number>`: every delegation that one duty of a member was ever given, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyHistory {
    /// The member.
    pub department: Did,
    /// The duty number, the department's own: `[A-Za-z0-9._-]{1,64}`.
    pub duty: String,
    /// Its delegations.
    pub delegations: Vec<Delegation>,
}

/// Whose hand a duty key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DutyHolder {
    /// A person on duty.
    Official,
    /// A service that acts by itself, under rules that people made. Said wherever a person would be named.
    Service,
}

/// One delegation. It counts only while the member itself is accredited for what it allows: the two are read together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Log index of the transaction that gave it; its number for ever.
    pub id: u64,
    /// Whose hand the key is in.
    pub holder: DutyHolder,
    /// What the duty is called, to be shown to those who are asked.
    pub title: Label,
    /// The duty key. When it was delegated it was no key of the department's DID.
    pub key: Jwk,
    /// On which side: ask as a verifier, or issue, revoke and import as an issuer.
    pub role: Role,
    /// For which credential types (`vct`).
    pub types: Vec<String>,
    /// Verifier only: which claims may be asked for, as paths; a path covers everything below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Vec<String>>,
    /// Verifier only: for which purposes; at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// Whether each act needs a case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub case_required: bool,
    /// Unix seconds from which it is meant to hold.
    pub from: i64,
    /// Unix seconds from which it is no longer meant to hold.
    pub until: i64,
    /// Log index at which it began to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// Log index at which it ceased to hold, or to be able to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
    /// Why it ceased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

impl Delegation {
    /// Whether it holds at a log index.
    #[must_use]
    pub fn holds_at(&self, index: u64) -> bool {
        self.started.is_some_and(|start| holds_at(start, self.ended, index))
    }

    /// Whether it was given for `role` and this credential type.
    #[must_use]
    pub fn is_for(&self, role: Role, vct: &str) -> bool {
        self.role == role && self.types.iter().any(|given| given == vct)
    }

    /// Whether a claim, or something above it, was named.
    #[must_use]
    pub fn covers_claim(&self, path: &[String]) -> bool {
        covers_claim(&self.claims, path)
    }

    /// Whether a purpose was named.
    #[must_use]
    pub fn is_for_purpose(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|given| given == purpose)
    }

    /// The lists are bounded and say something, nothing twice, and nobody asks without a purpose.
    pub(super) fn check(&self) -> Result<(), Refused> {
        check_lists(self.role, &self.types, &self.claims, &self.purposes).map_err(Refused::DelegationMalformed)?;
        let purposes_match_role = match self.role {
            Role::Issuer => self.purposes.is_empty(),
            Role::Verifier => !self.purposes.is_empty(),
        };
        if !purposes_match_role {
            return Err(Refused::DelegationMalformed("purposes"));
        }
        if self.title.is_sound() { Ok(()) } else { Err(Refused::DelegationMalformed("title")) }
    }
}

impl DutyHistory {
    /// The delegation that holds at a log index; at most one does.
    #[must_use]
    pub fn at(&self, index: u64) -> Option<&Delegation> {
        self.delegations.iter().find(|given| given.holds_at(index))
    }

    pub(super) fn new(department: &Did, duty: &str) -> Self {
        Self { department: department.clone(), duty: duty.to_owned(), delegations: Vec::new() }
    }
}

/// Whether `text` can be a duty number: safe in a URL, a path, a log line and a terminal.
#[must_use]
pub fn is_duty_number(text: &str) -> bool {
    is_fragment(text)
}
