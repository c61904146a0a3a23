//! The whole world in one process, and the journey of the first credential.
//!
//! ```text
//! main -> cli -> world (founded once, started each time) -> journey (steps against the real services) -> report
//! ```
//!
//! Nothing here is a mock: every hop of the journey is a request over loopback between the real services, which are
//! started from the same libraries as their own programs. `tests/` drives the whole system through this crate.

pub mod app;
pub mod cli;
pub mod crash;
pub mod faults;
pub mod journey;
pub mod report;
pub mod sample;
pub mod terminal;
pub mod trial;
pub mod world;
