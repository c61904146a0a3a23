//! How old the head is of which a node answers. It is said with every answer, because a ledger that has halted goes on
//! answering: only the age shows that nothing moves any more. What never changes is kept by caches, with everything that was
//! said beside it: there it is left out, since it would be read a year later.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use identity_core::time::UnixSeconds;
use serde_json::json;

use super::Api;
use crate::node::Round;

/// The header, a structured field (RFC 9651, a dictionary of integers): `size=9, height=3, at=1800000000, age=12`.
const HEAD: HeaderName = HeaderName::from_static("xinfu-head");

/// The layer around everything that is read. The head is taken before the handler runs, so what is said is never newer
/// than what the answer is of.
///
/// # Errors
/// Those of the route.
pub(super) async fn tell(
    api: web::Data<Api>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (round, now) = (api.node.round(), api.node.clock.now());
    let mut answer = next.call(request).await?;
    if let Some(round) = round.filter(|_| !is_immutable(answer.headers())) {
        put(answer.headers_mut(), &round, now);
    }
    Ok(answer)
}

fn is_immutable(headers: &HeaderMap) -> bool {
    let cached = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    cached.is_some_and(|value| value.split(',').any(|directive| directive.trim() == "immutable"))
}

/// Says it, unless the handler has said it of another head.
pub(super) fn put(headers: &mut HeaderMap, round: &Round, now: UnixSeconds) {
    if headers.contains_key(&HEAD) {
        return;
    }
    let (head, at, age) = (&round.head, round.at.0, age(round, now));
    let text = format!("size={}, height={}, at={at}, age={age}", head.size, head.height);
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(HEAD, value);
    }
}

/// Seconds since the head was cosigned, by the rule that verifiers apply; 0 if its validators' clocks are ahead of ours.
fn age(round: &Round, now: UnixSeconds) -> i64 {
    now.since(round.at).max(0)
}

/// `GET /status`: where the node stands, certified and executed, and from where on it keeps the log.
pub(super) async fn status(api: web::Data<Api>) -> HttpResponse {
    let (node, now) = (&api.node, api.node.clock.now());
    let executed = node.executed();
    let head = node.round().map(|round: Arc<Round>| {
        let head = &round.head;
        json!({"size": head.size, "height": head.height, "at": round.at, "age": age(&round, now)})
    });
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({
        "origin": node.chain.origin(),
        "head": head,
        "kept_from": api.floor.as_ref().map_or(0, |floor| floor.entries),
        "executed": {"size": executed.size, "height": executed.height},
        "validator": node.is_validating(),
        "halted": node.is_halted(),
    }))
}
