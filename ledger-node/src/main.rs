//! `xinfu-ledger`: found a chain, run its node, check its data.

mod cli;
mod operate;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xinfu-ledger: {error:#}");
            ExitCode::FAILURE
        }
    }
}
