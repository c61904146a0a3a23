//! Who acts for a department, from when to when.

use super::super::{
    Delegate, Delegation, DutyHistory, DutyHolder, EndDelegation, Ending, KeyUse, Label, MAX_ACCREDITATION_ENTRIES,
    MAX_ACCREDITATION_SECONDS, MAX_DELEGATIONS, Operation, Refused, Role, duty_key,
};
use super::world::{START, World, entry, key};
use crate::crypto::Signer as _;
use crate::jose::Jwk;

const DUTY: &str = "counter-1";

fn official() -> Delegate {
    Delegate {
        duty: DUTY.to_owned(),
        holder: DutyHolder::Official,
        title: Label { en: "Sample counter".to_owned(), zh: "示例窗口".to_owned() },
        key: Jwk::new(key(2, 50).public_key().clone()),
        role: Role::Verifier,
        types: vec!["urn:sample:type".to_owned()],
        claims: vec![vec!["name".to_owned()]],
        purposes: vec!["loan".to_owned()],
        case_required: false,
        from: START,
        until: START + 1000,
    }
}

fn given(world: &mut World, change: impl FnOnce(&mut Delegate)) -> Result<u64, Refused> {
    let mut delegate = official();
    change(&mut delegate);
    let index = world.next_index;
    world.act(|world| &world.department, &Operation::Delegate(Box::new(delegate))).map(|_| index)
}

fn ended(world: &mut World, delegation: u64) -> Result<(), Refused> {
    let end = EndDelegation { duty: DUTY.to_owned(), delegation };
    world.act(|world| &world.department, &Operation::EndDelegation(end)).map(|_| ())
}

fn history(world: &World) -> DutyHistory {
    world.value(&duty_key(&world.department.did(), DUTY))
}

fn holding(world: &World, index: u64) -> Option<Delegation> {
    history(world).at(index).cloned()
}

#[test]
fn a_duty_is_given_taken_back_and_lapses() {
    let mut world = World::new();
    let first = given(&mut world, |_| {}).unwrap();
    assert_eq!(holding(&world, first).unwrap().id, first);
    assert_eq!(holding(&world, first - 1), None);
    let end = world.next_index;
    ended(&mut world, first).unwrap();
    assert_eq!((holding(&world, end - 1).unwrap().id, holding(&world, end)), (first, None));
    assert_eq!(ended(&mut world, first), Err(Refused::DelegationEnded));
    assert_eq!(ended(&mut world, first + 7), Err(Refused::DelegationUnknown));

    let second = given(&mut world, |_| {}).unwrap();
    world.set_time(START + 1000);
    let seal = world.next_index;
    world.close();
    let lapsed = history(&world).delegations.remove(1);
    assert_eq!((lapsed.id, lapsed.ended, lapsed.ending), (second, Some(seal), Some(Ending::Lapsed)));
}

#[test]
fn of_one_duty_one_delegation_holds() {
    let mut world = World::new();
    let first = given(&mut world, |_| {}).unwrap();
    let second = given(&mut world, |delegate| delegate.until += 500).unwrap();
    let replaced = history(&world).delegations.remove(0);
    assert_eq!((replaced.id, replaced.ended, replaced.ending), (first, Some(second), Some(Ending::Replaced)));
    // One that begins later takes the place when it begins, and not before.
    let third = given(&mut world, |delegate| (delegate.from, delegate.until) = (START + 600, START + 900)).unwrap();
    assert_eq!(holding(&world, third).unwrap().id, second);
    world.set_time(START + 600);
    let seal = world.next_index;
    world.close();
    assert_eq!((holding(&world, seal - 1).unwrap().id, holding(&world, seal).unwrap().id), (second, third));
    // When it lapses, the one before does not come back.
    world.set_time(START + 900);
    let seal = world.next_index;
    world.close();
    assert_eq!(holding(&world, seal), None);
}

#[test]
fn one_that_was_taken_back_never_begins() {
    let mut world = World::new();
    let later = given(&mut world, |delegate| delegate.from = START + 500).unwrap();
    ended(&mut world, later).unwrap();
    world.set_time(START + 600);
    let seal = world.next_index;
    world.close();
    assert_eq!(history(&world).delegations[0].started, None);
    assert_eq!(holding(&world, seal), None);
}

#[test]
fn duties_are_the_departments_own() {
    let mut world = World::new();
    let first = given(&mut world, |_| {}).unwrap();
    let end = EndDelegation { duty: DUTY.to_owned(), delegation: first };
    assert_eq!(world.act(|world| &world.authority, &Operation::EndDelegation(end)), Err(Refused::DelegationUnknown));
    assert_eq!(
        world.act(|world| &world.stranger, &Operation::Delegate(Box::new(official()))),
        Err(Refused::SenderUnknown)
    );
}

#[test]
fn what_is_malformed_is_named() {
    let refused = |change: fn(&mut Delegate)| given(&mut World::new(), change).unwrap_err();
    let malformed = Refused::DelegationMalformed;
    assert_eq!(refused(|d| d.duty = "a/b".to_owned()), malformed("duty"));
    assert_eq!(refused(|d| d.title.zh = "\u{1b}[2J".to_owned()), malformed("title"));
    assert_eq!(refused(|d| d.types.clear()), malformed("types"));
    assert_eq!(refused(|d| d.types = vec![d.types[0].clone(); 2]), malformed("types"));
    assert_eq!(refused(|d| d.claims.clear()), malformed("claims"));
    assert_eq!(refused(|d| d.purposes.clear()), malformed("purposes"));
    assert_eq!(refused(|d| d.role = Role::Issuer), malformed("claims"));
    assert_eq!(refused(|d| (d.role, d.claims) = (Role::Issuer, Vec::new())), malformed("purposes"));
    let mut world = World::new();
    given(&mut world, |d| (d.role, d.claims, d.purposes) = (Role::Issuer, Vec::new(), Vec::new())).unwrap();
    for (from, until) in
        [(START, START), (START - 9, START), (-1, START + 5), (START, START + MAX_ACCREDITATION_SECONDS + 1)]
    {
        assert_eq!(given(&mut world, |d| (d.from, d.until) = (from, until)), Err(Refused::DelegationPeriod));
    }
}

#[test]
fn a_duty_key_is_no_key_of_the_department() {
    let mut world = World::new();
    for (id, place, key_use) in [("auth-1", 2, KeyUse::Authentication), ("invoke-1", 3, KeyUse::CapabilityInvocation)] {
        let taken = entry(id, 2, place, key_use).jwk;
        assert_eq!(given(&mut world, |delegate| delegate.key = taken), Err(Refused::DelegationKey));
    }
}

#[test]
fn a_duty_number_has_a_bounded_history() {
    let mut world = World::new();
    for _ in 0..MAX_DELEGATIONS {
        given(&mut world, |_| {}).unwrap();
    }
    assert_eq!(given(&mut world, |_| {}), Err(Refused::TooManyDelegations));
    given(&mut world, |delegate| delegate.duty = "counter-2".to_owned()).unwrap();
}

#[test]
fn the_history_of_a_duty_always_fits_a_state_proof() {
    let mut world = World::new();
    let wide = |delegate: &mut Delegate| {
        delegate.types =
            (0..MAX_ACCREDITATION_ENTRIES).map(|number| format!("urn:sample:type:{number:0>60}")).collect();
    };
    let taken = (0..MAX_DELEGATIONS).take_while(|_| given(&mut world, wide).is_ok()).count();
    assert!((10..MAX_DELEGATIONS).contains(&taken), "{taken}");
    assert_eq!(given(&mut world, wide), Err(Refused::TooManyDelegations));
    given(&mut world, |_| {}).unwrap();
}
