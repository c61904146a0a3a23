//! The log, newest first: a page of transactions, of all kinds or of one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use ledger::Hash;
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;

use super::entry::Kind;
use super::names::Directory;
use super::piece::{index, log, pages, sealed, who};
use super::place;
use super::reading::{Console, Listed, Reading};
use super::told;
use crate::store::Refusal;

/// `GET /console/transactions?before=…&kind=…&find=…`.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor) -> HttpResponse {
    match visitor.asks("find").map(str::to_owned) {
        None => frame::answer(&visitor, place::TRANSACTIONS, page(&console, &visitor).await),
        Some(wanted) => match find(&console, &wanted).await {
            Ok(Found::At(index)) => HttpResponse::SeeOther()
                .insert_header(("Location", visitor.link(&format!("/transactions/{index}"), &[])))
                .finish(),
            Ok(Found::Refused(refusal)) => {
                frame::answer(&visitor, place::TRANSACTIONS, Ok(refused(&visitor, &refusal)))
            }
            Err(problem) => frame::answer(&visitor, place::TRANSACTIONS, Err(problem)),
        },
    }
}

async fn page(console: &Console, visitor: &Visitor) -> Result<Page, Problem> {
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    let kind = visitor.asks("kind").and_then(Kind::of_name);
    let size = reading.round.head.size;
    let before = visitor.asks("before").and_then(|before| before.parse().ok()).unwrap_or(size).min(size);
    let listed = reading.list(before, kind).await?;
    let body = html! {
        (filter(visitor, kind))
        (searched(visitor, &reading, before, &listed))
        @if !listed.rows.is_empty() { (rows(visitor, &directory, &listed)) }
        (ways(visitor, &reading, kind, before, &listed))
    };
    let lead = visitor.fill("console-transactions-lead", &[("size", size.to_string().into())]);
    Ok(Page::new(place::TRANSACTIONS, visitor.say("console-transactions"), body).with_lead(lead))
}

fn filter(visitor: &Visitor, chosen: Option<Kind>) -> Markup {
    html! {
        div.tools {
            form method="get" action=(visitor.site().at(place::TRANSACTIONS.path())) {
                label for="kind" { (visitor.say("console-filter-kind")) }
                select #kind name="kind" {
                    option value="" { (visitor.say("console-filter-all")) }
                    @for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Unknown) {
                        option value=(kind.name()) selected[chosen == Some(kind)] { (visitor.say(&kind.text())) }
                    }
                }
                (language(visitor))
                button type="submit" { (visitor.say("console-filter-go")) }
            }
            form method="get" action=(visitor.site().at(place::TRANSACTIONS.path())) role="search" {
                label for="find" { (visitor.say("console-find")) }
                input #find name="find" required maxlength="64" autocomplete="off" spellcheck="false";
                (language(visitor))
                button type="submit" { (visitor.say("console-find-go")) }
            }
        }
    }
}

/// A chosen language goes along with a form.
pub(super) fn language(visitor: &Visitor) -> Markup {
    html! { @if let Some(lang) = visitor.chosen_language() { input type="hidden" name="lang" value=(lang); } }
}

fn searched(visitor: &Visitor, reading: &Reading<'_>, before: u64, listed: &Listed) -> Markup {
    let values = [("from", listed.searched_to.to_string().into()), ("to", before.saturating_sub(1).to_string().into())];
    let kept_from = reading.console.kept_from();
    html! {
        @if listed.searched_to < before { p.note { (visitor.fill("console-searched", &values)) } }
        @if listed.rows.is_empty() { p { (visitor.say("console-none-here")) } }
        @if kept_from > 0 && listed.searched_to <= kept_from { (gone(visitor, reading)) }
    }
}

/// That older history is not kept here, and who may have it.
pub(super) fn gone(visitor: &Visitor, reading: &Reading<'_>) -> Markup {
    let api = &reading.console.api;
    let first = [("first", reading.console.kept_from().to_string().into())];
    html! {
        div.notice {
            p { (visitor.fill("console-gone", &first)) }
            @if !api.peers.is_empty() {
                p { (visitor.say("console-gone-ask")) }
                ul.plain { @for peer in api.peers.iter() { li { code { (peer) } } } }
            }
        }
    }
}

fn rows(visitor: &Visitor, directory: &Directory, listed: &Listed) -> Markup {
    let heads = ["console-index", "console-time", "console-kind", "console-sender", "console-gist"];
    let rows: Vec<Vec<Markup>> = listed
        .rows
        .iter()
        .map(|row| {
            vec![
                index(visitor, row.index),
                sealed(visitor, row.block.as_ref()),
                html! { (visitor.say(&row.entry.kind().text())) },
                html! { @if let Some(did) = row.entry.subject() { (who(visitor, directory, did)) } @else { "–" } },
                told::gist(visitor, directory, &row.entry),
            ]
        })
        .collect();
    log(&visitor.say("console-transactions"), &heads.map(|id| visitor.say(id)), &rows)
}

fn ways(visitor: &Visitor, reading: &Reading<'_>, kind: Option<Kind>, before: u64, listed: &Listed) -> Markup {
    let kind = kind.map_or("", Kind::name);
    let (path, next) = (place::TRANSACTIONS.path(), listed.searched_to.to_string());
    let newest = (before < reading.round.head.size).then(|| visitor.link(path, &[("kind", kind)]));
    let more = listed.searched_to > reading.console.kept_from();
    let older = more.then(|| visitor.link(path, &[("kind", kind), ("before", &next)]));
    pages(visitor, newest.as_deref(), older.as_deref())
}

enum Found {
    At(u64),
    Refused(Refusal),
}

/// By index, or by digest.
async fn find(console: &Console, wanted: &str) -> Result<Found, Problem> {
    if let Ok(index) = wanted.parse() {
        return Ok(Found::At(index));
    }
    let digest = Hash::from_base64url(wanted).map_err(|_| Problem::new(Code::LedgerDigestMalformed))?;
    if let Some(place) = console.api.node.place(&digest).await? {
        return Ok(Found::At(place.index));
    }
    let refused = console.api.refused(&digest).await?;
    refused.map(Found::Refused).ok_or_else(|| Problem::new(Code::LedgerTransactionUnknown))
}

/// A transaction that the ledger refused, as far as this node was asked to take it.
fn refused(visitor: &Visitor, refusal: &Refusal) -> Page {
    let code = Code::parse(&refusal.code);
    let body = html! {
        p { (visitor.fill("console-refused-at", &[("height", refusal.height.to_string().into())])) }
        @if let Some(code) = code {
            p { strong { (code.title(visitor.lang())) } }
            p { (code.remedy(visitor.lang())) }
        }
        p.note { code { (refusal.code) } }
    };
    Page::new(place::TRANSACTIONS, visitor.say("console-refused"), body).with_status(StatusCode::OK)
}
