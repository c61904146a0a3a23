//! Creating a DID: the one thing a stranger may put on the ledger, through a member.
//!
//! The identifier is a digest of the exact payload bytes, and the payload names the keys of which one signs it; so
//! nobody can claim an identifier before its owner does.

use serde::{Deserialize, Serialize};

use super::keys::{KeyEntry, KeyUse};
use super::services::{Label, ServiceEntry};
use super::{LIMITS, MAX_KEYS, MAX_SERVICES, MAX_TRANSACTION_BYTES, Refused};
use crate::crypto::PublicKey;
use crate::did::Did;
use crate::encoding::{base64url, json};
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};

/// What a creation says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatePayload {
    /// Name of the chain it is for.
    pub chain: String,
    /// The first keys.
    pub keys: Vec<KeyEntry>,
    /// Commitment to the recovery key: base64url SHA-256 of its RFC 7638 thumbprint input.
    pub recovery: String,
    /// The first services.
    #[serde(default)]
    pub services: Vec<ServiceEntry>,
    /// 128 random bits, base64url.
    pub salt: String,
    /// A department's public name, so that wallets can show who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// A creation whose content and signature are checked, ready to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    jws: String,
    did: Did,
    payload: CreatePayload,
}

impl Create {
    /// Parses a creation and checks everything that needs no state: form, keys, services and signature.
    ///
    /// # Errors
    /// [`Refused`], each reason with its own code.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        if text.len() > MAX_TRANSACTION_BYTES {
            return Err(Refused::TooLarge { got: text.len(), limit: MAX_TRANSACTION_BYTES });
        }
        let jws = UnverifiedJws::parse(text).map_err(|_| Refused::CreateMalformed("jws"))?;
        if jws.header().typ() != Some(typ::CREATE) {
            return Err(Refused::WrongType);
        }
        let payload: CreatePayload =
            json::read(jws.dangerous_payload(), LIMITS).map_err(|_| Refused::CreateMalformed("payload"))?;
        check_payload(&payload)?;
        let signer = signing_key(&jws, &payload)?;
        let typ = ExpectedTyp::Exactly(typ::CREATE);
        let verified = jws.verify_low_s(&signer, typ).map_err(|_| Refused::CreateSignature)?;
        let did = Did::xinfu(&payload.chain, verified.payload()).map_err(|_| Refused::OtherChain)?;
        Ok(Self { jws: text.to_owned(), did, payload })
    }

    /// The identifier that follows from the payload's bytes.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// What it says.
    #[must_use]
    pub fn payload(&self) -> &CreatePayload {
        &self.payload
    }

    /// The exact text that was signed and travelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.jws
    }
}

fn signing_key(jws: &UnverifiedJws<'_>, payload: &CreatePayload) -> Result<PublicKey, Refused> {
    let id = jws.header().kid().ok().and_then(|kid| kid.strip_prefix('#')).ok_or(Refused::CreateSignature)?;
    let key = payload.keys.iter().find(|key| key.id == id).ok_or(Refused::CreateSignature)?;
    Ok(key.jwk.key().clone())
}

fn check_payload(payload: &CreatePayload) -> Result<(), Refused> {
    if payload.keys.is_empty() {
        return Err(Refused::CreateMalformed("keys"));
    }
    if payload.keys.len() > MAX_KEYS || payload.services.len() > MAX_SERVICES {
        return Err(Refused::TooMany);
    }
    if !is_base64url_of(&payload.recovery, 32) {
        return Err(Refused::CreateMalformed("recovery"));
    }
    if !is_base64url_of(&payload.salt, 16) {
        return Err(Refused::CreateMalformed("salt"));
    }
    if payload.label.as_ref().is_some_and(|label| !label.is_sound()) {
        return Err(Refused::CreateMalformed("label"));
    }
    check_keys(&payload.keys)?;
    // A recovery key lies in a safe, a working key on a machine.
    if payload.keys.iter().any(|key| key.jwk.thumbprint().to_base64url() == payload.recovery) {
        return Err(Refused::KeyReused);
    }
    check_services(&payload.services)
}

pub(super) fn check_keys(keys: &[KeyEntry]) -> Result<(), Refused> {
    for (place, key) in keys.iter().enumerate() {
        key.check()?;
        for earlier in keys.iter().take(place) {
            if earlier.id == key.id {
                return Err(Refused::KeyIdTaken);
            }
            if earlier.jwk.key() == key.jwk.key() {
                return Err(Refused::KeyReused);
            }
        }
    }
    Ok(())
}

fn check_services(services: &[ServiceEntry]) -> Result<(), Refused> {
    for (place, service) in services.iter().enumerate() {
        service.check()?;
        if services.iter().take(place).any(|earlier| earlier.id == service.id) {
            return Err(Refused::ServiceIdTaken);
        }
    }
    Ok(())
}

pub(super) fn is_base64url_of(text: &str, length: usize) -> bool {
    base64url::decode(text).is_ok_and(|bytes| bytes.len() == length)
}

impl CreatePayload {
    /// The first key with this use, as a JWS header names it (`#id`).
    #[must_use]
    pub fn key_with(&self, key_use: KeyUse) -> Option<&KeyEntry> {
        self.keys.iter().find(|key| key.uses == [key_use])
    }
}
