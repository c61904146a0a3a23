//! What the operator does on its own chain from the command line: accredit members, vote, and show evidence.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use identity_core::did::{Did, DidUrl};
use identity_core::problem::Code;
use identity_core::registry::{Accredit, EndAccreditation, Envelope, Operation, Role, make_transaction, sequence_key};
use identity_core::time::UnixSeconds;
use identity_core::trust::parse_value;
use ledger::PastMoment;
use ledger::split_view::SplitEvidence;
use ledger_node::Config;
use serde::Deserialize;
use service_kit::clock::SystemClock;
use service_kit::fetch::{FetchConfig, Fetcher};
use service_kit::ledger_client::{LedgerClient, load_trust_root};
use service_kit::trust_keeper::TrustKeeper;
use service_kit::{calendar, config, keyfile, whole_file};

/// Seconds for which a transaction made here is acceptable.
const LIFETIME: i64 = 300;
/// Seconds in a day.
const DAY: i64 = 86_400;

/// Where the operator's files and its running node are.
#[derive(Args)]
pub(crate) struct Operator {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    node: Option<String>,
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// What to accredit for.
#[derive(Args)]
pub(crate) struct Wanted {
    #[arg(long)]
    subject: String,
    #[arg(long)]
    role: RoleName,
    #[arg(long = "type", value_name = "VCT", required = true)]
    types: Vec<String>,
    #[arg(long = "claim", value_name = "PATH")]
    claims: Vec<String>,
    #[arg(long = "purpose")]
    purposes: Vec<String>,
    #[arg(long, default_value_t = 365)]
    days: u16,
    #[arg(long)]
    delegable: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Issuer,
    Verifier,
}

pub(crate) fn evidence(path: &Path) -> Result<SplitEvidence> {
    let json = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(SplitEvidence::parse(&json)?)
}

#[derive(Deserialize)]
struct OperatorFile {
    invoke: String,
}

impl Wanted {
    pub(crate) fn operation(self, now: UnixSeconds) -> Result<Operation> {
        Ok(Operation::Accredit(Accredit {
            subject: parse_did(&self.subject)?,
            role: match self.role {
                RoleName::Issuer => Role::Issuer,
                RoleName::Verifier => Role::Verifier,
            },
            types: self.types,
            claims: self.claims.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect(),
            purposes: self.purposes,
            from: now.0,
            until: now.plus(i64::from(self.days).saturating_mul(DAY)).0,
            delegable: self.delegable,
        }))
    }
}

pub(crate) fn end(subject: &str, accreditation: u64) -> Result<Operation> {
    Ok(Operation::EndAccreditation(EndAccreditation { subject: parse_did(subject)?, accreditation }))
}

/// The running ledger refuses the transaction, with this code.
#[derive(Debug, thiserror::Error)]
#[error("the ledger refuses: {0}")]
pub(crate) struct LedgerRefuses(pub(crate) String);

/// Signs with the operator's key, submits, and answers with the log index once that is certified.
pub(crate) async fn submit(operator: &Operator, operation: &Operation, now: UnixSeconds) -> Result<u64> {
    let client = client(operator)?;
    let file = fs::read(operator.dir.join("operator.json")).context("operator.json cannot be read")?;
    let file: OperatorFile = serde_json::from_slice(&file).context("operator.json is malformed")?;
    let key_url = DidUrl::parse(&file.invoke).context("operator.json names no key")?;
    let config: Config = config::load(&operator.dir.join("ledger.toml"))?;
    let guard = config.key_guard()?;
    let key = keyfile::load(&operator.dir.join("keys/operator.jwk"), &guard)?;
    let (proven, _) = client.state(&sequence_key(&file.invoke)).await.context("the node cannot be asked")?;
    let last: u64 = proven.value().map(parse_value).transpose()?.unwrap_or(0);
    let aud = client.origin().to_owned();
    let envelope = Envelope { aud, seq: last.saturating_add(1), exp: now.plus(LIFETIME).0 };
    let transaction = make_transaction(&envelope, operation, key_url.did(), key_url.fragment(), &key)?;
    match client.submit_and_wait(&transaction).await {
        Ok(certified) => Ok(certified.index),
        Err(error) => match error.refusal() {
            Some(code) => bail!(LedgerRefuses(code.to_owned())),
            None => Err(error).context("the node cannot be reached"),
        },
    }
}

/// What the node answers under, proven: entries, and when they were cosigned.
pub(crate) async fn head(operator: &Operator) -> Result<(u64, UnixSeconds)> {
    let (head, _) = client(operator)?.checkpoint().await.context("the node cannot be asked")?;
    Ok((head.size(), UnixSeconds(i64::try_from(head.cosigned_at()).unwrap_or(i64::MAX))))
}

/// Which log index was the newest at a time, by a node whose proof is kept in `out`. The trust root is taken as it is: the
/// same file is to verify the proof later, offline.
pub(crate) async fn moment(
    time: &str,
    trust: &Path,
    node: &str,
    ca: Option<PathBuf>,
    out: &Path,
) -> Result<PastMoment> {
    let time = calendar::millis(time).ok_or(LedgerRefuses(Code::LedgerTimeMalformed.as_str().to_owned()))?;
    let fetcher = fetcher(std::slice::from_ref(&node.to_owned()), ca)?;
    let client = LedgerClient::new(Arc::new(fetcher), node, load_trust_root(trust)?);
    let (moment, proof) = match client.moment(time).await {
        Ok(shown) => shown,
        Err(error) => match error.refusal() {
            Some(code) => bail!(LedgerRefuses(code.to_owned())),
            None => Err(error).context("the node cannot be asked")?,
        },
    };
    let text = serde_json::to_string(&proof).context("the proof cannot be written down")?;
    whole_file::write(out, format!("{text}\n")).with_context(|| format!("{} cannot be written", out.display()))?;
    Ok(moment)
}

fn client(operator: &Operator) -> Result<LedgerClient> {
    let url = match &operator.node {
        Some(url) => url.clone(),
        None => configured_url(&operator.dir.join("ledger.toml"))?,
    };
    let fetcher = fetcher(std::slice::from_ref(&url), operator.ca.clone())?;
    let trust = TrustKeeper::of_file(operator.dir.join("trust-root"), Arc::new(SystemClock))?;
    Ok(LedgerClient::trusting(Arc::new(fetcher), &url, trust))
}

/// Members' nodes may well be on private addresses; only those that were named are allowed.
pub(crate) fn fetcher(nodes: &[String], ca: Option<PathBuf>) -> Result<Fetcher> {
    let fetch = FetchConfig {
        ca: ca.unwrap_or_default(),
        allow_private: nodes.iter().map(|url| host(url)).collect(),
        allow_plain: nodes.iter().any(|url| url.starts_with("http://")),
        ..FetchConfig::default()
    };
    Ok(Fetcher::new(&fetch)?)
}

/// Host and port of a node's address, as an allow-list names them.
pub(crate) fn host(url: &str) -> String {
    url.split("://").nth(1).unwrap_or_default().trim_end_matches('/').to_owned()
}

fn configured_url(path: &Path) -> Result<String> {
    let config: Config = config::load(path)?;
    let scheme = if config.http.plain { "http" } else { "https" };
    Ok(format!("{scheme}://{}", config.http.listen))
}

fn parse_did(text: &str) -> Result<Did> {
    Did::parse(text).with_context(|| format!("`{text}` is not a DID"))
}
