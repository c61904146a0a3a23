//! Puts a validator together. The same for the real runtime and network and for simulated ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use commonware_broadcast::buffered;
use commonware_consensus::marshal::core::Actor as MarshalActor;
use commonware_consensus::marshal::resolver::p2p as backfill;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::marshal::{self, Start};
use commonware_consensus::simplex;
use commonware_consensus::simplex::config::{Floor, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::types::{Epoch, FixedEpocher, ViewDelta};
use commonware_cryptography::certificate::ConstantProvider;
use commonware_cryptography::{Digested, Digestible as _, Sha256, Signer as _};
use commonware_p2p::{Blocker, Receiver, Sender, max_message_size};
use commonware_parallel::Sequential;
use commonware_runtime::Handle;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::prunable;
use commonware_storage::translator::EightCap;
use commonware_utils::ordered::Set;
use commonware_utils::{NZDuration, NZU64};
use identity_core::registry::Transaction;
use tokio::sync::mpsc;

use super::adapter::{Adapter, Certified};
use super::archive::{Archive, Depth};
use super::block::Block;
use super::delivery::{Delivered, Delivery};
use super::members::{Identity, Members};
use super::naming::{BlockVoters, FromVoters, ToVoters, Voters};
use super::{Digest, Host, PublicKey, Runtime, Scheme, cosigning, forwarding, sizing};
use crate::engine::Standing;
use crate::engine::pool::Pool;
use crate::node::Spoken;
use crate::term::Term;

/// Views behind the last final one that are kept for others who ask. Whoever is further behind asks marshal.
const VIEWS_KEPT: ViewDelta = ViewDelta::new(10);

/// Channels between validators, by number: two parts may never read each other's messages.
pub(super) mod channel {
    pub(in super::super) const VOTES: u64 = 0;
    pub(in super::super) const CERTIFICATES: u64 = 1;
    /// What the engine asks again for.
    pub(in super::super) const RESOLVER: u64 = 2;
    /// Blocks that somebody asked for.
    pub(in super::super) const BACKFILL: u64 = 3;
    /// Blocks that are proposed.
    pub(in super::super) const BLOCKS: u64 = 4;
    pub(in super::super) const COSIGNATURES: u64 = 5;
    /// Transactions that are forwarded.
    pub(in super::super) const TRANSACTIONS: u64 = 6;
    /// How many there are.
    pub(in super::super) const COUNT: u64 = 7;
}

/// The two ends of each channel.
pub(super) struct Channels<S, R> {
    votes: (S, R),
    certificates: (S, R),
    resolver: (S, R),
    backfill: (S, R),
    blocks: (S, R),
    cosignatures: (S, R),
    transactions: (S, R),
}

impl<S, R> Channels<S, R> {
    /// Of the ends of all channels by their number; nothing if one is missing.
    pub(super) fn new(ends: impl IntoIterator<Item = (S, R)>) -> Option<Self> {
        let mut ends: BTreeMap<u64, (S, R)> = (0..).zip(ends).collect();
        let mut of = |number| ends.remove(&number);
        Some(Self {
            votes: of(channel::VOTES)?,
            certificates: of(channel::CERTIFICATES)?,
            resolver: of(channel::RESOLVER)?,
            backfill: of(channel::BACKFILL)?,
            blocks: of(channel::BLOCKS)?,
            cosignatures: of(channel::COSIGNATURES)?,
            transactions: of(channel::TRANSACTIONS)?,
        })
    }

    /// The same channels between voters.
    fn between_voters(self, members: &Members) -> Channels<ToVoters<S>, FromVoters<R>> {
        let name = |(sender, receiver): (S, R)| {
            let sender = ToVoters { inner: sender, members: members.clone() };
            (sender, FromVoters { inner: receiver, members: members.clone() })
        };
        Channels {
            votes: name(self.votes),
            certificates: name(self.certificates),
            resolver: name(self.resolver),
            backfill: name(self.backfill),
            blocks: name(self.blocks),
            cosignatures: name(self.cosignatures),
            transactions: name(self.transactions),
        }
    }
}

/// What a validator starts with, besides runtime and network.
pub(super) struct Validator<H> {
    pub(super) host: Arc<H>,
    pub(super) members: Members,
    pub(super) identity: Identity,
    pub(super) term: Term,
    /// What the names of everything that is stored begin with.
    pub(super) storage: String,
    /// How much of the past its archive keeps.
    pub(super) depth: Depth,
    /// Height of the last block that was executed.
    pub(super) executed: u64,
    pub(super) pool: Pool,
    pub(super) standing: Arc<Standing>,
    pub(super) fresh: mpsc::Receiver<Transaction>,
    pub(super) voice: mpsc::Receiver<Spoken>,
    pub(super) blocks: mpsc::Sender<Delivered>,
}

/// Why a validator did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WiringError {
    #[error("the consensus and transport keys are not those of one validator in force")]
    NotAMember,
    #[error("the engine's archive cannot be opened: {0}")]
    Archive(#[from] commonware_storage::archive::Error),
}

/// The longest message that any part sends.
pub(super) fn max_message(validators: usize) -> u32 {
    let validators = u32::try_from(validators).unwrap_or(u32::MAX);
    max_message_size(&[
        simplex::max_payload_size::<Scheme, Digest>(validators),
        marshal::max_payload_size::<Standard<Block>, Scheme>(validators, &Pool::default()),
        cosigning::MESSAGE,
        forwarding::MAX_MESSAGE,
    ])
}

/// Starts all parts. Once any of the returned handles ends, the validator has failed and must end as a whole.
pub(super) async fn start<E, S, R, B, H>(
    context: E,
    validator: Validator<H>,
    channels: Channels<S, R>,
    blocker: B,
) -> Result<Vec<Handle<()>>, WiringError>
where
    E: Runtime,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    H: Host,
{
    let Validator { host, members, identity, term, storage, depth, executed, .. } = validator;
    let Validator { pool, standing, fresh, voice, blocks, .. } = validator;
    members.find(&identity).ok_or(WiringError::NotAMember)?;
    let me = identity.consensus.public_key();
    let channels = channels.between_voters(&members);
    let voters = Voters::new(members.clone());
    let blocker = BlockVoters { inner: blocker, members: members.clone(), context: Arc::new(context.child("blocker")) };
    let participants = Set::from_iter_dedup(members.all().iter().map(|member| member.consensus.clone()));
    let scheme =
        Scheme::signer(members.namespace(), participants, identity.consensus).ok_or(WiringError::NotAMember)?;
    let pages = CacheRef::new(sizing::PAGE, sizing::PAGES);
    let genesis = Block::first_of(&term);
    let genesis_digest = genesis.digest();

    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: me.clone(),
            mailbox_size: sizing::MAILBOX,
            deque_size: sizing::BUFFERED_BLOCKS,
            priority: false,
            codec_config: pool.clone(),
            peer_provider: voters.clone(),
            strategy: Sequential,
        },
    );
    let fetching = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: me.clone(),
            peer_provider: voters,
            blocker: blocker.clone(),
            mailbox_size: sizing::MAILBOX,
            fetch_timeout: NZDuration!(sizing::FETCH),
            fetch_retry_delay: sizing::FETCH_AGAIN,
            priority_requests: false,
            priority_responses: false,
        },
        channels.backfill,
    );
    let certificates = archive_config(&storage, "finalizations", &pages, depth, members.all().len());
    let finalizations = prunable::Archive::init(context.child("finalizations"), certificates).await?;
    let blocks_config = archive_config(&storage, "blocks", &pages, depth, pool.clone());
    let archived = prunable::Archive::init(context.child("blocks"), blocks_config).await?;
    let (marshal, marshal_mailbox, _) = MarshalActor::<_, Standard<Block>, _, _, _, _, _>::init(
        context.child("marshal"),
        finalizations,
        archived,
        marshal::Config {
            provider: ConstantProvider::new(scheme.clone()),
            epocher: FixedEpocher::new(NZU64!(u64::MAX)),
            start: Start::Genesis(Digested::precomputed(genesis, genesis_digest)),
            partition_prefix: format!("{storage}-marshal"),
            mailbox_size: sizing::MAILBOX,
            view_retention: VIEWS_KEPT,
            prunable_items_per_section: NZU64!(64),
            page_cache: pages.clone(),
            replay_buffer: sizing::REPLAY_BUFFER,
            key_write_buffer: sizing::WRITE_BUFFER,
            value_write_buffer: sizing::WRITE_BUFFER,
            block_codec_config: pool.clone(),
            max_repair: sizing::REPAIR,
            max_pending_acks: sizing::UNACKNOWLEDGED,
            strategy: Sequential,
        },
    )
    .await;

    let certified: Certified = Arc::new({
        let host = Arc::clone(&host);
        move || host.certified()
    });
    let others = members.all().iter().map(|member| member.consensus.clone()).filter(|other| *other != me);
    let archive = Archive::new(marshal_mailbox.clone(), others.collect(), depth);
    let (delivery, inbox) = Delivery::new(
        blocks,
        marshal_mailbox.clone(),
        archive,
        pool.clone(),
        Arc::clone(&standing),
        Arc::clone(&certified),
        (term.begins, executed),
    );
    let (pooled, stands) = (pool.clone(), Arc::clone(&standing));
    let adapter = Adapter::new(context.child("adapter"), marshal_mailbox, pooled, stands, certified, term.begins);
    let engine = simplex::Engine::new(
        context.child("simplex"),
        simplex::Config {
            scheme,
            elector: RoundRobin::<Sha256>::default(),
            blocker,
            automaton: adapter.clone(),
            relay: adapter.clone(),
            reporter: adapter,
            strategy: Sequential,
            partition: format!("{storage}-votes"),
            mailbox_size: sizing::MAILBOX,
            // Votes are bound to the term by their namespace; to the engine, each term is a chain of its own.
            epoch: Epoch::zero(),
            floor: Floor::Genesis(genesis_digest),
            replay_buffer: sizing::REPLAY_BUFFER,
            write_buffer: sizing::WRITE_BUFFER,
            page_cache: pages,
            leader_timeout: sizing::LEADER,
            certification_timeout: sizing::CERTIFICATION,
            timeout_retry: sizing::RETRY,
            view_retention: VIEWS_KEPT,
            skip: SkipPolicy::Enabled { timeout: sizing::SKIP, budget: SkipBudget::Participants },
            fetch_timeout: NZDuration!(sizing::FETCH),
            fetch_retry_delay: sizing::FETCH,
            forward: ForwardPolicy::Disabled,
            track_historical_votes: false,
        },
    );

    let (told, heard) = channels.transactions;
    let forwarding = context.child("forwarding").spawn({
        let (pool, standing) = (pool.clone(), Arc::clone(&standing));
        move |clock| forwarding::send(clock, fresh, pool, standing, told)
    });
    // A thread of its own: it verifies many signatures at a time, and votes shall not wait for that.
    let receiving = context.child("receiving").dedicated().spawn({
        let (host, standing) = (Arc::clone(&host), Arc::clone(&standing));
        move |_| forwarding::receive(host, pool, standing, heard)
    });
    let cosignatures = channels.cosignatures;
    let cosigning = context
        .child("cosigning")
        .spawn(move |clock| cosigning::run(clock, host, members, standing, voice, cosignatures));
    Ok(vec![
        broadcast.start(channels.blocks),
        marshal.start(inbox, buffer, fetching),
        context.child("delivery").spawn(move |clock| delivery.run(clock)),
        forwarding,
        receiving,
        cosigning,
        engine.start(channels.votes, channels.certificates, channels.resolver),
    ])
}

/// The settings of an archive, except for how its items are read.
fn archive_config<C>(
    storage: &str,
    name: &str,
    pages: &CacheRef,
    depth: Depth,
    codec_config: C,
) -> prunable::Config<EightCap, C> {
    prunable::Config {
        translator: EightCap,
        metadata_partition: format!("{storage}-{name}-metadata"),
        key_partition: format!("{storage}-{name}-keys"),
        key_page_cache: pages.clone(),
        value_partition: format!("{storage}-{name}-values"),
        compression: None,
        codec_config,
        items_per_section: depth.section,
        key_write_buffer: sizing::WRITE_BUFFER,
        value_write_buffer: sizing::WRITE_BUFFER,
        replay_buffer: sizing::REPLAY_BUFFER,
    }
}
