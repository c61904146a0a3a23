//! The credential types of this release: the one list that issuers, wallets, verifiers and the devnet read.
//!
//! A name is what configuration files and offers use; the metadata are the exact bytes whose digest the ledger has.

/// A credential type of this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInType {
    /// The name in configurations and offers.
    pub name: &'static str,
    /// The file of its metadata, byte for byte.
    pub metadata: &'static str,
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(BuiltInType {
            name: $name,
            metadata: include_str!(concat!("../../../schemas/credential/", $name, ".json")),
        }),*]
    };
}

/// All of them.
pub const BUILT_IN: &[BuiltInType] = built_in![
    "resident-identity",
    "residence-permit",
    "social-insurance",
    "degree",
    "business-licence",
    "e-licence",
    "official-duty",
];

impl BuiltInType {
    /// The type of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|known| known.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::datatype::{Datum, SubjectShape};
    use crate::sd_jwt_vc::TypeMetadata;

    #[test]
    fn each_type_is_named_after_its_file_and_can_be_issued_and_shown() {
        for BuiltInType { name, metadata } in BUILT_IN {
            let read = TypeMetadata::parse(metadata.as_bytes()).unwrap();
            assert_eq!(read.vct, format!("urn:xinfu:credential:{name}:1"));
            let raw: Value = serde_json::from_str(metadata).unwrap();
            assert!(SubjectShape::from_metadata(&raw).unwrap().columns().count() > 8, "{name}");
            for locale in ["zh-CN", "en"] {
                assert!(read.name(locale).is_some(), "{name}");
                for claim in &read.claims {
                    assert!(read.label(&claim.path, locale).is_some(), "{name} {:?} {locale}", claim.path);
                }
            }
        }
    }

    #[test]
    fn a_type_is_found_by_its_name() {
        for known in BUILT_IN {
            assert_eq!(BuiltInType::of(known.name), Some(known));
        }
        assert_eq!(BuiltInType::of("resident"), None);
    }

    #[test]
    fn every_kind_of_datum_is_one_that_some_type_has() {
        let of = |metadata: &str| -> Vec<Datum> {
            let raw: Value = serde_json::from_str(metadata).unwrap();
            let claims = raw["claims"].as_array().unwrap().clone();
            claims.iter().filter_map(|claim| Datum::from_name(claim.get("datum")?.as_str()?)).collect()
        };
        let used: BTreeSet<&str> = BUILT_IN.iter().flat_map(|known| of(known.metadata)).map(Datum::name).collect();
        assert_eq!(used, Datum::ALL.into_iter().map(Datum::name).collect());
    }

    #[test]
    fn what_leads_to_a_person_is_never_in_plain_sight() {
        let personal = ["citizen-number", "degree-number", "graduation-number", "licence-identifier", "sha256"];
        for BuiltInType { name, metadata } in BUILT_IN {
            let raw: Value = serde_json::from_str(metadata).unwrap();
            for claim in raw["claims"].as_array().unwrap() {
                let leads = claim.get("datum").and_then(Value::as_str).is_some_and(|datum| personal.contains(&datum));
                assert!(!leads || claim["sd"] == "always", "{name} {}", claim["path"]);
            }
        }
    }
}
