//! P17 and P18: what a ledger of four validators on one machine does in a second, and how long it takes to certify.
//!
//! Four processes of the real program order, execute and certify what many members sign. The limit is what the same
//! machine can verify: cores × signatures verified together in a second, ÷ nodes, for every node verifies each once.
//! Limit and disk are measured between the loads, in the same run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

mod http;
mod limit;
mod nodes;
mod report;
mod senders;

use limit::Verifying;
use nodes::Nodes;
use report::{Report, Round};
use senders::{Load, Senders};

/// How long the nodes are left alone before their memory counts as an idle one's.
const IDLE: Duration = Duration::from_secs(10);
/// Single transactions, and between two of them.
const SINGLE: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// Durable, certified transactions a second of four ledger nodes on this machine, against what it can verify
#[derive(Parser)]
#[command(name = "consortium", version)]
struct Arguments {
    /// The program, built with `--features simplex`; else the one beside this
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where the nodes keep their data: on the disk that counts. Removed in the end
    #[arg(long, default_value = "target/consortium")]
    data: PathBuf,
    /// Loads; the median counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=101))]
    rounds: u32,
    /// Keys of each member that submit at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    keys: u8,
    /// Transactions in one request
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batch: u32,
    /// Requests of each key in one load
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batches: u32,
    /// End with one line of JSON
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("xinfu-ledger"),
    };
    ensure!(!arguments.data.exists(), "{} is there already", arguments.data.display());
    std::fs::create_dir_all(arguments.data.parent().context("no directory for the data")?)?;
    let data = std::path::absolute(&arguments.data)?;
    let done = run(&arguments, &program, &data);
    let _removed = std::fs::remove_dir_all(&data);
    let report = done?;
    report.table();
    if arguments.json {
        report.json();
    }
    Ok(())
}

fn run(arguments: &Arguments, program: &std::path::Path, data: &std::path::Path) -> Result<Report> {
    let nodes = Nodes::found(program, data)?;
    std::thread::sleep(IDLE);
    let idle = nodes.memory()?;
    let mut senders = Senders::found(&nodes, arguments.keys)?;
    let verifying = Verifying::new()?;
    let mut report = Report::new(idle);

    let sync = limit::sync_median(nodes.directory())?;
    let before = nodes.figures()?;
    for _ in 0..SINGLE {
        report.alone(senders.send_one()?);
        std::thread::sleep(PAUSE);
    }
    report.certified_alone(&before, &nodes.figures()?, sync);

    let load = Load { batch: arguments.batch, batches: arguments.batches };
    for number in 0..=arguments.rounds {
        let (verified, sync) = (verifying.per_second()?, limit::sync_median(nodes.directory())?);
        let (figures, cpu, began) = (nodes.figures()?, nodes.cpu()?, nodes.agreed(0)?);
        let sent = senders.send(load)?;
        let cpu = nodes.cpu()? - cpu;
        let ended = nodes.agreed(began.0 + u64::from(sent.transactions))?;
        let figures = (figures, nodes.figures()?);
        let (entries, seals) = (ended.0 - began.0, ended.1 - began.1);
        ensure!(entries - seals == u64::from(sent.transactions), "{entries} entries, {seals} of them seals");
        let round = Round { verified, sync, sent, cpu, blocks: seals };
        eprintln!("{}", round.line());
        // The first is to warm up.
        if number > 0 {
            report.round(round, &figures.0, &figures.1);
        }
    }
    report.loaded(nodes.memory()?);
    Ok(report)
}
