//! What the jobs that bring digests onto the ledger have in common: the sequence number that they used last, and the tree
//! that was asked for last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::Hash;
use ledger::batch::BatchTree;
use tokio::sync::Mutex;

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

/// The tree of the batch that was asked for last: wallets come for their proofs soon after each other.
#[derive(Default)]
pub struct KeptTree(Mutex<Option<(u64, Arc<BatchTree>)>>);

impl KeptTree {
    /// The tree of a batch over what `digests` reads. One is made at a time: whoever comes meanwhile waits, and finds it
    /// made if it is the same.
    ///
    /// # Errors
    /// As `digests`; [`StoreError::Corrupt`] if there are none.
    pub async fn of(
        &self,
        batch: u64,
        digests: impl Future<Output = Result<Vec<Hash>, StoreError>>,
    ) -> Result<Arc<BatchTree>, StoreError> {
        let mut kept = self.0.lock().await;
        if let Some((_, tree)) = kept.as_ref().filter(|(kept, _)| *kept == batch) {
            return Ok(Arc::clone(tree));
        }
        let corrupt = |_| StoreError::Corrupt("a batch has no digests".to_owned());
        let tree = Arc::new(BatchTree::new(&digests.await?).map_err(corrupt)?);
        *kept = Some((batch, Arc::clone(&tree)));
        Ok(tree)
    }

    /// Keeps a tree that was made already.
    pub async fn keep(&self, batch: u64, tree: BatchTree) {
        *self.0.lock().await = Some((batch, Arc::new(tree)));
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
        let (kept, made) = (KeptTree::default(), AtomicUsize::new(0));
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
}
