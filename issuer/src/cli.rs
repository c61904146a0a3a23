//! The command line: make keys, import a table, run.
//!
//! Standard output carries results, standard error words for people; the exit status is 0 for done, 1 for refused,
//! 3 for an import that left rows out.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use identity_core::duty::MAX_ORDER_BYTES;
use identity_core::problem::{Code, Lang};
use service_kit::chance::system_rng;
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::config::{self, ConfigError};
use service_kit::did_life::command::{self, KeysArguments};
use service_kit::did_life::{DidLife, LifeError};
use service_kit::duties::command::{self as duties, DutiesArguments};
use service_kit::fetch::Fetcher;
use service_kit::founding::{self, Founding, KeyAlgorithm, KeysError};
use service_kit::key_guard::KeyGuard;
use service_kit::ledger_client::LedgerClient;
use service_kit::lock::DataLock;
use service_kit::manual::Manual;
use service_kit::messages::{Catalogue, Value};
use service_kit::store::migrate::MigrateError;
use service_kit::store::migrate::command::{self as migration, MigrateArguments};
use service_kit::trust_keeper::TrustKeeper;
use service_kit::votes::{self, VotesArguments};
use service_kit::{help, stop, telemetry};

use crate::keys;
use crate::{AtTheMachine, Config, ImportError, ImportReport, OpenError, Ports, RowFault, StartError};

/// Exit status of an import that left rows out.
const ROWS_REFUSED: u8 = 3;

/// The arguments. Their words stand in the catalogue, under `issuer-help-…`.
#[derive(Debug, Parser)]
#[command(name = "xinfu-issuer", version, arg_required_else_help = true)]
pub struct Arguments {
    #[arg(long)]
    print_config: bool,
    #[arg(long, global = true)]
    lang: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init {
        #[arg(long)]
        config: PathBuf,
        #[arg(long)]
        chain: String,
        #[arg(long, value_enum, default_value_t = KeyAlgorithm::EdDsa)]
        algorithm: KeyAlgorithm,
    },
    Audit {
        act: AuditAct,
        #[arg(long)]
        config: PathBuf,
    },
    Run {
        #[arg(long)]
        config: PathBuf,
    },
    Keys(KeysArguments),
    Duties(DutiesArguments),
    Votes(VotesArguments),
    Protect {
        #[arg(long)]
        config: PathBuf,
    },
    Migrate(MigrateArguments),
    Import {
        #[arg(long)]
        config: PathBuf,
        #[arg(long = "type")]
        kind: Option<String>,
        #[arg(long, value_name = "DUTY", requires = "basis", conflicts_with = "order")]
        official: Option<String>,
        #[arg(long, value_name = "TEXT", requires = "official")]
        basis: Option<String>,
        #[arg(long, value_name = "FILE")]
        order: Option<PathBuf>,
        table: PathBuf,
    },
    #[command(flatten)]
    Manual(Manual),
}

/// What is done with the audit log.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AuditAct {
    /// Read it whole and say whether it is as it was written.
    Verify,
}

impl Arguments {
    /// Reads the command line, with help and complaints in `lang`.
    ///
    /// # Errors
    /// Clap's error; help and version are among them.
    pub fn read(arguments: &[OsString], lang: Lang) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&localised(&Catalogue::new(lang)).try_get_matches_from(arguments)?)
    }
}

/// The command with every text from the catalogue.
fn localised(catalogue: &Catalogue) -> clap::Command {
    help::localised(Arguments::command(), catalogue, &text_id)
}

fn text_id(place: &str) -> String {
    let shared = command::text_id(place).or_else(|| duties::text_id(place)).or_else(|| votes::text_id(place));
    shared.unwrap_or_else(|| format!("issuer-help-{place}"))
}

/// What a command ends with when it does not succeed: text for the operator.
struct Failure {
    code: Option<Code>,
    detail: String,
}

impl Failure {
    fn plain(detail: impl ToString) -> Self {
        Self { code: None, detail: detail.to_string() }
    }

    fn coded(code: Code, detail: impl ToString) -> Self {
        Self { code: Some(code), detail: detail.to_string() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::coded(error.code(), error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self { code: error.code(), detail: error.to_string() }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self { code: error.code(), detail: error.to_string() }
    }
}

impl From<LifeError> for Failure {
    fn from(error: LifeError) -> Self {
        Self::coded(error.code(), error)
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::coded(error.code(), error)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        Self::coded(error.code(), error)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::coded(error.code(), error)
    }
}

/// Reads the command line and does what it says.
pub async fn run(arguments: &[OsString]) -> ExitCode {
    let lang = help::language(arguments);
    let arguments = match Arguments::read(arguments, lang) {
        Ok(arguments) => arguments,
        Err(error) => return help::refused(&error, "xinfu-issuer", &Catalogue::new(lang)),
    };
    let messages = Catalogue::new(lang);
    if arguments.print_config {
        print!("{}", config::print::<Config>());
        return ExitCode::SUCCESS;
    }
    let done = match arguments.command {
        None => Err(Failure::plain(messages.text("issuer-no-command", &[]))),
        Some(Command::Init { config, chain, algorithm }) => init(&config, chain, algorithm, &messages),
        Some(Command::Audit { act: AuditAct::Verify, config }) => audit(&config, &messages).await,
        Some(Command::Run { config }) => serve(&config, &messages).await,
        Some(Command::Keys(arguments)) => keys(&arguments, &messages).await,
        Some(Command::Duties(arguments)) => duties(arguments, &messages).await,
        Some(Command::Votes(arguments)) => vote(arguments, &messages).await,
        Some(Command::Protect { config }) => protect(&config, &messages),
        Some(Command::Migrate(arguments)) => migrate(&arguments, &messages).await,
        Some(Command::Manual(manual)) => {
            manual.print(lang, &localised).map(|()| ExitCode::SUCCESS).map_err(Failure::plain)
        }
        Some(Command::Import { config, kind, official, basis, order, table }) => {
            let by = match (official, basis, order) {
                (Some(official), Some(basis), _) => By::Drafted { official, basis },
                (_, _, Some(order)) => By::Official(order),
                _ => By::ServiceAccount,
            };
            import(&config, kind, &table, by, &messages).await
        }
    };
    done.unwrap_or_else(|failure| {
        let reason = help::told(lang, failure.code, &failure.detail);
        eprintln!("{}", messages.text("issuer-failed", &[("reason", reason.into())]));
        ExitCode::FAILURE
    })
}

fn load(path: &Path) -> Result<Config, Failure> {
    let config: Config = config::load(path)?;
    config.check()?;
    Ok(config)
}

fn init(path: &Path, chain: String, algorithm: KeyAlgorithm, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let founding = Founding {
        chain,
        url: config.url.clone(),
        name_en: config.name_en.clone(),
        name_zh: config.name_zh.clone(),
        algorithm: algorithm.into(),
    };
    let mut rng = system_rng().map_err(Failure::plain)?;
    let guard = config.key_guard().map_err(KeysError::from)?;
    let founded = crate::init(&config.keys, &founding, &guard, &mut rng)?;
    eprintln!("{}", founded.told(&config.keys, messages));
    println!("{}", founded.identity.did);
    Ok(ExitCode::SUCCESS)
}

fn protect(path: &Path, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let guard = config.key_guard().map_err(KeysError::from)?;
    let count = founding::protect(&config.keys, &guard, &mut system_rng().map_err(Failure::plain)?)?;
    eprintln!("{}", messages.text("keys-protected", &[("count", count.to_string().into())]));
    Ok(ExitCode::SUCCESS)
}

async fn migrate(arguments: &MigrateArguments, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(&arguments.config)?;
    println!("{}", migration::run(&crate::ports::place(&config), arguments, messages).await?);
    Ok(ExitCode::SUCCESS)
}

async fn serve(path: &Path, messages: &Catalogue) -> Result<ExitCode, Failure> {
    telemetry::start("info");
    let config = load(path)?;
    let url = config.url.clone();
    let guard = config.key_guard().map_err(KeysError::from)?;
    if let Some(warning) = guard.warning(&config.keys, messages) {
        eprintln!("{warning}");
    }
    if let Some(ledger) = ledger(&config)? {
        let life = life(&config, &ledger, &guard);
        command::before_start(&life, messages).await?.iter().for_each(|told| eprintln!("{told}"));
    }
    let ports = Ports::open(&config)?;
    let running = crate::start(config, ports).await?;
    let values: [(&str, Value<'_>); 2] = [("url", url.into()), ("listening", running.url.clone().into())];
    eprintln!("{}", messages.text("issuer-running", &values));
    stop::asked_to_stop().await;
    running.stop().await;
    eprintln!("{}", messages.text("issuer-stopped", &[]));
    Ok(ExitCode::SUCCESS)
}

/// The ledger, as far as one is configured.
fn ledger(config: &Config) -> Result<Option<LedgerClient>, Failure> {
    if config.ledger.url.is_empty() {
        return Ok(None);
    }
    let trust = TrustKeeper::of_file(&config.ledger.trust_root, Arc::new(SystemClock));
    let trust = trust.map_err(|error| Failure::coded(error.code(), error))?;
    let fetch = Fetcher::new(&config.fetch).map_err(Failure::plain)?;
    Ok(Some(LedgerClient::trusting(Arc::new(fetch), &config.ledger.url, trust)))
}

fn life<'a>(config: &'a Config, ledger: &'a LedgerClient, guard: &'a KeyGuard) -> DidLife<'a> {
    DidLife { kind: &keys::KIND, directory: &config.keys, guard, ledger, now: SystemClock.now() }
}

async fn keys(arguments: &KeysArguments, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(&arguments.config)?;
    let Some(ledger) = ledger(&config)? else {
        return Err(Failure::coded(Code::ConfigInvalidValue, "`ledger.url` is empty"));
    };
    if arguments.changes_keys() {
        // What was signed and waits would come to the ledger after its key had ended, and be worth nothing.
        match crate::anchor_all(&config).await {
            Err(error) if arguments.cannot_wait() => {
                eprintln!("{}", messages.text("keys-not-anchored", &[("reason", error.to_string().into())]));
            }
            anchored => anchored?,
        }
    }
    // Held to the end: a service that runs would go on signing with a key that has just ended.
    let still = arguments.changes_keys().then(|| DataLock::take(&config.data, "xinfu-issuer")).transpose();
    let _still = still.map_err(|error| Failure::coded(error.code(), error))?;
    let mut rng = system_rng().map_err(Failure::plain)?;
    let guard = config.key_guard().map_err(KeysError::from)?;
    println!("{}", command::run(&life(&config, &ledger, &guard), arguments, messages, &mut rng).await?);
    Ok(ExitCode::SUCCESS)
}

/// Says how far the audit log reaches, or where it is not as it was written.
async fn audit(path: &Path, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let ports = Ports::open(&load(path)?)?;
    let head = crate::verify_audit(&ports).await.map_err(|error| Failure::coded(error.code(), error))?;
    println!("{}", head.told(messages));
    Ok(ExitCode::SUCCESS)
}

/// Who answers for an import.
enum By {
    ServiceAccount,
    /// The official who signed this order.
    Official(PathBuf),
    /// Nobody yet: the order is drafted for an official, and nothing is imported.
    Drafted {
        official: String,
        basis: String,
    },
}

async fn import(
    path: &Path,
    kind: Option<String>,
    table: &Path,
    by: By,
    messages: &Catalogue,
) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let only = config.credentials.first().filter(|_| config.credentials.len() == 1).cloned();
    let kind = kind.or(only).filter(|kind| config.credentials.contains(kind));
    let types = config.credentials.join(", ");
    let which = || Failure::plain(messages.text("issuer-which-type", &[("types", types.as_str().into())]));
    let kind = kind.ok_or_else(which)?;
    let bytes = std::fs::read(table).map_err(|error| Failure::plain(format!("{}: {error}", table.display())))?;
    let department = AtTheMachine::open(&config).await?;
    let order = match by {
        By::Drafted { official, basis } => {
            let (report, order) = department.draft_import(&kind, &bytes, &official, &basis)?;
            faults(&report, messages).iter().for_each(|line| eprintln!("{line}"));
            println!("{}", serde_json::to_string_pretty(&order).map_err(Failure::plain)?);
            let count = order.deed.count.to_string();
            eprintln!("{}", messages.text("issuer-import-drafted", &[("count", count.into())]));
            return Ok(status(&report));
        }
        By::Official(file) => Some(read_order(&file)?),
        By::ServiceAccount => None,
    };
    let report = department.import(&kind, &bytes, order.as_deref()).await?;
    faults(&report, messages).iter().for_each(|line| println!("{line}"));
    let values: [(&str, Value<'_>); 2] =
        [("imported", report.imported.to_string().into()), ("refused", report.refused.to_string().into())];
    println!("{}", messages.text("issuer-imported", &values));
    Ok(status(&report))
}

fn read_order(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| Failure::plain(format!("{}: {error}", file.display()));
    let mut text = String::new();
    let limit = u64::try_from(MAX_ORDER_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(file).map_err(unreadable)?.take(limit).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text.trim_ascii().to_owned())
}

async fn duties(arguments: DutiesArguments, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(arguments.config())?;
    let Some(ledger) = ledger(&config)? else {
        return Err(Failure::coded(Code::ConfigInvalidValue, "`ledger.url` is empty"));
    };
    let mut rng = system_rng().map_err(Failure::plain)?;
    let guard = config.key_guard().map_err(KeysError::from)?;
    println!("{}", duties::run(&life(&config, &ledger, &guard), arguments, messages, &mut rng).await?);
    Ok(ExitCode::SUCCESS)
}

async fn vote(arguments: VotesArguments, messages: &Catalogue) -> Result<ExitCode, Failure> {
    let config = load(arguments.config())?;
    let Some(ledger) = ledger(&config)? else {
        return Err(Failure::coded(Code::ConfigInvalidValue, "`ledger.url` is empty"));
    };
    let guard = config.key_guard().map_err(KeysError::from)?;
    println!("{}", votes::run(&life(&config, &ledger, &guard), arguments, messages).await?);
    Ok(ExitCode::SUCCESS)
}

/// English has the exact rule, Chinese the catalogue's words for it.
fn reason(fault: &RowFault, lang: Lang) -> &str {
    match lang {
        Lang::En => &fault.reason,
        Lang::Zh => fault.reason_zh,
    }
}

/// What is wrong with the rows that are left out.
fn faults(report: &ImportReport, messages: &Catalogue) -> Vec<String> {
    let told = |fault: &RowFault| {
        let values: [(&str, Value<'_>); 3] = [
            ("line", fault.line.to_string().into()),
            ("column", fault.column.clone().unwrap_or_else(|| "-".to_owned()).into()),
            ("reason", reason(fault, messages.lang()).to_owned().into()),
        ];
        messages.text("issuer-import-fault", &values)
    };
    report.faults.iter().map(told).collect()
}

fn status(report: &ImportReport) -> ExitCode {
    if report.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(ROWS_REFUSED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_whole_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            assert_eq!(help::untold(Arguments::command(), lang, &text_id), Vec::<String>::new());
        }
    }

    #[test]
    fn secrets_are_no_arguments() {
        let read = |line: &str| Arguments::read(&line.split(' ').map(Into::into).collect::<Vec<_>>(), Lang::En);
        assert!(read("xinfu-issuer run --config a.toml --lang zh").is_ok());
        assert!(read("xinfu-issuer run --config a.toml --admin-token secret").is_err());
    }
}
