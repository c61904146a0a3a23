//! Is the credential in force? Valid; revoked or suspended; or nobody can say.

use crate::did::Did;
use crate::sd_jwt_vc::Credential;
use crate::status;
use crate::verdict::judge::Bench;
use crate::verdict::{OnUndetermined, Refusal, Status, StatusDoubt};

pub(in crate::verdict) fn check(
    bench: &Bench<'_>,
    credential: &Credential<'_>,
    issuer: &Did,
) -> Result<Status, Refusal> {
    let list = match list_for(bench, credential, issuer) {
        Ok(list) => list,
        Err(doubt) => return undetermined(bench, doubt),
    };
    let index = credential.status().map_or(0, |reference| reference.index);
    match list.status(index).map_err(Refusal::StatusIndex)? {
        status::Status::Valid => Ok(Status::Valid),
        status::Status::Invalid => Err(Refusal::Revoked),
        status::Status::Suspended => Err(Refusal::Suspended),
        status::Status::Other(_) => Err(Refusal::StatusForeign),
    }
}

fn list_for<'a>(
    bench: &Bench<'a>,
    credential: &Credential<'_>,
    issuer: &Did,
) -> Result<&'a status::StatusListToken, StatusDoubt> {
    let reference = credential.status().ok_or(StatusDoubt::NotListed)?;
    bench.evidence.usable_list(&reference.uri, issuer, bench.reading())
}

/// Policy says what a doubt means for the purpose at hand; it never becomes "revoked".
fn undetermined(bench: &Bench<'_>, doubt: StatusDoubt) -> Result<Status, Refusal> {
    match bench.policy.on_undetermined(bench.presentation.asked.purpose()) {
        OnUndetermined::Accept => Ok(Status::Undetermined(doubt)),
        OnUndetermined::Refuse => Err(Refusal::StatusUndetermined(doubt)),
    }
}
