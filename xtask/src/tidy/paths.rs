//! A document that names a path which is gone sends a newcomer astray: every path in backticks in the documents below
//! must exist.

use std::path::Path;

use super::{Finding, Findings, source};

const DOCUMENTS: [&str; 5] = ["ARCHITECTURE.md", "README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md"];

pub(crate) fn check(root: &Path) -> Findings {
    let mut documents: Vec<source::Source> = source::read_all(root, "docs", &["md"])?;
    for name in DOCUMENTS {
        let text = std::fs::read_to_string(root.join(name)).map_err(|e| anyhow::anyhow!("reading {name}: {e}"))?;
        documents.push(source::Source { path: name.to_owned(), text });
    }
    let mut findings = Vec::new();
    for document in &documents {
        for (number, line) in (1..).zip(document.text.lines()) {
            for path in line.split('`').skip(1).step_by(2).flat_map(named_paths) {
                if !root.join(&path).exists() {
                    findings.push(Finding(format!("{}:{number}: `{path}` does not exist", document.path)));
                }
            }
        }
    }
    Ok(findings)
}

/// The paths that a piece of code text names: `a/{b,c}.rs` names two. Only what starts with one of our own top-level
/// folders counts, so that URLs, routes and module paths are left alone.
fn named_paths(quoted: &str) -> Vec<String> {
    const ROOMS: [&str; 16] = [
        "ledger/",
        "identity-core/",
        "service-kit/",
        "ledger-node/",
        "issuer/",
        "verifier/",
        "wallet-cli/",
        "devnet/",
        "conformance/",
        "bench/",
        "fuzz/",
        "xtask/",
        "docs/",
        "schemas/",
        ".ci/",
        ".cargo/",
    ];
    let is_path = ROOMS.iter().any(|room| quoted.starts_with(room))
        && !quoted.contains(char::is_whitespace)
        && !quoted.contains(['*', '<', '…', ':', '?']);
    if !is_path {
        return Vec::new();
    }
    match (quoted.split_once('{'), quoted.split_once('}')) {
        (Some((head, _)), Some((_, tail))) => {
            let inside = quoted.get(head.len() + 1..quoted.len() - tail.len() - 1).unwrap_or_default();
            inside.split(',').map(|name| format!("{head}{name}{tail}")).collect()
        }
        _ => vec![quoted.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::named_paths;

    #[test]
    fn braces_name_several_paths_and_urls_none() {
        assert_eq!(named_paths("docs/{a,b}.md"), ["docs/a.md", "docs/b.md"]);
        assert_eq!(named_paths("ledger/src/seal.rs"), ["ledger/src/seal.rs"]);
        assert!(named_paths("https://example.test/docs/").is_empty());
        assert!(named_paths("/admin/offers").is_empty());
    }
}
