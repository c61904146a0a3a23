//! Making an offer for one subject, and showing it to the wallet that comes for it.

use identity_core::duty::{Deed, DutyError, IssuerAct};
use identity_core::oid4vci::issuer::{MadeOffer, NewOffer, OfferGone};
use identity_core::oid4vci::offer::{CredentialOffer, OfferLink};
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use ledger::sha256;
use serde::Deserialize;
use service_kit::audit::Act;
use service_kit::store::StoreError;
use url::Url;

use super::order::OrderRefused;
use crate::service::Service;
use crate::store::Outcome;

/// Longest name that a department may give a case, in bytes.
const MAX_REFERENCE_BYTES: usize = 200;

/// What an official asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferRequest {
    pub subject: String,
    pub credential_configuration_id: String,
    #[serde(default)]
    pub valid_for: Option<u32>,
    #[serde(default)]
    pub reference: Option<String>,
}

/// An offer made, with its links.
pub(crate) struct Offered {
    pub id: String,
    pub by_reference: String,
    pub by_value: String,
    pub tx_code: Option<String>,
    pub expires: UnixSeconds,
}

/// Why no offer is made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeRefusal {
    #[error("there is no such credential configuration")]
    ConfigurationUnknown,
    #[error("there is no such subject")]
    SubjectUnknown,
    #[error("the lifetime is out of range")]
    Lifetime,
    #[error("the reference is empty, too long or not plain text")]
    Reference,
    #[error(transparent)]
    Order(OrderRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OrderRefused> for MakeRefusal {
    fn from(refused: OrderRefused) -> Self {
        match refused {
            OrderRefused::Store(error) => Self::Store(error),
            refused => Self::Order(refused),
        }
    }
}

impl MakeRefusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::ConfigurationUnknown => Code::VciRequestConfigurationUnknown,
            Self::SubjectUnknown => Code::VciSubjectUnknown,
            Self::Lifetime => Code::VciOfferLifetime,
            Self::Reference => Code::VciOfferCaseReference,
            Self::Order(refused) => refused.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// Why no offer is shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShowRefusal {
    #[error("there is no such offer")]
    Unknown,
    #[error(transparent)]
    Gone(#[from] OfferGone),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ShowRefusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VciOfferUnknown,
            Self::Gone(gone) => gone.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// A case number or the like: short plain text, which can stand in a key of the store.
fn is_reference(text: &str) -> bool {
    (1..=MAX_REFERENCE_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl Service {
    /// Makes an offer.
    /// `content` is the request's exact bytes, which an official's order is over.
    pub(crate) async fn make_offer(
        &self,
        act: Act,
        request: OfferRequest,
        content: &[u8],
        order: Option<&str>,
    ) -> Result<Offered, MakeRefusal> {
        let lifetime = request.valid_for.unwrap_or(self.config.offers.valid_for);
        if lifetime == 0 || lifetime > self.config.offers.max_valid_for {
            return Err(MakeRefusal::Lifetime);
        }
        if request.reference.as_deref().is_some_and(|reference| !is_reference(reference)) {
            return Err(MakeRefusal::Reference);
        }
        let configuration = request.credential_configuration_id;
        let kind = self.kinds.get(&configuration).ok_or(MakeRefusal::ConfigurationUnknown)?;
        self.records.subject(&configuration, &request.subject).await?.ok_or(MakeRefusal::SubjectUnknown)?;
        let deed = Deed { act: IssuerAct::Offer, vct: kind.vct.clone(), content: sha256(content), count: 1 };
        let ordered = self.ordered(&deed, order).await?;
        let OfferRequest { subject, reference, .. } = request;
        let wanted = NewOffer { subject, configuration, reference, order: Some(ordered.digest), lifetime };
        let now = self.clock.now();
        let made = self.issuer.make_offer(wanted, now, &mut *self.chance.rng());
        let MadeOffer { grant, offer, tx_code } = made.map_err(|_| MakeRefusal::ConfigurationUnknown)?;
        if self.records.save_offer(&act.on(&grant.id), &grant, &ordered, now).await? == Outcome::OrderUsed {
            return Err(OrderRefused::from(DutyError::Used).into());
        }
        Ok(Offered {
            by_reference: self.offer_link(&grant.id),
            by_value: OfferLink::ByValue(offer).to_link(),
            expires: grant.expires,
            id: grant.id,
            tx_code,
        })
    }

    /// The offer behind a link.
    pub(crate) async fn show_offer(&self, id: &str) -> Result<CredentialOffer, ShowRefusal> {
        let grant = self.records.grant(id).await?.ok_or(ShowRefusal::Unknown)?;
        Ok(self.issuer.show_offer(&grant.value, self.clock.now())?)
    }

    /// The link by reference that goes into a QR code.
    pub(crate) fn offer_link(&self, id: &str) -> String {
        let url = self.endpoint(&format!("/offers/{id}"));
        Url::parse(&url).map_or(url, |url| OfferLink::ByReference(url).to_link())
    }
}
