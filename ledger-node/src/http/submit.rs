//! Submitting transactions and finding them again.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::problem::Code;
use identity_core::registry::Refused;
use ledger::Hash;
use serde::Deserialize;
use serde_json::json;
use service_kit::http::body;
use service_kit::http::extract::RawBody;
use service_kit::reply::Problem;

use super::{Api, blocking};
use crate::engine::NotTaken;
use crate::node::SubmitError;
use crate::proofs::prove_entry;
use crate::store::{Past, Place};

/// How long a submitter may wait for its transaction to be ordered and executed.
pub(super) const ORDERED_WITHIN: Duration = Duration::from_secs(10);
/// How long a submitter may wait for certification; then it gets its place without a proof.
pub(super) const CERTIFIED_WITHIN: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
pub(super) struct Wait {
    wait: Option<String>,
}

impl Wait {
    /// Whether the sender waits for certification, too.
    pub(super) fn is_for_certified(&self) -> bool {
        self.wait.as_deref() == Some("certified")
    }
}

/// `POST /transactions[?wait=certified]`: a compact JWS in, its place out.
pub(super) async fn submit(
    api: web::Data<Api>,
    request: HttpRequest,
    wait: web::Query<Wait>,
    sent: RawBody,
) -> Result<HttpResponse, Problem> {
    let bytes = sent.0.map_err(|error| Problem::of_body(&error))?;
    body::check_content_type(&request, "application/jwt").map_err(|error| Problem::of_body(&error))?;
    let malformed = || Problem::new(Refused::Malformed("").code()).with_detail("the body is not a compact JWS");
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    // A chain that has halted takes transactions and orders none. Whoever asks again later finds the place.
    let placed = tokio::time::timeout(ORDERED_WITHIN, api.node.submit(text)).await;
    let placed = placed.unwrap_or(Err(SubmitError::NotTaken(NotTaken::Waiting)));
    let (digest, place) = placed.map_err(|error| api.refusal(&error))?;
    let mut answer = json!({"index": place.index, "height": place.height, "digest": digest});
    if wait.is_for_certified()
        && let (Some(proof), Some(members)) = (certified_proof(&api, place).await?, answer.as_object_mut())
    {
        members.insert("proof".to_owned(), proof.into());
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// The `tlog-proof` under the first round that covers the place.
pub(super) async fn certified_proof(api: &Api, place: Place) -> Result<Option<String>, Problem> {
    let waited = tokio::time::timeout(CERTIFIED_WITHIN, api.node.certified(place.index)).await;
    let Ok(Some(round)) = waited else { return Ok(None) };
    if api.is_kept(Past::Proof(place.index)).is_err() {
        return Ok(None);
    }
    let proof = blocking(&api.node, move |store| prove_entry(store, place.index, &round)).await?;
    Ok(Some(proof.to_string()))
}

/// `GET /transactions/{digest}`: where a transaction stands, or why it was refused last.
pub(super) async fn find(api: web::Data<Api>, digest: web::Path<String>) -> Result<HttpResponse, Problem> {
    let digest = Hash::from_base64url(&digest).map_err(|_| Problem::new(Code::LedgerDigestMalformed))?;
    if let Some(place) = api.node.place(&digest).await? {
        let answer = json!({"state": "accepted", "index": place.index, "height": place.height, "digest": digest});
        return Ok(HttpResponse::Ok().json(answer));
    }
    let refused = api.refused(&digest).await?.ok_or_else(|| Problem::new(Code::LedgerTransactionUnknown))?;
    let answer = json!({"state": "refused", "code": refused.code, "height": refused.height, "digest": digest});
    Ok(HttpResponse::Ok().json(answer))
}
