//! One seed's story: who sends, who fails, who lies, and what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use commonware_macros::select;
use commonware_runtime::deterministic::{self, Context};
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _};
use ledger::Hash;

use super::chain::{Founding, World};
use super::checks::Checks;
use super::cluster::{Cluster, Slot};
use super::dice::Dice;
use super::liars::{self, Lie};
use super::politics;
use crate::node::{Node, SubmitError};
use crate::store::Place;
use identity_core::registry::Refused;

/// Simulated time after which a story has got stuck.
const STUCK: Duration = Duration::from_secs(900);
/// Within so much simulated time, a healed cluster certifies something new on every honest node.
const HEALING: Duration = Duration::from_secs(60);
/// How long a sender waits for an answer before it asks another node.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is to happen.
pub(super) struct Story {
    seed: u64,
    founding: Founding,
    politics: bool,
    /// Goes on at least until every honest node certified so many blocks.
    heights: u64,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) violations: Vec<String>,
    pub(super) faults: u64,
    pub(super) height: u64,
    /// Digest of every note that every node showed.
    pub(super) notes: Hash,
    /// The runtime's own digest of every step, message and write.
    pub(super) trace: String,
}

/// A misfortune that honest nodes have to survive.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// One dies and comes back.
    Crash,
    /// One dies and comes back without what it executed.
    Wipe,
    /// All die and come back.
    Blackout,
    /// The network falls into two parts.
    Partition,
    /// One hears nobody, or nobody hears it.
    OneWay,
}

impl Story {
    pub(super) fn new(seed: u64, founding: Founding, heights: u64) -> Self {
        Self { seed, founding, politics: false, heights }
    }

    /// The set of validators changes meanwhile, three times.
    pub(super) fn with_politics(self) -> Self {
        Self { politics: true, ..self }
    }

    pub(super) fn run(self) -> Outcome {
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let handle = tokio.handle().clone();
        let config = deterministic::Config::new().with_seed(self.seed).with_timeout(Some(STUCK));
        deterministic::Runner::new(config).start(|context| self.tell(context, handle))
    }

    async fn tell(self, context: Context, tokio: tokio::runtime::Handle) -> Outcome {
        let mut dice = Dice::new(self.seed);
        let evidence = tempfile::tempdir().unwrap();
        let (world, checks) = (World::new(self.founding), Checks::default());
        let mut cluster =
            Cluster::new(context.child("cluster"), tokio, world, checks.clone(), evidence.path(), "node").await;
        let liar = usize::from(self.founding.validators) - 1;
        let lie = Lie::ALL[dice.below(Lie::ALL.len())];
        let honest: Vec<usize> = (0..cluster.places()).filter(|place| *place != liar || lie == Lie::None).collect();
        honest.iter().for_each(|place| cluster.start(*place));
        if lie != Lie::None {
            liars::start(&context, &cluster, liar, lie, &mut dice).await;
        }
        let voters = if self.politics { politics::VOTERS } else { 0 };
        for sender in voters..cluster.world.senders() {
            send(&context, &cluster, sender, Dice::new(dice.next()));
        }
        let done = self.politics.then(|| politics::start(&context, &cluster, Dice::new(dice.next())));
        let is_undone = || done.as_ref().is_some_and(|done| !done.load(Ordering::Relaxed));

        let mut faults = u64::from(lie != Lie::None);
        while lowest(&cluster, &honest) < self.heights || faults < 2 || is_undone() {
            context.sleep(dice.between(300, 2_000)).await;
            let fault = [Fault::Crash, Fault::Wipe, Fault::Blackout, Fault::Partition, Fault::OneWay];
            strike(&context, &mut cluster, &honest, fault[dice.below(fault.len())], &mut dice).await;
            faults += 1;
        }
        recover(&context, &mut cluster, &honest).await;
        look_for_everything(&cluster, &honest).await;
        let (violations, notes) = checks.end();
        Outcome { violations, faults, height: checks.height(), notes, trace: context.auditor().state() }
    }
}

/// The height that every honest node has certified; dead ones have certified nothing.
fn lowest(cluster: &Cluster, honest: &[usize]) -> u64 {
    let height = |place: &usize| Some(cluster.node(*place)?.round()?.head.height);
    honest.iter().map(|place| height(place).unwrap_or(0)).min().unwrap_or(0)
}

async fn strike(context: &Context, cluster: &mut Cluster, honest: &[usize], fault: Fault, dice: &mut Dice) {
    let victim = honest[dice.below(honest.len())];
    match fault {
        Fault::Crash | Fault::Wipe => {
            cluster.kill(victim);
            context.sleep(dice.between(100, 4_000)).await;
            if matches!(fault, Fault::Wipe) {
                cluster.wipe(victim);
            }
            cluster.start(victim);
        }
        Fault::Blackout => {
            honest.iter().for_each(|place| cluster.kill(*place));
            context.sleep(dice.between(100, 1_000)).await;
            honest.iter().for_each(|place| cluster.start(*place));
        }
        Fault::Partition => {
            let side: Vec<bool> = (0..cluster.places()).map(|_| dice.below(2) == 0).collect();
            for from in 0..cluster.places() {
                for to in (0..cluster.places()).filter(|to| side[from] != side[*to]) {
                    cluster.connect(from, to, false).await;
                }
            }
            context.sleep(dice.between(500, 5_000)).await;
            cluster.heal().await;
        }
        Fault::OneWay => {
            let deaf = dice.below(2) == 0;
            for other in (0..cluster.places()).filter(|other| *other != victim) {
                let (from, to) = if deaf { (other, victim) } else { (victim, other) };
                cluster.connect(from, to, false).await;
            }
            context.sleep(dice.between(500, 5_000)).await;
            cluster.heal().await;
        }
    }
}

/// Everything is healed: every honest node must certify something that nobody had executed yet.
async fn recover(context: &Context, cluster: &mut Cluster, honest: &[usize]) {
    cluster.heal().await;
    let goal = cluster.checks.height() + 1;
    let deadline = context.current() + HEALING;
    while lowest(cluster, honest) < goal {
        if context.current() > deadline {
            let heights: Vec<_> = honest.iter().map(|place| (*place, lowest(cluster, &[*place]))).collect();
            cluster.checks.violated(format!("no progress to {goal} after healing: {heights:?}"));
            return;
        }
        context.sleep(Duration::from_millis(100)).await;
    }
}

async fn look_for_everything(cluster: &Cluster, honest: &[usize]) {
    let lowest = honest.iter().filter_map(|place| Some(cluster.node(*place)?.executed().size)).min().unwrap_or(0);
    for (transaction, at) in cluster.checks.acknowledgements() {
        for place in honest {
            let found = cluster.entry(*place, at.index).await;
            if at.index < lowest && found.as_deref() != Some(transaction.as_bytes()) {
                let index = at.index;
                cluster.checks.violated(format!("what was acknowledged at {index} is not in the log of node {place}"));
            }
        }
    }
}

/// Sends one transaction after the other, each to any node until one acknowledges it.
fn send(context: &Context, cluster: &Cluster, sender: usize, mut dice: Dice) {
    let (slots, world, checks) = (cluster.slots(), cluster.world.clone(), cluster.checks.clone());
    let context = context.child("sender").with_attribute("number", sender);
    let _running = context.spawn(move |context| async move {
        for seq in 1.. {
            let _place = deliver(&context, &slots, &world.transaction(sender, seq), &checks, &mut dice).await;
        }
    });
}

/// Sends one transaction to any node until one acknowledges it; gives its place.
pub(super) async fn deliver(
    context: &Context,
    slots: &[Slot],
    transaction: &str,
    checks: &Checks,
    dice: &mut Dice,
) -> Option<Place> {
    loop {
        let node = slots[dice.below(slots.len())].lock().unwrap().clone();
        if let Some(node) = node
            && let Some(answered) = submit(context, &node, transaction, checks).await
        {
            return answered;
        }
        context.sleep(dice.between(20, 200)).await;
    }
}

/// What a node answered: a place, or a refusal, which is told; nothing if it did not answer.
async fn submit(context: &Context, node: &Arc<Node>, transaction: &str, checks: &Checks) -> Option<Option<Place>> {
    let answer = select! {
        answer = node.submit(transaction) => answer,
        () = context.sleep(PATIENCE) => { return None },
    };
    match answer {
        Ok((_, place)) => {
            checks.acknowledged(transaction, place);
            Some(Some(place))
        }
        Err(SubmitError::Refused(refused @ Refused::Sequence { .. })) => {
            checks.violated(format!("a transaction in its turn was refused: {refused}"));
            Some(None)
        }
        Err(_) => None,
    }
}

/// Two of four vote in two worlds at once, with the same keys: one more than may be faulty.
pub(super) fn two_worlds(seed: u64) -> Vec<String> {
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = tokio.handle().clone();
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(STUCK));
    deterministic::Runner::new(config).start(|context| async move {
        let (world, checks) = (World::new(Founding::of(4)), Checks::default());
        let evidence = tempfile::tempdir().unwrap();
        let mut worlds = Vec::new();
        for (name, honest) in [("one", 0), ("other", 1)] {
            let inside = context.child("world").with_attribute("name", name);
            let new = Cluster::new(inside, handle.clone(), world.clone(), checks.clone(), evidence.path(), name);
            let mut cluster = new.await;
            [honest, 2, 3].into_iter().for_each(|place| cluster.start(place));
            send(&context.child(name), &cluster, honest, Dice::new(seed));
            worlds.push(cluster);
        }
        context.sleep(Duration::from_secs(20)).await;
        checks.end().0
    })
}

/// What a lying cosigner left behind.
pub(super) struct Caught {
    pub(super) contradictions: u64,
    pub(super) evidence: usize,
    pub(super) violations: Vec<String>,
}

/// One of four cosigns two roots for each size.
pub(super) fn two_histories(seed: u64) -> Caught {
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = tokio.handle().clone();
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(STUCK));
    deterministic::Runner::new(config).start(|context| async move {
        let (world, checks, evidence) = (World::new(Founding::of(4)), Checks::default(), tempfile::tempdir().unwrap());
        let mut cluster =
            Cluster::new(context.child("cluster"), handle, world, checks.clone(), evidence.path(), "node").await;
        (0..3).for_each(|place| cluster.start(place));
        liars::start(&context, &cluster, 3, Lie::Cosignatures, &mut Dice::new(seed)).await;
        send(&context, &cluster, 0, Dice::new(seed));
        context.sleep(Duration::from_secs(20)).await;
        let nodes = (0..3).filter_map(|place| cluster.node(place));
        let contradictions = nodes.map(|node| node.contradictions.load(std::sync::atomic::Ordering::Relaxed)).sum();
        let kept = |place: usize| std::fs::read_dir(evidence.path().join(place.to_string())).map_or(0, Iterator::count);
        Caught { contradictions, evidence: (0..3).map(kept).sum(), violations: checks.end().0 }
    })
}
