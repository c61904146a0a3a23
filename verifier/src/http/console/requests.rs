//! The first page: making a request, and the newest ones with how they stand.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use identity_core::duty::MAX_CASE_BYTES;
use identity_core::problem::Code;
use maud::{Markup, html};
use service_kit::audit::Act;
use service_kit::console::frame::{self, Page};
use service_kit::console::names::of_purpose;
use service_kit::console::operator::Filled;
use service_kit::console::piece::{badge, live, moment, pages, table};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;

use super::REQUESTS;
use crate::client::Prefix;
use crate::flow::request::{Asked, Flow, Manner, Mode};
use crate::flow::result::State;
use crate::flow::seen::{Listed, Seen};
use crate::http::admin;
use crate::service::Verifier;

/// Requests on one page.
const PAGE: usize = 25;

/// Milliseconds between two looks of a page that is open.
const EVERY: u32 = 5000;

/// `GET <root>/?before=…`.
pub(super) async fn show(verifier: web::Data<Verifier>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, REQUESTS, page(&verifier, &visitor).await)
}

async fn page(verifier: &Verifier, visitor: &Visitor) -> Result<Page, Problem> {
    let before = visitor.asks("before");
    let listed = verifier.newest(before, PAGE).await?;
    let newest = before.map(|_| visitor.link("/", &[]));
    let older = listed.older.as_ref().map(|older| visitor.link("/", &[("before", older)]));
    let list = html! { div data-live-part="requests" { (list(visitor, &listed)) } };
    let body = html! {
        @if before.is_none() {
            (form(verifier, visitor))
            section aria-labelledby="newest" {
                h2 #newest { (visitor.say("operator-newest")) }
                (live(visitor, EVERY, list))
            }
        } @else {
            (list)
        }
        (pages(visitor, newest.as_deref(), older.as_deref()))
    };
    Ok(Page::new(REQUESTS, visitor.say("operator-requests"), body).with_lead(visitor.say("operator-requests-lead")))
}

fn form(verifier: &Verifier, visitor: &Visitor) -> Markup {
    let queries = verifier.queries();
    let account = verifier.service_duty.is_some();
    html! {
        section aria-labelledby="ask" {
            h2 #ask { (visitor.say("operator-ask")) }
            @if queries.is_empty() { p.notice { (visitor.say("operator-ask-nothing")) } }
            @else {
                form.sheet method="post" action=(visitor.link("/requests", &[])) {
                    label for="query" { (visitor.say("operator-query")) }
                    select #query name="query" required {
                        @for (name, query) in queries {
                            option value=(name) {
                                (harmless(name))
                                @if let Some(purpose) = &query.policy.purpose { " · " (of_purpose(purpose, visitor.lang())) }
                            }
                        }
                    }
                    label for="case" { (visitor.say("operator-case")) }
                    input #case name="case" maxlength=(MAX_CASE_BYTES) autocomplete="off" spellcheck="false";
                    label for="official" { (visitor.say("operator-official")) }
                    div {
                        input #official name="official" required[!account] maxlength="64" autocomplete="off" spellcheck="false"
                            aria-describedby="official-note";
                        p.note #official-note {
                            (visitor.say(if account { "operator-official-or-account" } else { "operator-official-needed" }))
                        }
                    }
                    button type="submit" { (visitor.say("operator-ask-go")) }
                }
            }
        }
    }
}

fn list(visitor: &Visitor, listed: &Listed) -> Markup {
    let heads = ["operator-made", "operator-purpose", "operator-by", "operator-standing"].map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = listed.requests.iter().map(|seen| row(visitor, seen)).collect();
    html! {
        @if rows.is_empty() { p { (visitor.say("operator-no-requests")) } }
        @else { (table(&visitor.say("operator-requests"), &heads, &rows)) }
    }
}

fn row(visitor: &Visitor, seen: &Seen) -> Vec<Markup> {
    vec![
        html! { a href=(visitor.link(&format!("/requests/{}", seen.id), &[])) { (moment(visitor, seen.result.created.0)) } },
        purpose(visitor, seen),
        by(visitor, seen),
        standing(visitor, &seen.result.state),
    ]
}

pub(super) fn purpose(visitor: &Visitor, seen: &Seen) -> Markup {
    html! {
        @match &seen.result.purpose {
            Some(code) => bdi { (of_purpose(code, visitor.lang())) },
            None => "–",
        }
    }
}

/// Who answers for a request.
pub(super) fn by(visitor: &Visitor, seen: &Seen) -> Markup {
    let id = if seen.official { "operator-by-official" } else { "operator-by-account" };
    html! { (visitor.say(id)) " " code { (harmless(&seen.duty)) } }
}

/// How a request stands, in a word; why, where it was refused.
pub(super) fn standing(visitor: &Visitor, state: &State) -> Markup {
    let word = |tone: &str, id: &str| badge(tone, &visitor.say(id));
    match state {
        State::Unattested { .. } => word("waiting", "operator-state-unattested"),
        State::Pending => word("waiting", "operator-state-pending"),
        State::Answered => word("waiting", "operator-state-answered"),
        State::Verified { .. } => word("good", "operator-state-verified"),
        State::Withdrawn { .. } => word("plain", "operator-state-withdrawn"),
        State::Refused { code: Some(Code::VpRequestExpired) } => word("plain", "operator-state-expired"),
        State::Refused { code } => html! {
            (word("bad", "operator-state-refused"))
            @if let Some(code) = code { " " (code.title(visitor.lang())) }
        },
    }
}

/// `POST <root>/requests`: as `POST /admin/requests` of a configured query, for a wallet on another device.
pub(super) async fn make(verifier: web::Data<Verifier>, visitor: Visitor, act: Act, filled: Filled) -> HttpResponse {
    match made(&verifier, act, filled).await {
        Ok(id) => {
            let page = visitor.link(&format!("/requests/{id}"), &[]);
            HttpResponse::SeeOther().insert_header((LOCATION, page)).finish()
        }
        Err(problem) => frame::answer(&visitor, REQUESTS, Err(problem)),
    }
}

async fn made(verifier: &Verifier, act: Act, Filled(form): Filled) -> Result<String, Problem> {
    let form = form?;
    let field = |name: &str| form.get(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let query = field("query").ok_or_else(|| Problem::new(Code::VpRequestQueryUnknown))?;
    let by = admin::by(field("official"), field("case"))?;
    let manner = Manner { flow: Flow::CrossDevice, mode: Mode::default(), prefix: Prefix::default() };
    Ok(verifier.make_request(act, Asked::Named(query), manner, by).await?.id)
}
