//! Who answers for an act: the service account, or an official who is handed what to sign and whose order is brought back.

use identity_core::duty::{Deed, IssuerAct, MAX_CASE_BYTES, MAX_ORDER_BYTES};
use identity_core::oauth::form::Form;
use identity_core::problem::Code;
use maud::{Markup, html};
use serde_json::json;
use service_kit::console::frame::Page;
use service_kit::console::operator::signing;
use service_kit::console::piece::Facts;
use service_kit::console::site::Place;
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;
use url::form_urlencoded::byte_serialize;

use crate::http::orders::{self, By, Drafted};
use crate::service::Service;

/// Under whose order an act is to be done.
pub(super) enum Under {
    /// The service account's.
    Account,
    /// An official's, who has still to sign it.
    Wanted(By),
    /// An official's, as it was signed.
    Signed(String),
}

/// Reads what a form says about it. One that brings an order and has none is refused: an act is never done under another
/// name than was meant.
pub(super) fn under(form: &Form) -> Result<Under, Problem> {
    let field = |name: &str| form.get(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if form.get("ordered").is_some() {
        let order = field("order").filter(|order| order.len() <= MAX_ORDER_BYTES);
        return order.map(Under::Signed).ok_or_else(|| Problem::new(Code::DutyMalformed));
    }
    Ok(match field("official") {
        None => Under::Account,
        Some(official) => {
            Under::Wanted(By { official, basis: field("basis").unwrap_or_default(), case: field("case") })
        }
    })
}

/// The fields that name an official, in a form of any act; folded away where the service account answers for it if they
/// stay empty.
pub(super) fn fields(service: &Service, visitor: &Visitor) -> Markup {
    let account = service.account.is_some();
    let note = if account { "operator-official-or-account" } else { "operator-official-needed" };
    let fields = html! {
        label for="official" { (visitor.say("operator-official")) }
        div {
            input #official name="official" required[!account] maxlength="64" autocomplete="off" spellcheck="false"
                aria-describedby="official-note";
            p.note #official-note { (visitor.say(note)) }
        }
        label for="basis" { (visitor.say("operator-basis-of-order")) }
        input #basis name="basis" maxlength="256" autocomplete="off";
        label for="case" { (visitor.say("operator-case")) }
        input #case name="case" maxlength=(MAX_CASE_BYTES) autocomplete="off" spellcheck="false";
    };
    html! {
        @if account {
            details.part { summary { (visitor.say("operator-by-order")) } div.sheet { (fields) } }
        } @else {
            (fields)
        }
    }
}

/// The page that hands out what an official signs, and takes the order back for the form at `action`.
pub(super) fn page(
    service: &Service,
    visitor: &Visitor,
    place: Place,
    by: By,
    deed: Deed,
    action: &str,
    content: Option<&str>,
) -> Result<Page, Problem> {
    let duty = [("duty", harmless(&by.official).into())];
    let lead = visitor.fill("operator-sign-lead", &duty);
    let ordered = match deed.act {
        IssuerAct::Offer => "operator-offer-make",
        IssuerAct::Suspend => "operator-change-suspend",
        IssuerAct::Reinstate => "operator-change-reinstate",
        IssuerAct::Revoke => "operator-change-revoke",
        IssuerAct::Import => return Err(Problem::new(Code::DutyMalformed)),
    };
    let Drafted { order, case } = orders::make(service, by, deed)?;
    let draft = json!({ "to_attest": order }).to_string();
    // Nothing is kept of it here, so there is no address to fetch it from.
    let file: String = byte_serialize(draft.as_bytes()).collect::<String>().replace('+', "%20");
    let mut facts = Facts::default().with(visitor.say("operator-ordered"), html! { (visitor.say(ordered)) });
    if let Some(case) = &case {
        facts.add(visitor.say("operator-case-number"), html! { bdi { (harmless(case.number())) } });
        facts.add(visitor.say("operator-case-salt"), html! { code.digest { (case.salt()) } });
    }
    let body = html! {
        (facts.show())
        (signing::steps(visitor, &format!("data:application/json,{file}")))
        form.sheet method="post" action=(visitor.link(action, &[])) {
            input type="hidden" name="ordered" value="1";
            @if let Some(content) = content { input type="hidden" name="content" value=(content); }
            (signing::brought(visitor, "order", MAX_ORDER_BYTES))
            button type="submit" { (visitor.say("operator-order-go")) }
        }
    };
    Ok(Page::new(place, visitor.say("operator-sign"), body).with_lead(lead))
}
