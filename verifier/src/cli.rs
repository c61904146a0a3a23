//! The command line: arguments, and what each does.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use identity_core::bundle::{Bundle, BundleError, Stood};
use identity_core::period::{MAX_PERIOD_BYTES, Period};
use identity_core::problem::{Code, Lang};
use identity_core::receipt::ChainFault;
use identity_core::time::UnixSeconds;
use ledger::{PastMoment, TrustRoot};
use service_kit::audit::AuditError;
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::config::{self, ConfigError};
use service_kit::did_life::command::{self, KeysArguments};
use service_kit::did_life::{DidLife, LifeError};
use service_kit::duties::command::{self as duties, DutiesArguments};
use service_kit::evidence_file::{self, EvidenceFileError};
use service_kit::fetch::Fetcher;
use service_kit::founding::{self, Founding, KeyAlgorithm, KeysError};
use service_kit::key_guard::KeyGuard;
use service_kit::ledger_client::{LedgerClient, load_trust_root};
use service_kit::lock::DataLock;
use service_kit::manual::Manual;
use service_kit::messages::Catalogue;
use service_kit::store::migrate::MigrateError;
use service_kit::store::migrate::command::{self as migration, MigrateArguments};
use service_kit::terminal::harmless;
use service_kit::votes::{self, VotesArguments};
use service_kit::{calendar, chance, help, stop, telemetry, whole_file};

use crate::{Config, StartError, TallyFault, Unasked, keys, told};

/// Exit status of a replay that comes to another verdict, and of evidence that does not hold.
const DISAGREES: u8 = 3;

/// The arguments. Their words stand in the catalogue, under `verifier-help-…`.
#[derive(Debug, Parser)]
#[command(name = "xinfu-verifier", version, arg_required_else_help = true)]
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
        #[arg(long, default_value = "verifier-keys")]
        keys: PathBuf,
        #[arg(long)]
        chain: String,
        #[arg(long)]
        url: String,
        #[arg(long)]
        name_en: String,
        #[arg(long)]
        name_zh: String,
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
    Replay {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        request: String,
    },
    Evidence {
        #[arg(long)]
        config: PathBuf,
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        #[arg(long)]
        full: bool,
        request: String,
    },
    Export {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "DATE")]
        from: String,
        #[arg(long, value_name = "DATE")]
        to: String,
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    Check {
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
        #[arg(long, value_name = "TIME", requires = "time_proof")]
        at: Option<String>,
        #[arg(long, value_name = "FILE", requires = "at")]
        time_proof: Option<PathBuf>,
        file: PathBuf,
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
    shared.unwrap_or_else(|| format!("verifier-help-{place}"))
}

/// What a command ends with when it does not succeed: text for the operator.
struct Failure {
    code: Option<Code>,
    detail: String,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { code: Some(error.code()), detail: error.to_string() }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self { code: Some(error.code()), detail: error.to_string() }
    }
}

impl From<Unasked> for Failure {
    fn from(error: Unasked) -> Self {
        Self { code: Some(error.code()), detail: error.to_string() }
    }
}

impl From<LifeError> for Failure {
    fn from(error: LifeError) -> Self {
        Self { code: Some(error.code()), detail: error.to_string() }
    }
}

impl From<EvidenceFileError> for Failure {
    fn from(error: EvidenceFileError) -> Self {
        Self { code: Some(error.code()), detail: error.to_string() }
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        Self { code: Some(error.code()), detail: error.to_string() }
    }
}

/// Does what the command line says. Status 0: done; 1: not; 2: wrong arguments; 3: a replay that disagrees,
/// or evidence that does not hold.
pub async fn run(arguments: &[OsString]) -> ExitCode {
    let lang = help::language(arguments);
    let arguments = match Arguments::read(arguments, lang) {
        Ok(arguments) => arguments,
        Err(error) => return help::refused(&error, "xinfu-verifier", &Catalogue::new(lang)),
    };
    let messages = Catalogue::new(lang);
    if arguments.print_config {
        say(&config::print::<Config>());
        return ExitCode::SUCCESS;
    }
    let done = match arguments.command {
        None => Err(Failure { code: None, detail: messages.text("verifier-no-command", &[]) }),
        Some(Command::Init { keys, chain, url, name_en, name_zh, algorithm }) => {
            let founding = Founding { chain, url, name_en, name_zh, algorithm: algorithm.into() };
            init(&messages, &keys, &founding)
        }
        Some(Command::Audit { act: AuditAct::Verify, config }) => audit(&messages, &config).await,
        Some(Command::Run { config }) => serve(&messages, &config).await,
        Some(Command::Keys(arguments)) => keys(&messages, &arguments).await,
        Some(Command::Duties(arguments)) => duties(&messages, arguments).await,
        Some(Command::Votes(arguments)) => vote(&messages, arguments).await,
        Some(Command::Protect { config }) => protect(&messages, &config),
        Some(Command::Migrate(arguments)) => migrate(&messages, &arguments).await,
        Some(Command::Manual(manual)) => match manual.print(lang, &localised) {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) => Err(Failure { code: None, detail: error.to_string() }),
        },
        Some(Command::Replay { config, at: None, request }) => replay(&messages, &config, &request).await,
        Some(Command::Replay { config, at: Some(time), request }) => {
            judge_at(&messages, &config, &request, &time).await
        }
        Some(Command::Evidence { config, out, full, request }) => {
            evidence(&messages, &config, &request, full, &out).await
        }
        Some(Command::Export { config, from, to, out }) => export(&messages, &config, (&from, &to), &out).await,
        Some(Command::Check { trust, at, time_proof, file }) => {
            check(&messages, &file, &trust, at.as_deref().zip(time_proof.as_deref()))
        }
    };
    done.unwrap_or_else(|failure| {
        let reason = help::told(lang, failure.code, &failure.detail);
        complain(&messages.text("verifier-failed", &[("reason", reason.into())]));
        ExitCode::FAILURE
    })
}

fn init(messages: &Catalogue, keys: &Path, founding: &Founding) -> Result<ExitCode, Failure> {
    let mut rng = chance::system_rng().map_err(StartError::from)?;
    let founded = crate::init(keys, founding, &KeyGuard::plain(), &mut rng).map_err(StartError::from)?;
    complain(&founded.told(keys, messages));
    say(&format!("{}\n", founded.identity.did));
    Ok(ExitCode::SUCCESS)
}

fn protect(messages: &Catalogue, path: &Path) -> Result<ExitCode, Failure> {
    let config: Config = config::load(path)?;
    let guard = config.key_guard().map_err(KeysError::from).map_err(StartError::from)?;
    let mut rng = chance::system_rng().map_err(StartError::from)?;
    let count = founding::protect(&config.keys, &guard, &mut rng).map_err(StartError::from)?;
    complain(&messages.text("keys-protected", &[("count", count.to_string().into())]));
    Ok(ExitCode::SUCCESS)
}

async fn serve(messages: &Catalogue, path: &Path) -> Result<ExitCode, Failure> {
    telemetry::start("info");
    let config: Config = config::load(path)?;
    let guard = config.key_guard().map_err(KeysError::from).map_err(StartError::from)?;
    if let Some(warning) = guard.warning(&config.keys, messages) {
        complain(&warning);
    }
    let told = command::before_start(&life(&config, &ledger(&config)?, &guard), messages).await?;
    told.iter().for_each(|told| complain(told));
    let running = crate::start_here(config).await?;
    complain(&messages.text("verifier-serves", &[("url", running.url.as_str().into())]));
    stop::asked_to_stop().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn ledger(config: &Config) -> Result<LedgerClient, StartError> {
    crate::ledger(config, Arc::new(Fetcher::new(&config.fetch)?), Arc::new(SystemClock))
}

fn life<'a>(config: &'a Config, ledger: &'a LedgerClient, guard: &'a KeyGuard) -> DidLife<'a> {
    DidLife { kind: &keys::KIND, directory: &config.keys, guard, ledger, now: SystemClock.now() }
}

async fn keys(messages: &Catalogue, arguments: &KeysArguments) -> Result<ExitCode, Failure> {
    let config: Config = config::load(&arguments.config)?;
    config.check()?;
    let ledger = ledger(&config)?;
    let _still = match arguments.changes_keys() {
        true => Some(stand_still(messages, &config, arguments.cannot_wait()).await?),
        false => None,
    };
    let mut rng = chance::system_rng().map_err(StartError::from)?;
    let guard = config.key_guard().map_err(KeysError::from).map_err(StartError::from)?;
    say(&format!("{}\n", command::run(&life(&config, &ledger, &guard), arguments, messages, &mut rng).await?));
    Ok(ExitCode::SUCCESS)
}

/// Before a key ends: brings what was signed with it onto the ledger, where it counts by its key at the moment of its
/// anchor. The lock is held to the end, for a service that runs would go on signing with a key that has just ended.
async fn stand_still(messages: &Catalogue, config: &Config, cannot_wait: bool) -> Result<DataLock, Failure> {
    let (ports, lock) = crate::open_ports(config)?;
    match crate::anchor_all(config, &ports).await {
        Ok(()) => Ok(lock),
        Err(error) if cannot_wait => {
            complain(&messages.text("keys-not-anchored", &[("reason", error.to_string().into())]));
            Ok(lock)
        }
        Err(StartError::Waiting { count, reason }) => {
            let values = [("count", count.to_string().into()), ("reason", reason.into())];
            Err(Failure { code: None, detail: messages.text("verifier-keys-wait", &values) })
        }
        Err(error) => Err(error.into()),
    }
}

async fn duties(messages: &Catalogue, arguments: DutiesArguments) -> Result<ExitCode, Failure> {
    let config: Config = config::load(arguments.config())?;
    config.check()?;
    let ledger = ledger(&config)?;
    let mut rng = chance::system_rng().map_err(StartError::from)?;
    let guard = config.key_guard().map_err(KeysError::from).map_err(StartError::from)?;
    say(&format!("{}\n", duties::run(&life(&config, &ledger, &guard), arguments, messages, &mut rng).await?));
    Ok(ExitCode::SUCCESS)
}

async fn vote(messages: &Catalogue, arguments: VotesArguments) -> Result<ExitCode, Failure> {
    let config: Config = config::load(arguments.config())?;
    config.check()?;
    let ledger = ledger(&config)?;
    let guard = config.key_guard().map_err(KeysError::from).map_err(StartError::from)?;
    say(&format!("{}\n", votes::run(&life(&config, &ledger, &guard), arguments, messages).await?));
    Ok(ExitCode::SUCCESS)
}

async fn migrate(messages: &Catalogue, arguments: &MigrateArguments) -> Result<ExitCode, Failure> {
    let config: Config = config::load(&arguments.config)?;
    say(&format!("{}\n", migration::run(&crate::place(&config), arguments, messages).await?));
    Ok(ExitCode::SUCCESS)
}

/// Says how far the audit log, the chain of receipts and the counts of days reach, or where one is not as it was written. Without the ledger's
/// word on the receipts it was no audit.
async fn audit(messages: &Catalogue, path: &Path) -> Result<ExitCode, Failure> {
    let config: Config = config::load(path)?;
    let verified = crate::verify_audit_here(&config).await?;
    let broken = |error: AuditError| Failure { code: Some(error.code()), detail: error.to_string() };
    say(&format!("{}\n", verified.map_err(broken)?.told(messages)));
    let receipts = crate::verify_receipts_here(&config).await?;
    let torn = |fault: ChainFault| Failure { code: Some(fault.code()), detail: fault.to_string() };
    let receipts = receipts.map_err(torn)?;
    say(&format!("{}\n", receipts.told(messages)));
    receipts.anchored?;
    let parted = |fault: TallyFault| Failure { code: Some(fault.code()), detail: fault.to_string() };
    if let Some(tallies) = receipts.tallies.transpose().map_err(parted)? {
        say(&format!("{}\n", tallies.told(messages)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(messages: &Catalogue, path: &Path, request: &str) -> Result<ExitCode, Failure> {
    let config: Config = config::load(path)?;
    let replayed = crate::replay_here(config, request).await?;
    let verdict = |code: Option<&str>| code.unwrap_or("verified").to_owned();
    let values = [
        ("then", verdict(replayed.then.as_deref()).into()),
        ("again", verdict(replayed.again.map(Code::as_str)).into()),
    ];
    let agrees = replayed.agrees();
    say(&format!("{}\n", messages.text(if agrees { "verifier-agrees" } else { "verifier-disagrees" }, &values)));
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::from(DISAGREES) })
}

/// Says how a kept case stands as of a past time.
async fn judge_at(messages: &Catalogue, path: &Path, request: &str, time: &str) -> Result<ExitCode, Failure> {
    let judged = crate::judge_at_here(config::load(path)?, request, millis(time)?).await?;
    say(&format!("{}\n", told::judged_at(&judged, messages).join("\n")));
    Ok(if judged.refused.is_none() { ExitCode::SUCCESS } else { ExitCode::from(DISAGREES) })
}

async fn evidence(
    messages: &Catalogue,
    path: &Path,
    request: &str,
    full: bool,
    out: &Path,
) -> Result<ExitCode, Failure> {
    let config: Config = config::load(path)?;
    let bundle = crate::evidence_here(config, request, full, out).await?;
    let id = evidence_file::written(&bundle);
    say(&format!("{}\n", messages.text(id, &[("file", harmless(&out.display().to_string()).into())])));
    Ok(ExitCode::SUCCESS)
}

async fn export(messages: &Catalogue, path: &Path, (from, to): (&str, &str), out: &Path) -> Result<ExitCode, Failure> {
    let config: Config = config::load(path)?;
    let seconds = |time| calendar::millis(time).and_then(|millis| i64::try_from(millis / 1000).ok());
    let dates = seconds(from).zip(seconds(to)).filter(|(from, to)| from < to);
    let detail = format!("{from} {to}");
    let (from, to) = dates.ok_or(Failure { code: Some(Code::PeriodDates), detail })?;
    crate::export_here(config, UnixSeconds(from), UnixSeconds(to), out).await?;
    say(&format!("{}\n", messages.text("period-written", &[("file", harmless(&out.display().to_string()).into())])));
    Ok(ExitCode::SUCCESS)
}

/// Says what a file of evidence shows under a trust root, be it of one act or of a period, or which part of it does not
/// hold; and of an act, how everybody in it stood at a time, by a proof of the ledger's. Needs neither service nor network.
fn check(messages: &Catalogue, file: &Path, trust: &Path, at: Option<(&str, &Path)>) -> Result<ExitCode, Failure> {
    let trust_root = load_trust_root(trust).map_err(StartError::from)?;
    let bytes = whole_file::read(file, MAX_PERIOD_BYTES).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => EvidenceFileError::Bundle(BundleError::Malformed),
        _ => EvidenceFileError::File(error),
    })?;
    let (lines, holds) = match Period::is_one(&bytes) && at.is_none() {
        true => check_period(messages, &bytes, &trust_root)?,
        false => check_bundle(messages, &bytes, &trust_root, at)?,
    };
    say(&format!("{}\n", lines.join("\n")));
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(DISAGREES) })
}

/// A time by the ledger's clock, by the proof in a file.
fn moment(time: &str, proof: &Path, trust_root: &TrustRoot) -> Result<PastMoment, Failure> {
    evidence_file::read_moment(proof, millis(time)?, trust_root)
        .map_err(|error| Failure { code: Some(error.code()), detail: error.to_string() })
}

/// A time as it is written on the command line.
fn millis(time: &str) -> Result<u64, Failure> {
    let malformed = || Failure { code: Some(Code::LedgerTimeMalformed), detail: "the time is malformed".to_owned() };
    calendar::millis(time).ok_or_else(malformed)
}

fn check_bundle(
    messages: &Catalogue,
    bytes: &[u8],
    trust_root: &TrustRoot,
    at: Option<(&str, &Path)>,
) -> Result<(Vec<String>, bool), Failure> {
    let moment = at.map(|(time, proof)| moment(time, proof, trust_root)).transpose()?;
    let checked = Bundle::parse(bytes).and_then(|bundle| match &moment {
        None => bundle.check(trust_root).map(|checked| (checked, None)),
        Some(moment) => bundle.check_at(trust_root, moment).map(|(checked, stood)| (checked, Some(stood))),
    });
    match checked {
        Ok((checked, stood)) => {
            let mut lines = told::holds(&checked, messages);
            lines.extend(stood.iter().flat_map(|stood| told::stood(stood, checked.holder(), messages)));
            Ok((lines, stood.as_ref().is_none_or(Stood::all_held)))
        }
        Err(error) if error.is_unreadable() => Err(EvidenceFileError::Bundle(error).into()),
        Err(error) => Ok((told::fails(error, messages), false)),
    }
}

fn check_period(messages: &Catalogue, bytes: &[u8], trust_root: &TrustRoot) -> Result<(Vec<String>, bool), Failure> {
    match Period::parse(bytes).and_then(|period| Ok((period.check(trust_root)?, period))) {
        Ok((checked, period)) => Ok((told::period::holds(&checked, &period, messages), true)),
        Err(error) if error.is_unreadable() => Err(Failure { code: Some(error.code()), detail: error.to_string() }),
        Err(error) => Ok((told::period::fails(error, messages), false)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_whole_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            assert_eq!(help::untold(Arguments::command(), lang, &text_id), Vec::<String>::new());
        }
    }
}
