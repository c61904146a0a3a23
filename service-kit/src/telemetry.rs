//! Logs: structured, to standard error, without personal data.
//!
//! The environment variable `LOG` chooses what is written (`info`, `debug`, `service_kit=warn,info`, …) and
//! `LOG_FORMAT=json` writes one JSON object per line for machines. Standard output belongs to the program.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging for the process; `default` applies where `LOG` says nothing (`info` for services, `warn` for
/// programs at a terminal). A second call changes nothing.
pub fn start(default: &str) {
    let filter = std::env::var("LOG").unwrap_or_else(|_| default.to_owned());
    // A malformed directive must not keep a service from starting; what can be read of it counts.
    let filter = EnvFilter::builder().parse_lossy(filter);
    let json = std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json");
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(true);
    let started = if json {
        registry.with(lines.json().flatten_event(true)).try_init()
    } else {
        registry.with(lines.compact()).try_init()
    };
    // Already started: by the devnet that runs several services in one process.
    drop(started);
}
