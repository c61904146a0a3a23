//! A ledger node for one test: it takes transactions by the ledger's real rules, and misbehaves as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use identity_core::registry::{Operation, Refused};
use identity_core::sample::ledger::SampleLedger;
use identity_core::sample::parties::Party;
use identity_core::sample::world::NOW;
use serde_json::{Value, json};
use service_kit::fetch::scripted::ScriptedFetch;
use service_kit::fetch::{Answer, Fetch, FetchError, Fetching, Request};
use service_kit::store::faulty::FaultyStore;

use super::world::{Bench, LEDGER};

/// How the node takes the next transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Well,
    /// Nothing arrives.
    Down,
    /// It is done, but the answer is lost.
    AnswerLost,
}

/// The node, and everybody else.
pub(super) struct SampleNode {
    inside: Mutex<Inside>,
    others: Arc<ScriptedFetch>,
}

struct Inside {
    ledger: SampleLedger,
    /// An earlier ledger whose state it shows, if it lags behind.
    shown: Option<SampleLedger>,
    /// What it took, and where that stands.
    places: BTreeMap<String, u64>,
    /// As a node does not that started from a snapshot.
    knows_places: bool,
    is_cut_off: bool,
    moods: Vec<Mood>,
    sent: Vec<String>,
}

/// A service whose ledger takes transactions, and whose store may fail.
pub(super) async fn beside_a_ledger() -> (Bench, Arc<SampleNode>, Arc<FaultyStore>) {
    let mut bench = Bench::new().await;
    let node = Arc::new(SampleNode::new(bench.world.ledger.clone(), bench.fetch.clone()));
    let store = Arc::new(FaultyStore::new(bench.ports.store.clone()));
    (bench.ports.fetch, bench.ports.store) = (node.clone(), store.clone());
    bench.restart().await;
    (bench, node, store)
}

impl SampleNode {
    pub(super) fn new(ledger: SampleLedger, others: Arc<ScriptedFetch>) -> Self {
        let inside = Inside {
            ledger,
            shown: None,
            places: BTreeMap::new(),
            knows_places: true,
            is_cut_off: false,
            moods: Vec::new(),
            sent: Vec::new(),
        };
        Self { inside: Mutex::new(inside), others }
    }

    /// Behaves so, submission by submission; then well.
    pub(super) fn will(&self, moods: &[Mood]) {
        self.with(|node| node.moods = moods.iter().rev().copied().collect());
    }

    pub(super) fn cut_off(&self, is_cut_off: bool) {
        self.with(|node| node.is_cut_off = is_cut_off);
    }

    pub(super) fn knows_places(&self, knows: bool) {
        self.with(|node| node.knows_places = knows);
    }

    /// Shows the state as it is now, whatever happens, until it is let go.
    pub(super) fn lag(&self, lags: bool) {
        self.with(|node| node.shown = lags.then(|| node.ledger.clone()));
    }

    /// The ledger's time goes on.
    pub(super) fn seal(&self, seconds: i64) {
        self.with(|node| node.ledger.seal(seconds));
    }

    /// Something else under the party's key.
    pub(super) fn act(&self, party: &Party, operation: &Operation) {
        self.with(|node| {
            let transaction = node.ledger.signed_by(party, operation);
            node.ledger.submit(&transaction).unwrap();
        });
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut SampleLedger) -> T) -> T {
        self.with(|node| change(&mut node.ledger))
    }

    /// Every transaction that was sent, in order.
    pub(super) fn sent(&self) -> Vec<String> {
        self.with(|node| node.sent.clone())
    }

    /// How many it took.
    pub(super) fn taken(&self) -> usize {
        self.with(|node| node.places.len())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inside) -> T) -> T {
        act(&mut self.inside.lock().unwrap())
    }
}

impl Inside {
    fn answer(&mut self, path: &str, request: &Request) -> Option<Answer> {
        if self.is_cut_off {
            return None;
        }
        if path.starts_with("/transactions") {
            let text = String::from_utf8(request.body.clone().unwrap().1).unwrap();
            return self.take(&text);
        }
        let query = url::Url::parse(&request.url).unwrap();
        let value = query.query_pairs().next().map(|(_, value)| value.into_owned()).unwrap_or_default();
        let state = self.shown.as_ref().unwrap_or(&self.ledger);
        match path.split('?').next().unwrap() {
            "/proofs/state" => Some(ok(&json!(state.state_proof(&value, NOW.0 - 100)))),
            "/trust/walk" => Some(ok(&json!(self.ledger.walk(NOW.0 - 50)))),
            log => {
                let index = log.strip_prefix("/proofs/log/")?.parse().unwrap();
                Some(answer(200, self.ledger.log_proof(index, NOW.0 - 50)))
            }
        }
    }

    fn take(&mut self, text: &str) -> Option<Answer> {
        self.sent.push(text.to_owned());
        let mood = self.moods.pop().unwrap_or_default();
        if mood == Mood::Down {
            return None;
        }
        let known = self.places.get(text).copied().filter(|_| self.knows_places);
        let index = match known.map_or_else(|| self.ledger.submit(text), Ok) {
            Ok(index) => index,
            Err(Refused::Sequence { expected, got }) if got < expected && !self.knows_places => {
                return Some(answer(410, json!({ "code": "ledger.pruned" }).to_string()));
            }
            Err(refused) => return Some(answer(409, json!({ "code": refused.code().as_str() }).to_string())),
        };
        self.places.insert(text.to_owned(), index);
        let proof = self.ledger.log_proof(index, NOW.0 - 50);
        (mood == Mood::Well).then(|| ok(&json!({ "index": index, "digest": "", "proof": proof })))
    }
}

fn ok(body: &Value) -> Answer {
    answer(200, body.to_string())
}

fn answer(status: u16, body: String) -> Answer {
    let (host, kind) = ("ledger.example".to_owned(), "application/json".to_owned());
    Answer { host, status, kind, retry_after: None, body: body.into_bytes() }
}

impl Fetch for SampleNode {
    fn send(&self, request: Request) -> Fetching<'_> {
        let Some(path) = request.url.strip_prefix(LEDGER).map(str::to_owned) else {
            return self.others.send(request);
        };
        let answer = self.with(|node| node.answer(&path, &request));
        let unreachable = FetchError::Unreachable { host: "ledger.example".to_owned(), reason: "it is down" };
        Box::pin(async move { answer.ok_or(unreachable) })
    }
}
