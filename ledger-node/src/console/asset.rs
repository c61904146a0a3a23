//! The files that these pages have beside what all pages have: the scripts of "check a file".

use std::sync::LazyLock;

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use ledger::{Hash, sha256};
use service_kit::console::asset;
use service_kit::console::visitor::Visitor;

use super::place;

/// The script that checks evidence: it reads bytes and returns what it found, and touches neither page nor network.
pub(super) const CHECKER: &str = include_str!("check.js");

/// Its digest, as the page states it.
pub(super) static CHECKER_DIGEST: LazyLock<Hash> = LazyLock::new(|| sha256(CHECKER.as_bytes()));

/// `GET /console`.
pub(super) async fn to_overview(visitor: Visitor) -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, visitor.link(place::OVERVIEW.path(), &[]))).finish()
}

/// `GET /console/<file>`.
pub(super) async fn serve(visitor: Visitor, file: web::Path<String>) -> HttpResponse {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    match file.as_str() {
        "page.js" => asset::answer(SCRIPT, include_str!("page.js")),
        "check.js" => asset::answer(SCRIPT, CHECKER),
        _ => asset::serve(visitor, file).await,
    }
}
