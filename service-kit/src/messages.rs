//! What a citizen or an official reads in the terminal, in English and 简体中文, from one catalogue.
//!
//! The texts are data (`schemas/messages/*.ftl`, Project Fluent); both files have the same messages with the same
//! variables, and a test keeps it so.

use std::env;

pub use fluent_bundle::FluentValue as Value;
use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
pub use identity_core::problem::Lang;
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = include_str!("../../schemas/messages/en.ftl");
const CHINESE: &str = include_str!("../../schemas/messages/zh-CN.ftl");

/// The messages of one language.
pub struct Catalogue {
    lang: Lang,
    bundle: FluentBundle<FluentResource>,
}

impl Catalogue {
    /// The catalogue of `lang`.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        let (source, tag) = match lang {
            Lang::En => (ENGLISH, "en"),
            Lang::Zh => (CHINESE, "zh-CN"),
        };
        // A message that does not parse is left out here, and the tests refuse such a file.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let locale: LanguageIdentifier = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Isolation marks are invisible, but not to scripts and to people who copy an address from a terminal.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { lang, bundle }
    }

    /// Its language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The message `id` with `values` put in: `text("wallet-received", &[("name", name.into())])`. A message that
    /// does not exist gives its id, so that a slip shows and breaks nothing.
    #[must_use]
    pub fn text(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            args.set((*name).to_owned(), value.clone());
        }
        self.bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }
}

/// The language wanted: by flag (`en`, `zh`), else by `LC_ALL`, `LC_MESSAGES` or `LANG`, else English.
#[must_use]
pub fn language(flag: Option<&str>) -> Lang {
    let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let wanted =
        flag.map(str::to_owned).or_else(|| named("LC_ALL").or_else(|| named("LC_MESSAGES")).or_else(|| named("LANG")));
    of_locale(wanted.as_deref().unwrap_or_default())
}

fn of_locale(locale: &str) -> Lang {
    if locale.to_ascii_lowercase().starts_with("zh") { Lang::Zh } else { Lang::En }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Message ids with the variables each uses, by a plain reading of the file.
    fn outline(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut outline: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let starts = line.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
            if let (true, Some((id, _))) = (starts, line.split_once('=')) {
                current = id.trim().to_owned();
                assert!(outline.insert(current.clone(), BTreeSet::new()).is_none(), "{current} stands twice");
            }
            for part in line.split('$').skip(1) {
                let name: String =
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
                outline.get_mut(&current).unwrap().insert(name);
            }
        }
        outline
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let (english, chinese) = (outline(ENGLISH), outline(CHINESE));
        for id in english.keys() {
            assert!(chinese.contains_key(id), "zh-CN.ftl lacks {id}");
            assert_eq!(english[id], chinese[id], "variables of {id} differ");
        }
        assert!(chinese.keys().all(|id| english.contains_key(id)), "en.ftl lacks something");
    }

    #[test]
    fn both_files_parse_and_every_message_has_a_text() {
        for (source, lang) in [(ENGLISH, Lang::En), (CHINESE, Lang::Zh)] {
            FluentResource::try_new(source.to_owned()).map(|_| ()).map_err(|(_, errors)| errors).unwrap();
            let catalogue = Catalogue::new(lang);
            for id in outline(source).keys() {
                assert_ne!(catalogue.text(id, &[]), *id);
            }
        }
    }

    #[test]
    fn a_locale_names_a_language() {
        assert_eq!(of_locale("zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(of_locale("zh"), Lang::Zh);
        assert_eq!(of_locale("en_GB.UTF-8"), Lang::En);
        assert_eq!(of_locale("C"), Lang::En);
        assert_eq!(language(Some("zh")), Lang::Zh);
    }

    #[test]
    fn an_unknown_message_shows_its_id() {
        assert_eq!(Catalogue::new(Lang::En).text("no-such-message", &[]), "no-such-message");
    }
}
