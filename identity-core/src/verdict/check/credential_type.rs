//! Do we understand this type, is it the one the ledger registered, and does the credential keep its rules?

use super::Moment;
use crate::registry::SchemaHistory;
use crate::sd_jwt_vc::Credential;
use crate::time::UnixSeconds;
use crate::verdict::evidence::Known;
use crate::verdict::judge::Bench;
use crate::verdict::{EvidenceError, Refusal};

pub(in crate::verdict) fn check(
    bench: &Bench<'_>,
    credential: &Credential<'_>,
    moment: Moment,
) -> Result<UnixSeconds, Refusal> {
    let vct = credential.vct();
    let mut versions = bench.policy.types.iter().filter(|accepted| accepted.metadata.vct == vct).peekable();
    if versions.peek().is_none() {
        return Err(Refusal::TypeNotAccepted);
    }
    let known = bench.evidence.credential_type(vct, bench.reading())?;
    let digest = registered(known, moment)?;
    // A credential keeps the version of its type that was registered when it was made.
    let version = versions.find(|accepted| accepted.digest.to_base64url() == digest);
    let version = version.ok_or(Refusal::TypeNotRegistered)?;
    credential.check_integrity(&version.document)?;
    version.metadata.check_presented(credential.sd_jwt())?;
    Ok(known.as_of)
}

fn registered(known: &Known<SchemaHistory>, moment: Moment) -> Result<&str, Refusal> {
    let index = moment.index(known.until);
    let history = match known.value_at(index) {
        Err(EvidenceError::Absent) => return Err(Refusal::TypeNotRegistered),
        other => other?,
    };
    Ok(history.at(index).ok_or(Refusal::TypeNotRegistered)?.digest.as_str())
}
