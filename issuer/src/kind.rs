//! The credential types that an issuer can issue: their metadata, what a table's row becomes, what is concealed.

use std::collections::BTreeMap;

use identity_core::crypto::Alg;
use identity_core::datatype::SubjectShape;
use identity_core::oid4vci::metadata::{
    ClaimDescription, CredentialConfiguration, CredentialMetadata, Display, FORMAT, ProofType,
};
use identity_core::sd_jwt::{Concealment, HashAlg};
use identity_core::sd_jwt_vc::type_metadata::{ClaimMetadata, Disclosure, TypeDisplay};
use identity_core::sd_jwt_vc::{BUILT_IN, BuiltInType, TypeMetadata};
use identity_core::status::Bits;

/// Decoy digests inside a nested object whose members are concealed: fewer members, fewer decoys.
const DECOYS_INSIDE: usize = 2;

/// The metadata's exact bytes: their digest stands on the ledger.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    BuiltInType::of(name).map(|known| known.metadata)
}

/// The names there are.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|known| known.name)
}

/// One credential type.
#[derive(Debug)]
pub(crate) struct Kind {
    pub vct: String,
    pub shape: SubjectShape,
    pub concealment: Concealment,
    /// Of its entries in status lists.
    pub status_bits: Bits,
    pub configuration: CredentialConfiguration,
}

impl Kind {
    /// The `vct` of the type `name`, also of one that is no longer issued.
    pub(crate) fn vct_of(name: &str) -> Option<String> {
        TypeMetadata::parse(source(name)?.as_bytes()).ok().map(|metadata| metadata.vct)
    }

    /// Reads the type `name`; `None` if there is no such type or its metadata is not what this service can issue.
    pub(crate) fn read(name: &str, algorithm: Alg, decoys: usize, status_bits: Bits) -> Option<Self> {
        let metadata = TypeMetadata::parse(source(name)?.as_bytes()).ok()?;
        let shape = SubjectShape::from_metadata(&serde_json::from_str(source(name)?).ok()?)?;
        Some(Self {
            concealment: conceal(&metadata.claims, decoys),
            configuration: configuration(name, &metadata, algorithm),
            vct: metadata.vct,
            shape,
            status_bits,
        })
    }
}

/// What may be concealed is: the holder decides what leaves.
fn conceal(claims: &[ClaimMetadata], decoys: usize) -> Concealment {
    let mut concealment = Concealment::new(HashAlg::Sha256).decoys(decoys);
    for claim in claims.iter().filter(|claim| claim.disclosure() != Disclosure::Never) {
        concealment = concealment.conceal(&claim.path);
        let has_members = claims.iter().any(|other| other.path != claim.path && claim.path.covers(&other.path));
        let holds_list = claims.iter().any(|other| other.path == claim.path.clone().every());
        if decoys > 0 && has_members && !holds_list {
            concealment = concealment.decoys_at(&claim.path, DECOYS_INSIDE);
        }
    }
    concealment
}

fn configuration(name: &str, metadata: &TypeMetadata, algorithm: Alg) -> CredentialConfiguration {
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
            display: metadata.display.iter().map(name_of_type).collect(),
            claims: metadata.claims.iter().map(describe).collect(),
        }),
    }
}

fn name_of_type(display: &TypeDisplay) -> Display {
    Display {
        name: Some(display.name.clone()),
        locale: Some(display.locale.clone()),
        description: display.description.clone(),
    }
}

fn describe(claim: &ClaimMetadata) -> ClaimDescription {
    let path = serde_json::to_value(&claim.path).ok();
    let display = claim.display.iter().flatten().map(|display| Display {
        name: Some(display.label.clone()),
        locale: Some(display.locale.clone()),
        description: display.description.clone(),
    });
    ClaimDescription {
        path: path.and_then(|path| path.as_array().cloned()).unwrap_or_default(),
        mandatory: Some(claim.mandatory()),
        display: display.collect(),
    }
}

#[cfg(test)]
mod tests {
    use identity_core::crypto::{SecretKey, Signer as _};
    use identity_core::sd_jwt::{HeldSdJwt, Segment, UnverifiedSdJwt};
    use identity_core::sd_jwt_vc::{self, Credential, Registered};
    use identity_core::time::UnixSeconds;
    use rand::SeedableRng as _;
    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn every_type_can_be_issued() {
        for name in names() {
            let kind = Kind::read(name, Alg::EdDsa, 4, Bits::Two).unwrap();
            assert!(kind.vct.contains(name));
            assert!(kind.configuration.credential_metadata.unwrap().claims.len() >= 10);
        }
        assert!(Kind::read("driving-licence", Alg::EdDsa, 4, Bits::Two).is_none());
    }

    /// Claims that have something at every path of the type.
    fn full(metadata: &TypeMetadata) -> Map<String, Value> {
        let mut claims = json!({});
        for claim in &metadata.claims {
            let mut place = &mut claims;
            for segment in claim.path.segments() {
                place = match segment {
                    Segment::Name(name) => {
                        if !place.is_object() {
                            *place = json!({});
                        }
                        &mut place[name.as_str()]
                    }
                    Segment::Index(_) | Segment::Every => {
                        if !place.is_array() {
                            *place = json!([null]);
                        }
                        &mut place[0]
                    }
                };
            }
            if place.is_null() {
                *place = json!("x");
            }
        }
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn what_is_concealed_follows_the_types_own_rules() {
        for name in names() {
            let kind = Kind::read(name, Alg::EdDsa, 4, Bits::Two).unwrap();
            let metadata = TypeMetadata::parse(source(name).unwrap().as_bytes()).unwrap();
            let signer = SecretKey::from_bytes(Alg::EdDsa, &[1; 32]).unwrap();
            let registered = Registered {
                issuer: "https://issuer.example",
                vct: &kind.vct,
                vct_integrity: None,
                issued_at: UnixSeconds(1),
                not_before: None,
                expires: None,
                holder: None,
                status: None,
            };
            let mut rng = rand::rngs::StdRng::seed_from_u64(1);
            let text =
                sd_jwt_vc::issue(&registered, &full(&metadata), &kind.concealment, "did:key:a#a", &signer, &mut rng);
            let text = text.unwrap();
            let unverified = UnverifiedSdJwt::parse(&text).unwrap();
            let credential = Credential::verify_issued(unverified, signer.public_key()).unwrap();
            metadata.check_issued(&HeldSdJwt::receive(credential.sd_jwt())).unwrap();
        }
    }
}
