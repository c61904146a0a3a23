//! The claims of a held credential as a person thinks of them: leaves, without the protocol's own members.

use identity_core::sd_jwt::{ClaimPath, HeldSdJwt, Segment};
use serde_json::{Map, Value};

/// Members that belong to the credential and not to its subject (SD-JWT VC §2.2.2.2, and `iat`, `aud`, `jti`).
const TECHNICAL: [&str; 14] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "aud",
    "jti",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
    "sub",
    "_sd",
    "_sd_alg",
];

/// Every leaf claim with its value, in the order of the payload.
#[must_use]
pub fn leaves(claims: &Map<String, Value>) -> Vec<(ClaimPath, &Value)> {
    let mut found = Vec::new();
    for (name, value) in claims.iter().filter(|(name, _)| !TECHNICAL.contains(&name.as_str())) {
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
}

/// Splits a credential's leaf claims. A leaf leaves if every disclosable claim around it is disclosed.
#[must_use]
pub fn split(held: &HeldSdJwt, disclosed: &[&ClaimPath]) -> Split {
    let concealed: Vec<&ClaimPath> = held.disclosable().filter(|path| !disclosed.contains(path)).collect();
    let all = leaves(held.claims()).into_iter().map(|(path, _)| path);
    let (stays, leaves) = all.partition(|leaf| concealed.iter().any(|path| path.covers(leaf)));
    Split { leaves, stays }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_are_the_subjects_claims_only() {
        let claims = json!({ "iss": "x", "cnf": { "jwk": {} }, "name": "a", "address": { "region": "r", "lines": ["1", "2"] },
            "empty": {} });
        let paths = leaves(claims.as_object().unwrap()).into_iter().map(|(path, _)| crate::labels::spelled_out(&path));
        assert_eq!(
            paths.collect::<std::collections::BTreeSet<_>>(),
            ["address.lines[0]", "address.lines[1]", "address.region", "empty", "name"].map(str::to_owned).into()
        );
    }
}
