//! Verifiers that have walked from the first validators to today's.

use ledger::walk::Walked;
use ledger::{PastMoment, Seal, TrustRoot};

use crate::anchor::AnchorError;
use crate::ledger_problem::LedgerProblem as _;
use crate::problem::Code;
use crate::sample::consortium::Consortium;
use crate::sample::world::{NOW, World};
use crate::verdict::{AsOf, EvidenceError, OnUndetermined, Policy, Refusal, Verified, When, judge};

fn walked(from: &TrustRoot, world: &World) -> TrustRoot {
    let walked = Walked::from(from.clone()).along(&world.ledger.walk(NOW.0 - 100)).unwrap();
    assert!(walked.has_arrived());
    walked.trust_root().clone()
}

fn judged(world: &World, trust_root: &TrustRoot) -> Result<Verified, Refusal> {
    let evidence = world.evidence.prepare(trust_root.clone())?;
    judge(&world.presentation(), &evidence, &world.policy, world.now)
}

#[test]
fn who_holds_the_genesis_trust_root_checks_a_credential_anchored_after_two_changes_of_members() {
    let Consortium { world, genesis, .. } = Consortium::new();
    assert_eq!(world.ledger.validators().sets.len(), 3);
    assert!(world.ledger.validators().sets[2].from < world.anchored);
    // The first set alone cannot tell: its members are no quorum any more.
    let refused = world.evidence.prepare(genesis.clone()).err();
    assert!(matches!(refused, Some(EvidenceError::Proof(_))), "{refused:?}");
    assert!(judged(&world, &walked(&genesis, &world)).is_ok());
}

#[test]
fn a_proof_under_an_earlier_set_is_refused_and_a_fresh_one_is_not() {
    let mut consortium = Consortium::new();
    let before = walked(&consortium.genesis, &consortium.world);
    consortium.rotate(7, NOW.0 - 1_000);
    consortium.rotate(8, NOW.0 - 900);
    consortium.rotate(9, NOW.0 - 800);
    let world = &mut consortium.world;
    world.fetch();
    let newest = walked(&consortium.genesis, world);
    assert_ne!(newest, before);
    // The wallet still has the proof that it was given under the earlier set.
    let refused = judged(world, &newest).unwrap_err();
    assert_eq!(refused, Refusal::Anchor(AnchorError::NotCertified));
    world.present();
    assert!(judged(world, &newest).is_ok());
}

#[test]
fn evidence_of_a_set_that_was_left_behind_is_refused() {
    let mut consortium = Consortium::new();
    let stale = consortium.world.evidence.clone();
    [7, 8, 9].into_iter().zip([900, 800, 700]).for_each(|(number, ago)| consortium.rotate(number, NOW.0 - ago));
    let newest = walked(&consortium.genesis, &consortium.world);
    assert!(matches!(stale.prepare(newest).err(), Some(EvidenceError::Proof(_))));
}

/// When the last seal of the set before the newest was made, in milliseconds; the newest set made one a second later.
fn change_of_sets(world: &World) -> u64 {
    let newest = world.ledger.walk(NOW.0).newest.unwrap();
    time_of(&newest.seal) - 1_000
}

fn time_of(seal: &str) -> u64 {
    Seal::parse(seal.as_bytes()).unwrap().time
}

fn judged_then(world: &World, trust_root: &TrustRoot, moment: &PastMoment) -> Result<Verified, Refusal> {
    let evidence = world.evidence.prepare(trust_root.clone())?;
    // The status list at hand is today's.
    let policy = Policy { undetermined: OnUndetermined::Accept, ..world.policy.clone() };
    judge(&world.presentation(), &evidence, &policy, When { received: world.now, as_of: AsOf::Past(moment) })
}

#[test]
fn a_time_between_the_seals_of_two_sets_is_told_by_the_later_one() {
    let mut consortium = Consortium::new();
    consortium.rotate(7, NOW.0 - 1_000);
    let world = &mut consortium.world;
    let newest = walked(&consortium.genesis, world);
    let change = change_of_sets(world);
    let proof = world.ledger.time_proof(change + 500, NOW.0 - 100);
    let (before, after) = (Seal::parse(proof.before.seal.as_bytes()).unwrap(), proof.after.as_ref().unwrap());
    // The first is the last word of one set, and names the next, which made the second.
    assert_eq!((before.time, time_of(&after.seal)), (change, change + 1_000));
    assert_eq!(before.policy, newest.digest());
    assert_ne!(before.policy, world.ledger.validators().sets[2].policy);
    let moment = proof.verify(&newest, change + 500).unwrap();
    assert!(moment.is_closed());
    assert_eq!(world.ledger.leaf(moment.index()), proof.before.seal);
    world.fetch();
    world.present();
    assert_eq!(judged_then(world, &newest, &moment).unwrap().past(), Some(moment.index()));
}

#[test]
fn a_time_proof_by_a_set_that_was_left_behind_is_refused_and_a_fresh_one_tells_the_same() {
    let mut consortium = Consortium::new();
    let before = walked(&consortium.genesis, &consortium.world);
    let time = u64::try_from(NOW.0 - 1_200).unwrap() * 1_000;
    let kept = consortium.world.ledger.time_proof(time, NOW.0 - 1_100);
    [7, 8, 9].into_iter().zip([1_000, 900, 800]).for_each(|(number, ago)| consortium.rotate(number, NOW.0 - ago));
    let newest = walked(&consortium.genesis, &consortium.world);
    let world = &mut consortium.world;
    let refused = kept.verify(&newest, time).unwrap_err();
    assert_eq!(refused.code(), Code::LedgerCheckpointUnsigned, "{refused:?}");
    // Whoever still trusts that set is told what it said.
    let told = kept.verify(&before, time).unwrap();
    assert!(!told.is_closed(), "nothing had followed by then");
    let fresh = world.ledger.time_proof(time, NOW.0 - 100);
    assert_eq!(fresh.verify(&consortium.genesis, time).unwrap_err().code(), Code::LedgerCheckpointQuorum);
    let moment = fresh.verify(&newest, time).unwrap();
    assert_eq!((moment.index(), moment.is_closed()), (told.index(), true));
    // A moment is a log index and a history, whoever certified it: the same evidence answers for either.
    world.fetch();
    world.present();
    for moment in [&moment, &told] {
        assert_eq!(judged_then(world, &newest, moment).unwrap().past(), Some(moment.index()));
    }
}
