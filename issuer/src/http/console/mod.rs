//! The pages for operators, under `/admin/console/`: another door to the acts of the admin API, and to no other.
//!
//! - [`offers`]: making an offer, and the newest ones; [`offer`]: one of them, with the code to scan.
//! - [`credentials`]: finding what was issued; [`credential`]: one of them, and changing how it stands.
//! - [`order`]: what an official has to sign first.

mod credential;
mod credentials;
mod offer;
mod offers;
mod order;

use actix_web::web;
use service_kit::console::names::of_type;
use service_kit::console::site::{Audience, Place, Site};
use service_kit::console::visitor::Visitor;
use service_kit::terminal::harmless;

use crate::kind::Kind;

const OFFERS: Place = Place::new("/", "operator-offers");
const CREDENTIALS: Place = Place::new("/credentials", "operator-credentials");

/// Entries on one page.
const PAGE: usize = 25;

/// The pages of a service that is mounted at `base`.
pub(super) fn site(base: &str) -> Site {
    Site {
        root: format!("{base}/admin/console").into(),
        name: "operator-issuer",
        foot: "operator-foot",
        places: &[OFFERS, CREDENTIALS],
        audience: Audience::Operators,
    }
}

/// The pages, from the first one on.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/").get(offers::show))
        .service(web::resource("/offers").post(offers::make))
        .service(web::resource("/offers/{id}").get(offer::show))
        .service(web::resource("/offers/{id}/qr").get(super::admin::offer_qr))
        .service(web::resource("/credentials").get(credentials::show))
        .service(web::resource("/credentials/search").post(credentials::search))
        .service(web::resource("/credentials/{id}").get(credential::show))
        .service(web::resource("/credentials/{id}/{change}").get(credential::confirm).post(credential::change));
}

/// What a type is called that may be issued no longer.
fn kind_name(visitor: &Visitor, configuration: &str) -> String {
    Kind::vct_of(configuration).map_or_else(|| harmless(configuration), |vct| of_type(&vct, visitor.lang()))
}
