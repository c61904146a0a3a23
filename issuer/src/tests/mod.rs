//! The service in process: hostile requests over HTTP, races, a store that breaks, a ledger that fails.

mod anchoring;
mod audit;
mod faults;
mod hostile;
mod import;
mod journey;
mod search;
mod standing;
mod starting;
mod world;
