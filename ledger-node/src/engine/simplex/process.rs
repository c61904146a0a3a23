//! A validator in this process: the engine's runtime on a thread of its own, and authenticated TCP to the others.
//!
//! Only keys of the validators' set complete a handshake; whoever has none learns nothing and holds a connection for
//! five seconds at most.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::ChaCha20Poly1305;
use commonware_p2p::authenticated::lookup;
use commonware_p2p::{Address, AddressableManager as _, Ingress};
use commonware_runtime::{Quota, Runner as _, Supervisor as _, tokio as runtime};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::ordered::Map;
use commonware_utils::{Hostname, NZU32, NZUsize};
use futures_util::future::select_all;
use identity_core::registry::Transaction;
use tokio::sync::{mpsc, watch};

use super::archive::Depth;
use super::delivery::Delivered;
use super::members::{Identity, Members};
use super::wiring::{self, Channels, Validator, WiringError, channel};
use super::{Door, Host, Simplex, sizing};
use crate::engine::Standing;
use crate::engine::pool::{Bounds, Pool};
use crate::node::Spoken;
use crate::term::Term;

/// Bytes of transactions that may wait in the pool.
const POOL_BYTES: usize = 32 * 1024 * 1024;
/// How far the clocks of two validators may be apart for them to connect. A validator whose clock is further off takes
/// no part.
const CLOCKS_APART: Duration = Duration::from_secs(60);
/// How old a handshake may be.
const HANDSHAKE_AGE: Duration = Duration::from_secs(10);
/// The engine's threads that run tasks; those that wait for the disk come on top, at most so many.
const WORKERS: usize = 2;
const BLOCKING: usize = 8;

/// What a validator needs to start.
pub(crate) struct Process {
    members: Members,
    identity: Identity,
    term: Term,
    directory: PathBuf,
    listen: SocketAddr,
    executed: u64,
    pool: Pool,
    standing: Arc<Standing>,
    fresh: mpsc::Receiver<Transaction>,
    voice: (mpsc::Sender<Spoken>, mpsc::Receiver<Spoken>),
    /// Changes when the door is gone.
    closing: watch::Receiver<()>,
}

/// Why a validator does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The set does not say how its validators reach each other.
    #[error("there are several validators, and the ledger does not say how they reach each other")]
    NoPeers,
    /// Not Ed25519.
    #[error("the consensus and transport keys must be Ed25519 keys")]
    Keys,
    /// The keys are nobody's.
    #[error("the consensus and transport keys are not those of one validator in force")]
    NotAMember,
    /// The address to listen at means nothing.
    #[error("`{0}` is no address that other validators could connect to")]
    Listen(String),
    /// No thread.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
}

/// Where a validator starts from.
pub(crate) struct Origin<'a> {
    pub(crate) term: &'a Term,
    /// Height of the last block that was executed.
    pub(crate) executed: u64,
    pub(crate) directory: PathBuf,
    /// `address:port`; empty for the port of the address that the ledger states, on all addresses.
    pub(crate) listen: &'a str,
    /// Transactions that may wait in the pool.
    pub(crate) queue: u32,
    pub(crate) standing: Arc<Standing>,
}

impl Process {
    /// Checks everything that can be wrong before anything runs.
    ///
    /// The second half is where submissions come in; the validator ends when it is gone.
    pub(crate) fn new(origin: Origin<'_>, identity: Option<Identity>) -> Result<(Self, Door), ProcessError> {
        let members = Members::of(origin.term).ok_or(ProcessError::NoPeers)?;
        let identity = identity.ok_or(ProcessError::Keys)?;
        let me = members.find(&identity).ok_or(ProcessError::NotAMember)?;
        let listen = listening(origin.listen, &me.address)?;
        let count = usize::try_from(origin.queue.max(1)).unwrap_or(usize::MAX);
        let standing = origin.standing;
        standing.begin(origin.executed);
        let pool = Pool::new(Bounds { count, bytes: POOL_BYTES });
        let (fresh, forwarded) = mpsc::channel(sizing::FRESH);
        let (open, closing) = watch::channel(());
        let door = Door { pool: pool.clone(), fresh, _open: open };
        let process = Self {
            members,
            identity,
            term: origin.term.clone(),
            directory: origin.directory.join(format!("epoch-{}", origin.term.epoch)),
            listen,
            executed: origin.executed,
            pool,
            standing,
            fresh: forwarded,
            voice: mpsc::channel(sizing::VOICE),
            closing,
        };
        Ok((process, door))
    }

    /// Where the node says what it cosigned.
    pub(crate) fn voice(&self) -> mpsc::Sender<Spoken> {
        self.voice.0.clone()
    }

    /// It never starts: gives back what has come in.
    pub(crate) fn leave(self) -> Vec<Transaction> {
        self.pool.empty()
    }

    /// Starts the thread.
    pub(crate) fn start(self, host: Arc<impl Host>) -> Result<Simplex, ProcessError> {
        forget_earlier_terms(&self.directory);
        let (blocks, delivered) = mpsc::channel(sizing::DELIVERED);
        let mut simplex = Simplex::new(delivered, self.pool.clone(), Arc::clone(&self.standing));
        let thread = std::thread::Builder::new().name("validator".into());
        simplex.thread = Some(thread.spawn(move || self.run(host, blocks)).map_err(ProcessError::Thread)?);
        Ok(simplex)
    }

    fn run(self, host: Arc<impl Host>, blocks: mpsc::Sender<Delivered>) {
        let config = runtime::Config::new()
            .with_storage_directory(self.directory.clone())
            .with_connect_timeout(sizing::CONNECT)
            .with_read_write_timeout(sizing::SILENCE)
            .with_worker_threads(WORKERS)
            .with_max_blocking_threads(BLOCKING);
        runtime::Runner::new(config).start(|context| async move {
            if let Err(error) = self.serve(context, host, blocks).await {
                tracing::error!(%error, "the validator does not start");
            }
        });
    }

    /// Runs until the door is closed or a part fails. A validator with a dead part must not look alive.
    async fn serve(
        self,
        context: runtime::Context,
        host: Arc<impl Host>,
        blocks: mpsc::Sender<Delivered>,
    ) -> Result<(), WiringError> {
        let (mut network, mut oracle) = lookup::Network::new(context.child("network"), self.network());
        oracle.track(0, self.addresses());
        let ends = (0..channel::COUNT).map(|number| network.register(number, sizing::quota()));
        let channels = Channels::new(ends).ok_or(WiringError::NotAMember)?;
        let mut closing = self.closing;
        let validator = Validator {
            host,
            members: self.members,
            identity: self.identity,
            term: self.term,
            storage: "validator".to_owned(),
            depth: Depth::default(),
            executed: self.executed,
            pool: self.pool,
            standing: self.standing,
            fresh: self.fresh,
            voice: self.voice.1,
            blocks,
        };
        let mut parts = wiring::start(context.child("validator"), validator, channels, oracle).await?;
        parts.push(network.start());
        let failed = select_all(parts);
        commonware_macros::select! {
            _ = closing.changed() => {},
            (_, part, _) = failed => { tracing::error!(part, "a part of the validator ended: all of it stops") },
        }
        Ok(())
    }

    fn network(&self) -> lookup::Config<Cups<Sake<commonware_cryptography::ed25519::PrivateKey>, ChaCha20Poly1305>> {
        let handshake = Cups::new(
            Sake {
                signer: self.identity.transport.clone(),
                synchrony_bound: CLOCKS_APART,
                max_handshake_age: HANDSHAKE_AGE,
                version: sake::Version::V1,
            },
            cups::Version::V1,
        );
        let members = self.members.all().len();
        lookup::Config {
            // Government networks are private ones.
            allow_private_ips: true,
            allow_dns: true,
            // Who a peer is, its key says; behind a gateway its address says little.
            bypass_ip_check: true,
            peer_connection_cooldown: sizing::RECONNECT,
            allowed_handshake_rate_per_ip: Quota::per_second(NZU32!(16)),
            max_concurrent_handshakes: NZU32!(64),
            ping_frequency: sizing::PING,
            dial_frequency: sizing::DIAL,
            dial_timeout: sizing::DIALLED,
            send_batch_size: NZUsize!(8),
            tracked_peer_sets: sizing::PEER_SETS,
            block_duration: Duration::from_mins(10),
            ..lookup::Config::recommended(
                handshake,
                self.members.namespace(),
                self.listen,
                sizing::peers(members),
                wiring::max_message(members),
                sizing::MAILBOX,
            )
        }
    }

    fn addresses(&self) -> Map<super::PublicKey, Address> {
        let address = |member: &super::members::Member| Some((member.transport.clone(), reached_at(&member.address)?));
        Map::from_iter_dedup(self.members.all().iter().filter_map(address))
    }
}

/// Removes what the engine kept of earlier terms: their blocks are executed, and stand in the log. What it voted in a
/// later one stays, whatever has become of the log: nobody votes twice.
fn forget_earlier_terms(current: &Path) {
    let epoch = |path: &Path| path.file_name()?.to_str()?.strip_prefix("epoch-")?.parse::<u64>().ok();
    let entries = current.parent().and_then(|parent| std::fs::read_dir(parent).ok());
    for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
        if epoch(&path).is_some_and(|earlier| Some(earlier) < epoch(current))
            && let Err(error) = std::fs::remove_dir_all(&path)
        {
            tracing::warn!(%error, path = %path.display(), "what an earlier term left could not be removed");
        }
    }
}

fn listening(configured: &str, stated: &str) -> Result<SocketAddr, ProcessError> {
    if !configured.is_empty() {
        return configured.parse().map_err(|_| ProcessError::Listen(configured.to_owned()));
    }
    let port = stated.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let port = port.ok_or_else(|| ProcessError::Listen(stated.to_owned()))?;
    Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))
}

/// How a peer is reached: by its numeric address, or by a name that is looked up at every try.
fn reached_at(address: &str) -> Option<Address> {
    if let Ok(socket) = address.parse::<SocketAddr>() {
        return Some(Address::Symmetric(socket));
    }
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let ingress = Ingress::Dns { host: Hostname::new(host).ok()?, port };
    // Looked at only where connections are judged by their address, and here they are judged by their key.
    Some(Address::Asymmetric { ingress, egress: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port) })
}
