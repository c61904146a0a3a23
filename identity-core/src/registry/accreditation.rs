//! Accreditations: who may issue or ask for what, from when to when, on whose word.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::history::holds_at;
use super::{MAX_ACCREDITATION_ENTRIES, Refused};
use crate::did::Did;

/// What an accredited member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Issue credentials of the named types.
    Issuer,
    /// Ask for the named claims of credentials of the named types.
    Verifier,
}

/// Value under `accreditation/<did>`: every accreditation a member was ever given, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccreditationHistory {
    /// The accredited member.
    pub subject: Did,
    /// What it was given.
    pub grants: Vec<Grant>,
}

/// One accreditation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Log index of the transaction that gave it; its number for ever.
    pub id: u64,
    /// Who gave it.
    pub by: Did,
    /// Number of the accreditation under which it was given; none when given by a genesis authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u64>,
    /// Steps to the genesis authority; 1 when it gave this itself.
    pub depth: u8,
    /// To do what.
    pub role: Role,
    /// For which credential types (`vct`).
    pub types: Vec<String>,
    /// Which claims may be asked for, as paths; a path covers everything below it. Empty for an issuer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Vec<String>>,
    /// For which purposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// Unix seconds from which it is meant to hold.
    pub from: i64,
    /// Unix seconds from which it is no longer meant to hold.
    pub until: i64,
    /// Whether its holder may give it on.
    pub delegable: bool,
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

/// Why an accreditation or a delegation ceased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// Its period was over.
    Lapsed,
    /// It was ended by a transaction.
    Ended,
    /// The one under which it was given ceased.
    Chain,
    /// Its holder was deactivated.
    Deactivated,
    /// Its holder was expelled.
    Expelled,
    /// Another delegation of the same duty took its place.
    Replaced,
}

impl Grant {
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

    /// Ends it, and says its number.
    pub(super) fn end(&mut self, index: u64, ending: Ending) -> u64 {
        (self.ended, self.ending) = (Some(index), Some(ending));
        self.id
    }

    /// Whether this accreditation is nowhere wider than `parent`.
    pub(crate) fn is_within(&self, parent: &Self) -> bool {
        self.role == parent.role
            && self.types.iter().all(|vct| parent.types.contains(vct))
            && self.claims.iter().all(|path| parent.covers_claim(path))
            && self.purposes.iter().all(|purpose| parent.purposes.contains(purpose))
            && self.from >= parent.from
            && self.until <= parent.until
    }

    /// The lists are bounded, non-empty where they must say something, and say nothing twice.
    pub(super) fn check_lists(&self) -> Result<(), Refused> {
        check_lists(self.role, &self.types, &self.claims, &self.purposes).map_err(Refused::AccreditationMalformed)
    }
}

/// Whether one of `given` is `path` or above it.
pub(super) fn covers_claim(given: &[Vec<String>], path: &[String]) -> bool {
    given.iter().any(|given| path.starts_with(given))
}

/// What is wrong with the lists of an accreditation or a delegation, by the name of the first that is.
pub(super) fn check_lists(
    role: Role,
    types: &[String],
    claims: &[Vec<String>],
    purposes: &[String],
) -> Result<(), &'static str> {
    let names = |list: &[String]| is_set(list) && list.iter().all(|name| is_token(name));
    if types.is_empty() || !names(types) {
        return Err("types");
    }
    if !names(purposes) {
        return Err("purposes");
    }
    let paths_sound = is_set(claims)
        && claims.iter().all(|path| (1..=8).contains(&path.len()) && path.iter().all(|step| is_token(step)));
    let claims_match_role = match role {
        Role::Issuer => claims.is_empty(),
        Role::Verifier => !claims.is_empty(),
    };
    if paths_sound && claims_match_role { Ok(()) } else { Err("claims") }
}

/// Entries of a list: not too many, and none twice.
fn is_set<T: Ord>(list: &[T]) -> bool {
    list.len() <= MAX_ACCREDITATION_ENTRIES && list.iter().collect::<BTreeSet<_>>().len() == list.len()
}

/// A name in a list: short and printable.
pub(super) fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(char::is_control)
}
