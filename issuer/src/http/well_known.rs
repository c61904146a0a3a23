//! What wallets and verifiers read first. Inserted between host and path, as every one of these specifications says.

use actix_web::{HttpResponse, web};
use identity_core::oid4vci::{issuer_keys, metadata};
use identity_core::problem::Code;
use service_kit::reply::Problem;

use super::cached_json;
use crate::kind;
use crate::service::Service;

/// Seconds that caches may keep metadata. Short: a rotated key must be seen soon.
const CACHE: u32 = 60;

pub(super) fn routes(config: &mut web::ServiceConfig, base: &str) {
    let at = |name: &str| web::resource(format!("/.well-known/{name}{base}"));
    config
        .service(at(metadata::WELL_KNOWN_NAME).get(credential_issuer))
        .service(at(identity_core::oauth::metadata::WELL_KNOWN_NAME).get(authorization_server))
        .service(at(issuer_keys::WELL_KNOWN_NAME).get(jwt_vc_issuer))
        .service(web::resource("/.well-known/vct/{name}").get(type_metadata));
}

async fn credential_issuer(service: web::Data<Service>) -> HttpResponse {
    cached_json(&service.metadata(), CACHE)
}

async fn authorization_server(service: web::Data<Service>) -> HttpResponse {
    cached_json(&service.server_metadata(), CACHE)
}

async fn jwt_vc_issuer(service: web::Data<Service>) -> HttpResponse {
    cached_json(&service.key_metadata(), CACHE)
}

/// The metadata's exact bytes, whose digest the ledger has.
async fn type_metadata(service: web::Data<Service>, name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let issued = service.kinds.contains_key(name.as_str());
    let source = kind::source(&name).filter(|_| issued).ok_or(Problem::new(Code::HttpNotFound))?;
    Ok(super::text("application/json", source.to_owned()))
}
