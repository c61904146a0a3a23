//! A pre-authorized code becomes an access token, once.

use identity_core::oid4vci::error::TokenRefusal;
use identity_core::oid4vci::issuer::Redemption;
use identity_core::oid4vci::message::{TokenRequest, TokenResponse};
use service_kit::store::StoreError;

use super::MAX_RACES;
use crate::service::Service;
use crate::store::Outcome;

/// Why no token is given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFailure {
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Service {
    /// Exchanges a code. A wrong transaction code is counted before it is answered; requests that race are judged one
    /// after the other, each against what the one before left.
    pub(crate) async fn redeem(&self, request: &TokenRequest) -> Result<TokenResponse, TokenFailure> {
        let id = self.issuer.grant_of_code(request)?;
        for _ in 0..MAX_RACES {
            let grant = self.records.grant(id).await?.ok_or(TokenRefusal::CodeUnknown)?;
            let redemption = self.issuer.redeem(&grant.value, request, self.clock.now(), &mut *self.chance.rng());
            let (next, answer) = match redemption {
                Redemption::Granted { next, response } => (next, Ok(response)),
                Redemption::Refused { next: Some(next), refusal } => (next, Err(refusal)),
                Redemption::Refused { next: None, refusal } => return Err(refusal.into()),
            };
            if self.records.take_code_once(&grant, &next).await? == Outcome::Done {
                return Ok(answer?);
            }
        }
        Err(StoreError::Broken("an offer changes without end".to_owned()).into())
    }
}
