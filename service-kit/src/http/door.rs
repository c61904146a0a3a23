//! The door: how many connections are open, whose they are, and who has to leave when the house is full.
//!
//! A connection that waits for its client (for a handshake, a head, a body, for an answer to be taken, or idle) may be
//! cut at any time to make room; one that waits for us never is. When the house is full the newcomer is let in and
//! whoever has kept us waiting longest is cut, so that slow clients, however many, keep nobody out: they are the ones
//! who wait longest.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
};

use futures_util::task::AtomicWaker;

use super::peer::Peer;

/// Counts connections and lets them in.
#[derive(Debug)]
pub(super) struct Door {
    most: u32,
    most_per_peer: u32,
    house: Mutex<House>,
}

#[derive(Debug, Default)]
struct House {
    open: u32,
    by_peer: HashMap<Peer, u32>,
    /// Those that wait for their client, by the turn in which they began to: the first has waited longest.
    waiting: BTreeMap<u64, Weak<Ticket>>,
    next_turn: u64,
}

/// The place of one connection; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    door: Arc<Door>,
    /// None for a proxy, which speaks for many.
    peer: Option<Peer>,
    place: Mutex<Place>,
    cut: AtomicBool,
    waker: AtomicWaker,
}

/// Where a ticket stands in its house; changed under the house's lock only.
#[derive(Debug)]
struct Place {
    counted: bool,
    waiting_since: Option<u64>,
}

impl Door {
    pub(super) fn new(most: u32, most_per_peer: u32) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), most_per_peer: most_per_peer.max(1), house: Mutex::default() })
    }

    /// Lets a connection in; it waits for its client. None if this peer has as many as it may.
    pub(super) fn let_in(self: &Arc<Self>, peer: Option<Peer>) -> Option<Arc<Ticket>> {
        let mut house = self.house();
        if let Some(peer) = peer {
            let open = house.by_peer.entry(peer).or_default();
            if *open >= self.most_per_peer {
                return None;
            }
            *open += 1;
        }
        house.open = house.open.saturating_add(1);
        let ticket = Arc::new(Ticket {
            door: Arc::clone(self),
            peer,
            place: Mutex::new(Place { counted: true, waiting_since: None }),
            cut: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        ticket.wait(&mut house);
        let leaving = if house.open > self.most { house.longest_waiting() } else { None };
        if let Some(leaving) = &leaving {
            leaving.leave(&mut house);
        }
        drop(house);
        // Outside the lock: a woken connection may drop its ticket on the spot.
        if let Some(leaving) = leaving {
            leaving.cut.store(true, Ordering::Release);
            leaving.waker.wake();
        }
        Some(ticket)
    }

    /// Connections open now.
    pub(super) fn open(&self) -> u32 {
        self.house().open
    }

    fn house(&self) -> MutexGuard<'_, House> {
        self.house.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl House {
    fn longest_waiting(&self) -> Option<Arc<Ticket>> {
        self.waiting.values().find_map(Weak::upgrade)
    }
}

impl Ticket {
    /// From now on we wait for the client.
    pub(super) fn waits_for_client(self: &Arc<Self>) {
        self.wait(&mut self.door.house());
    }

    /// From now on the client waits for us.
    pub(super) fn waits_for_us(&self) {
        let mut house = self.door.house();
        if let Some(since) = self.place().waiting_since.take() {
            house.waiting.remove(&since);
        }
    }

    /// Whether the connection has to go; if not, `context` is woken when it has to.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionAborted`].
    pub(super) fn check(&self, context: &Context<'_>) -> io::Result<()> {
        self.waker.register(context.waker());
        match self.cut.load(Ordering::Acquire) {
            true => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut to make room for others")),
            false => Ok(()),
        }
    }

    fn wait(self: &Arc<Self>, house: &mut House) {
        let mut place = self.place();
        if !place.counted || place.waiting_since.is_some() {
            return;
        }
        place.waiting_since = Some(house.next_turn);
        house.waiting.insert(house.next_turn, Arc::downgrade(self));
        house.next_turn = house.next_turn.wrapping_add(1);
    }

    /// Gives the place back, once.
    fn leave(&self, house: &mut House) {
        let mut place = self.place();
        if !std::mem::take(&mut place.counted) {
            return;
        }
        house.open = house.open.saturating_sub(1);
        if let Some(since) = place.waiting_since.take() {
            house.waiting.remove(&since);
        }
        if let Some(peer) = self.peer
            && let Some(open) = house.by_peer.get_mut(&peer)
        {
            *open = open.saturating_sub(1);
            if *open == 0 {
                house.by_peer.remove(&peer);
            }
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.leave(&mut self.door.house());
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn peer(last: u8) -> Option<Peer> {
        Some(Peer::of(std::net::IpAddr::from([192, 0, 2, last])))
    }

    fn is_cut(ticket: &Ticket) -> bool {
        ticket.check(&Context::from_waker(Waker::noop())).is_err()
    }

    #[test]
    fn one_peer_has_only_so_many() {
        let door = Door::new(100, 2);
        let (first, _second) = (door.let_in(peer(1)).unwrap(), door.let_in(peer(1)).unwrap());
        assert!(door.let_in(peer(1)).is_none());
        let _other = door.let_in(peer(2)).unwrap();
        drop(first);
        assert!(door.let_in(peer(1)).is_some());
        let proxied: Vec<_> = (0..9).map(|_| door.let_in(None).unwrap()).collect();
        assert_eq!(door.open(), 2 + 9, "a proxy speaks for many");
        drop(proxied);
        assert_eq!(door.house().by_peer.len(), 2);
    }

    #[test]
    fn whoever_kept_us_waiting_longest_makes_room() {
        let door = Door::new(3, 3);
        let [slow, busy, idle] = [1, 2, 3].map(|last| door.let_in(peer(last)).unwrap());
        busy.waits_for_us();
        slow.waits_for_us();
        slow.waits_for_client(); // it has spoken since: now `idle` waits longest
        let fourth = door.let_in(peer(4)).unwrap();
        assert_eq!([&slow, &busy, &idle, &fourth].map(|ticket| is_cut(ticket)), [false, false, true, false]);
        drop(idle);
        assert_eq!(door.open(), 3, "its place was given back once");
        let fifth = door.let_in(peer(5)).unwrap();
        assert!(is_cut(&slow) && !is_cut(&busy) && !is_cut(&fifth));
    }

    #[test]
    fn who_waits_for_us_is_never_cut() {
        let door = Door::new(1, 9);
        let busy = door.let_in(peer(1)).unwrap();
        busy.waits_for_us();
        let newcomer = door.let_in(peer(2)).unwrap();
        assert!(!is_cut(&busy) && is_cut(&newcomer), "there is no room, and nobody else to leave");
        drop((busy, newcomer));
        assert_eq!((door.open(), door.house().waiting.len()), (0, 0));
    }
}
