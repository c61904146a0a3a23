//! A department, its store, its clock and its ledger, for one test.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use identity_core::crypto::{Alg, SecretKey};
use identity_core::did::Did;
use identity_core::jose::Jwk;
use identity_core::oid4vci::proof;
use identity_core::registry::{Delegation, DutyHistory, DutyHolder, Label, Role, Transaction};
use identity_core::time::UnixSeconds;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use service_kit::admin::AdminTokens;
use service_kit::chance::SeededChance;
use service_kit::clock::ManualClock;
use service_kit::duties;
use service_kit::founding::{self, Founding};
use service_kit::http::Metrics;
use service_kit::key_guard::KeyGuard;
use service_kit::store::faulty::FaultyStore;
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Answer, Batch, Entry, Range, Store};

use crate::counters::Counters;
use crate::keys::{KIND as KIND_OF_KEYS, Keys};
use crate::kind::Kind;
use crate::ports::{Certified, Ledger, LedgerAnswer, LedgerFault, Ports};
use crate::service::Service;
use crate::{Config, DutyConfig, http};

pub(super) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
pub(super) const URL: &str = "https://issuer.example";
pub(super) const KIND: &str = "resident-identity";
/// The service account's duty, and on what ground it acts.
pub(super) const DESK: &str = "desk-1";
pub(super) const BASIS: &str = "Sample Act, article 1";
pub(super) const TABLE: &str = "\
id,name,sex,ethnicity,birth_date,address.division_code,address.region,address.detail,citizen_number,issuing_authority,valid_from,age_over_18
s-1,样本甲,2,01,1949-12-31,110105,北京市朝阳区,样本路 1 号,11010519491231002X,样本市公安局,2020-01-01,true
";

pub(super) struct World {
    pub service: Arc<Service>,
    pub store: Arc<FaultyStore>,
    pub clock: Arc<ManualClock>,
    pub ledger: Arc<FakeLedger>,
    pub admin: String,
    directory: tempfile::TempDir,
}

/// An answer: status, body, and the two headers that matter.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status, `error`, `code`.
    pub(super) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (self.status, text("error"), text("code"))
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config { url: URL.to_owned(), keys: directory.path().join("keys"), ..Config::default() };
        config.admin_token = directory.path().join("admin.token");
        config.duty = DutyConfig { service: DESK.to_owned(), basis: BASIS.to_owned() };
        change(&mut config);
        let chance = SeededChance::new(7);
        let founding = Founding {
            chain: "test".to_owned(),
            url: URL.to_owned(),
            name_en: "Sample".to_owned(),
            name_zh: "样本".to_owned(),
            algorithm: Alg::EdDsa,
        };
        crate::init(&config.keys, &founding, &KeyGuard::plain(), &mut *service_kit::chance::Chance::rng(&chance))
            .unwrap();
        let ledger = Arc::new(FakeLedger::default());
        let desk = duties::service_key(&config.keys, &KeyGuard::plain(), &mut StdRng::seed_from_u64(8)).unwrap();
        ledger.delegate(delegation(DutyHolder::Service, desk), &config.keys, DESK);
        let world = Self::start(config, directory, Arc::new(MemoryStore::new()), ledger).await;
        if world.service.account.is_none() {
            return world;
        }
        let report = world.service.import(&act(), KIND, TABLE.as_bytes(), None).await.unwrap();
        assert_eq!((report.imported, report.refused), (1, 0), "{report:?}");
        world
    }

    async fn start(
        config: Config,
        directory: tempfile::TempDir,
        memory: Arc<MemoryStore>,
        ledger: Arc<FakeLedger>,
    ) -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(Yielding(memory))));
        let clock = Arc::new(ManualClock::at(NOW));
        let ports = Ports {
            store: store.clone(),
            clock: clock.clone(),
            chance: Arc::new(SeededChance::new(9)),
            ledger: ledger.clone(),
            lock: None,
        };
        let mut rng = ports.chance.rng();
        AdminTokens::load_or_create(&config.admin_token, &mut *rng).unwrap();
        let admin = std::fs::read_to_string(&config.admin_token).unwrap().trim().to_owned();
        let (keys, secret) = Keys::load(&config.keys, &KeyGuard::plain()).unwrap();
        let counters = Counters::new(&Metrics::new().unwrap()).unwrap();
        let service = Service::build(config, keys, secret, &ports, counters).await.unwrap();
        Self { service: Arc::new(service), store, clock, ledger, admin, directory }
    }

    /// The same department after a crash: what was in memory is gone.
    pub(super) async fn restarted(self) -> Self {
        let config = self.service.config.clone();
        let counters = Counters::new(&Metrics::new().unwrap()).unwrap();
        let (keys, secret) = Keys::load(&config.keys, &KeyGuard::plain()).unwrap();
        let ports = Ports {
            store: self.store.clone(),
            clock: self.clock.clone(),
            chance: Arc::new(SeededChance::new(10)),
            ledger: self.ledger.clone(),
            lock: None,
        };
        let service = Service::build(config, keys, secret, &ports, counters).await.unwrap();
        Self { service: Arc::new(service), ..self }
    }

    pub(super) async fn send(&self, request: TestRequest) -> Reply {
        let routes = http::routes(Arc::clone(&self.service), web::Data::new(self.tokens()));
        let app = test::init_service(App::new().configure(routes)).await;
        match test::try_call_service(&app, request.to_request()).await {
            Ok(response) => read(response).await,
            Err(error) => read_error(&error).await,
        }
    }

    pub(super) fn tokens(&self) -> AdminTokens {
        AdminTokens::load(&self.directory.path().join("admin.token")).unwrap()
    }

    /// One more line in the file of tokens.
    pub(super) fn add_token(&self, line: &str) {
        std::fs::write(self.directory.path().join("admin.token"), format!("{}\n{line}\n", self.admin)).unwrap();
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send(TestRequest::get().uri(path)).await
    }

    pub(super) async fn admin(&self, request: TestRequest) -> Reply {
        self.send(request.insert_header(("Authorization", format!("Bearer {}", self.admin)))).await
    }

    /// A fresh offer: pre-authorized code and transaction code.
    pub(super) async fn offer(&self) -> (String, String) {
        let wanted = json!({"subject": "s-1", "credential_configuration_id": KIND});
        let made = self.admin(TestRequest::post().uri("/admin/offers").set_json(wanted)).await;
        assert_eq!(made.status, 200, "{made:?}");
        let made = made.json();
        let offer = self.get(&format!("/offers/{}", made["offer_id"].as_str().unwrap())).await.json();
        let code = &offer["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"]["pre-authorized_code"];
        (code.as_str().unwrap().to_owned(), made["tx_code"].as_str().unwrap().to_owned())
    }

    pub(super) async fn post_token(&self, code: &str, tx_code: &str) -> Reply {
        self.send(TestRequest::post().uri("/token").set_form(token_form(code, tx_code))).await
    }

    pub(super) async fn token(&self) -> String {
        let (code, tx_code) = self.offer().await;
        self.post_token(&code, &tx_code).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn nonce(&self) -> String {
        let reply = self.send(TestRequest::post().uri("/nonce")).await;
        assert_eq!(reply.headers["cache-control"], "no-store");
        reply.json()["c_nonce"].as_str().unwrap().to_owned()
    }

    pub(super) async fn post_credential(&self, token: &str, body: &Value) -> Reply {
        let request =
            TestRequest::post().uri("/credential").insert_header(("Authorization", format!("Bearer {token}")));
        self.send(request.set_json(body)).await
    }

    /// Issues to the keys with these seeds.
    pub(super) async fn issue(&self, seeds: &[u8]) -> Reply {
        let token = self.token().await;
        let nonce = self.nonce().await;
        self.post_credential(&token, &asking(&proofs(&nonce, seeds))).await
    }
}

async fn read<B: MessageBody>(response: ServiceResponse<B>) -> Reply {
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let body = actix_web::body::to_bytes(response.into_body()).await.ok().unwrap().to_vec();
    Reply { status, body, headers }
}

async fn read_error(error: &actix_web::Error) -> Reply {
    let response = error.error_response();
    let status = response.status();
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap().to_vec();
    Reply { status: status.as_u16(), body, headers: BTreeMap::new() }
}

pub(super) fn token_form(code: &str, tx_code: &str) -> [(&'static str, String); 3] {
    [
        ("grant_type", "urn:ietf:params:oauth:grant-type:pre-authorized_code".to_owned()),
        ("pre-authorized_code", code.to_owned()),
        ("tx_code", tx_code.to_owned()),
    ]
}

pub(super) fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::Es256, &[seed; 32]).unwrap()
}

pub(super) fn proofs(nonce: &str, seeds: &[u8]) -> Vec<String> {
    seeds.iter().map(|seed| proof::make(URL, Some(nonce), NOW, &key(*seed)).unwrap()).collect()
}

pub(super) fn asking(proofs: &[String]) -> Value {
    json!({"credential_configuration_id": KIND, "proofs": {"jwt": proofs}})
}

/// Lets others go first at every call, and again when a read is done, so that requests under way at once really
/// interleave.
struct Yielding(Arc<MemoryStore>);

impl Store for Yielding {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let found = self.0.get(key).await;
            tokio::task::yield_now().await;
            found
        })
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.scan(range, limit).await
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.commit(batch).await
        })
    }
}

/// How the ledger behaves at the next submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Well,
    /// Nothing arrives.
    Down,
    /// It is done, but the answer is lost.
    AnswerLost,
    /// Refused for good.
    Refuses,
}

/// A ledger that keeps the rules this service must keep: one sequence number, one transaction.
#[derive(Default)]
pub(super) struct FakeLedger {
    pub moods: Mutex<Vec<Mood>>,
    pub accepted: Mutex<Vec<String>>,
    /// Which set of validators is in force.
    pub validators: Mutex<u32>,
    /// Proofs are not to be had.
    pub silent: Mutex<bool>,
    /// Delegations, each in force from index 1; all of them are known up to 10.
    pub duties: Mutex<Vec<DutyHistory>>,
    asked: AtomicU64,
    proven: AtomicU64,
}

impl FakeLedger {
    /// Behaves so, submission by submission; then well.
    pub(super) fn will(&self, moods: &[Mood]) {
        *self.moods.lock().unwrap() = moods.iter().rev().copied().collect();
    }

    /// The department whose keys lie here has given a duty.
    pub(super) fn delegate(&self, given: Delegation, keys: &Path, duty: &str) {
        let department = founding::identity(&KIND_OF_KEYS, keys).unwrap().did;
        let history = DutyHistory { department, duty: duty.to_owned(), delegations: vec![given] };
        self.duties.lock().unwrap().push(history);
    }

    pub(super) fn submissions(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// How often it was asked for a proof alone.
    pub(super) fn proofs(&self) -> u64 {
        self.proven.load(Ordering::SeqCst)
    }

    fn take(&self, transaction: &str) -> Result<Certified, LedgerFault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = self.moods.lock().unwrap().pop().unwrap_or_default();
        match mood {
            Mood::Down => return Err(LedgerFault::Unreachable("down".to_owned())),
            Mood::Refuses => return Err(LedgerFault::Refused("registry.transaction.expired".to_owned())),
            Mood::Well | Mood::AnswerLost => {}
        }
        let mut accepted = self.accepted.lock().unwrap();
        let index = accepted.iter().position(|known| known == transaction).unwrap_or_else(|| {
            let parsed = Transaction::parse(transaction).unwrap();
            assert_eq!(parsed.envelope().aud, self.origin());
            assert_eq!(parsed.envelope().seq, u64::try_from(accepted.len()).unwrap() + 1, "sequence");
            accepted.push(transaction.to_owned());
            accepted.len() - 1
        });
        if mood == Mood::AnswerLost {
            return Err(LedgerFault::Unreachable("answer lost".to_owned()));
        }
        Ok(Certified {
            index: u64::try_from(index).unwrap(),
            proof: format!("proof of {index} by {}", self.validators.lock().unwrap()),
        })
    }
}

impl Ledger for FakeLedger {
    fn origin(&self) -> &str {
        "xinfu/test/0000"
    }

    fn next_sequence<'a>(&'a self, key_url: &'a str) -> LedgerAnswer<'a, u64> {
        assert!(key_url.ends_with("#invoke-1"));
        let next = u64::try_from(self.accepted.lock().unwrap().len()).unwrap() + 1;
        Box::pin(async move { Ok(next) })
    }

    fn submit<'a>(&'a self, transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        let answer = self.take(transaction);
        Box::pin(async move { answer })
    }

    fn holds(&self, proof: &str, _transaction: &str) -> bool {
        proof.ends_with(&self.validators.lock().unwrap().to_string())
    }

    fn prove<'a>(&'a self, index: u64, transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        self.proven.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.accepted.lock().unwrap()[usize::try_from(index).unwrap()], transaction);
        let proof = format!("proof of {index} by {}", self.validators.lock().unwrap());
        let down = *self.silent.lock().unwrap();
        Box::pin(async move {
            if down { Err(LedgerFault::Unreachable("down".to_owned())) } else { Ok(Certified { index, proof }) }
        })
    }

    fn duty<'a>(&'a self, department: &'a Did, duty: &'a str) -> LedgerAnswer<'a, Option<(DutyHistory, u64)>> {
        let duties = self.duties.lock().unwrap();
        let found = duties.iter().find(|history| history.department == *department && history.duty == duty);
        let answer = found.map(|history| (history.clone(), 10));
        let down = *self.silent.lock().unwrap();
        Box::pin(async move { if down { Err(LedgerFault::Unreachable("down".to_owned())) } else { Ok(answer) } })
    }

    fn look_around(&self) -> LedgerAnswer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// A delegation of issuing the sample type.
pub(super) fn delegation(holder: DutyHolder, key: Jwk) -> Delegation {
    Delegation {
        id: 1,
        holder,
        title: Label { en: "Sample counter".to_owned(), zh: "样本窗口".to_owned() },
        key,
        role: Role::Issuer,
        types: vec![Kind::vct_of(KIND).unwrap()],
        claims: Vec::new(),
        purposes: Vec::new(),
        case_required: false,
        from: 0,
        until: i64::MAX,
        started: Some(1),
        ended: None,
        ending: None,
    }
}

/// An act of the operator's.
pub(super) fn act() -> service_kit::audit::Act {
    service_kit::audit::Act::new(&service_kit::admin::Official::at_the_machine(), "test")
}
