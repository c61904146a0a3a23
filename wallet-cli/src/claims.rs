//! The claims of a held credential as a person thinks of them: leaves, without the protocol's own members.

use identity_core::{
    sd_jwt::{ClaimPath, HeldSdJwt, Segment},
    sd_jwt_vc::NEVER_DISCLOSABLE,
};
use serde_json::Value;

/// Every leaf claim with its value, in the order of the payload. Left out are only the members about the credential itself
/// that a subject's data cannot come as: those that are never disclosures, and `iat` unless it is one.
#[must_use]
pub fn leaves(held: &HeldSdJwt) -> Vec<(ClaimPath, &Value)> {
    let is_disclosable = |name: &str| held.disclosable().any(|path| path.top_name() == Some(name));
    let is_technical = |name: &str| NEVER_DISCLOSABLE.contains(&name) || name == "iat" && !is_disclosable(name);
    let mut found = Vec::new();
    for (name, value) in held.claims().iter().filter(|(name, _)| !is_technical(name)) {
        walk(vec![Segment::Name(name.clone())], value, &mut found);
    }
    found
}

fn walk<'v>(path: Vec<Segment>, value: &'v Value, found: &mut Vec<(ClaimPath, &'v Value)>) {
    let deeper = |segment| path.iter().cloned().chain([segment]).collect::<Vec<_>>();
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, inner) in members {
                walk(deeper(Segment::Name(name.clone())), inner, found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (inner, index) in items.iter().zip(0..) {
                walk(deeper(Segment::Index(index)), inner, found);
            }
        }
        leaf => found.extend(ClaimPath::new(path).ok().map(|path| (path, leaf))),
    }
}

/// Which leaf claims leave when exactly `disclosed` is disclosed, and which stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What the other side gets to see.
    pub leaves: Vec<ClaimPath>,
    /// What it does not.
    pub stays: Vec<ClaimPath>,
    /// What of the former the other side sees whatever is disclosed.
    pub always: Vec<ClaimPath>,
}

/// Splits a credential's leaf claims. A leaf leaves if every disclosable claim around it is disclosed, and always if there
/// is none.
#[must_use]
pub fn split(held: &HeldSdJwt, disclosed: &[&ClaimPath]) -> Split {
    let concealed: Vec<&ClaimPath> = held.disclosable().filter(|path| !disclosed.contains(path)).collect();
    let all = leaves(held).into_iter().map(|(path, _)| path);
    let (stays, leaves): (Vec<_>, Vec<_>) = all.partition(|leaf| concealed.iter().any(|path| path.covers(leaf)));
    let is_plain = |leaf: &&ClaimPath| !held.disclosable().any(|path| path.covers(leaf));
    let always = leaves.iter().filter(is_plain).cloned().collect();
    Split { leaves, stays, always }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_core::{
        crypto::{Alg, SecretKey, Signer as _},
        kb_jwt::Confirmation,
        sd_jwt::{Concealment, HashAlg},
        sd_jwt_vc::{self, Registered},
        time::UnixSeconds,
    };
    use rand::{SeedableRng as _, rngs::StdRng};
    use serde_json::json;
    use std::collections::BTreeSet;

    fn held(subject: &Value, concealed: &[&str]) -> HeldSdJwt {
        let key = SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap();
        let holder = Confirmation::jwk(key.public_key().clone());
        let registered = Registered {
            issuer: "https://issuer.example",
            vct: "urn:sample:a",
            vct_integrity: Some("sha256-AA=="),
            issued_at: UnixSeconds(1),
            not_before: Some(UnixSeconds(1)),
            expires: Some(UnixSeconds(2)),
            holder: Some(&holder),
            status: None,
        };
        let concealment =
            concealed.iter().fold(Concealment::new(HashAlg::Sha256), |all, name| all.conceal(&ClaimPath::top(*name)));
        let (subject, mut rng) = (subject.as_object().unwrap(), StdRng::seed_from_u64(1));
        let text = sd_jwt_vc::issue(&registered, subject, &concealment, "did:a:b#k", &key, &mut rng).unwrap();
        HeldSdJwt::dangerous_reopen(text).unwrap()
    }

    fn spelled<'p>(paths: impl IntoIterator<Item = &'p ClaimPath>) -> BTreeSet<String> {
        paths.into_iter().map(crate::labels::spelled_out).collect()
    }

    #[test]
    fn leaves_are_the_subjects_claims_only() {
        let held = held(&json!({ "name": "a", "address": { "region": "r", "lines": ["1", "2"] }, "empty": {} }), &[]);
        let paths: Vec<ClaimPath> = leaves(&held).into_iter().map(|(path, _)| path).collect();
        let expected = ["address.lines[0]", "address.lines[1]", "address.region", "empty", "name"];
        assert_eq!(spelled(&paths), expected.map(str::to_owned).into());
    }

    #[test]
    fn no_name_hides_what_can_be_the_subjects() {
        let held =
            held(&json!({ "sub": "11010519491231002X", "aud": "a", "jti": "b", "name": "c" }), &["aud", "jti", "name"]);
        let all = ["aud", "jti", "name", "sub"].map(str::to_owned);
        assert_eq!(spelled(leaves(&held).iter().map(|(path, _)| path)), all.into());
        let asked = ClaimPath::top("jti");
        let Split { leaves, stays, always } = split(&held, &[&asked]);
        assert_eq!(spelled(&leaves), ["jti", "sub"].map(str::to_owned).into());
        assert_eq!(spelled(&stays), ["aud", "name"].map(str::to_owned).into());
        assert_eq!(spelled(&always), ["sub".to_owned()].into(), "in plain sight");
    }
}
