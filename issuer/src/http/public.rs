//! What anybody may read: status lists, anchor proofs, the API's description.

use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use ledger::Hash;
use service_kit::reply::Problem;

use super::{cached_json, text};
use crate::flow::anchor_proof::ProofMissing;
use crate::service::Service;

/// Seconds after which a wallet asks again for a proof that is not there yet.
const RETRY_AFTER: u32 = 1;

/// The description of this API.
const OPENAPI: &str = include_str!("../../openapi.json");

pub(super) fn routes(config: &mut web::ServiceConfig, base: &str) {
    let at = |path: &str| web::resource(format!("{base}{path}"));
    config
        .service(at("/status/{list}").get(status_list))
        .service(at("/anchors/{digest}").get(anchor_proof))
        .service(at("/openapi.json").get(openapi));
}

async fn status_list(
    service: web::Data<Service>,
    list: web::Path<String>,
    query: web::Query<StatusQuery>,
) -> Result<HttpResponse, Problem> {
    // Token Status List: a server without history answers 501 to a question about another time.
    if query.time.is_some() {
        return Err(Problem::new(Code::VciStatusTime));
    }
    let list = list.parse().map_err(|_| Problem::new(Code::HttpNotFound))?;
    let token = service.status_token(list).await.map_err(|error| error.problem())?;
    let token = token.ok_or(Problem::new(Code::HttpNotFound))?;
    let mut response = text("application/statuslist+jwt", token.to_string());
    let age = format!("public, max-age={}", service.config.status.ttl);
    if let Ok(age) = age.parse() {
        response.headers_mut().insert(actix_web::http::header::CACHE_CONTROL, age);
    }
    Ok(response)
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
    text("application/json", OPENAPI.to_owned())
}
