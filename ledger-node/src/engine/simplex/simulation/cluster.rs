//! Validators that start, die and start again, and the network between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use commonware_macros::select;
use commonware_p2p::simulated::{Config, Link, Network, Oracle};
use commonware_p2p::{Receiver, Sender};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Handle, Spawner as _, Supervisor as _};
use commonware_utils::{NZUsize, probability};
use futures_util::future::select_all;
use identity_core::time::UnixMillis;
use service_kit::clock::Clock;
use service_kit::store::Store;
use tokio::sync::{mpsc, watch};

use super::super::members::{Identity, Members};
use super::super::wiring::{self, CHANNELS, Channels, Validator};
use super::super::{Door, PublicKey, Simplex, sizing};
use super::chain::{Purpose, World, validator_key};
use super::checks::Checks;
use crate::certifier::Certifier;
use crate::chain::Chain;
use crate::engine::Standing;
use crate::engine::pool::{Bounds, Pool};
use crate::executor::Executor;
use crate::node::{Node, Parts};
use crate::resume::last_round;
use crate::store::SyncStore;
use crate::term::Term;
use crate::tests::world::memory;

/// The simulated clock, for the node.
struct Virtual(Context);

impl Clock for Virtual {
    fn now_millis(&self) -> UnixMillis {
        let since_epoch = self.0.current().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap())
    }
}

/// A validator's place: what survives its deaths, and the life it leads if it does.
struct Seat {
    store: Arc<dyn Store>,
    lives: u64,
    running: Option<Handle<()>>,
    node: Slot,
}

/// Where a life puts its node once that runs.
type Slot = Arc<Mutex<Option<Arc<Node>>>>;

/// All validators of a chain on one network.
pub(super) struct Cluster {
    context: Context,
    runtime: tokio::runtime::Handle,
    pub(super) world: World,
    pub(super) members: Members,
    pub(super) oracle: Oracle<PublicKey, Context>,
    pub(super) checks: Checks,
    evidence: std::path::PathBuf,
    seats: BTreeMap<usize, Seat>,
    /// Tells the storage of clusters in one runtime apart.
    name: &'static str,
}

/// What a life is made of.
struct Life {
    place: usize,
    name: String,
    world: World,
    members: Members,
    store: Arc<dyn Store>,
    runtime: tokio::runtime::Handle,
    checks: Checks,
    evidence: std::path::PathBuf,
    slot: Slot,
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
        let members = Members::of(&genesis_term(&world.chain, &runtime)).unwrap();
        let config = Config {
            max_size: wiring::max_message(world.validators()),
            max_peers_per_set: NZUsize!(32),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let keys: Vec<_> = members.all().iter().map(|member| member.transport.clone()).collect();
        let (network, oracle) = Network::new_with_peers(context.child("network"), config, keys).await;
        network.start();
        let (evidence, seats) = (evidence.to_owned(), BTreeMap::new());
        let cluster = Self { context, runtime, world, members, oracle, checks, evidence, seats, name };
        cluster.heal().await;
        cluster
    }

    pub(super) fn places(&self) -> usize {
        self.world.validators()
    }

    pub(super) fn transport(&self, place: usize) -> PublicKey {
        self.members.all()[place].transport.clone()
    }

    /// The node at a place, if it lives and is as far.
    pub(super) fn node(&self, place: usize) -> Option<Arc<Node>> {
        self.seats.get(&place).and_then(|seat| seat.node.lock().unwrap().clone())
    }

    /// All nodes, for whoever sends to any of them.
    pub(super) fn slots(&self) -> Vec<Slot> {
        self.seats.values().map(|seat| Arc::clone(&seat.node)).collect()
    }

    /// Starts a validator on what its last life left behind.
    pub(super) fn start(&mut self, place: usize) {
        let fresh = || Seat { store: memory(), lives: 0, running: None, node: Slot::default() };
        let seat = self.seats.entry(place).or_insert_with(fresh);
        seat.lives += 1;
        let context = self.context.child("validator").with_attribute("cluster", self.name);
        let context = context.with_attribute("place", place).with_attribute("life", seat.lives);
        let life = Life {
            place,
            name: format!("{}{place}", self.name),
            world: self.world.clone(),
            members: self.members.clone(),
            store: Arc::clone(&seat.store),
            runtime: self.runtime.clone(),
            checks: self.checks.clone(),
            evidence: self.evidence.clone(),
            slot: Arc::clone(&seat.node),
        };
        let control = self.oracle.control(self.members.all()[place].transport.clone());
        seat.running = Some(context.spawn(move |context| async move {
            let mut channels = Vec::new();
            for channel in 0..CHANNELS {
                channels.push(control.register(channel, sizing::quota()).await.unwrap());
            }
            life.lead(context, Channels::new(channels).unwrap(), control).await;
        }));
    }

    /// Kills a validator: everything in memory is gone, at whatever point it was.
    pub(super) fn kill(&mut self, place: usize) {
        if let Some(seat) = self.seats.get_mut(&place)
            && let Some(running) = seat.running.take()
        {
            running.abort();
            *seat.node.lock().unwrap() = None;
        }
    }

    /// Deletes what a dead validator executed; what its engine archived stays.
    pub(super) fn wipe(&mut self, place: usize) {
        if let Some(seat) = self.seats.get_mut(&place) {
            seat.store = memory();
        }
    }

    /// Cuts or restores the way from one validator to another.
    pub(super) async fn connect(&self, from: usize, to: usize, connected: bool) {
        let (from, to) = (self.transport(from), self.transport(to));
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

    /// The entry at an index of a validator's log.
    pub(super) async fn entry(&self, place: usize, index: u64) -> Option<Vec<u8>> {
        self.seats.get(&place)?.store.get(&crate::store::leaf_key(index)).await.unwrap()
    }
}

impl Life {
    /// Starts everything that [`crate::start`] starts, but for HTTP, and runs until killed.
    async fn lead<S, R, B>(self, context: Context, channels: Channels<S, R>, blocker: B)
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: commonware_p2p::Blocker<PublicKey = PublicKey>,
    {
        let number = u8::try_from(self.place).unwrap();
        let key = |purpose| validator_key(number, purpose);
        let sync = SyncStore::new(Arc::clone(&self.store), self.runtime.clone());
        let chain = self.world.chain.clone();
        let mut executor = Executor::open(sync.clone(), chain.clone()).unwrap();
        let (head, last) = (executor.head().clone(), last_round(&sync, &chain).unwrap());

        let pool = Pool::new(Bounds { count: 1000, bytes: 1 << 20 });
        let standing = Arc::new(Standing::default());
        standing.begin(head.height);
        let (fresh, forwarded) = mpsc::channel(sizing::FRESH);
        let (voice, told) = mpsc::channel(sizing::VOICE);
        let (blocks, delivered) = mpsc::channel(sizing::DELIVERED);
        let (open, _closing) = watch::channel(());
        let term = Term::at(&sync, &chain, &head).unwrap();
        let parts = Parts {
            chain,
            store: Arc::clone(&self.store),
            clock: Arc::new(Virtual(context.child("clock"))),
            evidence: self.evidence.join(self.place.to_string()),
            runtime: self.runtime.clone(),
        };
        let node = Arc::new(Node::new(parts, head.clone(), last));
        let certifier = Certifier::new(term.set.clone(), key(Purpose::Log), key(Purpose::Witness)).unwrap();
        node.take_office(certifier, Some(voice), true).unwrap();
        node.desk.open(Box::new(Door { pool: pool.clone(), fresh, _open: open }), Vec::new());
        *self.slot.lock().unwrap() = Some(Arc::clone(&node));

        let validator = Validator {
            host: Arc::clone(&node),
            members: self.members,
            identity: Identity::new(&key(Purpose::Consensus), &key(Purpose::Transport)).unwrap(),
            term,
            storage: self.name,
            executed: head.height,
            pool: pool.clone(),
            standing: Arc::clone(&standing),
            fresh: forwarded,
            voice: told,
            blocks,
        };
        let parts = wiring::start(context.child("engine"), validator, channels, blocker).await.unwrap();
        let (place, checks) = (self.place, self.checks);
        let ticking = tick(context.child("ticking"), Arc::clone(&node));
        let watching = watch_rounds(place, checks.clone(), Arc::clone(&node));
        let executing = async move {
            let mut simplex = Simplex::new(delivered, pool, standing);
            while let Some(block) = simplex.receive().await {
                node.take(&mut simplex, &mut executor, &block);
                checks.executed(place, executor.head());
            }
        };
        select! {
            () = ticking => {},
            () = watching => {},
            () = executing => {},
            _ = select_all(parts) => panic!("a part of validator {place} ended"),
        }
    }
}

/// The first term of a chain: what a node finds that has executed nothing but genesis.
fn genesis_term(chain: &Chain, runtime: &tokio::runtime::Handle) -> Term {
    let sync = SyncStore::new(memory(), runtime.clone());
    let executor = Executor::open(sync.clone(), chain.clone()).unwrap();
    Term::at(&sync, chain, executor.head()).unwrap()
}

async fn tick(clock: Context, node: Arc<Node>) {
    loop {
        clock.sleep(Duration::from_secs(1)).await;
        node.tick().await;
    }
}

async fn watch_rounds(place: usize, checks: Checks, node: Arc<Node>) {
    let mut size = 0;
    while let Some(round) = node.certified(size).await {
        checks.certified(place, &round);
        if node.published().is_none() {
            checks.violated(format!("node {place} has a certified head and shows nobody a checkpoint"));
        }
        size = round.head.size;
    }
}
