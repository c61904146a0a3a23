//! Group commit: one thread that merges the batches of many callers into few durable commits.
//!
//! The disk decides how many durable commits there are in a second (some hundreds); how many batches ride in each
//! is for us to decide. While one commit waits for the disk, the next group gathers by itself, so nobody waits on
//! purpose and a lone caller pays one commit.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use super::disk::Disk;
use crate::store::{Batch, StoreError};

/// Most batches in one commit: bounds how long the first of them waits for the others to be written.
const MAX_GROUP: usize = 4096;

/// Batches that may wait for the committer's thread; further callers wait to hand theirs in.
const MAX_WAITING: usize = 16_384;

struct Pending {
    batch: Batch,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// The thread and the way to it. Dropping it lets the thread finish what was handed in, and waits for that.
pub(super) struct GroupCommitter {
    queue: Option<mpsc::SyncSender<Pending>>,
    thread: Option<JoinHandle<()>>,
}

impl GroupCommitter {
    pub(super) fn start(disk: Arc<Disk>) -> Self {
        let (queue, waiting) = mpsc::sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("store-commit".into()).spawn(move || run(&disk, &waiting));
        // Without a thread the queue has no reader and every submit answers `stopped`.
        Self { queue: Some(queue), thread: thread.ok() }
    }

    /// Hands in a batch; the answer comes once it is durable or refused.
    pub(super) fn submit(&self, batch: Batch) -> oneshot::Receiver<Result<(), StoreError>> {
        let (answer, receiver) = oneshot::channel();
        if let Some(queue) = &self.queue
            && let Err(mpsc::TrySendError::Full(pending) | mpsc::TrySendError::Disconnected(pending)) =
                queue.try_send(Pending { batch, answer })
        {
            // The receiver may be gone already; then nobody is left to tell.
            let _unheard = pending.answer.send(Err(StoreError::Broken("too many writes are waiting".into())));
        }
        receiver
    }
}

impl Drop for GroupCommitter {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by it already; dropping must not panic a second time.
            let _panicked = thread.join();
        }
    }
}

/// The error of a call made when the committer is gone.
pub(super) fn stopped() -> StoreError {
    StoreError::Broken("the store has stopped".into())
}

fn run(disk: &Disk, waiting: &mpsc::Receiver<Pending>) {
    while let Ok(first) = waiting.recv() {
        let group = std::iter::once(first).chain(waiting.try_iter().take(MAX_GROUP.saturating_sub(1)));
        let (batches, answers): (Vec<_>, Vec<_>) = group.map(|pending| (pending.batch, pending.answer)).unzip();
        for (answer, verdict) in answers.into_iter().zip(disk.commit_group(&batches)) {
            // A caller that stopped waiting is no reason not to have written.
            let _unheard = answer.send(verdict);
        }
    }
}
