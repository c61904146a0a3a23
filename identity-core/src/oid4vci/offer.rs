//! Credential offers (OpenID4VCI §4.1): the object, and the link that carries it by value or by reference.

use ::url::Url;
use serde::{Deserialize, Serialize};

use crate::encoding::json::JsonError;
use crate::oauth::url::{Transport, parse_endpoint, parse_identifier};
use crate::problem::Code;

use super::message;

/// The scheme that opens a wallet with an offer.
pub const LINK_SCHEME: &str = "openid-credential-offer";

/// The most characters an issuer may use to describe its transaction code (§4.1.1).
const MAX_TX_CODE_DESCRIPTION: usize = 300;

/// The most configurations one offer may name. Offers here name one; room for those of other issuers.
const MAX_CONFIGURATIONS: usize = 32;

/// The most bytes of a link. QR codes end at 2,953; offers by value in links are longer.
const MAX_LINK_BYTES: usize = 16 * 1024;

/// Why a link or an offer is refused by a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferRefusal {
    /// Not a link with parameters, or too long.
    #[error("not a credential offer link")]
    NotALink,
    /// Neither `credential_offer` nor `credential_offer_uri`.
    #[error("the link carries no offer")]
    Nothing,
    /// Both forms, or one of them twice.
    #[error("the link carries the offer more than once")]
    MoreThanOnce,
    /// The reference is no URL that may be fetched.
    #[error("the offer's reference is not an https URL")]
    Reference,
    /// Not the JSON object of §4.1.1.
    #[error("the offer is malformed: {0}")]
    Json(JsonError),
    /// `credential_issuer` is no issuer identifier.
    #[error("the offer's issuer is not an https URL")]
    Issuer,
    /// No configuration is offered, the same one twice, or too many.
    #[error("the offer's configurations are empty, repeated or too many")]
    Configurations,
    /// No pre-authorized code among the grants.
    #[error("the offer has no pre-authorized code")]
    Grant,
    /// The transaction code's description is too long or its length out of range.
    #[error("the offer's transaction code hint is out of range")]
    TxCodeHint,
}

impl OfferRefusal {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NotALink => Code::VciOfferNotALink,
            Self::Nothing => Code::VciOfferNothing,
            Self::MoreThanOnce => Code::VciOfferMoreThanOnce,
            Self::Reference => Code::VciOfferReference,
            Self::Json(error) => error.code(),
            Self::Issuer => Code::VciOfferIssuer,
            Self::Configurations => Code::VciOfferConfigurations,
            Self::Grant => Code::VciOfferGrant,
            Self::TxCodeHint => Code::VciOfferTxCodeHint,
        }
    }
}

/// A credential offer. Unknown members are ignored, as §4.1.1 demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialOffer {
    /// The identifier of the issuer that offers.
    pub credential_issuer: String,
    /// Which of its configurations it offers.
    pub credential_configuration_ids: Vec<String>,
    /// How a token is had for them.
    #[serde(default)]
    pub grants: Grants,
}

/// The grants of an offer that this wallet knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The pre-authorized code flow.
    #[serde(
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized: Option<PreAuthorizedGrant>,
}

/// A pre-authorized code and what must accompany it. Its `Debug` leaves the code out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedGrant {
    /// The code: single-use, short-lived, a secret between issuer and wallet.
    #[serde(rename = "pre-authorized_code")]
    pub code: String,
    /// Present, even if empty, when a transaction code is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCodeHint>,
    /// Which of several authorization servers to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

impl std::fmt::Debug for PreAuthorizedGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreAuthorizedGrant").field("tx_code", &self.tx_code).finish_non_exhaustive()
    }
}

/// What the transaction code looks like, so that a wallet can ask for it well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCodeHint {
    /// `numeric` (the default) or `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_mode: Option<InputMode>,
    /// How many characters it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// Where the person finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The characters of a transaction code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Digits only.
    Numeric,
    /// Any characters.
    Text,
}

impl CredentialOffer {
    /// An offer of one configuration by pre-authorized code.
    #[must_use]
    pub fn pre_authorized(issuer: &str, configuration: &str, code: String, tx_code: Option<TxCodeHint>) -> Self {
        Self {
            credential_issuer: issuer.to_owned(),
            credential_configuration_ids: vec![configuration.to_owned()],
            grants: Grants { pre_authorized: Some(PreAuthorizedGrant { code, tx_code, authorization_server: None }) },
        }
    }

    /// Reads an offer as a wallet does: every rule of §4.1.1 holds afterwards.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(bytes: &[u8], transport: Transport) -> Result<Self, OfferRefusal> {
        let offer: Self = message::parse(bytes).map_err(OfferRefusal::Json)?;
        offer.check(transport)?;
        Ok(offer)
    }

    fn check(&self, transport: Transport) -> Result<(), OfferRefusal> {
        parse_identifier(&self.credential_issuer, transport).map_err(|_| OfferRefusal::Issuer)?;
        let ids = &self.credential_configuration_ids;
        let repeated = ids.iter().enumerate().any(|(n, id)| ids.iter().take(n).any(|earlier| earlier == id));
        if ids.is_empty() || ids.len() > MAX_CONFIGURATIONS || repeated {
            return Err(OfferRefusal::Configurations);
        }
        let grant = self.grants.pre_authorized.as_ref().ok_or(OfferRefusal::Grant)?;
        if grant.code.is_empty() {
            return Err(OfferRefusal::Grant);
        }
        grant.tx_code.as_ref().map_or(Ok(()), TxCodeHint::check)
    }
}

impl TxCodeHint {
    /// A code of `length` digits.
    #[must_use]
    pub fn digits(length: u16) -> Self {
        Self { input_mode: Some(InputMode::Numeric), length: Some(length), description: None }
    }

    fn check(&self) -> Result<(), OfferRefusal> {
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_TX_CODE_DESCRIPTION || self.length == Some(0) {
            return Err(OfferRefusal::TxCodeHint);
        }
        Ok(())
    }
}

/// A credential offer link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferLink {
    /// The offer itself stands in the link.
    ByValue(CredentialOffer),
    /// The link says where the offer is.
    ByReference(Url),
}

impl OfferLink {
    /// Reads a link, by value or by reference and exactly one of them (§4.1). The part before `?` is the wallet's own
    /// offer endpoint, so any scheme is taken; parameters beyond the two are ignored.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(link: &str, transport: Transport) -> Result<Self, OfferRefusal> {
        if link.len() > MAX_LINK_BYTES {
            return Err(OfferRefusal::NotALink);
        }
        let url = Url::parse(link.trim()).map_err(|_| OfferRefusal::NotALink)?;
        let query = url.query().ok_or(OfferRefusal::Nothing)?;
        let mut found = None;
        for (name, value) in ::url::form_urlencoded::parse(query.as_bytes()) {
            let by_value = match &*name {
                "credential_offer" => true,
                "credential_offer_uri" => false,
                _ => continue,
            };
            if found.replace((by_value, value)).is_some() {
                return Err(OfferRefusal::MoreThanOnce);
            }
        }
        match found.ok_or(OfferRefusal::Nothing)? {
            (true, value) => CredentialOffer::parse(value.as_bytes(), transport).map(Self::ByValue),
            (false, value) => {
                parse_endpoint(&value, transport).map(Self::ByReference).map_err(|_| OfferRefusal::Reference)
            }
        }
    }

    /// The link's text, as it goes into a QR code.
    #[must_use]
    pub fn to_link(&self) -> String {
        let mut query = ::url::form_urlencoded::Serializer::new(String::new());
        match self {
            Self::ByValue(offer) => {
                let json = serde_json::to_string(offer).unwrap_or_default();
                query.append_pair("credential_offer", &json);
            }
            Self::ByReference(url) => {
                query.append_pair("credential_offer_uri", url.as_str());
            }
        }
        // Query decoders of the web read `+` as a space, those of URI libraries as a plus; `%20` is a space in both.
        format!("{LINK_SCHEME}://?{}", query.finish().replace('+', "%20"))
    }
}

#[cfg(test)]
mod tests;
