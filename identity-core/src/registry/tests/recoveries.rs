//! Recovering DIDs and reporting stolen keys: what the committed key can do, and what nobody else can.

use super::super::{
    Accepted, Compromise, DidHistory, Envelope, KeyEntry, KeyUse, MAX_KEYS, MAX_RECOVERED_KEYS, Operation,
    OwnerHistory, Recover, RecoveryAct, RecoveryEnvelope, RecoveryOperation, Refused, Relayed, Transaction, Update,
    did_key, make_key_proof, make_recovery, make_transaction, thumbprint_key,
};
use super::world::{Party, RECOVERY, START, World, commitment, entry, key};
use crate::crypto::{SecretKey, Signer as _};
use crate::did::Did;
use crate::jose::{Jwk, SignHeader, sign_compact, typ};

fn history(world: &World, did: &Did) -> DidHistory {
    serde_json::from_slice(&world.state[&did_key(did)]).unwrap()
}

fn envelope(world: &World, did: &Did, key: &SecretKey) -> RecoveryEnvelope {
    RecoveryEnvelope {
        aud: world.block.origin.clone(),
        did: did.clone(),
        exp: START + 600,
        recovery_key: Jwk::new(key.public_key().clone()),
    }
}

/// New keys `<use>-<round>` at places `round * 10`, and the next recovery key at `RECOVERY + round`.
fn recover(seed: u8, round: u8) -> RecoveryOperation {
    RecoveryOperation::Recover(Recover {
        keys: vec![
            entry(&format!("assert-r{round}"), seed, round * 10, KeyUse::AssertionMethod),
            entry(&format!("invoke-r{round}"), seed, round * 10 + 1, KeyUse::CapabilityInvocation),
        ],
        recovery: commitment(seed, RECOVERY + round),
    })
}

fn compromise(id: &str) -> RecoveryOperation {
    RecoveryOperation::Compromise(Compromise { key: id.to_owned() })
}

fn report(id: &str) -> Operation {
    Operation::Compromise(Compromise { key: id.to_owned() })
}

fn signed(world: &World, did: &Did, operation: &RecoveryOperation, key: &SecretKey) -> RecoveryAct {
    make_recovery(&envelope(world, did, key), operation, key).unwrap()
}

/// Relayed by a member that has nothing to do with the DID.
fn carry(world: &mut World, act: &RecoveryAct) -> Result<Accepted, Refused> {
    let operation = Operation::Relay(Relayed::Recovery(Box::new(act.clone())));
    world.act(|world| &world.other, &operation)
}

#[test]
fn recovery_ends_every_key_and_overrides_a_thief() {
    let mut world = World::new();
    let did = world.department.did();
    // The thief of the transaction key puts in keys of its own and throws the old ones out.
    let thief = Update {
        add_keys: vec![entry("thief", 2, 50, KeyUse::CapabilityInvocation)],
        remove_keys: vec!["invoke-1".to_owned(), "assert-1".to_owned()],
        ..Update::default()
    };
    world.act(|world| &world.department, &Operation::Update(thief)).unwrap();
    let index = world.next_index;
    let act = signed(&world, &did, &recover(2, 1), &key(2, RECOVERY));
    carry(&mut world, &act).unwrap();

    let after = history(&world, &did);
    let current: Vec<&str> = after.keys_at(index).map(|key| key.id.as_str()).collect();
    assert_eq!(current, ["assert-r1", "invoke-r1"]);
    assert_eq!(after.recovery.last().unwrap().commitment, commitment(2, RECOVERY + 1));
    assert!(after.key_at(index - 1, "thief", KeyUse::CapabilityInvocation).is_some(), "the past stays as it was");
    assert!(after.services.iter().all(|service| service.until.is_none()));

    let by_thief = world.transaction_by(&world.department, "thief", &key(2, 50), &Operation::Deactivate);
    assert_eq!(world.submit(&by_thief).unwrap_err(), Refused::KeyUnknown);
    let by_owner = world.transaction_by(&world.department, "invoke-r1", &key(2, 11), &report("thief"));
    world.submit(&by_owner).unwrap();
}

#[test]
fn recovery_releases_the_thumbprints_of_the_keys_it_ends() {
    let mut world = World::new();
    let did = world.department.did();
    let proof = make_key_proof(&world.block.origin, &did, "auth-1", &key(2, 2)).unwrap();
    let update = Operation::Update(Update { prove_keys: vec![proof], ..Update::default() });
    world.act(|world| &world.department, &update).unwrap();
    let index = world.next_index;
    let act = signed(&world, &did, &recover(2, 1), &key(2, RECOVERY));
    carry(&mut world, &act).unwrap();
    let thumbprint = Jwk::new(key(2, 2).public_key().clone()).thumbprint();
    let owners: OwnerHistory = serde_json::from_slice(&world.state[&thumbprint_key(&thumbprint)]).unwrap();
    assert_eq!((owners.owner_at(index - 1), owners.owner_at(index)), (Some(&did), None));
}

#[test]
fn a_recovery_cannot_be_played_again() {
    let mut world = World::new();
    let did = world.department.did();
    let first = signed(&world, &did, &recover(2, 1), &key(2, RECOVERY));
    let deactivate = signed(&world, &did, &RecoveryOperation::Deactivate, &key(2, RECOVERY));
    carry(&mut world, &first).unwrap();
    assert_eq!(carry(&mut world, &first).unwrap_err(), Refused::RecoveryKeyUsed);
    // Nor can anything else that the old key signed.
    assert_eq!(carry(&mut world, &deactivate).unwrap_err(), Refused::RecoveryKeyUsed);
    let second = signed(&world, &did, &recover(2, 2), &key(2, RECOVERY));
    assert_eq!(carry(&mut world, &second).unwrap_err(), Refused::RecoveryKeyUsed);
    let back = match recover(2, 2) {
        RecoveryOperation::Recover(members) => {
            RecoveryOperation::Recover(Recover { recovery: commitment(2, RECOVERY), ..members })
        }
        _ => unreachable!(),
    };
    let back = signed(&world, &did, &back, &key(2, RECOVERY + 1));
    assert_eq!(carry(&mut world, &back).unwrap_err(), Refused::RecoveryCommitment);
    let second = signed(&world, &did, &recover(2, 2), &key(2, RECOVERY + 1));
    carry(&mut world, &second).unwrap();
}

#[test]
fn every_hostile_recovery_has_its_own_refusal() {
    let mut world = World::new();
    let (did, others) = (world.department.did(), world.other.did());
    let own = key(2, RECOVERY);
    let stranger = Did::xinfu("sample", b"nobody").unwrap();
    let with = |change: &dyn Fn(&mut RecoveryEnvelope)| {
        let mut envelope = envelope(&world, &did, &own);
        change(&mut envelope);
        make_recovery(&envelope, &recover(2, 1), &own).unwrap()
    };
    let changed = |change: &dyn Fn(&mut Recover)| {
        let RecoveryOperation::Recover(mut members) = recover(2, 1) else { unreachable!() };
        change(&mut members);
        signed(&world, &did, &RecoveryOperation::Recover(members), &own)
    };
    let cases = [
        ("another ledger", with(&|e| e.aud = "xinfu/other/0".to_owned()), Refused::OtherLedger),
        ("expired", with(&|e| e.exp = START), Refused::Expired),
        ("someone else's DID", with(&|e| e.did = others.clone()), Refused::RecoveryKey),
        ("no such DID", with(&|e| e.did = stranger.clone()), Refused::DidUnknown),
        ("a key never committed to", signed(&world, &did, &recover(2, 1), &key(2, 77)), Refused::RecoveryKey),
        ("a working key", signed(&world, &did, &recover(2, 1), &key(2, 3)), Refused::RecoveryKey),
        ("no transaction key", changed(&|r| r.keys.truncate(1)), Refused::LastKey),
        ("an old key again", changed(&|r| r.keys[0] = entry("new", 2, 1, KeyUse::AssertionMethod)), Refused::KeyReused),
        ("an old id again", changed(&|r| r.keys[0].id = "assert-1".to_owned()), Refused::KeyIdTaken),
        ("the same commitment", changed(&|r| r.recovery = commitment(2, RECOVERY)), Refused::RecoveryCommitment),
        ("commitment to an old key", changed(&|r| r.recovery = commitment(2, 3)), Refused::RecoveryCommitment),
        ("commitment to a new key", changed(&|r| r.recovery = commitment(2, 11)), Refused::RecoveryCommitment),
        (
            "the recovery key as a working key",
            changed(&|r| r.keys[0] = entry("new", 2, RECOVERY, KeyUse::AssertionMethod)),
            Refused::KeyReused,
        ),
        ("unknown key", signed(&world, &did, &compromise("none"), &own), Refused::KeyUnknown),
    ];
    for (name, act, expected) in cases {
        let before = world.state.clone();
        assert_eq!(carry(&mut world, &act).unwrap_err(), expected, "{name}");
        assert_eq!(world.state, before, "{name}");
    }
    let authority = world.authority.did();
    let end = signed(&world, &authority, &RecoveryOperation::Deactivate, &key(1, RECOVERY));
    assert_eq!(carry(&mut world, &end).unwrap_err(), Refused::Authority);
}

#[test]
fn a_recovery_is_checked_before_it_travels() {
    let world = World::new();
    let did = world.department.did();
    let own = key(2, RECOVERY);
    let forged = make_recovery(&envelope(&world, &did, &own), &recover(2, 1), &key(2, 77)).unwrap_err();
    assert_eq!(forged, Refused::RecoverySignature);
    let many = (0..=u8::try_from(MAX_RECOVERED_KEYS).unwrap())
        .map(|place| entry(&format!("k{place}"), 2, 60 + place, KeyUse::Authentication));
    let members = Recover { keys: many.collect(), recovery: commitment(2, 101) };
    let many = make_recovery(&envelope(&world, &did, &own), &RecoveryOperation::Recover(members), &own).unwrap_err();
    assert_eq!(many, Refused::TooMany);

    let good = serde_json::to_value(envelope(&world, &did, &own)).unwrap();
    let parse = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let mut payload = good.clone();
        payload["op"] = "deactivate".into();
        change(&mut payload);
        let jws = sign_compact(SignHeader::new(name), &serde_json::to_vec(&payload).unwrap(), &own).unwrap();
        RecoveryAct::parse(&jws).map(|_| ())
    };
    assert_eq!(parse(typ::RECOVERY, &|_| {}), Ok(()));
    assert_eq!(parse(typ::TRANSACTION, &|_| {}), Err(Refused::WrongType));
    assert_eq!(parse(typ::RECOVERY, &|p| p["op"] = "update".into()), Err(Refused::UnknownOperation));
    assert_eq!(parse(typ::RECOVERY, &|p| p["op"] = 1.into()), Err(Refused::RecoveryMalformed("op")));
    let members = Err(Refused::RecoveryMalformed("members of the operation"));
    assert_eq!(parse(typ::RECOVERY, &|p| p["seq"] = 1.into()), members);
    let envelope = Err(Refused::RecoveryMalformed("aud, did, exp or recovery_key"));
    assert_eq!(parse(typ::RECOVERY, &|p| p["exp"] = "soon".into()), envelope);
    assert_eq!(parse(typ::RECOVERY, &|p| p["did"] = serde_json::Value::Null), envelope);
    assert_eq!(RecoveryAct::parse("x").unwrap_err(), Refused::RecoveryMalformed("jws"));
}

#[test]
fn a_recovery_key_may_end_a_did_for_good() {
    let mut world = World::new();
    let did = world.department.did();
    let end = signed(&world, &did, &RecoveryOperation::Deactivate, &key(2, RECOVERY));
    let recover = signed(&world, &did, &recover(2, 1), &key(2, RECOVERY));
    let report = signed(&world, &did, &compromise("assert-1"), &key(2, RECOVERY));
    carry(&mut world, &end).unwrap();
    for act in [end, recover, report] {
        assert_eq!(carry(&mut world, &act).unwrap_err(), Refused::Deactivated);
    }
}

#[test]
fn a_report_takes_effect_at_its_own_index() {
    let mut world = World::new();
    let did = world.department.did();
    let index = world.next_index;
    world.act(|world| &world.department, &report("assert-1")).unwrap();
    let after = history(&world, &did);
    let key = after.keys.iter().find(|key| key.id == "assert-1").unwrap();
    assert_eq!((key.compromised, key.until), (Some(index), Some(index)));
    assert!(after.key_at(index - 1, "assert-1", KeyUse::AssertionMethod).is_some());
    assert!(after.key_at(index, "assert-1", KeyUse::AssertionMethod).is_none());
    assert!(after.changes().contains(&index));

    // The first report holds: a second one could otherwise move the moment.
    assert_eq!(world.act(|world| &world.department, &report("assert-1")).unwrap_err(), Refused::KeyReported);
    assert_eq!(world.act(|world| &world.department, &report("none")).unwrap_err(), Refused::KeyUnknown);
    let again = signed(&world, &did, &compromise("assert-1"), &super::world::key(2, RECOVERY));
    assert_eq!(carry(&mut world, &again).unwrap_err(), Refused::KeyReported);
}

#[test]
fn a_key_that_ended_can_still_be_reported() {
    let mut world = World::new();
    let did = world.department.did();
    let ended = world.next_index;
    let remove = Update { remove_keys: vec!["assert-1".to_owned()], ..Update::default() };
    world.act(|world| &world.department, &Operation::Update(remove)).unwrap();
    let reported = world.next_index;
    world.act(|world| &world.department, &report("assert-1")).unwrap();
    let after = history(&world, &did);
    let key = after.keys.iter().find(|key| key.id == "assert-1").unwrap();
    assert_eq!((key.until, key.compromised), (Some(ended), Some(reported)));
}

#[test]
fn a_reporter_does_not_lock_itself_out_unless_it_can_come_back() {
    let mut world = World::new();
    let did = world.department.did();
    assert_eq!(world.act(|world| &world.department, &report("invoke-1")).unwrap_err(), Refused::LastKey);
    // With a relay, assertion or authentication key nobody reports anything.
    let by_relay = world.transaction_by(&world.department, "relay-1", &world.department.relayer(), &report("auth-1"));
    assert_eq!(world.submit(&by_relay).unwrap_err(), Refused::RelayKeyOnly);
    let by_assert = world.transaction_by(&world.department, "assert-1", &key(2, 1), &report("auth-1"));
    assert_eq!(world.submit(&by_assert).unwrap_err(), Refused::KeyRole);

    let act = signed(&world, &did, &compromise("invoke-1"), &key(2, RECOVERY));
    carry(&mut world, &act).unwrap();
    assert_eq!(world.act(|world| &world.department, &report("auth-1")).unwrap_err(), Refused::KeyUnknown);
    let act = signed(&world, &did, &recover(2, 1), &key(2, RECOVERY));
    carry(&mut world, &act).unwrap();
}

#[test]
fn a_stranger_reports_its_own_key_through_a_member_and_nobody_elses() {
    let mut world = World::new();
    let stranger = Party::new(4);
    let create = Operation::Relay(Relayed::Create(Box::new(stranger.create.clone())));
    world.act(|world| &world.department, &create).unwrap();
    let relayed = |world: &World, key: &SecretKey| {
        let did = stranger.did();
        let envelope = Envelope { exp: START + 60, ..world.envelope(&did, "invoke-1") };
        let jws = make_transaction(&envelope, &report("auth-1"), &did, "invoke-1", key).unwrap();
        Operation::Relay(Relayed::Change(Box::new(Transaction::parse(&jws).unwrap())))
    };
    let forged = relayed(&world, &key(3, 3));
    assert_eq!(world.act(|world| &world.department, &forged).unwrap_err(), Refused::Signature);
    let index = world.next_index;
    let good = relayed(&world, &stranger.invoker());
    world.act(|world| &world.department, &good).unwrap();
    let after = history(&world, &stranger.did());
    assert_eq!(after.keys.iter().find(|key| key.id == "auth-1").unwrap().compromised, Some(index));
    assert!(history(&world, &world.department.did()).keys.iter().all(|key| key.compromised.is_none()));
}

#[test]
fn a_thief_cannot_use_up_the_room_for_a_recovery() {
    let mut world = World::new();
    let did = world.department.did();
    let mut place = 0_u32;
    loop {
        let add: Vec<KeyEntry> = (0..28)
            .map(|_| {
                place += 1;
                let mut bytes = [7; 32];
                bytes[..4].copy_from_slice(&place.to_be_bytes());
                let key = SecretKey::from_bytes(crate::crypto::Alg::EdDsa, &bytes).unwrap();
                KeyEntry::new(&format!("f{place}"), Jwk::new(key.public_key().clone()), KeyUse::Authentication)
            })
            .collect();
        let update = Operation::Update(Update { add_keys: add, ..Update::default() });
        match world.act(|world| &world.department, &update) {
            Ok(_) => assert!(history(&world, &did).keys.len() <= MAX_KEYS),
            Err(refused) => {
                assert_eq!(refused, Refused::TooMany);
                break;
            }
        }
    }
    let act = signed(&world, &did, &recover(2, 1), &key(2, RECOVERY));
    carry(&mut world, &act).unwrap();
}
