//! What others put into a member's history stays provable, and leaves room for those who may.

use ledger::{sha256, state_proof};

use super::super::{
    Accepted, Accredit, AccreditationHistory, EndAccreditation, Ending, MAX_ACCREDITATION_ENTRIES, MAX_GRANTS,
    MAX_SCHEMA_DIGESTS, MAX_TALLIED_PURPOSES, Operation, Refused, Role, Schema, Transaction, accreditation_key, apply,
    close_block, schema_key, tallied_purposes,
};
use super::counted::Counted;
use super::world::{Party, START, World};
use crate::encoding::base64url;

type By = fn(&World) -> &Party;
const AUTHORITY: By = |world| &world.authority;
/// Gives on, without asking whom it gives to.
const GIVER: By = |world| &world.department;
/// Is given.
const SUBJECT: By = |world| &world.other;

fn verifier(party: &Party) -> Accredit {
    Accredit {
        subject: party.did(),
        role: Role::Verifier,
        types: vec!["urn:sample:type".to_owned()],
        claims: vec![vec!["name".to_owned()]],
        purposes: Vec::new(),
        from: START,
        until: START + 1000,
        delegable: false,
    }
}

/// As wide as a transaction carries.
fn wide(accredit: &mut Accredit) {
    accredit.types = (0..MAX_ACCREDITATION_ENTRIES).map(|number| format!("urn:sample:type:{number:0>70}")).collect();
}

fn given(world: &mut World, by: By, to: By, change: impl FnOnce(&mut Accredit)) -> Result<u64, Refused> {
    let mut accredit = verifier(to(world));
    change(&mut accredit);
    let index = world.next_index;
    world.act(by, &Operation::Accredit(accredit)).map(|_| index)
}

/// How many of those that `change` makes are taken, one after the other, and why the next one is not.
fn taken(world: &mut World, by: By, change: impl Fn(&mut Accredit)) -> (usize, Refused) {
    let refused = |count| given(world, by, SUBJECT, &change).err().map(|refused| (count, refused));
    (0..=MAX_GRANTS).find_map(refused).expect("nothing was refused")
}

/// A member with something to give on, of its own type each time so that it has many.
fn given_on(world: &mut World, number: usize) -> String {
    let vct = format!("urn:sample:giving:{number}");
    given(world, AUTHORITY, GIVER, |accredit| {
        (accredit.types, accredit.delegable) = (vec![vct.clone()], true);
    })
    .unwrap();
    vct
}

fn history(world: &World, of: By) -> AccreditationHistory {
    world.value(&accreditation_key(&of(world).did()))
}

/// Whether a state proof has room for the value, beside its paths.
fn is_provable(value: &[u8]) -> bool {
    base64url::encode(value).len() + 64 * 1024 < state_proof::MAX_BYTES
}

#[test]
fn the_history_of_a_member_always_fits_a_state_proof() {
    let mut world = World::new();
    let (count, refused) = taken(&mut world, AUTHORITY, wide);
    assert!((20..MAX_GRANTS).contains(&count) && refused == Refused::TooManyAccreditations, "{count} {refused}");
    // What is usual goes on fitting for long.
    for _ in 0..10 {
        given(&mut world, AUTHORITY, SUBJECT, |accredit| accredit.from += 10).unwrap();
    }
    world.set_time(START + 1000);
    world.close();
    assert!(history(&world, SUBJECT).grants.iter().all(|grant| grant.ended.is_some()));
    assert!(is_provable(&world.state[&accreditation_key(&world.other.did())]));
}

#[test]
fn whoever_gives_on_fills_a_small_part_of_anothers_history() {
    let mut world = World::new();
    given(&mut world, AUTHORITY, GIVER, |accredit| {
        wide(accredit);
        accredit.delegable = true;
    })
    .unwrap();
    let (count, refused) = taken(&mut world, GIVER, wide);
    assert_eq!((count, refused), (2, Refused::TooManyAccreditations));
    // Whoever ends its own to give it anew finds it used up all the same.
    let first = history(&world, SUBJECT).grants[0].id;
    let end = EndAccreditation { subject: world.other.did(), accreditation: first };
    world.act(GIVER, &Operation::EndAccreditation(end)).unwrap();
    assert_eq!(given(&mut world, GIVER, SUBJECT, wide), Err(Refused::TooManyAccreditations));

    let vct = given_on(&mut world, 1);
    let (count, refused) = taken(&mut world, GIVER, |accredit| accredit.types = vec![vct.clone()]);
    assert_eq!((count, refused), (32, Refused::TooManyAccreditations));
    given(&mut world, GIVER, |world| &world.authority, |accredit| accredit.types = vec![vct]).unwrap();
}

#[test]
fn what_is_kept_for_authorities_nobody_else_fills() {
    let mut world = World::new();
    for number in 0..6 {
        let vct = given_on(&mut world, number);
        let (count, _) = taken(&mut world, GIVER, |accredit| accredit.types = vec![vct.clone()]);
        assert_eq!(count, 32);
    }
    let vct = given_on(&mut world, 6);
    let one_more = given(&mut world, GIVER, SUBJECT, |accredit| accredit.types = vec![vct]);
    assert_eq!(one_more, Err(Refused::TooManyAccreditations));
    let (count, refused) = taken(&mut world, AUTHORITY, |_| ());
    assert_eq!((count, refused), (MAX_GRANTS - 6 * 32, Refused::TooManyAccreditations));
}

#[test]
fn a_verifier_can_always_tally_what_it_was_accredited_for() {
    let mut world = World::new();
    let purposes = |from: usize, count: usize| (from..from + count).map(|number| format!("purpose-{number}")).collect();
    let given_by = |world: &mut World, by: By, to: By, vct: &str, from: usize, count: usize| {
        given(world, by, to, |accredit| {
            (accredit.types, accredit.purposes) = (vec![vct.to_owned()], purposes(from, count));
            accredit.delegable = true;
        })
        .map(|_| ())
    };
    for number in 0..4 {
        let vct = format!("urn:sample:giving:{number}");
        given_by(&mut world, AUTHORITY, GIVER, &vct, number * 32, 32).unwrap();
    }
    let too_many = Err(Refused::TooManyPurposes);
    assert_eq!(given_by(&mut world, AUTHORITY, GIVER, "urn:sample:giving:4", 128, 1), too_many);
    for number in 0..3 {
        given_by(&mut world, GIVER, SUBJECT, &format!("urn:sample:giving:{number}"), number * 32, 32).unwrap();
    }
    assert_eq!(given_by(&mut world, GIVER, SUBJECT, "urn:sample:giving:3", 96, 1), too_many);
    // One that is listed anyway takes no room.
    given_by(&mut world, GIVER, SUBJECT, "urn:sample:giving:0", 31, 1).unwrap();
    given_by(&mut world, AUTHORITY, SUBJECT, "urn:sample:type", 96, 32).unwrap();
    assert_eq!(given_by(&mut world, AUTHORITY, SUBJECT, "urn:sample:type", 128, 1), too_many);
    assert_eq!(tallied_purposes(&history(&world, SUBJECT)).len(), MAX_TALLIED_PURPOSES);
}

#[test]
fn of_one_giver_a_verifier_has_few_purposes_and_a_slip_can_be_taken_back() {
    let mut world = World::new();
    let codes: Vec<String> = (0..40).map(|number| format!("purpose-{number}")).collect();
    let all = codes.clone();
    given(&mut world, AUTHORITY, GIVER, |accredit| (accredit.purposes, accredit.delegable) = (all, true)).unwrap();
    let gives = |world: &mut World, codes: &[String], from: i64| {
        given(world, GIVER, SUBJECT, |accredit| (accredit.purposes, accredit.from) = (codes.to_vec(), from))
    };
    assert_eq!(gives(&mut world, &codes, START), Err(Refused::TooManyPurposes));
    let slip = gives(&mut world, &codes[..32], START + 10).unwrap();
    assert_eq!(gives(&mut world, &codes[8..], START), Err(Refused::TooManyPurposes));
    let end = EndAccreditation { subject: world.other.did(), accreditation: slip };
    world.act(GIVER, &Operation::EndAccreditation(end)).unwrap();
    gives(&mut world, &codes[8..], START).unwrap();
}

#[test]
fn a_type_has_a_bounded_number_of_digests_and_authorities_come_last() {
    let mut world = World::new();
    let vct = "urn:sample:type";
    given(&mut world, AUTHORITY, GIVER, |accredit| (accredit.role, accredit.claims) = (Role::Issuer, Vec::new()))
        .unwrap();
    let registered = |world: &mut World, by: By, count: usize| {
        let schema = |number: usize| Schema { vct: vct.to_owned(), digest: sha256(&number.to_be_bytes()) };
        (0..count).try_for_each(|number| world.act(by, &Operation::Schema(schema(number))).map(|_| ()))
    };
    registered(&mut world, GIVER, MAX_SCHEMA_DIGESTS * 3 / 4).unwrap();
    assert_eq!(registered(&mut world, GIVER, 1), Err(Refused::TooManySchemas));
    registered(&mut world, AUTHORITY, MAX_SCHEMA_DIGESTS / 4).unwrap();
    assert_eq!(registered(&mut world, AUTHORITY, 1), Err(Refused::TooManySchemas));
    assert!(is_provable(&world.state[&schema_key(vct)]));
}

/// The giver holds one, and gave the subject 32 under it, of which the last 31 were given on to the giver once more.
fn entangled() -> (World, u64) {
    let mut world = World::new();
    let delegable = |accredit: &mut Accredit| accredit.delegable = true;
    let top = given(&mut world, AUTHORITY, GIVER, delegable).unwrap();
    for _ in 0..32 {
        given(&mut world, GIVER, SUBJECT, delegable).unwrap();
    }
    for _ in 0..31 {
        given(&mut world, SUBJECT, GIVER, delegable).unwrap();
    }
    (world, top)
}

#[test]
fn however_much_ends_at_once_each_history_is_read_once() {
    let (mut world, top) = entangled();
    let keys = [GIVER, SUBJECT].map(|party| accreditation_key(&party(&world).did()));
    let end = EndAccreditation { subject: world.department.did(), accreditation: top };
    let jws = world.transaction(&world.authority, &Operation::EndAccreditation(end));
    let counted = Counted::new(&world.state);
    let transaction = Transaction::parse(&jws).unwrap();
    let Accepted { writes } = apply(&counted, &world.block, world.next_index, &transaction).unwrap();
    assert_eq!(keys.each_ref().map(|key| counted.reads_of(key)), [1, 1]);

    let mut ended = world.state.clone();
    ended.extend(writes);
    std::mem::swap(&mut world.state, &mut ended);
    for party in [GIVER, SUBJECT] {
        for grant in history(&world, party).grants {
            let ending = if grant.id == top { Ending::Ended } else { Ending::Chain };
            assert_eq!((grant.ended, grant.ending), (Some(world.next_index), Some(ending)));
        }
    }

    // The same when all of it lapses, which happens in the order in which it was given.
    std::mem::swap(&mut world.state, &mut ended);
    world.set_time(START + 1000);
    let counted = Counted::new(&world.state);
    let writes = close_block(&counted, &world.block, world.next_index).unwrap();
    assert_eq!(keys.each_ref().map(|key| counted.reads_of(key)), [1, 1]);
    world.state.extend(writes);
    let endings = |party| history(&world, party).grants.into_iter().map(|grant| grant.ending.unwrap());
    assert_eq!(endings(GIVER).next(), Some(Ending::Lapsed));
    assert!(endings(GIVER).skip(1).chain(endings(SUBJECT)).all(|ending| ending == Ending::Chain));
}
