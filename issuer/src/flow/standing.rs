//! Revoking, suspending and reinstating a credential: its record and its entry change together, and the published list
//! before the answer.

use identity_core::duty::DutyError;
use identity_core::problem::Code;
use identity_core::status::{Change, ChangeRefusal};
use service_kit::audit::Act;
use service_kit::store::StoreError;

use super::MAX_RACES;
use super::order::{OrderRefused, deed_on};
use crate::kind::Kind;
use crate::service::Service;
use crate::status::StatusFailure;
use crate::store::{CredentialRecord, Outcome, StandingChange, of_list};

/// Why the standing of a credential is not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StandingRefusal {
    #[error("there is no such credential")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] ChangeRefusal),
    #[error(transparent)]
    Order(OrderRefused),
    /// Saved or not, it is not published: asking again settles it.
    #[error(transparent)]
    Failed(#[from] StatusFailure),
}

impl From<StoreError> for StandingRefusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<OrderRefused> for StandingRefusal {
    fn from(refused: OrderRefused) -> Self {
        match refused {
            OrderRefused::Store(error) => error.into(),
            refused => Self::Order(refused),
        }
    }
}

impl StandingRefusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VciCredentialUnknown,
            Self::Refused(refusal) => refusal.code(),
            Self::Order(refused) => refused.code(),
            Self::Failed(failure) => failure.code(),
        }
    }
}

impl Service {
    /// Changes the standing of a credential. Doing it twice is doing it once.
    pub(crate) async fn change_standing(
        &self,
        act: Act,
        id: &str,
        change: Change,
        order: Option<&str>,
    ) -> Result<CredentialRecord, StandingRefusal> {
        // One at a time in this process: they all change the same list.
        let act = act.on(id);
        let _turn = self.lists.changing.lock().await;
        for _ in 0..MAX_RACES {
            let credential = self.records.credential(id).await?.ok_or(StandingRefusal::Unknown)?;
            let (number, index) = (credential.value.list, credential.value.index);
            let old_list = self.records.status_list(number).await?;
            let old_list = old_list.ok_or_else(|| StoreError::Corrupt("a status list is missing".to_owned()))?;
            let next = credential.value.state.after(change, old_list.list.bits())?;
            let record = CredentialRecord { state: next, ..credential.value.clone() };
            if next == credential.value.state {
                // Published all the same: the change may have been saved by one who died before publishing it.
                self.publish(number).await?;
                return Ok(record);
            }
            let vct = Kind::vct_of(&credential.value.configuration).ok_or(StandingRefusal::Unknown)?;
            let order = self.ordered(&deed_on(change, &vct, id), order).await?;
            let mut new_list = old_list.list.clone();
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            new_list.set(index, next.status()).map_err(|error| of_list(&error))?;
            let written = StandingChange {
                credential: &credential,
                next,
                old_list: &old_list,
                new_list: &new_list,
                order: &order,
            };
            match self.records.change_standing_once(&act, &written).await? {
                Outcome::Done => {
                    self.publish(number).await?;
                    self.counters.changed(change);
                    return Ok(record);
                }
                Outcome::OrderUsed => return Err(OrderRefused::from(DutyError::Used).into()),
                Outcome::Changed | Outcome::NonceUsed | Outcome::IndexTaken => {}
            }
        }
        Err(StoreError::Broken("a status list changes without end".to_owned()).into())
    }
}
