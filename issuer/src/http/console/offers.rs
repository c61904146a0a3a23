//! The first page: making an offer, and the newest ones with how they stand.

use actix_web::{HttpResponse, web};
use identity_core::duty::{Deed, IssuerAct};
use identity_core::oauth::form::Form;
use ledger::sha256;
use maud::{Markup, html};
use serde_json::json;
use service_kit::audit::Act;
use service_kit::console::frame::{self, Page};
use service_kit::console::operator::Filled;
use service_kit::console::piece::{live, moment, pages, table};
use service_kit::console::visitor::Visitor;
use service_kit::http::body;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;

use super::order::{self, Under};
use super::{OFFERS, PAGE, kind_name, offer};
use crate::flow::offer::{MakeRefusal, OfferRequest};
use crate::service::Service;

/// Milliseconds between two looks of a page that is open.
const EVERY: u32 = 5000;

/// `GET <root>/?before=…`.
pub(super) async fn show(service: web::Data<Service>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, OFFERS, page(&service, &visitor).await)
}

async fn page(service: &Service, visitor: &Visitor) -> Result<Page, Problem> {
    let before = visitor.asks("before");
    let offers = service.records.newest_offers(before, PAGE).await?;
    let newest = before.map(|_| visitor.link("/", &[]));
    let older =
        offers.last().filter(|_| offers.len() == PAGE).map(|(made, _)| visitor.link("/", &[("before", &made.place)]));
    let now = service.clock.now();
    let heads = ["operator-made", "operator-kind", "operator-subject", "operator-standing"].map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = offers
        .iter()
        .map(|(made, grant)| {
            vec![
                html! { a href=(visitor.link(&format!("/offers/{}", grant.id), &[])) { (moment(visitor, made.at.0)) } },
                html! { bdi { (kind_name(visitor, &grant.configuration)) } },
                html! { bdi { (harmless(&grant.subject)) } },
                offer::standing(visitor, grant, now),
            ]
        })
        .collect();
    let list = html! {
        div data-live-part="offers" {
            @if rows.is_empty() { p { (visitor.say("operator-no-offers")) } }
            @else { (table(&visitor.say("operator-offers"), &heads, &rows)) }
        }
    };
    let body = html! {
        @if before.is_none() {
            (form(service, visitor))
            section aria-labelledby="newest" {
                h2 #newest { (visitor.say("operator-newest-offers")) }
                (live(visitor, EVERY, list))
            }
        } @else {
            (list)
        }
        (pages(visitor, newest.as_deref(), older.as_deref()))
    };
    Ok(Page::new(OFFERS, visitor.say("operator-offers"), body).with_lead(visitor.say("operator-offers-lead")))
}

fn form(service: &Service, visitor: &Visitor) -> Markup {
    html! {
        section aria-labelledby="make" {
            h2 #make { (visitor.say("operator-offer-make")) }
            form.sheet method="post" action=(visitor.link("/offers", &[])) {
                label for="kind" { (visitor.say("operator-kind")) }
                select #kind name="kind" required {
                    @for name in service.kinds.keys() { option value=(name) { (kind_name(visitor, name)) } }
                }
                label for="subject" { (visitor.say("operator-subject-field")) }
                input #subject name="subject" required autocomplete="off" spellcheck="false";
                label for="reference" { (visitor.say("operator-reference")) }
                input #reference name="reference" autocomplete="off" spellcheck="false";
                (order::fields(service, visitor))
                button type="submit" { (visitor.say("operator-offer-go")) }
            }
        }
    }
}

/// `POST <root>/offers`: as `POST /admin/offers`. What is ordered is handed out first, with the bytes that it is of.
pub(super) async fn make(
    service: web::Data<Service>,
    visitor: Visitor,
    act: Act,
    Filled(form): Filled,
) -> HttpResponse {
    frame::answer(&visitor, OFFERS, made(&service, &visitor, act, form).await)
}

async fn made(service: &Service, visitor: &Visitor, act: Act, form: Result<Form, Problem>) -> Result<Page, Problem> {
    let form = form?;
    let content = form.get("content").map_or_else(|| content(&form), str::to_owned);
    let request: OfferRequest = body::parse_json(content.as_bytes()).map_err(|error| Problem::of_body(&error))?;
    let signed = match order::under(&form)? {
        Under::Account => None,
        Under::Signed(order) => Some(order),
        Under::Wanted(by) => {
            let kind = service.kinds.get(&request.credential_configuration_id);
            let vct = kind.ok_or(MakeRefusal::ConfigurationUnknown)?.vct.clone();
            let deed = Deed { act: IssuerAct::Offer, vct, content: sha256(content.as_bytes()), count: 1 };
            return order::page(service, visitor, OFFERS, by, deed, "/offers", Some(&content));
        }
    };
    let offered = service.make_offer(act, request, content.as_bytes(), signed.as_deref()).await?;
    Ok(offer::made(visitor, &offered))
}

/// The request as the admin API takes it: its bytes are what an order is of.
fn content(form: &Form) -> String {
    let field = |name: &str| form.get(name).map(str::trim).unwrap_or_default();
    let (subject, kind, reference) = (field("subject"), field("kind"), field("reference"));
    let mut wanted = json!({ "subject": subject, "credential_configuration_id": kind });
    if let Some(members) = wanted.as_object_mut().filter(|_| !reference.is_empty()) {
        members.insert("reference".to_owned(), reference.into());
    }
    wanted.to_string()
}
