//! Where transactions wait until a block that is final holds them.
//!
//! Bounded by count and bytes, and by sender: nobody fills more than half of it, and blocks take from all senders in
//! turn, and of each from all its keys in turn. What waits under one key does so in the order of its sequence numbers,
//! which is the only one the rules accept, whatever order it arrived in. A transaction leaves when a final block holds it and not when it is proposed:
//! proposals come to nothing often enough.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// By digest.
    places: HashMap<Hash, Place>,
    bytes: usize,
    /// Who was served last: the next block begins with the one after.
    served: Option<Did>,
    /// Blocks chosen so far: of each sender, another key comes first each time.
    turn: usize,
}

#[derive(Default)]
struct Queue {
    /// By key, in the order in which they can be accepted.
    keys: BTreeMap<String, BTreeMap<Number, Transaction>>,
    count: usize,
    bytes: usize,
}

/// Sequence number and digest: two may claim one number.
type Number = (u64, Hash);

/// Where a transaction waits: whose, under which key, as which number.
struct Place {
    sender: Did,
    key: String,
    number: Number,
}

/// A pool that holds nothing, and never will.
impl Default for Pool {
    fn default() -> Self {
        Self::new(Bounds { count: 0, bytes: 0 })
    }
}

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
            inside.senders.get(transaction.sender()).map_or((0, 0), |queue| (queue.count, queue.bytes));
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

    /// The same transaction, down to the byte, as it waits here.
    pub(crate) fn find(&self, text: &str) -> Option<Transaction> {
        let digest = Transaction::digest_of(text)?;
        let inside = self.lock();
        let waiting = inside.waiting(inside.places.get(&digest)?)?;
        (waiting.as_str() == text).then(|| waiting.clone())
    }

    /// Whether it waits here already.
    pub(crate) fn holds(&self, transaction: &Transaction) -> bool {
        self.lock().places.contains_key(&transaction.digest())
    }

    /// What a block with this room takes next, except for what `elsewhere` holds already: from every sender in turn.
    pub(crate) fn choose(&self, room: Room, elsewhere: &HashSet<Hash>) -> Vec<Transaction> {
        let mut inside = self.lock();
        let order = inside.order();
        let chosen = inside.pick(&order, room, elsewhere);
        inside.turn = inside.turn.wrapping_add(1);
        inside.served = order.into_iter().next().or(inside.served.take());
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
        let keys = inside.senders.into_values().flat_map(|queue| queue.keys.into_values());
        keys.flat_map(BTreeMap::into_values).collect()
    }

    /// The first transactions that wait, within this room: what to tell others again after a silence.
    pub(crate) fn oldest(&self, room: Room) -> Vec<Transaction> {
        let inside = self.lock();
        inside.pick(&inside.order(), room, &HashSet::new())
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
    /// All senders, whoever is next first.
    fn order(&self) -> Vec<Did> {
        let is_next = |did: &&Did| Some(*did) > self.served.as_ref();
        let (next, before): (Vec<_>, Vec<_>) = self.senders.keys().partition(is_next);
        next.into_iter().chain(before).cloned().collect()
    }

    fn pick(&self, order: &[Did], room: Room, elsewhere: &HashSet<Hash>) -> Vec<Transaction> {
        let queues = order.iter().filter_map(|did| self.senders.get(did));
        let mut lines: Vec<_> = queues.map(|queue| queue.in_turn(self.turn, elsewhere)).collect();
        let (mut chosen, mut bytes) = (Vec::new(), 0_usize);
        loop {
            let before = chosen.len();
            for line in &mut lines {
                let Some(next) = line.next() else { continue };
                bytes = bytes.saturating_add(next.as_str().len());
                if chosen.len() >= room.count || bytes > room.bytes {
                    return chosen;
                }
                chosen.push(next.clone());
            }
            if chosen.len() == before {
                return chosen;
            }
        }
    }

    fn waiting(&self, place: &Place) -> Option<&Transaction> {
        self.senders.get(&place.sender)?.keys.get(&place.key)?.get(&place.number)
    }

    fn insert(&mut self, transaction: Transaction) {
        let digest = transaction.digest();
        let (sender, key) = (transaction.sender().clone(), transaction.key_url().to_owned());
        let (number, length) = ((transaction.envelope().seq, digest), transaction.as_str().len());
        self.places.insert(digest, Place { sender: sender.clone(), key: key.clone(), number });
        self.bytes = self.bytes.saturating_add(length);
        let queue = self.senders.entry(sender).or_default();
        queue.count = queue.count.saturating_add(1);
        queue.bytes = queue.bytes.saturating_add(length);
        queue.keys.entry(key).or_default().insert(number, transaction);
    }

    fn remove(&mut self, same: &Transaction) -> Option<Transaction> {
        let place = self.places.get(&same.digest())?;
        if self.waiting(place)?.as_str() != same.as_str() {
            return None;
        }
        let queue = self.senders.get_mut(&place.sender)?;
        let line = queue.keys.get_mut(&place.key)?;
        let transaction = line.remove(&place.number)?;
        if line.is_empty() {
            queue.keys.remove(&place.key);
        }
        let length = transaction.as_str().len();
        queue.count = queue.count.saturating_sub(1);
        queue.bytes = queue.bytes.saturating_sub(length);
        self.bytes = self.bytes.saturating_sub(length);
        if queue.keys.is_empty() {
            self.senders.remove(&place.sender);
        }
        self.places.remove(&same.digest());
        Some(transaction)
    }
}

impl Queue {
    /// What waits, one of each key in turn, beginning with another key at another `turn`; without what stands elsewhere.
    fn in_turn<'a>(&'a self, turn: usize, elsewhere: &'a HashSet<Hash>) -> impl Iterator<Item = &'a Transaction> {
        let first = turn.checked_rem(self.keys.len()).unwrap_or(0);
        let keys = self.keys.values().skip(first).chain(self.keys.values().take(first));
        let fresh = move |line: &'a BTreeMap<Number, Transaction>| {
            line.values().filter(move |transaction| !elsewhere.contains(&transaction.digest()))
        };
        let mut lines: VecDeque<_> = keys.map(fresh).collect();
        std::iter::from_fn(move || {
            while let Some(mut line) = lines.pop_front() {
                if let Some(next) = line.next() {
                    lines.push_back(line);
                    return Some(next);
                }
            }
            None
        })
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
        under_key(sender, "invoke-1", seq)
    }

    fn under_key(sender: u8, id: &str, seq: u64) -> Transaction {
        let did = Did::parse(format!("did:xinfu:sample:{}", bs58(sender))).unwrap();
        let key = SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap();
        let anchor = Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(&[sender]), 1));
        let envelope = Envelope { aud: "xinfu/sample/00".into(), seq, exp: 2_000_000_000 };
        Transaction::parse(&make_transaction(&envelope, &anchor, &did, id, &key).unwrap()).unwrap()
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
        pool.oldest(ROOM);
        let first_of_next = chosen(&pool, Room { count: 1, ..ROOM }, &[]);
        assert_eq!(first_of_next, [(two, 1)], "the next block begins with the next sender");
    }

    #[test]
    fn a_crowd_under_one_key_does_not_keep_its_senders_other_keys_waiting() {
        let pool = pool(200);
        for id in ["invoke-1", "invoke-2", "invoke-3", "invoke-4"] {
            (1..=20).for_each(|seq| assert_eq!(pool.add(under_key(1, id, seq)), Ok(true)));
        }
        // Whoever is served comes back at once. Two of the four have room in a block. What is told again is nobody's turn.
        let mut served = BTreeMap::<String, u64>::new();
        for _ in 0..8 {
            pool.oldest(ROOM);
            for one in pool.choose(Room { count: 2, ..ROOM }, &HashSet::new()) {
                let last = served.insert(one.key_id().to_owned(), one.envelope().seq);
                assert_eq!(one.envelope().seq, last.unwrap_or(0) + 1);
                pool.settle(&one).unwrap();
                pool.add(under_key(1, one.key_id(), one.envelope().seq + 20)).unwrap();
            }
        }
        assert_eq!(served.into_values().collect::<Vec<_>>(), [4, 4, 4, 4]);
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
        assert!(pool.find(other.as_str()).is_none() && pool.find(input).is_none() && pool.find("").is_none());
        assert_eq!(pool.find(waiting.as_str()).unwrap().as_str(), waiting.as_str());
        assert!(pool.settle(&other).is_none());
        assert_eq!(pool.waiting().0, 1);
        assert!(pool.settle(&waiting).is_some());
        assert_eq!(pool.waiting(), (0, 0));
        assert!(pool.find(waiting.as_str()).is_none());
    }
}
