//! The load: members who anchor all the time, each transaction at one node after another until it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::registry::{Anchor, AnchorKind, Envelope, Operation, make_transaction};
use ledger::sha256;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use service_kit::clock::{Clock, SystemClock};
use service_kit::founding::SUBMITTING;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;
use service_kit::ledger_client::{LedgerClient, LedgerError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::World;
use super::acknowledged::Acknowledged;
use crate::world::layout::{DEPARTMENTS, Member};

/// Seconds for which a transaction is acceptable: longer than any node stays away.
const LIFETIME: i64 = 300;
/// Pause between two transactions of one sender: together some ten every second, which the checks can follow.
const PAUSE: Duration = Duration::from_millis(50);
/// Pause after an attempt that failed, so that a node that is away is not hammered.
const BREATH: Duration = Duration::from_millis(100);

/// A member that submits.
pub(super) struct Sender {
    did: Did,
    key: SecretKey,
    nodes: Vec<LedgerClient>,
    acknowledged: Arc<Acknowledged>,
    rng: StdRng,
    /// The last sequence number used; none while the ledger has to be asked.
    sequence: Option<u64>,
}

/// What became of a transaction at one node.
enum Attempt {
    Acknowledged(u64),
    Refused,
    Unanswered,
}

/// The departments send on; the housing fund is the probe (see [`super::check::progress`]).
pub(super) fn senders(world: &World, acknowledged: &Arc<Acknowledged>, rng: &mut StdRng) -> Result<Vec<Sender>> {
    let departments = DEPARTMENTS.iter().zip(&world.founded.departments);
    departments.map(|(department, did)| Sender::load(world, &department.member, did, acknowledged, rng)).collect()
}

/// Starts the senders; each ends by itself once told to stop.
pub(super) fn start(senders: Vec<Sender>, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    senders.into_iter().map(|sender| tokio::spawn(sender.send_on(stopped.clone()))).collect()
}

impl Sender {
    pub(super) fn load(
        world: &World,
        member: &Member,
        did: &Did,
        acknowledged: &Arc<Acknowledged>,
        rng: &mut StdRng,
    ) -> Result<Self> {
        Ok(Self {
            did: did.clone(),
            key: keyfile::load(&world.layout.keys(member).join(format!("{SUBMITTING}.jwk")), &KeyGuard::plain())?,
            nodes: world.clients.iter().map(|(_, client)| client.clone()).collect(),
            acknowledged: Arc::clone(acknowledged),
            rng: StdRng::seed_from_u64(rng.random()),
            sequence: None,
        })
    }

    async fn send_on(mut self, stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            // Without a sequence number there is nothing to send yet: no node answered.
            if self.send_one(&stopped).await.is_err() {
                tokio::time::sleep(BREATH).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Brings one fresh transaction onto the ledger, unless it is refused or we are told to stop.
    async fn send_one(&mut self, stopped: &watch::Receiver<bool>) -> Result<()> {
        let transaction = self.next_transaction().await?;
        while !*stopped.borrow() {
            match self.attempt(&transaction).await {
                Attempt::Acknowledged(index) => {
                    self.acknowledged.note(index, transaction);
                    return Ok(());
                }
                Attempt::Refused => {
                    self.acknowledged.refused();
                    self.sequence = None;
                    return Ok(());
                }
                Attempt::Unanswered => {
                    self.acknowledged.unanswered();
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        Ok(())
    }

    /// A fresh anchor under the next sequence number.
    pub(super) async fn next_transaction(&mut self) -> Result<String> {
        let node = self.any_node()?;
        let sequence = match self.sequence {
            Some(last) => last.saturating_add(1),
            None => node.next_sequence(&format!("{}#{SUBMITTING}", self.did)).await?,
        };
        let mut digest = [0; 32];
        self.rng.fill_bytes(&mut digest);
        let operation = Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(&digest), 1));
        let exp = Clock::now(&SystemClock).plus(LIFETIME).0;
        let envelope = Envelope { aud: node.trust_root().origin().to_owned(), seq: sequence, exp };
        let transaction = make_transaction(&envelope, &operation, &self.did, SUBMITTING, &self.key)?;
        self.sequence = Some(sequence);
        Ok(transaction)
    }

    /// Half of the submitters are content with the place, which is acknowledged before it is certified.
    async fn attempt(&mut self, transaction: &str) -> Attempt {
        let waits = self.rng.random_ratio(1, 2);
        let Ok(node) = self.any_node() else { return Attempt::Unanswered };
        let answer = if waits {
            node.submit_and_wait(transaction).await.map(|certified| certified.index)
        } else {
            node.submit(transaction).await.map(|accepted| accepted.index)
        };
        match answer {
            Ok(index) => Attempt::Acknowledged(index),
            Err(error) if is_refused(&error) => {
                tracing::debug!(%error, "refused");
                Attempt::Refused
            }
            Err(error) => {
                tracing::debug!(%error, "not acknowledged");
                Attempt::Unanswered
            }
        }
    }

    fn any_node(&mut self) -> Result<LedgerClient> {
        let place = self.rng.random_range(0..self.nodes.len().max(1));
        self.nodes.get(place).cloned().context("there is no node")
    }
}

/// Refused by the rules, not by a node that is busy, away or behind.
fn is_refused(error: &LedgerError) -> bool {
    error.refusal().is_some_and(|code| code.starts_with("registry."))
}
