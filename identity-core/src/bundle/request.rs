//! The request of a bundle: that the service signed it, whatever the clock says now.

use serde_json::Value;

use super::BundleError;
use crate::did::{DidUrl, Document, Relationship};
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};
use crate::oauth::url::Transport;
use crate::oid4vp::request::SELF_ISSUED_AUDIENCE;
use crate::oid4vp::wallet::{MAX_REQUEST_BYTES, is_registered};
use crate::oid4vp::{ClientName, Parameters};
use crate::x509::Chain;

/// What a request says that a key of `document` signed. It has expired long since, which changes nothing about who made
/// it. Where the client is known by a certificate, its key must be one of the document's; whether the certificate was
/// good then is not asked: the ledger says whose key it was.
pub(super) fn read(jwt: &str, document: &Document) -> Result<Parameters, BundleError> {
    let jws = UnverifiedJws::parse_limited(jwt, MAX_REQUEST_BYTES).map_err(|_| BundleError::Request)?;
    let key_id = key_id(&jws, document).ok_or(BundleError::Request)?;
    let chain = jws.header().member("x5c").cloned();
    let key = document.key(&key_id, Relationship::Authentication).map_err(|_| BundleError::Request)?;
    let verified = jws.verify(key, ExpectedTyp::Exactly(typ::REQUEST_OBJECT)).map_err(|_| BundleError::Request)?;
    let payload = verified.claims().map_err(|_| BundleError::Request)?;
    if payload.get("aud").and_then(Value::as_str) != Some(SELF_ISSUED_AUDIENCE) {
        return Err(BundleError::Request);
    }
    // A sandbox speaks plain HTTP; what was signed there is signed all the same.
    let parameters = Parameters::from_json(&payload, Transport::PlainForDebugging).map_err(|_| BundleError::Request)?;
    let leaf = || Chain::from_x5c(chain.as_ref()?).ok()?.leaf().ok();
    let named = match parameters.client_id.name() {
        ClientName::Did(did) => did == document.id(),
        ClientName::Certificate(digest) => leaf().is_some_and(|leaf| leaf.digest() == digest),
    };
    if named && is_registered(document, &parameters.response_uri) { Ok(parameters) } else { Err(BundleError::Request) }
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
