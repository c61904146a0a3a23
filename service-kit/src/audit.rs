//! The audit log: who did what to a service through its admin API, when, and what came of it.
//!
//! Each line is JSON and holds the SHA-256 of the line before it, so a line that is changed, cut out or put in between
//! is noticed ([`AuditLog::verify`]); the head, kept apart, tells when the last ones are gone. Whoever can write the
//! store can make up a whole new chain: noticing that takes a head digest kept elsewhere.
//!
//! An act and its line are one batch: after a crash there are both or neither. Lines name tokens, routes and random
//! ids, never a person.
//!
//! | key | what |
//! |---|---|
//! | `audit/<20 digits>` | one line, exactly as written |
//! | `audit-head` | how many lines there are, and the digest of the last |

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web,
};
use identity_core::{problem::Code, time::UnixSeconds};
use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    admin::Official,
    clock::Clock,
    messages::Catalogue,
    reply::Problem,
    store::{Batch, Range, Store, StoreError},
};

const HEAD: &[u8] = b"audit-head";

/// Tries to append while another process on the same store appends too.
const MAX_RACES: usize = 64;

/// Lines read at once.
const PAGE: usize = 1000;

/// What an official is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    who: String,
    what: String,
    on: Option<String>,
    count: Option<usize>,
    under: Option<Under>,
}

/// Who answers for an act, where somebody must: the duty, and the digest of the order that was signed under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Under {
    duty: String,
    order: Hash,
}

impl Act {
    /// `official` does `what`.
    #[must_use]
    pub fn new(official: &Official, what: impl Into<String>) -> Self {
        Self { who: official.name().to_owned(), what: what.into(), on: None, count: None, under: None }
    }

    /// What it is done to: a random id or the name of a type, never a person's.
    #[must_use]
    pub fn on(mut self, id: impl Into<String>) -> Self {
        self.on = Some(id.into());
        self
    }

    /// To how many.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }

    /// Who answers for it: the number of a duty, and the digest of the order that was signed under it.
    #[must_use]
    pub fn under(mut self, duty: &str, order: Hash) -> Self {
        self.under = Some(Under { duty: duty.to_owned(), order });
        self
    }
}

/// Behind [`crate::admin::guard`], the act is the route that was asked for: `POST /admin/offers`.
impl FromRequest for Act {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let official = request.extensions().get::<Official>().cloned();
        let act = official.map(|official| Self::new(&official, route(request)));
        ready(act.ok_or_else(|| Problem::new(Code::HttpUnauthorized)))
    }
}

/// The route's pattern without the service's base path: patterns hold no ids.
pub(crate) fn route(request: &HttpRequest) -> String {
    let pattern = request.match_pattern().unwrap_or_default();
    let place = pattern.find("/admin").unwrap_or_default();
    format!("{} {}", request.method(), pattern.get(place..).unwrap_or_default())
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    n: u64,
    at: UnixSeconds,
    who: String,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    under: Option<Under>,
    outcome: String,
    previous: String,
}

/// How far the chain reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Lines there are.
    pub lines: u64,
    /// SHA-256 of the last line, in hex; zeros before the first.
    pub digest: String,
}

impl Head {
    fn start() -> Self {
        Self { lines: 0, digest: "0".repeat(64) }
    }

    /// What an operator is told when the chain holds.
    #[must_use]
    pub fn told(&self, messages: &Catalogue) -> String {
        let values = [("lines", self.lines.to_string().into()), ("digest", self.digest.as_str().into())];
        messages.text("audit-holds", &values)
    }
}

/// Why a chain does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A line is missing, changed, or not where it was written.
    #[error("line {0} is missing, changed or not where it was written")]
    Line(u64),
    /// The head names another last line.
    #[error("the head does not name the last line: lines at the end are missing or were added")]
    Head,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Line(_) | Self::Head => Code::AuditBroken,
            Self::Store(error) => error.code(),
        }
    }
}

/// The audit log of one service, in its store.
#[derive(Clone)]
pub struct AuditLog {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// One at a time in this process; other processes on the store are met by the head's precondition.
    turn: Arc<Mutex<()>>,
}

impl AuditLog {
    /// The log in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, turn: Arc::default() }
    }

    /// Commits `batch` and the line that `act` was done: both, or neither.
    ///
    /// # Errors
    /// As [`Store::commit`]; the places of the preconditions of `batch` stay as they are.
    pub async fn commit(&self, act: &Act, batch: Batch) -> Result<(), StoreError> {
        self.append(act, "done", batch).await
    }

    /// Keeps that `act` was refused.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn refused(&self, act: &Act, outcome: &str) -> Result<(), StoreError> {
        self.append(act, outcome, Batch::new()).await
    }

    async fn append(&self, act: &Act, outcome: &str, batch: Batch) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        for _ in 0..MAX_RACES {
            let old = self.store.get(HEAD).await?;
            let head = old.as_deref().map_or(Ok(Head::start()), read_head)?;
            let line = Line {
                n: head.lines,
                at: self.clock.now(),
                who: act.who.clone(),
                what: act.what.clone(),
                on: act.on.clone(),
                count: act.count,
                under: act.under.clone(),
                outcome: outcome.to_owned(),
                previous: head.digest,
            };
            let line = encode(&line)?;
            let next = encode(&Head { lines: head.lines.saturating_add(1), digest: sha256(&line).to_hex() })?;
            let mut both = batch.clone().put_new(line_key(head.lines), line);
            both = match old {
                Some(old) => both.replace(HEAD, old, next),
                None => both.put_new(HEAD, next),
            };
            match self.store.commit(both).await {
                Err(StoreError::Precondition { which, .. }) if which >= batch.preconditions().len() => {}
                settled => return settled,
            }
        }
        Err(StoreError::Broken("the audit log changes without end".to_owned()))
    }

    /// Lines from number `from` on, at most `limit`, exactly as written.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub async fn lines(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = Range::between(line_key(from), line_key(u64::MAX));
        Ok(self.store.scan(range, limit).await?.into_iter().map(|(_, line)| line).collect())
    }

    /// Reads the whole chain.
    ///
    /// # Errors
    /// The first line that does not follow from the one before it, or a head that names another end.
    pub async fn verify(&self) -> Result<Head, AuditError> {
        let kept = self.store.get(HEAD).await?;
        let mut head = Head::start();
        loop {
            let range = Range::between(line_key(head.lines), "audit/:");
            let page = self.store.scan(range, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for (key, bytes) in page {
                let broken = || AuditError::Line(head.lines);
                let line: Line = serde_json::from_slice(&bytes).map_err(|_| broken())?;
                if key != line_key(head.lines) || line.n != head.lines || line.previous != head.digest {
                    return Err(broken());
                }
                let digest: Hash = sha256(&bytes);
                head = Head { lines: head.lines.saturating_add(1), digest: digest.to_hex() };
            }
        }
        let named = kept.as_deref().map_or(Ok(Head::start()), read_head)?;
        if named == head { Ok(head) } else { Err(AuditError::Head) }
    }
}

fn read_head(bytes: &[u8]) -> Result<Head, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("the head of the audit log is unreadable".to_owned()))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Misused("a line of the audit log cannot be written"))
}

fn line_key(number: u64) -> Vec<u8> {
    format!("audit/{number:020}").into_bytes()
}

/// Middleware inside [`crate::admin::guard`]: what an official tried to change and was refused has its line too. The
/// log is `web::Data<AuditLog>`. What the guard itself refuses, it writes down itself.
///
/// # Errors
/// Those of the route, and the store's.
pub async fn refusals(
    log: web::Data<AuditLog>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let act = request.extensions().get::<Official>().map(|official| Act::new(official, route(request.request())));
    let answered = next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    let status = match &answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if let (true, true, Some(act)) = (changes, status.is_client_error() || status.is_server_error(), act) {
        log.refused(&act, &format!("refused {}", status.as_u16())).await.map_err(Problem::from)?;
    }
    answered
}

/// Lines in one answer, unless asked for fewer.
const LINES_PER_ANSWER: usize = 1000;

/// The query of [`serve`].
#[derive(Debug, Deserialize)]
pub struct Page {
    from: Option<u64>,
    limit: Option<usize>,
}

/// `GET /admin/audit?from=&limit=`: lines exactly as written, one per line of the answer.
///
/// # Errors
/// The store's.
pub async fn serve(log: web::Data<AuditLog>, page: web::Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit.unwrap_or(LINES_PER_ANSWER).clamp(1, LINES_PER_ANSWER);
    let mut answer = Vec::new();
    for line in log.lines(page.from.unwrap_or(0), limit).await? {
        answer.extend(line);
        answer.push(b'\n');
    }
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").body(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ManualClock, store::memory::MemoryStore};

    fn log() -> (Arc<MemoryStore>, AuditLog) {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::at(UnixSeconds(1000)));
        (store.clone(), AuditLog::new(store, clock))
    }

    fn act(what: &str) -> Act {
        Act::new(&Official::at_the_machine(), what)
    }

    #[tokio::test]
    async fn an_act_and_its_line_are_one() {
        let (store, log) = log();
        log.commit(&act("a").on("x1").count(2), Batch::new().put_new("thing", "1")).await.unwrap();
        let again = log.commit(&act("b"), Batch::new().put_new("thing", "2")).await.unwrap_err();
        assert!(matches!(again, StoreError::Precondition { which: 0, .. }), "the act's own precondition is named");
        assert_eq!(log.verify().await.unwrap().lines, 1, "what was not done has no line");
        log.refused(&act("b"), "refused 409").await.unwrap();
        let lines = log.lines(0, 9).await.unwrap();
        let first =
            r#"{"n":0,"at":1000,"who":"local","what":"a","on":"x1","count":2,"outcome":"done","previous":"0000"#;
        assert!(String::from_utf8_lossy(&lines[0]).starts_with(first), "{lines:?}");
        assert_eq!(log.lines(1, 9).await.unwrap(), lines[1..]);
        assert_eq!(store.get(b"thing").await.unwrap().unwrap(), b"1");
    }

    #[tokio::test]
    async fn two_processes_write_one_chain() {
        let (store, first) = log();
        let second = AuditLog::new(store, Arc::new(ManualClock::at(UnixSeconds(2000))));
        let acts = (0..20).map(|n| {
            let log = if n % 2 == 0 { first.clone() } else { second.clone() };
            async move { log.commit(&act("a"), Batch::new().put(format!("thing/{n}"), "")).await }
        });
        for done in futures_util::future::join_all(acts).await {
            done.unwrap();
        }
        assert_eq!(first.verify().await.unwrap().lines, 20);
    }

    #[tokio::test]
    async fn every_cut_and_edit_is_noticed() {
        for (name, damage) in [
            ("edited", Batch::new().put(line_key(1), r#"{"n":1}"#)),
            ("cut out", Batch::new().delete(line_key(1))),
            ("cut at the start", Batch::new().delete(line_key(0))),
            ("cut at the end", Batch::new().delete(line_key(2))),
            ("head gone", Batch::new().delete(HEAD)),
            ("all lines gone", Batch::new().delete(line_key(0)).delete(line_key(1)).delete(line_key(2))),
        ] {
            let (store, log) = log();
            for what in ["a", "b", "c"] {
                log.commit(&act(what), Batch::new()).await.unwrap();
            }
            log.verify().await.unwrap();
            store.commit(damage).await.unwrap();
            assert_eq!(log.verify().await.unwrap_err().code(), Code::AuditBroken, "{name}");
        }
        let (store, log) = log();
        for what in ["a", "b"] {
            log.commit(&act(what), Batch::new()).await.unwrap();
        }
        let second = log.lines(1, 1).await.unwrap().remove(0);
        let other = String::from_utf8(second).unwrap().replace(r#""what":"b""#, r#""what":"c""#);
        store.commit(Batch::new().put(line_key(1), other)).await.unwrap();
        assert!(matches!(log.verify().await, Err(AuditError::Head)), "a changed last line is no longer the head's");
    }
}
