//! The page of one request: what is asked and who answers for it, the code to scan, the official's part, how it stands.

use actix_web::http::header::{CONTENT_DISPOSITION, LOCATION};
use actix_web::{HttpResponse, web};
use identity_core::duty::MAX_ATTESTATION_BYTES;
use identity_core::problem::Code;
use maud::{Markup, html};
use service_kit::audit::Act;
use service_kit::console::frame::{self, Page};
use service_kit::console::names::of_type;
use service_kit::console::operator::Filled;
use service_kit::console::operator::signing::{self, DRAFT};
use service_kit::console::piece::{Facts, folded, live, moment};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::{harmless, whole_basis};

use super::REQUESTS;
use super::requests::{by, purpose, standing};
use crate::flow::result::State;
use crate::flow::seen::Seen;
use crate::service::Verifier;

/// Milliseconds between two looks of a page that is open: somebody waits at a desk.
const EVERY: u32 = 2000;

/// `GET <root>/requests/<id>`.
pub(super) async fn show(verifier: web::Data<Verifier>, visitor: Visitor, id: web::Path<String>) -> HttpResponse {
    frame::answer(&visitor, REQUESTS, page(&verifier, &visitor, &id).await)
}

async fn page(verifier: &Verifier, visitor: &Visitor, id: &str) -> Result<Page, Problem> {
    let seen = verifier.seen(id).await?.ok_or_else(|| Problem::new(Code::VpRequestUnknown))?;
    let waits = matches!(seen.result.state, State::Unattested { .. } | State::Pending | State::Answered);
    let parts = html! {
        div.standing data-live-part="standing" role="status" {
            (standing(visitor, &seen.result.state))
            p { (visitor.say(what_next(&seen.result.state))) }
        }
        div data-live-part="scan" { (scan(visitor, &seen)) }
        div data-live-part="outcome" { (outcome(visitor, &seen)) }
    };
    let body = html! {
        @if waits { (live(visitor, EVERY, parts)) } @else { (parts) }
        @if seen.to_attest.is_some() { (to_sign(visitor, &seen)) }
        section aria-labelledby="asked" {
            h2 #asked { (visitor.say("operator-asked")) }
            (asked(visitor, &seen).show())
        }
        p { a href=(visitor.link(REQUESTS.path(), &[])) { (visitor.say("operator-all-requests")) } }
    };
    Ok(Page::new(REQUESTS, visitor.say("operator-request"), body))
}

/// What follows from how a request stands.
fn what_next(state: &State) -> &'static str {
    match state {
        State::Unattested { .. } => "operator-next-unattested",
        State::Pending => "operator-next-pending",
        State::Answered => "operator-next-answered",
        State::Verified { .. } => "operator-next-verified",
        State::Withdrawn { .. } => "operator-next-withdrawn",
        State::Refused { code: Some(Code::VpRequestExpired) } => "operator-next-expired",
        State::Refused { .. } => "operator-next-refused",
    }
}

fn scan(visitor: &Visitor, seen: &Seen) -> Markup {
    let code = visitor.site().at(&format!("/requests/{}/qr", seen.id));
    html! {
        @for warning in &seen.warnings {
            p.notice { (visitor.say("operator-warning")) " " (warning.title(visitor.lang())) }
        }
        @if let Some(link) = &seen.link {
            figure.qr {
                img src=(code) width="256" height="256" alt=(visitor.say("operator-qr"));
                figcaption {
                    p { a href=(link) { (visitor.say("operator-open-wallet")) } }
                    (folded(&visitor.say("operator-link"), html! { code.digest { (link) } }))
                }
            }
        }
    }
}

/// What is known once there was an answer. No value of it.
fn outcome(visitor: &Visitor, seen: &Seen) -> Markup {
    let result = &seen.result;
    let mut facts = Facts::default();
    if let State::Refused { code: Some(code) } = &result.state {
        let why = html! { (code.remedy(visitor.lang())) " " code { (code.as_str()) } };
        facts.add(visitor.say("operator-why"), why);
    }
    if let Some(time) = result.evidence_as_of {
        facts.add(visitor.say("operator-evidence-as-of"), moment(visitor, time.0));
    }
    let undetermined: Vec<Code> = result.undetermined.iter().filter_map(|code| Code::parse(code)).collect();
    if !undetermined.is_empty() {
        let list = html! { ul.plain { @for code in undetermined { li { (code.title(visitor.lang())) } } } };
        facts.add(visitor.say("operator-undetermined"), list);
    }
    if let Some(receipt) = &result.receipt {
        let content = html! { code.digest { (receipt) } };
        facts.add(visitor.say("operator-receipt"), folded(&visitor.say("operator-receipt-show"), content));
    }
    if let State::Withdrawn { acknowledgement } = &result.state {
        let content = html! { code.digest { (acknowledgement) } };
        facts.add(visitor.say("operator-acknowledgement"), folded(&visitor.say("operator-receipt-show"), content));
    }
    html! { @if !facts.is_empty() { (facts.show()) } }
}

fn asked(visitor: &Visitor, seen: &Seen) -> Facts {
    let (result, grounds, lang) = (&seen.result, &seen.grounds, visitor.lang());
    let claims = html! {
        @for credential in &seen.parameters.query.credentials {
            p { @for vct in &credential.vct_values { bdi title=(harmless(vct)) { (of_type(vct, lang)) } " " } }
            ul.tags { @for claim in &credential.claims { li { code { (harmless(&claim.path.to_string())) } } } }
        }
    };
    let signs = if grounds.holder_signs { "operator-holder-signs" } else { "operator-holder-signs-not" };
    let days = [("days", grounds.retention_days.to_string().into())];
    let mut facts = Facts::default()
        .with(visitor.say("operator-purpose"), purpose(visitor, seen))
        .with(visitor.say("operator-claims"), claims)
        .with(visitor.say("operator-basis"), html! { bdi { (whole_basis(&grounds.basis)) } })
        .with(visitor.say("operator-retention"), html! { (visitor.fill("operator-retention-days", &days)) })
        .with(visitor.say("operator-by"), by(visitor, seen));
    if let Some(case) = &result.case {
        facts.add(visitor.say("operator-case-number"), html! { bdi { (harmless(case.number())) } });
        facts.add(visitor.say("operator-case-salt"), html! { code.digest { (case.salt()) } });
    }
    facts
        .with(visitor.say("operator-holder"), html! { (visitor.say(signs)) })
        .with(visitor.say("operator-made"), moment(visitor, result.created.0))
        .with(visitor.say("operator-until"), moment(visitor, result.expires.0))
}

/// The official's part: fetch what is to be signed, sign it in a wallet, bring it back.
fn to_sign(visitor: &Visitor, seen: &Seen) -> Markup {
    let place = |file: &str| format!("/requests/{}/{file}", seen.id);
    let duty = [("duty", harmless(&seen.duty).into())];
    html! {
        section aria-labelledby="sign" {
            h2 #sign { (visitor.say("operator-sign")) }
            p { (visitor.fill("operator-sign-lead", &duty)) }
            (signing::steps(visitor, &visitor.site().at(&place(DRAFT))))
            form.sheet method="post" action=(visitor.link(&place("attestation"), &[])) {
                (signing::brought(visitor, "attestation", MAX_ATTESTATION_BYTES))
                button type="submit" { (visitor.say("operator-sign-go")) }
            }
        }
    }
}

/// `GET <root>/requests/<id>/to-attest.json`: what an official is to sign.
pub(super) async fn to_attest(verifier: web::Data<Verifier>, visitor: Visitor, id: web::Path<String>) -> HttpResponse {
    match draft(&verifier, &id).await {
        Ok(draft) => {
            let saved = (CONTENT_DISPOSITION, format!("attachment; filename=\"{DRAFT}\""));
            HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).insert_header(saved).json(draft)
        }
        Err(problem) => frame::answer(&visitor, REQUESTS, Err(problem)),
    }
}

async fn draft(verifier: &Verifier, id: &str) -> Result<serde_json::Value, Problem> {
    let seen = verifier.seen(id).await?.ok_or_else(|| Problem::new(Code::VpRequestUnknown))?;
    let draft = seen.to_attest.ok_or_else(|| Problem::new(Code::DutyTaken))?;
    Ok(serde_json::json!({ "to_attest": draft }))
}

/// `POST <root>/requests/<id>/attestation`: as that of the admin API.
pub(super) async fn attest(
    verifier: web::Data<Verifier>,
    visitor: Visitor,
    act: Act,
    id: web::Path<String>,
    Filled(form): Filled,
) -> HttpResponse {
    match attested(&verifier, act, &id, form).await {
        Ok(()) => {
            let page = visitor.link(&format!("/requests/{id}"), &[]);
            HttpResponse::SeeOther().insert_header((LOCATION, page)).finish()
        }
        Err(problem) => frame::answer(&visitor, REQUESTS, Err(problem)),
    }
}

async fn attested(
    verifier: &Verifier,
    act: Act,
    id: &str,
    form: Result<identity_core::oauth::form::Form, Problem>,
) -> Result<(), Problem> {
    let form = form?;
    let signed = form.get("attestation").ok_or_else(|| Problem::new(Code::DutyMalformed))?;
    verifier.attest(act, id, signed.trim()).await?;
    Ok(())
}
