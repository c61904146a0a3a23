//! Outside vectors, the table of hostile inputs, frozen formats: tests only.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file of the outside vectors, which live in `shared/vectors` beside the project and are not copied into it.
///
/// `None`, said plainly on stderr, where they are not present: a checkout alone is enough to build and test.
#[must_use]
pub fn vectors(path: &str) -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = project.ancestors().map(|folder| folder.join("shared/vectors").join(path)).find(|file| file.exists());
    if found.is_none() {
        ignored(&format!("shared/vectors/{path} is not here; its test checked nothing"));
    }
    found
}

/// Says that a test passes without having checked what it is for, and why. Written past the capture of tests that pass, so that
/// people and `.ci/run` see it.
pub fn ignored(why: &str) {
    let _unwritable = writeln!(std::io::stderr(), "IGNORED: {why}");
}

/// As [`vectors`], read as JSON.
///
/// # Panics
/// If the file is there but cannot be read.
#[must_use]
#[expect(clippy::panic, reason = "a vector file that cannot be read must fail the test that wants it")]
pub fn json_vectors(path: &str) -> Option<Value> {
    let file = vectors(path)?;
    let value = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Some(value.unwrap_or_else(|| panic!("{} cannot be read", file.display())))
}

/// Bytes written as hexadecimal digits, as the suites have them; nothing for anything else.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<_>>().unwrap_or_default()
}
