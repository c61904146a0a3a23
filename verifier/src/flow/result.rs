//! What became of a request: for the caller who made it.

use identity_core::duty::CaseNumber;
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use serde_json::Value;
use service_kit::audit::Act;
use service_kit::store::StoreError;

use super::redeem::Release;
use crate::service::Verifier;
use crate::store::RequestRecord;

/// How a request stands.
#[derive(Debug)]
pub(crate) struct RequestResult {
    pub(crate) state: State,
    pub(crate) created: UnixSeconds,
    pub(crate) expires: UnixSeconds,
    pub(crate) purpose: Option<String>,
    /// Codes of what stayed undetermined and was accepted by policy.
    pub(crate) undetermined: Vec<String>,
    /// The age of a positive verdict.
    pub(crate) evidence_as_of: Option<UnixSeconds>,
    /// The receipt that the wallet was given.
    pub(crate) receipt: Option<String>,
    /// The case that the data is wanted for.
    pub(crate) case: Option<CaseNumber>,
}

/// The ways a request can stand.
#[derive(Debug)]
pub(crate) enum State {
    /// An official is still to sign it; the duty number.
    Unattested { duty: String },
    /// No answer yet, and there may still be one.
    Pending,
    /// Answered from the browser's own device; the verdict waits for the browser to come back.
    Answered,
    /// Verified; the claims until they are erased.
    Verified { claims: Option<Value> },
    /// Taken back by the holder; what we said we did upon it.
    Withdrawn { acknowledgement: String },
    /// Refused, declined or expired.
    Refused { code: Option<Code> },
}

/// Why something about a request cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undisclosed {
    #[error("there is no such request")]
    Unknown,
    #[error("the browser that began has not come back yet")]
    NotBack,
    #[error("the request is for the browser's own device")]
    SameDevice,
    #[error("no official answers for the request yet")]
    Unattested,
    #[error("presentation and evidence are not there, or were erased in their time")]
    Erased,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Undisclosed {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VpRequestUnknown,
            Self::Erased => Code::VpCaseErased,
            Self::NotBack => Code::VpBrowserNotBack,
            Self::SameDevice => Code::VpBrowserSameDevice,
            Self::Unattested => Code::DutyMissing,
            Self::Store(error) => error.code(),
        }
    }
}

impl RequestResult {
    fn unanswered(state: State, record: RequestRecord, expires: UnixSeconds) -> Self {
        let (created, purpose, case) = (record.created, record.policy.purpose, record.case);
        Self { state, created, expires, purpose, undetermined: Vec::new(), evidence_as_of: None, receipt: None, case }
    }
}

impl Verifier {
    /// How the request stands; none if nothing is kept of it.
    pub(crate) async fn result(&self, id: &str) -> Result<Option<RequestResult>, StoreError> {
        let Some((record, session)) = self.load(id).await? else { return Ok(None) };
        let expires = session.parameters.expires;
        let Some(outcome) = self.store.outcome(id).await? else {
            let state = match self.clock.now() >= expires {
                true => State::Refused { code: Some(Code::VpRequestExpired) },
                false if record.signed.is_none() => State::Unattested { duty: record.duty.clone() },
                false => State::Pending,
            };
            return Ok(Some(RequestResult::unanswered(state, record, expires)));
        };
        let withdrawn = match outcome.receipt {
            Some(seq) => self.store.withdrawn(seq).await?,
            None => None,
        };
        if let Some(withdrawn) = withdrawn {
            let acknowledgement = self.store.receipt(withdrawn.acknowledgement).await?.unwrap_or_default();
            let receipt = self.store.receipt(withdrawn.receipt).await?;
            let state = State::Withdrawn { acknowledgement };
            return Ok(Some(RequestResult { receipt, ..RequestResult::unanswered(state, record, expires) }));
        }
        let state = match (self.release(id, &record, &outcome).await?, &outcome.refused) {
            (Release::Waiting, _) => State::Answered,
            (Release::Lapsed, _) => State::Refused { code: Some(Code::VpResponseCodeExpired) },
            (Release::Open, Some(code)) => State::Refused { code: Code::parse(code) },
            (Release::Open, None) => {
                State::Verified { claims: self.store.case(id).await?.and_then(|case| case.claims) }
            }
        };
        let told = matches!(state, State::Verified { .. } | State::Refused { .. });
        let receipt = match outcome.receipt.filter(|_| told) {
            Some(seq) => self.store.receipt(seq).await?,
            None => None,
        };
        Ok(Some(RequestResult {
            receipt,
            undetermined: if told { outcome.undetermined } else { Vec::new() },
            evidence_as_of: outcome.evidence_as_of.filter(|_| told),
            ..RequestResult::unanswered(state, record, expires)
        }))
    }

    /// Keeps that values of an answer are handed out, with the line of the act.
    pub(crate) async fn pass_on(&self, act: Act, id: &str) -> Result<(), Undisclosed> {
        let outcome = self.store.outcome(id).await?.ok_or(Undisclosed::Erased)?;
        match self.store.pass_on(&act.on(id), id, &outcome).await {
            // Withdrawn since it was read.
            Err(error) if error.is_precondition() => Err(Undisclosed::Erased),
            passed => Ok(passed?),
        }
    }

    /// Erases presentation, claims and evidence before their time.
    pub(crate) async fn forget(&self, act: Act, id: &str) -> Result<(), StoreError> {
        self.store.forget_case(&act.on(id), id).await
    }

    /// The request's link for a QR code. A request for the browser's own device has none: scanned by another, the claims
    /// would leave for nothing.
    pub(crate) async fn link_to_scan(&self, id: &str) -> Result<String, Undisclosed> {
        let (record, session) = self.load(id).await?.ok_or(Undisclosed::Unknown)?;
        if record.browser.is_some() {
            return Err(Undisclosed::SameDevice);
        }
        if record.signed.is_none() {
            return Err(Undisclosed::Unattested);
        }
        Ok(self.link(&session))
    }
}
