//! Misfortunes that honest nodes have to survive, one at a time.

use std::time::Duration;

use commonware_runtime::Clock as _;
use commonware_runtime::deterministic::Context;

use super::cluster::Cluster;
use super::dice::Dice;
use super::disk::{Commit, Trouble};

/// How far a wrong clock is off.
pub(super) const CLOCK_OFF_MILLIS: i64 = 3_600_000;
/// How long a node whose disk has healed may go on before somebody looks whether it still runs.
const LOOK_AFTER: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
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
    /// One's clock is off by an hour, and set right again.
    Clock,
    /// One's disk is full, or cannot sync, for a while.
    Disk,
    /// One commit of one node's store fails, whether or not it was saved.
    Commit,
}

impl Fault {
    pub(super) const ALL: [Self; 8] =
        [Self::Crash, Self::Wipe, Self::Blackout, Self::Partition, Self::OneWay, Self::Clock, Self::Disk, Self::Commit];
}

/// Lets it happen to some of the honest, and heals it.
pub(super) async fn strike(context: &Context, cluster: &mut Cluster, honest: &[usize], fault: Fault, dice: &mut Dice) {
    let victim = honest[dice.below(honest.len())];
    match fault {
        Fault::Crash | Fault::Wipe => {
            cluster.kill(victim);
            context.sleep(dice.between(100, 4_000)).await;
            if fault == Fault::Wipe {
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
                    cluster.cut(from, to).await;
                }
            }
            context.sleep(dice.between(500, 5_000)).await;
            cluster.heal().await;
        }
        Fault::OneWay => {
            let deaf = dice.below(2) == 0;
            for other in (0..cluster.places()).filter(|other| *other != victim) {
                let (from, to) = if deaf { (other, victim) } else { (victim, other) };
                cluster.cut(from, to).await;
            }
            context.sleep(dice.between(500, 5_000)).await;
            cluster.heal().await;
        }
        Fault::Clock => {
            let ahead = if dice.below(2) == 0 { CLOCK_OFF_MILLIS } else { -CLOCK_OFF_MILLIS };
            cluster.hardware(victim).set_clock(ahead);
            context.sleep(dice.between(500, 5_000)).await;
            cluster.hardware(victim).set_clock(0);
        }
        Fault::Disk => {
            let trouble = if dice.below(2) == 0 { Trouble::Full } else { Trouble::Unsyncable };
            cluster.hardware(victim).disk.suffer(trouble);
            context.sleep(dice.between(100, 3_000)).await;
            cluster.hardware(victim).disk.suffer(Trouble::None);
            context.sleep(LOOK_AFTER).await;
            // Whoever did not notice goes on; half of them are started anew all the same. An engine that was refused once ends
            // sooner or later: a failed sync is looked at when somebody waits for it.
            let was_refused = cluster.hardware(victim).disk.excuse().holds();
            if was_refused || cluster.node(victim).is_none() || dice.below(2) == 0 {
                cluster.kill(victim);
                context.sleep(dice.between(100, 1_000)).await;
                cluster.start(victim);
            }
        }
        Fault::Commit => {
            let how = if dice.below(2) == 0 { Commit::Lost } else { Commit::Saved };
            cluster.hardware(victim).disk.break_commit(how);
        }
    }
}
