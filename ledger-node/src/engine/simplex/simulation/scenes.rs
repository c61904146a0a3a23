//! Stories that are told on purpose, each about one thing that chance alone would rarely show.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Storage as _, Supervisor as _};
use tempfile::TempDir;

use super::chain::{Founding, World};
use super::checks::Checks;
use super::cluster::Cluster;
use super::dice::Dice;
use super::faults::CLOCK_OFF_MILLIS;
use super::liars::{self, Lie};
use super::story::{HEALING, lowest, recover, send, simulated};
use super::wires::Bend;

/// Blocks that whoever is away for long misses: several times what engines keep.
const MISSED: u64 = 60;

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

/// One of four has a clock that is ahead, and each of the others has one for a moment, one after the other; then all are right.
/// Says what was violated.
pub(super) fn wrong_in_turn(seed: u64) -> Vec<String> {
    let (violations, panics) = simulated(seed, |context, handle| async move {
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
        recover(&context, &mut cluster, &[0, 1, 2]).await;
        cluster.checks.end().0
    });
    [violations, panics].concat()
}
