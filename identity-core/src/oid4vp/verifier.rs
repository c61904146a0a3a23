//! The verifier's side: a session per request, its signed request object, and the acceptance of
//! what a wallet posts back.
//!
//! ```text
//!  Ask ──make──▶ Session ──request_object──▶ JWT
//!                   │
//!                   └──accept(body, now)──▶ Answer::Presented | Answer::Declined
//! ```
//!
//! # What this does not check
//! Signatures, holder binding, anchors and status of the presentations: that is
//! [`crate::verdict::judge`]. That a session answers only once: that is the store's, since only a
//! store can say so across processes.

use ledger::Hash;
use rand::CryptoRng;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;
use url::Url;

use super::client_id::ClientId;
use super::encryption::Encryption;
use super::envelope::Envelope;
use super::error::{QueryRefused, RequestError, ResponseError, WalletError};
use super::request::{Algorithms, AnchorWish, Parameters, ResponseMode, is_purpose};
use super::response::{Anchors, VpToken};
use super::transaction_data;
use crate::crypto::{Signer, SigningFailed};
use crate::dcql;
use crate::did::{Did, DidUrl};
use crate::duty::{Attestation, DutyError, UnverifiedAttestation};
use crate::encoding::base64url;
use crate::jose::jwe::{DecryptionKey, EncryptionKey};
use crate::jose::{SignHeader, sign_compact, typ};
use crate::oauth::url::Transport;
use crate::time::UnixSeconds;

/// Random bytes of a nonce: 256 bits.
const NONCE_BYTES: usize = 32;
/// Random bytes of a session id and of a state: 128 bits each.
const ID_BYTES: usize = 16;

/// What a verifier wants to know, before chance and time make a session of it.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub client_id: ClientId,
    /// The question, as JSON.
    pub dcql_query: Value,
    /// What for.
    pub purpose: Option<String>,
    /// Whether anchor proofs are wanted.
    pub anchor: Option<AnchorWish>,
    /// The key that the answer is to be encrypted to, fresh for this request; none for a plain answer.
    pub encrypt_to: Option<EncryptionKey>,
    /// How long the request counts, in seconds.
    pub lifetime: i64,
}

/// What an official answers for, beside the question itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatFor {
    /// The duty number of whoever is to sign.
    pub duty: String,
    /// The legal basis.
    pub basis: String,
    /// How long the answer is kept, in days.
    pub retention_days: u32,
    /// Digest of a salt and the case's number.
    pub case: Option<Hash>,
    /// Whether the holder signs what the data is wanted for, too.
    pub holder_signs: bool,
}

/// One request and all that is needed to accept the response to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Names the request in URLs; random, URL-safe.
    pub id: String,
    /// What the request object says, `wallet_nonce` excepted.
    pub parameters: Parameters,
}

impl Session {
    /// Makes a session with fresh id, state and nonce. `response_uri` turns the id into the URL
    /// that the wallet posts to.
    ///
    /// # Errors
    /// [`QueryRefused`] if the question is no DCQL query or the purpose none.
    pub fn make(
        ask: Ask,
        response_uri: impl FnOnce(&str) -> Url,
        now: UnixSeconds,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, QueryRefused> {
        if ask.purpose.as_deref().is_some_and(|purpose| !is_purpose(purpose)) {
            return Err(QueryRefused::Purpose);
        }
        let query = dcql::Query::from_json(&ask.dcql_query)?;
        query.check_askable()?;
        let id = random_text::<ID_BYTES>(rng);
        let parameters = Parameters {
            client_id: ask.client_id,
            mode: ask
                .encrypt_to
                .map_or(ResponseMode::DirectPost, |key| ResponseMode::DirectPostJwt(Box::new(Encryption::to(key)))),
            response_uri: response_uri(&id),
            nonce: random_text::<NONCE_BYTES>(rng),
            state: Some(random_text::<ID_BYTES>(rng)),
            dcql_query: ask.dcql_query,
            query,
            algorithms: Algorithms::ours(),
            anchor: ask.anchor,
            purpose: ask.purpose,
            duty: None,
            transaction_data: Vec::new(),
            expires: UnixSeconds(now.0.saturating_add(ask.lifetime)),
            wallet_nonce: None,
        };
        Ok(Self { id, parameters })
    }

    /// What an official is to sign before this request may leave.
    ///
    /// # Errors
    /// [`QueryRefused::Purpose`]: nobody can answer for a question without a purpose.
    pub fn to_attest(&self, department: &Did, what_for: WhatFor) -> Result<Attestation, QueryRefused> {
        let asked = &self.parameters;
        Ok(Attestation {
            iss: department.clone(),
            duty: what_for.duty,
            purpose: asked.purpose.clone().ok_or(QueryRefused::Purpose)?,
            basis: what_for.basis,
            retention_days: what_for.retention_days,
            receiver: department.clone(),
            case: what_for.case,
            holder_signs: what_for.holder_signs,
            dcql_query: asked.dcql_query.clone(),
            client_id: asked.client_id.as_str().to_owned(),
            response_uri: asked.response_uri.as_str().to_owned(),
            nonce: asked.nonce.clone(),
            exp: asked.expires,
        })
    }

    /// Takes in an official's signed attestation: the request then carries it, and the holder is asked to sign its
    /// digest. Whether it holds is [`crate::verdict::attested`]'s to say, with evidence.
    ///
    /// # Errors
    /// [`DutyError::Malformed`].
    pub fn attest(&mut self, attestation: &str) -> Result<(), DutyError> {
        let holder_signs = UnverifiedAttestation::parse(attestation)?.dangerous_claims().holder_signs;
        let objects = || transaction_data::make(&self.parameters.query, attestation);
        self.parameters.transaction_data = if holder_signs { objects() } else { Vec::new() };
        self.parameters.duty = Some(attestation.to_owned());
        Ok(())
    }

    /// Signs the request object under an `authentication` key of the client's DID. `signed_by` names it as the client
    /// identifier asks: by the DID, or by certificates. `wallet_nonce` is what the wallet posted to `request_uri`, if it did.
    ///
    /// # Errors
    /// [`SigningFailed`] if the signer does.
    pub fn request_object(
        &self,
        wallet_nonce: Option<&str>,
        signed_by: SignedBy<'_>,
        signer: &dyn Signer,
    ) -> Result<String, SigningFailed> {
        let mut payload = self.parameters.to_json();
        if let (Some(nonce), Some(members)) = (wallet_nonce, payload.as_object_mut()) {
            members.insert("wallet_nonce".to_owned(), Value::from(nonce));
        }
        let header = SignHeader::new(typ::REQUEST_OBJECT);
        let payload = payload.to_string();
        match signed_by {
            SignedBy::Key(id) => sign_compact(header.kid(&id.to_string()), payload.as_bytes(), signer),
            SignedBy::Certificates(x5c) => sign_compact(header.x5c(x5c), payload.as_bytes(), signer),
        }
    }

    /// The session as it is stored.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "id": self.id, "request": self.parameters.to_json() })
    }

    /// Reads a stored session back; `transport` as it was when the session was made.
    ///
    /// # Errors
    /// [`RequestError`] if what was stored is no session.
    pub fn from_json(stored: &Map<String, Value>, transport: Transport) -> Result<Self, RequestError> {
        let id = stored.get("id").and_then(Value::as_str).ok_or(RequestError::Stored)?;
        let request = stored.get("request").and_then(Value::as_object).ok_or(RequestError::Stored)?;
        Ok(Self { id: id.to_owned(), parameters: Parameters::from_json(request, transport)? })
    }
}

/// How a request object names the key that signed it.
#[derive(Debug, Clone, Copy)]
pub enum SignedBy<'a> {
    /// By its name in the client's DID document: `kid`.
    Key(&'a DidUrl),
    /// By certificates, the leaf first: `x5c`, see [`crate::x509::Chain::to_x5c`].
    Certificates(&'a [String]),
}

/// What a wallet answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Presentations, to be judged.
    Presented {
        /// By credential query id.
        token: VpToken,
        /// Their anchor proofs, if the request asked and the wallet sent them.
        anchors: Option<Anchors>,
    },
    /// A refusal.
    Declined(WalletError),
}

/// Accepts the body posted for this session, with the private half of the key it is to be encrypted to, if it is.
/// `state` is compared before anything else that was sent, so that only those who hold the request can bring a session
/// to its end.
///
/// A key that is gone ended with its request: the session has then expired.
///
/// # Errors
/// [`ResponseError`], by the first thing that does not fit.
pub fn accept(
    session: &Session,
    key: Option<&DecryptionKey>,
    body: &[u8],
    now: UnixSeconds,
) -> Result<Answer, ResponseError> {
    let is_over = now.0 >= session.parameters.expires.0;
    let envelope = match &session.parameters.mode {
        ResponseMode::DirectPost => Envelope::plain(body)?,
        ResponseMode::DirectPostJwt(_) => {
            let key = key.filter(|_| !is_over).ok_or(ResponseError::Expired)?;
            Envelope::encrypted(body, key)?
        }
    };
    if !same_state(session.parameters.state.as_deref(), envelope.text("state")) {
        return Err(ResponseError::State);
    }
    if is_over {
        return Err(ResponseError::Expired);
    }
    match (envelope.has("vp_token"), envelope.text("error")) {
        (false, Some(error)) => Ok(Answer::Declined(WalletError::parse(error))),
        (true, None) => presented(&session.parameters, envelope),
        (false, None) | (true, Some(_)) => Err(ResponseError::Nothing),
    }
}

fn presented(asked: &Parameters, mut envelope: Envelope) -> Result<Answer, ResponseError> {
    let token = envelope.take("vp_token").ok_or(ResponseError::VpToken)?;
    let token = VpToken::from_value(token, &asked.query)?;
    let anchors = match asked.anchor {
        Some(_) if envelope.has("xinfu_anchor") => {
            let anchors = envelope.take("xinfu_anchor").ok_or(ResponseError::Anchors)?;
            Some(Anchors::from_value(anchors, &token)?)
        }
        // Not asked for: an unknown parameter, which the specification tells us to ignore.
        None | Some(_) => None,
    };
    let complete = anchors.as_ref().is_some_and(|anchors| anchors.cover(&token));
    if asked.anchor == Some(AnchorWish::Required) && !complete {
        return Err(ResponseError::AnchorsMissing);
    }
    Ok(Answer::Presented { token, anchors })
}

fn same_state(expected: Option<&str>, got: Option<&str>) -> bool {
    match (expected, got) {
        (Some(expected), Some(got)) => bool::from(expected.as_bytes().ct_eq(got.as_bytes())),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn random_text<const N: usize>(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0_u8; N];
    rng.fill_bytes(&mut bytes);
    base64url::encode(&bytes)
}
