//! Creating, changing and ending DIDs.

use ledger::sha256;

use super::super::{
    Anchor, AnchorKind, Create, CreatePayload, DidHistory, Envelope, KeyUse, Label, Operation, OwnerHistory, Refused,
    Relayed, Transaction, Update, did_key, make_create, make_transaction, url_key,
};
use super::world::{Party, START, World, entry, key, payload, service};
use crate::did::Did;

fn history(world: &World, did: &Did) -> DidHistory {
    serde_json::from_slice(&world.state[&did_key(did)]).unwrap()
}

fn relay(create: &Create) -> Operation {
    Operation::Relay(Relayed::Create(Box::new(create.clone())))
}

#[test]
fn a_creation_is_checked_before_it_travels() {
    let refused = |change: &dyn Fn(&mut CreatePayload)| {
        let mut payload = payload(5);
        change(&mut payload);
        make_create(&payload, "invoke-1", &key(5, 3)).unwrap_err().code().as_str()
    };
    assert_eq!(refused(&|p| p.keys.clear()), "registry.create.malformed");
    assert_eq!(refused(&|p| p.salt = "short".into()), "registry.create.malformed");
    assert_eq!(refused(&|p| p.recovery = String::new()), "registry.create.malformed");
    let label = Label { en: "bell\u{7}".into(), zh: "局".into() };
    assert_eq!(refused(&|p| p.label = Some(label.clone())), "registry.create.malformed");
    assert_eq!(refused(&|p| p.keys[0].id = "a/b".into()), "registry.key.malformed");
    assert_eq!(refused(&|p| p.keys[0].uses.push(KeyUse::Authentication)), "registry.key.malformed");
    assert_eq!(refused(&|p| p.keys[0].uses.clear()), "registry.key.malformed");
    assert_eq!(refused(&|p| p.keys[0].id = "auth-1".into()), "registry.key.id_taken");
    assert_eq!(refused(&|p| p.keys[0].jwk = p.keys[1].jwk.clone()), "registry.key.reused");
    assert_eq!(refused(&|p| p.services[0].url = "http://a.example".into()), "registry.service.malformed");
    assert_eq!(refused(&|p| p.services.push(service("issuer", "https://b.example"))), "registry.service.id_taken");
    assert_eq!(refused(&|p| p.keys.remove(2).id.clear()), "registry.create.signature");
}

#[test]
fn a_creation_cannot_be_signed_by_another_key() {
    let refused = make_create(&payload(5), "invoke-1", &key(7, 3)).unwrap_err();
    assert_eq!(refused, Refused::CreateSignature);
    let refused = make_create(&payload(5), "none", &key(5, 3)).unwrap_err();
    assert_eq!(refused, Refused::CreateSignature);
}

#[test]
fn a_relayed_creation_exists_once_and_owns_its_url() {
    let mut world = World::new();
    let create = world.stranger.create.clone();
    let index = world.next_index;
    world.act(|world| &world.department, &relay(&create)).unwrap();
    assert_eq!(history(&world, create.did()).created, index);
    let owners: OwnerHistory = serde_json::from_slice(&world.state[&url_key("https://d4.example")]).unwrap();
    assert_eq!(owners.owner_at(index), Some(create.did()));
    assert_eq!(owners.owner_at(index - 1), None);

    let again = world.act(|world| &world.department, &relay(&create)).unwrap_err();
    assert_eq!(again, Refused::DidExists);
    let squatter = Party::with(6, |payload| payload.services = vec![service("issuer", "https://d4.example")]);
    let taken = world.act(|world| &world.department, &relay(&squatter.create)).unwrap_err();
    assert_eq!(taken, Refused::UrlTaken);
    let elsewhere = Party::with(6, |payload| payload.chain = "other".to_owned());
    let other = world.act(|world| &world.department, &relay(&elsewhere.create)).unwrap_err();
    assert_eq!(other, Refused::OtherChain);
}

#[test]
fn an_update_rotates_keys_and_keeps_the_past() {
    let mut world = World::new();
    let did = world.department.did();
    let index = world.next_index;
    let update = Update {
        add_keys: vec![entry("assert-2", 2, 10, KeyUse::AssertionMethod)],
        remove_keys: vec!["assert-1".to_owned()],
        add_services: vec![service("second", "https://second.example")],
        remove_services: vec!["issuer".to_owned()],
        ..Update::default()
    };
    world.act(|world| &world.department, &Operation::Update(update)).unwrap();
    let history = history(&world, &did);
    assert!(history.current_key("assert-1").is_none());
    assert_eq!(history.current_key("assert-2").unwrap().from, index);
    let old = history.keys.iter().find(|key| key.id == "assert-1").unwrap();
    assert_eq!(old.until, Some(index));
    assert_eq!(history.changes(), vec![1, index]);
    let owners: OwnerHistory = serde_json::from_slice(&world.state[&url_key("https://d2.example")]).unwrap();
    assert_eq!((owners.owner_at(index - 1), owners.owner_at(index)), (Some(&did), None));
}

#[test]
fn every_bad_update_has_its_own_refusal() {
    let mut world = World::new();
    let update = |change: &dyn Fn(&mut Update)| {
        let mut update = Update::default();
        change(&mut update);
        Operation::Update(update)
    };
    let cases = [
        (update(&|_| {}), Refused::NothingToChange),
        (update(&|u| u.remove_keys = vec!["none".into()]), Refused::KeyUnknown),
        (update(&|u| u.remove_keys = vec!["auth-1".into(), "auth-1".into()]), Refused::KeyUnknown),
        (update(&|u| u.remove_keys = vec!["invoke-1".into()]), Refused::LastKey),
        (update(&|u| u.remove_services = vec!["none".into()]), Refused::ServiceUnknown),
        (update(&|u| u.add_services = vec![service("issuer", "https://x.example")]), Refused::ServiceIdTaken),
        (update(&|u| u.add_services = vec![service("x", "https://d1.example")]), Refused::UrlTaken),
        (update(&|u| u.add_services = vec![service("x", "https://d1.example/")]), Refused::ServiceMalformed("url")),
        (update(&|u| u.add_keys = vec![entry("auth-1", 2, 11, KeyUse::Authentication)]), Refused::KeyIdTaken),
        (update(&|u| u.add_keys = vec![entry("new", 2, 1, KeyUse::Authentication)]), Refused::KeyReused),
        (update(&|u| u.add_keys = vec![entry("a b", 2, 12, KeyUse::Authentication)]), Refused::KeyMalformed("id")),
    ];
    for (operation, expected) in cases {
        let before = world.state.clone();
        assert_eq!(world.act(|world| &world.department, &operation).unwrap_err(), expected);
        assert_eq!(world.state, before);
    }
    // A removed key's id and key stay taken for ever.
    let rotate = update(&|u| u.remove_keys = vec!["auth-1".into()]);
    world.act(|world| &world.department, &rotate).unwrap();
    let back = update(&|u| u.add_keys = vec![entry("auth-9", 2, 2, KeyUse::AssertionMethod)]);
    assert_eq!(world.act(|world| &world.department, &back).unwrap_err(), Refused::KeyReused);
}

#[test]
fn a_deactivated_did_can_do_nothing_and_frees_its_url() {
    let mut world = World::new();
    let index = world.next_index;
    world.act(|world| &world.department, &Operation::Deactivate).unwrap();
    assert!(!history(&world, &world.department.did()).is_active_at(index));
    assert!(history(&world, &world.department.did()).is_active_at(index - 1));
    let anchor = Operation::Anchor(Anchor::new(AnchorKind::Notarised, sha256(b""), 1));
    assert_eq!(world.act(|world| &world.department, &anchor).unwrap_err(), Refused::Deactivated);
    let update = Update { add_services: vec![service("x", "https://d2.example")], ..Update::default() };
    world.act(|world| &world.other, &Operation::Update(update)).unwrap();
    assert_eq!(world.act(|world| &world.authority, &Operation::Deactivate).unwrap_err(), Refused::Authority);
}

#[test]
fn a_stranger_changes_its_did_through_a_member() {
    let mut world = World::new();
    let did = world.stranger.did();
    let create = world.stranger.create.clone();
    world.act(|world| &world.department, &relay(&create)).unwrap();

    let inner = |world: &World, operation: &Operation, key: &crate::crypto::SecretKey| {
        let envelope = Envelope { exp: START + 60, ..world.envelope(&did, "invoke-1") };
        let jws = make_transaction(&envelope, operation, &did, "invoke-1", key).unwrap();
        Operation::Relay(Relayed::Change(Box::new(Transaction::parse(&jws).unwrap())))
    };
    let forged = inner(&world, &Operation::Deactivate, &key(7, 3));
    assert_eq!(world.act(|world| &world.department, &forged).unwrap_err(), Refused::Signature);
    let first = inner(&world, &Operation::Deactivate, &world.stranger.invoker());
    world.act(|world| &world.department, &first).unwrap();
    assert_eq!(world.act(|world| &world.department, &first).unwrap_err(), Refused::Deactivated);
}

#[test]
fn only_dids_own_operations_can_be_relayed() {
    let world = World::new();
    let anchor = Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(b""), 1));
    let inner = Transaction::parse(&world.transaction(&world.other, &anchor)).unwrap();
    let outer = Operation::Relay(Relayed::Change(Box::new(inner)));
    let jws = world.transaction(&world.department, &outer);
    assert_eq!(Transaction::parse(&jws).unwrap_err(), Refused::NotRelayable);
    let nested = Operation::Relay(Relayed::Create(Box::new(world.stranger.create.clone())));
    let inner = Transaction::parse(&world.transaction(&world.other, &nested)).unwrap();
    let jws = world.transaction(&world.department, &Operation::Relay(Relayed::Change(Box::new(inner))));
    assert_eq!(Transaction::parse(&jws).unwrap_err(), Refused::NotRelayable);
}
