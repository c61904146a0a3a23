//! The commands that bring a node at rest forward, from other nodes or from files, and that write such files.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use ledger_node::catch_up::{Progress, Source, SourceError, Watch, catch_up, export};
use ledger_node::{Config, open_store};
use service_kit::messages::Catalogue;
use service_kit::terminal::harmless;
use service_kit::{config, help};

use crate::cli::{read_chain, runtime};
use crate::operate;

/// Between two looks at the progress on a terminal.
const PACE: Duration = Duration::from_secs(1);
/// Lines of progress where no terminal is: one for each of these parts of the way.
const PARTS: u64 = 10;

/// From other nodes, over HTTP.
pub(crate) fn from_peers(path: &Path, peers: &[String], ca: Option<PathBuf>, catalogue: &Catalogue) -> Result<()> {
    let fetch = Arc::new(operate::fetcher(peers, ca)?);
    let sources = peers.iter().map(|peer| Source::peer(fetch.clone(), peer)).collect();
    forward(path, sources, catalogue)
}

/// From a directory that a node was exported to.
pub(crate) fn from_files(path: &Path, directory: &Path, catalogue: &Catalogue) -> Result<()> {
    forward(path, vec![Source::directory(directory)], catalogue)
}

fn forward(path: &Path, sources: Vec<Source>, catalogue: &Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let (chain, runtime) = (read_chain(&config.genesis)?, runtime()?);
    let (_lock, store) = runtime.block_on(async { open_store(&config) })?;
    let mut shown = Shown::new(catalogue, "ledger-catching-up");
    let done = catch_up(store, &chain, sources, runtime.handle(), &mut shown);
    shown.end();
    if let Err(error) = &done
        && let Some(path) = error.keep_other_history(&config.data.join("evidence"))?
    {
        eprintln!("{}", catalogue.text("ledger-history-kept", &[("path", path.display().to_string().into())]));
    }
    let done = done?;
    let values = [
        ("entries", done.head.size.to_string().into()),
        ("height", done.head.height.to_string().into()),
        ("more", done.head.size.saturating_sub(done.from.size).to_string().into()),
    ];
    let id = if done.head == done.from { "ledger-nothing-newer" } else { "ledger-caught-up" };
    println!("{}", catalogue.text(id, &values));
    Ok(())
}

/// Into a directory.
pub(crate) fn to_files(path: &Path, directory: &Path, catalogue: &Catalogue) -> Result<()> {
    let config: Config = config::load(path)?;
    let (chain, runtime) = (read_chain(&config.genesis)?, runtime()?);
    let (_lock, store) = runtime.block_on(async { open_store(&config) })?;
    let mut shown = Shown::new(catalogue, "ledger-exporting");
    let done = export(store, &chain, directory, runtime.handle(), &mut shown);
    shown.end();
    let done = done?;
    let values = [
        ("entries", done.head.size.to_string().into()),
        ("height", done.head.height.to_string().into()),
        ("directory", directory.display().to_string().into()),
        ("files", done.files.to_string().into()),
        ("bytes", amount(done.bytes).into()),
    ];
    println!("{}", catalogue.text("ledger-exported", &values));
    for seal in done.lost {
        eprintln!("{}", catalogue.text("ledger-export-lost", &[("seal", seal.to_string().into())]));
    }
    Ok(())
}

/// Progress on standard error: one line that changes on a terminal, few lines elsewhere.
pub(crate) struct Shown<'a> {
    catalogue: &'a Catalogue,
    id: &'static str,
    live: bool,
    began: Instant,
    /// When the line on the terminal was written last, and what came after that.
    last: Option<Instant>,
    waiting: Option<Progress>,
    /// The part of the way that was told last, where no terminal is.
    part: Option<(u64, u64)>,
    /// Complaints that were shown: a source that stays away is asked again, and named once.
    told: Vec<(String, SourceError)>,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue, id: &'static str) -> Self {
        let live = std::io::stderr().is_terminal();
        Self { catalogue, id, live, began: Instant::now(), last: None, waiting: None, part: None, told: Vec::new() }
    }

    /// Whether it is time to say more.
    fn is_due(&mut self, progress: Progress) -> bool {
        if self.live {
            let due = self.last.is_none_or(|last| last.elapsed() >= PACE);
            self.waiting = (!due).then_some(progress);
            return due;
        }
        let part = (progress.of, progress.entries.saturating_mul(PARTS).checked_div(progress.of).unwrap_or(PARTS));
        self.part.replace(part) != Some(part)
    }

    fn show(&mut self, progress: Progress) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = progress.bytes.saturating_mul(1000).checked_div(millis).unwrap_or(0);
        let values = [
            ("entries", progress.entries.to_string().into()),
            ("of", progress.of.to_string().into()),
            ("bytes", amount(progress.bytes).into()),
            ("rate", amount(rate).into()),
        ];
        let line = self.catalogue.text(self.id, &values);
        if self.live {
            // Over the line before; what was longer there is cleared.
            eprint!("\r{line}\x1b[K");
            let _flushed = std::io::stderr().flush();
            self.last = Some(Instant::now());
        } else {
            eprintln!("{line}");
        }
    }

    /// Says how it stands, and ends the line that changes.
    pub(crate) fn end(&mut self) {
        if let Some(progress) = self.waiting.take() {
            self.show(progress);
        }
        if self.live && self.last.take().is_some() {
            eprintln!();
        }
    }
}

impl Watch for Shown<'_> {
    fn progressed(&mut self, progress: Progress) {
        if self.is_due(progress) {
            self.show(progress);
        }
    }

    fn gave_up(&mut self, source: &str, error: &SourceError) {
        let complaint = (source.to_owned(), error.clone());
        if self.told.contains(&complaint) {
            return;
        }
        self.told.push(complaint);
        self.end();
        // A refusal carries the source's own words.
        let reason = help::told(self.catalogue.lang(), Some(error.code()), &harmless(&error.to_string()));
        let values = [("source", source.into()), ("reason", reason.into())];
        eprintln!("{}", self.catalogue.text("ledger-gave-up", &values));
    }
}

/// Bytes as people read them: `512 B`, `3.4 kB`, `1.2 MB`.
pub(crate) fn amount(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes.checked_div(unit / 10).unwrap_or(0);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        _ => format!("{} MB", tenths(1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use identity_core::problem::Lang;

    use super::*;

    #[test]
    fn amounts_are_read_at_a_glance() {
        for (bytes, shown) in
            [(0, "0 B"), (999, "999 B"), (1_050, "1.0 kB"), (999_999, "999.9 kB"), (1_250_000, "1.2 MB")]
        {
            assert_eq!(amount(bytes), shown);
        }
    }

    #[test]
    fn without_a_terminal_few_lines_are_written() {
        let catalogue = Catalogue::new(Lang::En);
        let mut shown = Shown { live: false, ..Shown::new(&catalogue, "ledger-catching-up") };
        let due = (0..=1000).filter(|entries| shown.is_due(Progress { entries: *entries, of: 1000, bytes: 0 })).count();
        assert_eq!(due, 11);
        assert!(shown.is_due(Progress { entries: 1000, of: 2000, bytes: 0 }), "another target");
    }
}
