//! The wallet's side: who asks, is it really they, and the form that goes back.
//!
//! ```text
//!  UnverifiedRequest::parse(link, jwt) ── who_asks() ──▶ (the caller resolves the DID)
//!          └── verify(document, wallet_nonce, now) ──▶ VerifiedRequest
//!                                   answer(token, anchors) | refusal(error) ──▶ form body
//! ```
//!
//! # What this does not check
//! Whether the ledger accredits the verifier for this question and purpose: see
//! [`crate::trust`]. Whether the DID document is true: the caller resolves it with proof.

use ledger::Hash;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use url::Url;
use zeroize::Zeroizing;

use super::client_id::ClientName;
use super::error::{OAuthError, RequestError};
use super::request::{AnchorWish, Parameters, RequestLink, ResponseMode, SELF_ISSUED_AUDIENCE};
use super::response::{Anchors, VpToken};
use crate::did::{Did, DidUrl, Document, Relationship};
use crate::encoding::json;
use crate::jose::jwe::{self, EncryptionFailed};
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};
use crate::oauth::url::Transport;
use crate::problem::Code;
use crate::receipt::MAX_RECEIPT_BYTES;
use crate::time::UnixSeconds;
use crate::x509::{Chain, Leaf, TrustAnchors};

/// The largest request object read, in bytes.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// The largest answer of a response endpoint read, in bytes: a receipt, and room for an address to go on to, or for an error
/// in words.
pub const MAX_REPLY_BYTES: usize = MAX_RECEIPT_BYTES + 8 * 1024;
/// The member of an answer, accepted or refused, that holds the receipt.
pub const RECEIPT: &str = "xinfu_receipt";
/// The service type under which a verifier registers its URL.
pub const VERIFIER_SERVICE: &str = "XinfuVerifier";

/// A request object as it was fetched; nothing in it is to be believed yet.
#[derive(Debug)]
pub struct UnverifiedRequest<'a> {
    jwt: &'a str,
    jws: UnverifiedJws<'a>,
    signer: Signer,
    link: &'a RequestLink,
}

/// Who claims to have signed.
#[derive(Debug)]
enum Signer {
    /// A key of the client's DID.
    Key(DidUrl),
    /// The key of a certificate, whose chain was verified.
    Certificate(Leaf),
}

/// Whose DID document a request is to be verified against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoAsks<'a> {
    /// This DID's.
    Did(&'a Did),
    /// That of the DID that has registered the public key with this RFC 7638 thumbprint. A document may name anybody's
    /// key, so it is the ledger's register to ask: [`crate::registry::thumbprint_key`].
    KeyHolder(Hash),
}

impl<'a> UnverifiedRequest<'a> {
    /// Parses a fetched request object for the link that led to it. The certificates of an `x509_hash` client must lead
    /// to one of `clients` at `now`.
    ///
    /// # Errors
    /// [`RequestError`]: too large, no JWT, its `kid` is not a DID URL of the link's client, or its `x5c` not the
    /// certificate that the client identifier names or not to be trusted.
    pub fn parse(
        link: &'a RequestLink,
        jwt: &'a str,
        clients: &TrustAnchors,
        now: UnixSeconds,
    ) -> Result<Self, RequestError> {
        let jws = UnverifiedJws::parse_limited(jwt, MAX_REQUEST_BYTES)?;
        let signer = match link.client_id.name() {
            ClientName::Did(did) => {
                let key_id = DidUrl::parse(jws.header().kid()?).map_err(|_| RequestError::KeyId)?;
                if key_id.did() != did {
                    return Err(RequestError::KeyId);
                }
                Signer::Key(key_id)
            }
            ClientName::Certificate(digest) => {
                let chain = Chain::from_x5c(jws.header().member("x5c").unwrap_or(&Value::Null))?;
                // Before any signature is checked: another certificate is another client.
                if chain.leaf()?.digest() != digest {
                    return Err(RequestError::OtherCertificate);
                }
                Signer::Certificate(chain.verify(clients, now)?)
            }
        };
        Ok(Self { jwt, jws, signer, link })
    }

    /// Whose document to verify against.
    #[must_use]
    pub fn who_asks(&self) -> WhoAsks<'_> {
        match &self.signer {
            Signer::Key(id) => WhoAsks::Did(id.did()),
            Signer::Certificate(leaf) => WhoAsks::KeyHolder(leaf.thumbprint()),
        }
    }

    /// Verifies the request against the DID document of [`Self::who_asks`]. `wallet_nonce` is what the wallet
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
        let key_id = self.signer.key_in(document)?;
        let key = document.key(&key_id, Relationship::Authentication).map_err(|_| RequestError::Key)?;
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
        if !is_registered(document, &parameters.response_uri) {
            return Err(RequestError::ForeignResponseUri);
        }
        Ok(VerifiedRequest { parameters, key_id, jwt: self.jwt.to_owned() })
    }
}

impl Signer {
    /// The name of the signing key in the client's document.
    fn key_in(self, document: &Document) -> Result<DidUrl, RequestError> {
        match self {
            Self::Key(id) if id.did() == document.id() => Ok(id),
            Self::Key(_) => Err(RequestError::Document),
            Self::Certificate(leaf) => {
                let method = document.methods().iter().find(|method| method.jwk().key() == leaf.key());
                method.map(|method| method.id().clone()).ok_or(RequestError::Key)
            }
        }
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
#[must_use]
pub fn is_registered(document: &Document, response_uri: &Url) -> bool {
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

    /// The DID of the client, whatever its identifier names.
    #[must_use]
    pub fn asker(&self) -> &Did {
        self.key_id.did()
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
        /// What the service says it did, unverified ([`crate::receipt`]).
        receipt: Option<String>,
        /// Where to go on, if anywhere: a stranger's text. [`super::same_device::onward_address`] says whether a
        /// browser may be sent there.
        redirect_uri: Option<String>,
    },
    /// Refused, with our code where the verifier speaks it.
    Refused {
        /// What the service says it did, unverified ([`crate::receipt`]).
        receipt: Option<String>,
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
        let receipt = text(RECEIPT).map(str::to_owned);
        if status == 200 && body.as_ref().is_some_and(Value::is_object) {
            return Self::Accepted { receipt, redirect_uri: text("redirect_uri").map(str::to_owned) };
        }
        Self::Refused { receipt, code: text("code").and_then(Code::parse) }
    }
}
