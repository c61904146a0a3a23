//! The command line.

use std::path::PathBuf;
use std::sync::Arc;

use crate::operate::{self, Operator, Wanted};
use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use identity_core::registry::Operation;
use ledger_node::fsck::fsck;
use ledger_node::{Chain, Config, Founder, InitOptions, Ports, init, open_store, start};
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::{chance, config, messages, stop, telemetry};

/// Runs a node of a Xinfu ledger: orders transactions, executes them, certifies and serves the log.
#[derive(Parser)]
#[command(name = "xinfu-ledger", version)]
pub(crate) struct Cli {
    /// Print a commented configuration file with all keys and their defaults, and stop.
    #[arg(long)]
    print_config: bool,
    /// Language of messages: en or zh. Default: by LANG.
    #[arg(long, global = true, value_name = "LANG")]
    lang: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Found a chain: keys, genesis file, trust root and configuration in a new directory.
    Init {
        /// Directory to make.
        #[arg(long)]
        dir: PathBuf,
        /// Name of the chain: lower-case letters, digits and hyphens.
        #[arg(long)]
        chain: String,
        /// Name of the department that operates the node; it becomes the genesis authority.
        #[arg(long)]
        operator: String,
        /// Another founding member: its name and the file of its own create JWS. Repeat for each.
        #[arg(long = "member", value_name = "NAME=FILE")]
        members: Vec<String>,
        /// Public https address of the node, put into the operator's DID document.
        #[arg(long)]
        url: Option<String>,
        /// Address and port to listen on.
        #[arg(long, default_value = "127.0.0.1:9440")]
        listen: String,
        /// Certificate chain (PEM).
        #[arg(long, requires = "key")]
        certificate: Option<PathBuf>,
        /// Private key of the certificate (PEM).
        #[arg(long, requires = "certificate")]
        key: Option<PathBuf>,
    },
    /// Run the node until it is told to stop.
    Run {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Check all data of a node that is not running, and name the first thing that is wrong.
    Fsck {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// As the operator: accredit a member on the running chain.
    Accredit {
        #[command(flatten)]
        operator: Operator,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// As the operator: end an accreditation before its time.
    EndAccreditation {
        #[command(flatten)]
        operator: Operator,
        /// DID of the member.
        #[arg(long)]
        subject: String,
        /// Number of the accreditation: the log index that `accredit` printed.
        #[arg(long)]
        accreditation: u64,
    },
    /// Print the trust root (a C2SP tlog-policy file) that follows from a genesis file.
    TrustRoot {
        /// Genesis file.
        #[arg(long)]
        genesis: PathBuf,
    },
}

impl Cli {
    pub(crate) fn run(self) -> Result<()> {
        if self.print_config {
            print!("{}", config::print::<Config>());
            return Ok(());
        }
        let catalogue = messages::Catalogue::new(messages::language(self.lang.as_deref()));
        match self.command {
            None => bail!("say what to do, for instance init or run; --help explains every command"),
            Some(Command::Run { config }) => run(&config, &catalogue),
            Some(Command::Fsck { config }) => check(&config, &catalogue),
            Some(Command::TrustRoot { genesis }) => {
                print!("{}", read_chain(&genesis)?.policy());
                Ok(())
            }
            Some(Command::Accredit { operator, wanted }) => {
                submit(&operator, &wanted.operation(SystemClock.now())?, &catalogue)
            }
            Some(Command::EndAccreditation { operator, subject, accreditation }) => {
                submit(&operator, &operate::end(&subject, accreditation)?, &catalogue)
            }
            Some(Command::Init { dir, chain, operator, members, url, listen, certificate, key }) => {
                let founders = members.iter().map(|member| read_founder(member)).collect::<Result<_>>()?;
                let mut config = Config::default();
                config.http.listen = listen;
                config.http.plain = certificate.is_none();
                config.http.certificate = certificate.unwrap_or_default();
                config.http.key = key.unwrap_or_default();
                found(InitOptions { directory: dir, chain, operator, label: None, url, founders, config }, &catalogue)
            }
        }
    }
}

fn found(options: InitOptions, catalogue: &messages::Catalogue) -> Result<()> {
    let directory = std::path::absolute(&options.directory)?;
    let options = InitOptions { directory, ..options };
    let done = init(&options, SystemClock.now_millis(), &mut chance::system_rng()?)?;
    let shown = |path: &std::path::Path| path.display().to_string();
    let values = [
        ("origin", done.origin.as_str().into()),
        ("operator", done.operator.as_str().into()),
        ("trust_root", shown(&done.trust_root).into()),
        ("config", shown(&done.config).into()),
        ("recovery", shown(&options.directory.join("keys/recovery.jwk")).into()),
    ];
    println!("{}", catalogue.text("ledger-founded", &values));
    Ok(())
}

fn run(path: &std::path::Path, catalogue: &messages::Catalogue) -> Result<()> {
    telemetry::start("info,actix_server=warn");
    let config: Config = config::load(path)?;
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

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?)
}

fn read_chain(genesis: &std::path::Path) -> Result<Chain> {
    let file = std::fs::read(genesis).with_context(|| format!("{} cannot be read", genesis.display()))?;
    Ok(Chain::new(file)?)
}

fn read_founder(member: &str) -> Result<Founder> {
    let (name, file) = member.split_once('=').with_context(|| format!("--member wants NAME=FILE, not `{member}`"))?;
    let create = std::fs::read_to_string(file).with_context(|| format!("{file} cannot be read"))?;
    Ok(Founder { name: name.to_owned(), create })
}
