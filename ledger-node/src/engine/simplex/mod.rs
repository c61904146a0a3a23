//! Several departments, several nodes: Commonware simplex agrees on the order, and tolerates fewer than a third of
//! faulty validators.
//!
//! ```text
//!  desk -> pool <-> forwarding                 cosigning <-> node (certifier)
//!           |                                                  ^
//!        adapter <-> simplex (votes)                           | head
//!           |                                                  |
//!        marshal (blocks: stored, fetched) -> delivery -> [`Simplex`] -> executor
//! ```
//!
//! Everything but the last arrow runs in the engine's own runtime, on its own thread ([`process`]); in tests in a
//! simulated one, with the same wiring ([`wiring`]). Only parts of Commonware that promise to keep their formats are
//! used, and none of its state or proofs.

mod adapter;
mod archive;
mod block;
mod cosigning;
mod delivery;
mod forwarding;
mod members;
mod naming;
mod process;
#[cfg(test)]
mod simulation;
mod sizing;
#[cfg(test)]
mod tests;
mod wiring;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use commonware_consensus::marshal::{core::Mailbox, standard::Standard};
use commonware_consensus::simplex;
use commonware_cryptography::{ed25519, sha256};
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use commonware_utils::Acknowledgement as _;
use identity_core::registry::Transaction;
use rand_core::CryptoRng;
use tokio::sync::{mpsc, watch};

use super::pool::Pool;
use super::{Engine, Entrance, NotTaken, Ordered, Standing};
use crate::node::{Node, Spoken};
use delivery::Delivered;

pub(crate) use members::Identity;
pub use process::ProcessError;
pub(crate) use process::{Origin, Process};

/// Digest of a block.
type Digest = sha256::Digest;
/// A validator, by the key it votes with; to the network, by the key it connects with.
type PublicKey = ed25519::PublicKey;
/// One Ed25519 signature for each vote, so that a vote says whose it is.
type Scheme = simplex::scheme::ed25519::Scheme;
/// Which round, on which parent.
type Context = simplex::types::Context<Digest, PublicKey>;
/// Stores, fetches and orders blocks.
type Marshal = Mailbox<Scheme, Standard<block::Block>>;

/// What the engine needs of a runtime: the real one and the simulated one have it.
pub(crate) trait Runtime: Clock + Metrics + Spawner + Storage + CryptoRng {}

impl<T: Clock + Metrics + Spawner + Storage + CryptoRng> Runtime for T {}

/// The node that the engine serves.
pub(crate) trait Host: Send + Sync + 'static {
    /// Takes what the validator at place `from` cosigned, and answers if it asks for ours.
    fn hear(&self, from: usize, spoken: Spoken) -> Option<Spoken>;

    /// Height of the newest certified block; 0 while there is none.
    fn certified(&self) -> u64;

    /// Checks transactions that another validator forwards: gives back those that may wait here.
    fn admit(&self, transactions: Vec<Transaction>) -> impl Future<Output = Vec<Transaction>> + Send;
}

impl Host for Node {
    fn hear(&self, from: usize, spoken: Spoken) -> Option<Spoken> {
        Node::hear(self, from, spoken)
    }

    fn certified(&self) -> u64 {
        self.round().map_or(0, |round| round.head.height)
    }

    async fn admit(&self, transactions: Vec<Transaction>) -> Vec<Transaction> {
        let Ok(places) = self.places(&transactions.iter().collect::<Vec<_>>()).await else { return Vec::new() };
        let fresh = transactions.into_iter().zip(places).filter(|(_, place)| place.is_none());
        let mut fresh: Vec<_> = fresh.map(|(transaction, _)| transaction).collect();
        let Ok(verdicts) = self.authenticate_all(&mut fresh.iter_mut().collect::<Vec<_>>()).await else {
            return Vec::new();
        };
        fresh.into_iter().zip(verdicts).filter(|(_, verdict)| verdict.is_ok()).map(|(sound, _)| sound).collect()
    }
}

/// After a block could not be saved, how long to wait before it is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The engine as the executor sees it.
pub(crate) struct Simplex {
    blocks: mpsc::Receiver<Delivered>,
    /// Handed over and not acknowledged.
    current: Option<Delivered>,
    pool: Pool,
    standing: Arc<Standing>,
    /// Where the validator runs; absent in a simulation.
    thread: Option<JoinHandle<()>>,
}

impl Simplex {
    fn new(blocks: mpsc::Receiver<Delivered>, pool: Pool, standing: Arc<Standing>) -> Self {
        Self { blocks, current: None, pool, standing, thread: None }
    }

    /// [`Engine::next`] for whoever must not block.
    #[cfg(test)]
    pub(crate) async fn receive(&mut self) -> Option<Ordered> {
        if self.current.is_none() {
            self.current = self.blocks.recv().await;
        }
        self.current.as_ref().map(|delivered| delivered.ordered.clone())
    }
}

impl Engine for Simplex {
    fn next(&mut self) -> Option<Ordered> {
        if self.current.is_some() {
            std::thread::sleep(RETRY);
        } else {
            self.current = self.blocks.blocking_recv();
        }
        self.current.as_ref().map(|delivered| delivered.ordered.clone())
    }

    fn acknowledge(&mut self, block: &Ordered) {
        self.standing.execute(block.height);
        if let Some(receipt) = self.current.take().and_then(|delivered| delivered.receipt) {
            receipt.acknowledge();
        }
    }

    fn behind(&self) -> u64 {
        self.standing.tip().saturating_sub(self.standing.executed())
    }

    fn press(&mut self, pending: bool) {
        self.standing.press(pending);
    }

    /// What was delivered is never acknowledged, and nothing more is taken: marshal stops, and with it the validator.
    fn halt(&mut self) {
        self.blocks.close();
        let current = self.current.take();
        let rest = std::iter::from_fn(|| self.blocks.try_recv().ok());
        current.into_iter().chain(rest).for_each(|delivered| delivered.put_back(&self.pool));
    }

    fn leave(&mut self) -> Vec<Transaction> {
        self.halt();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the validator ended in a panic");
        }
        self.pool.empty()
    }
}

/// Where this node's own submissions come in.
pub(crate) struct Door {
    /// The validator runs as long as this is there. It goes first, so that an end is known as one before parts end.
    _open: watch::Sender<()>,
    pool: Pool,
    fresh: mpsc::Sender<Transaction>,
}

impl Entrance for Door {
    fn offer(&self, transaction: Transaction) -> Result<(), NotTaken> {
        if self.fresh.is_closed() {
            return Err(NotTaken::Stopping);
        }
        if self.pool.add(transaction.clone())? {
            // What finds no room here is forwarded with the next repetition.
            let _full = self.fresh.try_send(transaction);
        }
        Ok(())
    }
}
