//! What the engine asks of us, and what we ask of marshal, which keeps and fetches blocks.
//!
//! Votes are about digests. To *propose* is to build a block from the pool on the parent that the engine names; to
//! *verify* is to read somebody's block and its parent and say whether one may follow the other; to *certify* is to
//! have the block on our own disk before we vote to make it final. A block that makes no sense is refused for ever; one
//! that merely comes too early is not answered until it does not any more.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use commonware_actor::Feedback;
use commonware_consensus::marshal::core::{CommitmentFallback, DigestFallback};
use commonware_consensus::simplex::Plan;
use commonware_consensus::simplex::types::Activity;
use commonware_consensus::types::{Round, View};
use commonware_consensus::{Automaton, CertifiableAutomaton, Relay, Reporter, Viewable as _};
use commonware_cryptography::{Digested, Digestible as _};
use commonware_macros::select;
use commonware_p2p::Recipients;
use commonware_runtime::{Clock, Handle};
use commonware_utils::channel::oneshot;
use commonware_utils::sync::Mutex;
use identity_core::time::UnixMillis;
use ledger::Hash;

use super::block::{Block, ROOM};
use super::{Context, Digest, Marshal, PublicKey, Runtime, Scheme};
use crate::engine::Standing;
use crate::engine::pool::{Pool, Room};

/// How far a block's time may be from the clock of whoever votes for it (design §4).
const TOLERANCE_MILLIS: i64 = 30_000;
/// More than a round takes in all.
const ROUND_MILLIS: i64 = 5_000;
/// How long to wait before looking at something again that only time can change.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long a leader with nothing to propose waits for its parent to become final before it puts an empty block on
/// it: more than a vote takes, and less than its time as a leader.
const LINGER: Duration = Duration::from_millis(500);
/// Final blocks that may wait to be executed here before we stop proposing more.
const MAX_BACKLOG: u64 = 16;
/// Blocks that may stand uncertified before we propose more slowly. Cosignatures are a block or two behind where all is
/// well; a quorum that is further behind than this is busy executing, and every block more makes it wait longer.
const MAX_UNCERTIFIED: u64 = 16;
/// How long a leader waits then for certification to come nearer: half of its time as a leader, so that the round is still
/// its own when it proposes after all. Certification needs no blocks to catch up, and ordering no certification.
const BREATH: Duration = Duration::from_millis(750);
/// What a block holds then: an eighth of the usual, so that others cosign more than they execute.
const NARROW: Room = Room { count: ROOM.count / 8, bytes: ROOM.bytes / 8 };

/// The engine's side of a validator. Cheap to clone.
pub(super) struct Adapter<E> {
    context: Arc<E>,
    marshal: Marshal,
    pool: Pool,
    standing: Arc<Standing>,
    certified: Certified,
    /// Height of the block that the term begins with. The engine counts from there.
    begins: u64,
    underway: Arc<Mutex<Underway>>,
}

/// Height of the newest block that this node knows to be certified.
pub(super) type Certified = Arc<dyn Fn() -> u64 + Send + Sync>;

impl<E> Clone for Adapter<E> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            marshal: self.marshal.clone(),
            pool: self.pool.clone(),
            standing: Arc::clone(&self.standing),
            certified: Arc::clone(&self.certified),
            begins: self.begins,
            underway: Arc::clone(&self.underway),
        }
    }
}

/// A block of ours, and where to say that it is being stored.
type Built = (Digested<Block>, oneshot::Sender<Handle<()>>);

/// What is known about rounds and blocks that are not final.
#[derive(Default)]
struct Underway {
    /// Our own proposals that the engine has not yet told us to send.
    built: BTreeMap<(Round, Digest), Built>,
    /// Where marshal says that a block is being stored.
    storing: BTreeMap<(Round, Digest), oneshot::Receiver<Handle<()>>>,
    /// By digest, what blocks hold that are not final.
    contents: BTreeMap<Digest, Contents>,
}

struct Contents {
    parent: Digest,
    height: u64,
    digests: Vec<Hash>,
}

impl Underway {
    fn remember(&mut self, digest: Digest, block: &Block) {
        self.contents.entry(digest).or_insert_with(|| Contents {
            parent: block.parent,
            height: block.height,
            digests: block.transactions.iter().map(|transaction| transaction.digest()).collect(),
        });
    }

    /// A block and those before it, as far as they are not final.
    fn line(&self, digest: Digest) -> impl Iterator<Item = &Contents> {
        std::iter::successors(self.contents.get(&digest), |contents| self.contents.get(&contents.parent))
    }

    /// What a block and those before it hold, as far as they are not final.
    fn ancestry(&self, digest: Digest) -> HashSet<Hash> {
        self.line(digest).flat_map(|contents| contents.digests.iter().copied()).collect()
    }

    /// Whether there are blocks that came to nothing, beside this one and those before it.
    fn has_strays(&self, digest: Digest) -> bool {
        self.contents.len() > self.line(digest).count()
    }

    fn decide(&mut self, decided: Round) {
        self.built.retain(|(round, _), _| *round > decided);
        self.storing.retain(|(round, _), _| *round > decided);
    }

    fn forget(&mut self, handed_over: u64) {
        self.contents.retain(|_, contents| contents.height > handed_over);
    }
}

impl<E: Runtime> Adapter<E> {
    pub(super) fn new(
        context: E,
        marshal: Marshal,
        pool: Pool,
        standing: Arc<Standing>,
        certified: Certified,
        begins: u64,
    ) -> Self {
        Self { context: Arc::new(context), marshal, pool, standing, certified, begins, underway: Arc::default() }
    }

    /// The height in the chain of a block of this term.
    fn height(&self, block: &Block) -> u64 {
        self.begins.saturating_add(block.height)
    }

    /// The parent that the engine names, from the others if need be: a quorum stands behind its round.
    async fn parent(&self, context: &Context) -> Option<Digested<Block>> {
        let (view, digest) = context.parent;
        let round = Round::new(context.round.epoch(), view);
        let fallback = CommitmentFallback::FetchByRound { round };
        self.marshal.subscribe_by_commitment(digest, fallback).await.ok()
    }

    /// The next block, once there is something to put into it. An idle chain makes no blocks: the leader waits until
    /// its time is over, and the next one waits in its place. But a block that a quorum wants and that missed being
    /// made final becomes so only under another one; if all that waits stands in it, that one is empty. One that nobody
    /// wanted is let go of, here and on disk, only when another of its height is final: a proposer that shows its blocks
    /// to few would fill their disks otherwise. And while another set waits for the epoch's end, empty blocks bring it
    /// nearer.
    async fn build(&self, context: &Context, clock: &E) -> Option<Digested<Block>> {
        let parent = self.parent(context).await?;
        let room = room(self.height(parent.inner()), &self.certified, clock).await;
        let began = clock.current();
        let transactions = loop {
            let arrival = self.pool.arrival();
            if self.height(parent.inner()) > self.standing.executed().saturating_add(MAX_BACKLOG) {
                clock.sleep(LOOK_AGAIN).await;
                continue;
            }
            let (held, has_strays) = self.underway(parent.digest());
            let chosen = self.pool.choose(room, &held);
            let lingered = clock.current().duration_since(began).unwrap_or_default() >= LINGER;
            let unsettled = has_strays || !self.is_final(parent.inner());
            let wanted = self.standing.is_pressing() || (lingered && unsettled);
            if !chosen.is_empty() || wanted {
                break chosen;
            }
            select! {
                () = arrival => {},
                () = clock.sleep(LOOK_AGAIN) => {},
            }
        };
        let time = now(clock).max(UnixMillis(parent.inner().time.0.saturating_add(1)));
        let height = parent.inner().height.saturating_add(1);
        let block = Block { parent: parent.digest(), height, time, transactions };
        let digest = block.digest();
        Some(Digested::precomputed(block, digest))
    }

    /// What stands in blocks up to this one that are not final, and whether others came to nothing.
    fn underway(&self, digest: Digest) -> (HashSet<Hash>, bool) {
        let mut underway = self.underway.lock();
        underway.forget(self.standing.handed_over().saturating_sub(self.begins));
        (underway.ancestry(digest), underway.has_strays(digest))
    }

    fn is_final(&self, block: &Block) -> bool {
        self.height(block) <= self.standing.tip().max(self.standing.executed())
    }

    /// Whether the block proposed in this round may follow its parent; nothing if that cannot be said any more.
    async fn judge(&self, context: &Context, digest: Digest, clock: &E) -> Option<bool> {
        // Sent by its proposer or not at all: nobody shall make us chase a block that may not exist.
        let block = self.marshal.subscribe_by_digest(digest, DigestFallback::Wait).await.ok()?;
        let parent = self.parent(context).await?;
        // Nothing is kept of what could never be final: a proposer might have us keep as much of that as it likes.
        if !follows(block.inner(), parent.digest(), parent.inner()) {
            return Some(false);
        }
        self.underway.lock().remember(digest, block.inner());
        self.store(context.round, &block);
        come(block.inner().time, || now(clock), clock).await;
        Some(true)
    }

    /// Begins to write a block while others vote on it. [`Self::have`] waits for the disk.
    fn store(&self, round: Round, block: &Digested<Block>) {
        let (begun, storing) = oneshot::channel();
        self.underway.lock().storing.insert((round, block.digest()), storing);
        self.marshal.verified_deferred(round, block.clone(), begun);
    }

    /// Waits until the block of this round is on our disk, wherever it has to come from.
    async fn have(&self, round: Round, digest: Digest) -> bool {
        let storing = self.underway.lock().storing.remove(&(round, digest));
        if let Some(storing) = storing
            && let Ok(written) = storing.await
            && written.await.is_ok()
        {
            return true;
        }
        // We started again meanwhile, or never got it. A quorum voted for it, so honest ones hold it.
        match self.marshal.subscribe_by_digest(digest, DigestFallback::FetchByRound { round }).await {
            Ok(block) => self.marshal.certified(round, block).await,
            Err(_) => false,
        }
    }
}

/// What a block on a parent of this height may hold. Where certification lags, the leader waits for it first, but not for
/// ever: a ledger whose cosignatures are held up goes on, slowly.
async fn room(parent: u64, certified: &Certified, clock: &impl Clock) -> Room {
    let lags = || parent.saturating_sub(certified()) > MAX_UNCERTIFIED;
    if breathe(clock, lags).await { NARROW } else { ROOM }
}

/// Waits as long as something lags, [`BREATH`] at most; says whether it still does.
async fn breathe(clock: &impl Clock, lags: impl Fn() -> bool) -> bool {
    let until = clock.current().checked_add(BREATH).unwrap_or(UNIX_EPOCH);
    while lags() {
        if clock.current() >= until {
            return true;
        }
        clock.sleep(LOOK_AGAIN).await;
    }
    false
}

/// Whether a block may follow another, by everything that is the same for everybody who looks.
fn follows(block: &Block, before: Digest, parent: &Block) -> bool {
    let mut seen = HashSet::new();
    block.parent == before
        && Some(block.height) == parent.height.checked_add(1)
        && block.time > parent.time
        && block.transactions.iter().all(|transaction| seen.insert(transaction.digest()))
}

/// Waits until a block's time has come.
///
/// Whether a clock is wrong, ours or the proposer's, is no property of the block: as long as they disagree we say nothing,
/// neither for it nor against it. What passing time brings together within the round is waited for. What only the setting of a
/// clock would bring together is not: or a block of a wrong time gathers the votes of all whose clocks are wrong, one after the
/// other.
async fn come(time: UnixMillis, now: impl Fn() -> UnixMillis, clock: &impl Clock) {
    let ahead = || time.0.saturating_sub(now().0);
    if !(-TOLERANCE_MILLIS..=TOLERANCE_MILLIS + ROUND_MILLIS).contains(&ahead()) {
        std::future::pending().await
    }
    while ahead().abs() > TOLERANCE_MILLIS {
        clock.sleep(LOOK_AGAIN).await;
    }
}

fn now(clock: &impl Clock) -> UnixMillis {
    let since_epoch = clock.current().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

impl<E: Runtime> Automaton for Adapter<E> {
    type Context = Context;
    type Digest = Digest;

    async fn propose(&mut self, context: Context) -> oneshot::Receiver<Digest> {
        let (mut answer, answered) = oneshot::channel();
        let this = self.clone();
        let _running = self.context.child("propose").spawn(move |clock| async move {
            let built = select! {
                () = answer.closed() => { return },
                built = this.build(&context, &clock) => built,
            };
            let Some(block) = built else { return };
            let digest = block.digest();
            let (begun, storing) = oneshot::channel();
            {
                // Before the answer: the engine may ask for it to be sent at once.
                let mut underway = this.underway.lock();
                underway.remember(digest, block.inner());
                underway.built.insert((context.round, digest), (block, begun));
                underway.storing.insert((context.round, digest), storing);
            }
            let _too_late = answer.send(digest);
        });
        answered
    }

    async fn verify(&mut self, context: Context, digest: Digest) -> oneshot::Receiver<bool> {
        let (mut answer, answered) = oneshot::channel();
        let this = self.clone();
        let _running = self.context.child("verify").spawn(move |clock| async move {
            let judged = select! {
                () = answer.closed() => { return },
                judged = this.judge(&context, digest, &clock) => judged,
            };
            if let Some(sound) = judged {
                let _too_late = answer.send(sound);
            }
        });
        answered
    }
}

impl<E: Runtime> CertifiableAutomaton for Adapter<E> {
    async fn certify(&mut self, round: Round, digest: Digest) -> oneshot::Receiver<bool> {
        let (mut answer, answered) = oneshot::channel();
        let this = self.clone();
        let _running = self.context.child("certify").spawn(move |clock| async move {
            // A disk that fails says nothing against the block: then the engine waits, and never hears `false`.
            let had = async {
                while !this.have(round, digest).await {
                    clock.sleep(LOOK_AGAIN).await;
                }
            };
            select! {
                () = answer.closed() => { return },
                () = had => {},
            };
            let _too_late = answer.send(true);
        });
        answered
    }
}

impl<E: Runtime> Relay for Adapter<E> {
    type Digest = Digest;
    type PublicKey = PublicKey;
    type Plan = Plan<PublicKey>;

    fn broadcast(&mut self, digest: Digest, plan: Plan<PublicKey>) -> Feedback {
        match plan {
            Plan::Propose { round } => match self.underway.lock().built.remove(&(round, digest)) {
                Some((block, begun)) => self.marshal.proposed(round, block, Recipients::All, begun),
                None => Feedback::Ok,
            },
            Plan::Forward { round, recipients } => self.marshal.forward(round, digest, recipients),
            // Follows an early proposal on a parent that is not certified, and we make none.
            Plan::Prepare { .. } => Feedback::Ok,
        }
    }
}

impl<E: Runtime> Reporter for Adapter<E> {
    type Activity = Activity<Scheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        let view: View = activity.view();
        self.standing.saw_view(view.get());
        if let Activity::Finalization(finalization) = &activity {
            let mut underway = self.underway.lock();
            underway.decide(finalization.round());
            underway.forget(self.standing.handed_over().saturating_sub(self.begins));
        }
        self.marshal.report(activity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(parent: u8, height: u64, time: i64) -> Block {
        Block { parent: Digest::from([parent; 32]), height, time: UnixMillis(time), transactions: Vec::new() }
    }

    #[test]
    fn a_block_follows_one_height_later_and_after_it_in_time() {
        use crate::tests::world::Founded;
        let founded = Founded::new();
        let of = |seq| identity_core::registry::Transaction::parse(&founded.anchor(seq)).unwrap();
        let (before, parent) = (Digest::from([1; 32]), block(0, 4, 100));
        let sound = Block { transactions: vec![of(1), of(2)], ..block(1, 5, 101) };
        assert!(follows(&sound, before, &parent));
        let empty = Block { transactions: vec![], ..sound.clone() };
        assert!(follows(&empty, before, &parent), "it may be what makes its parent final");
        let wrong = [
            Block { parent: Digest::from([2; 32]), ..sound.clone() },
            Block { height: 6, ..sound.clone() },
            Block { height: 4, ..sound.clone() },
            Block { time: UnixMillis(100), ..sound.clone() },
            Block { transactions: vec![of(1), of(1)], ..sound.clone() },
        ];
        for block in wrong {
            assert!(!follows(&block, before, &parent), "{block:?}");
        }
    }

    #[test]
    fn a_block_that_came_to_nothing_is_known_until_its_height_is_final() {
        let digest = |number: u8| Digest::from([number; 32]);
        let mut underway = Underway::default();
        underway.remember(digest(5), &block(4, 5, 101));
        underway.remember(digest(6), &block(5, 6, 102));
        assert!(!underway.has_strays(digest(6)), "one stands on the other");
        assert!(underway.has_strays(digest(5)), "somebody proposed one on it");
        underway.remember(digest(7), &block(5, 6, 103));
        assert!(underway.has_strays(digest(6)), "two were proposed");
        underway.forget(5);
        assert!(underway.has_strays(digest(6)));
        underway.forget(6);
        assert!(!underway.has_strays(digest(6)) && underway.contents.is_empty());
    }

    #[test]
    fn a_block_is_waited_for_until_its_time_comes_and_not_until_a_clock_is_set() {
        use commonware_runtime::{Runner as _, deterministic};
        deterministic::Runner::default().start(|clock| async move {
            const HOUR: i64 = 3_600_000;
            // Seconds after which a block of a time so far ahead is voted for, where our clock is `off` and set right after three.
            let voted = async |ahead: i64, off: i64| {
                let (began, time) = (clock.current(), UnixMillis(now(&clock).0 + ahead));
                let since = || clock.current().duration_since(began).unwrap_or_default();
                let set = || if since() < Duration::from_secs(3) { off } else { 0 };
                select! {
                    () = come(time, || UnixMillis(now(&clock).0 + set()), &clock) => Some(since().as_secs()),
                    () = clock.sleep(Duration::from_mins(2)) => None,
                }
            };
            assert_eq!(voted(0, 0).await, Some(0));
            assert_eq!(voted(TOLERANCE_MILLIS, 0).await, Some(0));
            assert_eq!(voted(-TOLERANCE_MILLIS, 0).await, Some(0));
            assert_eq!(voted(TOLERANCE_MILLIS + 2_000, 0).await, Some(2), "it comes within the round");
            assert_eq!(voted(TOLERANCE_MILLIS + ROUND_MILLIS + 1, 0).await, None, "it comes when the round is over");
            assert_eq!(voted(-TOLERANCE_MILLIS - 1, 0).await, None, "it never comes");
            assert_eq!(voted(HOUR, 0).await, None);
            assert_eq!(voted(0, HOUR).await, None, "a clock that is set right votes in the next round");
            assert_eq!(voted(0, -HOUR).await, None, "and so does one that was behind");
            assert_eq!(voted(HOUR, HOUR).await, Some(0), "nobody knows that its clock is wrong");
            assert!(super::super::sizing::CERTIFICATION < Duration::from_millis(ROUND_MILLIS.unsigned_abs()));
        });
    }

    #[test]
    fn a_leader_waits_for_certification_and_not_for_ever() {
        use commonware_runtime::{Runner as _, deterministic};
        deterministic::Runner::default().start(|clock| async move {
            let waits = async |ends: Option<u64>| {
                let began = clock.current();
                let since = || clock.current().duration_since(began).unwrap_or_default();
                let lags = || ends.is_none_or(|ends| since() < Duration::from_millis(ends));
                (breathe(&clock, lags).await, since())
            };
            assert_eq!(waits(Some(0)).await, (false, Duration::ZERO), "nothing lags");
            let (still, waited) = waits(Some(250)).await;
            assert!(!still && waited >= Duration::from_millis(250) && waited < BREATH, "{waited:?}");
            let (still, waited) = waits(None).await;
            assert!(still && waited >= BREATH && waited <= BREATH + LOOK_AGAIN, "{waited:?}");
            assert!(
                BREATH + LOOK_AGAIN + LINGER <= super::super::sizing::LEADER,
                "its time as a leader is over by then"
            );
        });
    }

    #[test]
    fn a_block_has_less_room_where_certification_lags_and_does_not_come_nearer() {
        use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
        deterministic::Runner::default().start(|clock| async move {
            let certified = |height: u64| -> Certified { Arc::new(move || height) };
            let began = clock.current();
            let took = || clock.current().duration_since(began).unwrap_or_default();
            assert_eq!(room(MAX_UNCERTIFIED + 9, &certified(9), &clock).await, ROOM);
            assert_eq!(room(5, &certified(9), &clock).await, ROOM, "it is ahead of the parent");
            assert_eq!(took(), Duration::ZERO, "nobody waits");
            // One more block stands uncertified, and the cosignatures come while the leader waits.
            let soon = clock.child("soon");
            let comes: Certified =
                Arc::new(move || if soon.current() < began + Duration::from_millis(250) { 9 } else { 10 });
            assert_eq!(room(MAX_UNCERTIFIED + 10, &comes, &clock).await, ROOM);
            assert!(took() >= Duration::from_millis(250) && took() < BREATH, "{:?}", took());
            assert_eq!(room(MAX_UNCERTIFIED + 10, &certified(9), &clock).await, NARROW);
            const { assert!(NARROW.count > 0 && NARROW.bytes >= identity_core::registry::MAX_TRANSACTION_BYTES) };
        });
    }
}
