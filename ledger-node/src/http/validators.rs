//! Who certifies: the sets of validators, their policy files, and the way from one to the next.

use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use identity_core::registry::{VALIDATORS, Validators, policy_key};
use ledger::Hash;
use serde::Deserialize;
use service_kit::reply::Problem;

use super::registry::{malformed, read};
use super::{Api, blocking};
use crate::boundary;

#[derive(Deserialize)]
pub(super) struct From {
    from: Option<String>,
}

/// `GET /registry/validators`: in force, next, and when each set began.
pub(super) async fn validators(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(found(&api).await?))
}

/// `GET /trust-root`: the policy file of the set in force, to look at; whom to trust is not for a node to say.
pub(super) async fn trust_root(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let digest = found(&api).await?.policy().map_err(|_| malformed())?;
    Ok(policy_file(text(&api, &digest).await?))
}

/// `GET /trust/policies/{digest}`: the policy file of any set there was.
pub(super) async fn policy(api: web::Data<Api>, digest: web::Path<String>) -> Result<HttpResponse, Problem> {
    let digest = Hash::from_base64url(&digest).map_err(|_| Problem::new(Code::LedgerDigestMalformed))?;
    let mut answer = policy_file(text(&api, &digest).await?);
    // A digest names one file for ever.
    let cached = actix_web::http::header::HeaderValue::from_static("public, max-age=31536000, immutable");
    answer.headers_mut().insert(actix_web::http::header::CACHE_CONTROL, cached);
    Ok(answer)
}

/// `GET /trust/walk?from=<digest>`: from the set with this policy towards today's.
pub(super) async fn walk(api: web::Data<Api>, from: web::Query<From>) -> Result<HttpResponse, Problem> {
    let from = from.into_inner().from.and_then(|from| Hash::from_base64url(&from).ok());
    let from = from.ok_or_else(|| Problem::new(Code::LedgerDigestMalformed))?;
    let round = api.round()?;
    let walk = blocking(&api.node, move |store| boundary::walk(store, &round, &from)).await?;
    let walk = walk.ok_or_else(|| Problem::new(Code::LedgerWalkUnknown))?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(walk))
}

async fn found(api: &Api) -> Result<Validators, Problem> {
    let value = read(api, VALIDATORS).await?.ok_or_else(malformed)?;
    serde_json::from_value(value).map_err(|_| malformed())
}

async fn text(api: &Api, digest: &Hash) -> Result<String, Problem> {
    let value = read(api, &policy_key(digest)).await?.ok_or_else(|| Problem::new(Code::LedgerEntryUnknown))?;
    serde_json::from_value(value).map_err(|_| malformed())
}

fn policy_file(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text)
}
