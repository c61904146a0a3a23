//! What the service needs of the world.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::registry::DutyHistory;
use service_kit::chance::{Chance, NoChance, SystemChance};
use service_kit::clock::{Clock, SystemClock};
use service_kit::fetch::{Fetcher, SetupError};
use service_kit::ledger_client::{LedgerClient, TrustRootFileError};
use service_kit::lock::{DataLock, LockError};
use service_kit::store::Store;
use service_kit::store::choice;
use service_kit::store::place::Place;
use service_kit::store::redb::Format;
use service_kit::trust_keeper::TrustKeeper;

use crate::config::Config;
use crate::node::LedgerNode;

/// The name that data of this service carries.
const SERVICE: &str = "xinfu-issuer";

/// The world as the service sees it; tests hand in one of their own.
#[derive(Clone)]
pub struct Ports {
    /// Where records live.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub chance: Arc<dyn Chance>,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The hold on the data directory, if the store lives in one.
    pub lock: Option<Arc<DataLock>>,
}

/// A call to the ledger under way.
pub type LedgerAnswer<'a, T> = Pin<Box<dyn Future<Output = Result<T, LedgerFault>> + Send + 'a>>;

/// What this service asks of a ledger.
pub trait Ledger: Send + Sync {
    /// The origin that transactions name as their audience.
    fn origin(&self) -> &str;

    /// The sequence number that the next transaction of the key `key_url` must have.
    fn next_sequence<'a>(&'a self, key_url: &'a str) -> LedgerAnswer<'a, u64>;

    /// Submits a transaction and waits until it is certified. Submitting the same bytes again gives the same answer.
    fn submit<'a>(&'a self, transaction: &'a str) -> LedgerAnswer<'a, Certified>;

    /// Whether a proof of this transaction holds under the validators in force, as far as is known here.
    fn holds(&self, proof: &str, transaction: &str) -> bool;

    /// A fresh proof of the transaction that stands at `index`.
    fn prove<'a>(&'a self, index: u64, transaction: &'a str) -> LedgerAnswer<'a, Certified>;

    /// The history of one of the department's duties, proven, and the last log index that it knows; `None` if the ledger
    /// proves that there is none.
    fn duty<'a>(&'a self, department: &'a Did, duty: &'a str) -> LedgerAnswer<'a, Option<(DutyHistory, u64)>>;

    /// Looks whether other validators came into force.
    fn look_around(&self) -> LedgerAnswer<'_, ()>;
}

/// A transaction that stands on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Its index in the log.
    pub index: u64,
    /// Its `tlog-proof` file.
    pub proof: String,
}

/// Why the ledger did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    /// No answer, or none that can be trusted: whether it was done is unknown.
    #[error("the ledger cannot be reached: {0}")]
    Unreachable(String),
    /// The ledger refused this transaction for good.
    #[error("the ledger refused: {0}")]
    Refused(String),
}

/// No ledger at all: digests wait.
#[derive(Debug, Clone, Copy)]
pub struct NoLedger;

impl Ledger for NoLedger {
    fn origin(&self) -> &str {
        ""
    }

    fn next_sequence<'a>(&'a self, _key_url: &'a str) -> LedgerAnswer<'a, u64> {
        Box::pin(async { Err(LedgerFault::Unreachable("none is configured".to_owned())) })
    }

    fn submit<'a>(&'a self, _transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        Box::pin(async { Err(LedgerFault::Unreachable("none is configured".to_owned())) })
    }

    /// What was proven when there was one is given out as it is.
    fn holds(&self, _proof: &str, _transaction: &str) -> bool {
        true
    }

    fn prove<'a>(&'a self, _index: u64, _transaction: &'a str) -> LedgerAnswer<'a, Certified> {
        Box::pin(async { Err(LedgerFault::Unreachable("none is configured".to_owned())) })
    }

    fn duty<'a>(&'a self, _department: &'a Did, _duty: &'a str) -> LedgerAnswer<'a, Option<(DutyHistory, u64)>> {
        Box::pin(async { Err(LedgerFault::Unreachable("none is configured".to_owned())) })
    }

    fn look_around(&self) -> LedgerAnswer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Why the real ports cannot be opened. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The data directory cannot be made.
    #[error("{}: {detail}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Another process has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store.
    #[error(transparent)]
    Store(#[from] service_kit::store::redb::OpenError),
    /// The system has no randomness to give.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The trust root.
    #[error(transparent)]
    TrustRoot(#[from] TrustRootFileError),
    /// The HTTP client.
    #[error(transparent)]
    Fetch(#[from] SetupError),
}

impl OpenError {
    /// The code of the catalogue, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Directory { .. } => Some(Code::ConfigInvalidValue),
            Self::Lock(error) => Some(error.code()),
            Self::Store(error) => Some(error.code()),
            Self::TrustRoot(error) => Some(error.code()),
            Self::Chance(_) | Self::Fetch(_) => None,
        }
    }
}

impl Ports {
    /// Opens the real world: the store in `config.data`, the system's clock and randomness, the ledger node.
    ///
    /// # Errors
    /// [`OpenError`], saying plainly what is wrong.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        std::fs::create_dir_all(&config.data)
            .map_err(|error| OpenError::Directory { path: config.data.clone(), detail: error.to_string() })?;
        let lock = DataLock::take(&config.data, SERVICE)?;
        let store = choice::open(&config.store, &place(config))?;
        Ok(Self {
            store,
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance::new()?),
            ledger: open_ledger(config)?,
            lock: Some(Arc::new(lock)),
        })
    }
}

/// Where the records lie.
pub(crate) fn place(config: &Config) -> Place<'_> {
    Place { data: &config.data, name: "issuer", format: Format { service: SERVICE, version: 1 } }
}

fn open_ledger(config: &Config) -> Result<Arc<dyn Ledger>, OpenError> {
    if config.ledger.url.is_empty() {
        return Ok(Arc::new(NoLedger));
    }
    let trust = TrustKeeper::of_file(&config.ledger.trust_root, Arc::new(SystemClock))?;
    let fetch = Arc::new(Fetcher::new(&config.fetch)?);
    Ok(Arc::new(LedgerNode::new(LedgerClient::trusting(fetch, &config.ledger.url, trust))))
}
