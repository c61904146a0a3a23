//! Is the key the issuer's, was it when it was used, and may the issuer issue this?

use super::Moment;
use crate::crypto::PublicKey;
use crate::did::DidUrl;
use crate::registry::{DidHistory, KeyRecord, KeyUse, Role};
use crate::time::UnixSeconds;
use crate::verdict::evidence::Known;
use crate::verdict::judge::Bench;
use crate::verdict::{EvidenceError, Refusal};

/// The issuer's history, or the proof that there is none.
pub(in crate::verdict) fn history<'a>(bench: &Bench<'a>, key: &DidUrl) -> Result<&'a Known<DidHistory>, Refusal> {
    let known = bench.evidence.did(key.did(), bench.reading())?;
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
    let index = moment.index(known.until);
    let history = known.value_at(index)?;
    let found = history.key_at(index, key.fragment(), KeyUse::AssertionMethod);
    found.ok_or_else(|| why_not(history, key, moment, index))
}

/// Why a key did not count then. A report is told before anything else that ended the key: it asks for other things
/// to be done.
fn why_not(history: &DidHistory, key: &DidUrl, moment: Moment, index: u64) -> Refusal {
    let by_then = |change: Option<u64>| change.is_some_and(|change| change <= index);
    let named = |record: &&KeyRecord| record.id == key.fragment() && record.key_use == KeyUse::AssertionMethod;
    let Some(record) = history.keys.iter().find(named) else { return Refusal::IssuerKey };
    if by_then(record.compromised) {
        return Refusal::IssuerKeyCompromised;
    }
    if by_then(history.deactivated) {
        return Refusal::IssuerDeactivated;
    }
    match moment {
        _ if !by_then(record.until) => Refusal::IssuerKey,
        Moment::AnchoredAt(_) => Refusal::IssuerKeyEnded,
        Moment::Newest => Refusal::IssuerKeyReplaced,
    }
}

/// The DID of the key must have registered the credential's `iss` as a service: one DID per address.
pub(in crate::verdict) fn address(known: &Known<DidHistory>, address: &str, moment: Moment) -> Result<(), Refusal> {
    let index = moment.index(known.until);
    if known.value_at(index)?.has_service_at(index, address) { Ok(()) } else { Err(Refusal::IssuerAddress) }
}

/// The issuer must have been accredited for this type at that moment.
pub(in crate::verdict) fn accreditation(
    bench: &Bench<'_>,
    key: &DidUrl,
    vct: &str,
    moment: Moment,
) -> Result<UnixSeconds, Refusal> {
    let known = bench.evidence.accreditation(key.did(), bench.reading())?;
    let index = moment.index(known.until);
    if known.value_at(index)?.is_accredited(Role::Issuer, vct, &[], index) {
        Ok(known.as_of)
    } else {
        Err(Refusal::IssuerNotAccredited)
    }
}
