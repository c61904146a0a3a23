//! The command line: arguments, and what each does.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use identity_core::crypto::Alg;
use service_kit::messages::{Catalogue, language};
use service_kit::{chance, config, stop, telemetry};

use crate::{Config, Founding};

/// A service that asks for presentations over OpenID4VP 1.0 and judges them offline.
#[derive(Debug, Parser)]
#[command(name = "xinfu-verifier", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// Print the configuration file with every key at its default, and stop.
    #[arg(long)]
    print_config: bool,
    /// Language of messages: en or zh. Otherwise the locale decides.
    #[arg(long, global = true)]
    lang: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the service's keys and the creation of its DID; running it again changes nothing.
    Init {
        /// Directory of the keys, mode 0600 each.
        #[arg(long, default_value = "verifier-keys")]
        keys: PathBuf,
        /// Name of the chain, as its genesis says.
        #[arg(long)]
        chain: String,
        /// Base URL under which wallets will reach the service.
        #[arg(long)]
        url: String,
        /// The service's public name in English.
        #[arg(long)]
        name_en: String,
        /// The service's public name in Chinese.
        #[arg(long)]
        name_zh: String,
        /// Algorithm of the keys.
        #[arg(long, value_enum, default_value_t = Algorithm::EdDsa)]
        algorithm: Algorithm,
    },
    /// Serve until SIGINT or SIGTERM.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Judge a kept case again by its saved evidence. The service must not be running on the same data.
    Replay {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// The request's id.
        request: String,
    },
}

/// Algorithms of keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256.
    #[value(name = "ES256")]
    Es256,
}

impl From<Algorithm> for Alg {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EdDsa => Self::EdDsa,
            Algorithm::Es256 => Self::Es256,
        }
    }
}

/// Does what the arguments say. Status 0: done; 1: not; 2: wrong arguments; 3: a replay that disagrees.
pub async fn run(arguments: Arguments) -> ExitCode {
    let messages = Catalogue::new(language(arguments.lang.as_deref()));
    if arguments.print_config {
        say(&config::print::<Config>());
        return ExitCode::SUCCESS;
    }
    let done = match arguments.command {
        None => return ExitCode::from(2),
        Some(Command::Init { keys, chain, url, name_en, name_zh, algorithm }) => {
            let founding = Founding { chain, url, name_en, name_zh, algorithm: algorithm.into() };
            init(&messages, &keys, &founding)
        }
        Some(Command::Run { config }) => serve(&messages, &config).await,
        Some(Command::Replay { config, request }) => replay(&messages, &config, &request).await,
    };
    done.unwrap_or_else(|error| {
        complain(&messages.text("verifier-failed", &[("reason", error.into())]));
        ExitCode::FAILURE
    })
}

fn init(messages: &Catalogue, keys: &Path, founding: &Founding) -> Result<ExitCode, String> {
    let mut rng = chance::system_rng().map_err(|error| error.to_string())?;
    let founded = crate::init(keys, founding, &mut rng).map_err(|error| error.to_string())?;
    let did = founded.identity.did.to_string();
    let file = keys.join("create.jws").display().to_string();
    complain(&messages.text("verifier-made", &[("did", did.as_str().into()), ("file", file.into())]));
    say(&format!("{did}\n"));
    Ok(ExitCode::SUCCESS)
}

async fn serve(messages: &Catalogue, path: &Path) -> Result<ExitCode, String> {
    telemetry::start("info");
    let config: Config = config::load(path).map_err(|error| error.to_string())?;
    let running = crate::start_here(config).await.map_err(|error| error.to_string())?;
    complain(&messages.text("verifier-serves", &[("url", running.url.as_str().into())]));
    stop::asked_to_stop().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn replay(messages: &Catalogue, path: &Path, request: &str) -> Result<ExitCode, String> {
    let config: Config = config::load(path).map_err(|error| error.to_string())?;
    let replayed = crate::replay_here(config, request).await?;
    let verdict = |code: Option<&str>| code.unwrap_or("verified").to_owned();
    let values = [
        ("then", verdict(replayed.then.as_deref()).into()),
        ("again", verdict(replayed.again.map(identity_core::problem::Code::as_str)).into()),
    ];
    let agrees = replayed.agrees();
    say(&format!("{}\n", messages.text(if agrees { "verifier-agrees" } else { "verifier-disagrees" }, &values)));
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// What was asked for, to standard output.
#[expect(clippy::print_stdout, reason = "the one place that writes to standard output")]
fn say(text: &str) {
    print!("{text}");
}

/// What is said about it, to standard error.
#[expect(clippy::print_stderr, reason = "the one place that writes to standard error")]
fn complain(text: &str) {
    eprintln!("{text}");
}
