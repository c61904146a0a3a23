//! Starting and stopping.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, boxed, fn_service, map_config};
use actix_web::{
    App,
    dev::{AppConfig, Server, ServerHandle},
    middleware::from_fn,
    rt::net::TcpStream,
    web,
};
use governor::clock::DefaultClock;
use identity_core::problem::Code;
use tokio_rustls::TlsAcceptor;

use super::{
    Health, Metrics,
    connection::{Connection, Entrance},
    descriptors,
    door::Door,
    health,
    limits::{self, Limits},
    metrics,
    peer::Proxies,
    rate::{RateConfig, Rates},
    shell::{self, Shell},
    tls::{self, TlsError},
};
use crate::config::ConfigError;

crate::config! {
    /// Where and how the service listens.
    pub struct HttpConfig {
        /// Address and port to listen on. Port 0 lets the system choose.
        pub listen: String = "127.0.0.1:9440".into(),
        /// Certificate chain of the service, a PEM file.
        pub certificate: PathBuf = PathBuf::new(),
        /// Private key of the certificate, a PEM file readable by the service only.
        pub key: PathBuf = PathBuf::new(),
        /// Serve HTTP without TLS, for debugging: wallets of others refuse it.
        pub plain: bool = false,
        /// Threads that serve requests. More than there are processors: a request waits for what others have under way on
        /// its own thread, and for the other threads only as long as the system gives each its turn.
        pub workers: u16 = 8,
        /// Open connections, each up to some 30 KiB and its body. At the limit, whoever has kept the service waiting
        /// longest makes room for whoever comes. Fewer if the system's limit on file descriptors is lower.
        pub connections: u32 = limits::CONNECTIONS,
        /// Open connections of one address (of one /64 in IPv6).
        pub connections_per_address: u32 = limits::CONNECTIONS_PER_ADDRESS,
        /// IP addresses of reverse proxies before this service. Only their `X-Forwarded-For` is believed, and
        /// `connections_per_address` does not count them.
        pub proxies: Vec<String> = Vec::new(),
        /// How often one client may ask.
        pub rates: RateConfig,
    }
}

/// Why a server did not start. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// `http.listen` is not an address with a port.
    #[error("`http.listen` is not an address and port: {0}")]
    Address(String),
    /// Someone else listens there.
    #[error("port {} of {} is already in use", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// The system refuses to listen there.
    #[error("cannot listen on {address}: {detail}")]
    Listen {
        /// The address wanted.
        address: SocketAddr,
        /// What the system said.
        detail: String,
    },
    /// Neither a certificate nor `plain` was given.
    #[error("`http.certificate` and `http.key` are needed, or `http.plain = true` to serve without TLS")]
    NoCertificate,
    /// The certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Another value that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The metrics could not be set up: a mistake in our code.
    #[error("metrics cannot be set up: {0}")]
    Metrics(String),
}

impl StartError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Address(_) | Self::NoCertificate | Self::Tls(_) | Self::Config(_) => Code::ConfigInvalidValue,
            Self::PortInUse(_) | Self::Listen { .. } => Code::HttpListen,
            Self::Metrics(_) => Code::HttpInternal,
        }
    }
}

/// A server that is running.
#[derive(Debug)]
pub struct Running {
    /// Where it listens: `https://127.0.0.1:9440`. Its public address may differ.
    pub url: String,
    /// Address and port it listens on.
    pub address: SocketAddr,
    handle: ServerHandle,
    done: tokio::task::JoinHandle<io::Result<()>>,
    gone: tokio::sync::mpsc::Receiver<()>,
}

impl Running {
    /// Stops listening, lets requests under way finish (within [`limits::STOP_SECONDS`]), and returns when the
    /// port is free and the workers have let go of what the routes held, so that a store can be opened again.
    pub async fn stop(mut self) {
        self.handle.stop(true).await;
        // Its result was logged where it arose; a stopped server has nothing more to say.
        let _ended = self.done.await;
        // Nobody ever sends: this ends when the last sender is dropped.
        let _nothing = self.gone.recv().await;
    }
}

/// Starts serving `routes` with everything a service owes its callers around them.
///
/// `routes` runs once per worker thread: state shared between them goes in as `web::Data`. Write routes as
/// `web::resource(path).get(handler)`, so that a wrong method is answered with 405 and not 404.
///
/// # Errors
/// Says plainly why it cannot listen: port in use, no or unusable certificate, bad address.
pub async fn start(
    config: &HttpConfig,
    health: Health,
    metrics: Metrics,
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Result<Running, StartError> {
    let limits = Limits {
        connections: descriptors::make_room(config.connections),
        connections_per_address: config.connections_per_address,
        ..Limits::default()
    };
    start_within(limits, config, health, metrics, routes).await
}

/// [`start`] within limits that are handed in.
pub(super) async fn start_within(
    limits: Limits,
    config: &HttpConfig,
    health: Health,
    metrics: Metrics,
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Result<Running, StartError> {
    let wanted: SocketAddr = config.listen.parse().map_err(|_| StartError::Address(config.listen.clone()))?;
    let door = Door::new(limits.connections, limits.connections_inside, limits.connections_per_address);
    let tls = tls_of(config)?;
    let entrance = Entrance { door: Arc::clone(&door), proxies: Proxies::parse(&config.proxies)?, tls, limits };
    let metrics_failure = |error: prometheus::Error| StartError::Metrics(error.to_string());
    metrics.watch_connections(move || door.open()).map_err(metrics_failure)?;
    let listener = std::net::TcpListener::bind(wanted).map_err(|error| listen_failure(&error, wanted))?;
    let address = listener.local_addr().map_err(|error| listen_failure(&error, wanted))?;
    let (presence, gone) = tokio::sync::mpsc::channel(1);
    let shell = Shell {
        metrics: metrics.clone(),
        encrypted: entrance.tls.is_some(),
        rates: Arc::new(Rates::new(&config.rates, &DefaultClock::default())),
        proxies: entrance.proxies.clone(),
        _presence: presence,
    };
    let scheme = if entrance.tls.is_some() { "https" } else { "http" };

    let builder = Server::build()
        .workers(usize::from(config.workers.clamp(1, MOST_WORKERS)))
        .backlog(limits::BACKLOG)
        // The door counts; nobody is kept waiting outside it.
        .max_concurrent_connections(usize::MAX)
        .shutdown_timeout(limits::STOP_SECONDS)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let factory = move || {
        let app = App::new()
            .app_data(web::Data::new(shell.clone()))
            .app_data(web::PayloadConfig::new(limits::BODY_BYTES))
            .wrap(from_fn(shell::around))
            .configure(health::routes(health.clone()))
            .configure(metrics::routes(metrics.clone()))
            .configure(routes.clone())
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let stopping = stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal({
                let stopping = stopping.clone();
                move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                }
            })
            .keep_alive(entrance.limits.keep_alive)
            // Off: a connection times its heads itself, the later ones too.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(limits::DISCONNECT)
            .h1_write_buffer_size(limits::ANSWER_BUFFER)
            .on_connect_ext(|connection: &Connection, data| _ = data.insert(connection.talk()))
            .finish(map_config(app, |()| AppConfig::default()));
        let entrance = entrance.clone();
        fn_service(move |stream: TcpStream| {
            let (entrance, stopping) = (entrance.clone(), stopping.clone());
            async move {
                let (connection, from) = tokio::select! {
                    biased;
                    entered = entrance.let_in(stream) => entered.map_err(DispatchError::Io)?,
                    // Who has not asked for anything yet is not waited for.
                    () = stopping.notified() => return Err(DispatchError::Io(io::ErrorKind::ConnectionAborted.into())),
                };
                Ok((connection, Protocol::Http1, from))
            }
        })
        // Boxed: who has not sent a head takes no room for answering it.
        .and_then(boxed::factory(http))
    };
    let server = builder.listen("http", listener, factory).map_err(|error| listen_failure(&error, wanted))?.run();
    let handle = server.handle();
    let done = tokio::spawn(server);
    Ok(Running { url: format!("{scheme}://{address}"), address, handle, done, gone })
}

/// The most worker threads that the server takes.
const MOST_WORKERS: u16 = 512;

fn tls_of(config: &HttpConfig) -> Result<Option<TlsAcceptor>, StartError> {
    if config.plain {
        return Ok(None);
    }
    if config.certificate.as_os_str().is_empty() || config.key.as_os_str().is_empty() {
        return Err(StartError::NoCertificate);
    }
    Ok(Some(TlsAcceptor::from(Arc::new(tls::server_config(&config.certificate, &config.key)?))))
}

fn listen_failure(error: &io::Error, address: SocketAddr) -> StartError {
    match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Listen { address, detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
