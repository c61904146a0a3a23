//! Who answers for this question, and under which duty? The wallet asks before it shows anything, the verifier before it
//! releases anything.

use super::{Asked, EvidenceError, Freshness, PreparedEvidence, Refusal};
use crate::did::Did;
use crate::duty::{DutyError, UnverifiedAttestation, VerifiedAttestation};
use crate::oid4vp::{Parameters, transaction_data};
use crate::time::UnixSeconds;

/// An official's word for a question, by the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Attested {
    /// The word, and the duty under which it was given.
    pub attestation: VerifiedAttestation,
    /// When the checkpoint under this knowledge was cosigned.
    pub as_of: UnixSeconds,
}

/// The attestation of a request, if it claims to be by the department that asks; whose duty it claims, evidence is
/// wanted of.
///
/// # Errors
/// [`DutyError`]: missing, malformed, another department's.
pub fn claimed<'a>(asker: &Did, request: &'a Parameters) -> Result<UnverifiedAttestation<'a>, DutyError> {
    let attestation = UnverifiedAttestation::parse(request.duty.as_deref().ok_or(DutyError::Missing)?)?;
    if attestation.who().0 == asker { Ok(attestation) } else { Err(DutyError::Department) }
}

/// Holds the attestation of a request against the ledger, as of the newest index the evidence knows.
///
/// # Errors
/// [`Refusal::Duty`]; [`Refusal::Evidence`] if evidence about the duty is missing or stale: then nobody can say.
pub fn attested(
    asked: &Asked<'_>,
    evidence: &PreparedEvidence,
    freshness: Freshness,
    now: UnixSeconds,
) -> Result<Attested, Refusal> {
    let attestation = claimed(asked.asker, asked.request)?;
    let (department, number) = attestation.who();
    let known = evidence.duty(department, number, freshness, now)?;
    let history = match known.value() {
        Err(EvidenceError::Absent) => return Err(DutyError::Unknown.into()),
        other => other?,
    };
    let attestation = attestation.verify(history, known.until)?;
    attestation.check(asked.asker, asked.request)?;
    if !transaction_data::are_over(&asked.request.transaction_data, attestation.digest()) {
        return Err(DutyError::OtherRequest.into());
    }
    Ok(Attested { attestation, as_of: known.as_of })
}
