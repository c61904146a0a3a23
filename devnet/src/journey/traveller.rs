//! Who makes the journey: the citizen with a wallet, the officials at their counters, and what they know.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use identity_core::registry::did_key;
use identity_core::trust::known_until;
use ledger::TrustRoot;
use service_kit::chance::SystemChance;
use service_kit::clock::{Clock, SystemClock};
use service_kit::fetch::{Fetch, Fetcher};
use service_kit::ledger_client::{LedgerClient, load_trust_root};
use service_kit::messages::{Catalogue, Lang};
use service_kit::private_file;
use tokio::process::Command;
use wallet_cli::holdings::Setup;
use wallet_cli::ui::Ui;
use wallet_cli::vault::{KdfCost, Passphrase};
use wallet_cli::{Ports, Wallet};

use super::patience::until;
use super::runner::{Actor, Seen};
use super::{
    Step, evidence, failure, issue, keys, leaks, official, open, present, receipt, revoke, time_travel, withdraw,
};
use crate::world::admin::AdminApi;
use crate::world::found::{self, Founded};
use crate::world::layout::{HOUSING_FUND, LEADER, Layout, Member};
use crate::world::services::Services;

/// Time for a ledger node that has just been started to reach the others' head.
const NODES_PATIENCE: Duration = Duration::from_secs(60);

/// Everything that the steps act with.
pub struct Traveller {
    /// Where everything lies.
    pub layout: Layout,
    /// Who is who.
    pub founded: Founded,
    /// The services, some of which one step switches off.
    pub services: Services,
    /// How requests travel.
    pub fetch: Arc<dyn Fetch>,
    /// The ledger.
    pub ledger: LedgerClient,
    /// How many subjects each department's table has.
    pub subjects: usize,
    /// Language of what is said.
    pub lang: Lang,
    /// The question that the citizen read in the step that shares, line by line.
    pub screen: Vec<String>,
}

impl Traveller {
    /// Gets ready for a journey through the world of `layout`.
    ///
    /// # Errors
    /// Files of the world that cannot be read.
    pub fn new(layout: Layout, founded: Founded, services: Services, subjects: usize, lang: Lang) -> Result<Self> {
        let fetch: Arc<dyn Fetch> = Arc::new(Fetcher::new(&found::fetch(&layout))?);
        let trust_root = load_trust_root(&layout.trust_root())?;
        let ledger = LedgerClient::new(Arc::clone(&fetch), &layout.url(&LEADER), trust_root);
        Ok(Self { layout, founded, services, fetch, ledger, subjects, lang, screen: Vec::new() })
    }

    /// The admin API of a member's service.
    ///
    /// # Errors
    /// A token file that cannot be read.
    pub fn admin(&self, member: &Member) -> Result<AdminApi> {
        AdminApi::open(Arc::clone(&self.fetch), &self.layout.url(member), &self.layout.admin_token(member))
    }

    /// The counter of the housing fund.
    ///
    /// # Errors
    /// A token file that cannot be read.
    pub fn housing_fund(&self) -> Result<AdminApi> {
        self.admin(&HOUSING_FUND)
    }

    /// Opens the wallet, made at the first time. It is locked while open, so nobody keeps it for long.
    ///
    /// # Errors
    /// The wallet's refusal.
    pub fn wallet(&self) -> Result<Wallet> {
        self.wallet_over(None)
    }

    /// The same over another way of fetching: one that tampers.
    ///
    /// # Errors
    /// The wallet's refusal.
    pub fn wallet_over(&self, fetch: Option<Arc<dyn Fetch>>) -> Result<Wallet> {
        let passphrase = read_passphrase(&self.layout.passphrase())?;
        let ports = Ports { fetch, clock: Arc::new(SystemClock), chance: Arc::new(SystemChance::new()?) };
        let vault = self.layout.vault();
        if vault.exists() {
            return Ok(Wallet::open(&vault, &passphrase, ports)?);
        }
        Ok(Wallet::init(&vault, &passphrase, KdfCost::DEFAULT, wallet_setup(&self.layout)?, ports)?)
    }

    /// Waits until every ledger node proves what the leader's proves by now. Services and wallet ask different ones, of which
    /// one that has just been started is behind for a moment and would deny what was brought to another. Asked for a state:
    /// the checkpoint that a node shows by itself is up to a second older.
    ///
    /// # Errors
    /// A node that stays behind.
    pub async fn everywhere(&self) -> Result<()> {
        let key = did_key(self.founded.leader.did());
        let (now, _) = self.ledger.state(&key).await?;
        for member in self.layout.validators() {
            let trust_root = TrustRoot::clone(&self.ledger.trust_root());
            let node = LedgerClient::new(Arc::clone(&self.fetch), &self.layout.url(member), trust_root);
            let shown = until(NODES_PATIENCE, async || {
                let there = node.state(&key).await;
                Ok(there.is_ok_and(|(there, _)| known_until(&there) >= known_until(&now)).then_some(()))
            });
            shown.await?.with_context(|| format!("the ledger node of {} stays behind", member.id))?;
        }
        Ok(())
    }

    /// How the wallet would speak.
    #[must_use]
    pub fn ui(&self) -> Ui {
        Ui::new(self.lang, true)
    }

    /// What a step has seen, in the language of the run.
    #[must_use]
    pub fn say(&self, id: &str, values: &[(&str, String)]) -> String {
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        Catalogue::new(self.lang).text(id, &values)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub fn now(&self) -> identity_core::time::UnixSeconds {
        SystemClock.now()
    }
}

impl Actor for Traveller {
    async fn act(&mut self, step: Step) -> Seen {
        let seen = match step {
            Step::Genesis => open::genesis(self).await,
            Step::Accredit => open::accredit(self).await,
            Step::Delegate => open::delegate(self).await,
            Step::Import => open::import(self).await,
            Step::IssueResident => issue::resident(self).await,
            Step::IssueLicence => issue::licence(self).await,
            Step::IssueOthers => issue::others(self).await,
            Step::Anchor => issue::anchor(self).await,
            Step::Present => present::three_claims(self).await,
            Step::PurposeShown => receipt::purpose_shown(self).await,
            Step::Receipt => receipt::held(self).await,
            Step::ReceiptAnchored => receipt::anchored(self).await,
            Step::GapDetected => receipt::gap_detected(self).await,
            Step::NothingLeaked => leaks::nothing(self).await,
            Step::Evidence => evidence::checked(self).await,
            Step::VerifyOffline => present::offline(self).await,
            Step::OfficialSigns => official::signs(self).await,
            Step::UnaccreditedAskerRefused => present::too_much(self).await,
            Step::OverAskingRefused => present::beyond_duty(self).await,
            Step::TamperRefused => present::tampered(self).await,
            Step::Withdraw => withdraw::taken_back(self).await,
            Step::RotateKey => keys::rotate(self).await,
            Step::ReportStolenKey => keys::report(self).await,
            Step::TimeTravel => time_travel::looked_back(self).await,
            Step::Revoke => revoke::revoke(self).await,
            Step::RevokedRefused => revoke::refused(self).await,
        };
        seen.map_err(|error| failure::told(error, self.lang))
    }
}

/// What a wallet of this world is set up with.
pub(crate) fn wallet_setup(layout: &Layout) -> Result<Setup> {
    let network = found::fetch(layout);
    Ok(Setup {
        ledger: layout.url(&LEADER),
        trust_root: std::fs::read_to_string(layout.trust_root())?,
        trust_age: None,
        ca: network.ca.display().to_string(),
        client_ca: std::fs::read_to_string(layout.ca())?,
        allow_private: network.allow_private,
        plain: network.allow_plain,
    })
}

/// A command of a wallet as a process of its own, of this `program`; what it does is still to be said. It answers a script.
pub(crate) fn wallet_command(program: &Path, vault: &Path, passphrase: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["wallet", "--", "--vault"]).arg(vault).arg("--passphrase-file").arg(passphrase);
    command.args(["--json", "--lang", "en"]);
    command
}

/// The passphrase of the sample wallets.
pub(crate) fn read_passphrase(path: &Path) -> Result<Passphrase> {
    let text = private_file::read(path)?;
    let text = std::str::from_utf8(&text).context("the passphrase file is not text")?.trim();
    if text.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(Passphrase::new(text.to_owned()))
}
