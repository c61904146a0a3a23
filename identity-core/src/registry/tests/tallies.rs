//! How many a service accepted in a day: once, in order, when the day is over, and the same purposes whatever happened.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::{
    Accredit, Count, Counts, EndAccreditation, KeyUse, MAX_ACCREDITATION_ENTRIES, MAX_TALLIED_PURPOSES,
    MAX_TRANSACTION_BYTES, Operation, Refused, Role, TalliedMonth, Tallies, Tally, Transaction, Update,
    accreditation_key, tallied_month_key, tallies_key,
};
use super::world::{START, World, entry};
use crate::did::Did;
use crate::encoding::base64url;
use crate::time::{UnixSeconds, UtcDay};

fn today() -> UtcDay {
    UtcDay::of(UnixSeconds(START)).unwrap()
}

fn day(later: i64) -> UtcDay {
    today().plus(later).unwrap()
}

fn verifier(subject: Did, purposes: &[&str]) -> Accredit {
    Accredit {
        subject,
        role: Role::Verifier,
        types: vec!["urn:sample:type".to_owned()],
        claims: vec![vec!["name".to_owned()]],
        purposes: purposes.iter().map(|code| (*code).to_owned()).collect(),
        from: START,
        until: START + 10_000_000,
        delegable: false,
    }
}

/// A department that may ask for two purposes, some days after the beginning.
fn world() -> World {
    let mut world = World::new();
    let did = world.department.did();
    world.act(|world| &world.authority, &Operation::Accredit(verifier(did, &["loan", "age-check"]))).unwrap();
    world.set_time(day(5).begins().0);
    world
}

fn counts(listed: &[(&str, u64)]) -> Counts {
    listed.iter().map(|(code, number)| ((*code).to_owned(), Count::of(*number))).collect()
}

fn sent(world: &mut World, day: UtcDay, listed: &[(&str, u64)]) -> Result<u64, Refused> {
    let (tally, index) = (Tally { day, counts: counts(listed) }, world.next_index);
    world.act(|world| &world.department, &Operation::Tally(tally)).map(|_| index)
}

const QUIET: [(&str, u64); 2] = [("age-check", 0), ("loan", 0)];

/// As a text that no honest program would sign.
fn forged(world: &mut World, counts: &serde_json::Value, day: &str) -> Result<(), Refused> {
    let honest = world.transaction(&world.department, &Operation::Tally(Tally { day: today(), counts: Counts::new() }));
    let [header, payload, signature] = honest.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut members: serde_json::Value = serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap();
    (members["counts"], members["day"]) = (counts.clone(), json!(day));
    let payload = base64url::encode(members.to_string().as_bytes());
    world.submit(&format!("{header}.{payload}.{signature}")).map(|_| ())
}

#[test]
fn tallies_follow_each_other_and_each_day_can_be_proven() {
    let mut world = world();
    let did = world.department.did();
    let first = sent(&mut world, day(0), &[("age-check", 9), ("loan", 10)]).unwrap();
    let second = sent(&mut world, day(1), &QUIET).unwrap();
    sent(&mut world, day(4), &QUIET).unwrap();
    assert_eq!(world.value::<Tallies>(&tallies_key(&did)), Tallies { first: day(0), last: day(4) });
    let month: TalliedMonth = world.value(&tallied_month_key(&did, day(0)));
    assert_eq!(month.days.keys().copied().collect::<Vec<_>>(), [day(0), day(1), day(4)]);
    assert_eq!((month.days[&day(0)].index, month.days[&day(1)].index), (first, second));
    assert_eq!(month.days[&day(0)].counts, counts(&[("age-check", 3), ("loan", 10)]), "three or nine: fewer than ten");
    let written = String::from_utf8(world.state[&tallied_month_key(&did, day(0))].clone()).unwrap();
    assert!(written.contains(r#""counts":{"age-check":"<10","loan":10}"#), "{written}");
}

#[test]
fn a_day_is_tallied_once_and_in_order_and_months_have_their_own_values() {
    let mut world = world();
    sent(&mut world, day(3), &QUIET).unwrap();
    for earlier in [3, 2, 0, -700] {
        assert_eq!(sent(&mut world, day(earlier), &QUIET), Err(Refused::TallyOrder), "{earlier}");
    }
    world.set_time(day(60).begins().0);
    sent(&mut world, day(45), &QUIET).unwrap();
    let did = world.department.did();
    let month = |later| world.value::<TalliedMonth>(&tallied_month_key(&did, day(later))).days.len();
    assert_eq!((month(3), month(45)), (1, 1));
    assert_ne!(tallied_month_key(&did, day(3)), tallied_month_key(&did, day(45)));
}

#[test]
fn a_day_is_over_at_midnight_by_the_blocks_time() {
    let mut world = world();
    assert_eq!(sent(&mut world, day(5), &QUIET), Err(Refused::TallyNotOver));
    world.set_time(day(5).ends().0 - 1);
    world.block.time.0 += 999;
    assert_eq!(sent(&mut world, day(5), &QUIET), Err(Refused::TallyNotOver), "the last millisecond is still the day's");
    world.set_time(day(5).ends().0);
    assert!(sent(&mut world, day(5), &QUIET).is_ok());
    assert_eq!(sent(&mut world, day(6), &QUIET), Err(Refused::TallyNotOver));
}

#[test]
fn what_is_listed_depends_on_accreditations_alone() {
    let mut world = world();
    let others: [&[(&str, u64)]; 4] =
        [&[("loan", 10)], &[("age-check", 0)], &[], &[("age-check", 0), ("loan", 0), ("statistics", 50)]];
    for listed in others {
        assert_eq!(sent(&mut world, day(0), listed), Err(Refused::TallyPurposes), "{listed:?}");
    }
    // One that has not begun counts for nothing yet; one that has ended goes on being listed.
    let did = world.department.did();
    let now = world.block.time.0 / 1000;
    let later = Accredit { from: now + 1000, ..verifier(did.clone(), &["statistics", "not a purpose"]) };
    world.act(|world| &world.authority, &Operation::Accredit(later)).unwrap();
    let issuer = Accredit { role: Role::Issuer, claims: Vec::new(), ..verifier(did.clone(), &["issuing"]) };
    world.act(|world| &world.authority, &Operation::Accredit(issuer)).unwrap();
    sent(&mut world, day(0), &QUIET).unwrap();
    world.set_time(now + 1000);
    world.close();
    assert_eq!(sent(&mut world, day(1), &QUIET), Err(Refused::TallyPurposes));
    let grants: crate::registry::AccreditationHistory = world.value(&accreditation_key(&did));
    let end = EndAccreditation { subject: did, accreditation: grants.grants[0].id };
    world.act(|world| &world.authority, &Operation::EndAccreditation(end)).unwrap();
    let all = [("age-check", 0), ("loan", 0), ("statistics", 0)];
    sent(&mut world, day(1), &all).unwrap();
    let accepted = BTreeMap::from([("loan".to_owned(), 12), ("unheard-of".to_owned(), 99)]);
    let grants = world.value(&accreditation_key(&world.department.did()));
    assert_eq!(
        Tally::of(day(2), &accepted, &grants).counts,
        counts(&[("age-check", 0), ("loan", 12), ("statistics", 0)])
    );
}

#[test]
fn whoever_may_not_ask_tallies_nothing() {
    let mut world = world();
    let tally = Operation::Tally(Tally { day: day(0), counts: Counts::new() });
    assert_eq!(world.act(|world| &world.other, &tally), Err(Refused::TallyNotAccredited));
    let did = world.other.did();
    world.act(|world| &world.authority, &Operation::Accredit(verifier(did, &[]))).unwrap();
    assert_eq!(world.act(|world| &world.other, &tally), Err(Refused::TallyNotAccredited));
    let jws = world.transaction_by(&world.department, "relay-1", &world.department.relayer(), &tally);
    assert_eq!(world.submit(&jws), Err(Refused::RelayKeyOnly));
    // Nobody carries another's: the change inside a relay is one of its own DID document.
    let relayed = world.transaction(&world.department, &tally);
    assert_eq!(crate::registry::Relayed::parse(&relayed).unwrap_err(), Refused::NotRelayable);
}

#[test]
fn a_small_number_a_second_count_or_another_day_is_no_tally() {
    let mut world = world();
    let day = today().to_string();
    for count in [json!(0), json!(9), json!(-1), json!("9"), json!("<9"), json!(12.5), json!(null), json!(["<10"])] {
        assert_eq!(forged(&mut world, &json!({"loan": count}), &day), Err(Refused::TallyCount), "{count}");
    }
    for spelled in ["2027-1-15", "2027-02-30", "tomorrow", ""] {
        assert_eq!(forged(&mut world, &json!({"loan": "<10"}), spelled), Err(Refused::TallyDay), "{spelled}");
    }
    assert_eq!(forged(&mut world, &json!([]), &day), Err(Refused::Malformed("members of the operation")));
    // What reads well falls by its signature.
    assert_eq!(forged(&mut world, &json!({"loan": 10}), &day), Err(Refused::Signature));
    let twice = r#"{"aud":"a","seq":1,"exp":1,"op":"tally","day":"2027-01-15","counts":{"loan":10,"loan":"<10"}}"#;
    let honest = world.transaction(&world.department, &Operation::Update(Update::default()));
    let [header, _, signature] = honest.split('.').collect::<Vec<_>>().try_into().unwrap();
    let twice = format!("{header}.{}.{signature}", base64url::encode(twice.as_bytes()));
    assert_eq!(Transaction::parse(&twice).unwrap_err(), Refused::Malformed("payload"));
}

#[test]
fn the_widest_tally_fits_and_nobody_is_accredited_for_a_wider_one() {
    let mut world = World::new();
    let did = world.department.did();
    let long = |number: usize| format!("{number:0>64}");
    let codes: Vec<String> = (0..MAX_TALLIED_PURPOSES).map(long).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    assert!(codes.len() < MAX_ACCREDITATION_ENTRIES);
    world.act(|world| &world.authority, &Operation::Accredit(verifier(did.clone(), &codes))).unwrap();
    world.set_time(day(40).begins().0);
    let busy: Vec<(&str, u64)> = codes.iter().map(|code| (*code, u64::MAX)).collect();
    for later in 0..31 {
        let tally = Tally { day: day(later), counts: counts(&busy) };
        let jws = world.transaction(&world.department, &Operation::Tally(tally));
        assert!(jws.len() < MAX_TRANSACTION_BYTES);
        world.submit(&jws).unwrap();
    }
    let months = [day(0), day(30)].map(|day| world.state[&tallied_month_key(&did, day)].len());
    assert!(months.into_iter().all(|bytes| bytes < 400 * 1024), "{months:?}: a state proof has room for it");
    let one_more = Operation::Accredit(verifier(did, &["one-more"]));
    assert_eq!(world.act(|world| &world.authority, &one_more), Err(Refused::TooManyPurposes));
    sent(&mut world, day(39), &busy).unwrap();
}

#[test]
fn a_new_key_for_transactions_changes_nothing_about_the_order() {
    let mut world = world();
    sent(&mut world, day(3), &QUIET).unwrap();
    let add = Update { add_keys: vec![entry("invoke-2", 2, 9, KeyUse::CapabilityInvocation)], ..Update::default() };
    world.act(|world| &world.department, &Operation::Update(add)).unwrap();
    let tally = Operation::Tally(Tally { day: day(3), counts: counts(&QUIET) });
    let jws = world.transaction_by(&world.department, "invoke-2", &super::world::key(2, 9), &tally);
    assert_eq!(world.submit(&jws), Err(Refused::TallyOrder));
}
