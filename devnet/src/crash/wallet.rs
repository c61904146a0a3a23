//! A wallet whose every command is a process, so that it can be killed in the middle of one.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use service_kit::chance::SystemChance;
use service_kit::clock::SystemClock;
use tokio::sync::oneshot;
use wallet_cli::vault::KdfCost;
use wallet_cli::{Ports, Wallet};

use super::World;
use crate::journey::traveller;

/// Wallets: the first shows what it holds, the second gathers.
const WALLETS: usize = 2;

/// A wallet, and the order to kill its next process.
pub(super) struct WalletProcess {
    /// Its place among the wallets.
    pub(super) place: usize,
    program: PathBuf,
    vault: PathBuf,
    passphrase: PathBuf,
    order: Mutex<Option<Order>>,
}

/// Kill the next process this long after its start.
struct Order {
    after: Duration,
    /// Whether the process was killed, not finished before.
    done: oneshot::Sender<bool>,
}

/// Makes the wallets of the world, or finds them made.
pub(super) fn make_all(world: &World, program: &Path) -> Result<Vec<Arc<WalletProcess>>> {
    (0..WALLETS).map(|place| Ok(Arc::new(WalletProcess::make(world, program, place)?))).collect()
}

impl WalletProcess {
    fn make(world: &World, program: &Path, place: usize) -> Result<Self> {
        let vault = world.layout.root().join(format!("crash-wallet-{place}"));
        let wallet = Self {
            place,
            program: program.to_owned(),
            vault,
            passphrase: world.layout.passphrase(),
            order: Mutex::default(),
        };
        if !wallet.vault.exists() {
            let passphrase = traveller::read_passphrase(&wallet.passphrase)?;
            // Guessing may be cheap here: the wallet is a sample, and is opened thousands of times.
            let setup = traveller::wallet_setup(&world.layout)?;
            Wallet::init(&wallet.vault, &passphrase, KdfCost::FLOOR, setup, ports()?)?;
        }
        Ok(wallet)
    }

    /// Opens the vault in this process, which nobody kills.
    pub(super) fn open(&self) -> Result<Wallet> {
        Ok(Wallet::open(&self.vault, &traveller::read_passphrase(&self.passphrase)?, ports()?)?)
    }

    /// Has the next process killed `after` its start. Answers whether it still ran then.
    pub(super) async fn kill_next(&self, after: Duration) -> bool {
        let (done, killed) = oneshot::channel();
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Some(Order { after, done });
        killed.await.unwrap_or(false)
    }

    /// Runs one command of `xinfu-wallet`. What it answers with status 0 is acknowledged.
    pub(super) async fn run(&self, command: &[&str]) -> Result<Value> {
        let mut child = traveller::wallet_command(&self.program, &self.vault, &self.passphrase)
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the wallet does not start")?;
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Order { after, done }) = order {
            let ended = tokio::time::timeout(after, child.wait()).await.is_ok();
            if !ended {
                child.kill().await?;
            }
            let _nobody_waits = done.send(!ended);
        }
        // Its answers are shorter than a pipe holds, so it never waits for us to read.
        let output = child.wait_with_output().await?;
        match output.status.code() {
            Some(0) => serde_json::from_slice(&output.stdout).context("the wallet's answer is no JSON"),
            Some(_) => bail!("{}", String::from_utf8_lossy(&output.stderr).trim()),
            None => bail!("the wallet was killed"),
        }
    }
}

fn ports() -> Result<Ports> {
    Ok(Ports { fetch: None, clock: Arc::new(SystemClock), chance: Arc::new(SystemChance::new()?) })
}
