//! The crowd: connections that send one byte a second, each from a loopback address of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use rustix::process::nice;
use rustix::time::{ClockId, Timespec, clock_gettime};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{interval, sleep};
use tokio_rustls::TlsConnector;

use crate::target::Target;

/// Time between two bytes of one client.
const BETWEEN_BYTES: Duration = Duration::from_secs(1);

/// Grants per second are handed out in so many portions.
const PORTIONS: u32 = 20;

/// Bytes of the kernel's buffer for what a client receives: one that reads nothing has little room.
const RECEIVE_BUFFER: u32 = 4096;

/// The crowd stands for clients on machines of their own: where it and the service want one processor, the service
/// goes first. Whether the crowd kept its pace all the same is counted.
const NICENESS: i32 = 5;

/// How a crowd comes.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) size: u32,
    pub(crate) opened_per_second: u32,
    pub(crate) back_per_second: u32,
    /// A quarter each if none.
    pub(crate) manner: Option<Manner>,
}

/// In what a client is slow.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Manner {
    Handshake,
    Head,
    Body,
    ReadsNothing,
}

/// A crowd under way.
pub(crate) struct Crowd {
    life: JoinHandle<Result<Duration>>,
    leave: oneshot::Sender<()>,
    tallies: Arc<Tallies>,
    size: u32,
    since: Instant,
}

/// What came of a crowd.
pub(crate) struct Census {
    /// Connections opened.
    pub(crate) opened: u64,
    /// The most that were open at once.
    pub(crate) most_at_once: u32,
    /// Those that were open at the end.
    pub(crate) at_the_end: u32,
    /// Connections that the service ended.
    pub(crate) cut: u64,
    /// Bytes that one of them sent per second.
    pub(crate) pace: f64,
    /// Processor time of the crowd.
    pub(crate) cpu_seconds: f64,
    /// How long it was there.
    pub(crate) took: Duration,
}

#[derive(Default)]
struct Tallies {
    began: AtomicU64,
    opened: AtomicU64,
    cut: AtomicU64,
    open: AtomicU32,
    most_at_once: AtomicU32,
    /// Slow bytes, and the time that they took together.
    bytes: AtomicU64,
    bytes_micros: AtomicU64,
}

/// Brings slow clients together, on a thread of their own.
pub(crate) fn gather(target: &Target, plan: Plan) -> Result<Crowd> {
    let tallies = Arc::new(Tallies::default());
    let (leave, left) = oneshot::channel();
    let (address, connector) = (target.address, TlsConnector::from(target.tls.clone()));
    let life = std::thread::spawn({
        let tallies = tallies.clone();
        move || live(plan, address, &connector, &tallies, left)
    });
    Ok(Crowd { life, leave, tallies, size: plan.size, since: Instant::now() })
}

/// The crowd's life until it is to leave; answers its processor time.
fn live(
    plan: Plan,
    address: SocketAddr,
    connector: &TlsConnector,
    tallies: &Arc<Tallies>,
    left: oneshot::Receiver<()>,
) -> Result<Duration> {
    // On Linux this is a property of the thread.
    nice(NICENESS)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let grants = Arc::new(Semaphore::new(0));
        for number in 0..plan.size {
            let (tallies, grants, connector) = (tallies.clone(), grants.clone(), connector.clone());
            let manner = plan.manner.unwrap_or(match number % 4 {
                0 => Manner::Handshake,
                1 => Manner::Head,
                2 => Manner::Body,
                _ => Manner::ReadsNothing,
            });
            tokio::spawn(async move {
                loop {
                    let Ok(grant) = grants.acquire().await else { return };
                    grant.forget();
                    let _ended = be_slow(number, manner, address, &connector, &tallies).await;
                }
            });
        }
        tokio::spawn(grant(grants, tallies.clone(), plan));
        // An error is a sender that is gone: time to leave, too.
        let _leave = left.await;
    });
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    Ok(Duration::from_secs(tv_sec.try_into()?) + Duration::from_nanos(tv_nsec.try_into()?))
}

/// Lets so many begin per second until all have begun once, and so many come back from then on.
async fn grant(grants: Arc<Semaphore>, tallies: Arc<Tallies>, plan: Plan) {
    let mut ticks = interval(Duration::from_secs(1) / PORTIONS);
    loop {
        ticks.tick().await;
        let all_began = tallies.began.load(Ordering::Relaxed) >= u64::from(plan.size);
        let portion = (if all_began { plan.back_per_second } else { plan.opened_per_second }) / PORTIONS;
        // Nobody saves up: who was not cut needs no grant.
        let room = usize::try_from(portion).unwrap_or(0).saturating_sub(grants.available_permits());
        grants.add_permits(room);
    }
}

impl Crowd {
    /// Returns when every client has been there once.
    pub(crate) fn wait_until_complete(&self) -> Result<()> {
        while self.tallies.opened.load(Ordering::Relaxed) < u64::from(self.size) {
            ensure!(!self.life.is_finished(), "the crowd is gone");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Sends everybody home.
    pub(crate) fn disperse(self) -> Result<Census> {
        let took = self.since.elapsed();
        let at_the_end = self.tallies.open.load(Ordering::Relaxed);
        // It may have ended by itself; its result says why.
        let _gone = self.leave.send(());
        let cpu = self.life.join().map_err(|_panic| anyhow!("the crowd panicked"))??;
        let count = |tally: &AtomicU64| tally.load(Ordering::Relaxed);
        let bytes_took = Duration::from_micros(count(&self.tallies.bytes_micros));
        let bytes = u32::try_from(count(&self.tallies.bytes))?;
        Ok(Census {
            opened: count(&self.tallies.opened),
            most_at_once: self.tallies.most_at_once.load(Ordering::Relaxed),
            at_the_end,
            cut: count(&self.tallies.cut),
            pace: f64::from(bytes) / bytes_took.as_secs_f64().max(f64::EPSILON),
            cpu_seconds: cpu.as_secs_f64(),
            took,
        })
    }
}

async fn be_slow(
    number: u32,
    manner: Manner,
    to: SocketAddr,
    connector: &TlsConnector,
    tallies: &Tallies,
) -> io::Result<()> {
    tallies.began.fetch_add(1, Ordering::Relaxed);
    let stream = connect(number, to, manner).await?;
    tallies.opened.fetch_add(1, Ordering::Relaxed);
    let open = tallies.open.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    tallies.most_at_once.fetch_max(open, Ordering::Relaxed);
    let ended = talk(stream, to, manner, connector, tallies).await;
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
async fn talk(
    mut stream: TcpStream,
    to: SocketAddr,
    manner: Manner,
    connector: &TlsConnector,
    tallies: &Tallies,
) -> io::Result<()> {
    if matches!(manner, Manner::Handshake) {
        // The start of a record of 512 bytes.
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await?;
        return trickle(stream, true, tallies).await;
    }
    let mut stream = connector.connect(ServerName::from(to.ip()), stream).await?;
    match manner {
        Manner::Handshake => Ok(()),
        Manner::Head => {
            stream.write_all(b"GET / HTTP/1.1\r\nx-a: ").await?;
            trickle(stream, true, tallies).await
        }
        Manner::Body => {
            let head = b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
            stream.write_all(head).await?;
            stream.write_all(b"content-length: 1000\r\n\r\n").await?;
            trickle(stream, true, tallies).await
        }
        Manner::ReadsNothing => {
            stream.write_all(&b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(16)).await?;
            trickle(stream, false, tallies).await
        }
    }
}

/// One byte a second until the service hangs up, which one notices by reading, or by writing what nobody takes.
async fn trickle(stream: impl AsyncRead + AsyncWrite, reads: bool, tallies: &Tallies) -> io::Result<()> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let writes = async {
        loop {
            let since = Instant::now();
            sleep(BETWEEN_BYTES).await;
            writing.write_all(b"a").await?;
            writing.flush().await?;
            tallies.bytes.fetch_add(1, Ordering::Relaxed);
            let took = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            tallies.bytes_micros.fetch_add(took, Ordering::Relaxed);
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
