//! Starting and stopping the services: in this process, or each in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use service_kit::clock::SystemClock;
use service_kit::config;
use service_kit::fetch::{Fetch, Request};
use service_kit::lock::DataLock;

use super::layout::{DEPARTMENTS, HOUSING_FUND, LEADER, Layout, Member};
use crate::cli::ServiceKind;

/// Time a service may take to answer once its process was started: a slow machine, an unoptimised build.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// Time between two looks at a starting service.
const LOOK_AGAIN: Duration = Duration::from_millis(30);

/// How services are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// In this process.
    Here,
    /// Each in a process of its own, of this program.
    Processes {
        /// The `devnet` program.
        program: PathBuf,
    },
}

/// A service that runs in this process.
pub enum Here {
    /// The ledger node, with the lock on its data.
    Ledger(ledger_node::Running, DataLock),
    /// A department.
    Issuer(issuer::Running),
    /// A verifying service.
    Verifier(verifier::Running),
}

impl Here {
    /// Starts the service of `kind` by its configuration file.
    ///
    /// # Errors
    /// Configuration, data or port: said plainly.
    pub async fn start(kind: ServiceKind, file: &Path) -> Result<Self> {
        Ok(match kind {
            ServiceKind::Ledger => {
                let config: ledger_node::Config = config::load(file)?;
                let (lock, store) = ledger_node::open_store(&config)?;
                let ports = ledger_node::Ports { store, clock: Arc::new(SystemClock) };
                Self::Ledger(ledger_node::start(&config, ports).await?, lock)
            }
            ServiceKind::Issuer => {
                let config: issuer::Config = config::load(file)?;
                let ports = issuer::Ports::open(&config)?;
                Self::Issuer(issuer::start(config, ports).await?)
            }
            ServiceKind::Verifier => Self::Verifier(verifier::start_here(config::load(file)?).await?),
        })
    }

    /// Stops it; port and data are free afterwards.
    pub async fn stop(self) {
        match self {
            Self::Ledger(node, _lock) => node.stop().await,
            Self::Issuer(issuer) => issuer.stop().await,
            Self::Verifier(verifier) => verifier.stop().await,
        }
    }
}

/// Who runs what, the ledger first.
fn roles(layout: &Layout) -> impl Iterator<Item = (ServiceKind, &'static Member)> + use<> {
    let ledgers = layout.validators().map(|member| (ServiceKind::Ledger, member));
    let issuers = DEPARTMENTS.iter().map(|department| (ServiceKind::Issuer, &department.member));
    ledgers.chain(issuers).chain([(ServiceKind::Verifier, &HOUSING_FUND)])
}

/// The child lives as long as its standard input: if this process dies, however, so does the child.
fn spawn(program: &Path, kind: ServiceKind, file: &Path) -> Result<Child> {
    let mut command = Command::new(program);
    command.args(["service", kind.as_str(), "--config"]).arg(file);
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?)
}

async fn end(mut child: Child) -> Result<()> {
    child.kill()?;
    tokio::task::spawn_blocking(move || child.wait()).await??;
    Ok(())
}

enum Running {
    Here(Box<Here>),
    Process(Child),
}

/// The services of the world, those that run.
pub struct Services {
    layout: Layout,
    mode: Mode,
    fetch: Arc<dyn Fetch>,
    running: Vec<(&'static str, Running)>,
}

impl Services {
    /// None runs yet. `fetch` is how they are looked at.
    #[must_use]
    pub fn new(layout: &Layout, mode: Mode, fetch: Arc<dyn Fetch>) -> Self {
        Self { layout: layout.clone(), mode, fetch, running: Vec::new() }
    }

    /// Starts every service that does not run, the ledger first.
    ///
    /// # Errors
    /// Which service, and why.
    pub async fn start_all(&mut self) -> Result<()> {
        let (ledgers, others): (Vec<_>, Vec<_>) =
            roles(&self.layout).partition(|(kind, _)| *kind == ServiceKind::Ledger);
        for (kind, member) in ledgers {
            self.start(kind, member).await?;
        }
        // One ledger node of several answers before all is well, and the services want a ledger to look at.
        self.until_ready(&LEADER).await?;
        for (kind, member) in others {
            self.start(kind, member).await?;
        }
        Ok(())
    }

    async fn until_ready(&self, member: &Member) -> Result<()> {
        let url = format!("{}/readyz", self.layout.url(member));
        let ready = async {
            while !self.fetch.send(Request::get(url.clone())).await.is_ok_and(|answer| answer.status == 200) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(START_PATIENCE, ready).await.with_context(|| format!("{} is not ready in time", member.id))
    }

    /// Stops the ledger and the departments, and makes sure that nobody answers at their addresses.
    ///
    /// # Errors
    /// Somebody still answers.
    pub async fn stop_all_but_the_verifier(&mut self) -> Result<()> {
        let departments = DEPARTMENTS.iter().map(|department| &department.member);
        let stopped: Vec<&Member> = departments.chain(self.layout.validators()).collect();
        for member in &stopped {
            self.stop(member.id).await?;
        }
        for member in stopped {
            let address = self.layout.address(member);
            let connected = tokio::net::TcpStream::connect(&address).await;
            ensure!(connected.is_err(), "somebody still answers at {address}");
        }
        Ok(())
    }

    /// Stops one service.
    ///
    /// # Errors
    /// A process that does not end well.
    pub async fn stop_one(&mut self, member: &Member) -> Result<()> {
        self.stop(member.id).await
    }

    /// Stops everything, the ledger last.
    ///
    /// # Errors
    /// A process that does not end well.
    pub async fn stop_all(&mut self) -> Result<()> {
        while let Some((name, _)) = self.running.last() {
            self.stop(name).await?;
        }
        Ok(())
    }

    /// Kills a service's process (`kill -9`).
    ///
    /// # Errors
    /// It does not run, or not as a process of its own.
    pub async fn kill(&mut self, name: &str) -> Result<()> {
        let place = self.running.iter().position(|(running, _)| *running == name).context("it does not run")?;
        match self.running.remove(place).1 {
            Running::Here(service) => {
                service.stop().await;
                bail!("it is no process of its own")
            }
            Running::Process(child) => end(child).await,
        }
    }

    /// Starts a service's process and kills it `after` a while, wherever its start has come to.
    ///
    /// # Errors
    /// No such service, or services are no processes.
    pub async fn kill_while_starting(&self, name: &str, after: Duration) -> Result<()> {
        let (kind, member) =
            roles(&self.layout).find(|(_, member)| member.id == name).context("there is no such service")?;
        let Mode::Processes { program } = &self.mode else { bail!("it is no process of its own") };
        let child = spawn(program, kind, &self.layout.config(member))?;
        tokio::time::sleep(after).await;
        end(child).await
    }

    async fn start(&mut self, kind: ServiceKind, member: &Member) -> Result<()> {
        if self.running.iter().any(|(name, _)| *name == member.id) {
            return Ok(());
        }
        let file = self.layout.config(member);
        let started = match &self.mode {
            Mode::Here => Here::start(kind, &file).await.map(|here| Running::Here(Box::new(here))),
            Mode::Processes { program } => self.start_process(program, kind, member, &file).await.map(Running::Process),
        };
        self.running.push((member.id, started.with_context(|| format!("{} does not start", member.id))?));
        Ok(())
    }

    async fn start_process(&self, program: &Path, kind: ServiceKind, member: &Member, file: &Path) -> Result<Child> {
        let mut child = spawn(program, kind, file)?;
        let url = format!("{}/healthz", self.layout.url(member));
        let answers = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    bail!("its process ended at once ({status}); its reason is above");
                }
                if self.fetch.send(Request::get(url.clone())).await.is_ok_and(|answer| answer.status == 200) {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(START_PATIENCE, answers).await.context("it does not answer in time")??;
        Ok(child)
    }

    async fn stop(&mut self, name: &str) -> Result<()> {
        let Some(place) = self.running.iter().position(|(running, _)| *running == name) else { return Ok(()) };
        match self.running.remove(place).1 {
            Running::Here(service) => service.stop().await,
            Running::Process(mut child) => {
                drop(child.stdin.take());
                let status = tokio::task::spawn_blocking(move || child.wait()).await??;
                ensure!(status.success(), "the process of {name} ended with {status}");
            }
        }
        Ok(())
    }
}
