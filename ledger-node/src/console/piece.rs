//! What these pages are made of beside what all pages are: names with their addresses, entries with their times.

use identity_core::did::Did;
use identity_core::registry::Role;
use maud::{Markup, html};
use service_kit::console::visitor::Visitor;

pub(super) use service_kit::console::piece::{
    Facts, age, badge, digest, folded, live, log, moment, narrow, pages, table,
};

use super::names::{Directory, of_claim, of_purpose, of_type};
use super::reading::Block;

/// A DID with the name of the member it belongs to, leading to its page.
pub(super) fn who(visitor: &Visitor, directory: &Directory, did: &Did) -> Markup {
    let address = visitor.link("/dids", &[("did", did.as_str())]);
    html! {
        @match directory.name(did, visitor.lang()) {
            Some(name) => { a href=(address) title=(did) { bdi { (name) } } }
            None => { a.did href=(address) title=(did) { (short(did.as_str())) } }
        }
    }
}

/// A DID, shortened in the middle of its last part.
pub(super) fn short(did: &str) -> String {
    let (head, tail) = did.rsplit_once(':').unwrap_or(("", did));
    let letters = tail.chars().count();
    if letters <= 16 {
        return did.to_owned();
    }
    let begin: String = tail.chars().take(6).collect();
    let end: String = tail.chars().skip(letters.saturating_sub(6)).collect();
    if head.is_empty() { format!("{begin}…{end}") } else { format!("{head}:{begin}…{end}") }
}

/// The number of a log entry, leading to its page.
pub(super) fn index(visitor: &Visitor, index: u64) -> Markup {
    html! { a.number href=(visitor.link(&format!("/transactions/{index}"), &[])) { (index) } }
}

/// When an entry was sealed, if that is known here.
pub(super) fn sealed(visitor: &Visitor, block: Option<&Block>) -> Markup {
    html! {
        @match block {
            Some(block) => (moment(visitor, block.time())),
            None => span.faint { (visitor.say("console-time-gone")) },
        }
    }
}

pub(super) fn role(visitor: &Visitor, role: Role) -> String {
    visitor.say(match role {
        Role::Issuer => "console-role-issuer",
        Role::Verifier => "console-role-verifier",
    })
}

/// Credential types by name, with their exact spelling behind.
pub(super) fn types(visitor: &Visitor, types: &[String]) -> Markup {
    html! {
        ul.plain { @for vct in types { li title=(vct) { bdi { (of_type(vct, visitor.lang())) } } } }
    }
}

pub(super) fn claims(claims: &[Vec<String>]) -> Markup {
    html! { ul.tags { @for path in claims { li { code { (of_claim(path)) } } } } }
}

pub(super) fn purposes(visitor: &Visitor, purposes: &[String]) -> Markup {
    html! { ul.plain { @for code in purposes { li title=(code) { bdi { (of_purpose(code, visitor.lang())) } } } } }
}
