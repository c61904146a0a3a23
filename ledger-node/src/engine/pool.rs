//! Where transactions wait until a block that is final holds them.
//!
//! Bounded by count and bytes, and by sender: nobody fills more than half of it, and blocks take from all senders in
//! turn. A sender's own transactions wait in the order of its sequence numbers, which is the only one the rules accept,
//! whatever order they arrived in. A transaction leaves when a final block holds it and not when it is proposed:
//! proposals come to nothing often enough.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identity_core::did::Did;
use identity_core::registry::Transaction;
use ledger::Hash;
use tokio::sync::watch;

use super::NotTaken;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

/// What may stand in one block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

/// The pool. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    bounds: Bounds,
    inside: Mutex<Inside>,
    /// Counts what came in.
    arrivals: watch::Sender<u64>,
}

#[derive(Default)]
struct Inside {
    senders: BTreeMap<Did, Queue>,
    /// By digest, in whose queue it stands and where.
    places: HashMap<Hash, (Did, Place)>,
    bytes: usize,
    /// Who was served last: the next block begins with the one after.
    served: Option<Did>,
}

#[derive(Default)]
struct Queue {
    waiting: BTreeMap<Place, Transaction>,
    bytes: usize,
}

/// Key, sequence number, digest: the order in which a sender's transactions can be accepted.
type Place = (String, u64, Hash);

impl Pool {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Shared { bounds, inside: Mutex::default(), arrivals: watch::Sender::new(0) }))
    }

    /// Takes a transaction whose signature was checked. Says whether it is new.
    ///
    /// # Errors
    /// [`NotTaken::Busy`] when the pool, or its sender's half of it, is full.
    pub(crate) fn add(&self, transaction: Transaction) -> Result<bool, NotTaken> {
        let mut inside = self.lock();
        if inside.places.contains_key(&transaction.digest()) {
            return Ok(false);
        }
        let Bounds { count, bytes } = self.0.bounds;
        let length = transaction.as_str().len();
        let (own_count, own_bytes) =
            inside.senders.get(transaction.sender()).map_or((0, 0), |queue| (queue.waiting.len(), queue.bytes));
        let full = inside.places.len() >= count || inside.bytes.saturating_add(length) > bytes;
        let half_full = own_count >= count.div_ceil(2) || own_bytes.saturating_add(length) > bytes.div_ceil(2);
        if full || half_full {
            return Err(NotTaken::Busy);
        }
        inside.insert(transaction);
        drop(inside);
        self.0.arrivals.send_modify(|count| *count = count.wrapping_add(1));
        Ok(true)
    }

    /// What a block with this room takes next, except for what `elsewhere` holds already: from every sender in turn.
    pub(crate) fn choose(&self, room: Room, elsewhere: &HashSet<Hash>) -> Vec<Transaction> {
        let mut inside = self.lock();
        let after = inside.served.clone();
        let order = inside.senders.keys().filter(|did| Some(*did) > after.as_ref());
        let order: Vec<Did> =
            order.chain(inside.senders.keys().filter(|did| Some(*did) <= after.as_ref())).cloned().collect();
        let mut lines: Vec<_> = order
            .iter()
            .filter_map(|did| inside.senders.get(did))
            .map(|queue| queue.waiting.values().filter(|transaction| !elsewhere.contains(&transaction.digest())))
            .collect();
        let (mut chosen, mut bytes) = (Vec::new(), 0_usize);
        'full: loop {
            let before = chosen.len();
            for line in &mut lines {
                let Some(next) = line.next() else { continue };
                bytes = bytes.saturating_add(next.as_str().len());
                if chosen.len() >= room.count || bytes > room.bytes {
                    break 'full;
                }
                chosen.push(next.clone());
            }
            if chosen.len() == before {
                break;
            }
        }
        inside.served = order.first().cloned().or(after);
        chosen
    }

    /// A final block holds this transaction: gives it back as it waited here, because that one's signature was checked
    /// already. What differs in a byte goes on waiting: a proposer that spoils a signature spoils nothing for its sender.
    pub(crate) fn settle(&self, transaction: &Transaction) -> Option<Transaction> {
        self.lock().remove(transaction)
    }

    /// Takes out everything that waits, sender by sender.
    pub(crate) fn empty(&self) -> Vec<Transaction> {
        let inside = std::mem::take(&mut *self.lock());
        inside.senders.into_values().flat_map(|queue| queue.waiting.into_values()).collect()
    }

    /// The first transactions that wait, within this room: what to tell others again after a silence.
    pub(crate) fn oldest(&self, room: Room) -> Vec<Transaction> {
        self.choose(room, &HashSet::new())
    }

    /// Waits until something comes in. To be made before looking, so that nothing slips through in between.
    pub(crate) fn arrival(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut arrivals = self.0.arrivals.subscribe();
        async move {
            // The pool lives as long as whoever waits for it.
            let _changed = arrivals.changed().await;
        }
    }

    /// How many transactions wait, and their bytes.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let inside = self.lock();
        (inside.places.len(), inside.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Every change is complete in itself, so a panic elsewhere leaves nothing half done.
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn insert(&mut self, transaction: Transaction) {
        let digest = transaction.digest();
        let sender = transaction.sender().clone();
        let place = (transaction.key_url().to_owned(), transaction.envelope().seq, digest);
        let length = transaction.as_str().len();
        self.places.insert(digest, (sender.clone(), place.clone()));
        self.bytes = self.bytes.saturating_add(length);
        let queue = self.senders.entry(sender).or_default();
        queue.bytes = queue.bytes.saturating_add(length);
        queue.waiting.insert(place, transaction);
    }

    fn remove(&mut self, same: &Transaction) -> Option<Transaction> {
        let (sender, place) = self.places.get(&same.digest())?;
        let queue = self.senders.get_mut(sender)?;
        if queue.waiting.get(place).is_none_or(|waiting| waiting.as_str() != same.as_str()) {
            return None;
        }
        let transaction = queue.waiting.remove(place)?;
        let length = transaction.as_str().len();
        queue.bytes = queue.bytes.saturating_sub(length);
        self.bytes = self.bytes.saturating_sub(length);
        if queue.waiting.is_empty() {
            self.senders.remove(sender);
        }
        self.places.remove(&same.digest());
        Some(transaction)
    }
}

#[cfg(test)]
mod tests {
    use identity_core::crypto::{Alg, SecretKey};
    use identity_core::registry::{Anchor, AnchorKind, Envelope, Operation, make_transaction};
    use ledger::sha256;

    use super::*;

    const ROOM: Room = Room { count: 6, bytes: 1 << 20 };

    fn transaction(sender: u8, seq: u64) -> Transaction {
        let did = Did::parse(format!("did:xinfu:sample:{}", bs58(sender))).unwrap();
        let key = SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap();
        let anchor = Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(&[sender]), 1));
        let envelope = Envelope { aud: "xinfu/sample/00".into(), seq, exp: 2_000_000_000 };
        Transaction::parse(&make_transaction(&envelope, &anchor, &did, "invoke-1", &key).unwrap()).unwrap()
    }

    /// Some well-formed method-specific id.
    fn bs58(sender: u8) -> String {
        format!("{}{}", "1".repeat(31), char::from(b'1' + sender))
    }

    fn pool(count: usize) -> Pool {
        Pool::new(Bounds { count, bytes: 1 << 20 })
    }

    fn chosen(pool: &Pool, room: Room, elsewhere: &[&Transaction]) -> Vec<(String, u64)> {
        let elsewhere = elsewhere.iter().map(|transaction| transaction.digest()).collect();
        let chosen = pool.choose(room, &elsewhere);
        chosen.iter().map(|one| (one.sender().to_string(), one.envelope().seq)).collect()
    }

    #[test]
    fn a_crowd_of_one_sender_does_not_keep_others_waiting() {
        let pool = pool(100);
        (1..=20).for_each(|seq| assert_eq!(pool.add(transaction(1, seq)), Ok(true)));
        (1..=2).for_each(|seq| assert_eq!(pool.add(transaction(2, seq)), Ok(true)));
        let (one, two) = (transaction(1, 1).sender().to_string(), transaction(2, 1).sender().to_string());
        let expected =
            [(&one, 1), (&two, 1), (&one, 2), (&two, 2), (&one, 3), (&one, 4)].map(|(did, seq)| (did.clone(), seq));
        assert_eq!(chosen(&pool, ROOM, &[]), expected);
        let first_of_next = chosen(&pool, Room { count: 1, ..ROOM }, &[]);
        assert_eq!(first_of_next, [(two, 1)], "the next block begins with the next sender");
    }

    #[test]
    fn a_senders_transactions_come_in_the_order_of_their_numbers_and_not_twice() {
        let pool = pool(100);
        for seq in [3, 1, 2] {
            assert_eq!(pool.add(transaction(1, seq)), Ok(true));
        }
        assert_eq!(pool.add(transaction(1, 2)), Ok(false));
        let numbers: Vec<u64> = chosen(&pool, ROOM, &[&transaction(1, 1)]).iter().map(|(_, seq)| *seq).collect();
        assert_eq!(numbers, [2, 3], "what an earlier block holds is left out");
        assert_eq!(pool.waiting().0, 3, "and still waits, until that block is final");
    }

    #[test]
    fn nobody_fills_more_than_half_and_nothing_more_than_all() {
        let pool = pool(4);
        assert_eq!(pool.add(transaction(1, 1)), Ok(true));
        assert_eq!(pool.add(transaction(1, 2)), Ok(true));
        assert_eq!(pool.add(transaction(1, 3)), Err(NotTaken::Busy));
        assert_eq!(pool.add(transaction(2, 1)), Ok(true));
        assert_eq!(pool.add(transaction(3, 1)), Ok(true));
        assert_eq!(pool.add(transaction(4, 1)), Err(NotTaken::Busy));
        assert!(pool.settle(&transaction(1, 1)).is_some());
        assert_eq!(pool.add(transaction(4, 1)), Ok(true));
        assert_eq!(pool.waiting(), (4, pool.oldest(ROOM).iter().map(|one| one.as_str().len()).sum()));
    }

    #[test]
    fn bytes_bound_a_block() {
        let pool = pool(100);
        (1..=5).for_each(|seq| assert_eq!(pool.add(transaction(1, seq)), Ok(true)));
        let bytes = 2 * transaction(1, 1).as_str().len();
        assert_eq!(pool.choose(Room { count: 10, bytes }, &HashSet::new()).len(), 2);
    }

    #[test]
    fn a_spoilt_signature_does_not_end_the_waiting() {
        let pool = pool(100);
        let waiting = transaction(1, 1);
        pool.add(waiting.clone()).unwrap();
        // Another signature of the same: same digest, other bytes.
        let (input, signature) = waiting.as_str().rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let other = Transaction::parse(&format!("{input}.{first}{}", &signature[1..])).unwrap();
        assert_eq!(other.digest(), waiting.digest());
        assert!(pool.settle(&other).is_none());
        assert_eq!(pool.waiting().0, 1);
        assert!(pool.settle(&waiting).is_some());
        assert_eq!(pool.waiting(), (0, 0));
    }
}
