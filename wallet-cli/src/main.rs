//! Entry point of `xinfu-wallet`.

use std::{env, ffi::OsString, process::ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_cli::hygiene::protect();
    let arguments: Vec<OsString> = env::args_os().collect();
    ExitCode::from(wallet_cli::run::run(&arguments).await)
}
