//! What things are called: credential types and claims by their metadata, purposes by their register.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use identity_core::problem::Lang;
use identity_core::sd_jwt_vc::{BUILT_IN, TypeMetadata};

use crate::terminal::harmless;

/// The credential types of this release.
static TYPES: LazyLock<BTreeMap<String, TypeMetadata>> = LazyLock::new(|| {
    let read = BUILT_IN.iter().filter_map(|known| TypeMetadata::parse(known.metadata.as_bytes()).ok());
    read.map(|metadata| (metadata.vct.clone(), metadata)).collect()
});

/// What a credential type is called; its own name if it is none of this release.
#[must_use]
pub fn of_type(vct: &str, lang: Lang) -> String {
    harmless(TYPES.get(vct).and_then(|known| known.name(locale(lang))).unwrap_or(vct))
}

/// Every credential type of this release by its exact name, and what it is called.
pub fn all_types(lang: Lang) -> impl Iterator<Item = (&'static str, String)> {
    TYPES.keys().map(move |vct| (vct.as_str(), of_type(vct, lang)))
}

/// What a purpose is called; its code if the register does not have it.
#[must_use]
pub fn of_purpose(code: &str, lang: Lang) -> String {
    harmless(identity_core::purpose::name(code, lang).unwrap_or(code))
}

fn locale(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    }
}
