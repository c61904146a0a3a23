//! DID resolution over HTTP: the `GET` binding of W3C DID Resolution, now and as of a log index, with proof on
//! request.
//!
//! `versionId` is a log index (as text); `versionIndex` is our own name for the same. `proof=true` puts the state
//! proof of the whole history into the document's metadata, so the answer need not be believed.

use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::did::{Did, Document, Resolution, resolve as resolve_did};
use identity_core::registry::DidHistory;
use identity_core::trust::parse_value;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use service_kit::reply::Problem;
use service_kit::store::StoreError;

use super::{Api, blocking};
use crate::node::Round;
use crate::proofs::prove_state;

/// Media type of a whole resolution result.
const RESULT: &str = "application/did-resolution";
/// Media type of a DID document.
const DOCUMENT: &str = "application/did";

/// Options that we know. Others are refused, as the specification asks of options that cannot be honoured.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    version_id: Option<String>,
    version_index: Option<String>,
    proof: Option<bool>,
}

/// The errors of the specification that this resolver answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    InvalidDid,
    InvalidOptions,
    NotFound,
    RepresentationNotSupported,
    MethodNotSupported,
}

impl Failure {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidDid => "INVALID_DID",
            Self::InvalidOptions => "INVALID_OPTIONS",
            Self::NotFound => "NOT_FOUND",
            Self::RepresentationNotSupported => "REPRESENTATION_NOT_SUPPORTED",
            Self::MethodNotSupported => "METHOD_NOT_SUPPORTED",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::InvalidDid => "The DID is malformed.",
            Self::InvalidOptions => "The resolution options are unknown, malformed or contradict each other.",
            Self::NotFound => "The ledger holds no such DID at this log index.",
            Self::RepresentationNotSupported => "Ask for application/did-resolution or application/did.",
            Self::MethodNotSupported => "This resolver knows did:xinfu of its own chain, did:key and did:jwk.",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidDid | Self::InvalidOptions => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RepresentationNotSupported => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotSupported => StatusCode::NOT_IMPLEMENTED,
        }
    }

    fn answer(self) -> HttpResponse {
        let kind = format!("https://www.w3.org/ns/did#{}", self.name());
        let body = json!({
            "didResolutionMetadata": {"error": {"type": kind, "title": self.title()}},
            "didDocument": null,
            "didDocumentMetadata": {},
        });
        HttpResponse::build(self.status()).content_type(RESULT).body(body.to_string())
    }
}

/// What a DID resolved to.
struct Resolved {
    document: Document,
    metadata: Map<String, Value>,
    deactivated: bool,
}

/// `GET /1.0/identifiers/{did}`.
pub(super) async fn resolve(
    api: web::Data<Api>,
    request: HttpRequest,
    did: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let Some(media_type) = wanted(&request) else { return Ok(Failure::RepresentationNotSupported.answer()) };
    let Ok(options) = web::Query::<Options>::from_query(request.query_string()) else {
        return Ok(Failure::InvalidOptions.answer());
    };
    let Ok(did) = Did::parse(did.into_inner()) else { return Ok(Failure::InvalidDid.answer()) };
    match find(&api, &did, options.into_inner()).await? {
        Ok(resolved) => Ok(answer(&resolved, media_type)),
        Err(failure) => Ok(failure.answer()),
    }
}

/// The representation to answer with: the whole result unless only the document is asked for.
fn wanted(request: &HttpRequest) -> Option<&'static str> {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    accept.split(',').find_map(|range| match range.split(';').next().unwrap_or_default().trim() {
        "*/*" | "application/*" | RESULT => Some(RESULT),
        "application/json" => Some("application/json"),
        DOCUMENT | "application/did+json" | "application/did+ld+json" => Some(DOCUMENT),
        _ => None,
    })
}

async fn find(api: &Api, did: &Did, options: Options) -> Result<Result<Resolved, Failure>, Problem> {
    match resolve_did(did) {
        Ok(Resolution::Ready(document)) => Ok(Ok(Resolved { document, metadata: Map::new(), deactivated: false })),
        Ok(Resolution::Fetch { chain, state_key }) if chain == api.node.chain.genesis().chain => {
            from_ledger(api, &state_key, options).await
        }
        Ok(Resolution::Fetch { .. }) => Ok(Err(Failure::NotFound)),
        Err(identity_core::did::DidError::UnsupportedMethod) => Ok(Err(Failure::MethodNotSupported)),
        Err(_) => Ok(Err(Failure::InvalidDid)),
    }
}

async fn from_ledger(api: &Api, key: &str, options: Options) -> Result<Result<Resolved, Failure>, Problem> {
    let round = api.round()?;
    let last = round.head.size.saturating_sub(1);
    let Some(index) = index_of(&options, last) else { return Ok(Err(Failure::InvalidOptions)) };
    let Some(value) = api.node.value(key, &round).await? else { return Ok(Err(Failure::NotFound)) };
    let history: DidHistory = parse_value(&value)
        .map_err(|_| Problem::of_store(&StoreError::Corrupt("a DID's history is malformed".into())))?;
    let Some(document) = history.document_at(index) else { return Ok(Err(Failure::NotFound)) };
    let deactivated = !history.is_active_at(index);
    let mut metadata = describe(&history, index, deactivated);
    if options.proof == Some(true) {
        metadata.insert("proof".to_owned(), prove(api, key, round).await?);
    }
    Ok(Ok(Resolved { document, metadata, deactivated }))
}

/// The log index asked for; the newest certified one by default. The future cannot be asked for.
fn index_of(options: &Options, last: u64) -> Option<u64> {
    let asked = match (&options.version_id, &options.version_index) {
        (Some(_), Some(_)) => return None,
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => return Some(last),
    };
    asked.parse().ok().filter(|index| *index <= last)
}

fn describe(history: &DidHistory, index: u64, deactivated: bool) -> Map<String, Value> {
    let changes = history.changes();
    let mut metadata = Map::new();
    let version = changes.iter().rev().find(|change| **change <= index);
    metadata.extend(version.map(|version| ("versionId".to_owned(), Value::from(version.to_string()))));
    let next = changes.iter().find(|change| **change > index);
    metadata.extend(next.map(|next| ("nextVersionId".to_owned(), Value::from(next.to_string()))));
    metadata.insert("deactivated".to_owned(), Value::from(deactivated));
    metadata.insert("asOfIndex".to_owned(), Value::from(index));
    metadata.extend(history.label.as_ref().map(|label| ("label".to_owned(), json!(label))));
    metadata
}

async fn prove(api: &Api, key: &str, round: std::sync::Arc<Round>) -> Result<Value, Problem> {
    let key = key.to_owned();
    let proof = blocking(&api.node, move |store| prove_state(store, &key, &round)).await?;
    serde_json::to_value(proof).map_err(|_| Problem::new(identity_core::problem::Code::HttpInternal))
}

/// A deactivated DID is answered 410, with its empty document.
fn answer(resolved: &Resolved, media_type: &'static str) -> HttpResponse {
    let status = if resolved.deactivated { StatusCode::GONE } else { StatusCode::OK };
    let body = if media_type == DOCUMENT {
        resolved.document.to_json()
    } else {
        json!({
            "didResolutionMetadata": {"contentType": DOCUMENT},
            "didDocument": resolved.document.to_json(),
            "didDocumentMetadata": resolved.metadata,
        })
    };
    HttpResponse::build(status)
        .insert_header(("Cache-Control", "no-store"))
        .content_type(media_type)
        .body(body.to_string())
}
