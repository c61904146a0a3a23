//! Routes. A handler reads, calls one function of [`crate::flow`], and answers.

mod admin;
mod console;
mod oid4vp;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use service_kit::admin::{AdminTokens, guard};
use service_kit::audit;
use service_kit::console::operator::{self, Operators};

use crate::service::Verifier;

/// All routes of the service.
pub(crate) fn routes(
    verifier: web::Data<Verifier>,
    token: web::Data<AdminTokens>,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    // The path under which the service is known, if its base URL has one.
    let base = verifier.url.path().trim_end_matches('/').to_owned();
    let operators =
        web::Data::new(Operators::new(&verifier.url, Arc::clone(&verifier.clock), Arc::clone(&verifier.chance)));
    let site = web::Data::new(console::site(&base));
    move |config| {
        let at = |path: &str| format!("{base}{path}");
        config
            .app_data(verifier.clone())
            .app_data(token.clone())
            .app_data(web::Data::new(verifier.store.audit.clone()))
            .app_data(operators.clone())
            .app_data(site.clone())
            .route(&at("/openapi.json"), web::get().to(openapi))
            .route(&at("/requests/{id}"), web::get().to(oid4vp::request))
            .route(&at("/requests/{id}"), web::post().to(oid4vp::request_with_nonce))
            .route(&at("/responses/{id}"), web::post().to(oid4vp::response))
            .route(&at("/receipts/{digest}"), web::get().to(oid4vp::receipt_proof))
            .route(&at("/withdrawals"), web::post().to(oid4vp::withdrawal))
            .service(operator::scope(&at("/admin/console"), console::routes))
            .service(
                web::scope(&at("/admin"))
                    .wrap(from_fn(audit::refusals))
                    .wrap(from_fn(guard))
                    .route("/audit", web::get().to(audit::serve))
                    .route("/queries", web::get().to(admin::queries))
                    .route("/withdrawals", web::get().to(admin::withdrawals))
                    .route("/requests", web::post().to(admin::make_request))
                    .route("/requests/{id}", web::get().to(admin::result))
                    .route("/requests/{id}", web::delete().to(admin::forget))
                    .route("/requests/{id}/attestation", web::post().to(admin::attest))
                    .route("/requests/{id}/redeem", web::post().to(admin::redeem))
                    .route("/requests/{id}/qr", web::get().to(admin::qr))
                    .route("/requests/{id}/replay", web::get().to(admin::replay))
                    .route("/requests/{id}/evidence", web::get().to(admin::evidence)),
            );
    }
}

/// The description of this API.
const OPENAPI: &str = include_str!("../openapi.json");

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(OPENAPI)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// A route that is not described is a route that nobody can rely on, and the other way round.
    #[test]
    fn every_route_is_described() {
        let described: Value = serde_json::from_str(super::OPENAPI).unwrap();
        let mut described: Vec<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
        let source = include_str!("http.rs").split("#[cfg(test)]").next().unwrap();
        let (public, admin) = source.split_once("/admin").unwrap();
        let paths = |source: &str, call: &str, base: &str| -> Vec<String> {
            let calls = source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            calls.map(|path| format!("{base}{path}")).collect()
        };
        let mut routed = paths(public, ".route(&at(\"", "");
        routed.extend(paths(admin, ".route(\"", "/admin"));
        routed.extend(["/healthz", "/readyz", "/metrics"].map(str::to_owned));
        described.sort();
        routed.sort();
        routed.dedup();
        assert_eq!(described, routed);
    }
}
