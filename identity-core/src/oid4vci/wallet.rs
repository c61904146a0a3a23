//! The wallet's side as a state machine: each state knows what to fetch next and judges what comes back.
//!
//! A wallet holds an [`Invited`], performs its [`HttpRequest`], hands the answer in and gets the next state, up to
//! [`Received`]. States are not consumed, so a step may be repeated: after `invalid_nonce` with a fresh nonce.
//!
//! Not decided here: whether the issuer is accredited, and whether the person wants the credential.

use ::url::Url;

use crate::crypto::{PublicKey, Signer};
use crate::oauth::metadata::AuthorizationServerMetadata;
use crate::oauth::url::{Transport, parse_endpoint, parse_identifier, well_known};
use crate::problem::Code;
use crate::time::UnixSeconds;

use super::issuer_keys;
use super::message::{
    self, CredentialRequest, CredentialResponse, ErrorBody, NonceResponse, TokenRequest, TokenResponse,
};
use super::metadata::{self, CredentialConfiguration, CredentialIssuerMetadata};
use super::offer::{CredentialOffer, PreAuthorizedGrant, TxCodeHint};
use super::proof::{self, Binding};

mod received;
mod refusal;
#[cfg(test)]
mod tests;

pub use received::{Received, ReceivedCredential};
pub use refusal::WalletRefusal;

/// A request to perform, without following redirects.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Where to.
    pub url: Url,
    /// What to send; a request without body is a `GET` unless `post`.
    pub body: Option<Body>,
    /// Whether it is a `POST`.
    pub post: bool,
    /// The bearer token to send in `Authorization`.
    pub bearer: Option<String>,
}

/// A body with its media type.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// `application/json` or `application/x-www-form-urlencoded`.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl HttpRequest {
    fn get(url: Url) -> Self {
        Self { url, body: None, post: false, bearer: None }
    }

    fn post(url: Url, body: Option<Body>) -> Self {
        Self { url, body, post: true, bearer: None }
    }
}

/// What came back.
#[derive(Clone, Copy)]
pub struct HttpReply<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl HttpReply<'_> {
    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, WalletRefusal> {
        if !(200..300).contains(&self.status) {
            return Err(self.refused());
        }
        message::parse(self.body).map_err(WalletRefusal::Json)
    }

    fn refused(&self) -> WalletRefusal {
        match message::parse::<ErrorBody>(self.body) {
            Ok(body) => {
                let code = body.code.as_deref().and_then(Code::parse).filter(|code| code.as_str().starts_with("vci."));
                WalletRefusal::ByIssuer { status: self.status, error: known_error(&body.error), code }
            }
            Err(_) => WalletRefusal::ByIssuer { status: self.status, error: None, code: None },
        }
    }
}

/// The error names that a wallet may meet. Others are not repeated: an issuer's free text could say anything.
const KNOWN_ERRORS: [&str; 14] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_token",
    "insufficient_scope",
    "invalid_credential_request",
    "unknown_credential_configuration",
    "unknown_credential_identifier",
    "invalid_proof",
    "invalid_nonce",
    "credential_request_denied",
];

fn known_error(name: &str) -> Option<&'static str> {
    KNOWN_ERRORS.into_iter().find(|known| *known == name)
}

/// A wallet with an offer in hand.
#[derive(Debug, Clone)]
pub struct Invited {
    offer: CredentialOffer,
    grant: PreAuthorizedGrant,
    issuer: Url,
    transport: Transport,
}

impl Invited {
    /// Begins with an offer that [`CredentialOffer::parse`] read.
    ///
    /// # Errors
    /// [`WalletRefusal::Offer`].
    pub fn new(offer: CredentialOffer, transport: Transport) -> Result<Self, WalletRefusal> {
        use super::offer::OfferRefusal;
        let issuer = parse_identifier(&offer.credential_issuer, transport);
        let issuer = issuer.map_err(|_| WalletRefusal::Offer(OfferRefusal::Issuer))?;
        let grant = offer.grants.pre_authorized.clone().ok_or(WalletRefusal::Offer(OfferRefusal::Grant))?;
        Ok(Self { offer, grant, issuer, transport })
    }

    /// Who offers.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.offer.credential_issuer
    }

    /// Fetches the issuer's metadata.
    #[must_use]
    pub fn request(&self) -> HttpRequest {
        HttpRequest::get(well_known(&self.issuer, metadata::WELL_KNOWN_NAME))
    }

    /// Judges the metadata: it must name the issuer of the offer, byte for byte, or another issuer's answers would be
    /// taken for this one's (§12.2.4).
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn informed(&self, reply: HttpReply<'_>) -> Result<Informed, WalletRefusal> {
        let metadata: CredentialIssuerMetadata = reply.read()?;
        if metadata.credential_issuer != self.offer.credential_issuer {
            return Err(WalletRefusal::IssuerMixUp);
        }
        let id = self.offer.credential_configuration_ids.first().ok_or(WalletRefusal::ConfigurationUnknown)?;
        if !metadata.credential_configurations_supported.contains_key(id) {
            return Err(WalletRefusal::ConfigurationUnknown);
        }
        let configuration = metadata.configuration(id).ok_or(WalletRefusal::FormatUnsupported)?;
        let server = choose_server(&metadata, &self.grant)?;
        let server_url = parse_identifier(&server, self.transport).map_err(|_| WalletRefusal::Endpoint)?;
        Ok(Informed {
            credential_endpoint: self.endpoint(&metadata.credential_endpoint)?,
            nonce_endpoint: metadata.nonce_endpoint.as_deref().map(|url| self.endpoint(url)).transpose()?,
            batch_size: metadata.batch_credential_issuance.map_or(1, |batch| batch.batch_size.max(1)),
            configuration_id: id.clone(),
            configuration,
            server,
            server_url,
            metadata,
            invited: self.clone(),
        })
    }

    fn endpoint(&self, text: &str) -> Result<Url, WalletRefusal> {
        parse_endpoint(text, self.transport).map_err(|_| WalletRefusal::Endpoint)
    }
}

fn choose_server(metadata: &CredentialIssuerMetadata, grant: &PreAuthorizedGrant) -> Result<String, WalletRefusal> {
    let listed = metadata.authorization_servers.as_deref().unwrap_or_default();
    match (&grant.authorization_server, listed.first()) {
        (None, None) => Ok(metadata.credential_issuer.clone()),
        (None, Some(first)) => Ok(first.clone()),
        (Some(hint), Some(_)) if listed.contains(hint) => Ok(hint.clone()),
        // §4.1.1: a hint that no listed server matches stops the flow.
        (Some(_), _) => Err(WalletRefusal::ServerUnknown),
    }
}

/// A wallet that knows what the issuer says of itself.
#[derive(Debug, Clone)]
pub struct Informed {
    invited: Invited,
    metadata: CredentialIssuerMetadata,
    configuration_id: String,
    configuration: CredentialConfiguration,
    credential_endpoint: Url,
    nonce_endpoint: Option<Url>,
    batch_size: usize,
    server: String,
    server_url: Url,
}

impl Informed {
    /// What the issuer says of itself, for display.
    #[must_use]
    pub fn metadata(&self) -> &CredentialIssuerMetadata {
        &self.metadata
    }

    /// What is offered, for display.
    #[must_use]
    pub fn configuration(&self) -> &CredentialConfiguration {
        &self.configuration
    }

    /// How the transaction code looks; `None` if there is none.
    #[must_use]
    pub fn tx_code(&self) -> Option<&TxCodeHint> {
        self.invited.grant.tx_code.as_ref()
    }

    /// How many copies, each with its own key, may be asked for at once.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Fetches the authorization server's metadata.
    #[must_use]
    pub fn request(&self) -> HttpRequest {
        HttpRequest::get(well_known(&self.server_url, crate::oauth::metadata::WELL_KNOWN_NAME))
    }

    /// Judges the authorization server's metadata.
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn ready(&self, reply: HttpReply<'_>) -> Result<Ready, WalletRefusal> {
        let server: AuthorizationServerMetadata = reply.read()?;
        if server.issuer != self.server {
            return Err(WalletRefusal::IssuerMixUp);
        }
        if !server.takes_pre_authorized_codes() {
            return Err(WalletRefusal::GrantUnsupported);
        }
        Ok(Ready { token_endpoint: self.invited.endpoint(&server.token_endpoint)?, informed: self.clone() })
    }
}

/// A wallet that knows where to exchange its code.
#[derive(Debug, Clone)]
pub struct Ready {
    informed: Informed,
    token_endpoint: Url,
}

impl Ready {
    /// Exchanges the code for a token.
    ///
    /// # Errors
    /// [`WalletRefusal::TxCodeMissing`] or [`WalletRefusal::TxCodeUnexpected`], before the code is spent on it.
    pub fn request(&self, tx_code: Option<&str>) -> Result<HttpRequest, WalletRefusal> {
        match (&self.informed.invited.grant.tx_code, tx_code) {
            (Some(_), None) => return Err(WalletRefusal::TxCodeMissing),
            (None, Some(_)) => return Err(WalletRefusal::TxCodeUnexpected),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let code = self.informed.invited.grant.code.clone();
        let form = TokenRequest { code, tx_code: tx_code.map(str::to_owned) }.to_form();
        let body = Body { content_type: "application/x-www-form-urlencoded", bytes: form.into_bytes() };
        Ok(HttpRequest::post(self.token_endpoint.clone(), Some(body)))
    }

    /// Judges the token response.
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn authorized(&self, reply: HttpReply<'_>) -> Result<Authorized, WalletRefusal> {
        let response: TokenResponse = reply.read()?;
        if !response.token_type.eq_ignore_ascii_case("bearer") {
            return Err(WalletRefusal::TokenType);
        }
        let identifier = self.identifier(&response)?;
        Ok(Authorized { informed: self.informed.clone(), token: response.access_token, identifier })
    }

    /// §8.2: once the token response has `authorization_details`, its identifiers must be used.
    fn identifier(&self, response: &TokenResponse) -> Result<Option<String>, WalletRefusal> {
        let Some(details) = &response.authorization_details else { return Ok(None) };
        let ours = details.iter().find(|detail| {
            detail.kind == "openid_credential"
                && detail.credential_configuration_id.as_deref() == Some(&self.informed.configuration_id)
        });
        let identifier = ours.and_then(|detail| detail.credential_identifiers.first());
        identifier.cloned().map(Some).ok_or(WalletRefusal::ConfigurationUnknown)
    }
}

/// A wallet with a token. Its `Debug` leaves the token out.
#[derive(Clone)]
pub struct Authorized {
    informed: Informed,
    token: String,
    identifier: Option<String>,
}

impl Authorized {
    /// Fetches a nonce; `None` if the issuer has no nonce endpoint.
    #[must_use]
    pub fn request(&self) -> Option<HttpRequest> {
        self.informed.nonce_endpoint.clone().map(|url| HttpRequest::post(url, None))
    }

    /// Judges the nonce response; `None` goes with an issuer without nonce endpoint.
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn proving(&self, reply: Option<HttpReply<'_>>) -> Result<Proving, WalletRefusal> {
        let nonce = match (reply, &self.informed.nonce_endpoint) {
            (Some(reply), _) => Some(reply.read::<NonceResponse>()?.c_nonce),
            (None, None) => None,
            (None, Some(_)) => return Err(WalletRefusal::NonceMissing),
        };
        Ok(Proving { authorized: self.clone(), nonce, binding: Binding::default() })
    }
}

impl std::fmt::Debug for Authorized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorized").field("informed", &self.informed).finish_non_exhaustive()
    }
}

/// A wallet that may prove its keys.
#[derive(Debug, Clone)]
pub struct Proving {
    authorized: Authorized,
    nonce: Option<String>,
    binding: Binding,
}

impl Proving {
    /// Has the keys named so, in the proofs and in the credentials.
    #[must_use]
    pub fn bound_by(self, binding: Binding) -> Self {
        Self { binding, ..self }
    }

    /// Asks for one credential per key. Every key must be fresh: two credentials under one key can be linked.
    ///
    /// # Errors
    /// [`WalletRefusal`] if the issuer does not take such keys or so many.
    pub fn request(&self, keys: &[&dyn Signer], now: UnixSeconds) -> Result<HttpRequest, WalletRefusal> {
        let informed = &self.authorized.informed;
        if keys.is_empty() || keys.len() > informed.batch_size {
            return Err(WalletRefusal::BatchSize);
        }
        if !informed.configuration.binds_by(self.binding) {
            return Err(WalletRefusal::BindingMethod);
        }
        let offered = informed.configuration.jwt_proof_algorithms();
        let mut jwts = Vec::with_capacity(keys.len());
        for key in keys {
            if !offered.iter().any(|name| name == key.alg().name()) {
                return Err(WalletRefusal::ProofAlgorithm);
            }
            let (issuer, nonce) = (informed.invited.issuer(), self.nonce.as_deref());
            let jwt = proof::make_named(issuer, nonce, now, *key, self.binding);
            jwts.push(serde_json::Value::from(jwt.map_err(|_| WalletRefusal::Signing)?));
        }
        let identifier = self.authorized.identifier.clone();
        let configuration = identifier.is_none().then(|| informed.configuration_id.clone());
        let request = CredentialRequest {
            credential_configuration_id: configuration,
            credential_identifier: identifier,
            proofs: Some([("jwt".to_owned(), serde_json::Value::from(jwts))].into_iter().collect()),
            credential_response_encryption: None,
        };
        let bytes = serde_json::to_vec(&request).map_err(|_| WalletRefusal::Signing)?;
        let body = Body { content_type: "application/json", bytes };
        let mut request = HttpRequest::post(informed.credential_endpoint.clone(), Some(body));
        request.bearer = Some(self.authorized.token.clone());
        Ok(request)
    }

    /// Judges the shape of the credential response. `keys` are those of the request, in its order.
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn received(&self, keys: &[PublicKey], reply: HttpReply<'_>) -> Result<Received, WalletRefusal> {
        let response: CredentialResponse = reply.read()?;
        if response.transaction_id.is_some() {
            return Err(WalletRefusal::Deferred);
        }
        // §8.3: an issuer may give fewer credentials than keys, never more.
        if response.credentials.is_empty() || response.credentials.len() > keys.len() {
            return Err(WalletRefusal::CredentialCount);
        }
        let informed = &self.authorized.informed;
        let credentials = response.credentials.into_iter().map(|issued| issued.credential).collect();
        let keys_url = well_known(&informed.invited.issuer, issuer_keys::WELL_KNOWN_NAME);
        Ok(Received::new(informed.invited.issuer(), &informed.configuration.vct, keys, credentials, keys_url))
    }
}
