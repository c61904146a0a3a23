//! Why a step of "check a file" does not hold: the script's own sentences, which the page says in the reader's language.
//!
//! The script is the only place where they are listed. It writes each as ``why`…` ``, with values as `${{ name: … }}`, and
//! calls it by its letters and digits; so does this.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::asset::CHECKER;

/// What the script's sentences are called in the catalogue, each with the sentence in the catalogue's spelling of values.
pub(super) static REASONS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let sentences = CHECKER.split("why`").skip(1).filter_map(|rest| Some(rest.split_once('`')?.0));
    sentences.map(|sentence| (id(&filled(sentence, |name| name.to_owned())), filled(sentence, variable))).collect()
});

fn id(words: &str) -> String {
    let parts = words.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    format!("console-check-why-{}", parts.collect::<Vec<_>>().join("-").to_ascii_lowercase())
}

fn variable(name: &str) -> String {
    format!("{{ ${name} }}")
}

/// A sentence with something in the place of each value.
fn filled(sentence: &str, fill: impl Fn(&str) -> String) -> String {
    let mut parts = sentence.split("${{");
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (value, rest) = part.split_once("}}").unwrap_or((part, ""));
        let name = value.trim().split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        words.push_str(&fill(name));
        words.push_str(rest);
    }
    words
}

#[cfg(test)]
mod tests {
    use service_kit::messages::{Catalogue, Lang, Value};

    use super::super::check::VALUES;
    use super::*;

    #[test]
    fn both_languages_have_every_reason_and_english_says_what_the_script_says() {
        let values: Vec<(&str, Value<'_>)> = VALUES.map(|(name, _)| (name, format!("{{ ${name} }}").into())).into();
        let [english, chinese] = [Lang::En, Lang::Zh].map(Catalogue::new);
        assert!(REASONS.len() > 100, "{} reasons were found in the script", REASONS.len());
        for (id, sentence) in REASONS.iter() {
            let (said, theirs) = (english.text(id, &values), chinese.text(id, &values));
            assert!(said.eq_ignore_ascii_case(sentence), "{id} = {said}: the script says \"{sentence}\"");
            assert!(!theirs.is_ascii(), "{id} = {theirs}");
        }
    }
}
