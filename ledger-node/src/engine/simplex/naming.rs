//! Translates between the key that votes and the key that connects, on every way between engine and network.

use std::sync::Arc;
use std::time::SystemTime;

use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{
    BlockedSubscription, Blocker, CheckedSender, LimitedSender, Message, PeerSetSubscription, PeerSetUpdate, Provider,
    Receiver, Recipients, TrackedPeers,
};
use commonware_runtime::{IoBufs, Spawner};
use commonware_utils::NZUsize;
use commonware_utils::channel::{mpsc, ring};
use commonware_utils::ordered::Set;
use commonware_utils::sync::Mutex;
use futures_util::StreamExt as _;

use super::members::Members;

/// Sends to voters over connections.
#[derive(Clone)]
pub(crate) struct ToVoters<S> {
    pub(crate) inner: S,
    pub(crate) members: Members,
}

/// A sender that has checked who may be sent to now.
pub(crate) struct Checked<C> {
    inner: C,
    members: Members,
}

impl<S: LimitedSender<PublicKey = PublicKey>> LimitedSender for ToVoters<S> {
    type PublicKey = PublicKey;
    type Checked<'a>
        = Checked<S::Checked<'a>>
    where
        S: 'a;

    fn check(&mut self, recipients: Recipients<PublicKey>) -> Result<Self::Checked<'_>, SystemTime> {
        let members = &self.members;
        let recipients = match recipients {
            Recipients::All => Recipients::All,
            Recipients::Some(voters) => {
                Recipients::Some(voters.iter().filter_map(|voter| members.transport_of(voter)).collect())
            }
            Recipients::One(voter) => Recipients::Some(members.transport_of(&voter).into_iter().collect()),
        };
        Ok(Checked { inner: self.inner.check(recipients)?, members: members.clone() })
    }
}

impl<C: CheckedSender<PublicKey = PublicKey>> CheckedSender for Checked<C> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        self.inner.recipients().iter().filter_map(|key| self.members.consensus_of(key)).collect()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        self.inner.send(message, priority)
    }
}

/// Receives from voters over connections.
#[derive(Debug)]
pub(crate) struct FromVoters<R> {
    pub(crate) inner: R,
    pub(crate) members: Members,
}

impl<R: Receiver<PublicKey = PublicKey>> Receiver for FromVoters<R> {
    type Error = R::Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, R::Error> {
        loop {
            let (from, message) = self.inner.recv().await?;
            if let Some(voter) = self.members.consensus_of(&from) {
                return Ok((voter, message));
            }
        }
    }

    fn capacity(&self) -> std::num::NonZeroUsize {
        self.inner.capacity()
    }
}

/// Says which voters there are: those of the epoch, all the time.
#[derive(Debug, Clone)]
pub(crate) struct Voters {
    members: Members,
    /// Subscriptions last as long as this.
    told: Arc<Mutex<Vec<mpsc::UnboundedSender<PeerSetUpdate<PublicKey>>>>>,
}

impl Voters {
    pub(crate) fn new(members: Members) -> Self {
        Self { members, told: Arc::default() }
    }

    fn tracked(&self) -> TrackedPeers<PublicKey> {
        let voters = self.members.all().iter().map(|member| member.consensus.clone());
        TrackedPeers::primary(Set::from_iter_dedup(voters))
    }
}

impl Provider for Voters {
    type PublicKey = PublicKey;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<PublicKey>> {
        (id == 0).then(|| self.tracked())
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<PublicKey> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let _gone = sender.send(PeerSetUpdate { index: 0, latest: self.tracked(), all: self.tracked() });
        self.told.lock().push(sender);
        receiver
    }
}

/// Blocks the connections of voters.
pub(crate) struct BlockVoters<B, E> {
    pub(crate) inner: B,
    pub(crate) members: Members,
    pub(crate) context: Arc<E>,
}

impl<B: Clone, E> Clone for BlockVoters<B, E> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), members: self.members.clone(), context: Arc::clone(&self.context) }
    }
}

impl<B: Blocker<PublicKey = PublicKey>, E: Spawner> Blocker for BlockVoters<B, E> {
    type PublicKey = PublicKey;

    fn block(&mut self, voter: PublicKey) -> Feedback {
        match self.members.transport_of(&voter) {
            Some(connection) => self.inner.block(connection),
            None => Feedback::Ok,
        }
    }

    fn blocked(&mut self) -> BlockedSubscription<PublicKey> {
        let (sender, receiver) = ring::channel(NZUsize!(1));
        let (mut inner, members) = (self.inner.blocked(), self.members.clone());
        let _running = self.context.child("blocked").spawn(move |_| async move {
            while let Some(connections) = inner.next().await {
                let voters = connections.iter().filter_map(|key| members.consensus_of(key));
                if !sender.send_lossy(Set::from_iter_dedup(voters)) {
                    break;
                }
            }
        });
        receiver
    }
}
