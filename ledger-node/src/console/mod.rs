//! The console: pages for people who want to see what the ledger holds, with nothing but a browser.
//!
//! ```text
//! request -> visitor (language, what is asked) -> one file per page -> frame -> HTML
//!                                                     |
//!                                            reading (state, log, at one certified head)
//! ```
//!
//! What pages say is of the newest certified head, and only this node says it: they are for looking, proofs are for
//! believing. They hold no form that changes anything, keep no cookie, load nothing from elsewhere, and run no script but
//! the files of their own, without which all but "check a file" work. Every value is escaped by `maud` where it is
//! written, and what strangers chose (names, titles, types) is made harmless before.
//!
//! - [`place`]: the navigation; [`piece`]: what pages are made of. What the pages of all services share is in
//!   [`service_kit::console`].
//! - [`reading`], [`entry`], [`duties`]: what the ledger says.
//! - [`overview`], [`transactions`], [`transaction`], [`dids`], [`duty`], [`accreditations`], [`statistics`], [`check`]: the
//!   pages.

mod accreditations;
mod asset;
mod check;
mod dids;
mod duties;
mod duty;
mod entry;
mod names;
mod overview;
mod picture;
mod piece;
mod place;
mod plot;
mod reading;
mod reasons;
mod statistics;
mod told;
mod transaction;
mod transactions;

use actix_web::web;

use crate::http::{Api, read};
use reading::Console;

/// The pages, under `/console/`.
pub(crate) fn routes(api: Api) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    // One for all workers: what is read for one visitor serves the next.
    let console = web::Data::new(Console::new(api));
    let site = web::Data::new(place::site());
    move |config| {
        config
            .app_data(console.clone())
            .app_data(site.clone())
            .service(web::resource("/console").get(asset::to_overview))
            .service(read("/console/").get(overview::show))
            .service(read("/console/transactions").get(transactions::show))
            .service(read("/console/transactions/{index}").get(transaction::show))
            .service(read("/console/dids").get(dids::show))
            .service(read("/console/duty").get(duty::show))
            .service(read("/console/accreditations").get(accreditations::show))
            .service(read("/console/statistics").get(statistics::show))
            .service(web::resource("/console/check").get(check::show))
            .service(read("/console/receipts").get(check::receipt))
            .service(web::resource("/console/{file}").get(asset::serve));
    }
}

/// The ids of the texts of all kinds of entries, which are put together from names.
#[cfg(test)]
pub(crate) fn kinds() -> impl Iterator<Item = String> {
    entry::Kind::ALL.into_iter().map(entry::Kind::text)
}

/// The ids of the reasons that "check a file" has, which follow from its script.
#[cfg(test)]
pub(crate) fn reasons() -> impl Iterator<Item = String> {
    reasons::REASONS.keys().cloned()
}
