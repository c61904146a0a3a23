//! A department that issues credentials over OpenID4VCI 1.0.
//!
//! It reads its subjects from a table, offers each a credential, signs it when a wallet proves its key, and brings the
//! digest of everything it signed onto the ledger. Issuing does not wait for the ledger: digests queue, and wallets come
//! for their anchor proofs later.
//!
//! - `flow/`: one file per act; `store/`: what is kept, by acts; `job/`: what runs unasked; `http/`: routes.
//! - What it does not decide: the protocol ([`identity_core::oid4vci`]), the ledger's rules
//!   ([`identity_core::registry`]).
//!
//! [`start`] runs a service on ports that are handed in; [`Ports::open`] opens the real ones.

pub mod cli;
mod config;
mod counters;
mod flow;
mod http;
mod job;
mod keys;
mod kind;
mod node;
mod ports;
mod service;
mod signing;
mod status;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use actix_web::web;
use identity_core::duty::Order;
use identity_core::problem::Code;
use service_kit::admin::{AdminTokens, Official, TokenError};
use service_kit::audit::{Act, AuditError, AuditLog, Head};
use service_kit::founding::{Identity, KeysError};
use service_kit::http::{self as kit_http, Health, Metrics};
use service_kit::lock::DataLock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use config::{Config, CredentialConfig, DutyConfig, LedgerConfig, OfferConfig, StatusConfig};
pub use flow::import::{ImportError, ImportReport, RowFault};
pub use flow::order::OrderRefused;
pub use keys::{KIND, init};
pub use node::LedgerNode;
pub use ports::{Certified, Ledger, LedgerAnswer, LedgerFault, NoLedger, OpenError, Ports};
pub use service::BuildError;

use counters::Counters;
use flow::order::ToOrder;
use keys::Keys;
use service::Service;

/// Why the service does not start. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration or the store.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The admin token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The ports.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Digests wait, and the ledger does not take them.
    #[error("digests of issued credentials wait for the ledger: {0}")]
    Waiting(String),
    /// The server.
    #[error(transparent)]
    Http(#[from] kit_http::StartError),
    /// The metrics: a mistake in our code.
    #[error("metrics cannot be set up: {0}")]
    Metrics(String),
}

impl StartError {
    /// The code of the catalogue, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Build(BuildError::Config(error)) => Some(error.code()),
            Self::Build(BuildError::Store(error)) => Some(error.code()),
            Self::Http(error) => Some(error.code()),
            Self::Open(error) => error.code(),
            Self::Keys(error) => Some(error.code()),
            Self::Token(_) | Self::Waiting(_) | Self::Metrics(_) => None,
        }
    }
}

/// A service that is running.
pub struct Running {
    /// The address it listens on, as a URL. Its public identifier is [`Config::url`].
    pub url: String,
    /// Who it is.
    pub identity: Identity,
    server: kit_http::Running,
    stop: watch::Sender<bool>,
    anchoring: JoinHandle<()>,
    /// Held as long as the service runs: a second process on the same data is refused by name.
    _lock: Option<Arc<DataLock>>,
}

impl Running {
    /// Stops: requests under way finish, then the port is free.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.server.stop().await;
        drop(self.anchoring.await);
    }
}

/// Starts the service.
///
/// # Errors
/// [`StartError`], saying plainly what is wrong.
pub async fn start(config: Config, ports: Ports) -> Result<Running, StartError> {
    config.check().map_err(BuildError::from)?;
    let (service, metrics) = assemble(config, &ports).await?;
    let token = AdminTokens::load_or_create(&service.config.admin_token, &mut *ports.chance.rng())?;
    let http = service.config.http.clone();
    let (identity, service) = (service.keys.identity.clone(), Arc::new(service));
    let routes = http::routes(Arc::clone(&service), web::Data::new(token));
    let server = kit_http::start(&http, health(&service), metrics, routes).await?;
    let (stop, stopped) = watch::channel(false);
    let anchoring = tokio::spawn(job::anchor::run(service, Arc::clone(&ports.ledger), stopped));
    Ok(Running { url: server.url.clone(), identity, server, stop, anchoring, _lock: ports.lock })
}

/// The service, and what counts what it does.
async fn assemble(config: Config, ports: &Ports) -> Result<(Service, Metrics), StartError> {
    let (keys, secret) = Keys::load(&config.keys, &config.key_guard().map_err(KeysError::from)?)?;
    let metrics = Metrics::new().map_err(|error| StartError::Metrics(error.to_string()))?;
    let counters = Counters::new(&metrics).map_err(|error| StartError::Metrics(error.to_string()))?;
    Ok((Service::build(config, keys, secret, ports, counters).await?, metrics))
}

/// Ready means: requests can be served, and digests reach the ledger.
fn health(service: &Arc<Service>) -> Health {
    let service = Arc::clone(service);
    Health::when(move || {
        let service = Arc::clone(&service);
        async move {
            service.records.status_lists().await.map_err(|error| error.to_string())?;
            if service.anchoring.is_ledger_reachable() {
                Ok(())
            } else {
                Err("the ledger cannot be reached: credentials are issued and wait for their anchor".to_owned())
            }
        }
    })
}

/// Brings everything that was signed onto the ledger, without a running service.
///
/// # Errors
/// [`StartError`]; [`StartError::Waiting`] if the ledger does not take it.
pub async fn anchor_all(config: &Config) -> Result<(), StartError> {
    AtTheMachine::open(config).await?.anchor_all().await
}

/// A department whose service is not running, at its operator's hands.
pub struct AtTheMachine {
    service: Service,
    /// Held as long: the service does not start meanwhile.
    _lock: Option<Arc<DataLock>>,
}

impl AtTheMachine {
    /// Opens it.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let ports = Ports::open(config)?;
        let (service, _) = assemble(config.clone(), &ports).await?;
        Ok(Self { service, _lock: ports.lock })
    }

    /// Imports a table of subjects of the type `kind`, under an official's order or else the service account's.
    ///
    /// # Errors
    /// [`ImportError`]; bad rows are no error but part of the report.
    pub async fn import(&self, kind: &str, table: &[u8], order: Option<&str>) -> Result<ImportReport, ImportError> {
        let act = Act::new(&Official::at_the_machine(), "import");
        self.service.import(&act, kind, table, order).await
    }

    /// Reads such a table and changes nothing: what would become of it, and what an official has to sign for that.
    ///
    /// # Errors
    /// [`ImportError`].
    pub fn draft_import(
        &self,
        kind: &str,
        table: &[u8],
        official: &str,
        basis: &str,
    ) -> Result<(ImportReport, Order), ImportError> {
        let checked = self.service.check_import(kind, table)?;
        let (official, basis) = (official.to_owned(), basis.to_owned());
        let order = self.service.draft_order(ToOrder { official, deed: checked.deed, basis, case: None });
        Ok((checked.report, order.map_err(flow::order::OrderRefused::from)?))
    }

    /// Brings everything that was signed onto the ledger: before a key ends, since a credential counts by its key at the
    /// moment of its anchor.
    ///
    /// # Errors
    /// [`StartError::Waiting`] if the ledger does not take it.
    pub async fn anchor_all(&self) -> Result<(), StartError> {
        loop {
            match job::anchor::round(&self.service, &*self.service.ledger).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(failure) => return Err(StartError::Waiting(failure.to_string())),
            }
        }
    }
}

/// Reads the whole audit log of a service that is not running.
///
/// # Errors
/// [`AuditError`]: where it was cut or changed.
pub async fn verify_audit(ports: &Ports) -> Result<Head, AuditError> {
    AuditLog::new(Arc::clone(&ports.store), Arc::clone(&ports.clock)).verify().await
}
