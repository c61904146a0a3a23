//! Names of types and claims in the reader's language, from the type metadata in `schemas/credential/`.
//!
//! A type that is not built in is shown by its own names, made harmless: nothing is fetched to make a stranger's
//! credential look official.

use crate::{meaning::meaning, ui::Ui};
use identity_core::{
    datatype::Datum,
    problem::Lang,
    sd_jwt::{ClaimPath, HeldSdJwt, Segment},
    sd_jwt_vc::{BUILT_IN, TypeError, TypeMetadata, type_metadata::ClaimMetadata},
};
use serde_json::Value;
use service_kit::terminal::harmless;
use std::sync::LazyLock;

static TYPES: LazyLock<Vec<BuiltIn>> =
    LazyLock::new(|| BUILT_IN.iter().filter_map(|known| BuiltIn::read(known.metadata)).collect());

/// A type whose metadata is part of this program.
#[derive(Debug)]
struct BuiltIn {
    metadata: TypeMetadata,
    /// The kind of each claim's value, by the claims' order: a member of ours that the format does not know.
    data: Vec<Option<Datum>>,
}

impl BuiltIn {
    fn read(file: &str) -> Option<Self> {
        let metadata = TypeMetadata::parse(file.as_bytes()).ok()?;
        let raw: Value = serde_json::from_str(file).ok()?;
        let datum = |claim: &Value| Datum::from_name(claim.get("datum")?.as_str()?);
        Some(Self { metadata, data: raw.get("claims")?.as_array()?.iter().map(datum).collect() })
    }
}

fn built_in(vct: &str) -> Option<&'static BuiltIn> {
    TYPES.iter().find(|known| known.metadata.vct == vct)
}

/// Holds a credential that was just received against the rules of its type, where the type is built in.
///
/// # Errors
/// [`TypeError`]: a mandatory claim missing, or one disclosable that must not be, or the other way round.
pub fn check_type(vct: &str, held: &HeldSdJwt) -> Result<(), TypeError> {
    built_in(vct).map_or(Ok(()), |known| known.metadata.check_issued(held))
}

/// The texts of one credential type.
#[derive(Debug, Clone, Copy)]
pub struct TypeText<'a> {
    vct: &'a str,
    known: Option<&'static BuiltIn>,
}

impl<'a> TypeText<'a> {
    /// The texts of the type named `vct`.
    #[must_use]
    pub fn of(vct: &'a str) -> Self {
        Self { vct, known: built_in(vct) }
    }

    /// The type's name.
    #[must_use]
    pub fn name(&self, lang: Lang) -> String {
        let name = self.known.and_then(|known| known.metadata.name(locale(lang)));
        name.map_or_else(|| harmless(self.vct), str::to_owned)
    }

    /// A claim's name.
    #[must_use]
    pub fn label(&self, path: &ClaimPath, lang: Lang) -> String {
        let label = self.known.and_then(|known| known.metadata.label(path, locale(lang)));
        label.map_or_else(|| spelled_out(path), str::to_owned)
    }

    /// Where a claim stands among the type's; those it does not name come last.
    #[must_use]
    pub fn position(&self, path: &ClaimPath) -> usize {
        let about =
            |claim: &ClaimMetadata| claim.path.segments().len() == path.segments().len() && claim.path.covers(path);
        let claims = self.known.map(|known| known.metadata.claims.as_slice()).unwrap_or_default();
        claims.iter().position(about).unwrap_or(usize::MAX)
    }

    /// A claim's value in words: codes by their meaning, everything else as it is.
    #[must_use]
    pub fn value(&self, path: &ClaimPath, value: &Value, ui: &Ui) -> String {
        let datum = self.known.and_then(|known| *known.data.get(self.position(path))?);
        let meaning = value.as_str().and_then(|code| meaning(datum?, code, ui.lang()));
        match (meaning, value) {
            (Some(meaning), _) => meaning.to_owned(),
            (None, Value::String(text)) => harmless(text),
            (None, Value::Bool(true)) => ui.text("wallet-yes", &[]),
            (None, Value::Bool(false)) => ui.text("wallet-no", &[]),
            (None, other) => harmless(&other.to_string()),
        }
    }
}

fn locale(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    }
}

/// A path in our own writing: `address.region`, `scope[2]`.
#[must_use]
pub fn spelled_out(path: &ClaimPath) -> String {
    let mut text = String::new();
    for segment in path.segments() {
        match segment {
            Segment::Name(name) if text.is_empty() => text.push_str(name),
            Segment::Name(name) => text.extend([".", name]),
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
            Segment::Every => text.push_str("[]"),
        }
    }
    harmless(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESIDENT: &str = "urn:xinfu:credential:resident-identity:1";

    #[test]
    fn built_in_types_have_names_in_both_languages() {
        let text = TypeText::of(RESIDENT);
        assert_eq!((text.name(Lang::Zh).as_str(), text.name(Lang::En).as_str()), ("居民身份信息", "Resident identity"));
        let region = ClaimPath::top("address").member("region");
        assert_eq!(text.label(&region, Lang::Zh), "住址所在地区");
        let item = ClaimPath::top("scope").element(3);
        assert_eq!(TypeText::of("urn:xinfu:credential:business-licence:1").label(&item, Lang::Zh), "经营范围项目");
        assert_eq!(TYPES.len(), BUILT_IN.len());
        for known in TYPES.iter() {
            for claim in &known.metadata.claims {
                for lang in [Lang::En, Lang::Zh] {
                    let label = TypeText::of(&known.metadata.vct).label(&claim.path, lang);
                    assert_eq!(lang == Lang::Zh, !label.is_ascii(), "{label}");
                }
            }
        }
    }

    #[test]
    fn a_strange_type_is_shown_by_its_own_names_made_harmless() {
        let text = TypeText::of("urn:strange\u{1b}[2J");
        assert_eq!(text.name(Lang::En), "urn:strange�[2J");
        assert_eq!(text.label(&ClaimPath::top("a\u{202e}").element(2), Lang::Zh), "a�[2]");
    }

    #[test]
    fn codes_are_shown_by_their_meaning() {
        let (en, zh) = (Ui::new(Lang::En, false), Ui::new(Lang::Zh, false));
        let text = TypeText::of(RESIDENT);
        let value = |name: &str, value: Value, ui: &Ui| text.value(&ClaimPath::top(name), &value, ui);
        assert_eq!(value("sex", "2".into(), &zh), "女");
        assert_eq!(value("ethnicity", "01".into(), &en), "Han");
        assert_eq!(value("age_over_18", true.into(), &zh), "是");
        assert_eq!(value("name", "样本甲".into(), &en), "样本甲");
        assert_eq!(value("name", "x\u{1b}c".into(), &en), "x�c");
    }
}
