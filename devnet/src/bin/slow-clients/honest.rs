//! Honest requests, timed: four clients that ask, read and rest, on kept-alive connections and now and then on a fresh
//! one, so that being let in counts too.

use std::fmt;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::target::Target;

const CLIENTS: usize = 4;

/// Rest between two requests of one client.
const REST: Duration = Duration::from_millis(5);

/// Requests on one connection: more than one in a hundred is on a fresh one, so p99 sees the handshake.
const REQUESTS_PER_CONNECTION: usize = 20;

/// Time after which a request has failed.
const PATIENCE: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET /.well-known/openid-credential-issuer HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// How long requests took.
pub(crate) struct Timing {
    pub(crate) requests: usize,
    pub(crate) failed: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) worst: Duration,
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, failed, p50, p99, worst } = self;
        write!(f, "{requests} requests, {failed} failed, p50 {p50:?}, p99 {p99:?}, worst {worst:?}")
    }
}

/// Asks for as long as `span`. On a runtime of its own, so that the crowd's work here delays no measurement.
pub(crate) fn measure(target: &Target, span: Duration) -> Result<Timing> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let connector = TlsConnector::from(target.tls.clone());
    let until = Instant::now() + span;
    let address = target.address;
    let samples = runtime.block_on(async {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let connector = connector.clone();
                tokio::spawn(async move { client(&connector, address, until).await })
            })
            .collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.await?);
        }
        anyhow::Ok(all)
    })?;
    let failed = samples.iter().filter(|sample| sample.is_none()).count();
    let mut took: Vec<Duration> = samples.iter().map(|sample| sample.unwrap_or(PATIENCE)).collect();
    took.sort_unstable();
    let at = |per_mille: usize| took.get(took.len().saturating_mul(per_mille) / 1000).copied();
    let (Some(p50), Some(p99), Some(worst)) = (at(500), at(990), took.last().copied()) else {
        bail!("no request was made");
    };
    Ok(Timing { requests: took.len(), failed, p50, p99, worst })
}

async fn client(connector: &TlsConnector, address: std::net::SocketAddr, until: Instant) -> Vec<Option<Duration>> {
    let mut samples = Vec::new();
    let mut kept = None;
    while Instant::now() < until {
        let started = Instant::now();
        let fresh = samples.len().is_multiple_of(REQUESTS_PER_CONNECTION);
        let asked = tokio::time::timeout(PATIENCE, async {
            let mut stream = match kept.take() {
                Some(stream) if !fresh => stream,
                _ => connect(connector, address).await?,
            };
            ask(&mut stream).await?;
            anyhow::Ok(stream)
        });
        match asked.await {
            Ok(Ok(stream)) => {
                samples.push(Some(started.elapsed()));
                kept = Some(stream);
            }
            Ok(Err(_)) | Err(_) => samples.push(None),
        }
        tokio::time::sleep(REST).await;
    }
    samples
}

async fn connect(connector: &TlsConnector, address: std::net::SocketAddr) -> Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(connector.connect(ServerName::from(address.ip()), stream).await?)
}

/// One request, its answer read whole.
async fn ask(stream: &mut TlsStream<TcpStream>) -> Result<()> {
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 8192];
        let read = stream.read(&mut part).await?;
        ensure!(read > 0, std::io::Error::from(ErrorKind::UnexpectedEof));
        answer.extend_from_slice(part.get(..read).unwrap_or_default());
        let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).to_lowercase();
        ensure!(text.starts_with("http/1.1 200"), "another answer");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).context("no length")?;
        let length: usize = length.trim().parse()?;
        if answer.len() >= head.saturating_add(4).saturating_add(length) {
            return Ok(());
        }
    }
}
