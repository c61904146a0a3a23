//! Taking part in a chain that exists, and changing the keys with which a node does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use ledger_node::{Chain, Config, JoinOptions, Joined, OtherValidator, join, prepare};
use service_kit::fetch::FetchConfig;
use service_kit::ledger_client::LedgerClient;
use service_kit::messages::Catalogue;
use service_kit::{chance, config};

use crate::listening::Listening;
use crate::operate;

/// Flags of `join`.
#[derive(Args)]
pub(crate) struct Joining {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    genesis: PathBuf,
    #[arg(long)]
    name: String,
    #[arg(long)]
    operator: String,
    #[arg(long, value_name = "HOST:PORT")]
    peer: Option<String>,
    #[arg(long = "node", value_name = "URL", required = true)]
    nodes: Vec<String>,
    #[arg(long)]
    ca: Option<PathBuf>,
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    listening: Listening,
}

impl Joining {
    /// Makes the node, and has the first of the members' nodes carry the department's DID to the ledger.
    pub(crate) fn run(self, catalogue: &Catalogue) -> Result<()> {
        let genesis =
            std::fs::read(&self.genesis).with_context(|| format!("{} cannot be read", self.genesis.display()))?;
        let trust_root = Chain::new(genesis.clone())?.trust_root().clone();
        let client = operate::fetcher(&self.nodes, self.ca.clone())?;
        let first = self.nodes.first().context("name a member's node with --node")?.clone();
        let made = join(&self.options(genesis)?, &mut chance::system_rng()?)?;
        let create = std::fs::read_to_string(&made.create)?;
        let client = LedgerClient::new(Arc::new(client), &first, trust_root);
        let relayed = crate::cli::runtime()?.block_on(client.relay(create.trim()));
        println!("{}", told(&made, catalogue));
        relayed.map(drop).with_context(|| format!("{first} did not take {}", made.create.display()))
    }

    fn options(self, genesis: Vec<u8>) -> Result<JoinOptions> {
        let mut config = self.listening.config();
        config.fetch = FetchConfig {
            ca: self.ca.map(std::path::absolute).transpose()?.unwrap_or_default(),
            allow_private: self.nodes.iter().map(|url| operate::host(url)).collect(),
            allow_plain: self.nodes.iter().any(|url| url.starts_with("http://")),
            ..FetchConfig::default()
        };
        config.peers = self.nodes;
        let department = OtherValidator {
            operator: self.operator,
            label: None,
            url: self.url,
            peer: self.peer.unwrap_or_default(),
            config,
        };
        Ok(JoinOptions { directory: std::path::absolute(self.dir)?, genesis, name: self.name, department })
    }
}

fn told(made: &Joined, catalogue: &Catalogue) -> String {
    let values = [
        ("did", made.did.as_str().into()),
        ("create", shown(&made.create).into()),
        ("validator", shown(&made.validator).into()),
        ("config", shown(&made.config).into()),
    ];
    catalogue.text("ledger-joined", &values)
}

/// Makes the keys for a later set.
pub(crate) fn prepare_keys(configured: &Path, peer: Option<String>, catalogue: &Catalogue) -> Result<()> {
    let config: Config = config::load(configured)?;
    let validator = prepare(configured, &config, peer, &mut chance::system_rng()?)?;
    println!("{}", catalogue.text("ledger-prepared", &[("validator", shown(&validator).into())]));
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
