//! A running node that writes a snapshot from time to time, so that there is one when it is needed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::{SnapshotError, Written, snapshot};
use crate::catch_up::{Progress, SourceError, Watch};
use crate::node::Node;

/// How long to wait where there is nothing to write yet, or where it went wrong.
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
        let wait = match write(&node, file.clone()).await {
            Ok(done) => {
                tracing::info!(height = done.head.height, bytes = done.bytes, file = %file.display(), "snapshot written");
                every
            }
            Err(SnapshotError::Uncertified) => FIRST,
            Err(error) => {
                tracing::error!(%error, "no snapshot was written");
                AGAIN
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn write(node: &Node, file: PathBuf) -> Result<Written, SnapshotError> {
    let (store, chain, runtime) = (Arc::clone(&node.store), node.chain.clone(), Handle::current());
    let written = tokio::task::spawn_blocking(move || snapshot(store, &chain, &file, &runtime, &mut Unseen)).await;
    written.unwrap_or_else(|_| Err(service_kit::store::StoreError::Broken("the thread ended".into()).into()))
}
