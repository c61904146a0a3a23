//! What anybody may read: status lists, anchor proofs, the API's description.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::problem::Code;
use ledger::Hash;
use service_kit::reply::Problem;

use super::{accept, cached_json, text};
use crate::flow::anchor_proof::ProofMissing;
use crate::service::Service;

/// Seconds after which a wallet asks again for a proof that is not there yet.
const RETRY_AFTER: u32 = 1;

/// The one form that lists are served in.
const STATUS_LIST: &str = "application/statuslist+jwt";

/// The description of this API.
const OPENAPI: &str = include_str!("../../openapi.json");

pub(super) fn routes(config: &mut web::ServiceConfig, base: &str) {
    let at = |path: &str| web::resource(format!("{base}{path}"));
    config
        .service(at("/status").get(aggregation))
        .service(at("/status/{list}").get(status_list))
        .service(at("/anchors/{digest}").get(anchor_proof))
        .service(at("/openapi.json").get(openapi));
}

/// Token Status List §9.3: where every list of this issuer is.
async fn aggregation(service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let status_lists = service.status_uris().await.map_err(|error| Problem::of_store(&error))?;
    let mut response = cached_json(&serde_json::json!({"status_lists": status_lists}), service.config.status.ttl);
    open_to_browsers(&mut response);
    Ok(response)
}

async fn status_list(
    service: web::Data<Service>,
    request: HttpRequest,
    list: web::Path<String>,
    query: web::Query<StatusQuery>,
) -> Result<HttpResponse, Problem> {
    // Token Status List §8.4: a server without history answers 501 to a question about another time.
    if query.time.is_some() {
        return Err(Problem::new(Code::VciStatusTime));
    }
    if !accept::takes(request.headers().get(header::ACCEPT), STATUS_LIST) {
        return Err(Problem::new(Code::VciStatusNotAcceptable));
    }
    let list = list.parse().map_err(|_| Problem::new(Code::HttpNotFound))?;
    let token = service.status_token(list).await.map_err(|error| error.problem())?;
    let token = token.ok_or(Problem::new(Code::HttpNotFound))?;
    let mut response = text(STATUS_LIST, token.to_string());
    let age = format!("public, max-age={}", service.config.status.ttl);
    if let Ok(age) = age.parse() {
        response.headers_mut().insert(header::CACHE_CONTROL, age);
    }
    open_to_browsers(&mut response);
    Ok(response)
}

/// Lists are public: pages of other origins may read them (§8.1).
fn open_to_browsers(response: &mut HttpResponse) {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, header::HeaderValue::from_static("*"));
}

#[derive(serde::Deserialize)]
struct StatusQuery {
    time: Option<String>,
}

async fn anchor_proof(service: web::Data<Service>, digest: web::Path<String>) -> Result<HttpResponse, Problem> {
    let digest = Hash::from_base64url(&digest).map_err(|_| Problem::new(Code::VciAnchorUnknown))?;
    match service.anchor_proof(&digest).await {
        Ok(proof) => Ok(cached_json(&proof, 86_400)),
        Err(waiting @ ProofMissing::Waiting) => Ok(HttpResponse::Accepted()
            .insert_header(("Retry-After", RETRY_AFTER.to_string()))
            .insert_header(("Cache-Control", "no-store"))
            .json(serde_json::json!({"state": "waiting", "code": waiting.code().as_str()}))),
        Err(ProofMissing::Store(error)) => Err(Problem::of_store(&error)),
        Err(missing) => Err(Problem::new(missing.code())),
    }
}

async fn openapi() -> HttpResponse {
    // Not copied: a client that does not read would make us hold its copy.
    HttpResponse::Ok().content_type("application/json").body(OPENAPI)
}
