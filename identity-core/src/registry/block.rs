//! What the rules know of a block, and what happens by itself at its end.

use super::NotApplied;
use super::accreditation::Ending;
use super::open::Open;
use super::rules::accredit::{end_grant, start_grant};
use super::rules::delegate::{end_delegation, start_delegation};
use super::rules::validators::turn;
use super::schedule::{Event, take_due_once};
use super::state::{Overlay, StateUnreadable, StateView, WriteSet};
use crate::time::UnixMillis;

/// The block a transaction stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Name of the chain.
    pub chain: String,
    /// Origin of the ledger, which every transaction names as `aud`.
    pub origin: String,
    /// Height; the genesis block has 0.
    pub height: u64,
    /// The block's time, agreed by all nodes.
    pub time: UnixMillis,
}

impl Block {
    /// The block's time in whole seconds, for comparison with `exp`, `from` and `until`: a second has come once the
    /// block's milliseconds have reached it.
    pub(super) fn seconds(&self) -> i64 {
        self.time.0.div_euclid(1000)
    }
}

/// Ends a block: writes starts and lapses that have come due into the histories, at the seal's index, and puts the next
/// validators in force if an epoch ends here ([`super::policy_in_force`] then says what the seal states).
///
/// # Errors
/// [`StateUnreadable`]: the node must stop rather than guess.
pub fn close_block(state: &dyn StateView, block: &Block, seal_index: u64) -> Result<WriteSet, StateUnreadable> {
    let mut state = Overlay::new(state);
    match close(&mut state, block, seal_index) {
        Ok(()) => Ok(state.into_writes()),
        Err(NotApplied::State(unreadable)) => Err(unreadable),
        // Nothing at a block's end can be refused; a rule that tries is our own mistake, not the sender's.
        Err(NotApplied::Refused(refused)) => Err(StateUnreadable(format!("end of block refused: {refused}"))),
    }
}

fn close(state: &mut Overlay<'_>, block: &Block, seal_index: u64) -> Result<(), NotApplied> {
    let (mut accreditations, mut duties) = (Open::default(), Open::default());
    for due in take_due_once(state, block.seconds())? {
        let (subject, id) = (&due.subject, due.grant);
        match (due.event, &due.duty) {
            (Event::Start, None) => start_grant(state, &mut accreditations, subject, id, seal_index)?,
            (Event::Lapse, None) => {
                end_grant(state, &mut accreditations, subject, id, seal_index, Ending::Lapsed)?;
            }
            (Event::Start, Some(duty)) => start_delegation(state, &mut duties, subject, duty, id, seal_index)?,
            (Event::Lapse, Some(duty)) => {
                end_delegation(state, &mut duties, subject, duty, id, seal_index, Ending::Lapsed)?;
            }
        }
    }
    accreditations.write(state)?;
    duties.write(state)?;
    turn(state, block, seal_index)
}
