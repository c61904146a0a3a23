//! What became of a request: for the caller who made it.

use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::Value;
use service_kit::store::StoreError;

use crate::service::Verifier;

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
}

/// The three ways a request can stand.
#[derive(Debug)]
pub(crate) enum State {
    /// No answer yet, and there may still be one.
    Pending,
    /// Verified; the claims until they are erased.
    Verified { claims: Option<Value> },
    /// Refused, declined or expired.
    Refused { code: Option<Code> },
}

/// Why something about a request cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undisclosed {
    #[error("there is no such request")]
    Unknown,
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
            Self::Store(error) => error.code(),
        }
    }
}

impl Verifier {
    /// How the request stands; none if nothing is kept of it.
    pub(crate) async fn result(&self, id: &str) -> Result<Option<RequestResult>, StoreError> {
        let Some((record, session)) = self.load(id).await? else { return Ok(None) };
        let expires = session.parameters.expires;
        let outcome = self.store.outcome(id).await?;
        let evidence_as_of = outcome.as_ref().and_then(|outcome| outcome.evidence_as_of);
        let undetermined = outcome.as_ref().map(|outcome| outcome.undetermined.clone()).unwrap_or_default();
        let state = match outcome {
            None if self.clock.now() >= expires => State::Refused { code: Some(Code::VpRequestExpired) },
            None => State::Pending,
            Some(outcome) => match outcome.refused {
                Some(code) => State::Refused { code: Code::parse(&code) },
                None => State::Verified { claims: self.store.case(id).await?.and_then(|case| case.claims) },
            },
        };
        Ok(Some(RequestResult {
            state,
            created: record.created,
            expires,
            purpose: record.policy.purpose,
            undetermined,
            evidence_as_of,
        }))
    }

    /// Erases presentation, claims and evidence before their time.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), StoreError> {
        self.store.forget_case(id).await
    }

    /// The request's link as a QR code, in SVG.
    pub(crate) async fn qr(&self, id: &str) -> Result<Option<String>, StoreError> {
        if self.store.request(id).await?.is_none() {
            return Ok(None);
        }
        let code = QrCode::new(self.link(id)).ok();
        Ok(code.map(|code| code.render::<svg::Color<'_>>().min_dimensions(256, 256).build()))
    }
}
