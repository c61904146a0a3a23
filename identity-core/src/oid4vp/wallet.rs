//! The wallet's side: who asks, is it really they, and the form that goes back.
//!
//! ```text
//!  UnverifiedRequest::parse(link, jwt) ── key_id() ──▶ (the caller resolves the DID)
//!          └── verify(document, wallet_nonce, now) ──▶ VerifiedRequest
//!                                   answer(token, anchors) | refusal(error) ──▶ form body
//! ```
//!
//! # What this does not check
//! Whether the ledger accredits the verifier for this question and purpose: see
//! [`crate::trust`]. Whether the DID document is true: the caller resolves it with proof.

use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use url::Url;
use zeroize::Zeroizing;

use super::error::{OAuthError, RequestError};
use super::request::{AnchorWish, Parameters, RequestLink, ResponseMode, SELF_ISSUED_AUDIENCE};
use super::response::{Anchors, VpToken};
use crate::did::{DidUrl, Document, Relationship};
use crate::encoding::json;
use crate::jose::jwe::{self, EncryptionFailed};
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};
use crate::oauth::url::Transport;
use crate::problem::Code;
use crate::time::UnixSeconds;

/// The largest request object read, in bytes.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// The largest answer of a response endpoint read, in bytes.
pub const MAX_REPLY_BYTES: usize = 16 * 1024;
/// The service type under which a verifier registers its URL.
pub const VERIFIER_SERVICE: &str = "XinfuVerifier";

/// A request object as it was fetched; nothing in it is to be believed yet.
#[derive(Debug)]
pub struct UnverifiedRequest<'a> {
    jwt: &'a str,
    jws: UnverifiedJws<'a>,
    key_id: DidUrl,
    link: &'a RequestLink,
}

impl<'a> UnverifiedRequest<'a> {
    /// Parses a fetched request object for the link that led to it.
    ///
    /// # Errors
    /// [`RequestError`]: too large, no JWT, or its `kid` is not a DID URL of the link's client.
    pub fn parse(link: &'a RequestLink, jwt: &'a str) -> Result<Self, RequestError> {
        let jws = UnverifiedJws::parse_limited(jwt, MAX_REQUEST_BYTES)?;
        let key_id = DidUrl::parse(jws.header().kid()?).map_err(|_| RequestError::KeyId)?;
        if key_id.did() != link.client_id.did() {
            return Err(RequestError::KeyId);
        }
        Ok(Self { jwt, jws, key_id, link })
    }

    /// The key that is to have signed; its DID is the client's, and is what to resolve.
    #[must_use]
    pub fn key_id(&self) -> &DidUrl {
        &self.key_id
    }

    /// Verifies the request against the client's DID document. `wallet_nonce` is what the wallet
    /// posted to `request_uri`, if it did.
    ///
    /// # Errors
    /// [`RequestError`], by the first rule that does not hold; signature first.
    pub fn verify(
        self,
        document: &Document,
        wallet_nonce: Option<&str>,
        transport: Transport,
        now: UnixSeconds,
    ) -> Result<VerifiedRequest, RequestError> {
        if document.id() != self.link.client_id.did() {
            return Err(RequestError::Document);
        }
        let key = document.key(&self.key_id, Relationship::Authentication).map_err(|_| RequestError::Key)?;
        let payload = self.jws.verify(key, ExpectedTyp::Exactly(typ::REQUEST_OBJECT))?.claims()?;

        if payload.get("client_id").and_then(Value::as_str) != Some(self.link.client_id.as_str()) {
            return Err(RequestError::ClientIdMismatch);
        }
        if payload.get("aud").and_then(Value::as_str) != Some(SELF_ISSUED_AUDIENCE) {
            return Err(RequestError::Audience);
        }
        let parameters = Parameters::from_json(&payload, transport)?;
        if now.0 >= parameters.expires.0 {
            return Err(RequestError::Expired);
        }
        if !echoes(wallet_nonce, parameters.wallet_nonce.as_deref()) {
            return Err(RequestError::WalletNonce);
        }
        if !registered(document, &parameters.response_uri) {
            return Err(RequestError::ForeignResponseUri);
        }
        Ok(VerifiedRequest { parameters, key_id: self.key_id, jwt: self.jwt.to_owned() })
    }
}

fn echoes(sent: Option<&str>, received: Option<&str>) -> bool {
    match (sent, received) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(sent), Some(received)) => bool::from(sent.as_bytes().ct_eq(received.as_bytes())),
    }
}

/// Data leaves only to a host that the client's DID registers, so that a stolen request-signing
/// key alone cannot send it elsewhere.
fn registered(document: &Document, response_uri: &Url) -> bool {
    document
        .services()
        .iter()
        .filter(|service| service.kind == VERIFIER_SERVICE)
        .filter_map(|service| Url::parse(&service.endpoint).ok())
        .any(|url| url.origin() == response_uri.origin())
}

/// A request that its client really made, for now, to us.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedRequest {
    parameters: Parameters,
    key_id: DidUrl,
    jwt: String,
}

/// Why a wallet cannot make the answer it was asked to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The verifier requires anchor proofs and not all are there.
    #[error("the verifier requires anchor proofs, and not every credential has its own yet")]
    AnchorsMissing,
    /// The answer is to be encrypted and cannot be.
    #[error(transparent)]
    Encryption(#[from] EncryptionFailed),
}

impl AnswerError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::AnchorsMissing => Code::VpResponseAnchorMissing,
            Self::Encryption(error) => error.code(),
        }
    }
}

impl VerifiedRequest {
    /// What is asked, by whom, for how long.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The key that signed.
    #[must_use]
    pub fn key_id(&self) -> &DidUrl {
        &self.key_id
    }

    /// The request object as it travelled; the wallet keeps it, so that nobody can deny having asked.
    #[must_use]
    pub fn jwt(&self) -> &str {
        &self.jwt
    }

    /// The form body that presents, encrypted if the request demands it. Anchor proofs go along only when the request
    /// asks for them.
    ///
    /// # Errors
    /// [`AnswerError`]: anchors are required and one is missing; encryption failed.
    pub fn answer(&self, token: &VpToken, anchors: &Anchors) -> Result<String, AnswerError> {
        let complete = anchors.cover(token);
        if self.parameters.anchor == Some(AnchorWish::Required) && !complete {
            return Err(AnswerError::AnchorsMissing);
        }
        let mut parameters = vec![("vp_token", token.to_json())];
        if self.parameters.anchor.is_some() && !anchors.0.is_empty() {
            parameters.push(("xinfu_anchor", anchors.to_json()));
        }
        self.form(parameters)
    }

    /// The form body that declines, encrypted likewise.
    ///
    /// # Errors
    /// [`AnswerError::Encryption`].
    pub fn refusal(&self, error: OAuthError) -> Result<String, AnswerError> {
        self.form(vec![("error", Value::from(error.as_str()))])
    }

    fn form(&self, mut parameters: Vec<(&str, Value)>) -> Result<String, AnswerError> {
        if let Some(state) = &self.parameters.state {
            parameters.push(("state", Value::from(state.as_str())));
        }
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        match &self.parameters.mode {
            ResponseMode::DirectPost => {
                for (name, value) in parameters {
                    // Text stands for itself; everything else is JSON written as text.
                    form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                }
            }
            ResponseMode::DirectPostJwt(encryption) => {
                let content: Map<String, Value> =
                    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let content = Zeroizing::new(Value::Object(content).to_string());
                let token = jwe::encrypt(content.as_bytes(), &encryption.key, encryption.method())?;
                form.append_pair("response", &token);
            }
        }
        Ok(form.finish())
    }
}

/// What the response endpoint said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Accepted; the holder may be sent on to this address.
    Accepted {
        /// Where to go on, if anywhere: a stranger's text. [`super::same_device::onward_address`] says whether a
        /// browser may be sent there.
        redirect_uri: Option<String>,
    },
    /// Refused, with our code where the verifier speaks it.
    Refused {
        /// Why, if the verifier said so in words of ours.
        code: Option<Code>,
    },
}

impl Reply {
    /// Reads the answer of a response endpoint from its HTTP status and body. Redirects count as
    /// refusals (OpenID4VP 1.0 §14.7).
    #[must_use]
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let body = json::parse_strict(body, json::Limits::of(MAX_REPLY_BYTES)).ok();
        let text = |name: &str| body.as_ref()?.get(name)?.as_str();
        if status == 200 && body.as_ref().is_some_and(Value::is_object) {
            return Self::Accepted { redirect_uri: text("redirect_uri").map(str::to_owned) };
        }
        Self::Refused { code: text("code").and_then(Code::parse) }
    }
}
