//! The pages for operators, under `/admin/console/`: another door to the acts of the admin API, and to no other.
//!
//! - [`requests`]: making a request, and the newest ones.
//! - [`request`]: one of them, with the code to scan, the official's part, and how it stands.

mod request;
mod requests;

use actix_web::web;
use service_kit::console::site::{Audience, Place, Site};

/// The one place of the navigation.
const REQUESTS: Place = Place::new("/", "operator-requests");

/// The pages of a service that is mounted at `base`.
pub(super) fn site(base: &str) -> Site {
    Site {
        root: format!("{base}/admin/console").into(),
        name: "operator-verifier",
        foot: "operator-verifier-foot",
        places: &[REQUESTS],
        audience: Audience::Operators,
    }
}

/// The pages, from the first one on.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/").get(requests::show))
        .service(web::resource("/requests").post(requests::make))
        .service(web::resource("/requests/{id}").get(request::show))
        .service(web::resource("/requests/{id}/attestation").post(request::attest))
        .service(web::resource("/requests/{id}/qr").get(super::admin::qr))
        .service(web::resource("/requests/{id}/to-attest.json").get(request::to_attest));
}
