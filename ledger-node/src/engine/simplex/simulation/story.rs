//! One seed's story: who sends, who fails, who lies, and what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use commonware_macros::select;
use commonware_runtime::deterministic::{self, Context};
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Storage as _, Supervisor as _};
use ledger::Hash;
use tempfile::TempDir;

use super::chain::{Founding, World};
use super::checks::Checks;
use super::cluster::{Cluster, Slot};
use super::dice::Dice;
use super::faults::{CLOCK_OFF_MILLIS, Fault, strike};
use super::liars::{self, Lie};
use super::wires::Bend;
use super::{panics, pests, politics};
use crate::node::{Node, SubmitError};
use crate::store::Place;
use identity_core::registry::Refused;

/// Simulated time after which a story has got stuck.
const STUCK: Duration = Duration::from_secs(900);
/// Within so much simulated time, a healed cluster certifies something new on every honest node.
const HEALING: Duration = Duration::from_secs(60);
/// Blocks that whoever is away for long misses: several times what engines keep.
const MISSED: u64 = 60;
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
fn simulated<T, F: Future<Output = T>>(
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
fn lowest(cluster: &Cluster, honest: &[usize]) -> u64 {
    let height = |place: &usize| Some(cluster.node(*place)?.round()?.head.height);
    honest.iter().map(|place| height(place).unwrap_or(0)).min().unwrap_or(0)
}

/// Everything is healed: every honest node must certify something that nobody had executed yet.
async fn recover(context: &Context, cluster: &mut Cluster, honest: &[usize]) {
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

/// Four nodes, none of which runs yet, and where they leave evidence for as long as it is held.
async fn four(context: &Context, tokio: tokio::runtime::Handle, dice: &mut Dice) -> (Cluster, TempDir) {
    let evidence = tempfile::tempdir().unwrap();
    let (inside, world) = (context.child("cluster"), World::new(Founding::of(4)));
    (Cluster::new(inside, tokio, world, Checks::default(), evidence.path(), "node", dice).await, evidence)
}

/// Two of four vote in two worlds at once, with the same keys: one more than may be faulty.
pub(super) fn two_worlds(seed: u64) -> Vec<String> {
    let (violations, panics) = simulated(seed, |context, handle| async move {
        let (world, checks) = (World::new(Founding::of(4)), Checks::default());
        let evidence = tempfile::tempdir().unwrap();
        let mut worlds = Vec::new();
        for (name, honest) in [("one", 0), ("other", 1)] {
            let inside = context.child("world").with_attribute("name", name);
            let (world, checks, dice) = (world.clone(), checks.clone(), &mut Dice::new(seed));
            let mut cluster = Cluster::new(inside, handle.clone(), world, checks, evidence.path(), name, dice).await;
            [honest, 2, 3].into_iter().for_each(|place| cluster.start(place));
            send(&context.child(name), &cluster, honest, Dice::new(seed));
            worlds.push(cluster);
        }
        context.sleep(Duration::from_secs(20)).await;
        checks.end().0
    });
    [violations, panics].concat()
}

/// One of four is there twice, and everybody hears both. Says which of the others have cut it off, and what was violated.
pub(super) fn two_votes(seed: u64) -> (BTreeSet<usize>, Vec<String>) {
    let ((by, violations), panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, _evidence) = four(&context, handle, dice).await;
        (0..3).for_each(|place| cluster.start(place));
        liars::start(&context, &mut cluster, 3, Lie::LoudTwins, dice).await;
        (0..3).for_each(|sender| send(&context, &cluster, sender, Dice::new(dice.next())));
        context.sleep(Duration::from_secs(20)).await;
        let cut = cluster.oracle.blocked().await.unwrap();
        let place = |key| (0..4).find(|place| cluster.world.transports(*place).any(|own| own == key)).unwrap();
        let cut = cut.into_iter().map(|(from, to)| (place(from), place(to)));
        let by = cut.filter(|(from, to)| *from != 3 && *to == 3).map(|(from, _)| from).collect();
        (by, cluster.checks.end().0)
    });
    (by, [violations, panics].concat())
}

/// What a lying cosigner left behind.
pub(super) struct Caught {
    pub(super) contradictions: u64,
    pub(super) evidence: usize,
    pub(super) violations: Vec<String>,
}

/// One of four cosigns two roots for each size.
pub(super) fn two_histories(seed: u64) -> Caught {
    let (mut caught, panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, evidence) = four(&context, handle, dice).await;
        (0..3).for_each(|place| cluster.start(place));
        liars::start(&context, &mut cluster, 3, Lie::Cosignatures, dice).await;
        send(&context, &cluster, 0, Dice::new(seed));
        context.sleep(Duration::from_secs(20)).await;
        let nodes = (0..3).filter_map(|place| cluster.node(place));
        let contradictions = nodes.map(|node| node.contradictions.load(std::sync::atomic::Ordering::Relaxed)).sum();
        let kept = |place: usize| std::fs::read_dir(evidence.path().join(place.to_string())).map_or(0, Iterator::count);
        Caught { contradictions, evidence: (0..3).map(kept).sum(), violations: cluster.checks.end().0 }
    });
    caught.violations.extend(panics);
    caught
}

/// Blocks a second, as a cluster goes on.
pub(super) struct Pace {
    /// While all is well.
    pub(super) before: f64,
    /// While nobody hears a cosignature, once many blocks stand uncertified.
    pub(super) lagging: f64,
    /// Once they are heard again.
    pub(super) after: f64,
    pub(super) violations: Vec<String>,
}

/// For a while the cosignatures of all four are held up, and nothing else.
pub(super) fn held_up(seed: u64) -> Pace {
    let (mut pace, panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, _evidence) = four(&context, handle, dice).await;
        let withheld = Arc::new(AtomicBool::new(false));
        for place in 0..4 {
            cluster.bend(place, Bend::WithholdCosignatures(Arc::clone(&withheld)));
            cluster.start(place);
        }
        (0..3).for_each(|sender| send(&context, &cluster, sender, Dice::new(dice.next())));
        let pace = async || {
            // What goes before is under way still.
            context.sleep(Duration::from_secs(10)).await;
            let begun = cluster.checks.height();
            context.sleep(Duration::from_secs(20)).await;
            f64::from(u32::try_from(cluster.checks.height() - begun).unwrap()) / 20.0
        };
        let before = pace().await;
        withheld.store(true, Ordering::Relaxed);
        let lagging = pace().await;
        withheld.store(false, Ordering::Relaxed);
        let after = pace().await;
        recover(&context, &mut cluster, &[0, 1, 2, 3]).await;
        Pace { before, lagging, after, violations: cluster.checks.end().0 }
    });
    pace.violations.extend(panics);
    pace
}

/// How many blocks three of four make in half a minute after the fourth died and the clock of one of them, `ahead` by so many
/// milliseconds for a while, was set right; and what was violated.
pub(super) fn set_right(seed: u64, ahead: i64) -> (u64, Vec<String>) {
    let ((blocks, violations), panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, _evidence) = four(&context, handle, dice).await;
        (0..4).for_each(|place| cluster.start(place));
        (0..3).for_each(|sender| send(&context, &cluster, sender, Dice::new(dice.next())));
        context.sleep(Duration::from_secs(5)).await;
        cluster.hardware(1).set_clock(ahead);
        context.sleep(Duration::from_secs(5)).await;
        cluster.hardware(1).set_clock(0);
        cluster.kill(3);
        let begun = cluster.checks.height();
        context.sleep(Duration::from_secs(30)).await;
        let blocks = cluster.checks.height() - begun;
        recover(&context, &mut cluster, &[0, 1, 2]).await;
        (blocks, cluster.checks.end().0)
    });
    (blocks, [violations, panics].concat())
}

/// How a validator is away for longer than the others' engines keep blocks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is dead, and comes back with what it had.
    Dead,
    /// It is dead, and comes back with nothing.
    Lost,
    /// It lives, and nothing goes to it or comes from it.
    CutOff,
}

/// What came of an absence.
pub(super) struct Returned {
    /// Blocks that were made meanwhile.
    pub(super) missed: u64,
    /// How often it noticed while its engine ran.
    pub(super) fallen_behind: usize,
    /// By place, how many sections of blocks the engine keeps in the end.
    pub(super) sections: Vec<usize>,
    pub(super) violations: Vec<String>,
}

/// One of four is away until the others have let go of what comes next for it.
pub(super) fn away(seed: u64, absence: Absence) -> Returned {
    let (mut returned, panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, _evidence) = four(&context, handle, dice).await;
        if absence == Absence::Lost {
            cluster.make_forgetful(3);
        }
        (0..4).for_each(|place| cluster.start(place));
        (0..3).for_each(|sender| send(&context, &cluster, sender, Dice::new(dice.next())));
        context.sleep(Duration::from_secs(5)).await;
        for other in 0..3 {
            cluster.cut(3, other).await;
            cluster.cut(other, 3).await;
        }
        if absence != Absence::CutOff {
            cluster.kill(3);
        }
        let begun = cluster.checks.height();
        while cluster.checks.height() < begun + MISSED {
            context.sleep(Duration::from_millis(100)).await;
        }
        if absence == Absence::Lost {
            cluster.wipe(3);
        }
        if absence != Absence::CutOff {
            cluster.start(3);
        }
        let missed = cluster.checks.height() - begun;
        recover(&context, &mut cluster, &[0, 1, 2, 3]).await;
        context.sleep(Duration::from_secs(10)).await;
        let mut sections = Vec::new();
        for place in 0..4 {
            let life = if place == 3 && absence == Absence::Lost { "-2" } else { "" };
            sections.push(context.scan(&format!("node{place}{life}-0-blocks-values")).await.unwrap().len());
        }
        let checks = &cluster.checks;
        Returned { missed, fallen_behind: checks.fallen_behind(), sections, violations: checks.end().0 }
    });
    returned.violations.extend(panics);
    returned
}

/// What is not certified, for nobody hears a cosignature, until it is more than engines keep of what is; then one of four comes
/// back with nothing. Says how many blocks stood uncertified, whether it had executed them before a cosignature was heard, and
/// what was violated.
pub(super) fn lost_while_held_up(seed: u64) -> (u64, bool, Vec<String>) {
    let ((uncertified, followed, violations), panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, _evidence) = four(&context, handle, dice).await;
        cluster.make_forgetful(3);
        let withheld = Arc::new(AtomicBool::new(false));
        for place in 0..4 {
            cluster.bend(place, Bend::WithholdCosignatures(Arc::clone(&withheld)));
            cluster.start(place);
        }
        (0..3).for_each(|sender| send(&context, &cluster, sender, Dice::new(dice.next())));
        context.sleep(Duration::from_secs(5)).await;
        withheld.store(true, Ordering::Relaxed);
        let certified = lowest(&cluster, &[0, 1, 2]);
        while cluster.checks.height() < certified + MISSED {
            context.sleep(Duration::from_millis(100)).await;
        }
        let uncertified = cluster.checks.height() - lowest(&cluster, &[0, 1, 2]);
        cluster.kill(3);
        context.sleep(Duration::from_secs(1)).await;
        cluster.wipe(3);
        let goal = cluster.checks.height();
        cluster.start(3);
        context.sleep(HEALING).await;
        let followed = cluster.node(3).is_some_and(|node| node.executed().height >= goal);
        withheld.store(false, Ordering::Relaxed);
        recover(&context, &mut cluster, &[0, 1, 2, 3]).await;
        (uncertified, followed, cluster.checks.end().0)
    });
    (uncertified, followed, [violations, panics].concat())
}

/// One of four has a clock that is ahead, and each of the others has one for a moment, one after the other. Gives how many
/// blocks were made once all were right again, and what was violated.
pub(super) fn wrong_in_turn(seed: u64) -> (u64, Vec<String>) {
    let ((blocks, violations), panics) = simulated(seed, |context, handle| async move {
        let dice = &mut Dice::new(seed);
        let (mut cluster, _evidence) = four(&context, handle, dice).await;
        cluster.hardware(3).set_clock(CLOCK_OFF_MILLIS);
        (0..4).for_each(|place| cluster.start(place));
        (0..3).for_each(|sender| send(&context, &cluster, sender, Dice::new(dice.next())));
        context.sleep(Duration::from_secs(5)).await;
        for turn in 0..30 {
            let victim = turn % 3;
            cluster.hardware(victim).set_clock(CLOCK_OFF_MILLIS);
            context.sleep(dice.between(300, 1_500)).await;
            cluster.hardware(victim).set_clock(0);
            context.sleep(dice.between(300, 600)).await;
        }
        let begun = cluster.checks.height();
        recover(&context, &mut cluster, &[0, 1, 2]).await;
        (cluster.checks.height() - begun, cluster.checks.end().0)
    });
    (blocks, [violations, panics].concat())
}
