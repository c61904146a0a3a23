//! Both sides against each other, and each rule broken once.

mod answering;
mod asking;
mod certified;
mod encrypted;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};
use url::Url;

use super::*;
use crate::crypto::{Alg, SecretKey, Signer};
use crate::did::{Did, DidUrl, Document, Relationship, Service, VerificationMethod};
use crate::jose::{Jwk, SignHeader, sign_compact, typ};
use crate::oauth::url::Transport;
use crate::time::UnixSeconds;
use crate::x509::TrustAnchors;

pub(super) const NOW: UnixSeconds = UnixSeconds(1_790_000_000);

/// A verifier with its key and document, and one session.
pub(super) struct World {
    pub(super) key: SecretKey,
    pub(super) key_id: DidUrl,
    pub(super) document: Document,
    pub(super) session: Session,
    pub(super) link: RequestLink,
}

pub(super) fn world() -> World {
    let mut rng = StdRng::seed_from_u64(1);
    let key = SecretKey::generate(Alg::Es256, &mut rng).unwrap();
    let did = Did::parse("did:xinfu:test:verifier").unwrap();
    let key_id = DidUrl::new(did.clone(), "auth-1").unwrap();
    let service = |kind: &str, endpoint: &str| Service {
        id: DidUrl::new(did.clone(), kind).unwrap(),
        kind: kind.to_owned(),
        endpoint: endpoint.to_owned(),
    };
    let methods = [(key_id.clone(), Relationship::Authentication), (other_key(&did), Relationship::AssertionMethod)];
    let methods = methods
        .map(|(id, relationship)| VerificationMethod::new(id, Jwk::new(key.public_key().clone()), vec![relationship]));
    let services = vec![
        service("XinfuVerifier", "https://verifier.example:8443/vp"),
        service("XinfuIssuer", "https://issuer.example"),
    ];
    let document = Document::new(did.clone(), methods.to_vec(), services);
    let ask = Ask {
        client_id: ClientId::of_did(&did),
        dcql_query: query(),
        purpose: Some("housing-fund".to_owned()),
        anchor: Some(AnchorWish::Required),
        encrypt_to: None,
        lifetime: 300,
    };
    let response_uri = |id: &str| Url::parse(&format!("https://verifier.example:8443/vp/responses/{id}")).unwrap();
    let session = Session::make(ask, response_uri, NOW, &mut rng).unwrap();
    let link = RequestLink {
        client_id: ClientId::of_did(&did),
        request_uri: Url::parse("https://verifier.example:8443/vp/requests/x").unwrap(),
        method: request::RequestUriMethod::Post,
    };
    World { key, key_id, document, session, link }
}

pub(super) fn other_key(did: &Did) -> DidUrl {
    DidUrl::new(did.clone(), "assert-1").unwrap()
}

pub(super) fn query() -> Value {
    json!({ "credentials": [
        { "id": "resident", "format": "dc+sd-jwt", "meta": { "vct_values": ["https://issuer.example/resident"] },
          "claims": [ { "path": ["name"] } ] },
        { "id": "licence", "format": "dc+sd-jwt", "meta": { "vct_values": ["https://issuer.example/licence"] },
          "claims": [ { "path": ["name"] } ] },
    ] })
}

impl World {
    /// The request object with its payload changed by hand.
    pub(super) fn signed(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        self.signed_as(typ::REQUEST_OBJECT, &self.key_id.to_string(), change)
    }

    pub(super) fn signed_as(&self, typ: &str, kid: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let Value::Object(mut payload) = self.session.parameters.to_json() else { panic!() };
        change(&mut payload);
        let payload = Value::Object(payload).to_string();
        sign_compact(SignHeader::new(typ).kid(kid), payload.as_bytes(), &self.key).unwrap()
    }

    pub(super) fn verify(&self, jwt: &str) -> Result<VerifiedRequest, RequestError> {
        self.verify_with(jwt, None, NOW)
    }

    pub(super) fn verify_with(
        &self,
        jwt: &str,
        wallet_nonce: Option<&str>,
        now: UnixSeconds,
    ) -> Result<VerifiedRequest, RequestError> {
        UnverifiedRequest::parse(&self.link, jwt, &TrustAnchors::none(), now)?.verify(
            &self.document,
            wallet_nonce,
            Transport::HttpsOnly,
            now,
        )
    }
}
