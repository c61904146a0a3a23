//! Executes ordered blocks and makes them durable: the one writer of a node's data.
//!
//! Life of a block, and what holds if the process dies right after each step:
//!
//! 1. *ordered*: it is in memory only. Nobody was answered; senders try again, and the digest makes that harmless.
//! 2. *planned*: outcomes, leaves, seal, tiles, state nodes and the new head are computed. Still nothing is kept.
//! 3. *committed*: one batch, all or nothing, that requires the old head. From here on the block exists. Whoever was
//!    not answered asks by digest and gets the place.
//! 4. *cosigned* (see [`crate::certifier`]): the batch of step 3 already holds the size and root that are signed, so a
//!    restart can only sign the same again. A lost signature is made anew, for the same root.
//! 5. *answered*.
//!
//! Recovery is [`Executor::open`]: read the head, read the edge of the log. It is also what runs after a commit whose
//! outcome is unknown; there is no second way to get going.

use std::collections::HashMap;
use std::time::Duration;

use identity_core::registry::{self, Block, Genesis, Memory, NotApplied, Refused, Transaction, Validators, WriteSet};
use identity_core::time::UnixMillis;
use ledger::{Hash, Seal};
use serde::Serialize;
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Batch, StoreError};

use crate::chain::Chain;
use crate::engine::Ordered;
use crate::store::{
    Edge, GENESIS, HEAD, Head, Holds, Place, Refusal, STARTING, SyncStore, VersionedState, leaf_key, place_key,
    refusal_key, update,
};

/// How often a store is asked what became of a block, and how long after one another: as long as disks take to come back, and
/// not longer than an operator waits before looking.
const ATTEMPTS: u32 = 40;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in the log.
    Accepted(Place),
    /// The rules refuse it.
    Refused(Refused),
    /// The block could not be kept: nothing happened, try again.
    NotSaved(StoreError),
}

/// Why a block was not executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExecuteError {
    /// Nothing of the block was kept; the next one may succeed.
    #[error("the block was not saved: {0}")]
    NotSaved(StoreError),
    /// The data is not what this node wrote: it must not go on.
    #[error("the node stops: {0}")]
    Halted(StoreError),
}

/// Why a block that others executed was not executed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReplayError {
    /// It gives another head here than it must.
    #[error("block {height} gives another head here")]
    Diverges { height: u64 },
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// Executes blocks one after the other.
pub(crate) struct Executor {
    store: SyncStore,
    chain: Chain,
    head: Head,
    edge: Edge,
    sets: Sets,
}

/// What the last block says of the sets of validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sets {
    /// Its seal names another set: the term ends with it.
    pub(crate) turned: bool,
    /// Another set waits for the epoch's end.
    pub(crate) pending: bool,
}

impl Sets {
    fn after(validators: &Validators, size: u64) -> Self {
        let named = validators.sets.iter().skip(1).next_back();
        Self {
            turned: named.is_some_and(|set| set.from.checked_add(1) == Some(size)),
            pending: validators.next.is_some(),
        }
    }
}

/// A block that is computed and not yet kept.
struct Plan {
    head: Head,
    edge: Edge,
    sets: Sets,
    batch: Batch,
    outcomes: Vec<(Hash, Outcome)>,
}

/// A block in the making.
struct Draft<'a> {
    block: Block,
    state: VersionedState<'a>,
    memory: Memory,
    edge: Edge,
    batch: Batch,
    outcomes: Vec<(Hash, Outcome)>,
    /// Those accepted in this block.
    places: HashMap<Hash, Place>,
}

impl Executor {
    /// Goes on where the store's last whole block ended; an empty store gets block 0 first.
    ///
    /// # Errors
    /// The store cannot be read or written, or holds another chain.
    pub(crate) fn open(store: SyncStore, chain: Chain) -> Result<Self, StoreError> {
        if store.get(STARTING)?.is_some() {
            return Err(StoreError::Corrupt("a start from a snapshot was interrupted; run it again".into()));
        }
        if !Holds::of(&store, &chain)?.something()? {
            Self::begin(&store, &chain)?;
        }
        let head: Head = store.record(HEAD)?.ok_or_else(|| StoreError::Corrupt("the head is missing".into()))?;
        let edge = Edge::load(&store, head.size)?;
        if edge.root() != head.root {
            return Err(StoreError::Corrupt("the log's tiles do not give the head's root; run fsck".into()));
        }
        let state = VersionedState::new(&store, Some(head.height));
        let validators = Validators::of(&state).map_err(|error| state.cause(error))?;
        let sets = Sets::after(&validators, head.size);
        Ok(Self { store, chain, head, edge, sets })
    }

    /// Keeps block 0: the genesis file's creations and the first seal.
    fn begin(store: &SyncStore, chain: &Chain) -> Result<(), StoreError> {
        let genesis: &Genesis = chain.genesis();
        let first = genesis.execute(chain.origin()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let batch = Batch::new().put_new(GENESIS, chain.genesis_file()).require_absent(HEAD);
        let mut draft = Draft::new(store, chain, None, Edge::default(), 0, UnixMillis(genesis.time), batch);
        draft.state.writes = first.writes;
        for leaf in &first.leaves {
            draft.append(leaf.as_bytes());
        }
        store.commit(draft.seal(store)?.batch)
    }

    /// The last block kept.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// What that block says of the sets of validators.
    pub(crate) fn sets(&self) -> Sets {
        self.sets
    }

    /// The right edge of the log.
    pub(crate) fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Where the blocks are kept.
    pub(crate) fn store(&self) -> &SyncStore {
        &self.store
    }

    /// Executes a block and makes it durable.
    ///
    /// # Errors
    /// [`ExecuteError`]; in both cases nothing of the block is there.
    pub(crate) fn execute(&mut self, ordered: &Ordered) -> Result<Vec<(Hash, Outcome)>, ExecuteError> {
        let plan = self.plan(ordered).map_err(refused_before_commit)?;
        self.keep(plan)
    }

    /// Executes a block whose head is known, and makes it durable together with `beside`, only if it gives that
    /// head. A block that is there already is done.
    ///
    /// # Errors
    /// [`ReplayError`]; nothing of the block is there.
    pub(crate) fn replay(&mut self, ordered: &Ordered, head: &Head, beside: Batch) -> Result<(), ReplayError> {
        if self.head == *head {
            return Ok(());
        }
        let diverges = ReplayError::Diverges { height: ordered.height };
        if !self.is_next(ordered) {
            return Err(diverges);
        }
        let mut plan = self.plan(ordered).map_err(refused_before_commit)?;
        if plan.head != *head {
            return Err(diverges);
        }
        plan.batch = plan.batch.and(beside);
        self.keep(plan)?;
        Ok(())
    }

    fn keep(&mut self, plan: Plan) -> Result<Vec<(Hash, Outcome)>, ExecuteError> {
        match self.store.commit(plan.batch) {
            Ok(()) => {}
            Err(error @ StoreError::Broken(_)) => {
                // Unknown: ask the store itself. Whatever it says, the block is there whole or not at all.
                self.recover()?;
                if self.head != plan.head {
                    return Err(ExecuteError::NotSaved(error));
                }
            }
            Err(error @ StoreError::Full) => return Err(ExecuteError::NotSaved(error)),
            // The head was not the one we left: someone else writes here.
            Err(error) => return Err(ExecuteError::Halted(error)),
        }
        (self.head, self.edge, self.sets) = (plan.head, plan.edge, plan.sets);
        Ok(plan.outcomes)
    }

    /// Asks the store where it stands, until it answers: an engine hands over one block after the other, and must not be told
    /// that one was not saved that was.
    fn recover(&mut self) -> Result<(), ExecuteError> {
        for attempt in 1.. {
            match Self::open(self.store.clone(), self.chain.clone()) {
                Ok(reopened) => {
                    *self = reopened;
                    break;
                }
                Err(error @ StoreError::Broken(_)) if attempt < ATTEMPTS => {
                    tracing::warn!(%error, "the store does not say what became of a block; asking again");
                    std::thread::sleep(BETWEEN_ATTEMPTS);
                }
                Err(error) => return Err(ExecuteError::Halted(error)),
            }
        }
        Ok(())
    }

    fn plan(&self, ordered: &Ordered) -> Result<Plan, StoreError> {
        let old_head = to_json(&self.head)?;
        let batch = Batch::new().require_equals(HEAD, old_head);
        let (height, time) = (ordered.height, ordered.time);
        if !self.is_next(ordered) {
            return Err(StoreError::Misused("the engine handed over a block out of order"));
        }
        let before = Some(self.head.height);
        let mut draft = Draft::new(&self.store, &self.chain, before, self.edge.clone(), height, time, batch);
        for transaction in &draft.verify_ahead(&ordered.transactions) {
            let outcome = match draft.apply(transaction)? {
                // What stands already is refused, too: its number is taken. Only then is it looked for.
                Outcome::Refused(refused) => match self.place_of(&draft, transaction)? {
                    Some(place) => Outcome::Accepted(place),
                    None => Outcome::Refused(refused),
                },
                outcome => outcome,
            };
            draft.outcomes.push((transaction.digest(), outcome));
        }
        draft.seal(&self.store)
    }

    fn is_next(&self, ordered: &Ordered) -> bool {
        ordered.height == self.head.height.saturating_add(1) && ordered.time > self.head.time
    }

    /// Where the transaction stands already, in an earlier block or in this one.
    fn place_of(&self, draft: &Draft<'_>, transaction: &Transaction) -> Result<Option<Place>, StoreError> {
        let digest = transaction.digest();
        match draft.places.get(&digest) {
            Some(place) => Ok(Some(*place)),
            None => self.store.record(&place_key(&digest)),
        }
    }
}

impl<'a> Draft<'a> {
    fn new(
        store: &'a SyncStore,
        chain: &Chain,
        before: Option<u64>,
        edge: Edge,
        height: u64,
        time: UnixMillis,
        batch: Batch,
    ) -> Self {
        let block = Block { chain: chain.genesis().chain.clone(), origin: chain.origin().to_owned(), height, time };
        let state = VersionedState::new(store, before);
        let (memory, outcomes, places) = (Memory::default(), Vec::new(), HashMap::new());
        Self { block, state, memory, edge, batch, outcomes, places }
    }

    /// The same transactions, with the signatures that nobody here has checked yet verified together. That decides
    /// nothing: [`registry::apply`] asks for a signature under the key that is in force when it comes to it, and verifies
    /// what was not found good here.
    fn verify_ahead(&mut self, transactions: &[Transaction]) -> Vec<Transaction> {
        let mut transactions = transactions.to_vec();
        let mut unchecked: Vec<_> = transactions.iter_mut().filter(|transaction| !transaction.is_checked()).collect();
        let _judged_in_order = registry::authenticate_all(&self.state, &self.block, &mut unchecked, &mut self.memory);
        transactions
    }

    fn append(&mut self, entry: &[u8]) {
        let batch = std::mem::take(&mut self.batch);
        self.batch = batch.put_new(leaf_key(self.edge.size()), entry);
        self.edge.append(entry);
    }

    fn apply(&mut self, transaction: &Transaction) -> Result<Outcome, StoreError> {
        let index = self.edge.size();
        let digest = transaction.digest();
        match registry::apply_remembering(&self.state, &self.block, index, transaction, &mut self.memory) {
            Ok(accepted) => {
                self.state.writes.extend(accepted.writes);
                self.append(transaction.as_str().as_bytes());
                let place = Place { index, height: self.block.height };
                self.places.insert(digest, place);
                self.put(place_key(&digest), &place)?;
                Ok(Outcome::Accepted(place))
            }
            Err(NotApplied::Refused(refused)) => Ok(Outcome::Refused(refused)),
            Err(NotApplied::State(unreadable)) => Err(self.state.cause(unreadable)),
        }
    }

    fn put<T: Serialize>(&mut self, key: Vec<u8>, record: &T) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch = batch.put(key, to_json(record)?);
        Ok(())
    }

    /// Writes what happens by itself, the state root and the seal.
    fn seal(mut self, store: &SyncStore) -> Result<Plan, StoreError> {
        let due = registry::close_block(&self.state, &self.block, self.edge.size());
        let due: WriteSet = due.map_err(|error| self.state.cause(error))?;
        self.state.writes.extend(due);
        let validators = Validators::of(&self.state).map_err(|error| self.state.cause(error))?;
        let policy = validators.policy().map_err(|error| self.state.cause(error))?;
        self.keep_refusals()?;
        let height = self.block.height;
        let batch = std::mem::take(&mut self.batch);
        let (state, batch) = update(store, height, &self.state.writes, batch)?;
        self.batch = batch;
        let seal = Seal { height, time: millis(self.block.time)?, state, policy };
        self.append(seal.to_line().as_bytes());
        let head = Head { height, time: self.block.time, size: self.edge.size(), root: self.edge.root(), state };
        self.put(HEAD.to_vec(), &head)?;
        let batch = self.edge.write_changed(std::mem::take(&mut self.batch));
        let sets = Sets::after(&validators, head.size);
        Ok(Plan { head, edge: self.edge, sets, batch, outcomes: self.outcomes })
    }

    /// The last reason for each digest: one sender may have tried the same twice.
    fn keep_refusals(&mut self) -> Result<(), StoreError> {
        let height = self.block.height;
        let refusals: std::collections::BTreeMap<Hash, String> = self
            .outcomes
            .iter()
            .filter_map(|(digest, outcome)| match outcome {
                Outcome::Refused(refused) => Some((*digest, refused.code().as_str().to_owned())),
                Outcome::Accepted(_) | Outcome::NotSaved(_) => None,
            })
            .collect();
        for (digest, code) in refusals {
            self.put(refusal_key(&digest), &Refusal { code, height })?;
        }
        Ok(())
    }
}

/// The seal of block 0 with its log index. It follows from the genesis file: the store only lends its runtime.
pub(crate) fn first_seal(store: &SyncStore, chain: &Chain) -> Result<(u64, Vec<u8>), StoreError> {
    let memory = store.beside(std::sync::Arc::new(MemoryStore::new()));
    let executor = Executor::open(memory.clone(), chain.clone())?;
    let index = executor.head().size.saturating_sub(1);
    let seal = memory.get(&leaf_key(index))?.ok_or_else(|| StoreError::Corrupt("genesis has no seal".into()))?;
    Ok((index, seal))
}

fn refused_before_commit(error: StoreError) -> ExecuteError {
    match error {
        StoreError::Corrupt(_) | StoreError::Misused(_) => ExecuteError::Halted(error),
        _ => ExecuteError::NotSaved(error),
    }
}

fn millis(time: UnixMillis) -> Result<u64, StoreError> {
    u64::try_from(time.0).map_err(|_| StoreError::Misused("a block before the epoch"))
}

fn to_json<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|_| StoreError::Misused("a record cannot be written down"))
}
