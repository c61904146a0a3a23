//! A sample chain with an operator and one department, and a client as plain as a stranger's.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::registry::{
    Anchor, AnchorKind, Create, CreatePayload, Envelope, KeyEntry, KeyUse, Operation, ServiceEntry, ServiceType,
    make_create, make_transaction,
};
use identity_core::time::{UnixMillis, UnixSeconds};
use ledger::{TrustRoot, sha256};
use service_kit::chance::{Chance as _, SeededChance};
use service_kit::clock::ManualClock;
use service_kit::keyfile;
use service_kit::store::Store;
use service_kit::store::memory::MemoryStore;
use tempfile::TempDir;

use crate::store::IMMUTABLE;
use crate::{Chain, Config, Founder, InitOptions, Initialised, Ports, Running, init, start};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A founded chain, not running.
pub(crate) struct Founded {
    pub(crate) directory: TempDir,
    pub(crate) done: Initialised,
    pub(crate) config: Config,
    pub(crate) operator: SecretKey,
    pub(crate) department: Create,
}

pub(crate) fn key(place: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[place; 32]).unwrap()
}

/// A sample department's creation; `seed` tells samples apart.
pub(crate) fn department(seed: u8) -> Create {
    let entry = |id: &str, place: u8, key_use| {
        KeyEntry::new(id, Jwk::new(key(seed.wrapping_add(place)).public_key().clone()), key_use)
    };
    let payload = CreatePayload {
        chain: "sample".into(),
        keys: vec![
            entry("assert-1", 1, KeyUse::AssertionMethod),
            entry("auth-1", 2, KeyUse::Authentication),
            entry("invoke-1", 3, KeyUse::CapabilityInvocation),
        ],
        recovery: base64url::encode(&[seed; 32]),
        services: vec![ServiceEntry {
            id: "issuer".into(),
            kind: ServiceType::Issuer,
            url: format!("https://d{seed}.example"),
        }],
        salt: base64url::encode(&[seed; 16]),
        label: None,
    };
    make_create(&payload, "invoke-1", &key(seed.wrapping_add(3))).unwrap()
}

impl Founded {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With further departments.
    pub(crate) fn with(others: &[(String, Create)]) -> Self {
        let directory = TempDir::new().unwrap();
        let department = department(10);
        let mut config = Config::default();
        config.http.listen = "127.0.0.1:0".into();
        config.http.plain = true;
        config.http.workers = 1;
        config.errands_per_minute = 3;
        let founder = |name: &str, create: &Create| Founder { name: name.into(), create: create.as_str().to_owned() };
        let mut founders = vec![founder("Sample department", &department)];
        founders.extend(others.iter().map(|(name, create)| founder(name, create)));
        let options = InitOptions {
            directory: directory.path().join("node"),
            chain: "sample".into(),
            operator: "Sample data bureau".into(),
            label: None,
            url: Some("https://ledger.example".into()),
            founders,
            config,
            peer: None,
            others: Vec::new(),
        };
        let done = init(&options, NOW.to_millis(), &mut *SeededChance::new(1).rng()).unwrap();
        let config: Config = service_kit::config::load(&done.config).unwrap();
        let config = Config { errands_per_minute: 3, ..config };
        let operator = keyfile::load(&done.operator_key, &service_kit::key_guard::KeyGuard::plain()).unwrap();
        Self { directory, done, config, operator, department }
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain::new(std::fs::read(&self.done.genesis).unwrap()).unwrap()
    }

    pub(crate) fn trust_root(&self) -> TrustRoot {
        TrustRoot::parse(&std::fs::read_to_string(&self.done.trust_root).unwrap()).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("node").join(name)
    }

    /// A transaction of the department's.
    pub(crate) fn transaction(&self, seq: u64, operation: &Operation) -> String {
        self.signed(self.department.did(), "invoke-1", &key(13), seq, operation)
    }

    pub(crate) fn signed(&self, did: &Did, id: &str, key: &SecretKey, seq: u64, operation: &Operation) -> String {
        let envelope = Envelope { aud: self.done.origin.clone(), seq, exp: NOW.plus(3600).0 };
        make_transaction(&envelope, operation, did, id, key).unwrap()
    }

    pub(crate) fn anchor(&self, seq: u64) -> String {
        self.transaction(seq, &anchor(seq))
    }
}

pub(crate) fn anchor(number: u64) -> Operation {
    Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(&number.to_be_bytes()), 1))
}

pub(crate) fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new().with_immutable(&IMMUTABLE))
}

/// A running node over a store in memory.
pub(crate) struct Served {
    pub(crate) founded: Founded,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) running: Running,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::over(memory()).await
    }

    pub(crate) async fn over(store: Arc<dyn Store>) -> Self {
        Self::of(Founded::new(), store).await
    }

    pub(crate) async fn of(founded: Founded, store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(NOW.plus(1)));
        let running = start(&founded.config, Ports { store, clock: clock.clone() }).await.unwrap();
        Self { founded, clock, running }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: {accept}\r\n\r\n")).await
    }

    pub(crate) async fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        let length = body.len();
        self.exchange(format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    pub(crate) async fn submit(&self, transaction: &str) -> Answer {
        self.post("/transactions?wait=certified", "application/jwt", transaction).await
    }

    async fn exchange(&self, request: String) -> Answer {
        let address = self.running.url.strip_prefix("http://").unwrap().to_owned();
        let bytes = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            // The server may hang up before it has read everything: that is an answer too.
            let _unsent = stream.write_all(request.as_bytes());
            let mut answer = Vec::new();
            let _hung_up = stream.read_to_end(&mut answer);
            answer
        })
        .await
        .unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, body: unchunked(&head, &bytes[end + 4..]), head }
    }
}

fn unchunked(head: &str, body: &[u8]) -> Vec<u8> {
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return body.to_vec();
    }
    let (mut whole, mut rest) = (Vec::new(), body);
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
    whole
}

pub(crate) fn later(seconds: i64) -> UnixMillis {
    NOW.plus(seconds).to_millis()
}
