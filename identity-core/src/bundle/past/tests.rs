use std::collections::BTreeMap;

use super::*;
use crate::bundle::Full;
use crate::problem::Code;
use crate::receipt::ChainHead;
use crate::registry::{
    Change as Vote, Compromise, EndAccreditation, EndDelegation, OnProposal, Operation, Propose, Role, Update,
    accreditation_key, duty_key,
};
use crate::sample::ledger::START;
use crate::sample::parties::{Party, entry};
use crate::sample::world::{DUTY, NOW, World, accredit};
use crate::trust;

const DAY: i64 = 86_400;
/// When something happens; before it, the act.
const CHANGE: i64 = START + 5 * DAY;
const END: i64 = START + 9 * DAY;

/// A world that goes on after the act.
fn after(happens: &dyn Fn(&mut World)) -> World {
    let mut world = World::new();
    world.ledger.seal(CHANGE - 2 * DAY);
    happens(&mut world);
    world.ledger.seal(CHANGE);
    world.ledger.seal(END);
    world
}

/// The evidence of the act, made at the end; everything in it is of the newest index, as the receipt waits.
fn bundle(world: &World, full: bool) -> Bundle {
    let name = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
    let receipt = world.receipt(ChainHead::default(), None::<Code>);
    let receipt = receipt.sign(&name, &world.asker.authenticator()).unwrap();
    let key_bindings = world.token.values().flatten().map(|text| text.rsplit('~').next().unwrap().to_owned());
    let anchors = BTreeMap::from([("id".to_owned(), vec![world.anchor_proof()])]);
    let full = full.then(|| Full { vp_token: world.token.clone(), anchors });
    let bundle = Bundle::of(world.request_object(), receipt, None, key_bindings.collect(), full);
    world.complete(bundle, NOW.plus(100))
}

fn stood_at(world: &World, full: bool, seconds: i64) -> Stood {
    let bundle = bundle(world, full);
    bundle.check_at(&world.ledger.trust_root(), &world.ledger.moment(seconds)).unwrap().1
}

fn thens(stood: &Stood) -> Vec<Then> {
    stood.standings().iter().map(|standing| standing.then).collect()
}

fn given(world: &World, subject: &Party) -> u64 {
    let subject = subject.did();
    let proof = world.ledger.state_proof(&accreditation_key(&subject), NOW.0);
    let proven = proof.verify(&world.ledger.trust_root()).unwrap();
    trust::accreditations(&proven, &subject).unwrap().grants.last().unwrap().id
}

fn end_accreditation(world: &mut World, subject: fn(&World) -> &Party) {
    let end = EndAccreditation { subject: subject(world).did(), accreditation: given(world, subject(world)) };
    world.ledger.act(&world.authority, &Operation::EndAccreditation(end));
}

const HELD: [Then; 4] = [Then::Held; 4];

#[test]
fn all_are_told_where_the_answer_is_there() {
    let world = after(&|_| {});
    let stood = stood_at(&world, true, CHANGE + DAY);
    assert_eq!(thens(&stood), HELD);
    assert!(stood.all_held() && stood.standings().iter().all(|standing| standing.since.is_empty()));
    assert_eq!(stood.known_at(), Some(UnixMillis(END * 1000)));
    assert_eq!(stood.known_until(), world.ledger.moment(END).index());
    // Without it nobody is named but those who answer for the question.
    assert_eq!(thens(&stood_at(&world, false, CHANGE + DAY)), [Then::Held; 2]);
}

#[test]
fn the_issuers_side_changes_and_what_came_before_stays_good() {
    type Happens = &'static dyn Fn(&mut World);
    let cases: [(Happens, usize, Then, What); 5] = [
        (
            &|world| {
                let add_keys = vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)];
                let update = Update { add_keys, remove_keys: vec!["assert-1".to_owned()], ..Update::default() };
                world.ledger.act(&world.issuer, &Operation::Update(update));
            },
            3,
            Then::Held,
            What::KeyEnded,
        ),
        (
            &|world| {
                let report = Compromise { key: "assert-1".to_owned() };
                world.ledger.act(&world.issuer, &Operation::Compromise(report));
            },
            3,
            Then::Held,
            What::KeyStolen,
        ),
        (
            &|world| end_accreditation(world, |w| &w.issuer),
            2,
            Then::Lacked(Lack::Accreditation),
            What::AccreditationEnded(Ending::Ended),
        ),
        (
            &|world| {
                let propose = Propose { change: Vote::Expel { did: world.issuer.did() }, until: CHANGE + DAY };
                let proposal = world.ledger.act(&world.authority, &Operation::Propose(propose));
                world.ledger.act(&world.asker, &Operation::Approve(OnProposal { proposal }));
            },
            2,
            Then::Lacked(Lack::Accreditation),
            What::AccreditationEnded(Ending::Expelled),
        ),
        (
            &|world| {
                world.ledger.act(&world.issuer, &Operation::Deactivate);
            },
            2,
            Then::Lacked(Lack::DidEnded),
            What::DidEnded,
        ),
    ];
    for (happens, place, then, what) in cases {
        let world = after(happens);
        let before = stood_at(&world, true, CHANGE - DAY);
        assert_eq!(thens(&before), HELD, "{what:?}");
        assert!(before.standings()[place].since.iter().any(|change| change.what == what), "{what:?}");
        let later = stood_at(&world, true, CHANGE + DAY);
        let mut expected = HELD;
        expected[place] = then;
        assert_eq!(thens(&later), expected, "{what:?}");
        assert!(later.standings()[place].since.is_empty(), "{what:?}");
    }
}

#[test]
fn the_askers_side_must_hold_at_the_act_and_is_told_at_every_moment() {
    // Accreditation and duty were taken back and given again before the act: its receipt is of the end.
    let world = after(&|world| {
        let asker = world.asker.did();
        let proof = world.ledger.state_proof(&duty_key(&asker, DUTY), NOW.0);
        let proven = proof.verify(&world.ledger.trust_root()).unwrap();
        let delegation = trust::duty_history(&proven, &asker, DUTY).unwrap().delegations[0].id;
        end_accreditation(world, |w| &w.asker);
        let end = EndDelegation { duty: DUTY.to_owned(), delegation };
        world.ledger.act(&world.asker, &Operation::EndDelegation(end));
        world.ledger.seal(CHANGE - DAY);
        world.ledger.act(&world.authority, &Operation::Accredit(accredit(&world.asker, Role::Verifier)));
        let again = crate::sample::world::duty();
        world.ledger.act(&world.asker, &Operation::Delegate(Box::new(again)));
    });
    let at = |seconds| stood_at(&world, false, seconds);
    let first = at(CHANGE - DAY - 1);
    assert_eq!(thens(&first), [Then::Held; 2]);
    let since: Vec<What> = first.standings()[0].since.iter().map(|change| change.what).collect();
    assert_eq!(since, [What::AccreditationEnded(Ending::Ended), What::AccreditationBegan]);
    let since: Vec<What> = first.standings()[1].since.iter().map(|change| change.what).collect();
    assert_eq!(since, [What::DelegationEnded(Ending::Ended), What::DelegationBegan]);
    let between = at(CHANGE - 1);
    assert_eq!(thens(&between), [Then::Lacked(Lack::Accreditation), Then::Lacked(Lack::Delegation)]);
    assert!(!between.all_held());
    assert_eq!(thens(&at(CHANGE)), [Then::Held; 2]);
    // Before any of it was given.
    assert_eq!(thens(&at(START)), thens(&between));
}

#[test]
fn a_credential_that_was_not_on_the_ledger_yet_is_told_so() {
    let world = after(&|_| {});
    let early = stood_at(&world, true, START + 100);
    assert_eq!(thens(&early)[2..], [Then::Held, Then::Lacked(Lack::Anchor)]);
    // A bundle without the credential's anchor proof does not tell.
    let full = Full { anchors: BTreeMap::new(), ..bundle(&world, true).full.unwrap() };
    let unproven = Bundle { full: Some(full), ..bundle(&world, true) };
    let stood = unproven.check_at(&world.ledger.trust_root(), &world.ledger.moment(CHANGE)).unwrap().1;
    assert_eq!(thens(&stood)[3], Then::Untold);
    assert!(!stood.all_held());
}

#[test]
fn a_bundle_older_than_the_moment_and_a_moment_of_another_history_are_refused() {
    let mut world = World::new();
    let made = bundle(&world, false);
    let mut fork = world.ledger.clone();
    world.ledger.seal(CHANGE);
    let trust_root = world.ledger.trust_root();
    assert_eq!(made.check_at(&trust_root, &world.ledger.moment(CHANGE)), Err(BundleError::BehindMoment));
    fork.seal(CHANGE + 1);
    let other = fork.moment(CHANGE + 1);
    assert_eq!(bundle(&world, false).check_at(&trust_root, &other), Err(BundleError::SplitView));
}
