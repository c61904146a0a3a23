//! The node's own clerk: relays what others' own keys sign and notarises digests of others, under the node's relay key.
//!
//! One task, because the relay key has one sequence. While a transaction is under way, digests gather and share the
//! next anchor. Whatever is taken here costs a place in the log, so it is rate limited (design §4).

use std::sync::{Arc, Mutex, PoisonError};

use identity_core::crypto::SecretKey;
use identity_core::did::{Did, DidUrl};
use identity_core::registry::{
    Anchor, AnchorKind, Envelope, Operation, Refused, Relayed, make_transaction, sequence_key,
};
use identity_core::time::UnixSeconds;
use ledger::Hash;
use ledger::batch::BatchTree;
use service_kit::store::StoreError;
use tokio::sync::{mpsc, oneshot};

use crate::node::{Node, SubmitError};
use crate::store::Place;

/// Digests in one anchor of the clerk's, at most.
const MAX_GATHERED: usize = 1024;
/// Seconds a transaction of the clerk's stays valid: it is executed at once or not at all.
const VALID_SECONDS: i64 = 120;

/// What the clerk is asked for.
pub(crate) enum Errand {
    /// Anchor a digest.
    Notarise(Hash, oneshot::Sender<Result<Notarised, SubmitError>>),
    /// Carry a DID's creation, its own change, or what its recovery key says.
    Relay(Relayed, oneshot::Sender<Result<(Hash, Place), SubmitError>>),
}

/// A digest that was anchored.
#[derive(Debug, Clone)]
pub(crate) struct Notarised {
    pub(crate) transaction: String,
    pub(crate) digest: Hash,
    pub(crate) place: Place,
    pub(crate) batch_index: u64,
    pub(crate) batch_count: u64,
    pub(crate) path: Vec<Hash>,
}

/// The entrance to the clerk.
pub(crate) struct Clerk {
    errands: mpsc::Sender<Errand>,
    allowance: Mutex<Allowance>,
}

/// A bucket of errands that fills up over time, counted in sixtieths, so that a second gives a whole number.
struct Allowance {
    per_minute: u32,
    left: i64,
    filled_at: UnixSeconds,
}

/// Sixtieths that one errand costs.
const ERRAND: i64 = 60;

/// The clerk's key: the node's relay key by name.
pub(crate) struct RelayKey {
    pub(crate) url: DidUrl,
    pub(crate) key: SecretKey,
}

impl Clerk {
    /// Starts the clerk's task, whose handle is for stopping it.
    pub(crate) fn start(node: Arc<Node>, key: RelayKey, per_minute: u32) -> (Self, tokio::task::JoinHandle<()>) {
        let (errands, queue) = mpsc::channel(MAX_GATHERED);
        let filled_at = node.clock.now();
        let working = tokio::spawn(work(node, key, queue));
        let allowance = Allowance { per_minute, left: i64::from(per_minute).saturating_mul(ERRAND), filled_at };
        (Self { errands, allowance: Mutex::new(allowance) }, working)
    }

    /// Counts one more errand.
    ///
    /// # Errors
    /// It is beyond the limit now: in so many seconds one is within it.
    pub(crate) fn admit(&self, now: UnixSeconds) -> Result<(), u64> {
        self.allowance.lock().unwrap_or_else(PoisonError::into_inner).take(now)
    }

    /// Hands over an errand; `false` if too many wait.
    pub(crate) fn hand_over(&self, errand: Errand) -> bool {
        self.errands.try_send(errand).is_ok()
    }
}

impl Allowance {
    fn take(&mut self, now: UnixSeconds) -> Result<(), u64> {
        let gained = now.since(self.filled_at).max(0).saturating_mul(i64::from(self.per_minute));
        self.left = self.left.saturating_add(gained).min(i64::from(self.per_minute).saturating_mul(ERRAND));
        self.filled_at = self.filled_at.max(now);
        let lacking = u64::try_from(ERRAND.saturating_sub(self.left)).unwrap_or(0);
        if lacking > 0 {
            return Err(lacking.div_ceil(u64::from(self.per_minute).max(1)));
        }
        self.left -= ERRAND;
        Ok(())
    }
}

async fn work(node: Arc<Node>, key: RelayKey, mut queue: mpsc::Receiver<Errand>) {
    let mut gathered = Vec::new();
    while queue.recv_many(&mut gathered, MAX_GATHERED).await > 0 {
        let mut digests = Vec::new();
        for errand in gathered.drain(..) {
            match errand {
                Errand::Notarise(digest, answer) => digests.push((digest, answer)),
                Errand::Relay(relayed, answer) => {
                    let operation = Operation::Relay(relayed);
                    let placed = send(&node, &key, &operation).await.map(|(_, digest, place)| (digest, place));
                    let _gone = answer.send(placed);
                }
            }
        }
        notarise(&node, &key, digests).await;
    }
}

type Waiting = (Hash, oneshot::Sender<Result<Notarised, SubmitError>>);

async fn notarise(node: &Node, key: &RelayKey, waiting: Vec<Waiting>) {
    let digests: Vec<Hash> = waiting.iter().map(|(digest, _)| *digest).collect();
    let Ok(tree) = BatchTree::new(&digests) else { return };
    let anchor = Operation::Anchor(Anchor::new(AnchorKind::Notarised, tree.root(), tree.count()));
    let sent = send(node, key, &anchor).await;
    for ((_, answer), batch_index) in waiting.into_iter().zip(0_u64..) {
        let notarised = sent.clone().map(|(transaction, digest, place)| Notarised {
            transaction,
            digest,
            place,
            batch_index,
            batch_count: tree.count(),
            path: tree.path(batch_index).unwrap_or_default(),
        });
        let _gone = answer.send(notarised);
    }
}

async fn send(node: &Node, key: &RelayKey, operation: &Operation) -> Result<(String, Hash, Place), SubmitError> {
    let did: &Did = key.url.did();
    let envelope = Envelope {
        aud: node.chain.origin().to_owned(),
        seq: next_sequence(node, &key.url).await?,
        exp: node.clock.now().plus(VALID_SECONDS).0,
    };
    let transaction = make_transaction(&envelope, operation, did, key.url.fragment(), &key.key)?;
    let (digest, place) = node.submit(&transaction).await?;
    Ok((transaction, digest, place))
}

/// A transaction of ours is answered once it is executed here, which may be long before its block is certified: the state that
/// was executed last has the last number.
async fn next_sequence(node: &Node, url: &DidUrl) -> Result<u64, SubmitError> {
    let value = node.executed_value(&sequence_key(&url.to_string())).await?;
    let last: u64 = match value {
        None => 0,
        Some(bytes) => {
            serde_json::from_slice(&bytes).map_err(|_| StoreError::Corrupt("a sequence number is malformed".into()))?
        }
    };
    last.checked_add(1).ok_or(SubmitError::Refused(Refused::Sequence { expected: last, got: last }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_fills_up_and_overflows() {
        let mut allowance = Allowance { per_minute: 2, left: 120, filled_at: UnixSeconds(0) };
        let mut take = |second| allowance.take(UnixSeconds(second));
        assert_eq!((take(0), take(0)), (Ok(()), Ok(())));
        assert_eq!((take(0), take(29)), (Err(30), Err(1)));
        assert_eq!(take(30), Ok(()));
        assert_eq!(take(10), Err(30), "a clock set back gives nothing");
        assert_eq!((take(600), take(600)), (Ok(()), Ok(())));
        assert_eq!(take(600), Err(30));
        let mut never = Allowance { per_minute: 0, left: 0, filled_at: UnixSeconds(0) };
        assert_eq!(never.take(UnixSeconds(9)), Err(60));
    }
}
