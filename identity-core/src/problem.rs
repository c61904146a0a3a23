//! The closed list of refusal codes, with status, title and remedy in English and 简体中文.
//!
//! The list is data, `schemas/problems.toml`; [`Code`] is generated from it. Every error enum of this crate
//! maps to it by an exhaustive `fn code(&self) -> Code`, so the code a caller sees never depends on the wire.

include!(concat!(env!("OUT_DIR"), "/problem_code.rs"));

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// 简体中文.
    Zh,
}

struct Row {
    code: &'static str,
    status: u16,
    title: [&'static str; 2],
    remedy: [&'static str; 2],
}

impl Code {
    /// The dotted name, such as `credential.status.revoked`. Stable: never reused for something else.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The HTTP status on our own API. Protocol endpoints have their own rules.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// What happened, in one sentence that never carries a value from the input.
    #[must_use]
    pub const fn title(self, lang: Lang) -> &'static str {
        let [en, zh] = self.row().title;
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// What the reader does now.
    #[must_use]
    pub const fn remedy(self, lang: Lang) -> &'static str {
        let [en, zh] = self.row().remedy;
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// The code with this dotted name, if the catalogue has it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Lang};

    #[test]
    fn every_code_is_found_by_its_name_and_says_something_in_both_languages() {
        for code in Code::ALL.iter().copied() {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert_ne!(code.title(Lang::En), code.title(Lang::Zh));
            assert_ne!(code.remedy(Lang::En), code.remedy(Lang::Zh));
            assert!((400..600).contains(&code.status()));
        }
        assert_eq!(Code::parse("no.such.code"), None);
    }
}
