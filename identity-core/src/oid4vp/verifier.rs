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

use rand::CryptoRng;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;
use url::Url;

use super::client_id::ClientId;
use super::error::{QueryRefused, RequestError, ResponseError, WalletError};
use super::request::{Algorithms, AnchorWish, Parameters, is_purpose};
use super::response::{Anchors, MAX_RESPONSE_BYTES, VpToken};
use crate::crypto::{Signer, SigningFailed};
use crate::dcql;
use crate::did::DidUrl;
use crate::encoding::base64url;
use crate::jose::{SignHeader, sign_compact, typ};
use crate::oauth::form::Form;
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
    /// How long the request counts, in seconds.
    pub lifetime: i64,
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
        let id = random_text::<ID_BYTES>(rng);
        let parameters = Parameters {
            client_id: ask.client_id,
            response_uri: response_uri(&id),
            nonce: random_text::<NONCE_BYTES>(rng),
            state: Some(random_text::<ID_BYTES>(rng)),
            dcql_query: ask.dcql_query,
            query,
            algorithms: Algorithms::ours(),
            anchor: ask.anchor,
            purpose: ask.purpose,
            expires: UnixSeconds(now.0.saturating_add(ask.lifetime)),
            wallet_nonce: None,
        };
        Ok(Self { id, parameters })
    }

    /// Signs the request object under an `authentication` key of the client's DID.
    /// `wallet_nonce` is what the wallet posted to `request_uri`, if it did.
    ///
    /// # Errors
    /// [`SigningFailed`] if the signer does.
    pub fn request_object(
        &self,
        wallet_nonce: Option<&str>,
        kid: &DidUrl,
        signer: &dyn Signer,
    ) -> Result<String, SigningFailed> {
        let mut payload = self.parameters.to_json();
        if let (Some(nonce), Some(members)) = (wallet_nonce, payload.as_object_mut()) {
            members.insert("wallet_nonce".to_owned(), Value::from(nonce));
        }
        let kid = kid.to_string();
        sign_compact(SignHeader::new(typ::REQUEST_OBJECT).kid(&kid), payload.to_string().as_bytes(), signer)
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

/// Accepts the body of a `direct_post` for this session. `state` is compared first, so that only
/// those who hold the request can bring a session to its end.
///
/// # Errors
/// [`ResponseError`], by the first thing that does not fit.
pub fn accept(session: &Session, body: &[u8], now: UnixSeconds) -> Result<Answer, ResponseError> {
    if body.len() > MAX_RESPONSE_BYTES {
        return Err(ResponseError::TooLarge);
    }
    let parameters = Form::parse(body).map_err(|_| ResponseError::Malformed)?;
    let get = |name: &str| parameters.get(name);

    if !same_state(session.parameters.state.as_deref(), get("state")) {
        return Err(ResponseError::State);
    }
    if now.0 >= session.parameters.expires.0 {
        return Err(ResponseError::Expired);
    }
    match (get("vp_token"), get("error")) {
        (None, Some(error)) => Ok(Answer::Declined(WalletError::parse(error))),
        (Some(token), None) => presented(&session.parameters, token, get("xinfu_anchor")),
        (None, None) if get("response").is_some() => Err(ResponseError::Encrypted),
        (None, None) | (Some(_), Some(_)) => Err(ResponseError::Nothing),
    }
}

fn presented(asked: &Parameters, token: &str, anchors: Option<&str>) -> Result<Answer, ResponseError> {
    let token = VpToken::parse(token, &asked.query)?;
    let anchors = match asked.anchor {
        // Not asked for: an unknown parameter, which the specification tells us to ignore.
        None => None,
        Some(_) => anchors.map(|text| Anchors::parse(text, &token)).transpose()?,
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
