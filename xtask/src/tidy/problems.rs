//! `schemas/problems.toml` is the one list of refusals. The compiler already keeps unknown codes out; this rule keeps
//! out dead ones, empty or doubled texts, and statuses that blame the wrong side.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use toml::Value;

use super::{Finding, Findings, source};

const TEXTS: [&str; 4] = ["en", "zh", "remedy_en", "remedy_zh"];

pub(crate) fn check(root: &Path) -> Findings {
    let text = std::fs::read_to_string(root.join("schemas/problems.toml")).context("reading schemas/problems.toml")?;
    let catalogue: toml::Table = text.parse().context("parsing schemas/problems.toml")?;
    let problems = catalogue.get("problem").and_then(Value::as_array).context("no [[problem]] in the catalogue")?;
    let sources = source::rust(root)?;
    let mut seen = HashSet::new();
    let mut findings = Vec::new();
    for problem in problems {
        let code = problem.get("code").and_then(Value::as_str).context("a [[problem]] without a code")?;
        let mut found = |what: &str| findings.push(Finding(format!("{code}: {what}")));
        if !seen.insert(code) {
            found("stands twice");
        }
        if !is_dotted(code) {
            found("is not dotted lower snake case");
        }
        for key in TEXTS {
            if problem.get(key).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
                found(&format!("has no `{key}`"));
            }
        }
        if !problem.get("status").and_then(Value::as_integer).is_some_and(|status| (400..600).contains(&status)) {
            found("has no HTTP status from 400 to 599");
        }
        let variant = variant(code);
        if !sources.iter().any(|file| mentions(&file.text, &variant)) {
            found("is used nowhere; remove it or use it");
        }
    }
    Ok(findings)
}

fn is_dotted(code: &str) -> bool {
    code.contains('.')
        && code.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
}

/// `credential.status.revoked` is `CredentialStatusRevoked`, as `identity-core/build.rs` writes it.
fn variant(code: &str) -> String {
    code.split(['.', '_'])
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

/// Whether the variant stands in `text` as a whole word; macros name it without its enum.
fn mentions(text: &str, variant: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(variant).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + variant.len()..).and_then(|tail| tail.chars().next());
        !goes_on(before) && !goes_on(after)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_dotted, mentions, variant};

    #[test]
    fn codes_become_variants() {
        assert_eq!(variant("credential.status.not_found"), "CredentialStatusNotFound");
        assert!(is_dotted("a.b_c") && !is_dotted("plain") && !is_dotted("A.b") && !is_dotted("a..b"));
    }

    #[test]
    fn a_longer_name_is_no_use_of_a_shorter_one() {
        assert!(mentions("x => Code::StatusStale,", "StatusStale"));
        assert!(!mentions("x => Code::StatusStaleList,", "StatusStale"));
    }
}
