//! `status` against a sample ledger with real proofs and a real status list: what is asked, and what is made of it.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use identity_core::{
    problem::Code,
    registry::{accreditation_key, did_key},
    sample::world::{LIST, NOW, VCT, World, holder},
    status::Status,
    verdict::IssuerStanding,
};
use rand::{SeedableRng, rngs::StdRng};
use service_kit::{chance::SeededChance, clock::ManualClock, fetch::scripted::ScriptedFetch};
use std::{path::Path, sync::Arc};
use wallet_cli::{
    Ports, Wallet,
    holdings::{Credential, Holdings, Setup},
    status::Report,
    vault::{KdfCost, Passphrase, Vault},
};

const LEDGER: &str = "https://ledger.example";

struct Scene {
    world: World,
    fetch: Arc<ScriptedFetch>,
    dir: tempfile::TempDir,
}

impl Scene {
    /// A wallet that holds the sample credential twice: two entries of one list.
    fn new() -> Self {
        let world = World::new();
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &world);
        Self { world, fetch: Arc::new(ScriptedFetch::new()), dir }
    }

    fn serve_ledger(&self) {
        let did = self.world.issuer.did();
        for key in [did_key(&did), accreditation_key(&did)] {
            let proof = serde_json::to_vec(&self.world.ledger.state_proof(&key, NOW.0 - 100)).unwrap();
            self.fetch.answer(&state_url(&key), 200, "application/json", proof);
        }
    }

    fn serve_list(&self, status: Status) {
        let list = self.world.status_list(status, &self.world.issuer);
        self.fetch.answer(LIST, 200, "application/statuslist+jwt", list);
    }

    async fn status(&self) -> Vec<Report> {
        let ports = Ports {
            fetch: Some(self.fetch.clone()),
            clock: Arc::new(ManualClock::at(NOW)),
            chance: Arc::new(SeededChance::new(3)),
        };
        let wallet = Wallet::open(self.dir.path(), &passphrase(), ports).unwrap();
        wallet.status().await.unwrap().credentials
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new("a sample passphrase".into())
}

fn fill(dir: &Path, world: &World) {
    let mut rng = StdRng::seed_from_u64(9);
    let mut holdings = Holdings::read(Vault::create(dir, &passphrase(), KdfCost::FLOOR, &mut rng).unwrap()).unwrap();
    let trust_root = world.ledger.trust_root_text();
    let setup = Setup {
        ledger: LEDGER.into(),
        trust_root,
        trust_age: None,
        ca: String::new(),
        client_ca: String::new(),
        allow_private: Vec::new(),
        plain: false,
    };
    holdings.add_setup(setup, &mut rng).unwrap();
    for _ in 0..2 {
        let held = Credential::new(VCT.into(), world.issuer.address(), NOW, world.credential.clone(), &holder());
        holdings.add_credential(held, &mut rng).unwrap();
    }
}

fn state_url(key: &str) -> String {
    let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    format!("{LEDGER}/proofs/state?key={key}")
}

#[tokio::test]
async fn whole_lists_are_asked_for_once_each_and_nothing_names_a_credential() {
    let scene = Scene::new();
    scene.serve_ledger();
    scene.serve_list(Status::Valid);
    let reports = scene.status().await;
    assert_eq!(reports.iter().map(|report| report.number).collect::<Vec<_>>(), [1, 2]);
    for report in reports {
        assert_eq!((report.condition.status, report.reason), (Ok(Status::Valid), None));
        assert_eq!(report.condition.issuer, Ok(IssuerStanding::Accredited));
        assert!(report.condition.list.is_some());
    }
    let did = scene.world.issuer.did();
    let mut wanted = vec![state_url(&did_key(&did)), state_url(&accreditation_key(&did)), LIST.to_owned()];
    let mut asked: Vec<String> = scene.fetch.asked().into_iter().map(|request| request.url).collect();
    wanted.sort();
    asked.sort();
    assert_eq!(asked, wanted, "each once, whatever the number of credentials");
    assert!(scene.fetch.asked().iter().all(|request| request.body.is_none()));
}

#[tokio::test]
async fn revoked_and_suspended_are_told_apart() {
    let scene = Scene::new();
    scene.serve_ledger();
    for status in [Status::Invalid, Status::Suspended, Status::Other(3)] {
        scene.serve_list(status);
        assert!(scene.status().await.iter().all(|report| report.condition.status == Ok(status)));
    }
}

#[tokio::test]
async fn what_cannot_be_asked_or_believed_is_a_doubt_with_its_reason() {
    let scene = Scene::new();
    scene.serve_list(Status::Invalid);
    let doubt = async || {
        let reports = scene.status().await;
        let report = reports.first().unwrap();
        (report.condition.status.is_err(), report.condition.issuer.is_err(), report.reason)
    };
    assert_eq!(
        doubt().await,
        (true, true, Some(Code::FetchUnreachable)),
        "no ledger, so nobody knows whose list it is"
    );
    scene.serve_ledger();
    scene.fetch.forget(LIST);
    assert_eq!(doubt().await, (true, false, Some(Code::FetchUnreachable)));
    scene.fetch.answer(LIST, 404, "application/json", "{}");
    assert_eq!(doubt().await, (true, false, Some(Code::FetchRefused)));
    scene.fetch.answer(LIST, 200, "application/statuslist+jwt", "garbage");
    assert!(doubt().await.0);
    let foreign = scene.world.status_list(Status::Invalid, &scene.world.asker);
    scene.fetch.answer(LIST, 200, "application/statuslist+jwt", foreign);
    assert_eq!(doubt().await, (true, false, Some(Code::VerdictStatusSignerUnknown)));
}
