//! What a node stands on, and the checkpoint to reach from there.

use identity_core::registry::policy_in_force;
use identity_core::time::{UnixMillis, UnixSeconds};
use ledger::tree::Frontier;
use ledger::walk::{Walk, WalkError, Walked};
use ledger::{Hash, LogProof, Seal, TrustRoot};
use service_kit::store::StoreError;

use super::chunk::Reached;
use crate::boundary;
use crate::executor::Executor;
use crate::node::Round;
use crate::store::{Head, VersionedState};

/// What this node has executed, and whom it therefore believes.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) head: Head,
    /// Right edge of the log.
    pub(super) frontier: Frontier,
    /// The set in force after the head.
    pub(crate) trust_root: TrustRoot,
}

impl Standing {
    /// Reads it from what was executed: the set stands in our own state. Blocking.
    pub(crate) fn of(executor: &Executor) -> Result<Self, StoreError> {
        let (head, store) = (executor.head().clone(), executor.store());
        let state = VersionedState::new(store, Some(head.height));
        let digest = policy_in_force(&state).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let policy = boundary::policy(store, &digest, head.height)?;
        let trust_root = TrustRoot::parse(&policy).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Self { head, frontier: executor.edge().frontier().clone(), trust_root })
    }
}

/// A checkpoint to reach, certified by the set in force where we stand, over a seal.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) size: u64,
    pub(super) root: Hash,
    reached: Reached,
}

impl Target {
    /// Where a walk leads from here, as far as the set in force here certifies it: the end of its reign if that is shown,
    /// else the newest seal; nothing if the walk shows neither.
    ///
    /// # Errors
    /// [`WalkError`]: that set did not certify what is shown, or it is no seal.
    pub(super) fn of(walk: &Walk, trust_root: &TrustRoot) -> Result<Option<Self>, WalkError> {
        let (first, ends_set) = match (walk.steps.first(), &walk.newest) {
            (Some(step), _) => (Walk { steps: vec![step.clone()], newest: None }, true),
            (None, Some(newest)) => (Walk { steps: Vec::new(), newest: Some(newest.clone()) }, false),
            (None, None) => return Ok(None),
        };
        let walked = Walked::from(trust_root.clone()).along(&first)?;
        let shown = first.steps.first().map(|step| &step.named).or(first.newest.as_ref());
        let (Some(shown), Some(certified)) = (shown, walked.checkpoint()) else { return Ok(None) };
        let (size, root) = (certified.size(), *certified.root());
        let seal = Seal::parse(shown.seal.as_bytes())?;
        let time = UnixMillis(i64::try_from(seal.time).unwrap_or(i64::MAX));
        let head = Head { height: seal.height, time, size, root, state: seal.state };
        let at = UnixSeconds(i64::try_from(certified.cosigned_at()).unwrap_or(i64::MAX));
        let round = Round { head, note: LogProof::parse(&shown.proof)?.note, at };
        Ok(Some(Self { size, root, reached: Reached { round, ends_set } }))
    }

    pub(super) fn note(&self) -> &str {
        &self.reached.round.note
    }

    pub(super) fn reached(&self) -> &Reached {
        &self.reached
    }
}
