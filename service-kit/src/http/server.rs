//! Starting and stopping.

use std::{io, net::SocketAddr, path::PathBuf};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use identity_core::problem::Code;
use rustls::ServerConfig;

use super::{
    Health, Metrics, health, limits, metrics,
    shell::{self, Shell},
    tls::{self, TlsError},
};

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
        /// Threads that serve requests.
        pub workers: u16 = 2,
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
    /// The metrics could not be set up: a mistake in our code.
    #[error("metrics cannot be set up: {0}")]
    Metrics(String),
}

impl StartError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Address(_) | Self::NoCertificate | Self::Tls(_) => Code::ConfigInvalidValue,
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
    let wanted: SocketAddr = config.listen.parse().map_err(|_| StartError::Address(config.listen.clone()))?;
    let tls = tls_of(config)?;
    let listener = std::net::TcpListener::bind(wanted).map_err(|error| listen_failure(&error, wanted))?;
    let address = listener.local_addr().map_err(|error| listen_failure(&error, wanted))?;
    let (presence, gone) = tokio::sync::mpsc::channel(1);
    let shell = Shell { metrics: metrics.clone(), encrypted: tls.is_some(), _presence: presence };
    let scheme = if tls.is_some() { "https" } else { "http" };

    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(shell.clone()))
            .app_data(web::PayloadConfig::new(limits::BODY_BYTES))
            .wrap(from_fn(shell::around))
            .configure(health::routes(health.clone()))
            .configure(metrics::routes(metrics.clone()))
            .configure(routes.clone())
    })
    .workers(usize::from(config.workers.max(1)))
    .backlog(limits::BACKLOG)
    .max_connections(limits::CONNECTIONS)
    .max_connection_rate(limits::HANDSHAKES)
    .client_request_timeout(limits::HEAD)
    .client_disconnect_timeout(limits::DISCONNECT)
    .tls_handshake_timeout(limits::HANDSHAKE)
    .keep_alive(limits::KEEP_ALIVE)
    .shutdown_timeout(limits::STOP_SECONDS)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    };
    let running = server.map_err(|error| listen_failure(&error, wanted))?.run();
    let handle = running.handle();
    let done = tokio::spawn(running);
    Ok(Running { url: format!("{scheme}://{address}"), address, handle, done, gone })
}

fn tls_of(config: &HttpConfig) -> Result<Option<ServerConfig>, StartError> {
    if config.plain {
        return Ok(None);
    }
    if config.certificate.as_os_str().is_empty() || config.key.as_os_str().is_empty() {
        return Err(StartError::NoCertificate);
    }
    Ok(Some(tls::server_config(&config.certificate, &config.key)?))
}

fn listen_failure(error: &io::Error, address: SocketAddr) -> StartError {
    match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Listen { address, detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
