//! Nodes that start, die and start again, and the network between them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use commonware_p2p::simulated::{Config, Link, Network, Oracle};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Handle, Spawner as _, Supervisor as _};
use commonware_utils::{NZUsize, probability};
use service_kit::store::Store;

use super::super::PublicKey;
use super::super::wiring;
use super::chain::World;
use super::checks::Checks;
use super::life::Life;
use super::peers::{Cuts, Peers};
use crate::node::Node;
use crate::tests::world::memory;

/// A node's place: what survives its deaths, and the life it leads if it does.
struct Seat {
    store: Arc<dyn Store>,
    lives: u64,
    running: Option<Handle<()>>,
    node: Slot,
}

/// Where a life puts its node once that runs.
pub(super) type Slot = Arc<Mutex<Option<Arc<Node>>>>;

/// All nodes of a chain on one network.
pub(super) struct Cluster {
    context: Context,
    runtime: tokio::runtime::Handle,
    pub(super) world: World,
    pub(super) oracle: Oracle<PublicKey, Context>,
    pub(super) checks: Checks,
    evidence: std::path::PathBuf,
    seats: Vec<Seat>,
    cuts: Cuts,
    /// Tells the storage of clusters in one runtime apart.
    name: &'static str,
}

impl Cluster {
    pub(super) async fn new(
        context: Context,
        runtime: tokio::runtime::Handle,
        world: World,
        checks: Checks,
        evidence: &std::path::Path,
        name: &'static str,
    ) -> Self {
        let config = Config {
            max_size: wiring::max_message(world.seats()),
            max_peers_per_set: NZUsize!(32),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let keys: Vec<_> = (0..world.seats()).flat_map(|place| world.transports(place)).collect();
        let (network, oracle) = Network::new_with_peers(context.child("network"), config, keys).await;
        network.start();
        let seat = |_| Seat { store: memory(), lives: 0, running: None, node: Slot::default() };
        let seats = (0..world.seats()).map(seat).collect();
        let (evidence, cuts) = (evidence.to_owned(), Cuts::default());
        let cluster = Self { context, runtime, world, oracle, checks, evidence, seats, cuts, name };
        cluster.heal().await;
        cluster
    }

    pub(super) fn places(&self) -> usize {
        self.seats.len()
    }

    /// The node at a place, if it lives and is as far.
    pub(super) fn node(&self, place: usize) -> Option<Arc<Node>> {
        self.seats[place].node.lock().unwrap().clone()
    }

    /// All nodes, for whoever asks any of them.
    pub(super) fn slots(&self) -> Vec<Slot> {
        self.seats.iter().map(|seat| Arc::clone(&seat.node)).collect()
    }

    /// Starts a node on what its last life left behind.
    pub(super) fn start(&mut self, place: usize) {
        let peers = Peers { me: place, slots: self.slots(), cuts: Arc::clone(&self.cuts) };
        let seat = &mut self.seats[place];
        seat.lives += 1;
        let context = self.context.child("validator").with_attribute("cluster", self.name);
        let context = context.with_attribute("place", place).with_attribute("life", seat.lives);
        let life = Life {
            place: u8::try_from(place).unwrap(),
            name: format!("{}{place}", self.name),
            world: self.world.clone(),
            oracle: self.oracle.clone(),
            store: Arc::clone(&seat.store),
            runtime: self.runtime.clone(),
            checks: self.checks.clone(),
            evidence: self.evidence.clone(),
            slot: Arc::clone(&seat.node),
        };
        seat.running = Some(context.spawn(move |context| life.lead(context, peers.sources())));
    }

    /// Kills a node: everything in memory is gone, at whatever point it was.
    pub(super) fn kill(&mut self, place: usize) {
        let seat = &mut self.seats[place];
        if let Some(running) = seat.running.take() {
            running.abort();
            *seat.node.lock().unwrap() = None;
        }
    }

    /// Deletes what a dead node executed; what its engine archived stays.
    pub(super) fn wipe(&mut self, place: usize) {
        self.seats[place].store = memory();
    }

    /// Cuts or restores the way from one node to another.
    pub(super) async fn connect(&self, from: usize, to: usize, connected: bool) {
        match connected {
            true => self.cuts.lock().unwrap().remove(&(from, to)),
            false => self.cuts.lock().unwrap().insert((from, to)),
        };
        for from in self.world.transports(from) {
            for to in self.world.transports(to) {
                self.link(from.clone(), to, connected).await;
            }
        }
    }

    async fn link(&self, from: PublicKey, to: PublicKey, connected: bool) {
        if connected {
            let link = Link {
                latency: Duration::from_millis(15),
                jitter: Duration::from_millis(8),
                success_rate: probability!(0.99),
            };
            // A way that is there already stays as it is.
            let _known = self.oracle.add_link(from, to, link).await;
        } else {
            let _cut_already = self.oracle.remove_link(from, to).await;
        }
    }

    /// Restores every way, and forgives everybody.
    pub(super) async fn heal(&self) {
        for from in 0..self.places() {
            for to in (0..self.places()).filter(|to| *to != from) {
                self.connect(from, to, true).await;
            }
        }
    }

    /// The entry at an index of a node's log.
    pub(super) async fn entry(&self, place: usize, index: u64) -> Option<Vec<u8>> {
        self.seats[place].store.get(&crate::store::leaf_key(index)).await.unwrap()
    }
}
