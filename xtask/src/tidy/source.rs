//! Reading the workspace's own sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A source file and its text.
pub(crate) struct Source {
    /// Path from the workspace's root, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl Source {
    /// Whether the whole file is test code by its place: `tests.rs`, `tests/…`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The numbered lines before the first `#[cfg(test)]` module: by our own habit tests stand last in a file.
    pub(crate) fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = if self.is_test() { "" } else { self.text.as_str() };
        (1..).zip(all.lines()).take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
    }
}

/// Every file with one of `extensions` under `folder`, sorted by path; build output and hidden folders are left out.
pub(crate) fn read_all(root: &Path, folder: &str, extensions: &[&str]) -> anyhow::Result<Vec<Source>> {
    let mut found = Vec::new();
    walk(&root.join(folder), extensions, &mut found)?;
    found.sort();
    found.into_iter().map(|path| read(root, &path)).collect()
}

/// Every Rust file of the workspace.
pub(crate) fn rust(root: &Path) -> anyhow::Result<Vec<Source>> {
    read_all(root, "", &["rs"])
}

fn read(root: &Path, path: &Path) -> anyhow::Result<Source> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let short = path.strip_prefix(root).unwrap_or(path);
    Ok(Source { path: short.to_string_lossy().replace('\\', "/"), text })
}

fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                walk(&path, extensions, found)?;
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|wanted| e == *wanted)) {
            found.push(path);
        }
    }
    Ok(())
}
