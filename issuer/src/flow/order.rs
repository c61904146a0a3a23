//! Having somebody answer for what the department does as an issuer.
//!
//! An act comes with an official's signed order over its exact content; without one the service account orders it, where
//! there is one. An official's order counts only if the ledger says so now; the service account's delegation is asked for
//! at most once a minute, and a ledger that cannot be asked stops nothing that this account does, as it stops no issuing.

use identity_core::crypto::{SecretKey, SigningFailed};
use identity_core::did::Did;
use identity_core::duty::{Deed, DutyError, IssuerAct, Order, UnverifiedOrder, VerifiedOrder};
use identity_core::problem::Code;
use identity_core::registry::{DutyHistory, DutyHolder};
use identity_core::status::Change;
use identity_core::time::UnixSeconds;
use ledger::{Hash, sha256};
use service_kit::chance;
use service_kit::store::StoreError;
use tokio::sync::Mutex;

use crate::kind::Kind;
use crate::ports::LedgerFault;
use crate::service::Service;

/// Seconds that an order drafted for an official counts: time to carry it to a wallet and back.
const DRAFT_SECONDS: i64 = 3_600;
/// Seconds that the service account's own order counts: it is carried out at once.
const OWN_SECONDS: i64 = 60;
/// Seconds between two looks at the service account's delegation.
const LOOK_AGAIN: i64 = 60;
/// Random bytes of an order's nonce.
const NONCE_BYTES: usize = 16;

/// An order that an act may be done under, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub duty: String,
    pub holder: DutyHolder,
    pub digest: Hash,
    /// As it was signed.
    pub text: String,
}

/// Why nobody answers for an act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderRefused {
    /// No order, or none that counts.
    #[error(transparent)]
    Duty(#[from] DutyError),
    /// An official's order counts only if the ledger says so now.
    #[error("the ledger cannot be asked whether the duty holds")]
    Undetermined,
    /// The service account's key.
    #[error("an order cannot be signed")]
    Signing,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SigningFailed> for OrderRefused {
    fn from(SigningFailed: SigningFailed) -> Self {
        Self::Signing
    }
}

impl OrderRefused {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Duty(error) => error.code(),
            Self::Undetermined => Code::DutyUndetermined,
            Self::Signing => Code::HttpInternal,
            Self::Store(error) => error.code(),
        }
    }
}

/// The account that orders what no official orders.
pub(crate) struct ServiceAccount {
    pub duty: String,
    pub basis: String,
    pub key: SecretKey,
    pub known: Mutex<Known>,
}

/// What the ledger last said about the service account's duty.
#[derive(Default)]
pub(crate) struct Known {
    looked: Option<UnixSeconds>,
    /// The history, and the last log index that it knows.
    duty: Option<(DutyHistory, u64)>,
}

/// What an official is to sign.
pub(crate) struct ToOrder {
    pub official: String,
    pub deed: Deed,
    pub basis: String,
    pub case: Option<Hash>,
}

/// What is done to one credential: its id is the content.
pub(crate) fn deed_on(change: Change, vct: &str, credential: &str) -> Deed {
    let act = match change {
        Change::Revoke => IssuerAct::Revoke,
        Change::Suspend => IssuerAct::Suspend,
        Change::Reinstate => IssuerAct::Reinstate,
    };
    Deed { act, vct: vct.to_owned(), content: sha256(credential.as_bytes()), count: 1 }
}

impl Service {
    /// The order for an official's wallet, which counts for an hour.
    ///
    /// # Errors
    /// [`DutyError::Malformed`] for what no order can say.
    pub(crate) fn draft_order(&self, wanted: ToOrder) -> Result<Order, DutyError> {
        let ToOrder { official: duty, deed, basis, case } = wanted;
        let exp = self.clock.now().plus(DRAFT_SECONDS);
        let nonce = chance::token(&mut *self.chance.rng(), NONCE_BYTES);
        let order = Order { iss: self.keys.identity.did.clone(), duty, deed, basis, case, nonce, exp };
        if order.is_sound() { Ok(order) } else { Err(DutyError::Malformed) }
    }

    /// What would be done to a credential; `None` if there is no such credential.
    pub(crate) async fn deed_on_credential(&self, change: Change, id: &str) -> Result<Option<Deed>, StoreError> {
        let record = self.records.credential(id).await?;
        let vct = record.and_then(|record| Kind::vct_of(&record.value.configuration));
        Ok(vct.map(|vct| deed_on(change, &vct, id)))
    }

    /// The order that a deed is done under: the official's who signed one, or else the service account's own.
    pub(crate) async fn ordered(&self, deed: &Deed, signed: Option<&str>) -> Result<Ordered, OrderRefused> {
        match (signed, &self.account) {
            (Some(text), _) => self.by_official(deed, text).await,
            (None, Some(account)) => self.by_account(deed, account).await,
            (None, None) => Err(DutyError::Missing.into()),
        }
    }

    async fn by_official(&self, deed: &Deed, text: &str) -> Result<Ordered, OrderRefused> {
        let said = UnverifiedOrder::parse(text)?;
        let own = &self.keys.identity.did;
        let (department, duty) = said.who();
        if department != own {
            return Err(DutyError::Department.into());
        }
        let (history, index) = self.ask(duty).await?;
        let order = said.verify(&history, index)?;
        check(&order, own, deed, DutyHolder::Official, self.clock.now())?;
        if self.records.is_order_used(order.digest()).await? {
            return Err(DutyError::Used.into());
        }
        Ok(ordered(&order, text.to_owned()))
    }

    async fn by_account(&self, deed: &Deed, account: &ServiceAccount) -> Result<Ordered, OrderRefused> {
        let now = self.clock.now();
        let wanted =
            ToOrder { official: account.duty.clone(), deed: deed.clone(), basis: account.basis.clone(), case: None };
        let order = Order { exp: now.plus(OWN_SECONDS), ..self.draft_order(wanted)? };
        let text = order.sign(&account.key)?;
        let said = UnverifiedOrder::parse(&text)?;
        let digest = said.digest();
        let mut known = account.known.lock().await;
        let fresh = known.looked.is_some_and(|looked| now.since(looked) < LOOK_AGAIN);
        let stands = known.holds(&said, &self.keys.identity.did, deed, now);
        // What was refused a moment ago may have been given since.
        if !fresh || matches!(stands, Some(Err(_))) {
            known.looked = Some(now);
            match self.ask(&account.duty).await {
                Ok(proven) => known.duty = Some(proven),
                Err(OrderRefused::Undetermined) => {}
                Err(refused) => return Err(refused),
            }
        }
        known.holds(&said, &self.keys.identity.did, deed, now).unwrap_or(Ok(()))?;
        Ok(Ordered { duty: account.duty.clone(), holder: DutyHolder::Service, digest, text: text.clone() })
    }

    async fn ask(&self, duty: &str) -> Result<(DutyHistory, u64), OrderRefused> {
        match self.ledger.duty(&self.keys.identity.did, duty).await {
            Ok(Some(proven)) => Ok(proven),
            Ok(None) => Err(DutyError::Unknown.into()),
            Err(LedgerFault::Unreachable(_) | LedgerFault::Refused(_)) => Err(OrderRefused::Undetermined),
        }
    }
}

impl Known {
    /// Whether the account's order holds by what the ledger said; `None` if it has said nothing yet.
    fn holds(
        &self,
        said: &UnverifiedOrder<'_>,
        own: &Did,
        deed: &Deed,
        now: UnixSeconds,
    ) -> Option<Result<(), DutyError>> {
        let (history, index) = self.duty.as_ref()?;
        let order = said.clone().verify(history, *index);
        Some(order.and_then(|order| check(&order, own, deed, DutyHolder::Service, now)))
    }
}

fn check(order: &VerifiedOrder, own: &Did, deed: &Deed, holder: DutyHolder, now: UnixSeconds) -> Result<(), DutyError> {
    order.check_holder(holder)?;
    order.check(own, deed, now)
}

fn ordered(order: &VerifiedOrder, text: String) -> Ordered {
    Ordered { duty: order.order().duty.clone(), holder: order.delegation().holder, digest: *order.digest(), text }
}
