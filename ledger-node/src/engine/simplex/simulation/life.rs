//! One life of a node: everything that [`crate::start`] starts but HTTP, term after term, until it is killed.
//!
//! It does what [`crate::tenure`] does on a thread of its own, in simulated time.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use commonware_macros::select;
use commonware_runtime::{Clock as _, Handle, Spawner as _, Supervisor as _};
use commonware_utils::NZU64;
use futures_util::future::select_all;
use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;
use service_kit::clock::Clock;
use service_kit::store::Store;
use tokio::sync::{mpsc, watch};

use super::super::archive::Depth;
use super::super::members::{Identity, Members};
use super::super::wiring::{self, Channels, Validator};
use super::super::{Door, RETRY, Simplex, sizing};
use super::chain::{GENERATIONS, Purpose, World, transport, validator, validator_key};
use super::checks::Checks;
use super::cluster::Slot;
use super::machine::{Hardware, Machine};
use super::wires::Wires;
use crate::boundary;
use crate::catch_up::{self, CatchUpError, Sources, Standing};
use crate::certifier::Certifier;
use crate::engine::pool::{Bounds, Pool};
use crate::engine::{Engine as _, Standing as EngineStanding};
use crate::executor::Executor;
use crate::node::{Node, Parts};
use crate::resume::last_round;
use crate::store::SyncStore;
use crate::term::Term;
use crate::timepiece::Timepiece;

/// How long to wait for something before looking around again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Until all parts of an engine that was stopped have let go of their files.
const LETTING_GO: Duration = Duration::from_millis(100);
/// How long nothing may be executed before the others are asked whether the term is over.
const OVERTAKEN: Duration = Duration::from_secs(5);

/// So little that whoever is away for some seconds finds it gone.
const DEPTH: Depth = Depth { blocks: 12, section: NZU64!(4) };

/// The machine's clock, for the node.
struct Virtual(Machine);

impl Clock for Virtual {
    fn now_millis(&self) -> UnixMillis {
        let since_epoch = self.0.current().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap())
    }
}

/// What a life is made of.
pub(super) struct Life {
    pub(super) place: u8,
    /// What the names of everything that its engine stores begin with.
    pub(super) name: String,
    pub(super) world: World,
    pub(super) wires: Wires,
    pub(super) hardware: Hardware,
    pub(super) store: Arc<dyn Store>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) checks: Checks,
    pub(super) evidence: std::path::PathBuf,
    pub(super) slot: Slot,
}

/// What works on the node's data.
struct Work {
    node: Arc<Node>,
    executor: Executor,
    sources: Sources,
    /// As in a node, of all its terms.
    standing: Arc<EngineStanding>,
    left_over: Vec<Transaction>,
}

/// A life is over before its node was killed: its engine ended, or its connection was for one term only.
struct Ended;

impl Life {
    pub(super) async fn lead(self, context: Machine, sources: Sources) {
        context.settle().await;
        let sync = SyncStore::new(Arc::clone(&self.store), self.runtime.clone());
        let chain = self.world.chain.clone();
        let executor = Executor::open(sync.clone(), chain.clone()).unwrap();
        let last = last_round(&sync, &chain).unwrap();
        let parts = Parts {
            chain,
            store: Arc::clone(&self.store),
            clock: Arc::new(Virtual(context.child("clock"))),
            evidence: self.evidence.join(self.place.to_string()),
            runtime: self.runtime.clone(),
        };
        let node = Arc::new(Node::new(parts, executor.head().clone(), last));
        *self.slot.lock().unwrap() = Some(Arc::clone(&node));
        let standing = Arc::new(EngineStanding::default());
        let work = Work { node: Arc::clone(&node), executor, sources, standing, left_over: Vec::new() };
        select! {
            () = tick(context.child("ticking"), Arc::clone(&node)) => {},
            () = watch_rounds(usize::from(self.place), self.checks.clone(), node) => {},
            Ended = self.work(context, work) => {},
        }
        *self.slot.lock().unwrap() = None;
    }

    async fn work(&self, context: Machine, mut work: Work) -> Ended {
        for number in 0_u64.. {
            self.catch_up(&context, &mut work).await;
            let term = Term::at(&work.node.sync_store(), &work.node.chain, work.executor.head()).unwrap();
            let seated = (0..GENERATIONS).find(|generation| {
                let own = validator(self.place, *generation);
                term.set.validators().iter().any(|one| one.witness == own.witness)
            });
            let context = context.child("term").with_attribute("number", number);
            match seated {
                Some(generation) => {
                    if self.validate(&context, &mut work, &term, generation).await.is_err() {
                        break;
                    }
                }
                None => self.follow(&context, &mut work, &term).await,
            }
        }
        Ended
    }

    async fn catch_up(&self, context: &Machine, work: &mut Work) {
        loop {
            let standing = Standing::of(&work.executor).unwrap();
            let proven = match work.sources.next_blocks(&standing).await {
                Ok(Some(proven)) => proven,
                Ok(None) | Err(CatchUpError::NoSource(_)) => return,
                Err(error) => return self.blame(&error),
            };
            let executed = |head: &crate::store::Head| {
                work.node.reach(head);
                self.checks.executed(usize::from(self.place), head, context.context.current());
            };
            match catch_up::execute(&mut work.executor, &proven, executed) {
                Ok(reached) => work.node.show(reached),
                Err(error) => return self.blame(&error),
            }
        }
    }

    /// What could not be saved is asked for again; anything else means that histories differ.
    fn blame(&self, error: &CatchUpError) {
        if error.is_fatal() {
            self.checks.violated(format!("node {} cannot catch up: {error}", self.place));
        }
    }

    /// Takes part in a term until it ends.
    async fn validate(&self, context: &Machine, work: &mut Work, term: &Term, generation: u8) -> Result<(), Ended> {
        let key = |purpose| validator_key(self.place, generation, purpose);
        let head = work.executor.head().clone();
        let (pool, standing) = (Pool::new(Bounds { count: 1000, bytes: 1 << 20 }), Arc::clone(&work.standing));
        standing.begin(head.height);
        let (fresh, forwarded) = mpsc::channel(sizing::FRESH);
        let (voice, told) = mpsc::channel(sizing::VOICE);
        let (blocks, delivered) = mpsc::channel(sizing::DELIVERED);
        let (open, _closing) = watch::channel(());
        let begins = head.height > 0 && head.height == term.begins;
        let certifier = Certifier::new(term.set.clone(), key(Purpose::Log), key(Purpose::Witness)).unwrap();
        work.node.take_office(certifier, Some(voice), !begins).unwrap();
        let door = Door { pool: pool.clone(), fresh, _open: open };
        work.node.desk.open(Box::new(door), std::mem::take(&mut work.left_over));
        let mut simplex = Simplex::new(delivered, pool.clone(), Arc::clone(&standing));
        simplex.press(work.executor.sets().pending || begins);
        let validator = Validator {
            host: Arc::clone(&work.node),
            members: Members::of(term).unwrap(),
            identity: Identity::new(&key(Purpose::Consensus), &key(Purpose::Transport)).unwrap(),
            term: term.clone(),
            storage: format!("{}-{}", self.name, term.epoch),
            depth: DEPTH,
            executed: head.height,
            pool,
            standing: Arc::clone(&standing),
            fresh: forwarded,
            voice: told,
            blocks,
        };
        let mut engine = self.start(context, validator, generation).await.ok_or(Ended)?;
        let left = select! {
            () = self.drive(context, work, term, &mut simplex) => Ok(()),
            // As for one that comes back: what it wrote and did not sync may be lost.
            () = clock_set_back(context) => Ok(()),
            _ = &mut engine => {
                let fallen_behind = standing.take_fallen_behind();
                if fallen_behind {
                    self.checks.fell_behind();
                } else if !self.hardware.disk.excuse().holds() {
                    self.checks.violated(format!("a part of validator {} ended", self.place));
                }
                if fallen_behind { Ok(()) } else { Err(Ended) }
            },
        };
        work.node.desk.shut();
        engine.abort();
        if left.is_ok() {
            context.sleep(LETTING_GO).await;
            context.settle().await;
        }
        work.left_over = simplex.leave();
        work.node.leave_office();
        left
    }

    /// All parts of the engine under one task, so that they end with it.
    async fn start(&self, context: &Machine, validator: Validator<Node>, generation: u8) -> Option<Handle<()>> {
        let (control, ends) = self.wires.connect(transport(self.place, generation), validator.term.epoch).await?;
        let channels = Channels::new(ends).unwrap();
        Some(context.child("engine").spawn(move |context| async move {
            // Where its files cannot be opened, it ends at once.
            let Ok(parts) = wiring::start(context, validator, channels, control).await else { return };
            let _ended = select_all(parts).await;
        }))
    }

    async fn drive(&self, context: &Machine, work: &mut Work, term: &Term, simplex: &mut Simplex) {
        while !has_ended(work, term) {
            select! {
                block = simplex.receive() => {
                    let Some(block) = block else { std::future::pending().await };
                    work.node.take(simplex, &mut work.executor, &block);
                    let now = context.context.current();
                    self.checks.executed(usize::from(self.place), work.executor.head(), now);
                    if work.node.is_halted() {
                        self.checks.violated(format!("node {} halted", self.place));
                        std::future::pending().await
                    }
                    if work.executor.head().height < block.height {
                        context.sleep(RETRY).await;
                    }
                },
                () = context.sleep(OVERTAKEN) => {
                    let size = work.executor.head().size;
                    if work.sources.show_the_end_of(term.set.trust_root(), size).await {
                        return;
                    }
                },
            }
        }
        let head = work.executor.head().clone();
        let round = loop {
            let theirs;
            select! {
                round = work.node.certified(head.size - 1) => { break round.unwrap() },
                () = context.sleep(LOOK_AGAIN) => {
                    theirs = work.sources.note_over(term.set.trust_root(), &head).await;
                },
            }
            work.node.show(theirs);
        };
        while boundary::keep(&work.node.sync_store(), &round.head, &round.note).is_err() {
            context.sleep(LOOK_AGAIN).await;
        }
    }

    async fn follow(&self, context: &Machine, work: &mut Work, term: &Term) {
        work.left_over.clear();
        work.node.desk.send_away();
        while !has_ended(work, term) {
            self.catch_up(context, work).await;
            context.sleep(LOOK_AGAIN).await;
        }
    }
}

/// What [`crate::lookout`] looks at once a second.
async fn clock_set_back(machine: &Machine) {
    let now = || Virtual(machine.child("looking")).now_millis();
    let elapsed = machine.elapsed();
    let mut timepiece = Timepiece::new(now(), elapsed());
    loop {
        machine.sleep(Duration::from_secs(1)).await;
        if timepiece.was_set_back(now(), elapsed()) {
            return;
        }
    }
}

fn has_ended(work: &Work, term: &Term) -> bool {
    work.executor.sets().turned && work.executor.head().height > term.begins
}

async fn tick(clock: Machine, node: Arc<Node>) {
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
