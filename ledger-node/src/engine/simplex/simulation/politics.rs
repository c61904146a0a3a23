//! Members change the set of validators: one comes, one gets other keys, the first goes again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use identity_core::registry::{Change, GenesisValidator, OnProposal, Operation, Propose, VALIDATORS, Validators};

use super::chain::validator;
use super::cluster::{Cluster, Slot};
use super::dice::Dice;
use super::story::deliver;

/// Members that vote, and send nothing else: enough of them for two thirds of all.
pub(super) const VOTERS: usize = 4;
/// How often to look whether a change is in force.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Seconds since the epoch until which a proposal can be approved: the simulation begins there.
const UNTIL: i64 = 80 * 86_400;

/// Begins; says when all changes are in force.
pub(super) fn start(context: &Context, cluster: &Cluster, mut dice: Dice) -> Arc<AtomicBool> {
    let (slots, world, checks) = (cluster.slots(), cluster.world.clone(), cluster.checks.clone());
    let done = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&done);
    let _running = context.child("politics").spawn(move |context| async move {
        let newcomer = u8::try_from(world.seats() - 1).unwrap();
        let changes = [(0, Some(validator(newcomer, 0))), (1, Some(validator(1, 1))), (0, None)];
        for (number, (member, validator)) in (1..).zip(changes) {
            let change = change(&world, member, validator);
            let propose = world.signed(0, 2 * number - 1, &change);
            let Some(place) = deliver(&context, &slots, &propose, &checks, &mut dice).await else { return };
            let approve = Operation::Approve(OnProposal { proposal: place.index });
            for voter in 1..VOTERS {
                let approval = world.signed(voter, number, &approve);
                let _place = deliver(&context, &slots, &approval, &checks, &mut dice).await;
            }
            // Its number is used by an anchor, so that the proposer's sequence goes on.
            let filler = world.transaction(0, 2 * number);
            let _place = deliver(&context, &slots, &filler, &checks, &mut dice).await;
            while !is_in_force(&slots, usize::try_from(number).unwrap()).await {
                context.sleep(LOOK_AGAIN).await;
            }
        }
        told.store(true, Ordering::Relaxed);
    });
    done
}

fn change(world: &super::chain::World, member: usize, validator: Option<GenesisValidator>) -> Operation {
    let change = Change::Validator { did: world.did(member).clone(), validator };
    Operation::Propose(Propose { change, until: UNTIL })
}

/// Whether some node has executed so many changes of the set.
async fn is_in_force(slots: &[Slot], changes: usize) -> bool {
    for slot in slots {
        let Some(node) = slot.lock().unwrap().clone() else { continue };
        let Some(round) = node.round() else { continue };
        let found = node.value(VALIDATORS, &round).await.ok().flatten();
        let found: Option<Validators> = found.and_then(|json| serde_json::from_slice(&json).ok());
        if found.is_some_and(|validators| validators.sets.len() > changes) {
            return true;
        }
    }
    false
}
