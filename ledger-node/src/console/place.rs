//! The pages of the navigation.

use service_kit::console::site::{Audience, Place, Site};

pub(super) const OVERVIEW: Place = Place::new("/", "console-nav-overview");
pub(super) const TRANSACTIONS: Place = Place::new("/transactions", "console-nav-transactions");
pub(super) const DIDS: Place = Place::new("/dids", "console-nav-dids");
pub(super) const ACCREDITATIONS: Place = Place::new("/accreditations", "console-nav-accreditations");
pub(super) const STATISTICS: Place = Place::new("/statistics", "console-nav-statistics");
pub(super) const CHECK: Place = Place::new("/check", "console-nav-check");

/// All of them, under `/console/`.
pub(super) fn site() -> Site {
    Site {
        root: "/console".into(),
        name: "console-name",
        foot: "console-foot",
        places: &[OVERVIEW, TRANSACTIONS, DIDS, ACCREDITATIONS, STATISTICS, CHECK],
        audience: Audience::Everybody,
    }
}
