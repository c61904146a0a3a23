//! The way in and the way out: a form that takes an admin token, once, and a cookie from then on.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::problem::Code;
use maud::{Markup, html};

use super::{Filled, Operators, SIGN_IN};
use crate::admin::AdminTokens;
use crate::audit::{Act, AuditLog};
use crate::console::frame::{self, Page};
use crate::console::visitor::Visitor;
use crate::reply::Problem;
use crate::store::Batch;

/// `GET <root>/sign-in`.
pub(super) async fn show(visitor: Visitor) -> HttpResponse {
    frame::send(&visitor, &page(&visitor, false))
}

/// `POST <root>/sign-in`. The line in the audit log comes first: nobody is in whom it does not name.
pub(super) async fn sign_in(
    operators: web::Data<Operators>,
    tokens: web::Data<AdminTokens>,
    log: web::Data<AuditLog>,
    visitor: Visitor,
    Filled(form): Filled,
) -> HttpResponse {
    let form = match form {
        Ok(form) => form,
        Err(problem) => return frame::refusal(&visitor, &problem),
    };
    let Some(official) = form.get("token").and_then(|token| tokens.of(token.trim())) else {
        tracing::warn!("a token was refused at an operator's pages");
        return frame::send(&visitor, &page(&visitor, true).with_status(StatusCode::FORBIDDEN));
    };
    if let Err(error) = log.commit(&Act::new(official, "sign in to the console"), Batch::new()).await {
        return frame::refusal(&visitor, &Problem::of_store(&error));
    }
    let cookie = operators.cookie(&operators.sessions.begin(official));
    to(&visitor.link("/", &[]), cookie)
}

/// `POST <root>/sign-out`: ends the session, whoever asks with its cookie.
pub(super) async fn sign_out(operators: web::Data<Operators>, visitor: Visitor, request: HttpRequest) -> HttpResponse {
    if let Some(secret) = operators.secret(request.headers()) {
        operators.sessions.end(&secret);
    }
    to(&visitor.link(SIGN_IN, &[]), operators.no_cookie())
}

fn to(address: &str, cookie: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, address)).insert_header((SET_COOKIE, cookie)).finish()
}

fn page(visitor: &Visitor, was_refused: bool) -> Page {
    let body = html! {
        @if was_refused { p.warning role="alert" { (Code::HttpUnauthorized.title(visitor.lang())) } }
        (form(visitor))
        p.note { (visitor.say("operator-token-note")) }
    };
    Page::beside(visitor.say("operator-sign-in"), body).with_lead(visitor.say("operator-sign-in-lead"))
}

fn form(visitor: &Visitor) -> Markup {
    html! {
        form.sheet method="post" action=(visitor.link(SIGN_IN, &[])) {
            label for="token" { (visitor.say("operator-token")) }
            input #token name="token" type="password" required autocomplete="current-password" spellcheck="false" autofocus;
            button type="submit" { (visitor.say("operator-sign-in")) }
        }
    }
}
