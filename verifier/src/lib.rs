//! A service that asks for presentations over OpenID4VP 1.0, and judges them without asking anyone.
//!
//! ```text
//! admin ──POST /admin/requests──▶ flow::request ──▶ store          (a request waits)
//! wallet ──GET|POST /requests/{id}──▶ signed request object
//! wallet ──POST /responses/{id}──▶ flow::response: accept → evidence → judge → store, once
//! wallet ──POST /withdrawals──▶ flow::withdrawal: verify → delete and acknowledge, once
//! admin ──GET /admin/requests/{id}──▶ flow::result
//! admin ──GET /admin/requests/{id}/evidence──▶ flow::export        (for offline checkers)
//! machine: export --from --to ▶ flow::period                        (all receipts of a period, for auditors)
//! jobs: one refreshes evidence from ledger and issuers, one erases what is due
//! ```
//!
//! *Invariants.* A nonce is taken in the same commit as its verdict. What is fetched is chosen by the ledger, never
//! by a presentation. Claims are kept only in the case of a request, and cases end.
//!
//! A request leaves only with the signature of somebody who answers for it (`flow::attest`), and each answer gets a receipt
//! in the commit of its verdict (`flow::receipt`), which a third job brings onto the ledger; and once a day, how many answers
//! were accepted (`job::tally`).

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
use identity_core::bundle::Bundle;
use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::problem::{Code, Lang};
use identity_core::receipt::ChainFault;
use identity_core::time::UnixSeconds;
use service_kit::admin::{AdminTokens, Official, TokenError};
use service_kit::audit::{Act, AuditError, AuditLog, Head};
use service_kit::chance::{NoChance, SystemChance};
use service_kit::clock::{Clock, SystemClock};
use service_kit::config::ConfigError;
use service_kit::duties;
use service_kit::evidence_file;
use service_kit::fetch::{Fetch, Fetcher, SetupError};
use service_kit::founding::{self, KeysError};
use service_kit::http::{self as kit_http, Health, Metrics};
use service_kit::key_guard::KeyGuard;
use service_kit::ledger_client::{LedgerClient, TrustRootFileError};
use service_kit::lock::{DataLock, LockError};
use service_kit::private_file;
use service_kit::store::Batch;
use service_kit::store::choice;
use service_kit::store::place::Place;
use service_kit::store::redb::{Format, OpenError};
use service_kit::trust_keeper::TrustKeeper;

pub use client::ClientError;
pub use config::{Config, DutyConfig, EvidenceConfig, LedgerConfig, X509Config};
pub use flow::export::Replayed;
pub use flow::judge_at::JudgedAt;
pub use flow::receipt_audit::{ReceiptsRead, Unasked};
pub use flow::tally_audit::{TalliesRead, TallyFault};
pub use keys::{KIND, init};
pub use policy::{AnchorPolicy, QueryConfig, RequiredByLaw, Undetermined};
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
    /// Entries of the chain that were to come onto the ledger first.
    #[error("{count} receipts and acknowledgements wait for the ledger: {reason}")]
    Waiting {
        /// How many.
        count: u64,
        /// Why.
        reason: String,
    },
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
            Self::Waiting { .. } => Code::ReceiptWaiting,
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
    jobs: [tokio::task::JoinHandle<()>; 3],
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
    let duty_key = service_account(&config, &guard)?;
    let token = AdminTokens::load_or_create(&config.admin_token, &mut *ports.chance.rng())?;
    let unmade = |error: prometheus::Error| kit_http::server::StartError::Metrics(error.to_string());
    let (metrics, counters) = (Metrics::new().map_err(unmade)?, Counters::new().map_err(unmade)?);
    counters.show(&metrics).map_err(unmade)?;
    let receipts = Receipts::new(Some(submitter(&config, &guard)?), counters);
    let verifier = web::Data::new(assemble(&config, &guard, duty_key, receipts, &ports).await?);
    let did = verifier.did.clone();
    let routes = http::routes(verifier.clone(), web::Data::new(token));
    let server = kit_http::start(&config.http, health(verifier.clone()), metrics, routes).await?;
    let jobs = [
        tokio::spawn(job::refresh(verifier.clone(), u64::from(config.evidence.refresh))),
        tokio::spawn(job::erase(verifier.clone())),
        tokio::spawn(job::submit(verifier.clone())),
    ];
    Ok(Running { did, url: server.url.clone(), verifier, server, jobs, _lock: None })
}

/// The key of the service account, if there is one. An account that is configured has a key: without it, every request
/// that names no official would be refused one by one.
fn service_account(config: &Config, guard: &KeyGuard) -> Result<Option<SecretKey>, StartError> {
    let key = duties::load_service_key(&config.keys, guard)?;
    if key.is_none() && !config.duty.service.is_empty() {
        let reason = "is a duty without a key here: give it first, with `xinfu-verifier duties give --service`";
        return Err(BuildError::from(ConfigError::invalid("duty.service", reason)).into());
    }
    Ok(key)
}

/// Who brings receipts onto the ledger: the key that `init` made for transactions.
fn submitter(config: &Config, guard: &KeyGuard) -> Result<Submitter, StartError> {
    let identity = founding::identity(&keys::KIND, &config.keys)?;
    let key = founding::key(&config.keys, &identity.submitting_key, guard)?;
    Ok(Submitter { did: identity.did, key_id: identity.submitting_key, key })
}

/// The ledger, asked by everything in this program through one keeper of the trust root: a second one that lags behind
/// would write the age of the set before over the first one's file.
fn ledger(config: &Config, fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Result<LedgerClient, StartError> {
    let trust = TrustKeeper::of_file(&config.ledger.trust_root, clock)?;
    Ok(LedgerClient::trusting(fetch, &config.ledger.url, trust))
}

/// Brings all receipts and acknowledgements of a service that is not running onto the ledger: before a key ends, since they
/// count by their key at the moment of their anchor, and behind its end would have no proof for ever.
///
/// # Errors
/// [`StartError`]; [`StartError::Waiting`] if the ledger does not take them.
pub async fn anchor_all(config: &Config, ports: &Ports) -> Result<(), StartError> {
    let guard = config.key_guard().map_err(KeysError::from)?;
    let counters = Counters::new().map_err(|error| kit_http::server::StartError::Metrics(error.to_string()))?;
    let submitter = submitter(config, &guard)?;
    let verifier = assemble(config, &guard, None, Receipts::new(None, counters), ports).await?;
    let Err(failure) = job::anchor::all(&verifier, &submitter).await else { return Ok(()) };
    let count = job::anchor::waiting(&verifier).await.map_err(BuildError::from)?;
    Err(StartError::Waiting { count, reason: failure.to_string() })
}

/// Reads the whole audit log of a service that is not running.
///
/// # Errors
/// [`StartError`] for the data, [`AuditError`] inside for the log: where it was cut or changed.
pub async fn verify_audit_here(config: &Config) -> Result<Result<Head, AuditError>, StartError> {
    let (ports, _lock) = open_ports(config)?;
    Ok(AuditLog::new(ports.store, ports.clock).verify().await)
}

/// Reads the whole chain of receipts of a service that is not running, and holds it, and the counts of days, against the
/// ledger if that can be asked: [`ReceiptsRead::anchored`] says whether it could.
///
/// # Errors
/// [`StartError`] for the data, [`ChainFault`] inside for the chain: which receipt is not as it was signed.
pub async fn verify_receipts_here(config: &Config) -> Result<Result<ReceiptsRead, ChainFault>, StartError> {
    let (ports, _lock) = open_ports(config)?;
    let service = founding::identity(&keys::KIND, &config.keys)?.did;
    let ledger = ledger(config, Arc::clone(&ports.fetch), Arc::clone(&ports.clock))?;
    let view = receipt_audit::ask(&ledger, &service).await;
    let now = ports.clock.now();
    let store =
        VerifierStore::new(ports.store, ports.clock, i64::from(config.keep_records), i64::from(config.keep_cases));
    let read = receipt_audit::read(&store, &service, view, now).await;
    read.map_err(|error| BuildError::from(error).into())
}

/// Judges a kept case of a service that is not running again, by its saved evidence and without the network.
///
/// # Errors
/// [`StartError`]; [`StartError::Case`] if the case is unknown or was erased in its time.
pub async fn replay_here(config: Config, request: &str) -> Result<Replayed, StartError> {
    let (ports, _lock) = open_ports(&config)?;
    let verifier = at_rest(&config, &ports).await?;
    verifier.replay(request).await.map_err(|error| StartError::Case(error.code()))
}

/// Judges a kept case of a service that is not running as of a past time, in milliseconds since the epoch: by what the ledger
/// says of then, and the status lists kept with the case.
///
/// # Errors
/// As [`replay_here`]; [`StartError::Case`] also if the ledger cannot be asked, or cannot tell.
pub async fn judge_at_here(config: Config, request: &str, time: u64) -> Result<JudgedAt, StartError> {
    let (ports, _lock) = open_ports(&config)?;
    let verifier = at_rest(&config, &ports).await?;
    verifier.judge_at(request, time).await.map_err(|error| StartError::Case(error.code()))
}

/// Writes the evidence of the answer to a request of a service that is not running; with the answer itself if `full`, and a
/// line in the audit log. A file with claim values is private. Answers with what was written.
///
/// # Errors
/// [`StartError`]; [`StartError::Case`] if there is no receipt, or the ledger cannot be asked about who answers for it.
pub async fn evidence_here(config: Config, request: &str, full: bool, out: &Path) -> Result<Bundle, StartError> {
    let (ports, _lock) = open_ports(&config)?;
    let verifier = at_rest(&config, &ports).await?;
    let act = full.then(|| Act::new(&Official::at_the_machine(), "evidence --full"));
    let bundle = verifier.bundle(request, act).await.map_err(|error| StartError::Case(error.code()))?;
    evidence_file::write(out, &bundle).map_err(|error| StartError::Case(error.code()))?;
    Ok(bundle)
}

/// Writes all that a service which is not running did from one moment to another into a private file for auditors, with
/// the ledger's word on it, and a line in the audit log.
///
/// # Errors
/// [`StartError`]; [`StartError::Case`] if the ledger cannot be asked, or the chain is not whole.
pub async fn export_here(config: Config, from: UnixSeconds, to: UnixSeconds, out: &Path) -> Result<(), StartError> {
    let (ports, _lock) = open_ports(&config)?;
    let verifier = at_rest(&config, &ports).await?;
    let failed = |code: Code| StartError::Case(code);
    let period = verifier.period(from, to).await.map_err(|error| failed(error.code()))?;
    let text = period.to_text().map_err(|error| failed(error.code()))?;
    // Reading the log of acts is an act too: no line, no file.
    let act = Act::new(&Official::at_the_machine(), "export").on(format!("{}-{}", from.0, to.0));
    verifier.store.audit.commit(&act, Batch::new()).await.map_err(BuildError::from)?;
    private_file::create(out, text.as_bytes()).map_err(|_| failed(Code::EvidenceFile))
}

/// The verifier of a service that is not running: it answers for nothing and listens to nobody.
async fn at_rest(config: &Config, ports: &Ports) -> Result<Verifier, StartError> {
    let guard = config.key_guard().map_err(KeysError::from)?;
    let counters = Counters::new().map_err(|error| kit_http::server::StartError::Metrics(error.to_string()))?;
    assemble(config, &guard, None, Receipts::new(None, counters), ports).await
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
    let ledger = ledger(config, Arc::clone(&ports.fetch), Arc::clone(&ports.clock))?;
    let names = Names { key, certified, duty_key };
    Ok(Verifier::build(config, names, ledger, receipts, ports).await?)
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
