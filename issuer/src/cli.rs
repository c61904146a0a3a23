//! The command line: make keys, import a table, run.
//!
//! Standard output carries results, standard error words for people; the exit status is 0 for done, 1 for refused,
//! 3 for an import that left rows out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use identity_core::crypto::Alg;
use service_kit::chance::system_rng;
use service_kit::config;
use service_kit::messages::{Catalogue, Value, language};
use service_kit::{stop, telemetry};

use crate::{Config, Founding, ImportReport, Ports};

/// Exit status of an import that left rows out.
const ROWS_REFUSED: u8 = 3;

/// Issues verifiable credentials over OpenID4VCI 1.0 and anchors their digests on a Xinfu ledger.
#[derive(Debug, Parser)]
#[command(name = "xinfu-issuer", version, arg_required_else_help = true)]
pub struct Arguments {
    /// Print a commented configuration file with every default, and exit.
    #[arg(long)]
    print_config: bool,
    /// Language of messages: en or zh. Otherwise the locale's.
    #[arg(long, global = true)]
    lang: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the department's keys (mode 0600) and the creation of its DID.
    Init {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Name of the chain that the DID is for.
        #[arg(long)]
        chain: String,
        /// Algorithm of the keys.
        #[arg(long, value_enum, default_value_t = KeyAlg::Eddsa)]
        alg: KeyAlg,
    },
    /// Serve until stopped by SIGTERM or Ctrl-C.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Import a table of subjects while the service is stopped. Bad rows are listed by line, good ones kept.
    Import {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// The credential type of the table, if the department issues several.
        #[arg(long = "type")]
        kind: Option<String>,
        /// The table, a CSV file in UTF-8 whose first line names the columns.
        table: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeyAlg {
    Eddsa,
    Es256,
}

/// What a command ends with when it does not succeed: text for the operator.
type Failure = Box<dyn std::error::Error>;

/// Runs the command.
pub async fn run(arguments: Arguments) -> ExitCode {
    let messages = Catalogue::new(language(arguments.lang.as_deref()));
    if arguments.print_config {
        print!("{}", config::print::<Config>());
        return ExitCode::SUCCESS;
    }
    let done = match arguments.command {
        None => Err(messages.text("issuer-no-command", &[]).into()),
        Some(Command::Init { config, chain, alg }) => init(&config, chain, alg, &messages),
        Some(Command::Run { config }) => serve(&config, &messages).await,
        Some(Command::Import { config, kind, table }) => import(&config, kind, &table, &messages).await,
    };
    done.unwrap_or_else(|failure| {
        eprintln!("{}", messages.text("issuer-failed", &[("reason", failure.to_string().into())]));
        ExitCode::FAILURE
    })
}

fn load(path: &Path) -> Result<Config, Failure> {
    let config: Config = config::load(path)?;
    config.check()?;
    Ok(config)
}

fn init(path: &Path, chain: String, alg: KeyAlg, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let founding = Founding {
        chain,
        url: config.url.clone(),
        name_en: config.name_en.clone(),
        name_zh: config.name_zh.clone(),
        algorithm: match alg {
            KeyAlg::Eddsa => Alg::EdDsa,
            KeyAlg::Es256 => Alg::Es256,
        },
    };
    let founded = crate::init(&config.keys, &founding, &mut system_rng()?)?;
    let keys = config.keys.display().to_string();
    eprintln!("{}", messages.text("issuer-initialised", &[("directory", keys.into())]));
    println!("{}", founded.identity.did);
    Ok(ExitCode::SUCCESS)
}

async fn serve(path: &Path, messages: &Catalogue) -> Result<ExitCode, Failure> {
    telemetry::start("info");
    let config = load(path)?;
    let url = config.url.clone();
    let ports = Ports::open(&config)?;
    let running = crate::start(config, ports).await?;
    let values: [(&str, Value<'_>); 2] = [("url", url.into()), ("listening", running.url.clone().into())];
    eprintln!("{}", messages.text("issuer-running", &values));
    stop::asked_to_stop().await;
    running.stop().await;
    eprintln!("{}", messages.text("issuer-stopped", &[]));
    Ok(ExitCode::SUCCESS)
}

async fn import(path: &Path, kind: Option<String>, table: &Path, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let only = config.credentials.first().filter(|_| config.credentials.len() == 1).cloned();
    let kind = kind.or(only).filter(|kind| config.credentials.contains(kind));
    let kind =
        kind.ok_or_else(|| messages.text("issuer-which-type", &[("types", config.credentials.join(", ").into())]))?;
    let bytes = std::fs::read(table).map_err(|error| format!("{}: {error}", table.display()))?;
    let ports = Ports::open(&config)?;
    let report = crate::import(&ports, &kind, &bytes).await?;
    Ok(tell(&report, messages))
}

fn tell(report: &ImportReport, messages: &Catalogue) -> ExitCode {
    for fault in &report.faults {
        let values: [(&str, Value<'_>); 3] = [
            ("line", fault.line.to_string().into()),
            ("column", fault.column.clone().unwrap_or_else(|| "-".to_owned()).into()),
            ("reason", fault.reason.clone().into()),
        ];
        println!("{}", messages.text("issuer-import-fault", &values));
    }
    let values: [(&str, Value<'_>); 2] =
        [("imported", report.imported.to_string().into()), ("refused", report.refused.to_string().into())];
    println!("{}", messages.text("issuer-imported", &values));
    if report.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(ROWS_REFUSED) }
}
