//! Benchmarks as ratios: ours against a limit or a peer, on thread CPU time, both sides in one run.

use anyhow::Context as _;
use clap::Parser;

mod act;
mod case;
mod clock;
mod contained;
mod contest;
mod limit;
mod report;
mod row;
mod standard;

/// How fast issuing and verifying are, as fractions of what the cryptography alone costs
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// End with one line of JSON: {"rows":[{"id","ours","against","ratio","target","held"}]}
    #[arg(long)]
    json: bool,
    /// Rounds per row; the median counts
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(9..=1001))]
    rounds: u32,
    /// Only these rows, such as P1
    rows: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let wanted = |id: &str| arguments.rows.is_empty() || arguments.rows.iter().any(|row| row.eq_ignore_ascii_case(id));
    let mut rows = Vec::new();
    for (id, run) in row::ALL {
        if wanted(id) {
            rows.push(run(arguments.rounds).with_context(|| format!("row {id}"))?);
        }
    }
    anyhow::ensure!(!rows.is_empty(), "no such row; there are {}", row::ALL.map(|(id, _)| id).join(", "));
    report::table(&rows);
    if arguments.json {
        report::json(&rows);
    }
    Ok(())
}
