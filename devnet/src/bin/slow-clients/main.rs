//! `slow-clients`: does a crowd of slow clients keep others waiting, or fill the service's memory?
//!
//! A real issuer runs in a process of its own. First honest requests are timed alone, then while thousands of
//! connections, each from an address of its own, send one byte a second: a quarter of them within a TLS handshake, a
//! quarter within a request's head, a quarter within a body, and a quarter never read the answers they asked for.
//! Whoever is cut comes back, at a bounded rate. After some rounds of this, `verdict.rs` says what was seen: the
//! result stands on the last line. The exit status is 0 if it holds, 1 if not, and 75 if others kept the machine too
//! busy to tell.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

mod crowd;
mod honest;
mod machine;
mod round;
mod target;
mod verdict;

use crowd::{Manner, Plan};
use round::Round;
use target::Changes;
use verdict::{Bounds, Outcome, Verdict};

/// One more client for so many.
const SPARE: u32 = 50;

/// Whether slow clients keep others waiting, or fill a service's memory
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Slow connections at a time
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
    /// Slow connections opened per second at first: all are there before the service begins to cut
    #[arg(long, default_value_t = 2_500)]
    opened_per_second: u32,
    /// Cut connections that come back per second
    #[arg(long, default_value_t = 200)]
    back_per_second: u32,
    /// The one manner in which all are slow; a quarter each if not given
    #[arg(long)]
    manner: Option<Manner>,
    /// Seconds measured quietly, and again with the crowd complete
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Rounds on a quiet machine, each with a service of its own
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Rounds at most: more are run while the machine is not quiet, or the result does not hold
    #[arg(long, default_value_t = 6)]
    most_rounds: usize,
    /// Connections that the service may hold; its own default if not given
    #[arg(long)]
    held: Option<u32>,
    /// Threads of the service; its own default if not given
    #[arg(long)]
    workers: Option<u16>,
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

/// Exit status of "not now, try again" (`EX_TEMPFAIL` of sysexits).
const UNDECIDED: u8 = 75;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(Outcome::Held) => ExitCode::SUCCESS,
        Ok(Outcome::Broken) => ExitCode::FAILURE,
        Ok(Outcome::Undecided) => ExitCode::from(UNDECIDED),
        Err(error) => {
            eprintln!("slow-clients: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Outcome> {
    let Arguments { connections, .. } = *arguments;
    // A few more than must be there at once: where the machine is slow, the service cuts the first before the last come.
    let size = connections.saturating_add(connections / SPARE);
    let room = room_for_connections()?;
    ensure!(
        room >= size,
        "{size} connections are made, {connections} of them at a time, and the limit on file descriptors leaves room for \
         {room}: raise it (ulimit -Hn), or say --connections {}",
        room.saturating_sub(room / SPARE)
    );
    let plan = Plan {
        size,
        opened_per_second: arguments.opened_per_second,
        back_per_second: arguments.back_per_second,
        manner: arguments.manner,
    };
    let span = Duration::from_secs(arguments.seconds);
    let bounds =
        Bounds { connections, ratio: arguments.most_ratio, peak_mb: arguments.most_mb, quiet_rounds: arguments.rounds };
    let mut rounds = Vec::new();
    let verdict = loop {
        println!("round {} of at most {}", rounds.len().saturating_add(1), arguments.most_rounds);
        let round =
            Round::run(arguments.port, Changes { held: arguments.held, workers: arguments.workers }, plan, span)?;
        println!("{round}");
        rounds.push(round.seen());
        let verdict = Verdict::of(&rounds, &bounds).context("no round was run")?;
        if !verdict.is_open || rounds.len() >= arguments.most_rounds {
            break verdict;
        }
    };
    for complaint in &verdict.complaints {
        println!("{complaint}");
    }
    println!("{}", verdict.to_json_line());
    Ok(verdict.outcome)
}

/// Raises the limit on file descriptors as far as it goes.
fn room_for_connections() -> Result<u32> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("raising the limit on descriptors")?;
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    Ok(u32::try_from(descriptors).unwrap_or(u32::MAX).saturating_sub(OTHER_DESCRIPTORS))
}
