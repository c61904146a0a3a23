//! Routes: extract, one call, answer.

mod accept;
mod admin;
mod console;
mod oid4vci;
mod orders;
mod public;
mod well_known;

use std::sync::Arc;

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use service_kit::admin::AdminTokens;
use service_kit::console::operator::{self, Operators};

use crate::service::Service;

/// All routes of the service.
pub(crate) fn routes(service: Arc<Service>, token: web::Data<AdminTokens>) -> impl Fn(&mut web::ServiceConfig) + Clone {
    let (clock, chance) = (Arc::clone(&service.clock), Arc::clone(&service.chance));
    let operators = web::Data::new(Operators::new(service.identifier(), clock, chance));
    let site = web::Data::new(console::site(service.base_path()));
    move |config| {
        let base = service.base_path().to_owned();
        config.app_data(web::Data::from(Arc::clone(&service))).app_data(token.clone());
        config.app_data(web::Data::new(service.records.audit.clone()));
        config.app_data(operators.clone()).app_data(site.clone());
        well_known::routes(config, &base);
        oid4vci::routes(config, &base);
        public::routes(config, &base);
        config.service(operator::scope(&format!("{base}/admin/console"), console::routes));
        admin::routes(config, &base);
    }
}

/// JSON that no cache keeps.
fn fresh_json(value: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(value)
}

/// JSON that caches may keep for `seconds`.
fn cached_json(value: &impl Serialize, seconds: u32) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", format!("public, max-age={seconds}"))).json(value)
}

fn text(content_type: &'static str, body: String) -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::octet_stream()).content_type(content_type).body(body)
}
