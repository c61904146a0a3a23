//! The crowd: connections that send one byte a second, each from a loopback address of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};
use tokio_rustls::TlsConnector;

use crate::target::Target;

/// Time between two bytes of one client.
const BETWEEN_BYTES: Duration = Duration::from_secs(1);

/// Grants per second are handed out in so many portions.
const PORTIONS: u32 = 20;

/// Bytes of the kernel's buffer for what a client receives: one that reads nothing has little room.
const RECEIVE_BUFFER: u32 = 4096;

/// A crowd under way.
pub(crate) struct Crowd {
    runtime: tokio::runtime::Runtime,
    tallies: Arc<Tallies>,
    size: u32,
    granting: JoinHandle<()>,
}

/// What came of a crowd.
pub(crate) struct Census {
    /// Connections opened.
    pub(crate) opened: u64,
    /// The most that were open at once.
    pub(crate) most_at_once: u32,
    /// Connections that the service ended.
    pub(crate) cut: u64,
}

#[derive(Default)]
struct Tallies {
    opened: AtomicU64,
    cut: AtomicU64,
    open: AtomicU32,
    most_at_once: AtomicU32,
}

#[derive(Clone, Copy)]
enum Manner {
    Handshake,
    Head,
    Body,
    ReadsNothing,
}

/// Brings `size` slow clients together.
pub(crate) fn gather(target: &Target, size: u32, opened_per_second: u32, back_per_second: u32) -> Result<Crowd> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let tallies = Arc::new(Tallies::default());
    let grants = Arc::new(Semaphore::new(0));
    let connector = TlsConnector::from(target.tls.clone());
    for number in 0..size {
        let (tallies, grants, connector) = (tallies.clone(), grants.clone(), connector.clone());
        let address = target.address;
        runtime.spawn(async move {
            loop {
                let Ok(grant) = grants.acquire().await else { return };
                grant.forget();
                let _ended = be_slow(number, address, &connector, &tallies).await;
            }
        });
    }
    let granting = runtime.spawn(grant(grants, tallies.clone(), size, opened_per_second, back_per_second));
    Ok(Crowd { runtime, tallies, size, granting })
}

/// Lets so many begin per second until all have begun once, and so many come back from then on.
async fn grant(grants: Arc<Semaphore>, tallies: Arc<Tallies>, size: u32, opened: u32, back: u32) {
    let mut ticks = interval(Duration::from_secs(1) / PORTIONS);
    loop {
        ticks.tick().await;
        let all_began = tallies.opened.load(Ordering::Relaxed) >= u64::from(size);
        let portion = (if all_began { back } else { opened }) / PORTIONS;
        // Nobody saves up: who was not cut needs no grant.
        let room = usize::try_from(portion).unwrap_or(0).saturating_sub(grants.available_permits());
        grants.add_permits(room);
    }
}

impl Crowd {
    /// Returns when every client has been there once.
    pub(crate) fn wait_until_complete(&self) {
        while self.tallies.opened.load(Ordering::Relaxed) < u64::from(self.size) {
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Sends everybody home.
    pub(crate) fn disperse(self) -> Census {
        self.granting.abort();
        self.runtime.shutdown_timeout(Duration::from_secs(5));
        Census {
            opened: self.tallies.opened.load(Ordering::Relaxed),
            most_at_once: self.tallies.most_at_once.load(Ordering::Relaxed),
            cut: self.tallies.cut.load(Ordering::Relaxed),
        }
    }
}

async fn be_slow(number: u32, to: SocketAddr, connector: &TlsConnector, tallies: &Tallies) -> io::Result<()> {
    tallies.opened.fetch_add(1, Ordering::Relaxed);
    let manner = match number % 4 {
        0 => Manner::Handshake,
        1 => Manner::Head,
        2 => Manner::Body,
        _ => Manner::ReadsNothing,
    };
    let stream = connect(number, to, manner).await?;
    let open = tallies.open.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    tallies.most_at_once.fetch_max(open, Ordering::Relaxed);
    let ended = talk(stream, to, manner, connector).await;
    tallies.open.fetch_sub(1, Ordering::Relaxed);
    tallies.cut.fetch_add(1, Ordering::Relaxed);
    ended
}

/// Connects from `127.x.y.z`, another address for each client.
async fn connect(number: u32, to: SocketAddr, manner: Manner) -> io::Result<TcpStream> {
    let [_, high, middle, low] = number.saturating_add(1 << 16).to_be_bytes();
    let socket = TcpSocket::new_v4()?;
    if matches!(manner, Manner::ReadsNothing) {
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    }
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, high, middle, low)), 0))?;
    socket.connect(to).await
}

/// Ends when the service hangs up.
async fn talk(mut stream: TcpStream, to: SocketAddr, manner: Manner, connector: &TlsConnector) -> io::Result<()> {
    if matches!(manner, Manner::Handshake) {
        // The start of a record of 512 bytes.
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await?;
        return trickle(stream, true).await;
    }
    let mut stream = connector.connect(ServerName::from(to.ip()), stream).await?;
    match manner {
        Manner::Handshake => Ok(()),
        Manner::Head => {
            stream.write_all(b"GET / HTTP/1.1\r\nx-a: ").await?;
            trickle(stream, true).await
        }
        Manner::Body => {
            let head = b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
            stream.write_all(head).await?;
            stream.write_all(b"content-length: 1000\r\n\r\n").await?;
            trickle(stream, true).await
        }
        Manner::ReadsNothing => {
            stream.write_all(&b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(16)).await?;
            trickle(stream, false).await
        }
    }
}

/// One byte a second until the service hangs up, which one notices by reading, or by writing what nobody takes.
async fn trickle(stream: impl AsyncRead + AsyncWrite, reads: bool) -> io::Result<()> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let writes = async {
        loop {
            sleep(BETWEEN_BYTES).await;
            writing.write_all(b"a").await?;
            writing.flush().await?;
        }
    };
    let hears = async {
        match reads {
            true => tokio::io::copy(&mut reading, &mut tokio::io::sink()).await.map(drop),
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        written = writes => written,
        heard = hears => heard,
    }
}
