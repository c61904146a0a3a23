//! The heads that the nodes certified, as everybody is shown them: for each size one root, whichever node shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::{Hash, LogProof};
use service_kit::ledger_client::LedgerClient;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Time between two looks at a node's checkpoint, which moves at most once a second.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Every certified head seen, and the first fork among them.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Heads>);

#[derive(Debug, Default)]
struct Heads {
    roots: BTreeMap<u64, Hash>,
    fork: Option<String>,
}

impl Seen {
    /// A node showed a certified head.
    pub(super) fn note(&self, node: &str, size: u64, root: Hash) {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = *heads.roots.entry(size).or_insert(root);
        if known != root && heads.fork.is_none() {
            let (root, known) = (root.to_base64url(), known.to_base64url());
            heads.fork = Some(format!("a fork at size {size}: {node} shows root {root}, others showed {known}"));
        }
    }

    /// The head of a proof that was verified.
    pub(super) fn note_proof(&self, node: &str, proof: &str) -> Result<()> {
        let note = LogProof::parse(proof).context("a verified proof cannot be read")?.note;
        let note = Note::parse(&note).context("a verified note cannot be read")?;
        let head = Checkpoint::parse_text(note.text()).context("a verified checkpoint cannot be read")?;
        self.note(node, head.size, head.root);
        Ok(())
    }

    /// # Errors
    /// Two nodes showed different roots for one size.
    pub(super) fn no_fork(&self) -> Result<()> {
        match &self.0.lock().unwrap_or_else(PoisonError::into_inner).fork {
            Some(fork) => bail!("{fork}"),
            None => Ok(()),
        }
    }

    /// The largest size that any node showed as certified.
    pub(super) fn newest(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).roots.keys().next_back().copied().unwrap_or(0)
    }

    /// Different heads seen.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).roots.len()
    }
}

/// Looks at every node's checkpoint until told to stop.
pub(super) fn watch_all(
    nodes: &[(&'static str, LedgerClient)],
    seen: &Arc<Seen>,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let watching = |(name, client): &(&'static str, LedgerClient)| {
        tokio::spawn(watch_one(name, client.clone(), Arc::clone(seen), stopped.clone()))
    };
    nodes.iter().map(watching).collect()
}

async fn watch_one(name: &'static str, client: LedgerClient, seen: Arc<Seen>, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        // A node that does not answer is none of our business here.
        if let Ok((head, _)) = client.checkpoint().await {
            seen.note(name, head.size(), *head.root());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use ledger::sha256;

    use super::*;

    #[test]
    fn two_roots_of_one_size_are_a_fork_and_anything_else_is_none() {
        let seen = Seen::default();
        seen.note("one", 1, sha256(b"a"));
        seen.note("two", 1, sha256(b"a"));
        seen.note("two", 2, sha256(b"b"));
        seen.no_fork().unwrap();
        assert_eq!((seen.newest(), seen.count()), (2, 2));
        seen.note("one", 2, sha256(b"c"));
        assert!(seen.no_fork().unwrap_err().to_string().contains("at size 2: one shows"));
    }
}
