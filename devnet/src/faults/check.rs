//! What must hold after each round, and at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ledger_node::Head;
use service_kit::config;
use service_kit::ledger_client::{LedgerClient, LedgerError};
use tokio::task::JoinSet;

use super::World;
use super::acknowledged::Entry;
use super::nodes::Nodes;
use super::seen::Seen;
use crate::journey::patience::until;
use crate::world::layout::Layout;

/// Time between two questions to a node that is not as far yet.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Time between two looks whether all processes still run.
const WATCH_AGAIN: Duration = Duration::from_millis(250);
/// What every node must have done this long after healing. The aim is five seconds (`report::PROGRESS_AIM`), and how often
/// it is missed is reported; the bound is what fails the run. It leaves room for a machine of two cores that runs four
/// nodes of an unoptimised build beside other work, and is far below a node that does not come back by itself.
pub(super) const PROGRESS_BOUND: Duration = Duration::from_secs(30);
/// Log entries that a node which lost its data executes again in a second, at the very least: it goes on only when it has
/// executed all of them. An unoptimised build on a machine that was overbooked eight times did 140.
const REPLAYED_IN_A_SECOND: u64 = 40;
/// Proofs that are asked of one node at a time.
const AT_A_TIME: usize = 4;

/// How long it took to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Took {
    /// Until the slowest of those did that kept their data.
    pub(super) progress: Duration,
    /// Until the one did that lost it and had to execute the whole log again.
    pub(super) catching_up: Option<Duration>,
}

/// Has every node acknowledge and certify the same new transaction. Answers how long it took, and the transaction's place.
///
/// # Errors
/// A node that ended, refused, or did neither in [`PROGRESS_BOUND`].
pub(super) async fn progress(
    world: &World,
    nodes: &mut Nodes,
    seen: &Arc<Seen>,
    healed: Instant,
    transaction: &str,
    emptied: Option<&str>,
) -> Result<(Took, u64)> {
    let mut certifying = JoinSet::new();
    for (name, client) in world.clients.clone() {
        let (transaction, seen) = (transaction.to_owned(), Arc::clone(seen));
        certifying.spawn(async move {
            let index = acknowledge(&client, &transaction).await.with_context(|| name)?;
            let acknowledged = healed.elapsed();
            prove(name, &client, index, &transaction, &seen).await?;
            let took = healed.elapsed();
            tracing::info!(name, index, ?acknowledged, certified = ?took, "went on");
            Ok::<_, anyhow::Error>((name, index, took))
        });
    }
    let replaying = Duration::from_secs(seen.newest().checked_div(REPLAYED_IN_A_SECOND).unwrap_or_default());
    let mut done = Vec::new();
    while done.len() < world.clients.len() {
        nodes.all_run()?;
        if let Ok(Some(certified)) = tokio::time::timeout(WATCH_AGAIN, certifying.join_next()).await {
            done.push(certified??);
        }
        let bound = |name: &str| PROGRESS_BOUND + if Some(name) == emptied { replaying } else { Duration::ZERO };
        let missing = world.clients.iter().map(|(name, _)| *name).filter(|name| !is_done(&done, name));
        let late: Vec<_> = missing.filter(|name| healed.elapsed() > bound(name)).collect();
        let after = healed.elapsed().as_secs();
        ensure!(late.is_empty(), "{after} s after everything was healed, nothing new is certified by {late:?}");
    }
    let (_, index, _) = *done.first().context("there are no nodes")?;
    ensure!(done.iter().all(|(_, place, _)| *place == index), "one transaction has several places: {done:?}");
    let slowest = |forgot: bool| {
        done.iter().filter(|(name, ..)| (Some(*name) == emptied) == forgot).map(|(.., took)| *took).max()
    };
    Ok((Took { progress: slowest(false).unwrap_or_default(), catching_up: slowest(true) }, index))
}

fn is_done(done: &[(&str, u64, Duration)], name: &str) -> bool {
    done.iter().any(|(node, ..)| *node == name)
}

/// The same transaction again and again until the node tells its place: repeating it is harmless.
async fn acknowledge(node: &LedgerClient, transaction: &str) -> Result<u64> {
    loop {
        match node.submit(transaction).await {
            Ok(accepted) => return Ok(accepted.index),
            Err(error) if error.refusal().is_some_and(|code| code.starts_with("registry.")) => {
                return Err(error).context("the probe was refused");
            }
            Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Asks a node for the proof of an entry until it has one.
async fn prove(name: &str, node: &LedgerClient, index: u64, transaction: &str, seen: &Seen) -> Result<()> {
    loop {
        match node.log_proof(index, transaction.as_bytes()).await {
            Ok(certified) => return seen.note_proof(name, &certified.proof),
            // What does not follow from the trust root is a lie or another ledger, and no later answer makes it good.
            Err(error @ LedgerError::Unproven(_)) => {
                return Err(error).with_context(|| format!("{name} has lost or changed the entry at {index}"));
            }
            Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Every acknowledged entry stands at its place in every node's log, proven under the trust root.
///
/// # Errors
/// What was lost, where; and two roots of one size.
pub(super) async fn nothing_lost(
    world: &World,
    nodes: &mut Nodes,
    seen: &Arc<Seen>,
    entries: Vec<Entry>,
) -> Result<()> {
    let entries = Arc::new(entries);
    let mut proving = JoinSet::new();
    for (name, client) in &world.clients {
        for lane in 0..AT_A_TIME {
            let (name, client, seen, entries) = (*name, client.clone(), Arc::clone(seen), Arc::clone(&entries));
            proving.spawn(async move {
                for Entry { index, transaction } in entries.iter().skip(lane).step_by(AT_A_TIME) {
                    let proven = prove(name, &client, *index, transaction, &seen);
                    let proven = tokio::time::timeout(PROGRESS_BOUND, proven).await;
                    proven
                        .with_context(|| format!("{name} has lost the entry at {index}, which was acknowledged"))??;
                }
                Ok::<_, anyhow::Error>(())
            });
        }
    }
    while let Some(proven) = proving.join_next().await {
        proven??;
        nodes.all_run()?;
    }
    seen.no_fork()
}

/// Waits until all show one head: nothing is sent any more, so the last block reaches everybody.
pub(super) async fn all_agree(world: &World, seen: &Seen) -> Result<()> {
    let agreed = until(PROGRESS_BOUND, async || {
        let mut heads = Vec::new();
        for (name, client) in &world.clients {
            let Ok((head, _)) = client.checkpoint().await else { return Ok(None) };
            seen.note(name, head.size(), *head.root());
            heads.push(head.size());
        }
        heads.dedup();
        Ok((heads.len() == 1).then_some(()))
    });
    if agreed.await?.is_none() {
        bail!("the nodes do not come to one head, although nothing is sent any more");
    }
    seen.no_fork()
}

/// Each node's data at rest, byte for byte; all end with the same head, and nobody holds evidence against anybody. The
/// nodes must have stopped. Answers that head.
pub(super) async fn data_at_rest(layout: &Layout) -> Result<Head> {
    let mut heads: Vec<Head> = Vec::new();
    for member in layout.validators() {
        let config: ledger_node::Config = config::load(&layout.config(member))?;
        let evidence = config.data.join("evidence");
        ensure!(!evidence.exists(), "{} keeps evidence against a validator in {}", member.id, evidence.display());
        let checked = fsck(&config).await;
        heads.push(checked.with_context(|| format!("the data of {} does not pass fsck", member.id))?);
    }
    let head = heads.first().context("there are no nodes")?.clone();
    ensure!(heads.iter().all(|other| *other == head), "the nodes end with different heads: {heads:?}");
    Ok(head)
}

async fn fsck(config: &ledger_node::Config) -> Result<Head> {
    let chain = ledger_node::Chain::new(std::fs::read(&config.genesis)?)?;
    let (_lock, store) = ledger_node::open_store(config)?;
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || ledger_node::fsck::fsck(store, &chain, runtime)).await?;
    Ok(checked?.head)
}
