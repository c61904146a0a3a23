//! How a life is connected: as it should be, or bent, so that a validator with honest code and real keys equivocates,
//! withholds, or sends what it did not vote for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use commonware_actor::{Feedback, Unreliable};
use commonware_p2p::simulated::{Control, Oracle, Receiver, Sender, SplitTarget};
use commonware_p2p::{CheckedSender, LimitedSender, Recipients};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{IoBufs, Supervisor as _};

use super::super::wiring::channel;
use super::super::{PublicKey, sizing};

/// What becomes of what is sent.
#[derive(Debug, Clone)]
pub(super) enum Bend {
    /// It is sent.
    None,
    /// Only these ever hear anything.
    Only(Vec<PublicKey>),
    /// Blocks go to these only, although all hear the vote for them.
    WithholdBlocks(Vec<PublicKey>),
    /// Votes go to these only.
    WithholdVotes(Vec<PublicKey>),
    /// Nobody hears a cosignature as long as this holds.
    WithholdCosignatures(Arc<AtomicBool>),
    /// Blocks are sent with a byte changed.
    SpoilBlocks,
}

/// A sender, bent.
#[derive(Clone)]
pub(super) struct Bent {
    inner: Sender<PublicKey, Context>,
    channel: u64,
    bend: Bend,
}

/// A message that may be sent.
pub(super) struct Checked<'a> {
    inner: <Sender<PublicKey, Context> as LimitedSender>::Checked<'a>,
    spoils: bool,
}

/// Both ends of each channel, in the order of their numbers.
pub(super) type Ends = Vec<(Bent, Receiver<PublicKey>)>;

/// Where a life gets its connections from.
pub(super) enum Wires {
    /// From the network, anew for each term.
    Network { oracle: Oracle<PublicKey, Context>, bend: Bend },
    /// These, which are shared with a twin; for the first term only.
    Half { control: Control<PublicKey, Context>, ends: Mutex<Option<Ends>> },
}

impl Bend {
    fn is_about_blocks(number: u64) -> bool {
        matches!(number % channel::COUNT, channel::BLOCKS | channel::BACKFILL)
    }

    /// Those who hear it if it is not all who should.
    fn hearers(&self, number: u64) -> Option<&[PublicKey]> {
        match self {
            Self::Only(hearers) => Some(hearers),
            Self::WithholdBlocks(hearers) if Self::is_about_blocks(number) => Some(hearers),
            Self::WithholdVotes(hearers) if number % channel::COUNT == channel::VOTES => Some(hearers),
            Self::WithholdCosignatures(withheld) if number % channel::COUNT == channel::COSIGNATURES => {
                withheld.load(Ordering::Relaxed).then_some(&[])
            }
            Self::None
            | Self::WithholdBlocks(_)
            | Self::WithholdVotes(_)
            | Self::WithholdCosignatures(_)
            | Self::SpoilBlocks => None,
        }
    }
}

impl LimitedSender for Bent {
    type PublicKey = PublicKey;
    type Checked<'a> = Checked<'a>;

    fn check(&mut self, recipients: Recipients<PublicKey>) -> Result<Checked<'_>, SystemTime> {
        let recipients = match (self.bend.hearers(self.channel), recipients) {
            (None, recipients) => recipients,
            (Some(hearers), Recipients::All) => Recipients::Some(hearers.to_vec()),
            (Some(hearers), Recipients::Some(keys)) => {
                Recipients::Some(keys.into_iter().filter(|key| hearers.contains(key)).collect())
            }
            (Some(hearers), Recipients::One(key)) => {
                Recipients::Some(Some(key).into_iter().filter(|key| hearers.contains(key)).collect())
            }
        };
        let spoils = matches!(self.bend, Bend::SpoilBlocks) && Bend::is_about_blocks(self.channel);
        Ok(Checked { inner: self.inner.check(recipients)?, spoils })
    }
}

impl CheckedSender for Checked<'_> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        self.inner.recipients()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        if !self.spoils {
            return self.inner.send(message, priority);
        }
        let mut bytes = message.into().coalesce().as_ref().to_vec();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        self.inner.send(bytes, priority)
    }
}

impl Wires {
    pub(super) fn network(oracle: Oracle<PublicKey, Context>, bend: Bend) -> Self {
        Self::Network { oracle, bend }
    }

    /// Two halves of one connection: each is heard by its own, and hears everybody.
    pub(super) async fn halves(
        context: &Context,
        control: Control<PublicKey, Context>,
        [one, other]: [Bend; 2],
    ) -> (Self, Self) {
        let (mut ones, mut others) = (Ends::new(), Ends::new());
        for channel in 0..channel::COUNT {
            let (sender, receiver) = control.register(channel, sizing::quota()).await.unwrap();
            let splitting = context.child("splitting").with_attribute("channel", channel);
            let (first, second) = receiver.split_with(splitting, |_| SplitTarget::Both);
            ones.push((Bent { inner: sender.clone(), channel, bend: one.clone() }, first));
            others.push((Bent { inner: sender, channel, bend: other.clone() }, second));
        }
        let half = |ends| Self::Half { control: control.clone(), ends: Mutex::new(Some(ends)) };
        (half(ones), half(others))
    }

    /// Connects for a term, under this key; nothing if that is not possible any more.
    pub(super) async fn connect(&self, key: PublicKey, epoch: u64) -> Option<(Control<PublicKey, Context>, Ends)> {
        match self {
            Self::Network { oracle, bend } => {
                let control = oracle.control(key);
                let mut ends = Ends::new();
                // Between real nodes the handshake keeps terms apart; here the numbers of their channels do.
                let first = epoch * channel::COUNT;
                for channel in first..first + channel::COUNT {
                    let (inner, receiver) = control.register(channel, sizing::quota()).await.unwrap();
                    ends.push((Bent { inner, channel, bend: bend.clone() }, receiver));
                }
                Some((control, ends))
            }
            Self::Half { control, ends } => Some((control.clone(), ends.lock().unwrap().take()?)),
        }
    }
}
