//! One credential that was issued: what is kept of it, and changing how it stands, after a plain question.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use identity_core::oauth::form::Form;
use identity_core::problem::Code;
use identity_core::status::{Bits, Change, Standing};
use maud::{Markup, html};
use service_kit::audit::Act;
use service_kit::console::frame::{self, Page};
use service_kit::console::operator::Filled;
use service_kit::console::piece::{Facts, badge, digest, moment};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;

use super::order::{self, Under};
use super::{CREDENTIALS, kind_name};
use crate::service::Service;
use crate::store::CredentialRecord;

/// What may be done, in addresses and texts.
const CHANGES: [(Change, &str); 3] =
    [(Change::Suspend, "suspend"), (Change::Reinstate, "reinstate"), (Change::Revoke, "revoke")];

/// `GET <root>/credentials/<id>`.
pub(super) async fn show(service: web::Data<Service>, visitor: Visitor, id: web::Path<String>) -> HttpResponse {
    frame::answer(&visitor, CREDENTIALS, page(&service, &visitor, &id).await)
}

async fn page(service: &Service, visitor: &Visitor, id: &str) -> Result<Page, Problem> {
    let record = read(service, id).await?;
    let choices = choices(service, &record);
    let body = html! {
        div.standing role="status" {
            (standing(visitor, record.state))
            @if record.state == Standing::Revoked { p { (visitor.say("operator-revoked-final")) } }
        }
        (facts(visitor, &record).show())
        @if !choices.is_empty() {
            section aria-labelledby="change" {
                h2 #change { (visitor.say("operator-change")) }
                ul.choices {
                    @for name in choices {
                        li {
                            a href=(visitor.link(&format!("/credentials/{id}/{name}"), &[])) {
                                (visitor.say(&format!("operator-change-{name}")))
                            }
                        }
                    }
                }
            }
        }
        p { a href=(visitor.link(CREDENTIALS.path(), &[])) { (visitor.say("operator-all-credentials")) } }
    };
    Ok(Page::new(CREDENTIALS, visitor.say("operator-credential"), body))
}

async fn read(service: &Service, id: &str) -> Result<CredentialRecord, Problem> {
    let record = service.records.credential(id).await?;
    Ok(record.ok_or_else(|| Problem::new(Code::VciCredentialUnknown))?.value)
}

/// The changes that its standing allows, by name.
fn choices(service: &Service, record: &CredentialRecord) -> Vec<&'static str> {
    let bits = service.kinds.get(&record.configuration).map_or(Bits::Two, |kind| kind.status_bits);
    let changes = |change: Change| record.state.after(change, bits).is_ok_and(|next| next != record.state);
    CHANGES.into_iter().filter(|(change, _)| changes(*change)).map(|(_, name)| name).collect()
}

fn facts(visitor: &Visitor, record: &CredentialRecord) -> Facts {
    let mut facts = Facts::default()
        .with(visitor.say("operator-credential-id"), html! { code.digest { (record.id) } })
        .with(visitor.say("operator-kind"), html! { bdi { (kind_name(visitor, &record.configuration)) } })
        .with(visitor.say("operator-subject"), html! { bdi { (harmless(&record.subject)) } });
    if let Some(reference) = &record.reference {
        facts.add(visitor.say("operator-reference"), html! { bdi { (harmless(reference)) } });
    }
    facts.add(visitor.say("operator-issued-at"), moment(visitor, record.issued.0));
    facts.add(visitor.say("operator-expires"), moment(visitor, record.expires.0));
    facts.add(visitor.say("operator-status-list"), html! { (record.list) " · " (record.index) });
    facts.add(visitor.say("operator-digest"), digest(&record.digest));
    if let Some(order) = &record.order {
        facts.add(visitor.say("operator-order"), digest(order));
    }
    facts
}

/// How a credential stands, in a word.
pub(super) fn standing(visitor: &Visitor, standing: Standing) -> Markup {
    let (tone, id) = match standing {
        Standing::Valid => ("good", "operator-valid"),
        Standing::Suspended => ("waiting", "operator-suspended"),
        Standing::Revoked => ("bad", "operator-revoked"),
    };
    badge(tone, &visitor.say(id))
}

/// `GET <root>/credentials/<id>/<change>`: the question before it.
pub(super) async fn confirm(
    service: web::Data<Service>,
    visitor: Visitor,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    frame::answer(&visitor, CREDENTIALS, question(&service, &visitor, &path.0, &path.1).await)
}

async fn question(service: &Service, visitor: &Visitor, id: &str, name: &str) -> Result<Page, Problem> {
    let (_, name) = of_name(name)?;
    let record = read(service, id).await?;
    let body = html! {
        p.notice { (visitor.say(&format!("operator-means-{name}"))) }
        (facts(visitor, &record).show())
        form.sheet.after method="post" action=(visitor.link(&format!("/credentials/{id}/{name}"), &[])) {
            (order::fields(service, visitor))
            button.grave[name == "revoke"] type="submit" { (visitor.say(&format!("operator-change-{name}"))) }
        }
        p { a href=(visitor.link(&format!("/credentials/{id}"), &[])) { (visitor.say("operator-leave")) } }
    };
    Ok(Page::new(CREDENTIALS, visitor.say(&format!("operator-change-{name}")), body))
}

fn of_name(name: &str) -> Result<(Change, &'static str), Problem> {
    CHANGES.into_iter().find(|(_, known)| *known == name).ok_or_else(|| Problem::new(Code::HttpNotFound))
}

/// `POST <root>/credentials/<id>/<change>`: as that of the admin API.
pub(super) async fn change(
    service: web::Data<Service>,
    visitor: Visitor,
    act: Act,
    path: web::Path<(String, String)>,
    Filled(form): Filled,
) -> HttpResponse {
    match changed(&service, &visitor, act, (&path.0, &path.1), form).await {
        Ok(None) => {
            let page = visitor.link(&format!("/credentials/{}", path.0), &[]);
            HttpResponse::SeeOther().insert_header((LOCATION, page)).finish()
        }
        Ok(Some(page)) => frame::answer(&visitor, CREDENTIALS, Ok(page)),
        Err(problem) => frame::answer(&visitor, CREDENTIALS, Err(problem)),
    }
}

/// Done; or the page with what an official has to sign first.
async fn changed(
    service: &Service,
    visitor: &Visitor,
    act: Act,
    (id, name): (&str, &str),
    form: Result<Form, Problem>,
) -> Result<Option<Page>, Problem> {
    let (change, name) = of_name(name)?;
    let signed = match order::under(&form?)? {
        Under::Account => None,
        Under::Signed(order) => Some(order),
        Under::Wanted(by) => {
            let deed = service.deed_on_credential(change, id).await?;
            let deed = deed.ok_or_else(|| Problem::new(Code::VciCredentialUnknown))?;
            let action = format!("/credentials/{id}/{name}");
            return order::page(service, visitor, CREDENTIALS, by, deed, &action, None).map(Some);
        }
    };
    service.change_standing(act, id, change, signed.as_deref()).await?;
    Ok(None)
}
