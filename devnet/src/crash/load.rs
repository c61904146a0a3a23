//! The load: officials and citizens who go on with their business while processes die.
//!
//! Each act is tried again and again with fresh things; only what was acknowledged is noted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::noted::{Noted, NotedCredential};
use super::wallet::WalletProcess;
use super::{UNDER_LOAD, World};
use crate::world::admin::Manner;
use crate::world::layout::HOUSING_FUND;
use crate::world::query::LOAN;

/// Seconds for which an offer holds: longer than the longest run.
const OFFER_SECONDS: u32 = 86_400;
/// Pause after an act that failed, so that a dead service is not hammered.
const BREATH: Duration = Duration::from_millis(50);
/// Pause between two acts of a counter: an official's, not a machine's.
const COUNTER_PAUSE: Duration = Duration::from_millis(200);

/// One actor.
struct Actor {
    world: Arc<World>,
    noted: Arc<Noted>,
    stopped: watch::Receiver<bool>,
    /// Counts its acts, to choose subjects and names by.
    turn: usize,
}

/// Starts the actors; each ends by itself once told to stop.
pub(super) fn start(
    world: &Arc<World>,
    wallets: &[Arc<WalletProcess>],
    noted: &Arc<Noted>,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let actor = || Actor { world: Arc::clone(world), noted: Arc::clone(noted), stopped: stopped.clone(), turn: 0 };
    let mut acts = vec![tokio::spawn(actor().keep_ledger()), tokio::spawn(actor().keep_counter())];
    for wallet in wallets {
        acts.push(tokio::spawn(actor().live(Arc::clone(wallet))));
    }
    acts
}

impl Actor {
    fn goes_on(&self) -> bool {
        !*self.stopped.borrow()
    }

    async fn settle<T>(&mut self, act: Result<T>) {
        self.turn = self.turn.saturating_add(1);
        if let Err(error) = act {
            self.noted.things().unanswered += 1;
            tracing::debug!(error = format!("{error:#}"), "not acknowledged");
            tokio::time::sleep(BREATH).await;
        }
    }

    /// A citizen: receives, and shows what was received.
    async fn live(mut self, wallet: Arc<WalletProcess>) {
        while self.goes_on() {
            let received = self.receive(&wallet).await;
            self.settle(received).await;
            if wallet.place == 0 {
                let shown = self.show(&wallet).await;
                self.settle(shown).await;
            } else {
                let revoked = self.revoke(wallet.place).await;
                self.settle(revoked).await;
            }
        }
    }

    /// The leader: one entry after another.
    async fn keep_ledger(mut self) {
        while self.goes_on() {
            let certified = self.register().await;
            self.settle(certified).await;
        }
    }

    /// The counters: offers that nobody takes up until the end.
    async fn keep_counter(mut self) {
        while self.goes_on() {
            let offered = self.offer(self.turn % UNDER_LOAD.len()).await;
            self.settle(offered).await;
            tokio::time::sleep(COUNTER_PAUSE).await;
        }
    }

    /// An offer by a department to its next subject. Answers its place among the noted, link and code.
    async fn offer(&self, department: usize) -> Result<(usize, String, Option<String>)> {
        let issuer = UNDER_LOAD.get(department).context("no such department")?;
        let counter = self.world.admin(&issuer.member)?;
        let subjects = counter.subjects(issuer.main.configuration).await?;
        let subject = subjects.get(self.turn % subjects.len().max(1)).context("no subjects")?;
        let offer = counter.offer(subject, issuer.main.configuration, OFFER_SECONDS).await?;
        let place = self.noted.offer(department, subject, &offer);
        Ok((place, offer.offer_uri, offer.tx_code))
    }

    async fn receive(&self, wallet: &WalletProcess) -> Result<()> {
        let (place, link, code) = self.offer(wallet.place).await?;
        self.noted.tried(place);
        let answer = receive(wallet, &link, code.as_deref()).await?;
        self.noted.received(place, answer);
        Ok(())
    }

    async fn show(&self, wallet: &WalletProcess) -> Result<()> {
        let asked = self.world.admin(&HOUSING_FUND)?.ask(json!(LOAN), Manner::PLAIN).await?;
        wallet.run(&["present", &asked.request_uri_link, "--yes"]).await?;
        self.noted.things().verified.push(asked.id);
        Ok(())
    }

    /// Revokes the newest credential of a subject of `department` that was just served.
    async fn revoke(&self, department: usize) -> Result<()> {
        let issuer = UNDER_LOAD.get(department).context("no such department")?;
        let served = self
            .noted
            .things()
            .offers
            .iter()
            .rev()
            .find(|offer| offer.department == department && offer.received)
            .cloned();
        let Some(served) = served else { return Ok(()) };
        let counter = self.world.admin(&issuer.member)?;
        let credentials = counter.credentials(&served.subject).await?;
        let valid = credentials.iter().find(|credential| credential.state == "valid");
        if let Some(credential) = valid {
            counter.revoke(&credential.id, None).await?;
            self.noted.things().revoked.push((department, served.subject, credential.id.clone()));
        }
        Ok(())
    }

    async fn register(&self) -> Result<()> {
        let World { founded, ledger, .. } = &*self.world;
        // A name of its own for each run, so that a world that is used again has no such entry yet.
        let vct = format!("urn:xinfu:crash:{}:{}", std::process::id(), self.turn);
        let now = service_kit::clock::Clock::now(&service_kit::clock::SystemClock);
        founded.leader.register_schema(ledger, &vct, vct.as_bytes(), now).await?;
        self.noted.things().schemas.push(vct);
        Ok(())
    }
}

/// Receives one credential with a wallet's process. Answers what the wallet acknowledged.
pub(super) async fn receive(wallet: &WalletProcess, link: &str, code: Option<&str>) -> Result<NotedCredential> {
    let mut command = vec!["receive", link];
    command.extend(code.iter().flat_map(|code| ["--tx-code", code]));
    let answer = wallet.run(&command).await?;
    let credential = answer.get("credentials").and_then(|list| list.get(0)).context("no credential came")?;
    let number = credential.get("number").and_then(Value::as_u64).context("it has no number")?;
    let vct = credential.get("vct").and_then(Value::as_str).context("it has no type")?;
    Ok(NotedCredential { wallet: wallet.place, number, vct: vct.to_owned() })
}
