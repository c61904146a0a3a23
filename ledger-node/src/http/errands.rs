//! What the node does for others under its own relay key.

use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::problem::Code;
use identity_core::registry::{Refused, Relayed};
use ledger::Hash;
use serde::Deserialize;
use serde_json::json;
use service_kit::http::body;
use service_kit::http::extract::{Json, RawBody};
use service_kit::reply::Problem;
use tokio::sync::oneshot;

use super::submit::certified_proof;
use super::{Api, busy, problem_of};
use crate::clerk::{Clerk, Errand};
use crate::engine::NotTaken;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToNotarise {
    digest: Hash,
}

/// `POST /notarise {"digest"}`: anchors a digest of anybody's; the answer is its anchor proof's parts.
pub(super) async fn notarise(api: web::Data<Api>, wanted: Json<ToNotarise>) -> Result<HttpResponse, Problem> {
    let clerk = admit(&api)?;
    let (answer, done) = oneshot::channel();
    hand_over(clerk, Errand::Notarise(wanted.0.digest, answer))?;
    let done = done.await.map_err(|_| problem_of(&NotTaken::Stopping.into()))?;
    let notarised = done.map_err(|error| problem_of(&error))?;
    let proof = certified_proof(&api, notarised.place).await?;
    let batch = json!({"index": notarised.batch_index, "count": notarised.batch_count, "path": notarised.path});
    Ok(HttpResponse::Ok().json(json!({
        "index": notarised.place.index,
        "height": notarised.place.height,
        "digest": notarised.digest,
        "anchor": {"batch": batch, "transaction": notarised.transaction, "proof": proof},
    })))
}

/// `POST /relay`: carries to the ledger what a DID's own or recovery key signed: its creation, its change, its recovery.
pub(super) async fn relay(api: web::Data<Api>, request: HttpRequest, sent: RawBody) -> Result<HttpResponse, Problem> {
    let bytes = sent.0.map_err(|error| Problem::of_body(&error))?;
    body::check_content_type(&request, "application/jwt").map_err(|error| Problem::of_body(&error))?;
    let refused = |refused: Refused| problem_of(&refused.into());
    let text = std::str::from_utf8(&bytes).map_err(|_| refused(Refused::Malformed("relayed jws")))?;
    // Checked before it counts against the limit and before anything is written.
    let relayed = Relayed::parse(text).map_err(refused)?;
    let did = relayed.subject().clone();
    api.node.admit(&relayed).await.map_err(|error| problem_of(&error))?;
    let clerk = admit(&api)?;
    let (answer, done) = oneshot::channel();
    hand_over(clerk, Errand::Relay(relayed, answer))?;
    let done = done.await.map_err(|_| problem_of(&NotTaken::Stopping.into()))?;
    let (digest, place) = done.map_err(|error| problem_of(&error))?;
    Ok(HttpResponse::Ok().json(json!({"index": place.index, "height": place.height, "digest": digest, "did": did})))
}

fn admit(api: &Api) -> Result<&Clerk, Problem> {
    let clerk = api.clerk.as_deref().ok_or_else(|| Problem::new(Code::LedgerNoRelayKey))?;
    let later = |seconds| Problem::new(Code::LedgerRateLimited).with_retry_after(seconds);
    clerk.admit(api.node.clock.now()).map(|()| clerk).map_err(later)
}

fn hand_over(clerk: &Clerk, errand: Errand) -> Result<(), Problem> {
    if clerk.hand_over(errand) { Ok(()) } else { Err(busy()) }
}
