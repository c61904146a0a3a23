//! `xinfu-ledger`: found a chain, run its node, check its data, carry it elsewhere.

mod cli;
mod complaint;
mod consortium;
mod forward;
mod joining;
mod keeping;
mod listening;
mod operate;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    cli::main(&arguments)
}
