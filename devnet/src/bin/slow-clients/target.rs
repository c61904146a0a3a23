//! The service under test: an issuer of a fresh world, in a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use devnet::world::found;
use devnet::world::home::Home;
use devnet::world::layout::{Layout, PUBLIC_SECURITY};
use rustls::ClientConfig;
use rustls::client::Resumption;
use service_kit::chance::system_rng;
use service_kit::config;
use service_kit::http::tls;

/// Time the service may take to answer at first.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A running service.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    service: Child,
    _home: Home,
}

/// Settings of the service that are to be others than its own defaults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    /// Connections that it may hold.
    pub(crate) held: Option<u32>,
    /// Threads that serve.
    pub(crate) workers: Option<u16>,
}

/// Founds a world and starts its first department, which needs nobody else to serve what is public.
pub(crate) fn start(port: u16, changes: Changes) -> Result<Target> {
    let mut rng = system_rng()?;
    let home = Home::open(None, &mut rng)?;
    let layout = Layout::new(home.path(), port, false);
    found::found(&layout, &mut rng)?;
    let file = layout.config(&PUBLIC_SECURITY.member);
    let mut settings: issuer::Config = config::load(&file)?;
    let http = &mut settings.http;
    http.connections = changes.held.unwrap_or(http.connections);
    http.workers = changes.workers.unwrap_or(http.workers);
    fs::write(&file, config::render(&settings))?;
    let program = std::env::current_exe()?.with_file_name("devnet");
    let mut service = Command::new(&program)
        .args(["service", "issuer", "--config"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // A crowd is a crowd of complaints.
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} must be built beside this program", program.display()))?;
    let address: SocketAddr = layout.address(&PUBLIC_SECURITY.member).parse()?;
    let started = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        if let Some(status) = service.try_wait()? {
            bail!("the service ended at once ({status})");
        }
        if started.elapsed() > START_PATIENCE {
            bail!("the service does not listen");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(tls::roots(&layout.ca())?)
        .with_no_client_auth();
    // Nobody has been here before: each handshake is a whole one.
    tls.resumption = Resumption::disabled();
    Ok(Target { address, tls: Arc::new(tls), service, _home: home })
}

impl Target {
    /// Resident memory of the service.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.service.id()))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
            let kilobytes: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?;
            Ok(kilobytes / 1024)
        };
        Ok(Memory { now_mb: field("VmRSS")?, peak_mb: field("VmHWM")? })
    }

    /// The service's process.
    pub(crate) fn process(&self) -> u32 {
        self.service.id()
    }
}

/// Resident memory in MB: now, and at its peak.
pub(crate) struct Memory {
    pub(crate) now_mb: u64,
    pub(crate) peak_mb: u64,
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.service.stdin.take());
        if let Err(error) = self.service.wait() {
            eprintln!("slow-clients: the service did not end: {error}");
        }
    }
}
