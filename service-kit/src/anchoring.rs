//! What the jobs that bring digests onto the ledger have in common: the sequence number that they used last, the trees
//! that were asked for last, and when proofs were renewed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identity_core::time::UnixSeconds;
use ledger::Hash;
use ledger::batch::BatchTree;
use tokio::sync::Mutex as Turn;

use crate::store::StoreError;

/// The last sequence number that a job used under its key. The ledger's public state lags behind its log by up to a
/// second: who asked only there would use one number twice.
#[derive(Debug, Default)]
pub struct LastSequence(AtomicU64);

impl LastSequence {
    /// The number of the next transaction, where the ledger's state says that it is `stated`.
    #[must_use]
    pub fn next(&self, stated: u64) -> u64 {
        stated.max(self.0.load(Ordering::Relaxed).saturating_add(1))
    }

    /// Notes that a transaction with this number is on its way.
    pub fn used(&self, sequence: u64) {
        self.0.store(sequence, Ordering::Relaxed);
    }

    /// After a refusal: what was used is not known any more, and the ledger's word alone counts.
    pub fn forget(&self) {
        self.used(0);
    }
}

/// Trees kept: wallets come for the proofs of a batch soon after each other, and the largest tree has 8 MiB.
const KEPT_TREES: usize = 8;

/// The trees of the batches that were asked for last.
#[derive(Default)]
pub struct KeptTrees {
    /// The one that was asked for last at the end.
    kept: Mutex<Vec<(u64, Arc<BatchTree>)>>,
    making: Turn<()>,
}

impl KeptTrees {
    /// The tree of a batch over what `digests` reads. One is made at a time, and nobody waits for it whose own is there;
    /// whoever waits finds it made if it is the same.
    ///
    /// # Errors
    /// As `digests`; [`StoreError::Corrupt`] if there are none.
    pub async fn of(
        &self,
        batch: u64,
        digests: impl Future<Output = Result<Vec<Hash>, StoreError>>,
    ) -> Result<Arc<BatchTree>, StoreError> {
        if let Some(tree) = self.find(batch) {
            return Ok(tree);
        }
        let _turn = self.making.lock().await;
        if let Some(tree) = self.find(batch) {
            return Ok(tree);
        }
        let corrupt = |_| StoreError::Corrupt("a batch has no digests".to_owned());
        Ok(self.keep(batch, BatchTree::new(&digests.await?).map_err(corrupt)?))
    }

    /// Keeps a tree, in the place of the one that nobody asked for for longest.
    pub fn keep(&self, batch: u64, tree: BatchTree) -> Arc<BatchTree> {
        let tree = Arc::new(tree);
        let mut kept = self.lock();
        kept.retain(|(known, _)| *known != batch);
        kept.push((batch, Arc::clone(&tree)));
        let most = kept.len().saturating_sub(KEPT_TREES);
        kept.drain(..most);
        tree
    }

    fn find(&self, batch: u64) -> Option<Arc<BatchTree>> {
        let mut kept = self.lock();
        let place = kept.iter().position(|(known, _)| *known == batch)?;
        let found = kept.remove(place);
        let tree = Arc::clone(&found.1);
        kept.push(found);
        Some(tree)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Arc<BatchTree>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds before the ledger is asked again for the proof of one batch.
pub const RENEW_AGAIN: i64 = 30;

/// When the ledger was asked for a fresh proof of a batch, because the one at hand holds no longer. Anybody may ask us for
/// a proof; how often we ask for one, and write down what we are told, is not theirs to say.
#[derive(Debug, Default)]
pub struct Renewals(Mutex<BTreeMap<u64, UnixSeconds>>);

impl Renewals {
    /// Whether a fresh proof of a batch may be asked for. If so, none may for a while.
    pub fn take_turn(&self, batch: u64, now: UnixSeconds) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| (0..RENEW_AGAIN).contains(&now.since(*at)));
        let is_due = !asked.contains_key(&batch);
        asked.entry(batch).or_insert(now);
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use ledger::sha256;

    use super::*;

    #[test]
    fn a_number_is_used_once_though_the_ledgers_word_is_late() {
        let last = LastSequence::default();
        assert_eq!(last.next(1), 1);
        last.used(1);
        assert_eq!((last.next(1), last.next(5)), (2, 5));
        last.forget();
        assert_eq!(last.next(1), 1);
    }

    #[tokio::test]
    async fn whoever_asks_for_the_same_tree_at_the_same_time_has_it_made_once() {
        let (kept, made) = (KeptTrees::default(), AtomicUsize::new(0));
        let digests = async |word: &str| {
            made.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(vec![sha256(word.as_bytes())])
        };
        let (one, other) = tokio::join!(kept.of(1, digests("a")), kept.of(1, digests("a")));
        assert_eq!(one.unwrap().root(), other.unwrap().root());
        assert_eq!(made.load(Ordering::Relaxed), 1);
        let next = kept.of(2, digests("b")).await.unwrap();
        assert_eq!(next.root(), BatchTree::new(&[sha256(b"b")]).unwrap().root());
        assert_eq!(made.load(Ordering::Relaxed), 2);
        assert!(kept.of(3, async { Ok(Vec::new()) }).await.is_err());
        kept.of(2, digests("b")).await.unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 2, "what could not be made takes no place");
    }

    #[tokio::test]
    async fn the_trees_that_were_asked_for_last_are_kept_and_no_more() {
        let (kept, made) = (KeptTrees::default(), AtomicUsize::new(0));
        let of = async |batch: u64| {
            let digests = async {
                made.fetch_add(1, Ordering::Relaxed);
                Ok(vec![sha256(&batch.to_be_bytes())])
            };
            kept.of(batch, digests).await.unwrap()
        };
        let all = u64::try_from(KEPT_TREES).unwrap();
        for _ in 0..2 {
            for batch in 0..all {
                of(batch).await;
            }
        }
        assert_eq!(made.load(Ordering::Relaxed), KEPT_TREES, "whoever takes turns makes nothing anew");
        of(0).await;
        of(all).await;
        assert_eq!(of(0).await.root(), BatchTree::new(&[sha256(&0_u64.to_be_bytes())]).unwrap().root());
        assert_eq!(made.load(Ordering::Relaxed), KEPT_TREES + 1);
        of(1).await;
        assert_eq!(made.load(Ordering::Relaxed), KEPT_TREES + 2, "nobody had asked for that one for longest");
    }

    #[tokio::test]
    async fn nobody_waits_for_the_tree_of_others() {
        let kept = KeptTrees::default();
        kept.keep(1, BatchTree::new(&[sha256(b"a")]).unwrap());
        let never = std::pin::pin!(kept.of(2, std::future::pending()));
        let mine = std::pin::pin!(kept.of(1, async { panic!("it is there") }));
        match futures_util::future::select(never, mine).await {
            futures_util::future::Either::Right((tree, _)) => assert_eq!(tree.unwrap().count(), 1),
            futures_util::future::Either::Left(_) => panic!("it is never made"),
        }
    }

    #[test]
    fn a_batch_is_renewed_now_and_then_and_each_by_itself() {
        let (renewals, now) = (Renewals::default(), UnixSeconds(1000));
        assert!(renewals.take_turn(1, now) && renewals.take_turn(2, now));
        assert!(!renewals.take_turn(1, now.plus(RENEW_AGAIN - 1)));
        assert!(renewals.take_turn(1, now.plus(RENEW_AGAIN)));
        assert!(!renewals.take_turn(1, now.plus(RENEW_AGAIN + 1)));
        assert!(renewals.take_turn(1, now), "a clock that was set back stops nothing");
    }
}
