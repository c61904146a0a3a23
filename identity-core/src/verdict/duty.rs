//! Who answers for this question, and under which duty? The wallet asks before it shows anything, the verifier before it
//! releases anything, and an official's own wallet before it signs.

use ledger::Hash;

use super::as_of::Reading;
use super::evidence::Known;
use super::{Asked, EvidenceError, Freshness, PreparedEvidence, Refusal};
use crate::dcql;
use crate::did::Did;
use crate::duty::{Attestation, DutyError, Order, UnverifiedAttestation, VerifiedAttestation, check_holder, delegated};
use crate::oid4vp::Parameters;
use crate::registry::{Delegation, DutyHistory, DutyHolder};
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
    attested_by(asked, evidence, Reading::fresh(freshness, now))
}

/// As [`attested`], as of whenever `reading` says.
pub(super) fn attested_by(
    asked: &Asked<'_>,
    evidence: &PreparedEvidence,
    reading: Reading<'_>,
) -> Result<Attested, Refusal> {
    let attestation = claimed(asked.asker, asked.request)?;
    let (known, history) = history(attestation.who(), evidence, reading)?;
    let attestation = attestation.verify(history, reading.index(known.until))?;
    attestation.check(asked.asker, asked.request)?;
    Ok(Attested { attestation, as_of: known.as_of })
}

/// The duty under which an official signs `draft` with the key of this thumbprint, as of the newest index the evidence
/// knows: in a person's hand, and wide enough for `query`, which is the draft's.
///
/// # Errors
/// As [`attested`] for what would be signed; [`DutyError::Holder`] if the duty is a service account's.
pub fn signable<'e>(
    draft: &Attestation,
    query: &dcql::Query,
    key: &Hash,
    evidence: &'e PreparedEvidence,
    freshness: Freshness,
    now: UnixSeconds,
) -> Result<&'e Delegation, Refusal> {
    let duty = of_official((&draft.iss, &draft.duty), key, evidence, Reading::fresh(freshness, now))?;
    draft.check_scope(duty, query)?;
    Ok(duty)
}

/// The duty under which an official signs an order with the key of this thumbprint, as of the newest index the evidence
/// knows: in a person's hand, and wide enough.
///
/// # Errors
/// [`Refusal::Duty`]; [`Refusal::Evidence`] if evidence about the duty is missing or stale.
pub fn orderable<'e>(
    draft: &Order,
    key: &Hash,
    evidence: &'e PreparedEvidence,
    freshness: Freshness,
    now: UnixSeconds,
) -> Result<&'e Delegation, Refusal> {
    let duty = of_official((&draft.iss, &draft.duty), key, evidence, Reading::fresh(freshness, now))?;
    draft.check_scope(duty)?;
    Ok(duty)
}

/// The delegation that holds, if it is to this key and in a person's hand.
fn of_official<'e>(
    duty: (&Did, &str),
    key: &Hash,
    evidence: &'e PreparedEvidence,
    reading: Reading<'_>,
) -> Result<&'e Delegation, Refusal> {
    let (known, history) = history(duty, evidence, reading)?;
    let duty = delegated(history, key, reading.index(known.until))?;
    check_holder(duty, DutyHolder::Official)?;
    Ok(duty)
}

/// What the ledger holds about a duty; that it holds nothing is a refusal, that nobody can say another.
fn history<'e>(
    (department, number): (&Did, &str),
    evidence: &'e PreparedEvidence,
    reading: Reading<'_>,
) -> Result<(&'e Known<DutyHistory>, &'e DutyHistory), Refusal> {
    let known = evidence.duty(department, number, reading)?;
    match known.value() {
        Err(EvidenceError::Absent) => Err(DutyError::Unknown.into()),
        value => Ok((known, value?)),
    }
}
