//! The commands about how much of the history a node keeps: a snapshot of its state, a start from one, and pruning.

use std::path::Path;

use anyhow::Result;
use ledger_node::prune::prune;
use ledger_node::snapshot::{snapshot, start_from};
use ledger_node::{Config, open_store};
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::config;
use service_kit::ledger_client::load_trust_root;
use service_kit::messages::Catalogue;

use crate::cli::{read_chain, runtime};
use crate::forward::{Shown, amount};

/// Into a file.
pub(crate) fn write(path: &Path, to: &Path, catalogue: &Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let (chain, runtime) = (read_chain(&config.genesis)?, runtime()?);
    let (_lock, store) = runtime.block_on(async { open_store(&config) })?;
    let mut shown = Shown::new(catalogue, "ledger-snapshotting");
    let done = snapshot(store, &chain, to, runtime.handle(), &mut shown);
    shown.end();
    let done = done?;
    let values = [
        ("pairs", done.pairs.to_string().into()),
        ("height", done.head.height.to_string().into()),
        ("entries", done.head.size.to_string().into()),
        ("file", to.display().to_string().into()),
        ("bytes", amount(done.bytes).into()),
    ];
    println!("{}", catalogue.text("ledger-snapshotted", &values));
    Ok(())
}

/// From a file, into an empty data directory.
pub(crate) fn start(path: &Path, from: &Path, trust: Option<&Path>, catalogue: &Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let (chain, runtime) = (read_chain(&config.genesis)?, runtime()?);
    let trust_root = trust.map(load_trust_root).transpose()?;
    let (_lock, store) = runtime.block_on(async { open_store(&config) })?;
    let mut shown = Shown::new(catalogue, "ledger-starting");
    let done = start_from(store, &chain, from, trust_root.as_ref(), runtime.handle(), &mut shown);
    shown.end();
    let done = done?;
    let values = [
        ("entries", done.head.size.to_string().into()),
        ("height", done.head.height.to_string().into()),
        ("pairs", done.pairs.to_string().into()),
        ("age", SystemClock.now().since(done.at).max(0).to_string().into()),
    ];
    println!("{}", catalogue.text("ledger-started", &values));
    if trust_root.is_none() {
        eprintln!("{}", catalogue.text("ledger-started-by-genesis", &[]));
    }
    Ok(())
}

/// Removes history.
pub(crate) fn drop_history(path: &Path, keep: u64, catalogue: &Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let (chain, runtime) = (read_chain(&config.genesis)?, runtime()?);
    let (_lock, store) = runtime.block_on(async { open_store(&config) })?;
    let done = prune(store, &chain, keep, runtime.handle())?;
    let values = [
        ("removed", done.removed.to_string().into()),
        ("entries", done.entries.to_string().into()),
        ("height", done.head.height.to_string().into()),
    ];
    println!("{}", catalogue.text("ledger-pruned", &values));
    Ok(())
}
