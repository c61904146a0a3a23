//! Routes. A handler reads, calls one function of [`crate::flow`], and answers.

mod admin;
mod oid4vp;

use actix_web::middleware::from_fn;
use actix_web::web;
use service_kit::admin::{AdminToken, guard};

use crate::service::Verifier;

/// All routes of the service.
pub(crate) fn routes(
    verifier: web::Data<Verifier>,
    token: web::Data<AdminToken>,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(verifier.clone())
            .app_data(token.clone())
            .route("/requests/{id}", web::get().to(oid4vp::request))
            .route("/requests/{id}", web::post().to(oid4vp::request_with_nonce))
            .route("/responses/{id}", web::post().to(oid4vp::response))
            .service(
                web::scope("/admin")
                    .wrap(from_fn(guard))
                    .route("/queries", web::get().to(admin::queries))
                    .route("/requests", web::post().to(admin::make_request))
                    .route("/requests/{id}", web::get().to(admin::result))
                    .route("/requests/{id}", web::delete().to(admin::forget))
                    .route("/requests/{id}/qr", web::get().to(admin::qr))
                    .route("/requests/{id}/evidence", web::get().to(admin::evidence)),
            );
    }
}
