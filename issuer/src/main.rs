//! `xinfu-issuer`: a department that issues credentials.

use std::process::ExitCode;

use clap::Parser as _;

#[actix_web::main]
async fn main() -> ExitCode {
    issuer::cli::run(issuer::cli::Arguments::parse()).await
}
