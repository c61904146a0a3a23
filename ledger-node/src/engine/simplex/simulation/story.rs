//! One seed's story: who sends, who fails, who lies, and what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

use commonware_macros::select;
use commonware_runtime::deterministic::{self, Context};
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _};
use ledger::Hash;

use super::chain::{Founding, World};
use super::checks::Checks;
use super::cluster::{Cluster, Slot};
use super::dice::Dice;
use super::faults::{Fault, strike};
use super::liars::{self, Lie};
use super::{panics, pests, politics};
use crate::node::{Node, SubmitError};
use crate::store::Place;
use identity_core::registry::Refused;

/// Simulated time after which a story has got stuck.
const STUCK: Duration = Duration::from_secs(900);
/// Within so much simulated time, a healed cluster certifies something new on every honest node.
pub(super) const HEALING: Duration = Duration::from_secs(60);
/// How long a sender waits for an answer before it asks another node.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

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
    /// How the liar lied, and everything that happened to the others.
    pub(super) lie: Lie,
    pub(super) faults: Vec<Fault>,
    pub(super) height: u64,
    /// Blocks with no transaction.
    pub(super) empty: usize,
    /// How often one had been away for longer than the others' engines keep blocks for, and noticed.
    pub(super) fallen_behind: usize,
    /// Digest of every note that every node showed.
    pub(super) notes: Hash,
    /// The runtime's own digest of every step, message and write.
    pub(super) trace: String,
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
        let seed = self.seed;
        let (mut outcome, panics) = simulated(seed, |context, tokio| self.tell(context, tokio));
        outcome.violations.extend(panics);
        outcome
    }

    async fn tell(self, context: Context, tokio: tokio::runtime::Handle) -> Outcome {
        let mut dice = Dice::new(self.seed);
        let evidence = tempfile::tempdir().unwrap();
        let (world, checks) = (World::new(self.founding), Checks::default());
        let inside = context.child("cluster");
        let mut cluster = Cluster::new(inside, tokio, world, checks.clone(), evidence.path(), "node", &mut dice).await;
        let liar = usize::from(self.founding.validators) - 1;
        let lie = Lie::ALL[dice.below(Lie::ALL.len())];
        let honest: Vec<usize> = (0..cluster.places()).filter(|place| *place != liar || lie == Lie::None).collect();
        honest.iter().filter(|place| **place != liar).for_each(|place| cluster.start(*place));
        liars::start(&context, &mut cluster, liar, lie, &mut dice).await;
        let voters = if self.politics { politics::VOTERS } else { 0 };
        for sender in voters..cluster.world.senders() {
            send(&context, &cluster, sender, Dice::new(dice.next()));
        }
        pests::start(&context, &cluster, Dice::new(dice.next()));
        let done = self.politics.then(|| politics::start(&context, &cluster, Dice::new(dice.next())));
        let is_undone = || done.as_ref().is_some_and(|done| !done.load(Ordering::Relaxed));

        let mut faults = Vec::new();
        while lowest(&cluster, &honest) < self.heights || faults.len() < 2 || is_undone() {
            context.sleep(dice.between(300, 2_000)).await;
            let fault = Fault::ALL[dice.below(Fault::ALL.len())];
            strike(&context, &mut cluster, &honest, fault, &mut dice).await;
            faults.push(fault);
            if lie == Lie::Amnesia {
                cluster.kill(liar);
                context.sleep(dice.between(100, 500)).await;
                cluster.start(liar);
            }
        }
        recover(&context, &mut cluster, &honest).await;
        look_for_everything(&cluster, &honest).await;
        let (violations, notes) = checks.end();
        Outcome {
            violations,
            lie,
            faults,
            height: checks.height(),
            empty: checks.empty(),
            fallen_behind: checks.fallen_behind(),
            notes,
            trace: context.auditor().state(),
        }
    }
}

/// Runs in simulated time, which begins a day after the epoch, so that clocks may be behind. Gives what nothing excused of
/// the panics, too.
pub(super) fn simulated<T, F: Future<Output = T>>(
    seed: u64,
    tell: impl FnOnce(Context, tokio::runtime::Handle) -> F,
) -> (T, Vec<String>) {
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = tokio.handle().clone();
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(STUCK));
    let config = config.with_start_time(UNIX_EPOCH + Duration::from_hours(24)).with_catch_panics(true);
    panics::watch();
    let told = deterministic::Runner::new(config).start(|context| tell(context, handle));
    (told, panics::end())
}

/// The height that every honest node has certified; dead ones have certified nothing.
pub(super) fn lowest(cluster: &Cluster, honest: &[usize]) -> u64 {
    let height = |place: &usize| Some(cluster.node(*place)?.round()?.head.height);
    honest.iter().map(|place| height(place).unwrap_or(0)).min().unwrap_or(0)
}

/// Everything is healed: every honest node must certify something that nobody had executed yet.
pub(super) async fn recover(context: &Context, cluster: &mut Cluster, honest: &[usize]) {
    cluster.heal().await;
    let goal = cluster.checks.height() + 1;
    let deadline = context.current() + HEALING;
    while lowest(cluster, honest) < goal {
        if context.current() > deadline {
            let executed = |place: usize| cluster.node(place).map(|node| node.executed().height);
            let heights: Vec<_> =
                honest.iter().map(|place| (*place, lowest(cluster, &[*place]), executed(*place))).collect();
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
pub(super) fn send(context: &Context, cluster: &Cluster, sender: usize, mut dice: Dice) {
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
