//! Members who anchor: each key has its own sequence and its own connection, to its member's node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::jose::Jwk;
use identity_core::registry::{Anchor, AnchorKind, Envelope, KeyEntry, KeyUse, Operation, Update, make_transaction};
use ledger::sha256;
use serde_json::Value;

use crate::http::Connection;
use crate::nodes::Nodes;

/// Seconds for which a transaction is acceptable: longer than a run.
const LIFETIME: u64 = 3_600;
/// The key that `init` gives an operator.
const FIRST_KEY: &str = "invoke-1";

/// All senders.
pub(crate) struct Senders {
    all: Vec<Sender>,
    origin: String,
    exp: i64,
}

struct Sender {
    did: Did,
    id: String,
    key: SecretKey,
    /// Number of its last transaction.
    sequence: u64,
    /// Its node's.
    address: String,
}

/// How much each sender sends.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Transactions in one request.
    pub(crate) batch: u32,
    /// Requests, one after the other.
    pub(crate) batches: u32,
}

/// What came of a load.
pub(crate) struct Sent {
    pub(crate) transactions: u32,
    /// From the first request to the last certified checkpoint.
    pub(crate) took: Duration,
    /// Processor time of the senders, signing not included.
    pub(crate) cpu: f64,
}

impl Senders {
    /// Gives every member `keys` keys that may submit.
    pub(crate) fn found(nodes: &Nodes, keys: u8) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let mut senders =
            Self { all: Vec::new(), origin: nodes.trust_root.origin().to_owned(), exp: i64::try_from(now + LIFETIME)? };
        for (place, node) in (0_u8..).zip(&nodes.nodes) {
            let made = (0..keys).map(|number| {
                let key = SecretKey::from_bytes(Alg::EdDsa, sha256(&[place, number]).as_bytes())?;
                Ok((format!("sender-{number}"), key))
            });
            let made = made.collect::<Result<Vec<_>>>()?;
            let entry = |(id, key): &(String, SecretKey)| {
                KeyEntry::new(id, Jwk::new(key.public_key().clone()), KeyUse::CapabilityInvocation)
            };
            let update = Operation::Update(Update { add_keys: made.iter().map(entry).collect(), ..Update::default() });
            let transaction = senders.sign(&node.operator, FIRST_KEY, &node.key, 1, &update)?;
            node.connect()?.post("/transactions?wait=certified", "application/jwt", &transaction)?;
            for (id, key) in made {
                let (did, address) = (node.operator.clone(), node.address.clone());
                senders.all.push(Sender { did, id, key, sequence: 0, address });
            }
        }
        Ok(senders)
    }

    /// Signs what is to be sent, then sends it: every sender one request after the other, all senders at once. The last
    /// answers come when everything is certified.
    pub(crate) fn send(&mut self, load: Load) -> Result<Sent> {
        let bodies = (0..self.all.len()).map(|place| self.prepare(place, load)).collect::<Result<Vec<_>>>()?;
        let (began, cpu) = (Instant::now(), crate::nodes::cpu_of("self")?);
        let failed = AtomicBool::new(false);
        let done: Vec<Result<()>> = std::thread::scope(|scope| {
            let started = self.all.iter().zip(&bodies).map(|(sender, bodies)| {
                let failed = &failed;
                scope.spawn(move || {
                    let done = sender.send(bodies, load.batch, failed);
                    failed.fetch_or(done.is_err(), Ordering::Relaxed);
                    done
                })
            });
            let started: Vec<_> = started.collect();
            started.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a sender panicked"))).collect()
        });
        done.into_iter().collect::<Result<()>>()?;
        let transactions = load.batch * load.batches * u32::try_from(self.all.len())?;
        Ok(Sent { transactions, took: began.elapsed(), cpu: crate::nodes::cpu_of("self")? - cpu })
    }

    /// One transaction by the first sender, alone: how long until it was certified, seen from outside.
    pub(crate) fn send_one(&mut self) -> Result<Duration> {
        let body = self.prepare(0, Load { batch: 1, batches: 1 })?;
        let (body, sender) = (body.first().context("nothing to send")?, self.all.first().context("no sender")?);
        let mut connection = Connection::open(&sender.address)?;
        let began = Instant::now();
        connection.post("/transactions?wait=certified", "application/jwt", body)?;
        Ok(began.elapsed())
    }

    fn prepare(&mut self, place: usize, load: Load) -> Result<Vec<String>> {
        let mut bodies = Vec::new();
        for _ in 0..load.batches {
            let sender = self.all.get(place).context("no such sender")?;
            let first = sender.sequence;
            let texts = (1..=u64::from(load.batch)).map(|number| {
                let seq = first + number;
                let root = sha256(format!("{} {} {seq}", sender.did, sender.id).as_bytes());
                let anchor = Operation::Anchor(Anchor::new(AnchorKind::Credential, root, 65_536));
                self.sign(&sender.did, &sender.id, &sender.key, seq, &anchor)
            });
            bodies.push(texts.collect::<Result<Vec<_>>>()?.join("\n"));
            if let Some(sender) = self.all.get_mut(place) {
                sender.sequence += u64::from(load.batch);
            }
        }
        Ok(bodies)
    }

    fn sign(&self, did: &Did, id: &str, key: &SecretKey, seq: u64, operation: &Operation) -> Result<String> {
        let envelope = Envelope { aud: self.origin.clone(), seq, exp: self.exp };
        Ok(make_transaction(&envelope, operation, did, id, key)?)
    }
}

impl Sender {
    fn send(&self, bodies: &[String], batch: u32, failed: &AtomicBool) -> Result<()> {
        let mut connection = Connection::open(&self.address)?;
        for (number, body) in (1..).zip(bodies) {
            if failed.load(Ordering::Relaxed) {
                // The other one says why.
                return Ok(());
            }
            let path =
                if number == bodies.len() { "/transactions/batch?wait=certified" } else { "/transactions/batch" };
            let answer: Value = serde_json::from_str(&connection.post(path, "text/plain", body)?)?;
            let results = answer.get("results").and_then(Value::as_array).context("an answer without results")?;
            let refused = results.iter().find(|result| result.get("index").is_none());
            ensure!(refused.is_none(), "not taken: {refused:?}");
            ensure!(results.len() == usize::try_from(batch)?, "an answer for {} of {batch}", results.len());
            ensure!(number < bodies.len() || answer.get("checkpoint").is_some(), "the last was not certified");
        }
        Ok(())
    }
}
