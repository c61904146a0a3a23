//! One offer: the code to scan, how it stands, and, once, what the citizen is told beside it.

use actix_web::{HttpResponse, web};
use identity_core::oid4vci::issuer::{Grant, GrantState};
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::piece::{Facts, badge, digest, folded, live, live_from, moment};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;

use super::{OFFERS, kind_name};
use crate::flow::offer::Offered;
use crate::service::Service;

/// Milliseconds between two looks of a page that is open: somebody waits at a desk.
const EVERY: u32 = 2000;

/// `GET <root>/offers/<id>`.
pub(super) async fn show(service: web::Data<Service>, visitor: Visitor, id: web::Path<String>) -> HttpResponse {
    frame::answer(&visitor, OFFERS, page(&service, &visitor, &id).await)
}

async fn page(service: &Service, visitor: &Visitor, id: &str) -> Result<Page, Problem> {
    let grant = service.records.grant(id).await?.ok_or_else(|| Problem::new(Code::VciOfferUnknown))?.value;
    let now = service.clock.now();
    let is_open = is_open(&grant, now);
    let link = service.offer_link(id);
    let parts = parts(visitor, id, standing(visitor, &grant, now), is_open.then_some(&link));
    // Taken is not issued yet.
    let waits = is_open || matches!(grant.state, GrantState::Redeemed { .. });
    let mut facts = Facts::default()
        .with(visitor.say("operator-kind"), html! { bdi { (kind_name(visitor, &grant.configuration)) } })
        .with(visitor.say("operator-subject"), html! { bdi { (harmless(&grant.subject)) } });
    if let Some(reference) = &grant.reference {
        facts.add(visitor.say("operator-reference"), html! { bdi { (harmless(reference)) } });
    }
    facts.add(visitor.say("operator-until"), moment(visitor, grant.expires.0));
    if let Some(order) = &grant.order {
        facts.add(visitor.say("operator-order"), digest(order));
    }
    let body = html! {
        @if waits { (live(visitor, EVERY, parts)) } @else { (parts) }
        (facts.show())
        p { a href=(visitor.link(OFFERS.path(), &[])) { (visitor.say("operator-all-offers")) } }
    };
    Ok(Page::new(OFFERS, visitor.say("operator-offer"), body))
}

/// The page of an offer that has just been made: the only one that knows its transaction code.
pub(super) fn made(visitor: &Visitor, offered: &Offered) -> Page {
    let place = visitor.link(&format!("/offers/{}", offered.id), &[]);
    let open = badge("waiting", &visitor.say("operator-offer-open"));
    let parts = parts(visitor, &offered.id, open, Some(&offered.by_reference));
    let body = html! {
        @if let Some(code) = &offered.tx_code {
            p.told { (visitor.say("operator-tx-code")) " " strong.number { (code) } }
            p.notice { (visitor.say("operator-tx-code-once")) }
        }
        (live_from(visitor, Some(&place), EVERY, parts))
        p { a href=(place) { (visitor.say("operator-offer-page")) } }
    };
    Page::new(OFFERS, visitor.say("operator-offer"), body)
}

fn parts(visitor: &Visitor, id: &str, standing: Markup, link: Option<&String>) -> Markup {
    let code = visitor.site().at(&format!("/offers/{id}/qr"));
    html! {
        div.standing data-live-part="standing" role="status" { (standing) }
        div data-live-part="scan" {
            @if let Some(link) = link {
                figure.qr {
                    img src=(code) width="256" height="256" alt=(visitor.say("operator-offer-qr"));
                    figcaption {
                        p { (visitor.say("operator-offer-scan")) }
                        (folded(&visitor.say("operator-link"), html! { code.digest { (link) } }))
                    }
                }
            }
        }
    }
}

fn is_open(grant: &Grant, now: UnixSeconds) -> bool {
    matches!(grant.state, GrantState::Offered { .. }) && now < grant.expires
}

/// How an offer stands, in a word.
pub(super) fn standing(visitor: &Visitor, grant: &Grant, now: UnixSeconds) -> Markup {
    let (tone, id) = match grant.state {
        GrantState::Offered { .. } if now < grant.expires => ("waiting", "operator-offer-open"),
        GrantState::Offered { .. } => ("plain", "operator-state-expired"),
        GrantState::Locked => ("bad", "operator-offer-locked"),
        GrantState::Redeemed { .. } => ("waiting", "operator-offer-taken"),
        GrantState::Issued { .. } => ("good", "operator-offer-issued"),
    };
    badge(tone, &visitor.say(id))
}
