//! Finding what was issued and offered. What is looked for is sent in a form: it names a person, and stands in no address.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use identity_core::oauth::form::Form;
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::operator::Filled;
use service_kit::console::piece::{moment, table};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;

use super::credential::standing;
use super::{CREDENTIALS, PAGE, kind_name, offer};
use crate::service::Service;
use crate::store::{self, CredentialRecord, Search};

/// Entries that are found at most.
const FOUND: usize = 200;

/// `GET <root>/credentials?after=…`: all, in a fixed order that says nothing.
pub(super) async fn show(service: web::Data<Service>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, CREDENTIALS, page(&service, &visitor).await)
}

async fn page(service: &Service, visitor: &Visitor) -> Result<Page, Problem> {
    let (after, limit) = (visitor.asks("after"), PAGE);
    let credentials = service.records.credentials(Search::All, store::Page { after, limit }).await?;
    let more = credentials.last().filter(|_| credentials.len() == PAGE).map(|last| last.id.as_str());
    let body = html! {
        (finder(visitor))
        section aria-labelledby="issued" {
            h2 #issued { (visitor.say("operator-issued")) }
            (list(visitor, &credentials))
        }
        @if let Some(more) = more {
            nav.pages aria-label=(visitor.say("console-pages")) {
                a rel="next" href=(visitor.link(CREDENTIALS.path(), &[("after", more)])) { (visitor.say("operator-more")) }
            }
        }
    };
    let lead = visitor.say("operator-credentials-lead");
    Ok(Page::new(CREDENTIALS, visitor.say("operator-credentials"), body).with_lead(lead))
}

fn finder(visitor: &Visitor) -> Markup {
    html! {
        div.tools {
            form method="post" action=(visitor.link("/credentials/search", &[])) role="search" {
                label for="by" { (visitor.say("operator-find-by")) }
                select #by name="by" {
                    @for (by, id) in [("subject", "operator-subject"), ("reference", "operator-reference"), ("id", "operator-credential-id")] {
                        option value=(by) { (visitor.say(id)) }
                    }
                }
                input name="text" required autocomplete="off" spellcheck="false" aria-label=(visitor.say("operator-find-text"));
                button type="submit" { (visitor.say("operator-find-go")) }
            }
        }
    }
}

fn list(visitor: &Visitor, credentials: &[CredentialRecord]) -> Markup {
    let heads =
        ["operator-credential-id", "operator-kind", "operator-subject", "operator-issued-at", "operator-standing"];
    let heads = heads.map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = credentials
        .iter()
        .map(|record| {
            let page = visitor.link(&format!("/credentials/{}", record.id), &[]);
            vec![
                html! { a href=(page) { code.digest { (record.id) } } },
                html! { bdi { (kind_name(visitor, &record.configuration)) } },
                html! { bdi { (harmless(&record.subject)) } },
                moment(visitor, record.issued.0),
                standing(visitor, record.state),
            ]
        })
        .collect();
    html! {
        @if rows.is_empty() { p { (visitor.say("operator-no-credentials")) } }
        @else { (table(&visitor.say("operator-credentials"), &heads, &rows)) }
    }
}

/// `POST <root>/credentials/search`.
pub(super) async fn search(service: web::Data<Service>, visitor: Visitor, Filled(form): Filled) -> HttpResponse {
    let form = match form {
        Ok(form) => form,
        Err(problem) => return frame::answer(&visitor, CREDENTIALS, Err(problem)),
    };
    let text = form.get("text").map(str::trim).unwrap_or_default();
    // The id of a credential is random, and may stand in an address.
    let is_id = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if form.get("by") == Some("id") && is_id {
        let page = visitor.link(&format!("/credentials/{text}"), &[]);
        return HttpResponse::SeeOther().insert_header((LOCATION, page)).finish();
    }
    frame::answer(&visitor, CREDENTIALS, found(&service, &visitor, &form, text).await)
}

async fn found(service: &Service, visitor: &Visitor, form: &Form, text: &str) -> Result<Page, Problem> {
    let search = if form.get("by") == Some("reference") { Search::Reference(text) } else { Search::Subject(text) };
    let all = store::Page { after: None, limit: FOUND };
    let credentials = service.records.credentials(search, all).await?;
    let offers = service.records.offers(search, all).await?;
    let now = service.clock.now();
    let heads = ["operator-offer", "operator-kind", "operator-subject", "operator-until", "operator-standing"];
    let heads = heads.map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = offers
        .iter()
        .map(|grant| {
            let page = visitor.link(&format!("/offers/{}", grant.id), &[]);
            vec![
                html! { a href=(page) { code.digest { (grant.id) } } },
                html! { bdi { (kind_name(visitor, &grant.configuration)) } },
                html! { bdi { (harmless(&grant.subject)) } },
                moment(visitor, grant.expires.0),
                offer::standing(visitor, grant, now),
            ]
        })
        .collect();
    let body = html! {
        (finder(visitor))
        p { a href=(visitor.link(CREDENTIALS.path(), &[])) { (visitor.say("operator-all-credentials")) } }
        section aria-labelledby="issued" {
            h2 #issued { (visitor.say("operator-found-credentials")) }
            (list(visitor, &credentials))
        }
        section aria-labelledby="offered" {
            h2 #offered { (visitor.say("operator-found-offers")) }
            @if rows.is_empty() { p { (visitor.say("operator-no-offers")) } }
            @else { (table(&visitor.say("operator-found-offers"), &heads, &rows)) }
        }
    };
    Ok(Page::new(CREDENTIALS, visitor.say("operator-found"), body))
}
