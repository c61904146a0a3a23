//! Does what was presented answer what was asked, and what of it is released?
//!
//! Nothing is taken from the wallet on trust: every constraint of the query is checked again here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::dcql::{CredentialQuery, OutlineError, Query};
use crate::sd_jwt::{ClaimPath, Segment};
use crate::sd_jwt_vc::{Credential, NEVER_DISCLOSABLE};
use crate::verdict::Refusal;

/// Presentations for what was asked, as many as were asked for, and none for anything else.
pub(in crate::verdict) fn outline(query: &Query, token: &BTreeMap<String, Vec<String>>) -> Result<(), Refusal> {
    if token.is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(query.check_outline(token)?)
}

/// The credential answers its query. That its holder signed is known by now.
pub(in crate::verdict) fn check<'a>(
    query: &'a Query,
    query_id: &str,
    credential: &Credential<'_>,
) -> Result<&'a CredentialQuery, Refusal> {
    let asked = query.credential(query_id).ok_or(OutlineError::Unasked)?;
    asked.check(credential, true)?;
    Ok(asked)
}

/// What the asker gets to see: claims in plain sight, and of the disclosed ones those that it asked for. A wallet
/// that discloses more than it was asked does not widen what may be known. Beside them which were disclosed.
pub(in crate::verdict) fn released(
    asked: &CredentialQuery,
    credential: Credential<'_>,
) -> (Map<String, Value>, Vec<ClaimPath>) {
    let (mut claims, disclosed) = credential.into_claims();
    claims.retain(|name, _| name != "iat" && !NEVER_DISCLOSABLE.contains(&name.as_str()));
    for disclosed in &disclosed {
        let wanted = asked.claims.iter().any(|c| c.path.covers(disclosed) || disclosed.covers(&c.path));
        if !wanted {
            remove(&mut claims, disclosed);
        }
    }
    (claims, disclosed)
}

/// Removes the claim at `path`. Inside an array positions have moved, so there the array goes as a whole.
fn remove(claims: &mut Map<String, Value>, path: &ClaimPath) {
    let mut names = path.segments().iter().map_while(|segment| match segment {
        Segment::Name(name) => Some(name.as_str()),
        Segment::Index(_) | Segment::Every => None,
    });
    let Some(mut name) = names.next() else { return };
    let mut object = claims;
    for deeper in names {
        match object.get_mut(name).and_then(Value::as_object_mut) {
            Some(inner) => object = inner,
            // Gone already, with something around it.
            None => return,
        }
        name = deeper;
    }
    object.remove(name);
}
