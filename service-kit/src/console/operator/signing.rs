//! An official's part on a page: fetch what is to be signed, sign it in a wallet, bring it back.

use maud::{Markup, html};

use crate::console::visitor::Visitor;

/// The file that an official signs, as it is called when it was fetched from a page.
pub const DRAFT: &str = "to-attest.json";

/// What an official does, with what is to be signed at `address`.
#[must_use]
pub fn steps(visitor: &Visitor, address: &str) -> Markup {
    html! {
        ol {
            li { a href=(address) download=(DRAFT) { (visitor.say("operator-sign-fetch")) } }
            li {
                (visitor.say("operator-sign-run"))
                pre.bytes { "xinfu-wallet approve-request " (DRAFT) " --credential " (visitor.say("operator-sign-number")) }
            }
            li { (visitor.say("operator-sign-bring")) }
        }
    }
}

/// The fields of a form that take back what was signed, as text under `name` or, where scripts run, as a file of up to
/// `limit` bytes.
#[must_use]
pub fn brought(visitor: &Visitor, name: &str, limit: usize) -> Markup {
    html! {
        script type="module" src=(visitor.site().at("/signed.js")) {}
        label for=(name) { (visitor.say("operator-signed")) }
        textarea id=(name) name=(name) required rows="5" maxlength=(limit) spellcheck="false" {}
        div.row hidden {
            label for="file" { (visitor.say("operator-signed-file")) }
            input #file type="file" data-into=(name);
        }
    }
}
