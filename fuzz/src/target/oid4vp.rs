//! Both sides of OpenID4VP.

use std::sync::LazyLock;

use identity_core::crypto::{SecretKey, Signer as _};
use identity_core::did::{Did, DidUrl, Document, Relationship, Service, VerificationMethod};
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::verifier::accept;
use identity_core::oid4vp::wallet::Reply;
use identity_core::oid4vp::{
    AnchorWish, Answer, Ask, ClientId, RequestLink, Session, UnverifiedRequest, transaction_data,
};
use identity_core::sample::parties::key;
use identity_core::time::UnixSeconds;
use identity_core::x509::TrustAnchors;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;
use url::Url;

use crate::{Outcome, text};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const DID: &str = "did:xinfu:test:verifier";

struct World {
    key: SecretKey,
    document: Document,
    session: Session,
    link: RequestLink,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let did = Did::parse(DID).unwrap();
    let named = |fragment| DidUrl::new(did.clone(), fragment).unwrap();
    let key = key(31, 2);
    let jwk = Jwk::new(key.public_key().clone());
    let method = VerificationMethod::new(named("auth-1"), jwk, vec![Relationship::Authentication]);
    let service = Service {
        id: named("service"),
        kind: "XinfuVerifier".to_owned(),
        endpoint: "https://verifier.example".to_owned(),
    };
    let ask = Ask {
        client_id: ClientId::of_did(&did),
        dcql_query: json!({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:a"]}}]}),
        purpose: Some("sample".to_owned()),
        anchor: Some(AnchorWish::Optional),
        encrypt_to: None,
        lifetime: 300,
    };
    let post_to = |id: &str| Url::parse(&format!("https://verifier.example/responses/{id}")).unwrap();
    let session = Session::make(ask, post_to, NOW, &mut StdRng::seed_from_u64(1)).unwrap();
    let link = format!(
        "openid4vp://?client_id=decentralized_identifier%3A{DID}&request_uri=https%3A%2F%2Fverifier.example%2Frequests%2Fx"
    );
    let link = RequestLink::parse(&link, Transport::HttpsOnly).unwrap();
    World { key, document: Document::new(did, vec![method], vec![service]), session, link }
});

/// A link, or the payload of a request object that the verifier really signed. `$REQUEST` stands for a good one.
pub fn request(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    if let Ok(link) = RequestLink::parse(text, Transport::HttpsOnly) {
        assert_eq!(link.request_uri.scheme(), "https");
        return Outcome::Accepted;
    }
    let world = &*WORLD;
    let good = world.session.parameters.to_json().to_string();
    let payload = text.replace("$REQUEST", good.trim_matches(['{', '}']));
    let kid = format!("{DID}#auth-1");
    let jwt = sign_compact(SignHeader::new(typ::REQUEST_OBJECT).kid(&kid), payload.as_bytes(), &world.key).unwrap();
    let verified = UnverifiedRequest::parse(&world.link, &jwt, &TrustAnchors::none(), NOW)
        .and_then(|request| request.verify(&world.document, None, Transport::HttpsOnly, NOW));
    if let Ok(verified) = &verified {
        let parameters = verified.parameters();
        assert_eq!(parameters.response_uri.origin(), Url::parse("https://verifier.example").unwrap().origin());
        assert_eq!(parameters.client_id, world.link.client_id);
        assert!(parameters.expires > NOW);
        let concern_it = transaction_data::hashes_for(&parameters.transaction_data, "a").len();
        assert_eq!(concern_it, parameters.transaction_data.len(), "each object is for the one query");
        assert!(concern_it <= 1);
    }
    Outcome::of(&verified)
}

/// The body that a wallet posts; `$STATE` stands for the right one. Then the same bytes as the verifier's reply.
pub fn response(data: &[u8]) -> Outcome {
    let _ = Reply::parse(200, data);
    let Some(text) = text(data) else { return Outcome::Refused };
    let session = &WORLD.session;
    let state = session.parameters.state.as_deref().unwrap();
    let body = text.replace("$STATE", state);
    let accepted = accept(session, None, body.as_bytes(), NOW);
    if let Ok(answer) = &accepted {
        assert!(body.contains("state="));
        if let Answer::Presented { token, .. } = answer {
            assert_eq!(token.0.keys().collect::<Vec<_>>(), ["a"]);
        }
    }
    assert!(accept(session, None, body.as_bytes(), session.parameters.expires).is_err(), "too late");
    Outcome::of(&accepted)
}
