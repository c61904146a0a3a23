//! `xinfu-verifier`: asks for presentations and judges them.

use std::process::ExitCode;

use clap::Parser as _;

#[actix_web::main]
async fn main() -> ExitCode {
    verifier::cli::run(verifier::cli::Arguments::parse()).await
}
