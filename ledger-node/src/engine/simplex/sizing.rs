//! Every setting that decides how much memory a validator takes, and every waiting time.
//!
//! The engine allocates its network queues whole when it starts: messages a second × validators × peer sets for each
//! channel, about half a kB each, and once more for all channels together. So the quotas matter most, the cache of
//! pages next, and nothing else much.

use std::num::{NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use commonware_runtime::Quota;
use commonware_utils::{NZU16, NZU32, NZU64, NZUsize};

/// Messages a second that a peer may send on one channel: several times what votes of the fastest chain measured need.
const QUOTA: NonZeroU32 = NZU32!(256);
/// Peer sets that connections are kept for: this epoch's and the one before.
pub(super) const PEER_SETS: NonZeroUsize = NZUsize!(2);
/// Slots in the queue of each part of the engine.
pub(super) const MAILBOX: NonZeroUsize = NZUsize!(256);
/// Bytes of a cached page, and how many: 4 MB.
pub(super) const PAGE: NonZeroU16 = NZU16!(4_096);
pub(super) const PAGES: NonZeroUsize = NZUsize!(1_024);
/// For each open file.
pub(super) const WRITE_BUFFER: NonZeroUsize = NZUsize!(64 * 1024);
/// At start only.
pub(super) const REPLAY_BUFFER: NonZeroUsize = NZUsize!(256 * 1024);
/// Blocks of each proposer that are kept while they are voted on.
pub(super) const BUFFERED_BLOCKS: usize = 4;
/// Final blocks that marshal hands out before the first is acknowledged.
pub(super) const UNACKNOWLEDGED: NonZeroUsize = NZUsize!(8);
/// Certified blocks that the archive keeps, and how many go at a time. A validator that was away for fewer is given them by
/// the others' engines; at ten blocks a second these are seven minutes.
pub(super) const KEPT_BLOCKS: u64 = 4_096;
pub(super) const SECTION: NonZeroU64 = NZU64!(1_024);
/// Missing blocks that are asked for at a time.
pub(super) const REPAIR: NonZeroUsize = NZUsize!(32);
/// Transactions of our own that wait to be forwarded.
pub(super) const FRESH: usize = 4_096;
/// Cosignatures that wait to be told.
pub(super) const VOICE: usize = 64;
/// Final blocks that wait for the executor, beyond what marshal counts.
pub(super) const DELIVERED: usize = 2;

/// How long a leader may take before the others go on without it. An idle chain passes from leader to leader at this
/// pace; each passing writes a few hundred bytes.
pub(super) const LEADER: Duration = Duration::from_millis(1_500);
/// How long a round may take in all.
pub(super) const CERTIFICATION: Duration = Duration::from_millis(2_500);
/// When a vote to go on without the leader is repeated.
pub(super) const RETRY: Duration = Duration::from_millis(500);
/// A leader that was silent for so long, while others were not, is not waited for.
pub(super) const SKIP: Duration = Duration::from_secs(5);
/// A connection on which nothing was heard for so long is given up and made anew. On a line that was cut TCP waits twice as
/// long after every loss, so that an old connection comes back as long after the line as the line was away; a new one does
/// at once. Four pings, so that a busy moment is not taken for silence; and a validator that needs longer for one message
/// is too slow for its turn to lead anyway ([`CERTIFICATION`]).
pub(super) const SILENCE: Duration = Duration::from_secs(4);
pub(super) const PING: Duration = Duration::from_secs(1);
/// How long connecting may take, and with the handshake: the kernel tries after one second and again after three, so a
/// longer wait would miss a line that is back.
pub(super) const CONNECT: Duration = Duration::from_millis(1_500);
pub(super) const DIALLED: Duration = Duration::from_millis(2_500);
/// Between two tries at one peer, and at any.
pub(super) const RECONNECT: Duration = Duration::from_secs(1);
pub(super) const DIAL: Duration = Duration::from_millis(250);
/// How long a peer may take to answer a question, and how long to wait before the next try.
pub(super) const FETCH: Duration = Duration::from_secs(2);
pub(super) const FETCH_AGAIN: Duration = Duration::from_millis(200);

/// The quota of each channel.
pub(super) fn quota() -> Quota {
    Quota::per_second(QUOTA)
}

/// Validators of one peer set.
pub(super) fn peers(members: usize) -> NonZeroUsize {
    NonZeroUsize::new(members).unwrap_or(NonZeroUsize::MIN)
}
