//! The register of purposes: what a purpose's code is called, in both languages (`schemas/purposes.json`).
//!
//! A code that is not in the register may be accredited and asked for all the same; people then read the code.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::problem::Lang;

const FILE: &str = include_str!("../../schemas/purposes.json");

static REGISTER: LazyLock<Vec<Entry>> =
    LazyLock::new(|| serde_json::from_str::<Register>(FILE).map(|register| register.purposes).unwrap_or_default());

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    purposes: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    en: String,
    zh: String,
}

/// What the purpose with this code is called; `None` if the register does not have it.
#[must_use]
pub fn name(code: &str, lang: Lang) -> Option<&'static str> {
    let entry = REGISTER.iter().find(|entry| entry.code == code)?;
    Some(match lang {
        Lang::En => &entry.en,
        Lang::Zh => &entry.zh,
    })
}

/// Every code of the register.
pub fn codes() -> impl Iterator<Item = &'static str> {
    REGISTER.iter().map(|entry| entry.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oid4vp::request::is_purpose;

    #[test]
    fn each_purpose_has_one_code_and_two_names() {
        assert!(REGISTER.len() >= 10, "the register is read");
        for entry in REGISTER.iter() {
            assert!(is_purpose(&entry.code) && !entry.en.is_empty() && !entry.zh.is_empty(), "{}", entry.code);
            assert_eq!(REGISTER.iter().filter(|other| other.code == entry.code).count(), 1, "{}", entry.code);
        }
        assert_eq!(name("age-check", Lang::Zh), Some("年龄核验"));
        assert_eq!(name("no-such-purpose", Lang::En), None);
    }
}
