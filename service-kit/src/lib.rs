//! The one shell that touches the world: HTTP, pages, store, clock, chance, fetch, key files, telemetry.
//!
//! Services are thin because of what is here; nothing here knows a protocol. Each module is one port or one
//! habit of the house, and each says in its own words what it promises.

pub mod admin;
pub mod anchoring;
pub mod audit;
pub mod calendar;
pub mod chance;
pub mod clock;
pub mod config;
pub mod console;
pub mod did_life;
pub mod duties;
pub mod evidence_file;
pub mod fetch;
pub mod founding;
pub mod help;
pub mod http;
pub mod key_guard;
pub mod keyfile;
pub mod ledger_client;
pub mod lock;
pub mod manual;
pub mod messages;
pub mod private_file;
pub mod qr;
pub mod reply;
pub mod sealed;
pub mod stop;
pub mod store;
pub mod telemetry;
pub mod terminal;
pub mod trust_keeper;
pub mod trust_walk;
pub mod votes;
pub mod whole_file;
