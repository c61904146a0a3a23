//! The browser comes back from the wallet: it gets the result if it is the one that began and its code counts.
//!
//! The cookie is the application's to set and to read; we made its value, and keep only its digest. Until the code is
//! redeemed a positive verdict is told to nobody, so that an application which merely polls cannot log the wrong
//! browser in (OpenID4VP 1.0 §14.2).

use identity_core::oid4vp::same_device::{CODE_LIFETIME, NotAdmitted};
use identity_core::problem::Code;
use service_kit::audit::Act;
use service_kit::store::StoreError;

use super::result::RequestResult;
use crate::service::Verifier;
use crate::store::{OutcomeRecord, RedeemError, RequestRecord};

/// Why a code was not redeemed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedeemRefused {
    #[error("there is no such request")]
    Unknown,
    #[error("the request was not made for a browser")]
    CrossDevice,
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    #[error("the response code has been used already")]
    Replayed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RedeemRefused {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VpRequestUnknown,
            Self::CrossDevice => Code::VpBrowserCrossDevice,
            Self::NotAdmitted(refusal) => refusal.code(),
            Self::Replayed => Code::VpResponseCodeReplayed,
            Self::Store(error) => error.code(),
        }
    }
}

impl From<RedeemError> for RedeemRefused {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::Taken => Self::Replayed,
            RedeemError::Store(error) => Self::Store(error),
        }
    }
}

/// Whether the result of a request may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// Whoever holds the admin token may know it.
    Open,
    /// The browser has not come back yet.
    Waiting,
    /// The browser did not come back in time.
    Lapsed,
}

/// The header value that binds a browser to a request. `__Host-` keeps other hosts of the domain from setting it;
/// `Lax` lets it along when the wallet opens the way back, and with nothing else from elsewhere.
pub(crate) fn set_cookie(id: &str, cookie: &str, request_lifetime: i64) -> String {
    let max_age = request_lifetime.saturating_add(CODE_LIFETIME);
    format!("{}={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={max_age}", cookie_name(id))
}

/// One cookie per request, so that two tabs do not take each other's.
pub(crate) fn cookie_name(id: &str) -> String {
    format!("__Host-xinfu-{id}")
}

impl Verifier {
    /// Redeems a response code for the result. Of two calls with the same code one gets it; if we die in between,
    /// the code is spent and nothing was released.
    pub(crate) async fn redeem(
        &self,
        act: Act,
        id: &str,
        cookie: Option<&str>,
        code: &str,
    ) -> Result<RequestResult, RedeemRefused> {
        let (record, _) = self.load(id).await?.ok_or(RedeemRefused::Unknown)?;
        let browser = record.browser.as_ref().ok_or(RedeemRefused::CrossDevice)?;
        let outcome = self.store.outcome(id).await?;
        let handover = outcome.as_ref().and_then(|outcome| outcome.handover.as_ref());
        let now = self.clock.now();
        if let Err(refusal) = browser.admits(handover, cookie, code, now) {
            tracing::warn!(code = %refusal.code(), "a browser was not given a result");
            return Err(refusal.into());
        }
        self.store.take_response_code_once(&act.on(id), id, outcome.as_ref(), now).await?;
        self.result(id).await?.ok_or(RedeemRefused::Unknown)
    }

    /// Whether the result of an answered request may be told. A refusal always may: it holds nothing of the holder.
    pub(crate) async fn release(
        &self,
        id: &str,
        record: &RequestRecord,
        outcome: &OutcomeRecord,
    ) -> Result<Release, StoreError> {
        let waits = outcome.handover.as_ref().filter(|_| record.browser.is_some() && outcome.refused.is_none());
        let Some(handover) = waits else { return Ok(Release::Open) };
        if self.store.is_redeemed(id).await? {
            return Ok(Release::Open);
        }
        Ok(if self.clock.now() < handover.until { Release::Waiting } else { Release::Lapsed })
    }
}
