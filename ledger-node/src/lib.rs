//! Orders transactions, executes the registry rules, certifies and serves the ledger.
//!
//! ```text
//! POST /transactions -> door (signature) -> desk -> engine orders -> executor -> one commit
//!                                             ^                                   |
//!                                             +------ certifier cosigns <---------+
//!                                                         ^ |
//!                                  other validators' cosignatures (where there are others)
//! ```
//!
//! A chain is founded once ([`init()`]), its node started often ([`start`]) and checked at rest ([`mod@fsck`]). A node that
//! is behind reaches the others' head from their files ([`mod@catch_up`]).

mod boundary;
pub mod catch_up;
#[cfg_attr(
    not(any(test, feature = "simplex")),
    expect(dead_code, reason = "a program for one validator alone hears no others")
)]
mod certifier;
mod chain;
mod clerk;
mod config;
mod console;
mod desk;
mod engine;
mod executor;
pub mod fsck;
mod http;
mod init;
mod keyring;
mod lookout;
mod node;
mod ordering;
mod past;
mod proofs;
pub mod prune;
mod resume;
mod running;
pub mod snapshot;
mod store;
mod submission;
mod tenure;
mod term;
#[cfg(test)]
mod tests;
mod timepiece;

pub use certifier::CertifyError;
pub use chain::{Chain, ChainError};
pub use config::Config;
#[cfg(feature = "simplex")]
pub use engine::simplex::ProcessError;
pub use executor::Outcome;
pub use init::{
    Founder, InitError, InitOptions, Initialised, JoinOptions, Joined, OtherValidator, init, join, prepare,
};
pub use ordering::OrderingError;
pub use running::{Ports, Running, StartError, data_place, open_store, start};
pub use store::{FORMAT, Head, Place};
