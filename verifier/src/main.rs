//! `xinfu-verifier`: asks for presentations and judges them.

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    verifier::cli::run(&std::env::args_os().collect::<Vec<_>>()).await
}
