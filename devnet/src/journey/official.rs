//! The step in which a person answers for a question, with the commands that such people use: the key of the duty, the duty
//! on the ledger, what is to be signed, and the signature. The citizen's receipt then names an official.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use identity_core::receipt::UnverifiedReceipt;
use identity_core::registry::DutyHolder;
use serde_json::{Value, json};
use service_kit::chance::{SystemChance, system_rng};
use service_kit::clock::SystemClock;
use service_kit::config;
use service_kit::did_life::DidLife;
use service_kit::duties::command::{self, DutiesArguments};
use service_kit::messages::Catalogue;
use wallet_cli::holdings::{Kept, Outcome};
use wallet_cli::vault::KdfCost;
use wallet_cli::{Ports, Wallet};

use super::issue::OFFER_SECONDS;
use super::present::{Yes, check_verified, wait_for_evidence};
use super::runner::Seen;
use super::traveller::{Traveller, read_passphrase, wallet_command, wallet_setup};
use crate::world::layout::{HOUSING_FUND, OFFICIAL_DUTY, PUBLIC_SECURITY, PURPOSE, SOCIAL_SECURITY};
use crate::world::query::{ASKED, COUNTER, LOAN};

/// The wallet's exit status where its holder declined ([`wallet_cli::Exit::Declined`]).
const DECLINED: i32 = 5;

/// What the duty is called.
const TITLE: [&str; 2] = ["Sample loan counter", "示例贷款窗口"];

/// Somebody at the housing fund is given a duty, reads on their terminal what they are to sign, and signs; a citizen answers,
/// and the service's receipt says that an official answers for it.
pub(super) async fn signs(traveller: &mut Traveller) -> Seen {
    wait_for_evidence(traveller).await?;
    let terminal = Terminal::of(traveller).await?;
    terminal.give_duty(traveller).await?;
    let counter = traveller.housing_fund()?;
    let handed_out = counter.ask_by(json!(LOAN), COUNTER).await?;
    let id = handed_out.get("id").and_then(Value::as_str).context("the request has no id")?;
    ensure!(handed_out.get("request_uri_link") == Some(&Value::Null), "a wallet could answer before anybody signed");
    let attestation = terminal.sign(&handed_out).await?;
    let asked = counter.attest(id, &attestation).await?;

    let mut wallet = traveller.wallet()?;
    let shared = wallet.present(&asked.request_uri_link, &[], &mut Yes).await?;
    ensure!(shared.outcome == Outcome::Accepted, "the service answered {:?}", shared.outcome);
    check_verified(&counter.outcome(id).await?)?;
    let (_, sharing, kept, _) = wallet.holdings().receipts().last().context("the service gave no receipt")?;
    let word = sharing.word.as_ref().context("the wallet was shown nobody who answers")?;
    ensure!(word.duty == COUNTER && !word.service, "the wallet was shown another duty, or a service account");
    let Kept::Holds { text, .. } = kept else { bail!("the receipt does not hold: {kept:?}") };
    let receipt = UnverifiedReceipt::parse(text)?;
    let act = &receipt.dangerous_claims().act;
    ensure!(act.holder == DutyHolder::Official && act.duty == COUNTER, "the receipt names no official");
    Ok(traveller.say("devnet-seen-official", &[("duty", COUNTER.to_owned())]))
}

/// The official's own wallet, each command of which is a process.
struct Terminal {
    program: PathBuf,
    vault: PathBuf,
    passphrase: PathBuf,
    /// Where files lie that are handed over.
    desk: PathBuf,
}

impl Terminal {
    /// With the credential of the official's duty, whose key is to hold it.
    async fn of(traveller: &Traveller) -> Result<Self> {
        let layout = &traveller.layout;
        let terminal = Self {
            program: std::env::current_exe().context("this program does not know its own file")?,
            vault: layout.root().join("official-wallet"),
            passphrase: layout.passphrase(),
            desk: layout.root().to_owned(),
        };
        let passphrase = read_passphrase(&terminal.passphrase)?;
        let ports = Ports {
            fetch: None,
            clock: std::sync::Arc::new(SystemClock),
            chance: std::sync::Arc::new(SystemChance::new()?),
        };
        let mut wallet = if terminal.vault.exists() {
            Wallet::open(&terminal.vault, &passphrase, ports)?
        } else {
            Wallet::init(&terminal.vault, &passphrase, KdfCost::FLOOR, wallet_setup(layout)?, ports)?
        };
        if wallet.holdings().credentials().next().is_none() {
            let (counter, kind) = (traveller.admin(&SOCIAL_SECURITY.member)?, OFFICIAL_DUTY.configuration);
            let subject = counter.subjects(kind).await?.pop().context("the department has no subjects")?;
            let offer = counter.offer(&subject, kind, OFFER_SECONDS).await?;
            wallet.receive(&offer.offer_uri, &mut || offer.tx_code.clone()).await?;
        }
        Ok(terminal)
    }

    /// The official hands the key over, and the department gives the duty to it.
    async fn give_duty(&self, traveller: &Traveller) -> Result<()> {
        let key = self.answer(&["duty-key", "1"]).await?;
        let file = self.desk.join("official.jwk");
        std::fs::write(&file, key.get("key").context("duty-key gives no key")?.to_string())?;
        let config: verifier::Config = config::load(&traveller.layout.config(&HOUSING_FUND))?;
        let guard = config.key_guard()?;
        let (ledger, now) = (&traveller.ledger, traveller.now());
        let life = DidLife { kind: &verifier::KIND, directory: &config.keys, guard: &guard, ledger, now };
        let messages = Catalogue::new(traveller.lang);
        command::run(&life, duty_arguments(traveller, &file)?, &messages, &mut system_rng()?).await?;
        traveller.everywhere().await
    }

    /// Nothing is signed before somebody agreed to what they were shown.
    async fn sign(&self, handed_out: &Value) -> Result<String> {
        let file = self.desk.join("to-attest.json");
        std::fs::write(&file, handed_out.to_string())?;
        let file = file.to_str().context("the path is no text")?;
        let approve = ["approve-request", file, "--credential", "1"];
        let asked = self.run(&approve).await?;
        ensure!(asked.status.code() == Some(DECLINED), "without a yes: {}", asked.status);
        let shown = String::from_utf8_lossy(&asked.stderr).into_owned();
        for expected in [TITLE[0], PURPOSE, COUNTER, HOUSING_FUND.name_en, "Goes to", "Open until"] {
            ensure!(shown.contains(expected), "the official does not read {expected}");
        }
        let signed = self.answer(&[&approve[..], &["--yes"]].concat()).await?;
        Ok(signed.get("attestation").and_then(Value::as_str).context("nothing was signed")?.to_owned())
    }

    async fn answer(&self, command: &[&str]) -> Result<Value> {
        let output = self.run(command).await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout).trim());
        serde_json::from_slice(&output.stdout).context("the wallet's answer is no JSON")
    }

    async fn run(&self, command: &[&str]) -> Result<Output> {
        let mut process = wallet_command(&self.program, &self.vault, &self.passphrase);
        let output = process.args(command).stdin(Stdio::null()).kill_on_drop(true).output().await;
        output.context("the wallet does not start")
    }
}

/// As the department's administrator types them.
fn duty_arguments(traveller: &Traveller, key: &Path) -> Result<DutiesArguments> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        duties: DutiesArguments,
    }
    let config = traveller.layout.config(&HOUSING_FUND);
    let claims = ASKED.map(|path| path.join("."));
    let mut line =
        vec!["xinfu-verifier", "give", "--duty", COUNTER, "--type", PUBLIC_SECURITY.main.vct, "--purpose", PURPOSE];
    line.extend(["--title-en", TITLE[0], "--title-zh", TITLE[1]]);
    line.extend(claims.iter().flat_map(|claim| ["--claim", claim.as_str()]));
    let files = [("--config", config.as_path()), ("--key", key)];
    let line = line.into_iter().map(Into::into);
    let files = files.into_iter().flat_map(|(option, path)| [option.into(), path.as_os_str().to_owned()]);
    Ok(Line::try_parse_from(line.chain(files).collect::<Vec<std::ffi::OsString>>())?.duties)
}
