//! What a node does, term after term: it orders and certifies as a validator, or follows those who do.
//!
//! ```text
//! catch up -> enter the term -> validate or follow until it has ended -> catch up -> ...
//! ```
//!
//! One thread does all of it, the only one that executes. A term ends with the block whose seal names another set, and a
//! validator of the old set stays until the note over that block is kept: nobody else can make it. Dying before that is
//! harmless, because the next start finds the block and no note, and goes on in the old term ([`Term::at`]).

use std::sync::Arc;
use std::time::Duration;

use identity_core::registry::Transaction;
use service_kit::store::StoreError;
use tokio::time::timeout;

use crate::boundary;
use crate::catch_up::{self, CatchUpError, Proven, Sources, Standing};
use crate::engine::Engine;
use crate::executor::{Executor, Outcome};
use crate::node::{Dismissed, Node, Round};
use crate::ordering::{Ordering, OrderingError, Part, Validating, Waiting};
use crate::store::{Place, place_key};
use crate::term::Term;

/// How long to wait for something before looking around again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long one source may take over the next blocks, some MB at most, before another is asked: one that is slow, or says so
/// and lies, keeps a validator from its work.
const PATIENCE: Duration = Duration::from_mins(2);

/// A node at work.
pub(crate) struct Tenure {
    node: Arc<Node>,
    ordering: Ordering,
    executor: Executor,
    /// Whom to ask for what is missing here.
    sources: Sources,
    /// What the engine of the last term took and nobody executed.
    left_over: Vec<Transaction>,
}

/// A term in which this node has its part.
pub(crate) struct Entered {
    term: Term,
    part: Role,
}

enum Role {
    Validating(Waiting),
    Following,
}

/// Why a term is over for this node.
enum Left {
    /// Another set is in force, here or where others are; or the engine has to begin anew.
    Turned,
    /// The node stops.
    Stopped,
    /// Something is wrong that only an operator can mend.
    Broken,
}

/// Why a node cannot do its part in a term.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnterError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ordering(#[from] OrderingError),
}

/// Why a node cannot go on.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Engine(#[from] OrderingError),
    #[error(transparent)]
    CatchUp(#[from] CatchUpError),
}

/// Whatever ends the executor, a mistake of ours included, nobody is left waiting for it.
struct Ending(Arc<Node>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halt();
        }
        self.0.desk.abandon();
    }
}

impl Entered {
    /// Whether this node is a validator in it.
    pub(crate) fn is_validating(&self) -> bool {
        matches!(self.part, Role::Validating(_))
    }
}

impl Tenure {
    pub(crate) fn new(node: Arc<Node>, ordering: Ordering, executor: Executor, sources: Sources) -> Self {
        Self { node, ordering, executor, sources, left_over: Vec::new() }
    }

    /// Takes this node's part in the term of its head. A validator cosigns the head before anybody can ask for it, and
    /// takes transactions before its engine runs.
    ///
    /// # Errors
    /// The store, the keys, or what is wrong with them.
    pub(crate) fn enter(&mut self) -> Result<Entered, EnterError> {
        let head = self.executor.head();
        let term = Term::at(&self.node.sync_store(), &self.node.chain, head)?;
        let part = match self.ordering.prepare(&term, head)? {
            Part::Following => Role::Following,
            Part::Validating(validating) => {
                let Validating { certifier, door, voice, engine } = *validating;
                // The seal that names a set is certified by the set before; this one begins with the next.
                let certifies = !self.is_at_the_beginning_of(&term);
                self.node.take_office(certifier, voice, certifies).map_err(OrderingError::from)?;
                self.answer_left_over()?;
                self.node.desk.open(door, std::mem::take(&mut self.left_over));
                Role::Validating(engine)
            }
        };
        Ok(Entered { term, part })
    }

    /// Works until the node stops.
    pub(crate) fn run(mut self, first: Entered) {
        let _ending = Ending(Arc::clone(&self.node));
        match self.work(first) {
            Ok(Left::Stopped) => {}
            Ok(Left::Turned | Left::Broken) => self.node.halt(),
            Err(error) => {
                tracing::error!(%error, "the node cannot do its part");
                if let WorkError::CatchUp(error) = &error {
                    self.node.keep_other_history(error);
                }
                self.node.halt();
            }
        }
    }

    fn work(&mut self, first: Entered) -> Result<Left, WorkError> {
        if self.has_ended(&first.term) {
            self.ask_for_boundary(&first.term);
        }
        // Where this node was away for long, the engine of its term runs nowhere any more.
        let mut entered = if self.catch_up()? { self.enter_anew(first)? } else { first };
        loop {
            match self.serve(entered)? {
                Left::Turned => {}
                left @ (Left::Stopped | Left::Broken) => return Ok(left),
            }
            self.catch_up()?;
            entered = self.enter()?;
        }
    }

    /// The engine that was to run knows an older head. It never does, and those who came in meanwhile are not forgotten.
    fn enter_anew(&mut self, first: Entered) -> Result<Entered, EnterError> {
        self.node.desk.shut();
        if let Role::Validating(engine) = first.part {
            self.left_over = engine.leave();
        }
        self.enter()
    }

    /// Whoever waits for what others have ordered meanwhile learns its place; the rest is to be ordered.
    fn answer_left_over(&mut self) -> Result<(), StoreError> {
        let store = self.node.sync_store();
        for transaction in std::mem::take(&mut self.left_over) {
            match store.record::<Place>(&place_key(&transaction.digest()))? {
                Some(place) => self.node.desk.answer(&transaction, &Outcome::Accepted(place)),
                None => self.left_over.push(transaction),
            }
        }
        Ok(())
    }

    /// Executes what others have certified and this node lacks, as far as anybody can be asked. Says whether there was
    /// something.
    fn catch_up(&mut self) -> Result<bool, WorkError> {
        let before = self.executor.head().size;
        let mut passed_over = 0;
        while passed_over < self.sources.len() && !self.node.desk.is_gone() {
            let standing = Standing::of(&self.executor)?;
            let Some(next) = self.next_blocks(&standing) else {
                passed_over = passed_over.saturating_add(1);
                continue;
            };
            passed_over = 0;
            let _logged = self.sources.take_complaints();
            let proven = match next {
                Ok(Some(proven)) => proven,
                Ok(None) | Err(CatchUpError::NoSource(_)) => break,
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%error, "catching up waits");
                    break;
                }
            };
            let reached = match catch_up::execute(&mut self.executor, &proven, |head| self.node.reach(head)) {
                Ok(reached) => reached,
                Err(error) if error.is_fatal() => return Err(error.into()),
                // Nothing is lost: what was kept is sound, and the rest is asked for again.
                Err(error) => {
                    tracing::warn!(%error, "catching up waits");
                    break;
                }
            };
            let head = self.executor.head();
            tracing::info!(height = head.height, entries = head.size, of = proven.target, "caught up");
            self.node.show(reached);
        }
        Ok(self.executor.head().size > before)
    }

    /// What [`Sources::next_blocks`] gives; nothing if it takes too long, or the node stops.
    fn next_blocks(&mut self, standing: &Standing) -> Option<Result<Option<Proven>, CatchUpError>> {
        let (node, sources) = (Arc::clone(&self.node), &mut self.sources);
        node.runtime.block_on(async {
            let next = tokio::select! {
                next = sources.next_blocks(standing) => Some(next),
                () = timeout_or_end(&node) => None,
            };
            if next.is_none() && !node.desk.is_gone() {
                sources.pass_over();
            }
            next
        })
    }

    fn serve(&mut self, entered: Entered) -> Result<Left, WorkError> {
        let Entered { term, part } = entered;
        let height = self.executor.head().height;
        match part {
            Role::Validating(engine) => {
                tracing::info!(epoch = term.epoch, height, "a validator of the term that began with this epoch");
                if self.sources.is_empty() && term.set.validators().len() > 1 {
                    tracing::warn!("`peers` names nobody: after a long absence this node could not catch up by itself");
                }
                Ok(self.validate(&term, engine)?)
            }
            Role::Following => {
                tracing::info!(epoch = term.epoch, height, "no validator of the term that began with this epoch");
                self.follow(&term)
            }
        }
    }

    fn validate(&mut self, term: &Term, engine: Waiting) -> Result<Left, OrderingError> {
        let mut engine = engine.start(&self.node)?;
        let left = self.drive(engine.as_mut(), term);
        self.node.desk.shut();
        self.left_over = engine.leave();
        self.node.leave_office();
        Ok(left)
    }

    /// Nothing but genesis, or nothing but the seal that names the set, is there of the term.
    fn is_at_the_beginning_of(&self, term: &Term) -> bool {
        let height = self.executor.head().height;
        height > 0 && height == term.begins
    }

    fn has_ended(&self, term: &Term) -> bool {
        self.executor.sets().turned && self.executor.head().height > term.begins
    }

    /// Executes what the engine orders until the term has ended, and stays until that is certified.
    fn drive(&mut self, engine: &mut dyn Engine, term: &Term) -> Left {
        // A new set seals one block at once, so that it is seen to be there.
        engine.press(self.executor.sets().pending || self.is_at_the_beginning_of(term));
        while !self.has_ended(term) {
            let Some(block) = engine.next() else {
                return self.why_it_ended();
            };
            self.node.take(engine, &mut self.executor, &block);
        }
        self.keep_boundary(term)
    }

    fn why_it_ended(&self) -> Left {
        if self.node.desk.is_gone() {
            return Left::Stopped;
        }
        if self.is_dismissed() || self.has_fallen_behind() { Left::Turned } else { Left::Broken }
    }

    /// Whether the engine ended because no engine keeps what comes next here, and somebody's log is to be asked for it.
    fn has_fallen_behind(&self) -> bool {
        if !self.ordering.standing().take_fallen_behind() {
            return false;
        }
        if self.sources.is_empty() {
            tracing::error!(
                "no validator keeps blocks from so long ago, and `peers` names nobody to catch up from: name other members' \
                 nodes there, or run `xinfu-ledger catch-up --config FILE --peer URL`; then start this node again"
            );
            return false;
        }
        tracing::warn!("no validator keeps blocks from so long ago: what is missing comes from the logs of `peers`");
        // Where none of them answers, there is no hurry.
        std::thread::sleep(LOOK_AGAIN);
        true
    }

    /// Whether the engine ended so that another begins.
    fn is_dismissed(&self) -> bool {
        match self.node.dismissed() {
            None => return false,
            Some(Dismissed::Overtaken) => tracing::warn!("the other validators are in a later term already"),
            Some(Dismissed::ClockSetBack) => {
                tracing::warn!("the machine's clock was set back: what waits by it begins anew");
            }
        }
        true
    }

    /// Waits for the note of the last block that this set certifies, and keeps it.
    fn keep_boundary(&mut self, term: &Term) -> Left {
        let head = self.executor.head().clone();
        tracing::info!(height = head.height, "another set of validators is in force after this block");
        loop {
            let certified = self.node.certified(head.size.saturating_sub(1));
            match self.node.runtime.block_on(async { timeout(LOOK_AGAIN, certified).await }) {
                Ok(Some(round)) if self.has_kept(&round) => return Left::Turned,
                Ok(_) => std::thread::sleep(LOOK_AGAIN),
                // The others may have left with the note that they have.
                Err(_) => self.ask_for_boundary(term),
            }
            if self.node.desk.is_gone() {
                return Left::Stopped;
            }
            // Nobody exchanges cosignatures any more: the term is entered again, at its end.
            if self.is_dismissed() {
                return Left::Turned;
            }
        }
    }

    /// Keeps the note over the last block of a term that is over, if somebody shows it.
    fn ask_for_boundary(&mut self, term: &Term) {
        let head = self.executor.head().clone();
        let theirs = self.sources.note_over(term.set.trust_root(), &head);
        if let Some(round) = self.node.runtime.block_on(theirs)
            && self.has_kept(&round)
        {
            self.node.show(Some(round));
        }
    }

    fn has_kept(&self, round: &Round) -> bool {
        let kept = boundary::keep(&self.node.sync_store(), &round.head, &round.note);
        if let Err(error) = &kept {
            tracing::error!(%error, "the checkpoint over the last seal of a set was not kept; trying again");
        }
        kept.is_ok()
    }

    /// Goes on answering, and executes what the validators certify.
    fn follow(&mut self, term: &Term) -> Result<Left, WorkError> {
        self.left_over.clear();
        self.node.desk.send_away();
        if self.sources.is_empty() {
            tracing::error!("this node is no validator, and `peers` names nobody to follow: it only answers");
            self.node.strand();
        }
        while !self.has_ended(term) {
            if !self.catch_up()? {
                self.renew(term);
                std::thread::sleep(LOOK_AGAIN);
            }
            if self.node.desk.is_gone() {
                return Ok(Left::Stopped);
            }
        }
        Ok(Left::Turned)
    }

    /// Shows a newer checkpoint over the same head: its age is all that is known of an idle ledger.
    fn renew(&mut self, term: &Term) {
        let head = self.executor.head().clone();
        if self.is_at_the_beginning_of(term) {
            return;
        }
        let newer = self.node.runtime.block_on(self.sources.note_over(term.set.trust_root(), &head));
        let known = self.node.round();
        let is_newer = |round: &Round| known.as_ref().is_none_or(|known| known.at < round.at || known.head != head);
        self.node.show(newer.filter(is_newer));
    }
}

/// Returns when a source had time enough, or nobody wants to know any more.
async fn timeout_or_end(node: &Node) {
    let _over = timeout(PATIENCE, async {
        while !node.desk.is_gone() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
    .await;
}
