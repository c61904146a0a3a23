//! A sample world for tests, plainly made up: a ledger with real rules and real proofs, departments whose keys follow
//! from a seed byte, and a credential about nobody. Compiled for tests only (feature `testing`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test support: a sample that cannot be made must fail the test"
)]

pub mod certificates;
pub mod consortium;
pub mod ledger;
pub mod parties;
pub mod period;
pub mod world;
