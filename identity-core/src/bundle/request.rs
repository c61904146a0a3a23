//! The request of a bundle: that the service signed it, whatever the clock says now.

use serde_json::Value;

use super::BundleError;
use crate::crypto::Known;
use crate::dcql::Query;
use crate::did::{DidUrl, Document, Relationship};
use crate::encoding::json::{self, Limits};
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};
use crate::oauth::url::Transport;
use crate::oid4vp::request::SELF_ISSUED_AUDIENCE;
use crate::oid4vp::wallet::{MAX_REQUEST_BYTES, is_registered};
use crate::oid4vp::{ClientName, Parameters};
use crate::x509::Chain;

/// A request as it travelled; only its form was looked at. It has expired long since, which changes nothing about who made
/// it.
pub(super) struct UnverifiedRequest<'a> {
    jws: UnverifiedJws<'a>,
    parameters: Parameters,
}

impl<'a> UnverifiedRequest<'a> {
    pub(super) fn parse(jwt: &'a str) -> Result<Self, BundleError> {
        let bad = BundleError::Request;
        let jws = UnverifiedJws::parse_limited(jwt, MAX_REQUEST_BYTES).map_err(|_| bad)?;
        let payload = json::parse_object(jws.dangerous_payload(), Limits::of(MAX_REQUEST_BYTES)).map_err(|_| bad)?;
        if payload.get("aud").and_then(Value::as_str) != Some(SELF_ISSUED_AUDIENCE) {
            return Err(bad);
        }
        // A sandbox speaks plain HTTP; what was signed there is signed all the same.
        let parameters = Parameters::from_json(&payload, Transport::PlainForDebugging).map_err(|_| bad)?;
        Ok(Self { jws, parameters })
    }

    /// The token itself. Believed by nobody, useful to find the key.
    pub(super) const fn jws(&self) -> &UnverifiedJws<'a> {
        &self.jws
    }

    /// The attestation that it carries.
    pub(super) fn attestation(&self) -> Option<String> {
        self.parameters.duty.clone()
    }

    /// What it says, if it is by the service with this document and signed by a key of it. Where the client is known by a
    /// certificate, its key must be one of the document's; whether the certificate was good then is not asked: the ledger says
    /// whose key it was.
    pub(super) fn verify(mut self, document: &Document, known: &Known) -> Result<Parameters, BundleError> {
        let bad = BundleError::Request;
        let id = key_id(&self.jws, document).ok_or(bad)?;
        let key = document.key(&id, Relationship::Authentication).map_err(|_| bad)?;
        if !self.is_by(document) {
            return Err(bad);
        }
        self.jws.recognise(key, known);
        let verified = self.jws.verify(key, ExpectedTyp::Exactly(typ::REQUEST_OBJECT));
        verified.map(|_| self.parameters).map_err(|_| bad)
    }

    fn is_by(&self, document: &Document) -> bool {
        let leaf = || Chain::from_x5c(self.jws.header().member("x5c")?).ok()?.leaf().ok();
        let named = match self.parameters.client_id.name() {
            ClientName::Did(did) => did == document.id(),
            ClientName::Certificate(digest) => leaf().is_some_and(|leaf| leaf.digest() == digest),
        };
        named && is_registered(document, &self.parameters.response_uri)
    }
}

/// Whether a question names values of claims that it looks for. One that cannot be read is taken to.
pub(super) fn names_values(jwt: &str) -> bool {
    let query = || {
        let jws = UnverifiedJws::parse_limited(jwt, MAX_REQUEST_BYTES).ok()?;
        let payload = json::parse_object(jws.dangerous_payload(), Limits::of(MAX_REQUEST_BYTES)).ok()?;
        Query::from_json(payload.get("dcql_query")?).ok()
    };
    query().is_none_or(|query| {
        query.credentials.iter().flat_map(|asked| &asked.claims).any(|claim| !claim.values.is_empty())
    })
}

/// The signing key's name in the service's document: by name, or by the key of the certificate.
fn key_id(jws: &UnverifiedJws<'_>, document: &Document) -> Option<DidUrl> {
    match jws.header().member("x5c") {
        None => DidUrl::parse(jws.header().kid().ok()?).ok().filter(|id| id.did() == document.id()),
        Some(chain) => {
            let leaf = Chain::from_x5c(chain).ok()?.leaf().ok()?;
            let method = document.methods().iter().find(|method| method.jwk().key() == leaf.key())?;
            Some(method.id().clone())
        }
    }
}
