//! Kills one process after another, and starts again what it killed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::wallet::WalletProcess;
use crate::world::layout::{HOUSING_FUND, LEADER, MARKET_REGULATION, PUBLIC_SECURITY};
use crate::world::services::Services;

/// The longest pause before a kill, in milliseconds: a few blocks, anchors and presentations.
const MAX_PAUSE_MS: u64 = 600;
/// The longest life of a wallet's process that is to be killed: about what a command takes on a slow machine.
const MAX_WALLET_MS: u64 = 300;
/// The longest time a service is given before it is killed while it starts.
const MAX_START_MS: u64 = 120;
/// One kill in so many is followed by another during the start, so that recovery is interrupted too.
const KILL_STARTING_ONCE_IN: u32 = 4;

/// Who can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Service(&'static str),
    Wallet,
}

const VICTIMS: [Victim; 5] = [
    Victim::Service(LEADER.id),
    Victim::Service(PUBLIC_SECURITY.member.id),
    Victim::Service(MARKET_REGULATION.member.id),
    Victim::Service(HOUSING_FUND.id),
    Victim::Wallet,
];

/// The killer, with its seeded chance.
pub(super) struct Killer<'a> {
    services: &'a mut Services,
    wallets: &'a [Arc<WalletProcess>],
    rng: StdRng,
    killed: [u32; VICTIMS.len()],
}

impl<'a> Killer<'a> {
    pub(super) fn new(services: &'a mut Services, wallets: &'a [Arc<WalletProcess>], rng: StdRng) -> Self {
        Self { services, wallets, rng, killed: [0; VICTIMS.len()] }
    }

    /// One kill, and everything runs again.
    pub(super) async fn round(&mut self) -> Result<()> {
        let place = self.rng.random_range(0..VICTIMS.len());
        let pause = Duration::from_millis(self.rng.random_range(0..=MAX_PAUSE_MS));
        // The seed decides even what this round does not use, so that a round's numbers do not hang on those before.
        let wallet = self.rng.random_range(0..self.wallets.len().max(1));
        let life = Duration::from_millis(self.rng.random_range(0..=MAX_WALLET_MS));
        let starting = Duration::from_millis(self.rng.random_range(0..=MAX_START_MS));
        let twice = self.rng.random_ratio(1, KILL_STARTING_ONCE_IN);
        tokio::time::sleep(pause).await;
        match VICTIMS.get(place) {
            Some(Victim::Service(name)) => self.kill_service(name, twice.then_some(starting)).await?,
            Some(Victim::Wallet) | None => {
                if let Some(wallet) = self.wallets.get(wallet) {
                    kill_wallet(wallet, life).await;
                }
            }
        }
        if let Some(count) = self.killed.get_mut(place) {
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    async fn kill_service(&mut self, name: &str, again_after: Option<Duration>) -> Result<()> {
        self.services.kill(name).await.with_context(|| format!("{name} cannot be killed"))?;
        if let Some(after) = again_after {
            self.services.kill_while_starting(name, after).await?;
        }
        self.services.start_all().await
    }

    /// Kills by process.
    pub(super) fn killed(&self) -> Vec<(&'static str, u32)> {
        let name = |victim: &Victim| match victim {
            Victim::Service(name) => *name,
            Victim::Wallet => "wallet",
        };
        VICTIMS.iter().map(name).zip(self.killed).collect()
    }
}

/// Kills a wallet's next process. One that ends before its time is no kill: then the next one, after half the time, because
/// a fast machine may end every command within the whole.
async fn kill_wallet(wallet: &WalletProcess, life: Duration) {
    let mut left = life;
    while !wallet.kill_next(left).await {
        left /= 2;
    }
}
