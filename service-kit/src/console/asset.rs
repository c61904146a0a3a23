//! The files beside the pages: one style, the scripts, a mark.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use identity_core::problem::Code;

use super::frame;
use super::visitor::Visitor;
use crate::reply::Problem;

/// One of the files that all pages share.
#[must_use]
pub fn shared(file: &str) -> Option<HttpResponse> {
    let (kind, text) = match file {
        "console.css" => ("text/css; charset=utf-8", include_str!("console.css")),
        "live.js" => ("text/javascript; charset=utf-8", include_str!("live.js")),
        "signed.js" => ("text/javascript; charset=utf-8", include_str!("signed.js")),
        "icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        _ => return None,
    };
    Some(answer(kind, text))
}

/// A file, asked for again with every program: a page must never run the script of another one.
#[must_use]
pub fn answer(kind: &str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).content_type(kind).body(text)
}

/// `GET <root>/<file>`, of the shared ones.
pub async fn serve(visitor: Visitor, file: web::Path<String>) -> HttpResponse {
    shared(&file).unwrap_or_else(|| frame::refusal(&visitor, &Problem::new(Code::HttpNotFound)))
}
