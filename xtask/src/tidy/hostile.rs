//! `conformance/hostile.toml` answers for every clause of the project's list of hostile inputs: the tests that show it
//! survived, or the room that will meet it and why not yet. Named tests must exist. Where the list itself stands beside
//! the project, a clause in neither is a finding.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::{Finding, Findings, source};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    input: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The clause, word for word.
    says: String,
    /// `file::test_function` of each test that meets it.
    #[serde(default)]
    tests: Vec<String>,
    /// The room or issue that will meet it (or the rest of it), and why not here.
    later: Option<String>,
}

pub(crate) fn check(root: &Path) -> Findings {
    let path = root.join("conformance/hostile.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let table: Table = toml::from_str(&text).context("parsing conformance/hostile.toml")?;
    let sources = source::read_all(root, "", &["rs", "py", "mjs", "sh"])?;
    let mut findings = Vec::new();
    for input in &table.input {
        if input.tests.is_empty() && input.later.as_deref().is_none_or(str::is_empty) {
            findings.push(Finding(format!("«{}» names neither a test nor a reason", input.says)));
        }
        for test in input.tests.iter().filter(|test| !exists(&sources, test)) {
            findings.push(Finding(format!("«{}» names {test}, which does not exist", input.says)));
        }
    }
    let answered: HashSet<String> = table.input.iter().map(|input| plain(&input.says)).collect();
    if let Ok(list) = std::fs::read_to_string(root.join("../shared/hostile-inputs.md")) {
        let missing = clauses(&list).into_iter().filter(|clause| !answered.contains(&plain(clause)));
        findings.extend(missing.map(|clause| Finding(format!("«{clause}» is answered nowhere"))));
    }
    Ok(findings)
}

/// Whether `path/to/file.rs::name` names a test function in that file (Rust), or a named case in a script.
fn exists(sources: &[source::Source], test: &str) -> bool {
    let Some((path, name)) = test.split_once("::") else { return false };
    sources.iter().filter(|file| file.path == path).any(|file| {
        let function = format!("fn {name}(");
        if path.ends_with(".rs") { file.text.contains(&function) } else { file.text.contains(name) }
    })
}

/// The clauses of the list, split at semicolons. Headings (`# …`, and an unindented line without a colon) and the facts
/// about the platform at the end are no inputs.
fn clauses(list: &str) -> Vec<String> {
    let inputs = list.split("## Facts of the platform").next().unwrap_or_default();
    let is_heading = |line: &&str| line.starts_with('#') || (!line.starts_with(' ') && !line.contains(':'));
    let clauses = inputs.lines().filter(|line| !is_heading(line)).flat_map(|line| line.split(';'));
    clauses.map(|clause| clause.trim().trim_end_matches('.').to_owned()).filter(|clause| !clause.is_empty()).collect()
}

/// Two clauses are the same if they differ in spaces only.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::clauses;

    #[test]
    fn a_list_falls_into_clauses() {
        let list = "# Title\nFormats\nJWT: alg none; crit unknown\n\n Wallet: bit flips.\n## Facts of the platform\nnot an input";
        assert_eq!(clauses(list), ["JWT: alg none", "crit unknown", "Wallet: bit flips"]);
    }
}
