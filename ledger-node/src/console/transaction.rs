//! One entry of the log: what it says, in whose name, in which block, and that it is in the log.

use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use identity_core::registry::{Operation, Relayed};
use ledger::tree::{leaf_hash, verify_inclusion};
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;

use super::entry::{Entry, Kind};
use super::names::Directory;
use super::piece::{Facts, badge, digest, folded, index, moment, who};
use super::place;
use super::reading::{Block, Console, Reading};
use super::told;
use super::transactions::gone;
use crate::http::blocking;
use crate::proofs::prove_entry;
use crate::store::Past;

/// `GET /console/transactions/{index}`.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor, wanted: web::Path<String>) -> HttpResponse {
    frame::answer(&visitor, place::TRANSACTIONS, page(&console, &visitor, &wanted).await)
}

async fn page(console: &Console, visitor: &Visitor, wanted: &str) -> Result<Page, Problem> {
    let place: u64 = wanted.parse().map_err(|_| Problem::new(Code::LedgerIndexUnknown))?;
    let reading = console.reading()?;
    let title = visitor.fill("console-entry", &[("index", place.to_string().into())]);
    if place < reading.round.head.size && place < console.kept_from() {
        let status = actix_web::http::StatusCode::GONE;
        return Ok(Page::new(place::TRANSACTIONS, title, gone(visitor, &reading)).with_status(status));
    }
    let directory = reading.directory().await?;
    let (bytes, block) = reading.entry(place).await?;
    let entry = Entry::read(&bytes);
    let body = html! {
        section aria-labelledby="says" {
            h2 #says { (visitor.say("console-entry-says")) }
            (told::content(visitor, &directory, &entry).show())
        }
        @if entry.kind() != Kind::Seal {
            section aria-labelledby="signed" {
                h2 #signed { (visitor.say("console-entry-signed")) }
                (signed(visitor, &directory, &entry).show())
            }
        }
        section aria-labelledby="placed" {
            h2 #placed { (visitor.say("console-entry-placed")) }
            (placed(visitor, place, &block).show())
        }
        (inclusion(visitor, &reading, place, &bytes).await?)
        (folded(&visitor.say("console-entry-bytes"), html! { pre.bytes { (String::from_utf8_lossy(&bytes)) } }))
        (neighbours(visitor, &reading, place))
    };
    Ok(Page::new(place::TRANSACTIONS, title, body).with_lead(visitor.say(&entry.kind().text())))
}

fn signed(visitor: &Visitor, directory: &Directory, entry: &Entry) -> Facts {
    let mut facts = Facts::default();
    if let Entry::Transaction(transaction) = entry {
        if let Operation::Relay(relayed) = transaction.operation() {
            facts.add(visitor.say("console-fact-subject"), who(visitor, directory, relayed.subject()));
            if let Relayed::Change(change) = relayed {
                facts.add(visitor.say("console-fact-key"), html! { code { "#" (change.key_id()) } });
            }
            facts.add(visitor.say("console-fact-relayed-by"), who(visitor, directory, transaction.sender()));
        } else {
            facts.add(visitor.say("console-sender"), who(visitor, directory, transaction.sender()));
        }
        facts.add(visitor.say("console-fact-envelope-key"), html! { code { "#" (transaction.key_id()) } });
        facts.add(visitor.say("console-fact-sequence"), html! { (transaction.envelope().seq) });
        facts.add(visitor.say("console-fact-expires"), moment(visitor, transaction.envelope().exp));
    } else if let Some(did) = entry.subject() {
        facts.add(visitor.say("console-sender"), who(visitor, directory, did));
    }
    if let Some(hash) = entry.digest() {
        facts.add(visitor.say("console-fact-digest"), digest(&hash));
    }
    facts
}

fn placed(visitor: &Visitor, place: u64, block: &Block) -> Facts {
    let mut facts = Facts::default()
        .with(visitor.say("console-index"), html! { (place) })
        .with(visitor.say("console-fact-block"), html! { (block.seal.height) })
        .with(visitor.say("console-time"), moment(visitor, block.time()));
    if block.sealed != place {
        facts.add(visitor.say("console-fact-seal"), index(visitor, block.sealed));
    }
    facts
}

/// The way from the entry to the root of the certified log, walked again before it is shown.
async fn inclusion(visitor: &Visitor, reading: &Reading<'_>, place: u64, bytes: &[u8]) -> Result<Markup, Problem> {
    let api = &reading.console.api;
    let title = html! { h2 #included { (visitor.say("console-entry-included")) } };
    if api.is_kept(Past::Proof(place)).is_err() {
        return Ok(html! { section aria-labelledby="included" { (title) p { (visitor.say("console-proof-gone")) } } });
    }
    let round = std::sync::Arc::clone(&reading.round);
    let proof = blocking(&api.node, move |store| prove_entry(store, place, &round)).await?;
    let (head, leaf) = (&reading.round.head, leaf_hash(bytes));
    let leads = verify_inclusion(leaf, place, head.size, &proof.path, &head.root).is_ok();
    let values = [("size", head.size.to_string().into()), ("count", proof.path.len().to_string().into())];
    Ok(html! {
        section aria-labelledby="included" {
            (title)
            p {
                @if leads { (badge("good", &visitor.say("console-included"))) }
                @else { (badge("bad", &visitor.say("console-not-included"))) }
                " " (visitor.fill("console-included-in", &values))
            }
            (folded(&visitor.say("console-included-way"), html! {
                ol.way {
                    li { (visitor.say("console-way-leaf")) " " (digest(&leaf)) }
                    @for hash in &proof.path { li { (digest(hash)) } }
                    li { (visitor.say("console-way-root")) " " (digest(&head.root)) }
                }
            }))
            p.note { a href=(format!("/proofs/log/{place}")) { (visitor.say("console-included-proof")) } }
        }
    })
}

fn neighbours(visitor: &Visitor, reading: &Reading<'_>, place: u64) -> Markup {
    let link = |index: u64| visitor.link(&format!("/transactions/{index}"), &[]);
    html! {
        nav.pages aria-label=(visitor.say("console-pages")) {
            @if let Some(before) = place.checked_sub(1).filter(|before| *before >= reading.console.kept_from()) {
                a rel="prev" href=(link(before)) { (visitor.say("console-entry-before")) }
            }
            @if place < reading.last() {
                a rel="next" href=(link(place.saturating_add(1))) { (visitor.say("console-entry-after")) }
            }
        }
    }
}
