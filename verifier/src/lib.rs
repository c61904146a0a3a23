//! A service that asks for presentations over OpenID4VP 1.0, and judges them without asking anyone.
//!
//! ```text
//! admin ──POST /admin/requests──▶ flow::request ──▶ store          (a request waits)
//! wallet ──GET|POST /requests/{id}──▶ signed request object
//! wallet ──POST /responses/{id}──▶ flow::response: accept → evidence → judge → store, once
//! admin ──GET /admin/requests/{id}──▶ flow::result
//! admin ──GET /admin/requests/{id}/evidence──▶ flow::export        (for offline checkers)
//! job: refreshes evidence from ledger and issuers, erases what is due
//! ```
//!
//! *Invariants.* A nonce is taken in the same commit as its verdict. What is fetched is chosen by the ledger, never
//! by a presentation. Claims are kept only in the case of a request, and cases end.
//!
//! Officials' signatures over requests and receipts over answers come with a later issue: the one belongs into
//! [`identity_core::oid4vp::Parameters`] as `verifier_info`, the other between `close` in `flow::response` and the
//! answer to the wallet.

pub mod cli;
mod client;
mod config;
mod evidence;
mod flow;
mod http;
mod job;
mod keys;
mod policy;
mod receipts;
mod service;
mod store;
#[cfg(test)]
mod tests;
mod told;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::web;
use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::problem::{Code, Lang};
use identity_core::receipt::ChainFault;
use service_kit::admin::{AdminTokens, TokenError};
use service_kit::audit::{AuditError, AuditLog, Head};
use service_kit::chance::{NoChance, SystemChance};
use service_kit::clock::SystemClock;
use service_kit::duties;
use service_kit::evidence_file;
use service_kit::fetch::{Fetcher, SetupError};
use service_kit::founding::{self, KeysError};
use service_kit::http::{self as kit_http, Health, Metrics};
use service_kit::key_guard::KeyGuard;
use service_kit::ledger_client::{LedgerClient, TrustRootFileError};
use service_kit::lock::{DataLock, LockError};
use service_kit::store::choice;
use service_kit::store::place::Place;
use service_kit::store::redb::{Format, OpenError};
use service_kit::trust_keeper::TrustKeeper;

pub use client::ClientError;
pub use config::{Config, DutyConfig, EvidenceConfig, LedgerConfig, X509Config};
pub use flow::export::Replayed;
pub use flow::receipt_audit::ReceiptsRead;
pub use keys::init;
pub use policy::{AnchorPolicy, QueryConfig, Undetermined};
pub use service::{BuildError, Ports};

use crate::client::Client;
use crate::flow::receipt_audit;
use crate::keys::RequestKey;
use crate::receipts::{Counters, Receipts, Submitter};
use crate::service::{Names, Verifier};
use crate::store::VerifierStore;

/// The store's layout; raised when an older file can no longer be read.
const FORMAT: Format = Format { service: "xinfu-verifier", version: 1 };

/// Why the service did not start. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The trust root.
    #[error(transparent)]
    TrustRoot(#[from] TrustRootFileError),
    /// The admin token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Configuration, types or store.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The data directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The data directory cannot be made.
    #[error("{} cannot be made: {detail}", .path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Outgoing connections.
    #[error(transparent)]
    Fetch(#[from] SetupError),
    /// Randomness.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The case to be judged again is not there, or no evidence can be made of it.
    #[error("{}", .0.title(Lang::En))]
    Case(Code),
    /// Listening.
    #[error(transparent)]
    Http(#[from] kit_http::server::StartError),
}

impl StartError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Build(BuildError::Config(error)) => error.code(),
            Self::Build(BuildError::Store(error)) => error.code(),
            Self::TrustRoot(error) => error.code(),
            Self::Lock(error) => error.code(),
            Self::Http(error) => error.code(),
            Self::Case(code) => *code,
            Self::Open(error) => error.code(),
            Self::Keys(error) => error.code(),
            // Each of these names a file or value of the configuration that cannot be used.
            Self::Token(_)
            | Self::Build(BuildError::Type { .. } | BuildError::Client(_))
            | Self::Data { .. }
            | Self::Fetch(_) => Code::ConfigInvalidValue,
            Self::Chance(_) => Code::HttpInternal,
        }
    }
}

/// A verifier that is running.
pub struct Running {
    /// Its DID.
    pub did: Did,
    /// Where it listens; its public address may differ.
    pub url: String,
    verifier: web::Data<Verifier>,
    server: kit_http::Running,
    jobs: [tokio::task::JoinHandle<()>; 2],
    _lock: Option<DataLock>,
}

impl Running {
    /// Fetches all evidence anew, now. Answers whether the ledger could be reached.
    pub async fn refresh_evidence(&self) -> bool {
        self.verifier.evidence.refresh(self.verifier.clock.now()).await
    }

    /// Judges a kept case again by its saved evidence.
    ///
    /// # Errors
    /// The code that says why it cannot be: unknown, or erased in its time.
    pub async fn replay(&self, request: &str) -> Result<Replayed, Code> {
        self.verifier.replay(request).await.map_err(|error| error.code())
    }

    /// Stops listening, lets requests under way finish, and returns when port and data directory are free.
    pub async fn stop(self) {
        self.jobs.iter().for_each(tokio::task::JoinHandle::abort);
        self.server.stop().await;
    }
}

/// Opens the real world: the data directory (which it locks), the clock, chance and the network.
///
/// # Errors
/// [`StartError`], saying what is wrong with the machine or the configuration.
pub fn open_ports(config: &Config) -> Result<(Ports, DataLock), StartError> {
    // Before anything is made on disk: a typo must leave nothing behind.
    config.check().map_err(BuildError::from)?;
    std::fs::create_dir_all(&config.data)
        .map_err(|error| StartError::Data { path: config.data.clone(), detail: error.to_string() })?;
    let lock = DataLock::take(&config.data, FORMAT.service)?;
    let store = choice::open(&config.store, &place(config))?;
    let ports = Ports {
        store,
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::new()?),
        fetch: Arc::new(Fetcher::new(&config.fetch)?),
    };
    Ok((ports, lock))
}

/// Where the data lies.
fn place(config: &Config) -> Place<'_> {
    Place { data: &config.data, name: "verifier", format: FORMAT }
}

/// Starts the service in the real world.
///
/// # Errors
/// [`StartError`].
pub async fn start_here(config: Config) -> Result<Running, StartError> {
    let (ports, lock) = open_ports(&config)?;
    let mut running = start(config, ports).await?;
    running._lock = Some(lock);
    Ok(running)
}

/// Starts the service in a world that is handed in.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: Config, ports: Ports) -> Result<Running, StartError> {
    config.check().map_err(BuildError::from)?;
    let guard = config.key_guard().map_err(KeysError::from)?;
    let token = AdminTokens::load_or_create(&config.admin_token, &mut *ports.chance.rng())?;
    let duty_key = duties::load_service_key(&config.keys, &guard)?;
    let unmade = |error: prometheus::Error| kit_http::server::StartError::Metrics(error.to_string());
    let (metrics, counters) = (Metrics::new().map_err(unmade)?, Counters::new().map_err(unmade)?);
    counters.show(&metrics).map_err(unmade)?;
    let receipts = Receipts::new(Some(submitter(&config, &guard, &ports)?), counters);
    let verifier = web::Data::new(assemble(&config, &guard, duty_key, receipts, &ports).await?);
    let did = verifier.did.clone();
    let routes = http::routes(verifier.clone(), web::Data::new(token));
    let server = kit_http::start(&config.http, health(verifier.clone()), metrics, routes).await?;
    let jobs = [
        tokio::spawn(job::run(verifier.clone(), u64::from(config.evidence.refresh))),
        tokio::spawn(job::anchor::run(verifier.clone())),
    ];
    Ok(Running { did, url: server.url.clone(), verifier, server, jobs, _lock: None })
}

/// Who brings receipts onto the ledger: the key that `init` made for transactions.
fn submitter(config: &Config, guard: &KeyGuard, ports: &Ports) -> Result<Submitter, StartError> {
    let identity = founding::identity(&keys::KIND, &config.keys)?;
    let key = founding::key(&config.keys, &identity.submitting_key, guard)?;
    let trust = TrustKeeper::of_file(&config.ledger.trust_root, Arc::clone(&ports.clock))?;
    let client = LedgerClient::trusting(Arc::clone(&ports.fetch), &config.ledger.url, trust);
    Ok(Submitter { client, did: identity.did, key_id: identity.submitting_key, key })
}

/// Reads the whole audit log of a service that is not running.
///
/// # Errors
/// [`StartError`] for the data, [`AuditError`] inside for the log: where it was cut or changed.
pub async fn verify_audit_here(config: &Config) -> Result<Result<Head, AuditError>, StartError> {
    let (ports, _lock) = open_ports(config)?;
    Ok(AuditLog::new(ports.store, ports.clock).verify().await)
}

/// Reads the whole chain of receipts of a service that is not running, and holds it against the ledger if that can be
/// asked.
///
/// # Errors
/// [`StartError`] for the data, [`ChainFault`] inside for the chain: which receipt is not as it was signed.
pub async fn verify_receipts_here(config: &Config) -> Result<Result<ReceiptsRead, ChainFault>, StartError> {
    let (ports, _lock) = open_ports(config)?;
    let service = founding::identity(&keys::KIND, &config.keys)?.did;
    let trust = TrustKeeper::of_file(&config.ledger.trust_root, Arc::clone(&ports.clock))?;
    let ledger = LedgerClient::trusting(Arc::clone(&ports.fetch), &config.ledger.url, trust);
    let view = receipt_audit::ask(&ledger, &service).await;
    let store =
        VerifierStore::new(ports.store, ports.clock, i64::from(config.keep_records), i64::from(config.keep_cases));
    let read = receipt_audit::read(&store, &service, view.as_ref()).await;
    read.map_err(|error| BuildError::from(error).into())
}

/// Judges a kept case of a service that is not running again, by its saved evidence and without the network.
///
/// # Errors
/// [`StartError`]; [`StartError::Case`] if the case is unknown or was erased in its time.
pub async fn replay_here(config: Config, request: &str) -> Result<Replayed, StartError> {
    let (ports, _lock) = open_ports(&config)?;
    let verifier = at_rest(&config, None, &ports).await?;
    verifier.replay(request).await.map_err(|error| StartError::Case(error.code()))
}

/// Writes the evidence of the answer to a request of a service that is not running: into a private file if `full`, with
/// the answer itself.
///
/// # Errors
/// [`StartError`]; [`StartError::Case`] if there is no receipt, or the ledger cannot be asked about who answers for it.
pub async fn evidence_here(config: Config, request: &str, full: bool, out: &Path) -> Result<(), StartError> {
    let (ports, _lock) = open_ports(&config)?;
    let guard = config.key_guard().map_err(KeysError::from)?;
    let ledger = submitter(&config, &guard, &ports)?;
    let verifier = at_rest(&config, Some(ledger), &ports).await?;
    let bundle = verifier.bundle(request, full).await.map_err(|error| StartError::Case(error.code()))?;
    evidence_file::write(out, &bundle).map_err(|error| StartError::Case(error.code()))
}

/// The verifier of a service that is not running: it answers for nothing and listens to nobody.
async fn at_rest(config: &Config, ledger: Option<Submitter>, ports: &Ports) -> Result<Verifier, StartError> {
    let guard = config.key_guard().map_err(KeysError::from)?;
    let counters = Counters::new().map_err(|error| kit_http::server::StartError::Metrics(error.to_string()))?;
    assemble(config, &guard, None, Receipts::new(ledger, counters), ports).await
}

/// The verifier with its keys and its trust.
async fn assemble(
    config: &Config,
    guard: &KeyGuard,
    duty_key: Option<SecretKey>,
    receipts: Receipts,
    ports: &Ports,
) -> Result<Verifier, StartError> {
    let key = RequestKey::load(&config.keys, guard)?;
    let certified = Client::by_certificate(&config.x509, guard).map_err(BuildError::from)?;
    let trust = TrustKeeper::of_file(&config.ledger.trust_root, Arc::clone(&ports.clock))?;
    let names = Names { key, certified, duty_key };
    Ok(Verifier::build(config, names, trust, receipts, ports).await?)
}

/// Ready once our own standing on the ledger is known: before that every verdict would lack evidence.
fn health(verifier: web::Data<Verifier>) -> Health {
    Health::when(move || {
        let verifier = verifier.clone();
        async move {
            match verifier.evidence.knows_ourselves(verifier.clock.now()) {
                true => Ok(()),
                false => Err("no evidence from the ledger about this service yet".to_owned()),
            }
        }
    })
}
