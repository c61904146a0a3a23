//! The pure rooms never read clock, disk, network, environment or chance: a verdict must replay from its arguments
//! alone. The arrows keep worldly libraries out; this rule keeps out what the standard library offers.

use std::path::Path;

use super::{Finding, Findings, arrows, source};

/// What is banned, and what stands in for it.
const BANNED: [(&str, &str); 16] = [
    ("SystemTime", "take `now` as an argument"),
    ("Instant::", "take `now` as an argument"),
    ("std::fs", "take the bytes as an argument"),
    ("File::", "take the bytes as an argument"),
    ("std::net", "return what is to be fetched (Ready or Fetch)"),
    ("std::env", "take the setting as an argument"),
    ("std::process", "return a value"),
    ("std::thread", "let the caller decide on threads"),
    ("rand::rng(", "take `rng` as an argument"),
    ("thread_rng", "take `rng` as an argument"),
    ("from_entropy", "take `rng` as an argument"),
    ("OsRng", "take `rng` as an argument"),
    ("SysRng", "take `rng` as an argument"),
    ("println!", "return a value"),
    ("eprintln!", "return a value"),
    ("option_env!(", "take the setting as an argument"),
];

pub(crate) fn check(root: &Path) -> Findings {
    let mut findings = Vec::new();
    for file in source::rust(root)? {
        let room = file.path.split('/').next().unwrap_or_default();
        if !arrows::is_pure(room) || !file.path.contains("/src/") {
            continue;
        }
        for (number, line) in file.production_lines() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some((what, instead)) = BANNED.iter().find(|(what, _)| contains_word(code, what)) {
                findings.push(Finding(format!("{}:{number}: `{what}` in a pure room; {instead}", file.path)));
            }
        }
    }
    Ok(findings)
}

/// Whether `what` stands in `code` and is not the tail of a longer name (`option_env!(` is not `env!(`).
fn contains_word(code: &str, what: &str) -> bool {
    code.match_indices(what).any(|(at, _)| {
        let before = code.get(..at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::contains_word;

    #[test]
    fn a_banned_word_counts_only_as_a_whole() {
        assert!(contains_word("let now = SystemTime::now();", "SystemTime"));
        assert!(!contains_word("struct FakeSystemTime;", "SystemTime"));
        assert!(!contains_word("LogFile::open()", "File::"));
    }
}
