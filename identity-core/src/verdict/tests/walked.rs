//! Verifiers that have walked from the first validators to today's.

use ledger::TrustRoot;
use ledger::walk::Walked;

use crate::anchor::AnchorError;
use crate::sample::consortium::Consortium;
use crate::sample::world::{NOW, World};
use crate::verdict::{EvidenceError, Refusal, Verified, judge};

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
