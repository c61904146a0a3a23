//! The ledger nodes, each a process: started, killed, paused, stopped, emptied, with clocks that can be set.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use service_kit::config;

use super::network::Network;
use crate::cli::ServiceKind;
use crate::world::layout::{Layout, Member};

/// Lines of what a node said that are shown when something is wrong.
const LAST_WORDS: usize = 15;

/// The nodes' processes. Whatever ends this value, they end with it.
pub(super) struct Nodes {
    program: PathBuf,
    nodes: Vec<Node>,
}

struct Node {
    name: &'static str,
    config: PathBuf,
    /// The network namespace it runs in, where it has its own.
    namespace: Option<String>,
    /// What it writes to standard error.
    log: PathBuf,
    /// How its clock is set, where it can be.
    clock: Option<Clock>,
    running: Option<Child>,
}

/// A process's own idea of the time, by libfaketime. Only the time of day: what merely counts goes on evenly.
struct Clock {
    library: PathBuf,
    /// Says how far off it is.
    file: PathBuf,
}

impl Nodes {
    /// The validators of `layout`, none of which runs yet.
    pub(super) fn new(layout: &Layout, program: PathBuf, network: Option<&Network>, faketime: Option<&Path>) -> Self {
        let node = |(place, member): (usize, &'static Member)| Node {
            name: member.id,
            config: layout.config(member),
            namespace: network.map(|network| network.namespace(place)),
            log: layout.directory(member).join("stderr.log"),
            clock: faketime
                .map(|library| Clock { library: library.to_owned(), file: layout.directory(member).join("clock") }),
            running: None,
        };
        Self { program, nodes: layout.validators().enumerate().map(node).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn name(&self, place: usize) -> &'static str {
        self.nodes.get(place).map_or("nobody", |node| node.name)
    }

    /// Starts the process; whether it serves is seen when it is asked.
    pub(super) fn start(&mut self, place: usize) -> Result<()> {
        let program = self.program.clone();
        let node = self.node(place)?;
        ensure!(node.running.is_none(), "{} runs already", node.name);
        node.running = Some(spawn(&program, node).with_context(|| format!("{} does not start", node.name))?);
        Ok(())
    }

    /// `kill -9`.
    pub(super) async fn kill(&mut self, place: usize) -> Result<()> {
        let mut child = self.take(place)?;
        child.kill()?;
        tokio::task::spawn_blocking(move || child.wait()).await??;
        Ok(())
    }

    /// Stops it as its operator would; it must end well.
    pub(super) async fn stop(&mut self, place: usize) -> Result<()> {
        let name = self.name(place);
        let mut child = self.take(place)?;
        drop(child.stdin.take());
        let status = tokio::task::spawn_blocking(move || child.wait()).await??;
        ensure!(status.success(), "{name} was asked to stop and ended with {status}");
        Ok(())
    }

    /// Stops the process in its tracks; its connections stay open.
    pub(super) fn pause(&mut self, place: usize) -> Result<()> {
        self.signal(place, Signal::STOP)
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self, place: usize) -> Result<()> {
        self.signal(place, Signal::CONT)
    }

    /// Sets its clock so many seconds ahead, or behind; 0 sets it right. The process sees it at once.
    pub(super) fn set_clock(&mut self, place: usize, seconds: i32) -> Result<()> {
        let node = self.node(place)?;
        let clock = node.clock.as_ref().context("these clocks cannot be set")?;
        clock.set(seconds).with_context(|| format!("the clock of {} cannot be set", node.name))
    }

    /// Removes everything that a node which does not run keeps: log, state, and the engine's journals with its votes.
    pub(super) fn wipe(&mut self, place: usize) -> Result<()> {
        let node = self.node(place)?;
        ensure!(node.running.is_none(), "{} still runs", node.name);
        let data = config::load::<ledger_node::Config>(&node.config)?.data;
        fs::remove_dir_all(&data)
            .and_then(|()| fs::create_dir(&data))
            .with_context(|| format!("the data of {} cannot be removed", node.name))
    }

    /// Nobody may end by itself.
    pub(super) fn all_run(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            if let Some(child) = &mut node.running
                && let Some(status) = child.try_wait()?
            {
                bail!("{} ended by itself ({status})", node.name);
            }
        }
        Ok(())
    }

    /// What each node said last, for whoever looks for the reason of a failure.
    pub(super) fn last_words(&self) -> String {
        let said = |node: &Node| {
            let log = fs::read_to_string(&node.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.get(lines.len().saturating_sub(LAST_WORDS)..).unwrap_or_default();
            last.iter().map(|line| format!("{}: {line}\n", node.name)).collect::<String>()
        };
        self.nodes.iter().map(said).collect()
    }

    fn signal(&mut self, place: usize, signal: Signal) -> Result<()> {
        let node = self.node(place)?;
        let child = node.running.as_ref().with_context(|| format!("{} does not run", node.name))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process without a number")?;
        kill_process(pid, signal).with_context(|| format!("{} cannot be signalled", node.name))
    }

    fn node(&mut self, place: usize) -> Result<&mut Node> {
        self.nodes.get_mut(place).with_context(|| format!("there is no node {place}"))
    }

    fn take(&mut self, place: usize) -> Result<Child> {
        let node = self.node(place)?;
        node.running.take().with_context(|| format!("{} does not run", node.name))
    }
}

impl Clock {
    fn set(&self, seconds: i32) -> std::io::Result<()> {
        // Whole or not at all: the process may be reading it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n"))?;
        fs::rename(new, &self.file)
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        // A paused process would not notice that we are gone.
        for child in self.nodes.iter_mut().filter_map(|node| node.running.as_mut()) {
            let _ended = child.kill();
            let _waited = child.wait();
        }
    }
}

/// The child lives as long as its standard input: if this process dies, however, so does the child.
fn spawn(program: &Path, node: &Node) -> Result<Child> {
    let log: File = OpenOptions::new().create(true).append(true).open(&node.log)?;
    let mut command = match &node.namespace {
        None => Command::new(program),
        // It becomes the program, so the process is the node's own.
        Some(namespace) => {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", namespace]).arg(program);
            command
        }
    };
    if let Some(clock) = &node.clock {
        clock.set(0)?;
        command.env("LD_PRELOAD", &clock.library).env("FAKETIME_TIMESTAMP_FILE", &clock.file);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    command.args(["service", ServiceKind::Ledger.as_str(), "--config"]).arg(&node.config);
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn()?)
}
