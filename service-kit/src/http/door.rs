//! The door: how many connections are open, whose they are, and who has to leave when the house is full.
//!
//! A connection that waits for its client (for a handshake, a head, a body, for an answer to be taken, or idle) may be
//! cut at any time to make room; one that waits for us never is. When the house is full the newcomer is let in and
//! whoever has kept us waiting longest is cut, so that slow clients, however many, keep nobody out: they are the ones
//! who wait longest.
//!
//! A connection whose first head has come is inside: the server has taken its buffers, so it costs more than one that
//! waits outside, and fewer of them fit. When there are too many inside, the one of them that has kept us waiting longest
//! is cut.

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
    most_inside: u32,
    most_per_peer: u32,
    house: Mutex<House>,
}

#[derive(Debug, Default)]
struct House {
    open: u32,
    inside: u32,
    by_peer: HashMap<Peer, u32>,
    waiting_outside: Queue,
    waiting_inside: Queue,
    next_turn: u64,
}

/// Those that wait for their client, by the turn in which they began to: the first has waited longest.
type Queue = BTreeMap<u64, Weak<Ticket>>;

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
    inside: bool,
    waiting_since: Option<u64>,
}

impl Door {
    pub(super) fn new(most: u32, most_inside: u32, most_per_peer: u32) -> Arc<Self> {
        let [most, most_inside, most_per_peer] = [most, most_inside, most_per_peer].map(|most| most.max(1));
        Arc::new(Self { most, most_inside, most_per_peer, house: Mutex::default() })
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
            place: Mutex::new(Place { counted: true, inside: false, waiting_since: None }),
            cut: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        ticket.wait(&mut house);
        let leaving = if house.open > self.most { house.longest_waiting() } else { None };
        make_leave(leaving, house);
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

/// Cuts a connection, if there is one to cut.
fn make_leave(leaving: Option<Arc<Ticket>>, mut house: MutexGuard<'_, House>) {
    let Some(leaving) = leaving else { return };
    leaving.leave(&mut house);
    drop(house);
    // Outside the lock: a woken connection may drop its ticket on the spot.
    leaving.cut.store(true, Ordering::Release);
    leaving.waker.wake();
}

impl House {
    fn longest_waiting(&self) -> Option<Arc<Ticket>> {
        let first = |queue: &Queue| queue.first_key_value().map_or(u64::MAX, |(since, _)| *since);
        let mut queues = [&self.waiting_outside, &self.waiting_inside];
        queues.sort_by_key(|queue| first(queue));
        queues.into_iter().find_map(longest_of)
    }

    fn queue(&mut self, place: &Place) -> &mut Queue {
        if place.inside { &mut self.waiting_inside } else { &mut self.waiting_outside }
    }
}

/// Takes hold of one ticket only: whoever let go of a last hold under the lock would wait for the lock for ever.
fn longest_of(queue: &Queue) -> Option<Arc<Ticket>> {
    queue.values().find_map(Weak::upgrade)
}

impl Ticket {
    /// A first head has come, and the server gets the connection. To be said once.
    pub(super) fn come_in(self: &Arc<Self>) {
        let mut house = self.door.house();
        let mut place = self.place();
        place.stop_waiting(&mut house);
        place.inside = true;
        house.inside = house.inside.saturating_add(u32::from(place.counted));
        drop(place);
        let is_full = house.inside > self.door.most_inside;
        let leaving = if is_full { longest_of(&house.waiting_inside) } else { None };
        // Its wait begins anew: it has asked for something.
        self.wait(&mut house);
        make_leave(leaving, house);
    }

    /// From now on we wait for the client.
    pub(super) fn waits_for_client(self: &Arc<Self>) {
        self.wait(&mut self.door.house());
    }

    /// From now on the client waits for us.
    pub(super) fn waits_for_us(&self) {
        let mut house = self.door.house();
        self.place().stop_waiting(&mut house);
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
        let turn = house.next_turn;
        place.waiting_since = Some(turn);
        house.queue(&place).insert(turn, Arc::downgrade(self));
        house.next_turn = turn.wrapping_add(1);
    }

    /// Gives the place back, once.
    fn leave(&self, house: &mut House) {
        let mut place = self.place();
        if !std::mem::take(&mut place.counted) {
            return;
        }
        house.open = house.open.saturating_sub(1);
        house.inside = house.inside.saturating_sub(u32::from(place.inside));
        place.stop_waiting(house);
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

impl Place {
    fn stop_waiting(&mut self, house: &mut House) {
        if let Some(since) = self.waiting_since.take() {
            house.queue(self).remove(&since);
        }
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
        let door = Door::new(100, 100, 2);
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
        let door = Door::new(3, 3, 3);
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
        let door = Door::new(1, 9, 9);
        let busy = door.let_in(peer(1)).unwrap();
        busy.waits_for_us();
        let newcomer = door.let_in(peer(2)).unwrap();
        assert!(!is_cut(&busy) && is_cut(&newcomer), "there is no room, and nobody else to leave");
        drop((busy, newcomer));
        assert!(is_empty(&door));
    }

    #[test]
    fn inside_there_is_less_room() {
        let door = Door::new(9, 2, 9);
        let [outside, slow, busy, newcomer] = [1, 2, 3, 4].map(|last| door.let_in(peer(last)).unwrap());
        busy.come_in();
        busy.waits_for_us();
        slow.come_in();
        assert!(![&outside, &slow, &busy].into_iter().any(|ticket| is_cut(ticket)), "there is room for two");
        newcomer.come_in();
        assert_eq!([&outside, &slow, &busy, &newcomer].map(|ticket| is_cut(ticket)), [false, true, false, false]);
        assert_eq!((door.open(), door.house().inside), (3, 2));
        drop((outside, slow, busy, newcomer));
        assert!(is_empty(&door));
    }

    #[test]
    fn whoever_waits_longest_leaves_wherever_it_is() {
        let door = Door::new(2, 2, 9);
        let [first, second] = [1, 2].map(|last| door.let_in(peer(last)).unwrap());
        first.come_in(); // it has asked since: now `second` waits longest
        let third = door.let_in(peer(3)).unwrap();
        let fourth = door.let_in(peer(4)).unwrap();
        assert_eq!([&first, &second, &third, &fourth].map(|ticket| is_cut(ticket)), [true, true, false, false]);
    }

    fn is_empty(door: &Door) -> bool {
        let house = door.house();
        (house.open, house.inside, house.waiting_outside.len(), house.waiting_inside.len()) == (0, 0, 0, 0)
    }
}
