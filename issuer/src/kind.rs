//! The credential types that an issuer can issue: their metadata, what a table's row becomes, what is concealed.

use std::collections::BTreeMap;

use identity_core::crypto::Alg;
use identity_core::datatype::SubjectShape;
use identity_core::oid4vci::metadata::{
    ClaimDescription, CredentialConfiguration, CredentialMetadata, Display, FORMAT, ProofType,
};
use identity_core::sd_jwt::{ClaimPath, Concealment, HashAlg};
use serde::Deserialize;
use serde_json::Value;

/// Decoy digests inside a nested object whose members are concealed: fewer members, fewer decoys.
const DECOYS_INSIDE: usize = 2;

/// The types, by the name that configuration and offers use, with the exact bytes of their metadata.
const SOURCES: [(&str, &str); 2] = [
    ("resident-identity", include_str!("../../schemas/credential/resident-identity.json")),
    ("business-licence", include_str!("../../schemas/credential/business-licence.json")),
];

/// The metadata's exact bytes: their digest stands on the ledger.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

/// The names there are.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, _)| *name)
}

/// One credential type.
#[derive(Debug)]
pub(crate) struct Kind {
    pub vct: String,
    pub shape: SubjectShape,
    pub concealment: Concealment,
    pub configuration: CredentialConfiguration,
}

#[derive(Deserialize)]
struct Metadata {
    vct: String,
    display: Vec<Named>,
    claims: Vec<Claim>,
}

#[derive(Deserialize)]
struct Named {
    locale: String,
    name: String,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Claim {
    path: ClaimPath,
    #[serde(default)]
    display: Vec<Labelled>,
    #[serde(default)]
    mandatory: bool,
    #[serde(default)]
    sd: Disclosure,
}

#[derive(Deserialize)]
struct Labelled {
    locale: String,
    label: String,
    description: Option<String>,
}

/// Whether a claim may be concealed (SD-JWT VC, claim selective disclosure metadata).
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
enum Disclosure {
    Always,
    #[default]
    Allowed,
    Never,
}

impl Kind {
    /// Reads the type `name`; `None` if there is no such type or its metadata is not what this service can issue.
    pub(crate) fn read(name: &str, algorithm: Alg, decoys: usize) -> Option<Self> {
        let value: Value = serde_json::from_str(source(name)?).ok()?;
        let shape = SubjectShape::from_metadata(&value)?;
        let metadata: Metadata = serde_json::from_value(value).ok()?;
        Some(Self {
            concealment: conceal(&metadata.claims, decoys),
            configuration: configuration(name, &metadata, algorithm),
            vct: metadata.vct,
            shape,
        })
    }
}

/// What may be concealed is: the holder decides what leaves.
fn conceal(claims: &[Claim], decoys: usize) -> Concealment {
    let mut concealment = Concealment::new(HashAlg::Sha256).decoys(decoys);
    for claim in claims.iter().filter(|claim| claim.sd != Disclosure::Never) {
        concealment = concealment.conceal(&claim.path);
        let has_members = claims.iter().any(|other| other.path != claim.path && claim.path.covers(&other.path));
        let holds_list = claims.iter().any(|other| other.path == claim.path.clone().every());
        if decoys > 0 && has_members && !holds_list {
            concealment = concealment.decoys_at(&claim.path, DECOYS_INSIDE);
        }
    }
    concealment
}

fn configuration(name: &str, metadata: &Metadata, algorithm: Alg) -> CredentialConfiguration {
    let algorithms = Alg::ALL.iter().map(|alg| alg.name().to_owned()).collect();
    let proof = ProofType { proof_signing_alg_values_supported: algorithms };
    CredentialConfiguration {
        format: FORMAT.to_owned(),
        vct: metadata.vct.clone(),
        scope: Some(name.to_owned()),
        cryptographic_binding_methods_supported: ["jwk", "did:key", "did:jwk"].map(str::to_owned).to_vec(),
        credential_signing_alg_values_supported: vec![algorithm.name().to_owned()],
        proof_types_supported: Some(BTreeMap::from([("jwt".to_owned(), proof)])),
        credential_metadata: Some(CredentialMetadata {
            display: metadata.display.iter().map(Named::to_display).collect(),
            claims: metadata.claims.iter().map(Claim::describe).collect(),
        }),
    }
}

impl Named {
    fn to_display(&self) -> Display {
        Display {
            name: Some(self.name.clone()),
            locale: Some(self.locale.clone()),
            description: self.description.clone(),
        }
    }
}

impl Claim {
    fn describe(&self) -> ClaimDescription {
        let path = serde_json::to_value(&self.path).ok();
        let display = self.display.iter().map(|label| Display {
            name: Some(label.label.clone()),
            locale: Some(label.locale.clone()),
            description: label.description.clone(),
        });
        ClaimDescription {
            path: path.and_then(|path| path.as_array().cloned()).unwrap_or_default(),
            mandatory: Some(self.mandatory),
            display: display.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_can_be_issued() {
        for name in names() {
            let kind = Kind::read(name, Alg::EdDsa, 4).unwrap();
            assert!(kind.vct.contains(name));
            assert!(kind.configuration.credential_metadata.unwrap().claims.len() > 10);
        }
        assert!(Kind::read("driving-licence", Alg::EdDsa, 4).is_none());
    }
}
