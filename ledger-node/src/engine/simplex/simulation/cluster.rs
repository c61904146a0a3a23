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
use super::chain::{World, transport};
use super::checks::Checks;
use super::dice::Dice;
use super::disk::Shelf;
use super::life::Life;
use super::machine::{Hardware, Machine};
use super::peers::{Cuts, Peers};
use super::wires::{Bend, Wires};
use crate::node::Node;
use crate::tests::world::memory;

/// A node's place: what survives its deaths, and the life it leads if it does.
struct Seat {
    hardware: Hardware,
    store: Arc<dyn Store>,
    bend: Bend,
    /// Its engine comes back with nothing of what it kept.
    forgetful: bool,
    lives: u64,
    running: Option<Handle<()>>,
    node: Slot,
}

impl Seat {
    fn new(hardware: Hardware) -> Self {
        let store = Arc::new(Shelf { inner: memory(), disk: hardware.disk.clone() });
        Self { hardware, store, bend: Bend::None, forgetful: false, lives: 0, running: None, node: Slot::default() }
    }
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
        dice: &mut Dice,
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
        let seats = (0..world.seats()).map(|_| Seat::new(Hardware::new(Dice::new(dice.next())))).collect();
        let (evidence, cuts) = (evidence.to_owned(), Cuts::default());
        let cluster = Self { context, runtime, world, oracle, checks, evidence, seats, cuts, name };
        for from in 0..cluster.places() {
            for to in (0..cluster.places()).filter(|to| *to != from) {
                cluster.connect(from, to, true).await;
            }
        }
        cluster
    }

    pub(super) fn hardware(&self, place: usize) -> &Hardware {
        &self.seats[place].hardware
    }

    /// What a node sends is bent from its next life on.
    pub(super) fn bend(&mut self, place: usize, bend: Bend) {
        self.seats[place].bend = bend;
    }

    /// A node forgets whatever it voted whenever it dies.
    pub(super) fn make_forgetful(&mut self, place: usize) {
        self.seats[place].forgetful = true;
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
        let wires = Wires::network(self.oracle.clone(), self.seats[place].bend.clone());
        let seat = &mut self.seats[place];
        seat.lives += 1;
        let name = match seat.forgetful {
            true => format!("{}{place}-{}", self.name, seat.lives),
            false => format!("{}{place}", self.name),
        };
        let running = self.lead(place, &self.seats[place], name, wires);
        self.seats[place].running = Some(running);
    }

    /// Starts two nodes with the keys of one place, on disks and stores of their own; they end with the story.
    pub(super) async fn start_twins(&self, place: usize, bends: [Bend; 2], dice: &mut Dice) {
        let control = self.oracle.control(transport(u8::try_from(place).unwrap(), 0));
        let (one, other) = Wires::halves(&self.context.child("twins"), control, bends).await;
        for (name, wires) in [("one", one), ("other", other)] {
            let seat = Seat::new(Hardware::new(Dice::new(dice.next())));
            drop(self.lead(place, &seat, format!("{}{place}-{name}", self.name), wires));
        }
    }

    fn lead(&self, place: usize, seat: &Seat, name: String, wires: Wires) -> Handle<()> {
        let peers = Peers { me: place, slots: self.slots(), cuts: Arc::clone(&self.cuts) };
        let context = self.context.child("validator").with_attribute("name", &name);
        let context = context.with_attribute("life", seat.lives);
        let life = Life {
            place: u8::try_from(place).unwrap(),
            name,
            world: self.world.clone(),
            wires,
            hardware: seat.hardware.clone(),
            store: Arc::clone(&seat.store),
            runtime: self.runtime.clone(),
            checks: self.checks.clone(),
            evidence: self.evidence.clone(),
            slot: Arc::clone(&seat.node),
        };
        let machine = Machine::new(context, seat.hardware.clone());
        machine.spawn(move |machine| life.lead(machine, peers.sources()))
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
        let seat = &mut self.seats[place];
        seat.store = Arc::new(Shelf { inner: memory(), disk: seat.hardware.disk.clone() });
    }

    /// Cuts the way from one node to another.
    pub(super) async fn cut(&self, from: usize, to: usize) {
        self.cuts.lock().unwrap().insert((from, to));
        self.connect(from, to, false).await;
    }

    async fn connect(&self, from: usize, to: usize, connected: bool) {
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

    /// Restores every way that was cut.
    pub(super) async fn heal(&self) {
        let cuts = std::mem::take(&mut *self.cuts.lock().unwrap());
        for (from, to) in cuts {
            self.connect(from, to, true).await;
        }
    }

    /// The entry at an index of a node's log.
    pub(super) async fn entry(&self, place: usize, index: u64) -> Option<Vec<u8>> {
        self.seats[place].store.get(&crate::store::leaf_key(index)).await.unwrap()
    }
}
