//! What receipts and acknowledgements have in common: a JWS under one of the service's authentication keys.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::{Known, PublicKey, Signer, SigningFailed, Together};
use crate::did::{Did, DidUrl, Document, Relationship};
use crate::encoding::json::{self, Limits};
use crate::jose::{ExpectedTyp, SignHeader, UnverifiedJws, sign_compact};
use crate::registry::{DidHistory, KeyRecord, KeyUse};

/// Something that a service states about itself.
pub(crate) trait Stated: Serialize + DeserializeOwned {
    /// The `typ` that it is signed under.
    const TYP: &'static str;
    /// The largest one read or made, in bytes.
    const MAX_BYTES: usize;

    /// The service.
    fn service(&self) -> &Did;

    /// Whether its members agree with each other.
    fn is_sound(&self) -> bool;

    /// Signs it with the service's authentication key.
    fn sign_as(&self, key_name: &DidUrl, key: &dyn Signer) -> Result<String, SigningFailed> {
        let payload = serde_json::to_vec(self).map_err(|_| SigningFailed)?;
        let text = sign_compact(SignHeader::new(Self::TYP).kid(&key_name.to_string()), &payload, key)?;
        // One that nobody could read would break the chain for good.
        if text.len() <= Self::MAX_BYTES { Ok(text) } else { Err(SigningFailed) }
    }
}

/// Why a statement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatementFault {
    /// Not a JWS of this kind with these members.
    Malformed,
    /// The key that it names is no authentication key of the service.
    Key,
    /// Not signed by the key that it names.
    Signature,
}

/// A statement as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub(crate) struct UnverifiedStatement<'a, T> {
    jws: UnverifiedJws<'a>,
    key: DidUrl,
    claimed: T,
}

impl<'a, T: Stated> UnverifiedStatement<'a, T> {
    /// Parses a statement.
    pub(crate) fn parse(text: &'a str) -> Result<Self, StatementFault> {
        let malformed = |_| StatementFault::Malformed;
        let jws = UnverifiedJws::parse_limited(text, T::MAX_BYTES).map_err(malformed)?;
        if jws.header().typ() != Some(T::TYP) {
            return Err(StatementFault::Malformed);
        }
        let key = jws.header().kid().ok().and_then(|kid| DidUrl::parse(kid).ok()).ok_or(StatementFault::Malformed)?;
        let limits = Limits::of(T::MAX_BYTES);
        let claimed: T = json::read(jws.dangerous_payload(), limits).map_err(|_| StatementFault::Malformed)?;
        let sound = claimed.is_sound() && claimed.service() == key.did();
        if sound { Ok(Self { jws, key, claimed }) } else { Err(StatementFault::Malformed) }
    }

    /// What it claims to say.
    pub(crate) fn dangerous_claims(&self) -> &T {
        &self.claimed
    }

    /// The same, by value.
    pub(crate) fn into_dangerous_claims(self) -> T {
        self.claimed
    }

    /// Adds its signature to others that are verified together, as one by the key that it names.
    pub(crate) fn join(&self, history: &DidHistory, together: &mut Together) {
        if let Some(key) = self.key_in(history) {
            self.jws.join(key, together);
        }
    }

    /// Where its signature is known to be by its key in this document, [`Self::verify`] need not verify it again.
    pub(crate) fn recognise(&mut self, document: &Document, known: &Known) {
        if let Ok(key) = document.key(&self.key, Relationship::Authentication) {
            self.jws.recognise(key, known);
        }
    }

    /// What it says, if a key of the service's DID document signed it.
    pub(crate) fn verify(self, document: &Document) -> Result<T, StatementFault> {
        let key = document.key(&self.key, Relationship::Authentication).map_err(|_| StatementFault::Key)?;
        self.jws.verify(key, ExpectedTyp::Exactly(T::TYP)).map_err(|_| StatementFault::Signature)?;
        Ok(self.claimed)
    }

    /// Whether it is signed by the key it names, if that was ever an authentication key of this service.
    pub(crate) fn is_by_any_key_of(&self, history: &DidHistory) -> bool {
        let key = self.key_in(history);
        key.is_some_and(|key| self.jws.clone().verify(key, ExpectedTyp::Exactly(T::TYP)).is_ok())
    }

    fn key_in<'h>(&self, history: &'h DidHistory) -> Option<&'h PublicKey> {
        let named = |key: &&KeyRecord| key.id == self.key.fragment() && key.key_use == KeyUse::Authentication;
        history.keys.iter().find(named).map(|key| key.jwk.key())
    }
}
