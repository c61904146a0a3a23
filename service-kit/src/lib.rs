//! The one shell that touches the world: HTTP, store, clock, chance, fetch, key files, telemetry.

pub mod store;
