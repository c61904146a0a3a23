//! Is the key the issuer's, was it when it was used, and may the issuer issue this?

use super::Moment;
use crate::crypto::PublicKey;
use crate::did::DidUrl;
use crate::registry::{DidHistory, KeyUse, Role};
use crate::time::UnixSeconds;
use crate::verdict::evidence::Known;
use crate::verdict::judge::Bench;
use crate::verdict::{EvidenceError, Refusal};

/// The issuer's history, or the proof that there is none.
pub(in crate::verdict) fn history<'a>(bench: &Bench<'a>, key: &DidUrl) -> Result<&'a Known<DidHistory>, Refusal> {
    let known = bench.evidence.did(key.did(), bench.policy.evidence, bench.now)?;
    match known.value() {
        Ok(_) => Ok(known),
        Err(EvidenceError::Absent) => Err(Refusal::IssuerUnknown),
        Err(error) => Err(error.into()),
    }
}

/// The key of this name that signed credentials at that moment.
pub(in crate::verdict) fn key_at<'a>(
    known: &'a Known<DidHistory>,
    key: &DidUrl,
    moment: Moment,
) -> Result<&'a PublicKey, Refusal> {
    let history = known.value_at(moment.index())?;
    let found = history.key_at(moment.index(), key.fragment(), KeyUse::AssertionMethod);
    found.ok_or_else(|| match moment {
        Moment::AnchoredAt(_) => Refusal::IssuerKey,
        Moment::Newest(_) if was_once(history, key) => Refusal::IssuerKeyReplaced,
        Moment::Newest(_) => Refusal::IssuerKey,
    })
}

fn was_once(history: &DidHistory, key: &DidUrl) -> bool {
    history.keys.iter().any(|record| record.id == key.fragment() && record.key_use == KeyUse::AssertionMethod)
}

/// The DID of the key must have registered the credential's `iss` as a service: one DID per address.
pub(in crate::verdict) fn address(known: &Known<DidHistory>, address: &str, moment: Moment) -> Result<(), Refusal> {
    let history = known.value_at(moment.index())?;
    if history.has_service_at(moment.index(), address) { Ok(()) } else { Err(Refusal::IssuerAddress) }
}

/// The issuer must have been accredited for this type at that moment.
pub(in crate::verdict) fn accreditation(
    bench: &Bench<'_>,
    key: &DidUrl,
    vct: &str,
    moment: Moment,
) -> Result<UnixSeconds, Refusal> {
    let known = bench.evidence.accreditation(key.did(), bench.policy.evidence, bench.now)?;
    let history = known.value_at(moment.index())?;
    if history.is_accredited(Role::Issuer, vct, &[], moment.index()) {
        Ok(known.as_of)
    } else {
        Err(Refusal::IssuerNotAccredited)
    }
}
