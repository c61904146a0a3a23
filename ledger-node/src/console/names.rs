//! What things of the ledger are called: members by their labels, claims by their paths.

use identity_core::did::Did;
use identity_core::problem::Lang;
use identity_core::registry::{Grant, Label, Member};
pub(super) use service_kit::console::names::{all_types, of_purpose, of_type};
use service_kit::terminal::harmless;

/// A member, with everything that pages say of it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) member: Member,
    pub(super) label: Option<Label>,
    pub(super) grants: Vec<Grant>,
}

/// Every member there was, in the order of their admission.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) members: Vec<Known>,
}

impl Directory {
    pub(super) fn member(&self, did: &Did) -> Option<&Known> {
        self.members.iter().find(|known| known.member.did == *did)
    }

    /// What a member is called; nothing for everybody else.
    pub(super) fn name(&self, did: &Did, lang: Lang) -> Option<String> {
        let known = self.member(did)?;
        Some(known.name(lang))
    }
}

impl Known {
    pub(super) fn name(&self, lang: Lang) -> String {
        match &self.label {
            Some(label) => of_label(label, lang),
            None => harmless(&self.member.name),
        }
    }
}

pub(super) fn of_label(label: &Label, lang: Lang) -> String {
    harmless(match lang {
        Lang::En => &label.en,
        Lang::Zh => &label.zh,
    })
}

/// A claim's path as people write it.
pub(super) fn of_claim(path: &[String]) -> String {
    harmless(&path.join("."))
}
