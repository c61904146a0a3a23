//! A file has one subject. Past 800 lines it has two, or it is a table; ask before that.

use std::path::Path;

use super::{Finding, Findings, source};

const MOST_LINES: usize = 800;

pub(crate) fn check(root: &Path) -> Findings {
    let too_long = |file: &source::Source| file.text.lines().count() > MOST_LINES;
    let files = source::rust(root)?;
    Ok(files
        .iter()
        .filter(|file| too_long(file))
        .map(|file| Finding(format!("{}: over {MOST_LINES} lines; split it by subject", file.path)))
        .collect())
}
