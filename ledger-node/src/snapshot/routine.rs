//! A running node that writes a snapshot from time to time, so that there is one when it is needed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use service_kit::store::StoreError;
use tokio::runtime::Handle;

use super::{SnapshotError, Written, snapshot};
use crate::catch_up::{Progress, SourceError, Watch};
use crate::node::Node;

/// How long to wait where the store did not answer.
const AGAIN: Duration = Duration::from_secs(60);
/// The published checkpoint is kept once a second; the first snapshot need not wait longer.
const FIRST: Duration = Duration::from_secs(1);

/// Nobody watches.
struct Unseen;

impl Watch for Unseen {
    fn progressed(&mut self, _: Progress) {}

    fn gave_up(&mut self, _: &str, _: &SourceError) {}
}

/// Runs as long as the node: writes one at once, and another whenever `every` has passed. The file that is there stays until
/// the next is whole.
pub(crate) async fn keep(node: Arc<Node>, file: PathBuf, every: Duration) {
    loop {
        let done = write(&node, file.clone()).await;
        match &done {
            Ok(done) => {
                tracing::info!(height = done.head.height, bytes = done.bytes, file = %file.display(), "snapshot written");
            }
            Err(SnapshotError::Uncertified) => {}
            Err(error) => tracing::error!(%error, "no snapshot was written"),
        }
        tokio::time::sleep(wait(done.as_ref().err(), every)).await;
    }
}

/// How long until the next try. What a full disk or damaged data has spoilt, it spoils again: writing all of the state once
/// a minute to no end would only add to it.
fn wait(error: Option<&SnapshotError>, every: Duration) -> Duration {
    match error {
        Some(SnapshotError::Uncertified) => FIRST,
        Some(SnapshotError::Store(StoreError::Broken(_))) => AGAIN.min(every),
        Some(_) | None => every,
    }
}

async fn write(node: &Node, file: PathBuf) -> Result<Written, SnapshotError> {
    let (store, chain, runtime) = (Arc::clone(&node.store), node.chain.clone(), Handle::current());
    let written = tokio::task::spawn_blocking(move || snapshot(store, &chain, &file, &runtime, &mut Unseen)).await;
    written.unwrap_or_else(|_| Err(StoreError::Broken("the thread ended".into()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_again_is_not_tried_again_before_its_time() {
        let (every, store) = (Duration::from_secs(86_400), |error| SnapshotError::Store(error));
        let full = SnapshotError::File { path: "snapshot".into(), error: std::io::Error::other("no space left") };
        for (error, expected) in [
            (None, every),
            (Some(full), every),
            (Some(store(StoreError::Corrupt("run fsck".into()))), every),
            (Some(SnapshotError::Lost(5)), every),
            (Some(store(StoreError::Broken("no answer".into()))), AGAIN),
            (Some(SnapshotError::Uncertified), FIRST),
        ] {
            assert_eq!(wait(error.as_ref(), every), expected, "{error:?}");
        }
    }
}
