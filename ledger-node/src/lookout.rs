//! Looks whether the engine that runs here is of no use any more: nothing in it would ever notice.
//!
//! A validator that was cut off while its set ended comes back to an engine that nobody else runs. It would wait for
//! ever; what its peers show tells it, proven by its own set. And one whose clock was set back waits for moments that lie
//! far ahead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service_kit::store::StoreError;

use crate::catch_up::Sources;
use crate::node::{Dismissed, Node};
use crate::store::Head;
use crate::term::Term;
use crate::timepiece::Timepiece;

/// How often to look, and how long nothing may have been executed before anybody is asked.
const PACE: Duration = Duration::from_secs(5);
/// How often to look at the clock.
const TICK: Duration = Duration::from_secs(1);

/// Whether the others are in a later term. Runs as long as the node.
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
            Ok(term) if sources.show_the_end_of(term.set.trust_root(), now.size).await => {
                node.dismiss(Dismissed::Overtaken)
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the term cannot be read"),
        }
    }
}

/// Whether the clock was set back under an engine that waits for others by it. Runs as long as the node.
pub(crate) async fn keep_time(node: Arc<Node>) {
    let began = Instant::now();
    let mut timepiece = Timepiece::new(node.clock.now_millis(), Duration::ZERO);
    loop {
        tokio::time::sleep(TICK).await;
        if timepiece.was_set_back(node.clock.now_millis(), began.elapsed()) && node.has_company() {
            node.dismiss(Dismissed::ClockSetBack);
        }
    }
}

async fn term(node: &Arc<Node>, head: Head) -> Result<Term, StoreError> {
    let node = Arc::clone(node);
    let read = tokio::task::spawn_blocking(move || Term::at(&node.sync_store(), &node.chain, &head));
    read.await.unwrap_or_else(|_| Err(StoreError::Broken("the term was not read".into())))
}
