//! Keys registered by their thumbprints: whose they are, from when to when, and only with the key itself.

use super::super::{
    KeyUse, Operation, OwnerHistory, Refused, Relayed, Update, make_key_proof, make_transaction, thumbprint_key,
};
use super::world::{Party, World, entry, key};
use crate::crypto::{SecretKey, Signer as _};
use crate::did::Did;
use crate::jose::{Jwk, SignHeader, sign_compact, typ};

fn owners(world: &World, key: &SecretKey) -> OwnerHistory {
    let thumbprint = Jwk::new(key.public_key().clone()).thumbprint();
    world
        .state
        .get(&thumbprint_key(&thumbprint))
        .map_or_else(OwnerHistory::default, |value| serde_json::from_slice(value).unwrap())
}

fn proof(world: &World, did: &Did, id: &str, key: &SecretKey) -> String {
    make_key_proof(&world.block.origin, did, id, key).unwrap()
}

fn prove(proofs: &[String]) -> Operation {
    Operation::Update(Update { prove_keys: proofs.to_vec(), ..Update::default() })
}

#[test]
fn a_proven_key_is_its_dids_until_it_ends() {
    let mut world = World::new();
    let did = world.department.did();
    let first = key(2, 2);
    assert_eq!(owners(&world, &first), OwnerHistory::default(), "a creation registers no thumbprint");
    let registered = world.next_index;
    let operation = prove(&[proof(&world, &did, "auth-1", &first)]);
    world.act(|world| &world.department, &operation).unwrap();
    assert_eq!(owners(&world, &first).owner_at(registered), Some(&did));
    assert_eq!(owners(&world, &first).owner_at(registered - 1), None);

    // One act replaces the key and its registration.
    let second = key(2, 20);
    let replaced = world.next_index;
    let update = Update {
        add_keys: vec![entry("auth-2", 2, 20, KeyUse::Authentication)],
        remove_keys: vec!["auth-1".to_owned()],
        prove_keys: vec![proof(&world, &did, "auth-2", &second)],
        ..Update::default()
    };
    world.act(|world| &world.department, &Operation::Update(update)).unwrap();
    assert_eq!(owners(&world, &first).owner_at(replaced - 1), Some(&did));
    assert_eq!(owners(&world, &first).owner_at(replaced), None);
    assert_eq!(owners(&world, &second).owner_at(replaced), Some(&did));

    let ended = world.next_index;
    world.act(|world| &world.department, &Operation::Deactivate).unwrap();
    assert_eq!(owners(&world, &second).owner_at(ended - 1), Some(&did));
    assert_eq!(owners(&world, &second).owner_at(ended), None);
}

#[test]
fn registering_twice_changes_nothing() {
    let mut world = World::new();
    let operation = prove(&[proof(&world, &world.department.did(), "auth-1", &key(2, 2))]);
    world.act(|world| &world.department, &operation).unwrap();
    let before = owners(&world, &key(2, 2));
    world.act(|world| &world.department, &operation).unwrap();
    assert_eq!(owners(&world, &key(2, 2)), before);
}

#[test]
fn nobody_can_register_anothers_key() {
    let mut world = World::new();
    let (victim, squatter) = (world.department.did(), world.other.did());
    let victims = key(2, 2);
    // The squatter's document names the victim's public key. That is allowed, and worth nothing.
    let jwk = Jwk::new(victims.public_key().clone());
    let add = super::super::KeyEntry::new("auth-9", jwk, KeyUse::Authentication);
    let update = Operation::Update(Update { add_keys: vec![add], ..Update::default() });
    world.act(|world| &world.other, &update).unwrap();
    assert_eq!(owners(&world, &victims), OwnerHistory::default());

    let cases = [
        (proof(&world, &victim, "auth-1", &victims), Refused::KeyProof("another DID's")),
        (proof(&world, &squatter, "auth-9", &key(3, 2)), Refused::KeyProof("typ or signature")),
    ];
    for (stolen, expected) in cases {
        assert_eq!(world.act(|world| &world.other, &prove(&[stolen])).unwrap_err(), expected);
    }
    let own = prove(&[proof(&world, &victim, "auth-1", &victims)]);
    world.act(|world| &world.department, &own).unwrap();
    // Even the holder of the key itself cannot have it under two DIDs at once.
    let second = prove(&[proof(&world, &squatter, "auth-9", &victims)]);
    assert_eq!(world.act(|world| &world.other, &second).unwrap_err(), Refused::ThumbprintTaken);
    // Nor is another's registration released together with one's own key of the same name.
    let index = world.next_index;
    let remove = Operation::Update(Update { remove_keys: vec!["auth-9".to_owned()], ..Update::default() });
    world.act(|world| &world.other, &remove).unwrap();
    assert_eq!(owners(&world, &victims).owner_at(index), Some(&victim));
}

#[test]
fn every_bad_proof_is_refused_and_changes_nothing() {
    let mut world = World::new();
    let did = world.department.did();
    let auth = key(2, 2);
    let forge = |name: &str, kid: &str, payload: &str, key: &SecretKey| {
        sign_compact(SignHeader::new(name).kid(kid), payload.as_bytes(), key).unwrap()
    };
    let (kid, good) = (format!("{did}#auth-1"), format!(r#"{{"aud":"{}"}}"#, world.block.origin));
    let extra = format!(r#"{{"aud":"{}","sub":"x"}}"#, world.block.origin);
    let cases = [
        ("x".to_owned(), Refused::KeyProof("jws")),
        (forge(typ::KEY_PROOF, "auth-1", &good, &auth), Refused::KeyProof("kid")),
        (forge(typ::TRANSACTION, &kid, &good, &auth), Refused::KeyProof("typ or signature")),
        (forge(typ::KEY_PROOF, &kid, &good, &key(2, 3)), Refused::KeyProof("typ or signature")),
        (forge(typ::KEY_PROOF, &kid, &extra, &auth), Refused::KeyProof("payload")),
        (make_key_proof("xinfu/other/0", &did, "auth-1", &auth).unwrap(), Refused::OtherLedger),
        (proof(&world, &did, "assert-1", &key(2, 1)), Refused::KeyProof("no current authentication key")),
        (proof(&world, &did, "auth-7", &auth), Refused::KeyProof("no current authentication key")),
    ];
    for (bad, expected) in cases {
        let before = world.state.clone();
        assert_eq!(world.act(|world| &world.department, &prove(&[bad])).unwrap_err(), expected);
        assert_eq!(world.state, before);
    }
    let many = vec![proof(&world, &did, "auth-1", &auth); super::super::MAX_KEY_PROOFS + 1];
    assert_eq!(world.act(|world| &world.department, &prove(&many)).unwrap_err(), Refused::TooMany);
}

#[test]
fn a_proof_of_an_ended_key_cannot_be_used_again() {
    let mut world = World::new();
    let did = world.department.did();
    let old = proof(&world, &did, "auth-1", &key(2, 2));
    world.act(|world| &world.department, &prove(std::slice::from_ref(&old))).unwrap();
    let remove = Operation::Update(Update { remove_keys: vec!["auth-1".to_owned()], ..Update::default() });
    world.act(|world| &world.department, &remove).unwrap();
    let again = world.act(|world| &world.department, &prove(&[old])).unwrap_err();
    assert_eq!(again, Refused::KeyProof("no current authentication key"));
}

#[test]
fn a_did_that_is_no_member_registers_its_key_through_one() {
    let mut world = World::new();
    let stranger = Party::new(4);
    let create = Operation::Relay(Relayed::Create(Box::new(stranger.create.clone())));
    world.act(|world| &world.department, &create).unwrap();
    let operation = prove(&[proof(&world, &stranger.did(), "auth-1", &key(4, 2))]);
    let envelope = world.envelope(&stranger.did(), "invoke-1");
    let inner = make_transaction(&envelope, &operation, &stranger.did(), "invoke-1", &stranger.invoker()).unwrap();
    let index = world.next_index;
    let change = super::super::Transaction::parse(&inner).unwrap();
    world.act(|world| &world.department, &Operation::Relay(Relayed::Change(Box::new(change)))).unwrap();
    assert_eq!(owners(&world, &key(4, 2)).owner_at(index), Some(&stranger.did()));
}
