//! Looks whether the other validators have left this node behind in a term that is over.
//!
//! A validator that was cut off while its set ended comes back to an engine that nobody else runs. It would wait for
//! ever; what its peers show tells it, proven by its own set.

use std::sync::Arc;
use std::time::Duration;

use service_kit::store::StoreError;

use crate::catch_up::Sources;
use crate::node::Node;
use crate::store::Head;
use crate::term::Term;

/// How often to look, and how long nothing may have been executed before anybody is asked.
const PACE: Duration = Duration::from_secs(5);

/// Runs as long as the node.
pub(crate) async fn keep(node: Arc<Node>, sources: Sources) {
    let mut seen = node.executed();
    loop {
        tokio::time::sleep(PACE).await;
        let now = node.executed();
        let stands = now == seen && node.is_validating();
        seen = now.clone();
        if !stands {
            continue;
        }
        match term(&node, now.clone()).await {
            Ok(term) if sources.show_the_end_of(term.set.trust_root(), now.size).await => node.overtake(),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the term cannot be read"),
        }
    }
}

async fn term(node: &Arc<Node>, head: Head) -> Result<Term, StoreError> {
    let node = Arc::clone(node);
    let read = tokio::task::spawn_blocking(move || Term::at(&node.sync_store(), &node.chain, &head));
    read.await.unwrap_or_else(|_| Err(StoreError::Broken("the term was not read".into())))
}
