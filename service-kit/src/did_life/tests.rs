//! Acts on a DID against a sample ledger, also when the process dies between two steps.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use identity_core::problem::Lang;
use identity_core::registry::{Create, Relayed, ServiceType};
use identity_core::sample::ledger::{START, SampleLedger};
use identity_core::sample::parties::Party;
use serde_json::json;

use super::*;
use crate::chance::system_rng;
use crate::fetch::{Answer, Fetch, Fetching, Request};
use crate::founding::{Founding, found};
use crate::messages::Catalogue;

const KIND: Kind = Kind {
    program: "xinfu-sample",
    service: ServiceType::Verifier,
    service_id: "verifier",
    signing: "auth-1",
    signing_use: KeyUse::Authentication,
};

/// A node over the sample ledger; it relays under a sample member.
struct Node {
    ledger: Mutex<SampleLedger>,
    carrier: Party,
}

impl Node {
    fn answer(&self, request: &Request) -> (u16, Vec<u8>) {
        let mut ledger = self.ledger.lock().unwrap();
        let body = request.body.as_ref().map(|(_, body)| std::str::from_utf8(body).unwrap()).unwrap_or_default();
        let url = url::Url::parse(&request.url).unwrap();
        let taken = match url.path() {
            "/transactions" => ledger.submit(body),
            "/relay" => Relayed::parse(body).and_then(|relayed| {
                let jws = ledger.signed_by(&self.carrier, &Operation::Relay(relayed));
                ledger.submit(&jws)
            }),
            _ => {
                let (_, wanted) = url.query_pairs().next().unwrap();
                return (200, serde_json::to_vec(&ledger.state_proof(&wanted, START)).unwrap());
            }
        };
        match taken {
            Ok(index) => {
                let proof = ledger.log_proof(index, START);
                (200, json!({"index": index, "digest": "x", "proof": proof}).to_string().into_bytes())
            }
            Err(refused) => (400, json!({"code": refused.code().as_str()}).to_string().into_bytes()),
        }
    }
}

impl Fetch for Node {
    fn send(&self, request: Request) -> Fetching<'_> {
        let (status, body) = self.answer(&request);
        let answer = Answer { host: "node".into(), status, kind: "application/json".into(), retry_after: None, body };
        Box::pin(async move { Ok(answer) })
    }
}

pub(crate) struct World {
    directory: tempfile::TempDir,
    guard: KeyGuard,
    ledger: LedgerClient,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let founding = Founding {
            chain: "sample".to_owned(),
            url: "https://service.example".to_owned(),
            name_en: "Sample".to_owned(),
            name_zh: "样本".to_owned(),
            algorithm: Alg::EdDsa,
        };
        let founded =
            found(&KIND, directory.path(), &founding, &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();
        let carrier = Party::new(1, ServiceType::Ledger);
        let create = Create::parse(&founded.create).unwrap();
        let ledger = SampleLedger::founded_on(&[&create, &carrier.create]);
        let trust_root = ledger.trust_root();
        let node = Arc::new(Node { ledger: Mutex::new(ledger), carrier });
        Self {
            directory,
            guard: KeyGuard::plain(),
            ledger: LedgerClient::new(node, "https://node.example", trust_root),
        }
    }

    pub(crate) fn life(&self) -> DidLife<'_> {
        let now = UnixSeconds(START);
        DidLife { kind: &KIND, directory: self.directory.path(), guard: &self.guard, ledger: &self.ledger, now }
    }

    fn identity(&self) -> Identity {
        founding::identity(&KIND, self.directory.path()).unwrap()
    }

    /// The former keys that the service shows, by name.
    fn former(&self) -> Vec<String> {
        self.identity().former_keys.iter().filter_map(|jwk| jwk.kid().map(str::to_owned)).collect()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The process dies before `identity.json` is written: the older one is put back.
    fn forget(&self, before: &Identity) {
        founding::write_identity(&KIND, self.directory.path(), before).unwrap();
    }
}

#[actix_web::test]
async fn a_replaced_key_is_named_and_the_old_one_remembered() {
    let world = World::new();
    let mut rng = system_rng().unwrap();
    assert_eq!(world.life().settle().await.unwrap(), Settled::Named(Vec::new()));
    let replaced = world.life().rotate(Role::Signing, &mut rng).await.unwrap();
    assert_eq!((replaced.key.as_str(), world.identity().signing_key.as_str()), ("auth-2", "auth-2"));
    let history = world.life().history().await.unwrap();
    let current: Vec<&str> = history.keys.iter().filter(|key| key.until.is_none()).map(|key| key.id.as_str()).collect();
    assert_eq!(current, ["invoke-1", "auth-2"]);
    assert_eq!(world.former(), [format!("{}#auth-1", history.did)]);
    // The next transaction is signed by the key that replaced the old one.
    world.life().rotate(Role::Submitting, &mut rng).await.unwrap();
    assert_eq!(world.life().rotate(Role::Submitting, &mut rng).await.unwrap().key, "invoke-3");
}

#[actix_web::test]
async fn whoever_dies_before_the_ledger_took_it_goes_on_with_the_same_file() {
    let world = World::new();
    let mut rng = system_rng().unwrap();
    keyfile::load_or_create(&world.file("auth-2.jwk"), Alg::EdDsa, &KeyGuard::plain(), &mut rng).unwrap();
    let made = std::fs::read(world.file("auth-2.jwk")).unwrap();
    assert_eq!(world.life().settle().await.unwrap(), Settled::Named(Vec::new()), "nothing happened yet");
    assert_eq!(world.life().rotate(Role::Signing, &mut rng).await.unwrap().key, "auth-2");
    assert_eq!(std::fs::read(world.file("auth-2.jwk")).unwrap(), made);
}

#[actix_web::test]
async fn whoever_dies_after_the_ledger_took_it_takes_the_key_up() {
    let world = World::new();
    let mut rng = system_rng().unwrap();
    let before = world.identity();
    for role in [Role::Signing, Role::Submitting] {
        let done = world.life().rotate(role, &mut rng).await.unwrap();
        world.forget(&before);
        // The operator tries again: finished, not begun a second time.
        assert_eq!(world.life().rotate(role, &mut rng).await.unwrap(), done);
    }
    world.forget(&before);
    let taken_up = Settled::Named(vec!["auth-2".to_owned(), "invoke-2".to_owned()]);
    assert_eq!(world.life().settle().await.unwrap(), taken_up);
    assert_eq!(world.life().settle().await.unwrap(), Settled::Named(Vec::new()));
    assert_eq!(world.identity().signing_key, "auth-2");
}

#[actix_web::test]
async fn a_stolen_key_is_replaced_reported_and_no_longer_shown() {
    let world = World::new();
    let mut rng = system_rng().unwrap();
    for (key, next) in [("auth-1", "auth-2"), ("invoke-1", "invoke-2")] {
        let index = world.life().report(key, &mut rng).await.unwrap();
        let history = world.life().history().await.unwrap();
        assert_eq!(history.keys.iter().find(|record| record.id == key).unwrap().compromised, Some(index));
        assert!(history.current_key(next).is_some());
        assert_eq!(world.life().report(key, &mut rng).await.unwrap(), index, "the first report holds");
    }
    assert_eq!(world.identity().former_keys, Vec::new());
    let unknown = world.life().report("auth-9", &mut rng).await.unwrap_err();
    assert_eq!(unknown.code(), Code::RegistryKeyUnknown);
}

#[actix_web::test]
async fn a_key_is_registered_once_and_replaced_with_its_registration() {
    let world = World::new();
    assert!(world.life().register().await.unwrap().is_some());
    assert_eq!(world.life().register().await.unwrap(), None);
    world.life().rotate(Role::Signing, &mut system_rng().unwrap()).await.unwrap();
    assert_eq!(world.life().register().await.unwrap(), None, "the new key came with its proof");
}

#[actix_web::test]
async fn a_lost_machine_is_recovered_with_the_key_from_the_safe() {
    let world = World::new();
    let mut rng = system_rng().unwrap();
    let safe = tempfile::tempdir().unwrap();
    let (kept, next) = (safe.path().join("recovery.jwk"), safe.path().join("next.jwk"));
    std::fs::rename(world.file("recovery.jwk"), &kept).unwrap();
    // A thief of the machine gives the DID a key of their own.
    let theirs =
        KeyEntry::new("auth-7", public(&SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap()), KIND.signing_use);
    let stolen = Operation::Update(Update { add_keys: vec![theirs], ..Update::default() });
    world.life().submit(&world.identity(), &stolen).await.unwrap();
    for lost in ["auth-1.jwk", "invoke-1.jwk"] {
        std::fs::remove_file(world.file(lost)).unwrap();
    }
    let before = world.identity();
    let index = world.life().recover(&kept, &next, &mut rng).await.unwrap();
    assert_eq!((world.identity().signing_key, world.identity().submitting_key), ("auth-2".into(), "invoke-2".into()));
    let history = world.life().history().await.unwrap();
    assert!(history.keys_at(index).all(|key| key.id.ends_with("-2")));
    let ours = vec![format!("{}#auth-1", history.did)];
    assert_eq!(world.former(), ours, "what the department signed stays good; the thief's key is none of ours");
    // Again, as after a crash: nothing new.
    world.forget(&before);
    assert_eq!(world.life().recover(&kept, &next, &mut rng).await.unwrap(), index);
    assert_eq!((world.identity().signing_key, world.former()), ("auth-2".to_owned(), ours));
    // The used key is good for nothing; the next one is.
    let third = safe.path().join("third.jwk");
    let refused = world.life().recover(&kept, &third, &mut rng).await.unwrap_err();
    assert_eq!(refused.code(), Code::RegistryRecoveryKeyUsed);
    world.life().recover(&next, &third, &mut rng).await.unwrap();
}

#[actix_web::test]
async fn a_service_learns_before_it_starts_that_it_must_not() {
    let world = World::new();
    let mut rng = system_rng().unwrap();
    world.life().rotate(Role::Signing, &mut rng).await.unwrap();
    // An older key directory is put back: no file holds the key that the ledger names.
    let new = std::fs::read(world.file("auth-2.jwk")).unwrap();
    std::fs::remove_file(world.file("auth-2.jwk")).unwrap();
    let mut identity = world.identity();
    identity.signing_key = "auth-1".to_owned();
    world.forget(&identity);
    let ended = world.life().settle().await.unwrap_err();
    assert!(matches!(&ended, LifeError::KeyEnded { key, .. } if key == "auth-1"), "{ended}");
    assert_eq!(ended.code(), Code::KeysEnded);
    // A file of that name with another key in it is not taken for it.
    keyfile::load_or_create(&world.file("auth-2.jwk"), Alg::EdDsa, &KeyGuard::plain(), &mut rng).unwrap();
    assert_eq!(world.life().settle().await.unwrap_err().code(), Code::KeysEnded);
    identity.signing_key = "auth-2".to_owned();
    world.forget(&identity);
    assert_eq!(world.life().settle().await.unwrap_err().code(), Code::KeysOther);
    std::fs::remove_file(world.file("auth-2.jwk")).unwrap();
    crate::private_file::create(&world.file("auth-2.jwk"), &new).unwrap();
    assert_eq!(world.life().settle().await.unwrap(), Settled::Named(Vec::new()));

    for lang in [Lang::En, Lang::Zh] {
        let told = command::before_start(&world.life(), &Catalogue::new(lang)).await.unwrap();
        assert!(told.iter().any(|line| line.contains("recovery.jwk")), "{told:?}");
    }
    world.life().deactivate().await.unwrap();
    assert_eq!(world.life().settle().await.unwrap_err().code(), Code::RegistryDidDeactivated);
}

#[actix_web::test]
async fn a_did_that_is_not_there_yet_may_start_and_change_nothing() {
    let mut world = World::new();
    let elsewhere = SampleLedger::founded_on(&[&Party::new(1, ServiceType::Ledger).create]);
    let trust_root = elsewhere.trust_root();
    let node = Node { ledger: Mutex::new(elsewhere), carrier: Party::new(1, ServiceType::Ledger) };
    world.ledger = LedgerClient::new(Arc::new(node), "https://node.example", trust_root);
    assert_eq!(world.life().settle().await.unwrap(), Settled::NotYet);
    let refused = world.life().rotate(Role::Signing, &mut system_rng().unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), Code::RegistryDidUnknown);
    assert!(!world.file("auth-2.jwk").exists());
}
