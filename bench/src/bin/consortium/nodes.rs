//! Four validators, each a process of the real program, founded and configured as an operator would: over loopback,
//! without rate limits, everything else as it comes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use identity_core::crypto::{Alg, SecretKey};
use identity_core::did::Did;
use identity_core::encoding::base64url;
use ledger::TrustRoot;
use serde_json::Value;

use crate::http::Connection;

/// How many there are.
pub(crate) const NODES: usize = 4;
/// How long the nodes may take to find each other and certify the first checkpoint.
const START: Duration = Duration::from_secs(60);

/// The nodes.
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Node>,
    pub(crate) trust_root: TrustRoot,
    directory: PathBuf,
}

/// One that runs.
pub(crate) struct Node {
    pub(crate) address: String,
    pub(crate) operator: Did,
    pub(crate) key: SecretKey,
    process: Process,
}

/// A program that runs, and ends with this value, whatever else goes wrong.
struct Process(Child);

/// What the kernel says a process has taken.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now_kib: u64,
    pub(crate) most_kib: u64,
}

/// What a node says of itself.
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Nodes {
    /// Founds the chain in `directory`, which must not exist, and starts all nodes.
    pub(crate) fn found(program: &Path, directory: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["init", "--chain", "bench", "--operator", "Sample", "--listen", "127.0.0.1:0"]);
        command.args(["--validators", &NODES.to_string(), "--dir"]).arg(directory);
        for port in free_ports()? {
            command.arg("--peer").arg(format!("127.0.0.1:{port}"));
        }
        let done = command.env("LANG", "C").output().with_context(|| format!("{} does not run", program.display()))?;
        ensure!(done.status.success(), "no chain: {}", String::from_utf8_lossy(&done.stderr));
        let nodes = (0..NODES).map(|place| Node::start(program, &directory.join(format!("node{place}"))));
        let nodes = nodes.collect::<Result<Vec<_>>>()?;
        let trust_root = TrustRoot::parse(&fs::read_to_string(directory.join("trust-root"))?)?;
        let all = Self { nodes, trust_root, directory: directory.to_owned() };
        all.wait_until_ready()?;
        Ok(all)
    }

    fn wait_until_ready(&self) -> Result<()> {
        let began = Instant::now();
        for node in &self.nodes {
            while node.connect()?.get("/readyz").is_err() {
                ensure!(began.elapsed() < START, "the nodes certify nothing");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        Ok(())
    }

    /// Where their data lies.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Processor time of all of them, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64> {
        self.nodes.iter().map(|node| cpu_of(&node.process.0.id().to_string())).sum()
    }

    /// What each has taken.
    pub(crate) fn memory(&self) -> Result<Vec<Memory>> {
        self.nodes.iter().map(|node| memory_of(node.process.0.id())).collect()
    }

    /// What each says of itself.
    pub(crate) fn figures(&self) -> Result<Vec<Figures>> {
        self.nodes.iter().map(|node| Ok(Figures::read(&node.connect()?.get("/metrics")?))).collect()
    }

    /// Size and height that all have certified, once they agree on at least `least` entries; with the same root, or there is a
    /// fork. What a node publishes may be a second older than what it told the senders.
    pub(crate) fn agreed(&self, least: u64) -> Result<(u64, u64)> {
        let began = Instant::now();
        loop {
            let notes = self.nodes.iter().map(|node| node.connect()?.get("/checkpoint"));
            let notes = notes.collect::<Result<Vec<_>>>()?;
            let sound = notes.iter().map(|note| Ok(self.trust_root.verify_checkpoint(note)?));
            let sound = sound.collect::<Result<Vec<_>>>()?;
            let trees: Vec<_> = sound.iter().map(|one| (one.checkpoint().size, one.checkpoint().root)).collect();
            let (size, root) = *trees.first().context("there are no nodes")?;
            if size >= least && trees.iter().all(|tree| tree.0 == size) {
                ensure!(trees.iter().all(|tree| tree.1 == root), "two nodes certified two roots at size {size}");
                let height = self.figures()?.first().context("there are no nodes")?.get("ledger_height")?;
                return Ok((size, whole(height)?));
            }
            ensure!(began.elapsed() < START, "the nodes certify different sizes");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Node {
    fn start(program: &Path, directory: &Path) -> Result<Self> {
        let config = directory.join("ledger.toml");
        fs::write(&config, unlimited(&fs::read_to_string(&config)?)?)?;
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(&config).env("LANG", "C").env("LOG", "error");
        let mut process = Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
        let mut said = BufReader::new(process.0.stderr.take().context("no standard error")?).lines();
        let address = said.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("listens at http://")?;
            Some(rest.split(". ").next()?.trim_end_matches('/').to_owned())
        });
        let address = address.context("a node does not start")?;
        std::thread::spawn(move || said.map_while(Result::ok).for_each(|line| eprintln!("node: {line}")));
        let named: Value = serde_json::from_slice(&fs::read(directory.join("operator.json"))?)?;
        let operator = Did::parse(named.get("did").and_then(Value::as_str).context("a node without an operator")?)?;
        Ok(Self { address, operator, key: secret_key(&directory.join("keys/operator.jwk"))?, process })
    }

    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(&self.address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

impl Figures {
    fn read(text: &str) -> Self {
        let figure = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(figure).collect())
    }

    fn get(&self, name: &str) -> Result<f64> {
        self.0.get(name).copied().with_context(|| format!("a node says nothing of {name}"))
    }

    /// Bounds and counts of the times from proposal to certification: how many took no longer than the bound.
    pub(crate) fn certification(&self) -> Vec<(f64, f64)> {
        let bucket = |(name, count): (&String, &f64)| {
            let bound = name.strip_prefix("ledger_certification_seconds_bucket{le=\"")?.strip_suffix("\"}")?;
            Some((if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? }, *count))
        };
        let mut buckets: Vec<_> = self.0.iter().filter_map(bucket).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        buckets
    }
}

/// A configuration as it was made, but for the limits on what one client may ask.
fn unlimited(config: &str) -> Result<String> {
    let mut changed = config.to_owned();
    for (from, to) in [("\nreads = 3000\n", "\nreads = 0\n"), ("\nposts = 600\n", "\nposts = 0\n")] {
        ensure!(changed.contains(from), "the configuration has no line `{}`", from.trim());
        changed = changed.replace(from, to);
    }
    Ok(changed)
}

fn free_ports() -> Result<Vec<u16>> {
    // Held until all are known, so that none comes twice.
    let held = (0..NODES).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn secret_key(path: &Path) -> Result<SecretKey> {
    let jwk: Value = serde_json::from_slice(&fs::read(path)?)?;
    let secret =
        base64url::decode_array::<32>(jwk.get("d").and_then(Value::as_str).context("no private key")?.as_bytes())?;
    SecretKey::from_bytes(Alg::EdDsa, &secret).context("no private key")
}

/// Processor time of a process, `self` for this one, in seconds.
pub(crate) fn cpu_of(process: &str) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything; behind it come numbers, user and system time as 12th and 13th.
    let (_, numbers) = stat.rsplit_once(") ").context("an odd line of the kernel's")?;
    let mut times = numbers.split(' ').skip(11).map(str::parse::<f64>);
    match (times.next(), times.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok((user + system) / TICKS),
        _ => bail!("an odd line of the kernel's"),
    }
}

/// Of the kernel's clock for processes, in a second: fixed on Linux.
const TICKS: f64 = 100.0;

fn memory_of(process: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line of the kernel's")?;
        Ok::<u64, anyhow::Error>(line.trim().trim_end_matches(" kB").parse()?)
    };
    Ok(Memory { now_kib: value("VmRSS:")?, most_kib: value("VmHWM:")? })
}

fn whole(number: f64) -> Result<u64> {
    // Counters of small numbers of blocks: exact in a double.
    format!("{number:.0}").parse().with_context(|| format!("{number} is no count"))
}
