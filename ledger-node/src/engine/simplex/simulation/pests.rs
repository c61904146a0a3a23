//! A client that sends what was accepted already, what is too long, and what is nothing at all. None of it may cost the
//! nodes more than the answer.

use commonware_macros::select;
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use identity_core::registry::MAX_TRANSACTION_BYTES;

use super::cluster::Cluster;
use super::dice::Dice;
use super::story::PATIENCE;
use crate::node::SubmitError;

/// Begins; goes on until the story ends.
pub(super) fn start(context: &Context, cluster: &Cluster, mut dice: Dice) {
    let (slots, checks, world) = (cluster.slots(), cluster.checks.clone(), cluster.world.clone());
    let last = world.senders() - 1;
    let _running = context.child("pest").spawn(move |context| async move {
        loop {
            context.sleep(dice.between(200, 1_000)).await;
            let Some(node) = slots[dice.below(slots.len())].lock().unwrap().clone() else { continue };
            let known = checks.acknowledgements();
            let (text, place) = match dice.below(4) {
                0 => ("e".repeat(MAX_TRANSACTION_BYTES + 1), None),
                1 => (format!("{}x", world.transaction(last, 1)), None),
                _ if known.is_empty() => continue,
                _ => {
                    let (transaction, place) = known[dice.below(known.len())].clone();
                    (transaction, Some(place))
                }
            };
            let answer = select! {
                answer = node.submit(&text) => answer,
                () = context.sleep(PATIENCE) => { continue },
            };
            match (answer, place) {
                (Ok((_, given)), Some(place)) if given == place => {}
                (Ok(_), Some(_)) => checks.violated("what was accepted got a second place".to_owned()),
                (Ok(_), None) => checks.violated("what is no transaction was accepted".to_owned()),
                (Err(SubmitError::Refused(refused)), Some(_)) => {
                    checks.violated(format!("what was accepted is refused when it comes again: {refused}"));
                }
                // What is wrong is refused; and a node that is stopping or cannot save says so to anybody.
                (Err(_), _) => {}
            }
        }
    });
}
