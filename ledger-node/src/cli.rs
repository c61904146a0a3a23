//! The command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use identity_core::registry::{OnProposal, Operation};
use ledger::PastMoment;
use ledger_node::fsck::fsck;
use ledger_node::{Chain, Config, Founder, InitOptions, Ports, data_place, init, open_store, start};
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::ledger_client::load_trust_root;
use service_kit::manual::Manual;
use service_kit::store::migrate::command::{self as migration, MigrateArguments};
use service_kit::votes::Proposed;
use service_kit::{calendar, chance, config, founding, help, messages, stop, telemetry, trust_walk};

use crate::complaint::complaint;
use crate::consortium::{Consortium, Founded};
use crate::forward;
use crate::joining::{self, Joining};
use crate::keeping;
use crate::listening::Listening;
use crate::operate::{self, Operator, Wanted};

/// Age of a head, in seconds, from which on something is wrong: an idle one is cosigned again every 30 s, so two rounds
/// were missed.
const HALTED_AFTER: i64 = 90;

/// The arguments. Their words stand in the catalogue, under `ledger-help-…`.
#[derive(Parser)]
#[command(name = "xinfu-ledger", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[arg(long)]
    print_config: bool,
    #[arg(long, global = true)]
    lang: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Init {
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        chain: String,
        #[arg(long)]
        operator: String,
        #[arg(long = "member", value_name = "NAME=FILE")]
        members: Vec<String>,
        #[command(flatten)]
        listening: Listening,
        #[command(flatten)]
        consortium: Consortium,
    },
    Join(Joining),
    Prepare {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "HOST:PORT")]
        peer: Option<String>,
    },
    Run {
        #[arg(long)]
        config: PathBuf,
    },
    Protect {
        #[arg(long)]
        config: PathBuf,
    },
    Migrate(MigrateArguments),
    Fsck {
        #[arg(long)]
        config: PathBuf,
    },
    CatchUp {
        #[arg(long)]
        config: PathBuf,
        #[arg(long = "peer", value_name = "URL", required = true)]
        peers: Vec<String>,
        #[arg(long)]
        ca: Option<PathBuf>,
    },
    Export {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    Import {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
    },
    Snapshot {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    StartFrom {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    Prune {
        #[arg(long)]
        config: PathBuf,
        #[arg(long, value_name = "ENTRIES", default_value_t = 100_000)]
        keep: u64,
    },
    Status {
        #[command(flatten)]
        operator: Operator,
    },
    Accredit {
        #[command(flatten)]
        operator: Operator,
        #[command(flatten)]
        wanted: Wanted,
    },
    EndAccreditation {
        #[command(flatten)]
        operator: Operator,
        #[arg(long)]
        subject: String,
        #[arg(long)]
        accreditation: u64,
    },
    TrustRoot {
        #[arg(long)]
        genesis: PathBuf,
    },
    Propose {
        #[command(flatten)]
        operator: Operator,
        #[command(flatten)]
        proposed: Proposed,
    },
    Approve {
        #[command(flatten)]
        operator: Operator,
        #[arg(long)]
        proposal: u64,
    },
    Withdraw {
        #[command(flatten)]
        operator: Operator,
        #[arg(long)]
        proposal: u64,
    },
    Accuse {
        #[command(flatten)]
        operator: Operator,
        file: PathBuf,
    },
    Evidence {
        act: EvidenceAct,
        file: PathBuf,
        #[arg(long)]
        trust: PathBuf,
    },
    Trust {
        act: TrustAct,
        #[arg(long)]
        trust: PathBuf,
        #[arg(long = "node", value_name = "URL", required = true)]
        nodes: Vec<String>,
        #[arg(long)]
        ca: Option<PathBuf>,
        #[arg(long)]
        handed_over: bool,
    },
    At {
        #[arg(value_name = "TIME")]
        time: String,
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
        #[arg(long, value_name = "URL")]
        node: String,
        #[arg(long)]
        ca: Option<PathBuf>,
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    #[command(flatten)]
    Manual(Manual),
}

#[derive(Clone, Copy, ValueEnum)]
enum TrustAct {
    Advance,
}

#[derive(Clone, Copy, ValueEnum)]
enum EvidenceAct {
    Verify,
}

/// Reads the command line, does what it says, and complains in the reader's language.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    let lang = help::language(arguments);
    let catalogue = messages::Catalogue::new(lang);
    let read =
        localised(&catalogue).try_get_matches_from(arguments).and_then(|read| Arguments::from_arg_matches(&read));
    let done = match read {
        Ok(arguments) => arguments.run(&catalogue),
        Err(error) => return help::refused(&error, "xinfu-ledger", &catalogue),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let reason = complaint(&error, &catalogue);
            eprintln!("{}", catalogue.text("ledger-failed", &[("reason", reason.into())]));
            ExitCode::FAILURE
        }
    }
}

/// The command with every text from the catalogue.
fn localised(catalogue: &messages::Catalogue) -> clap::Command {
    help::localised(Arguments::command(), catalogue, &text_id)
}

fn text_id(place: &str) -> String {
    format!("ledger-help-{place}")
}

impl Arguments {
    fn run(self, catalogue: &messages::Catalogue) -> Result<()> {
        if self.print_config {
            print!("{}", config::print::<Config>());
            return Ok(());
        }
        match self.command {
            None => bail!(catalogue.text("ledger-no-command", &[])),
            Some(Command::Join(joining)) => joining.run(catalogue),
            Some(Command::Prepare { config, peer }) => joining::prepare_keys(&config, peer, catalogue),
            Some(Command::Run { config }) => run(&config, catalogue),
            Some(Command::Protect { config }) => protect(&config, catalogue),
            Some(Command::Migrate(arguments)) => migrate(&arguments, catalogue),
            Some(Command::Manual(manual)) => Ok(manual.print(catalogue.lang(), &localised)?),
            Some(Command::Fsck { config }) => check(&config, catalogue),
            Some(Command::CatchUp { config, peers, ca }) => forward::from_peers(&config, &peers, ca, catalogue),
            Some(Command::Export { config, to }) => forward::to_files(&config, &to, catalogue),
            Some(Command::Import { config, from }) => forward::from_files(&config, &from, catalogue),
            Some(Command::TrustRoot { genesis }) => {
                print!("{}", read_chain(&genesis)?.policy());
                Ok(())
            }
            Some(Command::Propose { operator, proposed }) => {
                submit(&operator, &proposed.operation(SystemClock.now())?, catalogue)
            }
            Some(Command::Approve { operator, proposal }) => {
                submit(&operator, &Operation::Approve(OnProposal { proposal }), catalogue)
            }
            Some(Command::Withdraw { operator, proposal }) => {
                submit(&operator, &Operation::Withdraw(OnProposal { proposal }), catalogue)
            }
            Some(Command::Accuse { operator, file }) => {
                submit(&operator, &Operation::Evidence(operate::evidence(&file)?), catalogue)
            }
            Some(Command::Evidence { act: EvidenceAct::Verify, file, trust }) => convict(&file, &trust, catalogue),
            Some(Command::Trust { act: TrustAct::Advance, trust, nodes, ca, handed_over }) => {
                advance(&trust, &nodes, ca, handed_over, catalogue)
            }
            Some(Command::At { time, trust, node, ca, out }) => {
                let moment = runtime()?.block_on(operate::moment(&time, &trust, &node, ca, &out))?;
                println!("{}", told_moment(&moment, &out, catalogue));
                Ok(())
            }
            Some(Command::Snapshot { config, to }) => keeping::write(&config, &to, catalogue),
            Some(Command::StartFrom { config, from, trust }) => {
                keeping::start(&config, &from, trust.as_deref(), catalogue)
            }
            Some(Command::Prune { config, keep }) => keeping::drop_history(&config, keep, catalogue),
            Some(Command::Status { operator }) => status(&operator, catalogue),
            Some(Command::Accredit { operator, wanted }) => {
                submit(&operator, &wanted.operation(SystemClock.now())?, catalogue)
            }
            Some(Command::EndAccreditation { operator, subject, accreditation }) => {
                submit(&operator, &operate::end(&subject, accreditation)?, catalogue)
            }
            Some(Command::Init { dir, chain, operator, members, listening, consortium }) => {
                let founders = members.iter().map(|member| read_founder(member)).collect::<Result<_>>()?;
                let Founded { url, peer, config, others } = consortium.found(&operator, listening.config())?;
                let (directory, label) = (std::path::absolute(&dir)?, None);
                found(
                    &InitOptions { directory, chain, operator, label, url, founders, config, peer, others },
                    catalogue,
                )
            }
        }
    }
}

fn found(options: &InitOptions, catalogue: &messages::Catalogue) -> Result<()> {
    let done = init(options, SystemClock.now_millis(), &mut chance::system_rng()?)?;
    let shown = |path: &std::path::Path| path.display().to_string();
    let values = [
        ("origin", done.origin.as_str().into()),
        ("operator", done.operator.as_str().into()),
        ("trust_root", shown(&done.trust_root).into()),
        ("config", shown(&done.config).into()),
        ("recovery", shown(&done.operator_key.with_file_name("recovery.jwk")).into()),
    ];
    println!("{}", catalogue.text("ledger-founded", &values));
    for config in &done.others {
        println!("{}", catalogue.text("ledger-founded-other", &[("config", shown(config).into())]));
    }
    if !done.others.is_empty() && options.config.peers.is_empty() {
        println!("{}", catalogue.text("ledger-founded-strangers", &[]));
    }
    Ok(())
}

fn run(path: &std::path::Path, catalogue: &messages::Catalogue) -> Result<()> {
    telemetry::start("info,actix_server=warn");
    let config: Config = config::load(path)?;
    let keys = config.log_key.parent().unwrap_or(&config.log_key);
    if let Some(warning) = config.key_guard()?.warning(keys, catalogue) {
        eprintln!("{warning}");
    }
    runtime()?.block_on(async {
        let (_lock, store) = open_store(&config)?;
        let running = start(&config, Ports { store, clock: Arc::new(SystemClock) }).await?;
        eprintln!("{}", catalogue.text("ledger-running", &[("url", running.url.as_str().into())]));
        stop::asked_to_stop().await;
        eprintln!("{}", catalogue.text("ledger-stopping", &[]));
        running.stop().await;
        Ok(())
    })
}

fn protect(path: &std::path::Path, catalogue: &messages::Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let (guard, mut rng) = (config.key_guard()?, chance::system_rng()?);
    let keys = [&config.log_key, &config.witness_key, &config.consensus_key, &config.transport_key, &config.relay_key];
    let directories: BTreeSet<_> = keys.into_iter().filter_map(|key| key.parent()).collect();
    let mut count = 0_usize;
    for directory in directories.into_iter().filter(|directory| !directory.as_os_str().is_empty()) {
        count = count.saturating_add(founding::protect(directory, &guard, &mut rng)?);
    }
    eprintln!("{}", catalogue.text("keys-protected", &[("count", count.to_string().into())]));
    Ok(())
}

fn migrate(arguments: &MigrateArguments, catalogue: &messages::Catalogue) -> Result<()> {
    let config: Config = config::load(&arguments.config)?;
    println!("{}", runtime()?.block_on(migration::run(&data_place(&config), arguments, catalogue))?);
    Ok(())
}

fn check(path: &std::path::Path, catalogue: &messages::Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let chain = read_chain(&config.genesis)?;
    let runtime = runtime()?;
    let (_lock, store) = runtime.block_on(async { open_store(&config) })?;
    let report = fsck(store, &chain, runtime.handle().clone())?;
    let count = |number: u64| number.to_string();
    let values = [
        ("height", count(report.head.height).into()),
        ("entries", count(report.entries).into()),
        ("items", count(report.state_items).into()),
        ("root", report.head.root.to_base64().into()),
    ];
    println!("{}", catalogue.text("ledger-sound", &values));
    Ok(())
}

fn submit(operator: &Operator, operation: &Operation, catalogue: &messages::Catalogue) -> Result<()> {
    let index = runtime()?.block_on(operate::submit(operator, operation, SystemClock.now()))?;
    println!("{}", catalogue.text("ledger-certified", &[("index", index.to_string().into())]));
    Ok(())
}

/// Says it, and what it means: a halted ledger answers like any other.
fn status(operator: &Operator, catalogue: &messages::Catalogue) -> Result<()> {
    let (size, at) = runtime()?.block_on(operate::head(operator))?;
    let age = SystemClock.now().since(at).max(0);
    let id = if age > HALTED_AFTER { "ledger-status-old" } else { "ledger-status" };
    let values = [("size", size.to_string().into()), ("age", age.to_string().into())];
    println!("{}", catalogue.text(id, &values));
    Ok(())
}

/// Needs no node and no network: the file and the trust root say everything.
fn convict(file: &std::path::Path, trust: &std::path::Path, catalogue: &messages::Catalogue) -> Result<()> {
    let split = operate::evidence(file)?.verify(&load_trust_root(trust)?)?;
    let culprits = split.culprits.join(", ");
    let values = [("culprits", culprits.into()), ("size", split.size.to_string().into())];
    println!("{}", catalogue.text("ledger-convicted", &values));
    Ok(())
}

/// What the ledger's clock showed, and where the proof of it is.
fn told_moment(moment: &PastMoment, out: &std::path::Path, catalogue: &messages::Catalogue) -> String {
    let shown = |millis: u64| calendar::utc(i64::try_from(millis / 1000).unwrap_or(i64::MAX));
    let id = if moment.is_closed() { "ledger-at" } else { "ledger-at-open" };
    let values = [
        ("time", shown(moment.time()).into()),
        ("index", moment.index().to_string().into()),
        ("sealed", shown(moment.sealed()).into()),
        ("next", moment.next().map(shown).unwrap_or_default().into()),
        ("file", out.display().to_string().into()),
    ];
    catalogue.text(id, &values)
}

fn advance(
    trust: &std::path::Path,
    nodes: &[String],
    ca: Option<PathBuf>,
    handed_over: bool,
    catalogue: &messages::Catalogue,
) -> Result<()> {
    let fetch = operate::fetcher(nodes, ca)?;
    let now = SystemClock.now();
    let age = runtime()?.block_on(trust_walk::advance(Arc::new(fetch), nodes, trust, now, handed_over))?;
    let values = [
        ("policy", age.policy.to_base64url().into()),
        ("size", age.size.to_string().into()),
        ("seconds", now.since(age.as_of).to_string().into()),
    ];
    println!("{}", catalogue.text("ledger-advanced", &values));
    Ok(())
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?)
}

pub(crate) fn read_chain(genesis: &std::path::Path) -> Result<Chain> {
    let file = std::fs::read(genesis).with_context(|| format!("{} cannot be read", genesis.display()))?;
    Ok(Chain::new(file)?)
}

fn read_founder(member: &str) -> Result<Founder> {
    let (name, file) = member.split_once('=').with_context(|| format!("--member wants NAME=FILE, not `{member}`"))?;
    let create = std::fs::read_to_string(file).with_context(|| format!("{file} cannot be read"))?;
    Ok(Founder { name: name.to_owned(), create })
}

#[cfg(test)]
mod tests {
    use identity_core::problem::Lang;

    use super::*;

    #[test]
    fn help_is_whole_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            assert_eq!(help::untold(Arguments::command(), lang, &text_id), Vec::<String>::new());
        }
    }
}
