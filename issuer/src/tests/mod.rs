//! The service in process: hostile requests over HTTP, races, a store that breaks, a ledger that fails.

mod anchoring;
mod audit;
mod console;
mod faults;
mod hostile;
mod import;
mod journey;
mod orders;
mod search;
mod standing;
mod starting;
mod world;
