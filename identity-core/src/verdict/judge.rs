//! The verdict itself.

use std::collections::BTreeMap;

use ledger::CertifiedCheckpoint;

use super::accepted::{Claims, Verified, VerifiedCredential};
use super::as_of::Reading;
use super::check::{self, Moment};
use super::presentation::Shown;
use super::{AsOf, EvidenceError, Policy, PreparedEvidence, Presentation, Refusal, When};
use crate::duty::VerifiedAttestation;
use crate::kb_jwt::{self, HolderBinding, KbJwtError, Occasion};
use crate::oid4vp::transaction_data;
use crate::sd_jwt_vc::Credential;
use crate::time::UnixSeconds;

/// Judges a presentation. Every check must pass; [`Verified`] is made nowhere else.
///
/// Pure: the same arguments give the same verdict, today and in an audit ten years on. `when` is the time at which it came
/// in, or that and a past moment as of which it is judged instead.
///
/// # Errors
/// [`Refusal`]; where several credentials are refused, the one with the highest [`Refusal::rank`].
pub fn judge<'a>(
    presentation: &Presentation<'_>,
    evidence: &PreparedEvidence,
    policy: &Policy,
    when: impl Into<When<'a>>,
) -> Result<Verified, Refusal> {
    check::answer::outline(presentation.asked.query(), presentation.token)?;
    let bench = Bench { presentation, evidence, policy, when: when.into() };
    bench.moment_is_of_this_ledger()?;
    let asker = check::asker::check(&bench);
    let duty = check::duty::check(&bench);
    let mut refusal = asker.as_ref().err().copied();
    refusal = duty.as_ref().err().map_or(refusal, |found| Some(more_telling(refusal, *found)));
    let (credentials, newly_certified) = (BTreeMap::new(), Vec::new());
    let evidence_as_of = match bench.when.as_of {
        AsOf::Now => bench.when.received,
        AsOf::Past(_) => UnixSeconds::MAX,
    };
    let mut verified = Judging { credentials, evidence_as_of, newly_certified };
    for shown in presentation.open()? {
        let query_id = shown.query_id;
        match bench.judge_one(shown) {
            Ok(judged) => {
                verified.rests_on(judged.evidence_as_of);
                verified.newly_certified.extend(judged.newly_certified);
                verified.credentials.entry(query_id.to_owned()).or_default().push(judged.credential);
            }
            Err(found) => refusal = Some(more_telling(refusal, found)),
        }
    }
    match (refusal, asker, duty) {
        (None, Ok(asker), Ok(duty)) => {
            verified.rests_on(asker.min(duty.as_of));
            Ok(verified.under(duty.attestation, bench.when.as_of))
        }
        (Some(refusal), ..) | (None, Err(refusal), _) | (None, _, Err(refusal)) => Err(refusal),
    }
}

/// What has held so far.
struct Judging {
    credentials: BTreeMap<String, Vec<VerifiedCredential>>,
    evidence_as_of: UnixSeconds,
    newly_certified: Vec<CertifiedCheckpoint>,
}

impl Judging {
    fn rests_on(&mut self, as_of: UnixSeconds) {
        self.evidence_as_of = self.evidence_as_of.min(as_of);
    }

    /// All of it has held, and this official answers for the question.
    fn under(self, attestation: VerifiedAttestation, as_of: AsOf<'_>) -> Verified {
        let Self { credentials, evidence_as_of, newly_certified } = self;
        let past = match as_of {
            AsOf::Now => None,
            AsOf::Past(moment) => Some(moment.index()),
        };
        Verified { credentials, evidence_as_of, newly_certified, attestation, past }
    }
}

fn more_telling(first: Option<Refusal>, second: Refusal) -> Refusal {
    match first {
        Some(first) if first.rank() >= second.rank() => first,
        Some(_) | None => second,
    }
}

/// One credential that held, and what is remembered of the way.
struct Judged {
    credential: VerifiedCredential,
    evidence_as_of: UnixSeconds,
    newly_certified: Option<CertifiedCheckpoint>,
}

/// Everything a check may look at.
pub(super) struct Bench<'a> {
    pub(super) presentation: &'a Presentation<'a>,
    pub(super) evidence: &'a PreparedEvidence,
    pub(super) policy: &'a Policy,
    pub(super) when: When<'a>,
}

impl<'a> Bench<'a> {
    /// How evidence is read here.
    pub(super) fn reading(&self) -> Reading<'a> {
        Reading { freshness: self.policy.evidence, when: self.when }
    }

    /// A past moment comes with a checkpoint of its own, which must not show another history than the evidence.
    fn moment_is_of_this_ledger(&self) -> Result<(), EvidenceError> {
        match self.when.as_of {
            AsOf::Past(moment) if !self.evidence.agrees_with(moment.checkpoint()) => Err(EvidenceError::SplitView),
            AsOf::Past(_) | AsOf::Now => Ok(()),
        }
    }

    /// One credential: when did it come to be, whose is the key, does it hold, may its issuer issue it, is it in
    /// force, and does its holder show it?
    fn judge_one(&self, shown: Shown<'_>) -> Result<Judged, Refusal> {
        let issuer = check::issuer::history(self, &shown.key)?;
        let anchor = check::anchor::check(self, &shown)?;
        let moment = anchor.as_ref().map_or(Moment::Newest, |a| Moment::AnchoredAt(a.at.index()));
        let key = check::issuer::key_at(issuer, &shown.key, moment)?;
        let credential = Credential::verify(shown.sd_jwt, key)?;
        credential.check_time(self.when.time(), self.policy.leeway)?;
        check::issuer::address(issuer, credential.issuer(), moment)?;
        let accredited = check::issuer::accreditation(self, &shown.key, credential.vct(), moment)?;
        let registered = check::credential_type::check(self, &credential, moment)?;
        let status = check::status::check(self, &credential, shown.key.did())?;
        let holder = self.holder(&credential, shown.query_id)?;
        let asked = check::answer::check(self.presentation.asked.query(), shown.query_id, &credential)?;
        let (anchor, newly_certified) = anchor.map_or((None, None), |a| (Some(a.at), a.newly_certified));
        let (credential_type, issuer_address) = (credential.vct().to_owned(), credential.issuer().to_owned());
        let (claims, disclosed) = check::answer::released(asked, credential);
        let credential = VerifiedCredential {
            credential_type,
            issuer: shown.key.did().clone(),
            issuer_address,
            claims: Claims(claims),
            disclosed,
            anchor,
            status,
            holder_signed_at: holder.issued_at,
        };
        Ok(Judged { credential, evidence_as_of: issuer.as_of.min(accredited).min(registered), newly_certified })
    }

    fn holder(&self, credential: &Credential<'_>, query_id: &str) -> Result<HolderBinding, KbJwtError> {
        let key = credential.holder().ok_or(KbJwtError::CnfMissing)?;
        let request = self.presentation.asked.request;
        let transaction_data = transaction_data::hashes_for(&request.transaction_data, query_id);
        let occasion = Occasion {
            audience: request.client_id.as_str(),
            nonce: &request.nonce,
            transaction_data: &transaction_data,
        };
        kb_jwt::verify_by(credential.sd_jwt(), key, occasion, self.policy.holder, self.when.received)
    }
}
