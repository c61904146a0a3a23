//! How a node asks others for what it lacks: what their HTTP API would answer, as far as the network is whole.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ledger::Hash;
use ledger::tile::{Content, Tile, WIDTH, push_entry};
use service_kit::fetch::{Answer, Fetch, FetchError, Fetching, Request};

use super::cluster::Slot;
use crate::boundary;
use crate::catch_up::{Source, Sources};
use crate::node::Node;
use crate::store::{read_entries, read_tile};

/// Ways that are cut, from one place to another.
pub(super) type Cuts = Arc<Mutex<BTreeSet<(usize, usize)>>>;

/// One node's view of the others.
pub(super) struct Peers {
    pub(super) me: usize,
    pub(super) slots: Vec<Slot>,
    pub(super) cuts: Cuts,
}

impl Peers {
    pub(super) fn sources(self) -> Sources {
        let others: Vec<_> = (0..self.slots.len()).filter(|place| *place != self.me).collect();
        let fetch: Arc<dyn Fetch> = Arc::new(self);
        Sources::new(others.iter().map(|place| Source::peer(Arc::clone(&fetch), &format!("sim://{place}"))).collect())
    }

    fn node(&self, place: usize) -> Option<Arc<Node>> {
        let cuts = self.cuts.lock().unwrap();
        if cuts.contains(&(self.me, place)) || cuts.contains(&(place, self.me)) {
            return None;
        }
        self.slots.get(place)?.lock().unwrap().clone()
    }
}

impl Fetch for Peers {
    fn send(&self, request: Request) -> Fetching<'_> {
        Box::pin(async move {
            let (place, path) = request.url.strip_prefix("sim://").unwrap().split_once('/').unwrap();
            let node = self.node(place.parse().unwrap()).ok_or(FetchError::Malformed)?;
            let found = answer(&node, path).await;
            let status = if found.is_some() { 200 } else { 404 };
            let (host, kind, body) = (place.to_owned(), String::new(), found.unwrap_or_default());
            Ok(Answer { host, status, kind, retry_after: None, body })
        })
    }
}

/// What the node would answer, from its newest certified head.
async fn answer(node: &Node, path: &str) -> Option<Vec<u8>> {
    let round = node.round()?;
    if let Some(from) = path.strip_prefix("trust/walk?from=") {
        let walk = boundary::walk(&node.sync_store(), &round, &Hash::from_base64url(from).ok()?).ok()??;
        return serde_json::to_vec(&walk).ok();
    }
    let tile: Tile = path.parse().ok()?;
    match tile.content {
        Content::Hashes { level } => read_tile(node.store.as_ref(), level, tile).await.ok()?,
        Content::Entries => {
            let first = tile.index * u64::from(WIDTH);
            let mut bundle = Vec::new();
            for entry in read_entries(node.store.as_ref(), first, tile.width).await.ok()? {
                push_entry(&mut bundle, &entry).ok()?;
            }
            Some(bundle)
        }
    }
}
