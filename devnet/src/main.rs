//! `devnet`: the whole world in one process.

use std::ffi::OsString;
use std::process::ExitCode;

use devnet::app;
use devnet::cli::{Cli, Part};
use service_kit::{help, messages::Catalogue, telemetry};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let lang = help::language(&arguments);
    let cli = match Cli::read(&arguments, lang) {
        Ok(cli) => cli,
        Err(error) => return help::refused(&error, "devnet", &Catalogue::new(lang)),
    };
    // The journey speaks for itself; services are heard when something is wrong.
    telemetry::start("error");
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    if let Some(Part::Wallet { arguments }) = cli.part {
        return ExitCode::from(runtime.block_on(app::run_wallet(arguments)));
    }
    let done = runtime.block_on(async {
        match cli.part {
            Some(Part::Service { kind, config }) => app::run_service(kind, &config).await.map(|()| true),
            Some(Part::Crash(crash)) => app::crash(&cli.options, &crash).await.map(|()| true),
            Some(Part::Faults(faults)) => app::faults(&cli.options, &faults).await.map(|()| true),
            Some(Part::Wallet { .. }) | None => app::run(&cli.options).await,
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("devnet: {error:#}");
    ExitCode::FAILURE
}
