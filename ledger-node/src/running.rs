//! Starting and stopping a node.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use identity_core::did::DidUrl;
use service_kit::clock::Clock;
use service_kit::fetch::{self, Fetch, Fetcher};
use service_kit::http::{self, Health, Metrics};
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile::{self, KeyFileError};
use service_kit::lock::{DataLock, LockError};
use service_kit::store::choice;
use service_kit::store::closable::ClosableStore;
use service_kit::store::place::Place;
use service_kit::store::redb::OpenError;
use service_kit::store::{Store, StoreError};
use tokio::runtime::Handle;

use crate::catch_up::{Source, Sources};
use crate::certifier::CertifyError;
use crate::chain::{Chain, ChainError};
use crate::clerk::{Clerk, RelayKey};
use crate::config::Config;
use crate::console;
use crate::executor::Executor;
use crate::http::{Api, routes};
use crate::lookout;
use crate::node::{Node, Parts, Round};
use crate::ordering::{Ordering, OrderingError};
use crate::resume::last_round;
use crate::snapshot::routine;
use crate::store::{FORMAT, Floor, SyncStore};
use crate::tenure::{EnterError, Entered, Tenure};

/// What a node needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// Where it keeps its data.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Why a node did not start. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The genesis file cannot be read.
    #[error("the genesis file {} cannot be read: {error}", .path.display())]
    GenesisFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The genesis file makes no chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A key file is missing, exposed or no key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The relay key is given without its name, or the name is no DID URL.
    #[error("`relay_key` needs `relay_key_id`, the key's DID URL")]
    RelayKeyName,
    /// The keys do not certify this chain.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// Transactions cannot be ordered.
    #[error(transparent)]
    Ordering(#[from] OrderingError),
    /// Another process uses the data, or the directory is missing.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The data cannot be read, is damaged or belongs to another chain.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The peers cannot be reached as configured.
    #[error(transparent)]
    Fetch(#[from] fetch::SetupError),
    /// The node cannot listen.
    #[error(transparent)]
    Http(#[from] http::StartError),
    /// The metrics could not be set up: a mistake in our code.
    #[error("metrics cannot be set up: {0}")]
    Metrics(String),
    /// The executor's thread could not be started.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
}

impl From<EnterError> for StartError {
    fn from(error: EnterError) -> Self {
        match error {
            EnterError::Store(error) => Self::Store(error),
            EnterError::Ordering(error) => Self::Ordering(error),
        }
    }
}

/// A node that is running.
pub struct Running {
    /// Where it listens.
    pub url: String,
    http: http::Running,
    node: Arc<Node>,
    store: Arc<ClosableStore>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    executing: std::thread::JoinHandle<()>,
}

/// Takes the data directory for this process and opens the store in it. The lock lasts as long as its value.
///
/// # Errors
/// Missing directory, in use, damaged, another service's data.
pub fn open_store(config: &Config) -> Result<(DataLock, Arc<dyn Store>), StartError> {
    let lock = DataLock::take(&config.data, FORMAT.service)?;
    Ok((lock, choice::open(&config.store, &data_place(config))?))
}

/// Where the data lies.
#[must_use]
pub fn data_place(config: &Config) -> Place<'_> {
    Place { data: &config.data, name: "ledger", format: FORMAT }
}

/// Starts a node: recovers the last whole block, certifies it, executes and serves.
///
/// # Errors
/// [`StartError`], in plain words.
pub async fn start(config: &Config, ports: Ports) -> Result<Running, StartError> {
    let file = std::fs::read(&config.genesis)
        .map_err(|error| StartError::GenesisFile { path: config.genesis.clone(), error })?;
    let chain = Chain::new(file)?;
    let guard = config.key_guard().map_err(KeyFileError::from)?;
    let relay_key = load_relay_key(config, &guard)?;
    let store = Arc::new(ClosableStore::new(ports.store));
    let ports = Ports { store: store.clone(), clock: ports.clock };
    let Opened { executor, last, floor } = open_executor(&ports, &chain).await?;

    let ordering = Ordering::new(config.clone(), guard, Arc::clone(&ports.clock));
    let standing = ordering.standing();
    let parts = Parts {
        chain,
        store: ports.store,
        clock: ports.clock,
        evidence: config.data.join("evidence"),
        runtime: Handle::current(),
    };
    let node = Arc::new(Node::new(parts, executor.head().clone(), last));
    let peers = peers(config)?;
    let tenure = Tenure::new(Arc::clone(&node), ordering, executor, Sources::new(peers.clone()));
    let (tenure, first) = enter(tenure, peers.is_empty()).await?;

    let clerk = relay_key.map(|key| Clerk::start(Arc::clone(&node), key, config.errands_per_minute));
    let (clerk, working) = clerk.unzip();
    let (floor, others) = (floor.map(Arc::new), config.peers.clone().into());
    let api = Api { node: Arc::clone(&node), clerk: clerk.map(Arc::new), floor, peers: others };
    let metrics = Metrics::new().map_err(|error| StartError::Metrics(error.to_string()))?;
    crate::http::register_metrics(&metrics, &node, &standing)
        .map_err(|error| StartError::Metrics(error.to_string()))?;
    let http = http::start(&config.http, health(&node), metrics, all_routes(api, config.console)).await?;

    let executing = std::thread::Builder::new()
        .name("executor".into())
        .spawn(move || tenure.run(first))
        .map_err(StartError::Thread)?;
    let lookout = lookout::keep(Arc::clone(&node), Sources::new(peers));
    let timing = lookout::keep_time(Arc::clone(&node));
    let tasks = [tokio::spawn(tick(Arc::clone(&node))), tokio::spawn(lookout), tokio::spawn(timing)];
    let writing = (!config.snapshot.as_os_str().is_empty()).then(|| {
        // Never all the time, whatever is configured.
        let every = Duration::from_secs(u64::from(config.snapshot_hours.max(1)).saturating_mul(3_600));
        tokio::spawn(routine::keep(Arc::clone(&node), config.snapshot.clone(), every))
    });
    let tasks = working.into_iter().chain(tasks).chain(writing).collect();
    tracing::info!(url = %http.url, origin = node.chain.origin(), "ledger node running");
    Ok(Running { url: http.url.clone(), http, node, store, tasks, executing })
}

impl Running {
    #[cfg(test)]
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Takes nothing more, finishes what is queued, and returns when everything is durable and the port is free.
    pub async fn stop(self) {
        self.http.stop().await;
        for task in self.tasks {
            task.abort();
            let _aborted = task.await;
        }
        self.node.desk.close();
        // Joining blocks: elsewhere, so that the store's calls can go on meanwhile.
        let executing = self.executing;
        let _ended = tokio::task::spawn_blocking(move || drop(executing.join())).await;
        self.store.close();
    }
}

/// What a node finds of an earlier life.
struct Opened {
    executor: Executor,
    /// The round that it showed last.
    last: Option<Round>,
    floor: Option<Floor>,
}

async fn open_executor(ports: &Ports, chain: &Chain) -> Result<Opened, StartError> {
    let store = SyncStore::new(Arc::clone(&ports.store), Handle::current());
    let chain = chain.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let executor = Executor::open(store.clone(), chain.clone())?;
        Ok::<_, StoreError>(Opened { executor, last: last_round(&store, &chain)?, floor: Floor::of(&store)? })
    });
    Ok(opened.await.map_err(|error| StartError::Thread(std::io::Error::other(error)))??)
}

/// The nodes to catch up from and to follow.
fn peers(config: &Config) -> Result<Vec<Source>, StartError> {
    if config.peers.is_empty() {
        return Ok(Vec::new());
    }
    let fetch: Arc<dyn Fetch> = Arc::new(Fetcher::new(&config.fetch)?);
    Ok(config.peers.iter().map(|url| Source::peer(Arc::clone(&fetch), url)).collect())
}

/// The first term: keys that fit nobody are told of before anything is served.
async fn enter(mut tenure: Tenure, nobody_to_follow: bool) -> Result<(Tenure, Entered), StartError> {
    let entered = tokio::task::spawn_blocking(move || tenure.enter().map(|entered| (tenure, entered)));
    let (tenure, entered) = entered.await.map_err(|error| StartError::Thread(std::io::Error::other(error)))??;
    if nobody_to_follow && !entered.is_validating() {
        return Err(CertifyError::NotAValidator.into());
    }
    Ok((tenure, entered))
}

fn load_relay_key(config: &Config, guard: &KeyGuard) -> Result<Option<RelayKey>, StartError> {
    if config.relay_key.as_os_str().is_empty() {
        return Ok(None);
    }
    let url = DidUrl::parse(&config.relay_key_id).map_err(|_| StartError::RelayKeyName)?;
    Ok(Some(RelayKey { url, key: keyfile::load(&config.relay_key, guard)? }))
}

fn health(node: &Arc<Node>) -> Health {
    let node = Arc::clone(node);
    Health::when(move || {
        let (halted, stranded, certified) = (node.is_halted(), node.is_stranded(), node.round().is_some());
        async move {
            match (halted, stranded, certified) {
                (true, ..) => Err("the node has stopped executing; see its log and run fsck".into()),
                (false, true, _) => Err("others are validators now, and `peers` names none of them to follow".into()),
                (false, false, false) => Err("the validators have not certified a checkpoint yet".into()),
                (false, false, true) => Ok(()),
            }
        }
    })
}

/// The API, and the pages if they are wanted.
fn all_routes(api: Api, console: bool) -> impl Fn(&mut actix_web::web::ServiceConfig) + Clone + Send + 'static {
    let (routes, pages) = (routes(api.clone()), console.then(|| console::routes(api)));
    move |config| {
        routes(config);
        if let Some(pages) = &pages {
            pages(config);
        }
    }
}

async fn tick(node: Arc<Node>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        node.tick().await;
    }
}
