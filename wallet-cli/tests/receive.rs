//! Receiving from a sample issuer, with a sample ledger of real rules and real proofs behind it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it did not expect")]

use identity_core::{
    crypto::{SecretKey, Signer},
    jose::{Jwk, UnverifiedJws},
    kb_jwt::Confirmation,
    oid4vci::proof::Binding,
    problem::Code,
    registry::{Accredit, Operation, Role, ServiceType},
    sample::{
        ledger::{START, SampleLedger},
        parties::{Party, key},
    },
    sd_jwt::{ClaimPath, Concealment, HashAlg, HeldSdJwt},
    sd_jwt_vc::{self, Registered},
    time::UnixSeconds,
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use service_kit::{
    chance::SeededChance,
    clock::ManualClock,
    fetch::{Answer, Fetch, FetchError, Fetching, Request},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use wallet_cli::{
    AnchorState, Exit, Ports, Wallet, WalletError,
    holdings::Setup,
    receive::Receipt,
    vault::{KdfCost, Passphrase},
};

const VCT: &str = "urn:sample:credential:1";
const ISSUER: &str = "https://d2.example";
const LEDGER: &str = "https://ledger.example";
const NOW: UnixSeconds = UnixSeconds(START + 5400);

/// A sample issuer, and how it misbehaves.
struct World {
    ledger: SampleLedger,
    issuer: Party,
    /// Who signs the credentials; the issuer, if all is well.
    signer: SecretKey,
    vct: &'static str,
    /// How it names holder keys.
    methods: &'static [&'static str],
    ledger_reachable: bool,
    stale_nonces: Mutex<u32>,
    asked: Mutex<BTreeMap<String, u32>>,
}

impl World {
    fn new() -> Self {
        let authority = Party::new(1, ServiceType::Ledger);
        let issuer = Party::new(2, ServiceType::Issuer);
        let mut ledger = SampleLedger::founded_by(&[&authority, &issuer], &authority);
        let accredit = Accredit {
            subject: issuer.did(),
            role: Role::Issuer,
            types: vec![VCT.to_owned()],
            claims: Vec::new(),
            purposes: Vec::new(),
            from: START,
            until: START + 1_000_000,
            delegable: false,
        };
        ledger.act(&authority, &Operation::Accredit(accredit));
        ledger.seal(START + 60);
        let signer = issuer.asserter();
        let (stale_nonces, asked) = (Mutex::new(0), Mutex::default());
        Self {
            ledger,
            issuer,
            signer,
            vct: VCT,
            methods: &["jwk", "did:key"],
            ledger_reachable: true,
            stale_nonces,
            asked,
        }
    }

    fn answer(&self, request: &Request) -> Result<(u16, Value), FetchError> {
        let url = url::Url::parse(&request.url).unwrap();
        *self.asked.lock().unwrap().entry(url.path().to_owned()).or_default() += 1;
        if request.url.starts_with(LEDGER) {
            let gone = FetchError::Unreachable { host: "sample".into(), reason: "sample" };
            let key = url.query_pairs().find(|(name, _)| name == "key").unwrap().1.into_owned();
            let proof = self.ledger_reachable.then(|| self.ledger.state_proof(&key, NOW.0 - 60)).ok_or(gone)?;
            return Ok((200, json!(proof)));
        }
        Ok(match url.path() {
            "/.well-known/openid-credential-issuer" => (200, metadata(self.vct, self.methods)),
            "/.well-known/oauth-authorization-server" => (200, server()),
            "/.well-known/jwt-vc-issuer" => {
                let jwk = Jwk::new(self.issuer.asserter().public_key().clone());
                let jwk = jwk.with_kid(self.issuer.key_name("assert-1"));
                (200, json!({ "issuer": ISSUER, "jwks": { "keys": [jwk.to_json()] } }))
            }
            "/token" => (200, json!({ "access_token": "sample", "token_type": "Bearer" })),
            "/nonce" => (200, json!({ "c_nonce": "sample-nonce" })),
            "/credential" => self.credential(&request.body.as_ref().unwrap().1),
            path if path.starts_with("/anchors/") => (202, Value::Null),
            other => panic!("nobody asks for {other}"),
        })
    }

    fn credential(&self, body: &[u8]) -> (u16, Value) {
        let mut stale = self.stale_nonces.lock().unwrap();
        if *stale > 0 {
            *stale -= 1;
            return (400, json!({ "error": "invalid_nonce" }));
        }
        let request: Value = serde_json::from_slice(body).unwrap();
        let proof = request.pointer("/proofs/jwt/0").and_then(Value::as_str).unwrap();
        let header = UnverifiedJws::parse(proof).unwrap();
        let holder = match header.header().kid() {
            Ok(kid) => Confirmation::kid(kid).unwrap(),
            Err(_) => Confirmation::Jwk(header.header().proof_jwk().unwrap()),
        };
        let registered = Registered {
            issuer: ISSUER,
            vct: VCT,
            vct_integrity: None,
            issued_at: NOW,
            not_before: None,
            expires: None,
            holder: Some(&holder),
            status: None,
        };
        let claims = json!({ "name": "样本甲" });
        let concealment = Concealment::new(HashAlg::Sha256).conceal(&ClaimPath::top("name"));
        let (name, mut rng) = (self.issuer.key_name("assert-1"), StdRng::seed_from_u64(5));
        let claims = claims.as_object().unwrap();
        let credential = sd_jwt_vc::issue(&registered, claims, &concealment, &name, &self.signer, &mut rng).unwrap();
        (200, json!({ "credentials": [{ "credential": credential }] }))
    }

    fn times_asked(&self, path: &str) -> u32 {
        self.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }
}

fn metadata(vct: &str, methods: &[&str]) -> Value {
    json!({
        "credential_issuer": ISSUER,
        "credential_endpoint": format!("{ISSUER}/credential"),
        "nonce_endpoint": format!("{ISSUER}/nonce"),
        "credential_configurations_supported": { "sample": {
            "format": "dc+sd-jwt",
            "vct": vct,
            "cryptographic_binding_methods_supported": methods,
            "proof_types_supported": { "jwt": { "proof_signing_alg_values_supported": ["ES256"] } },
        } },
    })
}

fn server() -> Value {
    json!({
        "issuer": ISSUER,
        "token_endpoint": format!("{ISSUER}/token"),
        "response_types_supported": [],
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:pre-authorized_code"],
    })
}

struct Net(Arc<World>);

impl Fetch for Net {
    fn send(&self, request: Request) -> Fetching<'_> {
        let answer = self.0.answer(&request).map(|(status, body)| Answer {
            host: "sample".into(),
            status,
            kind: "application/json".into(),
            retry_after: None,
            body: body.to_string().into_bytes(),
        });
        Box::pin(async move { answer })
    }
}

fn link() -> String {
    let offer = json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["sample"],
        "grants": { "urn:ietf:params:oauth:grant-type:pre-authorized_code": {
            "pre-authorized_code": "sample-code", "tx_code": { "input_mode": "numeric", "length": 6 } } },
    });
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("credential_offer", &offer.to_string())
        .finish();
    format!("openid-credential-offer://?{query}")
}

struct Scene {
    wallet: Wallet,
    world: Arc<World>,
    _dir: tempfile::TempDir,
}

impl Scene {
    fn of(world: World) -> Self {
        let (world, dir) = (Arc::new(world), tempfile::tempdir().unwrap());
        let ports = Ports {
            fetch: Some(Arc::new(Net(Arc::clone(&world)))),
            clock: Arc::new(ManualClock::at(NOW)),
            chance: Arc::new(SeededChance::new(3)),
        };
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
        let passphrase = Passphrase::new("a sample passphrase".into());
        let wallet = Wallet::init(dir.path(), &passphrase, KdfCost::FLOOR, setup, ports).unwrap();
        Self { wallet, world, _dir: dir }
    }

    async fn receive(&mut self) -> Result<Vec<Receipt>, WalletError> {
        self.wallet.receive(&link(), &mut || Some("123456".to_owned())).await
    }

    fn held(&self) -> usize {
        self.wallet.holdings().credentials().count()
    }
}

#[tokio::test]
async fn a_credential_is_kept_before_its_anchor_proof_is_there() {
    let mut scene = Scene::of(World::new());
    let receipts = scene.receive().await.unwrap();
    let expected = Receipt {
        number: 1,
        vct: VCT.into(),
        issuer: ISSUER.into(),
        anchor: AnchorState::Later,
        accredited: Some(true),
    };
    assert_eq!(receipts, [expected]);
    assert_eq!(scene.held(), 1);
    assert_eq!(scene.world.times_asked("/.well-known/jwt-vc-issuer"), 0, "the ledger knew the key");
}

#[tokio::test]
async fn every_credential_has_a_key_of_its_own() {
    let mut scene = Scene::of(World::new());
    scene.receive().await.unwrap();
    scene.receive().await.unwrap();
    let keys: Vec<_> = scene
        .wallet
        .holdings()
        .credentials()
        .map(|(_, held, _)| held.holder_key().unwrap().public_key().clone())
        .collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys.first(), keys.last());
}

#[tokio::test]
async fn the_holder_chooses_how_the_key_is_named() {
    let mut scene = Scene::of(World::new());
    let mut code = || Some("123456".to_owned());
    for (binding, name) in [(Binding::Jwk, "jwk"), (Binding::Did, "kid")] {
        scene.wallet.receive_bound(&link(), binding, &mut code).await.unwrap();
        let (_, held, _) = scene.wallet.holdings().credentials().last().unwrap();
        let claims = HeldSdJwt::dangerous_reopen(held.sd_jwt.expose().to_owned()).unwrap().claims().clone();
        assert!(claims.get("cnf").unwrap().get(name).is_some(), "{name}");
        let key = Confirmation::read(&claims).unwrap().into_key();
        assert_eq!(key, *held.holder_key().unwrap().public_key());
    }
}

#[tokio::test]
async fn a_name_that_the_issuer_does_not_offer_spends_no_code() {
    for (methods, binding) in [(&["jwk"][..], Binding::Did), (&["did:key"], Binding::Jwk)] {
        let mut scene = Scene::of(World { methods, ..World::new() });
        let mut code = || panic!("nobody is asked for a code");
        let refused = scene.wallet.receive_bound(&link(), binding, &mut code).await.unwrap_err();
        assert_eq!((refused.code(), scene.held()), (Code::VciWalletBindingMethod, 0));
        assert_eq!(scene.world.times_asked("/token"), 0);
    }
}

#[tokio::test]
async fn without_the_ledger_the_issuers_own_word_keeps_the_credential() {
    let mut scene = Scene::of(World { ledger_reachable: false, ..World::new() });
    let receipts = scene.receive().await.unwrap();
    assert_eq!(receipts.first().unwrap().accredited, None, "nobody could say");
    assert_eq!(scene.held(), 1);
}

#[tokio::test]
async fn what_another_key_signed_is_not_kept() {
    for ledger_reachable in [true, false] {
        let mut scene = Scene::of(World { signer: key(4, 1), ledger_reachable, ..World::new() });
        let refused = scene.receive().await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Refused, "{refused}");
        assert_eq!(scene.held(), 0);
    }
}

#[tokio::test]
async fn what_is_of_another_type_than_offered_is_not_kept() {
    let mut scene = Scene::of(World { vct: "urn:sample:credential:2", ..World::new() });
    assert_eq!(scene.receive().await.unwrap_err().exit(), Exit::Refused);
    assert_eq!(scene.held(), 0);
}

#[tokio::test]
async fn a_nonce_that_aged_is_renewed_once() {
    let mut scene = Scene::of(World { stale_nonces: Mutex::new(1), ..World::new() });
    scene.receive().await.unwrap();
    assert_eq!(scene.world.times_asked("/nonce"), 2);
    let mut scene = Scene::of(World { stale_nonces: Mutex::new(2), ..World::new() });
    scene.receive().await.unwrap_err();
    assert_eq!((scene.world.times_asked("/nonce"), scene.world.times_asked("/token")), (2, 1));
}

#[tokio::test]
async fn without_the_code_nothing_is_spent() {
    let mut scene = Scene::of(World::new());
    let refused = scene.wallet.receive(&link(), &mut || None).await.unwrap_err();
    assert_eq!(refused.code(), Code::WalletOfferTxCodeNeeded);
    assert_eq!(scene.world.times_asked("/token"), 0);
}
