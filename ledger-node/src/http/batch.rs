//! Submitting many transactions in one request: for senders who make them faster than a request each is worth. Their
//! signatures are verified together.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::problem::{Code, Lang};
use serde_json::{Value, json};
use service_kit::http::body;
use service_kit::http::extract::RawBody;
use service_kit::reply::Problem;

use super::Api;
use super::submit::{CERTIFIED_WITHIN, ORDERED_WITHIN, Wait};
use crate::engine::NotTaken;
use crate::submission::Placed;

/// Transactions in one request: some 15 ms to check, and less than a block holds.
const MAX_TRANSACTIONS: usize = 1000;

/// `POST /transactions/batch[?wait=certified]`: compact JWSs in, one a line; in the same order, the place of each or why it
/// has none. With `wait`, also a certified checkpoint that covers all the places.
pub(super) async fn submit(
    api: web::Data<Api>,
    request: HttpRequest,
    wait: web::Query<Wait>,
    sent: RawBody,
) -> Result<HttpResponse, Problem> {
    let bytes = sent.0.map_err(|error| Problem::of_body(&error))?;
    body::check_content_type(&request, "text/plain").map_err(|error| Problem::of_body(&error))?;
    let texts = lines(&bytes)?;
    let all = Arc::clone(&api.node).submit_all(texts);
    let Ok(placed) = tokio::time::timeout(ORDERED_WITHIN, all).await else {
        // What was ordered meanwhile is found again by sending the same once more.
        return Err(api.refusal(&NotTaken::Waiting.into()));
    };
    let results: Vec<_> = placed.iter().map(|placed| result(&api, placed)).collect();
    let mut answer = json!({"results": results});
    let last = placed.iter().filter_map(|one| one.as_ref().ok()).map(|(_, place)| place.index).max();
    if wait.is_for_certified()
        && let (Some(last), Some(members)) = (last, answer.as_object_mut())
        && let Ok(Some(round)) = tokio::time::timeout(CERTIFIED_WITHIN, api.node.certified(last)).await
    {
        members.insert("checkpoint".to_owned(), round.note.clone().into());
    }
    Ok(HttpResponse::Ok().json(answer))
}

fn lines(bytes: &[u8]) -> Result<Vec<String>, Problem> {
    let malformed = |detail: &str| Problem::new(Code::RegistryTransactionMalformed).with_detail(detail);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the body is not compact JWSs, one a line"))?;
    // One too many shows that they are; whatever follows is not looked at.
    let lines: Vec<String> = text.lines().take(MAX_TRANSACTIONS + 1).map(str::to_owned).collect();
    match lines.len() {
        0 => Err(malformed("the body holds no transaction")),
        1..=MAX_TRANSACTIONS => Ok(lines),
        _ => Err(malformed(&format!("the body holds more than {MAX_TRANSACTIONS} transactions"))),
    }
}

fn result(api: &Api, placed: &Placed) -> Value {
    match placed {
        Ok((digest, place)) => json!({"index": place.index, "height": place.height, "digest": digest}),
        Err(error) => {
            let problem = api.refusal(error);
            let detail = problem.detail().unwrap_or_else(|| problem.code().title(Lang::En));
            json!({"code": problem.code().as_str(), "detail": detail})
        }
    }
}
