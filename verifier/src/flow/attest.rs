//! Having somebody answer for a request, before it may leave.
//!
//! A service account signs at once. An official is handed what to sign and brings the signature back; until then no
//! wallet gets the request, and what comes back must say exactly what was handed out.

use identity_core::crypto::SigningFailed;
use identity_core::duty::{Attestation, CaseNumber, DutyError, UnverifiedAttestation};
use identity_core::oid4vp::{Session, WhatFor};
use identity_core::problem::Code;
use identity_core::registry::{DutyHolder, accreditation_key, did_key, duty_key};
use identity_core::time::UnixSeconds;
use identity_core::verdict::{Asked, Needs, Refusal, attested};
use service_kit::audit::Act;
use service_kit::store::StoreError;

use super::request::{Made, MakeError};
use crate::service::Verifier;
use crate::store::{AttestError as NotKept, RequestRecord};

/// Who is to answer for a request.
#[derive(Debug, Default)]
pub(crate) struct By {
    /// The duty number of an official; the service account if nobody is named.
    pub(crate) official: Option<String>,
    /// The case that the data is wanted for.
    pub(crate) case: Option<String>,
}

/// Why a request cannot be attested now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestRefused {
    #[error("there is no such request")]
    Unknown,
    #[error("the request has expired")]
    Expired,
    #[error("an official answers for the request already")]
    Attested,
    #[error(transparent)]
    Make(#[from] MakeError),
}

impl AttestRefused {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VpRequestUnknown,
            Self::Expired => Code::VpRequestExpired,
            Self::Attested => Code::DutyTaken,
            Self::Make(error) => error.code(),
        }
    }
}

impl From<StoreError> for AttestRefused {
    fn from(error: StoreError) -> Self {
        Self::Make(error.into())
    }
}

impl Verifier {
    /// Takes an official's signature over a request that waits for one. From then on wallets get the request.
    pub(crate) async fn attest(&self, act: Act, id: &str, signature: &str) -> Result<Made, AttestRefused> {
        let (record, mut session) = self.load(id).await?.ok_or(AttestRefused::Unknown)?;
        let now = self.clock.now();
        if now >= session.parameters.expires {
            return Err(AttestRefused::Expired);
        }
        if record.signed.is_some() {
            return Err(AttestRefused::Attested);
        }
        let said = UnverifiedAttestation::parse(signature).map_err(MakeError::Duty)?;
        if *said.dangerous_claims() != self.to_attest(&record, &session)? {
            return Err(MakeError::Duty(DutyError::OtherRequest).into());
        }
        session.attest(signature).map_err(MakeError::Duty)?;
        // People sign seldom enough to ask the ledger each time: the duty may be somebody else's since a moment ago.
        self.evidence.renew(&self.needs_of_duty(&session)).await;
        let mut warnings = self.check_duty(&session, DutyHolder::Official, now).await?;
        warnings.extend(self.evidence.over_asking(&session.parameters, now));
        let signed = self.sign(&session)?;
        let attested = RequestRecord { session: session.to_json(), signed: Some(signed), ..record.clone() };
        match self.store.attest(&act.on(id), id, &record, &attested).await {
            Ok(()) => {}
            Err(NotKept::Attested) => return Err(AttestRefused::Attested),
            Err(NotKept::Store(error)) => return Err(error.into()),
        }
        let (link, expires) = (Some(self.link(&session)), session.parameters.expires);
        let (case, cookie, to_attest) = (attested.case, None, None);
        Ok(Made { id: session.id, link, to_attest, expires, warnings, cookie, case })
    }

    /// What an official is to sign, for a request that waits for that.
    pub(crate) fn to_attest(&self, record: &RequestRecord, session: &Session) -> Result<Attestation, MakeError> {
        let grounds = &record.policy.grounds;
        let what_for = WhatFor {
            duty: record.duty.clone(),
            basis: grounds.basis.clone(),
            retention_days: grounds.retention_days,
            case: record.case.as_ref().map(CaseNumber::digest),
            holder_signs: grounds.holder_signs,
        };
        Ok(session.to_attest(&self.did, what_for)?)
    }

    /// The service account answers for the request.
    pub(super) async fn attest_ourselves(
        &self,
        record: &RequestRecord,
        session: &mut Session,
        now: UnixSeconds,
    ) -> Result<Vec<Code>, MakeError> {
        let key = self.duty_key.as_ref().ok_or(MakeError::Duty(DutyError::Missing))?;
        let signature = self.to_attest(record, session)?.sign(key).map_err(|SigningFailed| MakeError::Signing)?;
        session.attest(&signature).map_err(MakeError::Duty)?;
        self.check_duty(session, DutyHolder::Service, now).await
    }

    /// Holds the request's attestation against the ledger, as wallets will. A duty that does not cover it stops the
    /// request; that the ledger cannot be asked is said and stops nothing.
    async fn check_duty(&self, session: &Session, by: DutyHolder, now: UnixSeconds) -> Result<Vec<Code>, MakeError> {
        let request = &session.parameters;
        let asked = Asked { request, asker: &self.did, certificate: None };
        let needs = self.needs_of_duty(session);
        self.evidence.gather(&needs, now).await;
        let check = || self.evidence.with(|proven| attested(&asked, proven, self.freshness, now));
        let mut found = check();
        // It may have been given, or taken back, a moment ago.
        if matches!(found, Err(Refusal::Duty(_))) {
            self.evidence.renew(&needs).await;
            found = check();
        }
        match found {
            Ok(found) => found.attestation.check_holder(by).map(|()| Vec::new()).map_err(MakeError::Duty),
            Err(Refusal::Duty(error)) => Err(MakeError::Duty(error)),
            Err(other) => Ok(vec![other.code()]),
        }
    }

    fn needs_of_duty(&self, session: &Session) -> Needs {
        let mut needs = Needs::default();
        let claimed = identity_core::verdict::claimed(&self.did, &session.parameters).ok();
        let duty = claimed.as_ref().map(|said| duty_key(said.who().0, said.who().1));
        let own = [did_key(&self.did), accreditation_key(&self.did)];
        needs.states.extend(own.into_iter().chain(duty).map(|key| (key, 0)));
        needs
    }
}
