//! `xinfu-issuer`: a department that issues credentials.

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    issuer::cli::run(&std::env::args_os().collect::<Vec<_>>()).await
}
