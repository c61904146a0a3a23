//! Reading the state: proven, or plain for people and tools that ask their own node.

use actix_web::{HttpResponse, web};
use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::registry::{
    MEMBERS, Member, PROPOSALS, accreditation_key, member_key, proposal_key, schema_key, sequence_key,
};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::reply::Problem;
use service_kit::store::StoreError;

use super::{Api, blocking};
use crate::proofs::prove_state;

/// Longest state key that is looked up, in bytes; the longest there is names a key of a long DID.
const MAX_KEY_BYTES: usize = 4096;

#[derive(Deserialize)]
pub(super) struct Key {
    key: Option<String>,
}

/// `GET /proofs/state?key=…`: what the state holds under a key, or that it holds nothing, proven.
pub(super) async fn proof(api: web::Data<Api>, key: web::Query<Key>) -> Result<HttpResponse, Problem> {
    let key = checked(key)?;
    let round = api.round()?;
    let proof = blocking(&api.node, move |store| prove_state(store, &key, &round)).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(proof))
}

/// `GET /registry/members`.
pub(super) async fn members(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let dids: Vec<Did> = match read(&api, MEMBERS).await? {
        Some(list) => serde_json::from_value(list).map_err(|_| malformed())?,
        None => Vec::new(),
    };
    let mut members = Vec::new();
    for did in dids {
        let value = read(&api, &member_key(&did)).await?.ok_or_else(malformed)?;
        let member: Member = serde_json::from_value(value).map_err(|_| malformed())?;
        members.push(member);
    }
    Ok(HttpResponse::Ok().json(members))
}

/// `GET /registry/proposals`: those that were open when the last one was made, oldest first.
pub(super) async fn proposals(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let numbers: Vec<u64> = match read(&api, PROPOSALS).await? {
        Some(list) => serde_json::from_value(list).map_err(|_| malformed())?,
        None => Vec::new(),
    };
    let mut proposals = Vec::new();
    for number in numbers {
        proposals.push(read(&api, &proposal_key(number)).await?.ok_or_else(malformed)?);
    }
    Ok(HttpResponse::Ok().json(proposals))
}

/// `GET /registry/accreditations/{did}`: the whole history.
pub(super) async fn accreditations(api: web::Data<Api>, did: web::Path<String>) -> Result<HttpResponse, Problem> {
    let did = Did::parse(did.into_inner()).map_err(|error| Problem::new(error.code()))?;
    let history = read(&api, &accreditation_key(&did)).await?;
    Ok(HttpResponse::Ok().json(history.unwrap_or_else(|| json!({"subject": did, "grants": []}))))
}

/// `GET /registry/schemas/{vct}`: every registered digest.
pub(super) async fn schema(api: web::Data<Api>, vct: web::Path<String>) -> Result<HttpResponse, Problem> {
    let history = read(&api, &schema_key(&vct)).await?;
    Ok(HttpResponse::Ok().json(history.ok_or_else(|| Problem::new(Code::LedgerEntryUnknown))?))
}

/// `GET /registry/sequences?key=<DID URL>`: the next sequence number of a key.
pub(super) async fn sequence(api: web::Data<Api>, key: web::Query<Key>) -> Result<HttpResponse, Problem> {
    let key = checked(key)?;
    let last = read(&api, &sequence_key(&key)).await?.and_then(|last| last.as_u64()).unwrap_or(0);
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({"next": last.saturating_add(1)})))
}

pub(super) async fn read(api: &Api, key: &str) -> Result<Option<Value>, Problem> {
    let round = api.round()?;
    let value = api.node.value(key, &round).await?;
    value.map(|bytes| serde_json::from_slice(&bytes).map_err(|_| malformed())).transpose()
}

fn checked(key: web::Query<Key>) -> Result<String, Problem> {
    let key = key.into_inner().key.filter(|key| (1..=MAX_KEY_BYTES).contains(&key.len()));
    key.ok_or_else(|| Problem::new(Code::LedgerKeyMissing))
}

pub(super) fn malformed() -> Problem {
    Problem::of_store(&StoreError::Corrupt("a state value is malformed".into()))
}
