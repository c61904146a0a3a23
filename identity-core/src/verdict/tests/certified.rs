//! Askers who are known by a certificate.

use ledger::sha256;

use crate::oid4vp::ClientId;
use crate::registry::thumbprint_key;
use crate::sample::certificates::ASKER;
use crate::sample::world::{NOW, World};
use crate::verdict::{EvidenceError, Needs, Refusal, needs};
use crate::x509::Chain;

#[test]
fn an_asker_may_be_known_by_its_certificate() {
    let mut world = World::new();
    world.certify();
    assert!(world.judge().is_ok(), "{:?}", world.judge().err());
    let presentation = world.presentation();
    let wanted = needs(&presentation, &world.policy).unwrap();
    let leaf = world.certificate.clone().unwrap();
    assert!(wanted.states.contains_key(&thumbprint_key(&leaf.thumbprint())));
    assert_eq!(world.prepared().missing(&wanted, world.policy.evidence, NOW), Needs::default());

    let refused = |change: fn(&mut World)| {
        let mut world = World::new();
        world.certify();
        change(&mut world);
        world.judge().err()
    };
    let unknown = Some(Refusal::AskerUnknown);
    assert_eq!(refused(|world| world.certificate = None), unknown, "without the certificate nobody can say");
    assert_eq!(refused(|world| world.asked_by = world.issuer.did()), unknown, "another's key");
    let other = refused(|world| {
        world.request.client_id = ClientId::of_certificate(&sha256(b"another certificate"));
        world.attest();
    });
    assert_eq!(other, unknown, "the certificate is not the one that the name is the digest of");
    let without_evidence = refused(|world| drop(world.evidence.states.pop()));
    assert!(matches!(without_evidence, Some(Refusal::Evidence(_))), "{without_evidence:?}");
    assert!(Refusal::AskerUnknown.may_be_lifted());
}

#[test]
fn an_unregistered_certificate_names_nobody() {
    let mut world = World::new();
    let leaf = Chain::from_pem(ASKER).unwrap().leaf().unwrap();
    world.request.client_id = ClientId::of_certificate(leaf.digest());
    world.certificate = Some(leaf);
    world.attest();
    world.fetch();
    assert_eq!(world.judge().err(), Some(Refusal::Evidence(EvidenceError::Absent)));

    let mut world = World::new();
    world.asked_by = world.issuer.did();
    assert_eq!(world.judge().err(), Some(Refusal::AskerUnknown), "a DID that is not the one in the name");
}
