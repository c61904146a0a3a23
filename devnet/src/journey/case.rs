//! The case that was verified offline, as files for others to judge: what `conformance/verify.py` reads.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context, Result};
use identity_core::time::UnixSeconds;
use service_kit::private_file;

use crate::world::admin::Exported;
use crate::world::layout::Layout;

/// The files that the verifier hands out. Nothing else that it might name is written.
const EXPORTED: [&str; 5] = ["request.jwt", "vp_token.json", "anchors.json", "evidence.json", "type.json"];
/// The trust root, which comes from the founders and not from the verifier.
const TRUST_ROOT: &str = "trust-root.txt";
/// The moment of the verdict in seconds, to be passed as `--now`.
const NOW: &str = "now";

/// Writes the case, in place of an earlier one. Only we can read it: even a sample is treated like a person.
///
/// # Errors
/// A file that the verifier does not hand out, or that cannot be written.
pub(super) fn write(layout: &Layout, exported: &Exported) -> Result<()> {
    let directory = layout.case();
    if directory.exists() {
        std::fs::remove_dir_all(&directory).with_context(|| format!("{} cannot be replaced", directory.display()))?;
    }
    let made = DirBuilder::new().mode(0o700).create(&directory);
    made.with_context(|| format!("{} cannot be made", directory.display()))?;
    for name in EXPORTED {
        let text = exported.files.get(name).with_context(|| format!("the service does not hand out {name}"))?;
        private_file::create(&directory.join(name), text.as_bytes())?;
    }
    let trust_root = layout.trust_root();
    let text = std::fs::read(&trust_root).with_context(|| format!("{} cannot be read", trust_root.display()))?;
    private_file::create(&directory.join(TRUST_ROOT), &text)?;
    // Last: where it stands, the case is whole.
    private_file::create(&directory.join(NOW), format!("{}\n", exported.now.0).as_bytes())?;
    Ok(())
}

/// A file of the case.
///
/// # Errors
/// One that cannot be read.
pub(super) fn file(layout: &Layout, name: &str) -> Result<Vec<u8>> {
    let path = layout.case().join(name);
    Ok(private_file::read(&path).with_context(|| format!("{} cannot be read", path.display()))?.to_vec())
}

/// The moment of the verdict.
///
/// # Errors
/// A case that is not whole.
pub(super) fn now(layout: &Layout) -> Result<UnixSeconds> {
    let text = String::from_utf8(file(layout, NOW)?)?;
    Ok(UnixSeconds(text.trim().parse().context("the moment of the case is no number")?))
}

/// The command, from the project's directory, that judges the case in `directory`; none if no whole case is there.
#[must_use]
pub fn command(directory: &Path) -> Option<String> {
    let now = private_file::read(&directory.join(NOW)).ok()?;
    let now: i64 = std::str::from_utf8(&now).ok()?.trim().parse().ok()?;
    Some(format!("python3 conformance/verify.py {} --now {now}", directory.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn exported(now: i64) -> Exported {
        let files = EXPORTED.iter().chain(&["../elsewhere"]).map(|name| ((*name).to_owned(), "{}".to_owned()));
        Exported { files: files.collect(), now: UnixSeconds(now) }
    }

    #[test]
    fn the_case_is_whole_private_and_replaced() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path(), 1, false);
        std::fs::write(layout.trust_root(), "root").unwrap();
        write(&layout, &exported(6)).unwrap();
        write(&layout, &exported(7)).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&layout.case()), 0o700);
        let files: Vec<_> = std::fs::read_dir(layout.case()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), EXPORTED.len() + 2);
        assert!(files.iter().all(|file| mode(file) == 0o600));
        assert!(command(&layout.case()).unwrap().ends_with("/case --now 7"));
    }

    #[test]
    fn a_missing_file_is_named_and_leaves_no_command() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path(), 1, false);
        let mut exported = exported(7);
        exported.files.remove("anchors.json");
        assert!(write(&layout, &exported).unwrap_err().to_string().contains("anchors.json"));
        assert_eq!(command(&layout.case()), None);
    }
}
