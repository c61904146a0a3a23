//! `slow-clients`: does a crowd of slow clients keep others waiting, or fill the service's memory?
//!
//! A real issuer runs in a process of its own. First honest requests are timed alone, then while thousands of
//! connections, each from an address of its own, send one byte a second: a quarter of them within a TLS handshake, a
//! quarter within a request's head, a quarter within a body, and a quarter never read the answers they asked for.
//! Whoever is cut comes back, at a bounded rate. The result stands on the last line; the exit status is 0 only if p99
//! stayed below `--most-ratio` times the quiet value and the service's memory below `--most-mb` at its peak.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

mod crowd;
mod honest;
mod target;

use honest::Timing;

/// Whether slow clients keep others waiting, or fill a service's memory
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Slow connections at a time
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
    /// Slow connections opened per second
    #[arg(long, default_value_t = 1_000)]
    opened_per_second: u32,
    /// Cut connections that come back per second
    #[arg(long, default_value_t = 200)]
    back_per_second: u32,
    /// Seconds measured quietly, and again with the crowd complete
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Connections that the service may hold; its own default if not given
    #[arg(long)]
    held: Option<u32>,
    /// p99 with the crowd, over quiet p99, that is too much
    #[arg(long, default_value_t = 2.0)]
    most_ratio: f64,
    /// Peak memory of the service, in MB, that is too much
    #[arg(long, default_value_t = 256)]
    most_mb: u64,
    /// Port of the service
    #[arg(long, default_value_t = 21_600)]
    port: u16,
}

/// File descriptors of our own beside the crowd's.
const OTHER_DESCRIPTORS: u32 = 200;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("slow-clients: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool> {
    let connections = arguments.connections.min(room_for_connections());
    if connections < arguments.connections {
        eprintln!("the limit on file descriptors allows {connections} connections, not {}", arguments.connections);
    }
    let target = target::start(arguments.port, arguments.held)?;
    let span = Duration::from_secs(arguments.seconds);

    eprintln!("quiet");
    let quiet = honest::measure(&target, span)?;
    eprintln!("{connections} slow clients come");
    let crowd = crowd::gather(&target, connections, arguments.opened_per_second, arguments.back_per_second)?;
    crowd.wait_until_complete();
    let slow = honest::measure(&target, span)?;
    let census = crowd.disperse();
    let (memory, peak) = target.memory_mb()?;

    let ratio = slow.p99.as_secs_f64() / quiet.p99.as_secs_f64().max(f64::EPSILON);
    let held = ratio < arguments.most_ratio && peak < arguments.most_mb && slow.failed == 0;
    say("quiet", &quiet);
    say("with the crowd", &slow);
    println!("crowd: opened {}, at once {}, cut by the service {}", census.opened, census.most_at_once, census.cut);
    println!("memory of the service: {memory} MB, at its peak {peak} MB");
    println!(
        r#"{{"connections":{connections},"quiet_p99_us":{},"slow_p99_us":{},"ratio":{ratio:.2},"peak_mb":{peak},"failed":{},"held":{held}}}"#,
        quiet.p99.as_micros(),
        slow.p99.as_micros(),
        slow.failed
    );
    ensure!(quiet.failed == 0, "requests failed without any crowd");
    Ok(held)
}

fn say(when: &str, timing: &Timing) {
    let Timing { requests, failed, p50, p99, worst } = timing;
    println!("{when}: {requests} requests, {failed} failed, p50 {p50:?}, p99 {p99:?}, worst {worst:?}");
}

/// Raises the limit on file descriptors as far as it goes.
fn room_for_connections() -> u32 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("raising the limit");
    if let Err(error) = raised {
        eprintln!("slow-clients: {error:#}");
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    u32::try_from(descriptors).unwrap_or(u32::MAX).saturating_sub(OTHER_DESCRIPTORS)
}
