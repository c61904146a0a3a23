//! One duty of a member: every delegation of it there was, newest first.

use actix_web::{HttpResponse, web};
use identity_core::did::Did;
use identity_core::problem::Code;
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;

use super::dids::standing_of;
use super::names::of_label;
use super::piece::{Facts, index, who};
use super::place;
use super::reading::Console;
use super::told;

/// `GET /console/duty?did=…&duty=…`.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, place::DIDS, page(&console, &visitor).await)
}

async fn page(console: &Console, visitor: &Visitor) -> Result<Page, Problem> {
    let (Some(did), Some(duty)) = (visitor.asks("did"), visitor.asks("duty")) else {
        return Err(Problem::new(Code::LedgerEntryUnknown));
    };
    let did = Did::parse(did).map_err(|error| Problem::new(error.code()))?;
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    let history = reading.duty(&did, duty).await?.ok_or_else(|| Problem::new(Code::LedgerEntryUnknown))?;
    let department = Facts::default().with(visitor.say("console-duty-of"), who(visitor, &directory, &did));
    let given = |given: &identity_core::registry::Delegation| -> Markup {
        html! {
            li {
                h2 { bdi { (of_label(&given.title, visitor.lang())) } }
                p { (index(visitor, given.id)) " " (standing_of(visitor, given.holds_at(reading.last()), given.ended.zip(given.ending))) }
                (told::delegation(visitor, &directory, given).show())
            }
        }
    };
    let body = html! {
        (department.show())
        ul.cards { @for delegation in history.delegations.iter().rev() { (given(delegation)) } }
    };
    let title = visitor.fill("console-duty", &[("duty", history.duty.as_str().into())]);
    Ok(Page::new(place::DIDS, title, body).with_lead(visitor.say("console-duty-lead")))
}
