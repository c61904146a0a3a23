//! Anchor proofs.

use std::sync::LazyLock;

use identity_core::anchor::AnchorProof;
use identity_core::registry::AnchorKind;
use identity_core::sample::world::World;
use ledger::{TrustRoot, sha256};
use serde_json::json;

use crate::Outcome;

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static TRUST_ROOT: LazyLock<TrustRoot> = LazyLock::new(|| WORLD.ledger.trust_root());

/// An anchor proof proves the sample credential at its one place, and no other digest.
pub fn proof(data: &[u8]) -> Outcome {
    let parsed = AnchorProof::parse(data);
    if let Ok(proof) = &parsed {
        let again = AnchorProof::from_value(&json!(proof)).expect("our own form");
        assert_eq!(json!(again), json!(proof));
        let _ = proof.claimed_index();
        let jwt = WORLD.credential.split('~').next().unwrap();
        if let Ok(anchored) = proof.verify(&sha256(jwt.as_bytes()), AnchorKind::Credential, &TRUST_ROOT) {
            assert_eq!(anchored.index(), WORLD.anchored);
            assert_eq!(*anchored.sender(), WORLD.issuer.did());
        }
        assert!(proof.verify(&sha256(b"never anchored"), AnchorKind::Credential, &TRUST_ROOT).is_err());
        assert!(proof.verify(&sha256(jwt.as_bytes()), AnchorKind::Receipt, &TRUST_ROOT).is_err());
    }
    Outcome::of(&parsed)
}
