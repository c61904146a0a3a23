//! OpenID for Verifiable Presentations 1.0, both sides, without IO.

pub mod client_id;

pub use client_id::ClientId;
