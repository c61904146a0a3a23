//! Citizens and officials read English or Chinese: the two message files have the same ids with the same variables,
//! and every id is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;

use super::{Finding, Findings, source};

type Messages = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn check(root: &Path) -> Findings {
    let read = |name: &str| -> anyhow::Result<Messages> {
        let path = root.join("schemas/messages").join(name);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(parse(&text))
    };
    let (english, chinese) = (read("en.ftl")?, read("zh-CN.ftl")?);
    let sources = source::rust(root)?;
    let mut findings = Vec::new();
    for (id, variables) in &english {
        match chinese.get(id) {
            None => findings.push(Finding(format!("zh-CN.ftl lacks `{id}`"))),
            Some(others) if others != variables => {
                findings.push(Finding(format!("`{id}` has other variables in zh-CN.ftl than in en.ftl")));
            }
            Some(_) => {}
        }
        if !is_used(&sources, id) {
            findings.push(Finding(format!("`{id}` is used nowhere; remove it or use it")));
        }
    }
    findings.extend(
        chinese.keys().filter(|id| !english.contains_key(*id)).map(|id| Finding(format!("en.ftl lacks `{id}`"))),
    );
    Ok(findings)
}

/// An id is used when it stands quoted in a source, or when a source builds it from a quoted beginning that ends with
/// a hyphen and a placeholder (`"devnet-step-{}"`).
fn is_used(sources: &[source::Source], id: &str) -> bool {
    let whole = format!("\"{id}\"");
    let beginnings: Vec<String> =
        id.match_indices('-').filter_map(|(at, _)| id.get(..=at)).map(|head| format!("\"{head}{{")).collect();
    sources.iter().any(|file| file.text.contains(&whole) || beginnings.iter().any(|head| file.text.contains(head)))
}

/// The ids of a Fluent file, each with the variables of its text and attributes.
fn parse(text: &str) -> Messages {
    let mut messages = Messages::new();
    let mut current: Option<String> = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            current = line.split_once('=').map(|(id, _)| id.trim().to_owned());
        }
        if let Some(id) = &current {
            messages.entry(id.clone()).or_default().extend(variables(line));
        }
    }
    messages
}

fn variables(line: &str) -> impl Iterator<Item = String> {
    line.split('$')
        .skip(1)
        .map(|tail| tail.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ids_and_variables_are_found_over_several_lines() {
        let messages = parse("# comment\nroom-hello = Hello { $name },\n    from { $place }\nroom-bye = Bye\n");
        assert_eq!(messages.len(), 2);
        assert_eq!(messages["room-hello"].iter().collect::<Vec<_>>(), ["name", "place"]);
    }
}
