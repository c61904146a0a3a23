//! Orders over HTTP: drafting one for an official's wallet, bringing a signed one with an act, reading one back.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use identity_core::duty::{CaseNumber, Deed, MAX_CASE_BYTES, MAX_ORDER_BYTES, Order, is_case};
use identity_core::problem::Code;
use identity_core::status::Change;
use ledger::Hash;
use serde::Deserialize;
use serde_json::json;
use service_kit::http::extract::Json;
use service_kit::reply::Problem;

use super::fresh_json;
use crate::flow::order::ToOrder;
use crate::service::Service;

/// The header in which an act brings the official's order.
const HEADER: &str = "xinfu-order";

/// The order that came with a request, as it was signed.
pub(super) struct Signed(Option<String>);

impl Signed {
    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromRequest for Signed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    /// A header that is there and is no order is refused: an act is never done under another name than was meant.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut found = request.headers().get_all(HEADER);
        let read = match (found.next(), found.next()) {
            (None, _) => Ok(Self(None)),
            (Some(order), None) if order.len() <= MAX_ORDER_BYTES => match order.to_str() {
                Ok(text) => Ok(Self(Some(text.to_owned()))),
                Err(_) => Err(Problem::new(Code::DutyMalformed)),
            },
            (Some(_), _) => Err(Problem::new(Code::DutyMalformed)),
        };
        ready(read)
    }
}

/// What an official is to order: a deed, as it is told by `import?check=true` or reckoned by the caller; or an act on one
/// credential.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    official: String,
    basis: String,
    #[serde(default)]
    case: Option<String>,
    #[serde(default)]
    deed: Option<Deed>,
    #[serde(default)]
    act: Option<Change>,
    #[serde(default)]
    credential: Option<String>,
}

/// `POST /admin/orders`: what the official is to sign. Nothing is kept of it here.
pub(super) async fn draft(service: web::Data<Service>, Json(draft): Json<Draft>) -> Result<HttpResponse, Problem> {
    let Draft { official, basis, case, deed, act, credential } = draft;
    let deed = match (deed, act, credential) {
        (Some(deed), None, None) => deed,
        (None, Some(change), Some(credential)) => {
            let unknown = || Problem::new(Code::VciCredentialUnknown);
            service.deed_on_credential(change, &credential).await?.ok_or_else(unknown)?
        }
        _ => {
            let detail = "either `deed`, or `act` and `credential`";
            return Err(Problem::new(Code::DutyMalformed).with_detail(detail));
        }
    };
    let drafted = make(&service, By { official, basis, case }, deed)?;
    Ok(fresh_json(&json!({"to_attest": drafted.order, "case": drafted.case})))
}

/// Who is to order something, on what basis and for which case.
pub(super) struct By {
    pub(super) official: String,
    pub(super) basis: String,
    pub(super) case: Option<String>,
}

/// What the official is to sign, and the case under its salt, which whoever named it keeps.
pub(super) struct Drafted {
    pub(super) order: Order,
    pub(super) case: Option<CaseNumber>,
}

/// Drafts the order of a deed.
pub(super) fn make(service: &Service, by: By, deed: Deed) -> Result<Drafted, Problem> {
    let By { official, basis, case } = by;
    if case.as_deref().is_some_and(|case| !is_case(case)) {
        let detail = format!("case: must have 1 to {MAX_CASE_BYTES} bytes");
        return Err(Problem::new(Code::DutyMalformed).with_detail(detail));
    }
    let case = case.map(|number| CaseNumber::salted(number, &mut *service.chance.rng()));
    let wanted = ToOrder { official, deed, basis, case: case.as_ref().map(CaseNumber::digest) };
    let order = service.draft_order(wanted).map_err(|error| Problem::new(error.code()))?;
    Ok(Drafted { order, case })
}

/// `GET /admin/orders/{digest}`: an order that something was done under, as it was signed.
pub(super) async fn show(service: web::Data<Service>, digest: web::Path<String>) -> Result<HttpResponse, Problem> {
    let digest = Hash::from_base64url(&digest).map_err(|_| Problem::new(Code::DutyOrderUnknown))?;
    let order = service.records.order(&digest).await?.ok_or_else(|| Problem::new(Code::DutyOrderUnknown))?;
    Ok(HttpResponse::Ok().content_type("application/jwt").body(order))
}
