//! Brings a node from its head to what the others have certified, and believes nobody on the way.
//!
//! ```text
//! source -- walk --------> target: a checkpoint that the set in force after our head certified
//!        -- bundles -----> chunk: the next entries, some MB at most
//!        -- hash tiles --> our log with the chunk is a prefix of the target's; nothing is executed before that is shown
//! cut at the seals ------> blocks, each with the head that it must give
//! executor --------------> executes, compares, keeps, or stops
//! ```
//!
//! **The target** ends where the set ends that we know: if the walk has a step, it is the seal that names the next set,
//! and what lies behind is for that set to certify, once our own state holds it. So trust comes from what this node
//! executed and from nothing that a source says. A set that left and came back meanwhile counts as never gone: its keys
//! are the ones that we trust, and a quorum signs no log that it has not executed.
//!
//! **What holds if the process dies.** Chunks, frontier and tiles are in memory only; they are fetched again. Each block
//! is one batch of the executor's, and the last one before a target carries the target's note, so that a boundary never
//! stands without it. A block that does not come out as the quorum certified it is not kept at all. So at every moment the
//! store holds whole blocks of a proven prefix, and the next start goes on from there by the same way; there is no other.
//!
//! **Who is to blame.** A source that cannot be reached, lacks something or lies is named ([`SourceError`]), and the next
//! one is asked. Where the quorum's own word contradicts ours, asking others would hide it: all stops ([`CatchUpError`]).

mod chunk;
mod course;
mod error;
mod export;
mod hashes;
mod source;
mod standing;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use ledger::TrustRoot;
use service_kit::store::{Batch, Store};
use tokio::runtime::Handle;

use crate::chain::Chain;
use crate::executor::Executor;
use crate::node::Round;
use crate::store::{CHECKPOINT, Head, SyncStore, boundary_key};

pub(crate) use chunk::{Proven, Reached};
use course::{CHUNK, Course, LEAST_CHUNK};
use error::Stopped;
pub use error::{CatchUpError, SourceError};
pub use export::{ExportError, Exported, export};
pub use source::Source;
pub(crate) use standing::Standing;
use standing::Target;

/// How far a node has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries executed and kept.
    pub entries: u64,
    /// Entries under the checkpoint that is being reached.
    pub of: u64,
    /// Bytes read from sources so far.
    pub bytes: u64,
}

/// Who is told how it goes.
pub trait Watch {
    /// A block more is kept.
    fn progressed(&mut self, progress: Progress);
    /// This source did not help; another is asked.
    fn gave_up(&mut self, source: &str, error: &SourceError);
}

/// Where a node has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtUp {
    /// Where it began.
    pub from: Head,
    /// Where it stands.
    pub head: Head,
    /// Bytes read from sources.
    pub bytes: u64,
}

/// Brings a store forward as far as its sources lead; an empty one begins with the genesis block. Blocking: the node must
/// not be running.
///
/// # Errors
/// [`CatchUpError`]. What was kept by then is sound, and the same call goes on from there.
pub fn catch_up(
    store: Arc<dyn Store>,
    chain: &Chain,
    sources: Vec<Source>,
    runtime: &Handle,
    watch: &mut dyn Watch,
) -> Result<CaughtUp, CatchUpError> {
    let mut executor = Executor::open(SyncStore::new(store, runtime.clone()), chain.clone())?;
    let from = executor.head().clone();
    let mut sources = Sources::new(sources);
    run(&mut executor, &mut sources, runtime, watch)?;
    Ok(CaughtUp { from, head: executor.head().clone(), bytes: sources.bytes })
}

/// Executes what the sources have until none has more; gives the last certified head that was reached, to be shown.
/// Blocking: on a thread of its own.
pub(crate) fn run(
    executor: &mut Executor,
    sources: &mut Sources,
    runtime: &Handle,
    watch: &mut dyn Watch,
) -> Result<Option<Round>, CatchUpError> {
    let mut last = None;
    loop {
        let standing = Standing::of(executor)?;
        let next = runtime.block_on(sources.next_blocks(&standing));
        sources.take_complaints().iter().for_each(|(name, error)| watch.gave_up(name, error));
        let Some(proven) = next? else { return Ok(last) };
        let kept = |head: &Head| {
            watch.progressed(Progress { entries: head.size, of: proven.target, bytes: sources.bytes });
        };
        last = execute(executor, &proven, kept)?.or(last);
    }
}

/// Executes proven blocks, and tells each head that is kept; gives the certified one if they reach it.
///
/// # Errors
/// [`CatchUpError::Diverges`] if a block does not come out as certified: it and what follows is not kept, and the node
/// must not go on. The executor's own failures otherwise.
pub(crate) fn execute(
    executor: &mut Executor,
    proven: &Proven,
    mut kept: impl FnMut(&Head),
) -> Result<Option<Round>, CatchUpError> {
    for block in &proven.blocks {
        let reached = proven.reached.as_ref().filter(|reached| reached.round.head == block.head);
        executor.replay(&block.ordered, &block.head, reached.map(notes).unwrap_or_default())?;
        kept(&block.head);
    }
    Ok(proven.reached.as_ref().map(|reached| reached.round.clone()))
}

/// In one batch with the block that it is of: alone, it could be lost, and the set that made it makes no second one.
fn notes(reached: &Reached) -> Batch {
    let note = reached.round.note.as_bytes();
    let batch = Batch::new().put(CHECKPOINT, note);
    let seal_index = reached.round.head.size.saturating_sub(1);
    if reached.ends_set { batch.put(boundary_key(seal_index), note) } else { batch }
}

/// Those who are asked, in turn.
pub(crate) struct Sources {
    all: Vec<Candidate>,
    /// Who is asked first: whoever helped last.
    current: usize,
    /// Who was asked last.
    asked: usize,
    /// Under way with the current one.
    course: Option<Course>,
    complaints: Vec<(String, SourceError)>,
    /// Bytes read so far.
    pub(crate) bytes: u64,
    /// Bytes in a chunk.
    chunk: usize,
}

struct Candidate {
    source: Source,
    /// What it was caught at: it is asked no more.
    lie: Option<SourceError>,
}

impl Sources {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        let all = sources.into_iter().map(|source| Candidate { source, lie: None }).collect();
        Self { all, current: 0, asked: 0, course: None, complaints: Vec::new(), bytes: 0, chunk: CHUNK }
    }

    /// Whether there is nobody to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many there are to ask.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whoever was asked takes too long: another is asked next, and for less at a time, should all be as slow.
    pub(crate) fn pass_over(&mut self) {
        if let Some(name) = self.all.get(self.asked).map(|candidate| candidate.source.name()) {
            tracing::warn!(source = name, "a source takes too long; another is asked");
        }
        self.current = self.asked.saturating_add(1).checked_rem(self.all.len()).unwrap_or(0);
        self.course = None;
        self.chunk = self.chunk.div_ceil(2).max(LEAST_CHUNK);
    }

    /// Which sources did not help since this was asked last, and why.
    pub(crate) fn take_complaints(&mut self) -> Vec<(String, SourceError)> {
        std::mem::take(&mut self.complaints)
    }

    /// The next blocks after where we stand, at least one; nothing if no source has more. They are to be executed before
    /// this is asked again; if they were not, the way begins anew.
    ///
    /// # Errors
    /// [`CatchUpError::NoSource`] if none of them answered as it should; else what contradicts the quorum.
    pub(crate) async fn next_blocks(&mut self, standing: &Standing) -> Result<Option<Proven>, CatchUpError> {
        let (count, first) = (self.all.len(), self.current);
        let mut answered = false;
        let mut failures = Vec::new();
        for place in (first..count).chain(0..first) {
            match self.ask(place, standing).await {
                Ok(Some(proven)) => return Ok(Some(proven)),
                Ok(None) => answered = true,
                Err(Stopped::All(error)) => return Err(error),
                Err(Stopped::Source(error)) => failures.push((self.name(place), error)),
            }
        }
        if answered { Ok(None) } else { Err(CatchUpError::NoSource(failures)) }
    }

    /// The newest note over this head that a source shows, certified by the set `certifying`.
    pub(crate) async fn note_over(&mut self, certifying: &TrustRoot, head: &Head) -> Option<Round> {
        for candidate in &self.all {
            let target = candidate.target(certifying).await;
            if let Some(target) = target.filter(|target| target.size == head.size && target.root == head.root) {
                return Some(Round { head: head.clone(), ..target.reached().round.clone() });
            }
        }
        None
    }

    /// Whether a source shows that this set's term ended, later than after `size` entries.
    pub(crate) async fn show_the_end_of(&self, set: &TrustRoot, size: u64) -> bool {
        for candidate in &self.all {
            let target = candidate.target(set).await;
            if target.is_some_and(|target| target.size > size && target.reached().ends_set) {
                return true;
            }
        }
        false
    }

    async fn ask(&mut self, place: usize, standing: &Standing) -> Result<Option<Proven>, Stopped> {
        let Some(candidate) = self.all.get_mut(place) else { return Ok(None) };
        self.asked = place;
        if let Some(lie) = &candidate.lie {
            return Err(Stopped::Source(lie.clone()));
        }
        let under_way = self.course.take().filter(|course| place == self.current && course.is_at(standing));
        let mut asking = Asking { source: &candidate.source, bytes: &mut self.bytes, chunk: self.chunk };
        match asking.next(under_way, standing).await {
            Ok(None) => Ok(None),
            Ok(Some((proven, course))) => {
                (self.current, self.course) = (place, course);
                Ok(Some(proven))
            }
            Err(Stopped::Source(error)) => {
                candidate.lie = error.is_lie().then(|| error.clone());
                let name = candidate.source.name();
                match &candidate.lie {
                    Some(_) => {
                        tracing::error!(source = name, %error, "a source says what is false; it is asked no more")
                    }
                    None => tracing::debug!(source = name, %error, "a source does not help to catch up"),
                }
                self.complaints.push((candidate.source.name().to_owned(), error.clone()));
                Err(Stopped::Source(error))
            }
            Err(fatal) => Err(fatal),
        }
    }

    fn name(&self, place: usize) -> String {
        self.all.get(place).map(|candidate| candidate.source.name().to_owned()).unwrap_or_default()
    }
}

impl Candidate {
    /// What this set certified last, as the source shows it; nothing if it shows nothing sound.
    async fn target(&self, set: &TrustRoot) -> Option<Target> {
        let (walk, _) = self.source.walk(&set.digest()).await.ok()?;
        Target::of(&walk, set).ok().flatten()
    }
}

/// One source, and the count of what it gave.
struct Asking<'a> {
    source: &'a Source,
    bytes: &'a mut u64,
    chunk: usize,
}

impl Asking<'_> {
    fn count(&mut self, bytes: usize) {
        *self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Goes on, or begins. The course comes back unless its target is reached.
    async fn next(
        &mut self,
        under_way: Option<Course>,
        standing: &Standing,
    ) -> Result<Option<(Proven, Option<Course>)>, Stopped> {
        let mut course = match under_way {
            Some(course) => course,
            None => match Course::begin(self, standing).await? {
                Some(course) => course,
                None => return Ok(None),
            },
        };
        let proven = course.next(self).await?;
        let is_done = proven.reached.is_some();
        Ok(Some((proven, (!is_done).then_some(course))))
    }
}
