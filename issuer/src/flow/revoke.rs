//! Revoking a credential: its record and its bit change together, and the published list before the answer.

use service_kit::store::StoreError;

use super::MAX_RACES;
use crate::service::Service;
use crate::status::{self, StatusFailure};
use crate::store::{CredentialRecord, CredentialState, Outcome};

/// Why a credential is not revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeRefusal {
    #[error("there is no such credential")]
    Unknown,
    /// Saved or not, it is not published: asking again settles it.
    #[error(transparent)]
    Failed(#[from] StatusFailure),
}

impl From<StoreError> for RevokeRefusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Service {
    /// Revokes a credential. Doing it twice is doing it once.
    pub(crate) async fn revoke(&self, id: &str) -> Result<CredentialRecord, RevokeRefusal> {
        // One at a time in this process: they all change the same list.
        let _turn = self.lists.revoking.lock().await;
        for _ in 0..MAX_RACES {
            let credential = self.records.credential(id).await?.ok_or(RevokeRefusal::Unknown)?;
            let record = CredentialRecord { state: CredentialState::Revoked, ..credential.value.clone() };
            if credential.value.state == CredentialState::Revoked {
                self.publish(record.list).await?;
                return Ok(record);
            }
            let bits = self.records.list_bits(record.list).await?;
            let bits = bits.ok_or_else(|| StoreError::Corrupt("a status list is missing".to_owned()))?;
            let revoked = status::with_bit(&bits, record.index)
                .ok_or_else(|| StoreError::Corrupt("a status list is too short".to_owned()))?;
            if self.records.revoke_once(&credential, bits, revoked).await? == Outcome::Done {
                self.publish(record.list).await?;
                self.counters.revoked();
                return Ok(record);
            }
        }
        Err(StoreError::Broken("a status list changes without end".to_owned()).into())
    }
}
