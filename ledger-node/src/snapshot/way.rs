//! The way from the genesis file's validators to a certified block, and what stands along it.

use identity_core::registry::Validators;
use identity_core::time::{UnixMillis, UnixSeconds};
use ledger::snapshot::Malformed;
use ledger::walk::{MAX_STEPS, SealProof, Walk, Walked};
use ledger::{Hash, LogProof, Seal, TrustRoot};
use service_kit::store::StoreError;

use super::SnapshotError;
use crate::boundary;
use crate::chain::Chain;
use crate::store::{Head, SyncStore};

/// Where a way has led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) head: Head,
    /// The head's seal, with its proof: the last entry of the checkpoint.
    pub(crate) shown: SealProof,
    /// The certified note over exactly that head.
    pub(crate) note: String,
    /// When it was cosigned, by the rule that verifiers apply.
    pub(crate) at: UnixSeconds,
    /// The seals that named another set, in order.
    pub(crate) passed: Vec<Passed>,
    /// The sets that the way led through, the first and the last among them, by their policies.
    through: Vec<Hash>,
}

/// A seal that named another set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) index: u64,
    pub(crate) named: SealProof,
    /// The note over it.
    pub(crate) note: String,
    /// Of the set that it named.
    policy: Hash,
}

/// Why what a store holds does not prove a head of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unproven {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the checkpoint over log entry {0} is missing")]
    Lost(u64),
    #[error("{0}")]
    Broken(SnapshotError),
    #[error("the way leads to another block")]
    Elsewhere,
    #[error("its state knows other sets of validators than the way to it")]
    OtherSets,
}

/// Proves a head of this store, whose seal is shown by `newest`, as to somebody who knows the genesis file only: gives the
/// way to it, and where that leads.
pub(crate) fn prove(
    store: &SyncStore,
    chain: &Chain,
    head: &Head,
    newest: SealProof,
) -> Result<(Vec<Walk>, Target), Unproven> {
    let way = to(store, head, newest)?;
    let target = follow(chain, &way).map_err(Unproven::Broken)?;
    if target.head != *head {
        return Err(Unproven::Elsewhere);
    }
    if !target.agrees_with(&boundary::validators(store, head.height)?) {
        return Err(Unproven::OtherSets);
    }
    Ok((way, target))
}

fn to(store: &SyncStore, head: &Head, newest: SealProof) -> Result<Vec<Walk>, Unproven> {
    let steps = boundary::steps(store, head.height)?.map_err(Unproven::Lost)?;
    let mut way: Vec<Walk> =
        steps.chunks(MAX_STEPS).map(|steps| Walk { steps: steps.to_vec(), newest: None }).collect();
    // A seal that names another set is shown by the last step.
    let is_shown = steps.last().is_some_and(|step| step.named.seal == newest.seal);
    match way.last_mut() {
        Some(_) if is_shown => {}
        Some(last) => last.newest = Some(newest),
        None => way.push(Walk { steps, newest: Some(newest) }),
    }
    Ok(way)
}

/// Follows a way; every step of it holds, or it leads nowhere.
pub(crate) fn follow(chain: &Chain, way: &[Walk]) -> Result<Target, SnapshotError> {
    let mut walked = Walked::from(chain.trust_root().clone());
    let (mut passed, mut through) = (Vec::new(), vec![chain.policy_digest()]);
    let mut shown = None;
    for (place, walk) in way.iter().enumerate() {
        let is_last = place.checked_add(1) == Some(way.len());
        if walk.steps.len() > MAX_STEPS || (!is_last && (walk.steps.is_empty() || walk.newest.is_some())) {
            return Err(Malformed("its way").into());
        }
        walked = walked.along(walk)?;
        for step in &walk.steps {
            let proof = read_proof(&step.named)?;
            let policy = Seal::parse(step.named.seal.as_bytes()).map_err(ledger::walk::WalkError::from)?.policy;
            passed.push(Passed { index: proof.index, named: step.named.clone(), note: proof.note, policy });
            through.push(policy);
        }
        shown = walk.newest.as_ref().or(walk.steps.last().map(|step| &step.named)).or(shown);
    }
    let (Some(shown), Some(certified)) = (shown, walked.checkpoint()) else {
        return Err(Malformed("its way leads nowhere").into());
    };
    let (seal, proof) =
        (Seal::parse(shown.seal.as_bytes()).map_err(ledger::walk::WalkError::from)?, read_proof(shown)?);
    let time = UnixMillis(i64::try_from(seal.time).map_err(|_| Malformed("the time of its seal"))?);
    let (size, root) = (certified.size(), *certified.root());
    let at = UnixSeconds(i64::try_from(certified.cosigned_at()).unwrap_or(i64::MAX));
    let head = Head { height: seal.height, time, size, root, state: seal.state };
    Ok(Target { head, shown: shown.clone(), note: proof.note, at, passed, through })
}

/// A proof in its one spelling: a line that nobody looks at could be anything.
fn read_proof(shown: &SealProof) -> Result<LogProof, SnapshotError> {
    let proof = LogProof::parse(&shown.proof).map_err(ledger::walk::WalkError::from)?;
    if proof.extra.is_some() || proof.to_string() != shown.proof {
        return Err(Malformed("a log proof of its way").into());
    }
    Ok(proof)
}

impl Target {
    /// Whether the way led through the set of a trust root.
    pub(crate) fn leads_through(&self, trust_root: &TrustRoot) -> bool {
        self.through.contains(&trust_root.digest())
    }

    /// Whether the state under the head knows the same sets, named by the same seals.
    pub(crate) fn agrees_with(&self, validators: &Validators) -> bool {
        let named = validators.sets.iter().skip(1).map(|set| (set.from, set.policy));
        let first = validators.sets.first().map(|set| set.policy);
        first == self.through.first().copied()
            && named.eq(self.passed.iter().map(|passed| (passed.index, passed.policy)))
    }
}
