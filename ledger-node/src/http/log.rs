//! The log as static files (C2SP `tlog-tiles`), and proofs of its entries (C2SP `tlog-proof`).

use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use ledger::tile::{Content, Tile, WIDTH, push_entry};
use serde::Deserialize;
use service_kit::reply::Problem;
use service_kit::store::StoreError;

use super::{Api, blocking, head};
use crate::past::{self, Shown};
use crate::proofs::prove_entry;
use crate::store::{Past, read_entries, read_tile};

/// `GET /checkpoint`.
pub(super) async fn checkpoint(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let round = api.node.published().ok_or_else(|| Problem::new(Code::LedgerUncertified))?;
    let mut answer = HttpResponse::Ok()
        .insert_header(("Cache-Control", "public, max-age=1"))
        .content_type("text/plain; charset=utf-8")
        .body(round.note.clone());
    // What everybody is shown may be older than the newest round.
    head::put(answer.headers_mut(), &round, api.node.clock.now());
    Ok(answer)
}

/// `GET /tile/…`: full and partial tiles of the newest certified size.
pub(super) async fn tile(api: web::Data<Api>, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Code::LedgerTileUnknown);
    let tile: Tile = format!("tile/{path}").parse().map_err(|_| unknown())?;
    let size = api.round()?.head.size;
    // Narrower than what is there is what an earlier checkpoint had: still true, still served.
    let there = Tile::of_log(tile.content, tile.index, size).ok_or_else(unknown)?;
    if tile.width > there.width {
        return Err(unknown());
    }
    api.is_kept(match tile.content {
        Content::Entries => Past::Entries(tile.index.saturating_mul(u64::from(WIDTH))),
        Content::Hashes { level } => Past::Hashes { level, index: tile.index },
    })?;
    let store = api.node.store.as_ref();
    let bytes = match tile.content {
        Content::Hashes { level } => read_tile(store, level, tile).await?.ok_or_else(unknown)?,
        Content::Entries => bundle(read_entries(store, tile.index * u64::from(WIDTH), tile.width).await?)?,
    };
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "public, max-age=31536000, immutable"))
        .content_type("application/octet-stream")
        .body(bytes))
}

fn bundle(entries: Vec<Vec<u8>>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    for entry in entries {
        let too_long = |_| Problem::of_store(&StoreError::Corrupt("an entry is too long".into()));
        push_entry(&mut bytes, &entry).map_err(too_long)?;
    }
    Ok(bytes)
}

/// `GET /proofs/log/{index}`.
pub(super) async fn proof(api: web::Data<Api>, index: web::Path<String>) -> Result<HttpResponse, Problem> {
    let index: u64 = index.parse().map_err(|_| Problem::new(Code::LedgerIndexUnknown))?;
    let round = api.round()?;
    if index >= round.head.size {
        return Err(Problem::new(Code::LedgerIndexUnknown));
    }
    api.is_kept(Past::Proof(index))?;
    let proof = blocking(&api.node, move |store| prove_entry(store, index, &round)).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(proof.to_string()))
}

#[derive(Deserialize)]
pub(super) struct At {
    at: Option<String>,
}

/// `GET /proofs/time?at=…`: the two seals around a time, in milliseconds since the epoch.
pub(super) async fn time(api: web::Data<Api>, at: web::Query<At>) -> Result<HttpResponse, Problem> {
    let at = at.into_inner().at.and_then(|at| at.parse().ok());
    let at: u64 = at.ok_or_else(|| Problem::new(Code::LedgerTimeMalformed))?;
    let round = api.round()?;
    let kept_from = api.floor.as_ref().map_or(0, |floor| floor.entries);
    let shown = blocking(&api.node, move |store| past::show(store, &round, kept_from, at)).await?;
    match (shown, &api.floor) {
        (Shown::Proof(proof), _) => Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(proof)),
        (Shown::Pruned, Some(floor)) => Err(api.pruned(floor.entries)),
        (Shown::BeforeGenesis | Shown::Pruned, _) => Err(Problem::new(Code::LedgerTimeBeforeGenesis)),
        (Shown::NotYetKnown, _) => Err(Problem::new(Code::LedgerTimeNotYetKnown)),
    }
}
