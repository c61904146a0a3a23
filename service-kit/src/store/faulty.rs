//! A store that breaks on purpose, both ways, so that services can prove they survive it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Answer, Batch, Entry, Range, Store, StoreError};

/// How a commit goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller hears of a failure, and nothing was saved.
    FailedNotSaved,
    /// The caller hears of a failure, yet everything was saved.
    FailedYetSaved,
    /// The disk is full: nothing was saved.
    Full,
}

impl Fault {
    /// Every way, for tables of tests.
    pub const ALL: [Self; 3] = [Self::FailedNotSaved, Self::FailedYetSaved, Self::Full];
}

/// Wraps a store and breaks the commits it is told to break.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    commits: usize,
    /// What happens to the coming commits, first to last; then all is well.
    coming: VecDeque<Option<Fault>>,
    reads_broken: bool,
    /// Reads break with the next commit.
    breaks_reads: bool,
}

impl FaultyStore {
    /// Wraps `inner`; nothing breaks until told to.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Mutex::default() }
    }

    /// Breaks the next commit.
    pub fn break_next(&self, fault: Fault) {
        self.break_after(0, fault);
    }

    /// Lets `good` commits pass, then breaks one. Replaces what was planned before.
    pub fn break_after(&self, good: usize, fault: Fault) {
        let coming = std::iter::repeat_n(None, good).chain([Some(fault)]).collect();
        self.with_plan(|plan| plan.coming = coming);
    }

    /// Makes every read fail, or heals reads.
    pub fn break_reads(&self, broken: bool) {
        self.with_plan(|plan| plan.reads_broken = broken);
    }

    /// Makes every read fail from the next commit on, until they are healed.
    pub fn break_reads_after_next_commit(&self) {
        self.with_plan(|plan| plan.breaks_reads = true);
    }

    /// How many commits were tried so far: run a scenario once to learn how many writes there are to break.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.with_plan(|plan| plan.commits)
    }

    fn next_fault(&self) -> Option<Fault> {
        self.with_plan(|plan| {
            plan.commits = plan.commits.saturating_add(1);
            plan.reads_broken |= std::mem::take(&mut plan.breaks_reads);
            plan.coming.pop_front().flatten()
        })
    }

    fn check_readable(&self) -> Result<(), StoreError> {
        let broken = self.with_plan(|plan| plan.reads_broken);
        if broken { Err(StoreError::Broken("broken on purpose".into())) } else { Ok(()) }
    }

    fn with_plan<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        change(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for FaultyStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.check_readable()?;
            self.inner.get(key).await
        })
    }

    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move {
            self.check_readable()?;
            self.inner.scan(range, limit).await
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            match self.next_fault() {
                None => self.inner.commit(batch).await,
                Some(Fault::FailedNotSaved) => Err(StoreError::Broken("broken on purpose".into())),
                Some(Fault::FailedYetSaved) => {
                    self.inner.commit(batch).await?;
                    Err(StoreError::Broken("broken on purpose".into()))
                }
                Some(Fault::Full) => Err(StoreError::Full),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{contract, memory::MemoryStore};

    #[tokio::test]
    async fn without_a_plan_it_is_the_store_it_wraps() {
        contract::check(|| Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())))).await;
    }

    #[tokio::test]
    async fn each_fault_does_what_it_says() {
        for (fault, saved) in Fault::ALL.into_iter().zip([false, true, false]) {
            let store = FaultyStore::new(Arc::new(MemoryStore::new()));
            store.break_after(1, fault);
            store.commit(Batch::new().put("first", "1")).await.unwrap();
            assert!(store.commit(Batch::new().put("a", "1")).await.is_err());
            assert_eq!(store.get(b"a").await.unwrap().is_some(), saved, "{fault:?}");
            store.commit(Batch::new().put("b", "1")).await.unwrap();
            assert_eq!(store.commits(), 3);
        }
    }

    #[tokio::test]
    async fn reads_break_and_heal() {
        let store = FaultyStore::new(Arc::new(MemoryStore::new()));
        store.break_reads(true);
        assert!(store.get(b"a").await.is_err());
        store.break_reads(false);
        assert!(store.scan(Range::all(), 1).await.is_ok());
    }
}
