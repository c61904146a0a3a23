//! Requests of `x509_hash` clients.

use ledger::sha256;

use super::*;
use crate::sample::certificates::{ASKER, AUTHORITY};
use crate::sample::parties::key;
use crate::x509::{Chain, X509Error};

/// A world whose client is known by its certificate, its chain, and who certified it.
fn certified_world() -> (World, Vec<String>, TrustAnchors) {
    let mut world = world();
    let chain = Chain::from_pem(ASKER).unwrap();
    world.key = key(3, 2);
    let did = world.key_id.did().clone();
    let jwk = Jwk::new(world.key.public_key().clone());
    let method = VerificationMethod::new(world.key_id.clone(), jwk, vec![Relationship::Authentication]);
    world.document = Document::new(did, vec![method], world.document.services().to_vec());
    let client_id = ClientId::of_certificate(chain.leaf().unwrap().digest());
    world.link.client_id = client_id.clone();
    world.session.parameters.client_id = client_id;
    (world, chain.to_x5c(), TrustAnchors::from_pem(AUTHORITY).unwrap())
}

fn verify(world: &World, x5c: &[String], anchors: &TrustAnchors) -> Result<VerifiedRequest, RequestError> {
    let jwt = world.session.request_object(None, SignedBy::Certificates(x5c), &world.key).unwrap();
    let unverified = UnverifiedRequest::parse(&world.link, &jwt, anchors, NOW)?;
    unverified.verify(&world.document, None, Transport::HttpsOnly, NOW)
}

#[test]
fn a_client_is_known_by_its_certificate() {
    let (world, x5c, anchors) = certified_world();
    let verified = verify(&world, &x5c, &anchors).unwrap();
    assert!(verified.parameters().client_id.as_str().starts_with("x509_hash:"));
    assert_eq!((verified.asker(), verified.key_id()), (world.key_id.did(), &world.key_id));

    let jwt = world.session.request_object(None, SignedBy::Certificates(&x5c), &world.key).unwrap();
    let unverified = UnverifiedRequest::parse(&world.link, &jwt, &anchors, NOW).unwrap();
    let thumbprint = Jwk::new(world.key.public_key().clone()).thumbprint();
    assert_eq!(unverified.who_asks(), WhoAsks::KeyHolder(thumbprint), "the document alone does not say whose key");
}

#[test]
fn each_certificate_that_proves_nothing_is_refused() {
    use RequestError as E;
    let (mut world, x5c, anchors) = certified_world();
    assert_eq!(verify(&world, &x5c, &TrustAnchors::none()), Err(E::Certificate(X509Error::NoAnchors)));
    assert_eq!(verify(&world, &[], &anchors), Err(E::Certificate(X509Error::Malformed)));
    let jwt = world.session.request_object(None, SignedBy::Key(&world.key_id), &world.key).unwrap();
    let by_did = UnverifiedRequest::parse(&world.link, &jwt, &anchors, NOW).map(drop);
    assert_eq!(by_did, Err(E::Certificate(X509Error::Malformed)), "no certificate at all");
    let late = UnixSeconds(5_000_000_000);
    let jwt = world.session.request_object(None, SignedBy::Certificates(&x5c), &world.key).unwrap();
    let after = UnverifiedRequest::parse(&world.link, &jwt, &anchors, late).map(drop);
    assert_eq!(after, Err(E::Certificate(X509Error::Time)));

    // Another key than the certificate's signed.
    let stranger = key(5, 2);
    let forged = world.session.request_object(None, SignedBy::Certificates(&x5c), &stranger).unwrap();
    let unverified = UnverifiedRequest::parse(&world.link, &forged, &anchors, NOW).unwrap();
    let refused = unverified.verify(&world.document, None, Transport::HttpsOnly, NOW);
    assert!(matches!(refused, Err(E::Jws(_))), "{refused:?}");
    // The document that is said to be the client's does not list the key.
    let empty = Document::new(world.key_id.did().clone(), Vec::new(), world.document.services().to_vec());
    let unverified = UnverifiedRequest::parse(&world.link, &jwt, &anchors, NOW).unwrap();
    assert_eq!(unverified.verify(&empty, None, Transport::HttpsOnly, NOW), Err(E::Key));
    // The link names another certificate, or the DID.
    world.link.client_id = ClientId::of_certificate(&sha256(b"another"));
    assert_eq!(verify(&world, &x5c, &anchors), Err(E::OtherCertificate));
    world.link.client_id = ClientId::of_did(world.key_id.did());
    assert!(matches!(verify(&world, &x5c, &anchors), Err(E::Jws(_))), "a DID's key is named by kid");
}
