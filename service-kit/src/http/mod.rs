//! The HTTP server that all services share: started and stopped by a function, on the caller's runtime.
//!
//! A service hands in its routes; this module adds what every service owes its callers: TLS, limits on what a
//! stranger may send or hold open, security headers, `/healthz`, `/readyz`, `/metrics`, one log line per request
//! (route, status and time; never a query, a body or an address of a person), and a plain 500 if a handler panics.
//!
//! - [`server`]: start, stop, TLS.
//! - [`limits`]: every limit, with its reason.
//! - [`body`]: reading request bodies strictly; [`extract`]: the same as handler arguments.
//! - [`door`], [`connection`]: who is let in, and how long a client may keep us waiting; [`peer`]: who a client is.
//! - [`inbox`], [`pieces`]: what of a client's requests and of our answers waits, and how little of it in our memory.
//! - [`rate`]: how often a client may ask.
//! - [`shell`]: the layer around every handler.
//! - [`health`], [`metrics`]: what operators ask.

pub mod body;
mod connection;
mod descriptors;
mod door;
pub mod extract;
pub mod health;
mod inbox;
pub mod limits;
pub mod metrics;
mod peer;
mod pieces;
pub mod rate;
pub mod server;
mod shell;
pub mod tls;

pub use health::Health;
pub use metrics::Metrics;
pub use server::{HttpConfig, Running, StartError, start};
