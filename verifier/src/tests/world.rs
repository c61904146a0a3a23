//! A verifier in a sample world: the ledger and the issuer answer by script, the clock stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{App, body, test, web};
use identity_core::did::DidUrl;
use identity_core::kb_jwt::Occasion;
use identity_core::oid4vp::transaction_data::hashes_for;
use identity_core::registry::{
    Delegate, DutyHolder, Operation, accreditation_key, did_key, duty_key, schema_key, thumbprint_key,
};
use identity_core::sample::certificates::ASKER;
use identity_core::sample::world::{DUTY, LIST, NOW, PURPOSE, TYPE, VCT, World, duty, holder};
use identity_core::status::Status;
use identity_core::x509::Chain;
use serde_json::{Value, json};
use service_kit::admin::AdminTokens;
use service_kit::chance::SeededChance;
use service_kit::chance::system_rng;
use service_kit::clock::ManualClock;
use service_kit::fetch::scripted::ScriptedFetch;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;
use service_kit::ledger_client::LedgerClient;
use service_kit::store::memory::MemoryStore;
use service_kit::trust_keeper::TrustKeeper;

use crate::client::Client;
use crate::config::{Config, DutyConfig, LedgerConfig, X509Config};
use crate::http::routes;
use crate::job::anchor::RoundFailure;
use crate::keys::RequestKey;
use crate::policy::{AnchorPolicy, QueryConfig, RequiredByLaw, Undetermined};
use crate::receipts::{Counters, Receipts, Submitter};
use crate::service::{Names, Ports, Verifier};

/// Duty number of the service account; [`DUTY`] is the official's.
pub(super) const DESK: &str = "desk";

pub(super) const LEDGER: &str = "https://ledger.example";

/// What an answer over HTTP was.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answered {
    /// Where the wallet was told to send the browser.
    pub(super) fn redirect(&self) -> &Value {
        &self.body["redirect_uri"]
    }

    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A verifier, its world, and the admin's token.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) fetch: Arc<ScriptedFetch>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) verifier: web::Data<Verifier>,
    pub(super) ports: Ports,
    config: Config,
    token: web::Data<AdminTokens>,
    secret: String,
    directory: tempfile::TempDir,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let bench = Self::without_evidence().await;
        bench.serve_evidence(Status::Valid);
        bench
    }

    /// A service on a store that lets go of everything in its time; the usual one watches over what must never change.
    pub(super) async fn forgetful() -> Self {
        let mut bench = Self::new().await;
        bench.ports.store = Arc::new(MemoryStore::new());
        bench.restart().await;
        bench
    }

    /// A service that has a certificate, in a world that knows it by that.
    pub(super) async fn certified() -> Self {
        let mut world = World::new();
        world.certify();
        let bench = Self::of(world, true).await;
        bench.serve_evidence(Status::Valid);
        bench.serve_thumbprint();
        bench
    }

    /// Ledger and issuer unreachable.
    pub(super) async fn without_evidence() -> Self {
        Self::of(World::new(), false).await
    }

    async fn of(mut world: World, certified: bool) -> Self {
        let desk = Delegate { duty: DESK.to_owned(), holder: DutyHolder::Service, ..duty() };
        world.ledger.act(&world.asker, &Operation::Delegate(Box::new(desk)));
        world.ledger.seal(NOW.0 - 250);
        world.fetch();
        let directory = tempfile::tempdir().unwrap();
        let types = directory.path().join("type.json");
        std::fs::write(&types, TYPE).unwrap();
        let token_file = directory.path().join("admin.token");
        let token = AdminTokens::load_or_create(&token_file, &mut service_kit::chance::system_rng().unwrap()).unwrap();
        let secret = std::fs::read_to_string(&token_file).unwrap().trim().to_owned();
        let query = |anchor, undetermined_status| QueryConfig {
            purpose: PURPOSE.to_owned(),
            basis: "Sample Act, article 1".to_owned(),
            retention_days: 30,
            holder_signs: true,
            required_by_law: None,
            anchor,
            undetermined_status,
            dcql: dcql(&["name", "address"]).to_string(),
        };
        let law = RequiredByLaw { basis: "Sample Archives Act, article 3".to_owned(), days: 10 };
        let kept = query(AnchorPolicy::Required, Undetermined::Refuse);
        let kept = QueryConfig { required_by_law: Some(law), ..kept };
        let mut x509 = X509Config::default();
        if certified {
            x509 = X509Config { chain: directory.path().join("chain.pem"), key: directory.path().join("x509.jwk") };
            std::fs::write(&x509.chain, ASKER).unwrap();
            keyfile::save(&x509.key, &world.asker.authenticator(), &KeyGuard::plain(), &mut system_rng().unwrap())
                .unwrap();
        }
        let config = Config {
            x509,
            url: world.asker.address(),
            types: vec![types],
            queries: BTreeMap::from([
                ("strict".to_owned(), query(AnchorPolicy::Required, Undetermined::Refuse)),
                ("lenient".to_owned(), query(AnchorPolicy::Optional, Undetermined::Accept)),
                ("under-law".to_owned(), kept),
            ]),
            duty: DutyConfig { service: DESK.to_owned() },
            ledger: LedgerConfig { url: LEDGER.to_owned(), ..LedgerConfig::default() },
            ..Config::default()
        };
        let fetch = Arc::new(ScriptedFetch::new());
        let clock = Arc::new(ManualClock::at(NOW));
        let ports = Ports {
            store: Arc::new(MemoryStore::new().with_immutable(&[
                "nonce/",
                "outcome/",
                "blob/",
                "redeemed/",
                "receipt/",
            ])),
            clock: clock.clone(),
            chance: Arc::new(SeededChance::new(1)),
            fetch: fetch.clone(),
        };
        let verifier = build(&world, &config, &ports).await;
        let token = web::Data::new(token);
        Self { world, fetch, clock, verifier, ports, config, token, secret, directory }
    }

    /// The same service after a restart on the same store.
    pub(super) async fn restart(&mut self) {
        self.verifier = build(&self.world, &self.config, &self.ports).await;
    }

    /// Lets ledger and issuer answer.
    pub(super) fn serve_evidence(&self, status: Status) {
        let world = &self.world;
        let mut keys = vec![schema_key(VCT)];
        keys.extend([DUTY, DESK].map(|duty| duty_key(&world.asker.did(), duty)));
        for party in [&world.issuer, &world.asker, &world.authority] {
            keys.extend([did_key(&party.did()), accreditation_key(&party.did())]);
        }
        for key in keys {
            let proof = serde_json::to_vec(&world.ledger.state_proof(&key, NOW.0 - 100)).unwrap();
            self.fetch.answer(&state_url(&key), 200, "application/json", proof);
        }
        self.serve_list(&world.status_list(status, &world.issuer));
    }

    /// Lets the issuer answer with this list.
    pub(super) fn serve_list(&self, token: &str) {
        self.fetch.answer(LIST, 200, "application/statuslist+jwt", token.to_owned());
    }

    /// Lets the ledger answer whose key the certificate has.
    pub(super) fn serve_thumbprint(&self) {
        let leaf = Chain::from_pem(ASKER).unwrap().leaf().unwrap();
        let key = thumbprint_key(&leaf.thumbprint());
        let proof = serde_json::to_vec(&self.world.ledger.state_proof(&key, NOW.0 - 100)).unwrap();
        self.fetch.answer(&state_url(&key), 200, "application/json", proof);
    }

    /// Makes the ledger and the issuer unreachable.
    pub(super) fn cut_off(&self) {
        for request in self.fetch.asked() {
            self.fetch.forget(&request.url);
        }
    }

    pub(super) async fn call(&self, request: test::TestRequest) -> Answered {
        let app = App::new().configure(routes(self.verifier.clone(), self.token.clone()));
        let service = test::init_service(app).await;
        answered(match test::try_call_service(&service, request.to_request()).await {
            Ok(response) => response.map_into_boxed_body(),
            // Middleware of the shell turns these into answers; here the error itself knows its answer.
            Err(error) => ServiceResponse::new(test::TestRequest::default().to_http_request(), error.error_response()),
        })
        .await
    }

    pub(super) async fn admin(&self, request: test::TestRequest) -> Answered {
        self.call(request.insert_header((AUTHORIZATION, format!("Bearer {}", self.secret)))).await
    }

    pub(super) async fn result(&self, id: &str) -> Value {
        let answered = self.admin(test::TestRequest::get().uri(&format!("/admin/requests/{id}"))).await;
        assert_eq!(answered.status, 200);
        answered.body
    }

    pub(super) async fn ask(&self, query: &str) -> Request {
        self.ask_for(json!({ "query": query })).await
    }

    pub(super) async fn ask_for(&self, mut body: Value) -> Request {
        if body["query"].is_object() {
            let grounds = json!({ "basis": "Sample Act, article 1", "retention_days": 30 });
            body.as_object_mut().unwrap().extend(grounds.as_object().unwrap().clone());
        }
        let made = self.admin(test::TestRequest::post().uri("/admin/requests").set_json(body)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.body["id"].as_str().unwrap();
        Request { made: made.body.clone(), ..self.known(id).await }
    }

    /// A request that was made in another way than by [`Bench::ask_for`].
    pub(super) async fn known(&self, id: &str) -> Request {
        let parameters = self.verifier.load(id).await.unwrap().unwrap().1.parameters;
        Request {
            id: id.to_owned(),
            nonce: parameters.nonce,
            state: parameters.state.unwrap(),
            transaction_data: parameters.transaction_data,
            made: Value::Null,
        }
    }

    pub(super) fn token(&self) -> web::Data<AdminTokens> {
        self.token.clone()
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// One more line in the file of tokens, and the service started again.
    pub(super) fn add_token(&mut self, line: &str) {
        let file = self.directory.path().join("admin.token");
        let text = format!("{}\n{line}\n", self.secret);
        std::fs::write(&file, text).unwrap();
        self.token = web::Data::new(AdminTokens::load(&file).unwrap());
    }

    /// The presentation that answers a request.
    pub(super) fn presentation(&self, request: &Request, claims: &[&str]) -> String {
        let to_sign = request.to_sign("id");
        let occasion = request.occasion(self.world.request.client_id.as_str(), &to_sign);
        self.world.shown_to(occasion, claims, &holder(), self.verifier.clock.now())
    }

    /// An honest answer to a request, as form fields.
    pub(super) fn honest(&self, request: &Request) -> BTreeMap<String, String> {
        let presentation = self.presentation(request, &["name", "address"]);
        BTreeMap::from([
            ("state".to_owned(), request.state.clone()),
            ("vp_token".to_owned(), json!({ "id": [presentation] }).to_string()),
            ("xinfu_anchor".to_owned(), json!({ "id": [self.world.anchor_proof()] }).to_string()),
        ])
    }

    pub(super) async fn answer(&self, request: &Request, form: &BTreeMap<String, String>) -> Answered {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.post(request, body).await
    }

    pub(super) async fn post(&self, request: &Request, body: impl Into<web::Bytes>) -> Answered {
        let request = test::TestRequest::post()
            .uri(&format!("/responses/{}", request.id))
            .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(body.into());
        self.call(request).await
    }
}

/// A request as its wallet knows it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) nonce: String,
    pub(super) state: String,
    /// What holders sign beside the nonce, of all queries.
    pub(super) transaction_data: Vec<String>,
    pub(super) made: Value,
}

impl Request {
    /// Its occasion, for whoever is named by `audience`.
    pub(super) fn occasion<'a>(&'a self, audience: &'a str, transaction_data: &'a [String]) -> Occasion<'a> {
        Occasion { audience, nonce: &self.nonce, transaction_data }
    }

    /// What the holder signs who answers the query of this id.
    pub(super) fn to_sign(&self, id: &str) -> Vec<String> {
        hashes_for(&self.transaction_data, id)
    }
}

/// Runs rounds of a job until there is nothing to do; answers how many failed.
pub(super) async fn settled(round: impl AsyncFn() -> Result<bool, RoundFailure>) -> usize {
    let mut failed = 0;
    for _ in 0..20 {
        match round().await {
            Ok(false) => return failed,
            Ok(true) => {}
            Err(_) => failed += 1,
        }
    }
    panic!("never settles");
}

pub(super) fn dcql(claims: &[&str]) -> Value {
    let claims: Vec<Value> = claims.iter().map(|name| json!({ "path": [name] })).collect();
    json!({ "credentials": [{
        "id": "id", "format": "dc+sd-jwt", "meta": { "vct_values": [VCT] }, "claims": claims,
    }] })
}

pub(super) fn state_url(key: &str) -> String {
    let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    format!("{LEDGER}/proofs/state?key={key}")
}

async fn build(world: &World, config: &Config, ports: &Ports) -> web::Data<Verifier> {
    let id = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
    let key = RequestKey { id, secret: world.asker.authenticator() };
    let certified = Client::by_certificate(&config.x509, &KeyGuard::plain()).unwrap();
    let trust = TrustKeeper::walking(world.ledger.trust_root(), None, Arc::clone(&ports.clock));
    let names = Names { key, certified, duty_key: Some(world.asker.duty()) };
    let ledger = LedgerClient::trusting(Arc::clone(&ports.fetch), &config.ledger.url, trust);
    let (did, key_id) = (world.asker.did(), "invoke-1".to_owned());
    let submitter = Submitter { did, key_id, key: world.asker.invoker() };
    let receipts = Receipts::new(Some(submitter), Counters::new().unwrap());
    web::Data::new(Verifier::build(config, names, ledger, receipts, ports).await.unwrap())
}

async fn answered(response: ServiceResponse<body::BoxBody>) -> Answered {
    let status = response.status().as_u16();
    let bytes = body::to_bytes(response.into_body()).await.unwrap_or_default();
    let body =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answered { status, body }
}
