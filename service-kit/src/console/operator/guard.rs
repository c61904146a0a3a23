//! Who gets to an operator's pages, in the order in which it is asked.
//!
//! 1. The request names our own host: a name that was made to lead here gets nothing ([`ours`]).
//! 2. What may change something comes from a page of ours: another site's form is refused ([`ours`]).
//! 3. A cookie names a session that is open ([`signed_in`]).
//! 4. The token of the session may do it, and not too often ([`signed_in`], which writes down who may not).
//!
//! A form that only looks something up is sent, too, so that what is looked for stands in no address. It goes to an address
//! that ends in `/search`, and whoever may look may send it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderName, LOCATION, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use identity_core::problem::Code;

use super::{Operators, SIGN_IN};
use crate::admin;
use crate::audit::AuditLog;
use crate::console::frame;
use crate::console::visitor::Visitor;
use crate::http::rate::{self, Kind};
use crate::reply::Problem;

/// With this header the page's script asks for a page again, and nobody does anything.
const RENEWAL: &str = "xinfu-renewal";

type Answered = Result<ServiceResponse<BoxBody>, Error>;

/// Middleware around all of an operator's pages, the way in among them.
pub(super) async fn ours(
    operators: web::Data<Operators>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Answered {
    if !is(&request, &HOST, &operators.host) {
        return refuse(request, &Problem::new(Code::HttpHost));
    }
    if !reads(&request) && !is(&request, &ORIGIN, &operators.origin) {
        return refuse(request, &Problem::new(Code::HttpOrigin));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Middleware around the pages behind the way in.
pub(super) async fn signed_in(
    operators: web::Data<Operators>,
    log: web::Data<AuditLog>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Answered {
    let is_renewal = request.headers().contains_key(RENEWAL);
    let secret = operators.secret(request.headers());
    let Some(official) = secret.and_then(|secret| operators.sessions.whose(&secret, is_renewal)) else {
        return if reads(&request) && !is_renewal {
            let visitor = Visitor::of(request.request())?;
            let way_in = HttpResponse::SeeOther().insert_header((LOCATION, visitor.link(SIGN_IN, &[]))).finish();
            Ok(request.into_response(way_in))
        } else {
            refuse(request, &Problem::new(Code::HttpSession))
        };
    };
    request.extensions_mut().insert(official.clone());
    let changes = !reads(&request) && !searches(&request);
    if let Err(refusal) = admin::permit(&log, &request, &official, changes).await {
        return refuse(request, &refusal);
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Middleware around the way in: whoever guesses tokens, guesses slowly.
pub(super) async fn slowly(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Answered {
    if !reads(&request)
        && let Err(refusal) = rate::ask(&request, Kind::SignIn, None)
    {
        return refuse(request, &refusal);
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn reads(request: &ServiceRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// By the address as it is routed, whatever else stands in the request's own.
fn searches(request: &ServiceRequest) -> bool {
    request.match_pattern().is_some_and(|pattern| pattern.ends_with("/search"))
}

/// Whether a header stands there once, and says this.
fn is(request: &ServiceRequest, name: &HeaderName, wanted: &str) -> bool {
    let mut said = request.headers().get_all(name);
    match (said.next(), said.next()) {
        (Some(value), None) => value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()),
        _ => false,
    }
}

fn refuse(request: ServiceRequest, problem: &Problem) -> Answered {
    let page = frame::refusal(&Visitor::of(request.request())?, problem);
    Ok(request.into_response(page))
}
