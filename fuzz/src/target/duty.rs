//! Duty attestations.

use std::sync::LazyLock;

use identity_core::crypto::Signer as _;
use identity_core::duty::{MAX_RETENTION_DAYS, UnverifiedAttestation, is_basis};
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::registry::{DutyHistory, duty_key};
use identity_core::sample::world::{DUTY, NOW, World, attestation as said_by};
use identity_core::trust;

use crate::{Outcome, text};

struct Sample {
    world: World,
    /// What the official says over the sample request, as JSON.
    said: String,
    history: DutyHistory,
    /// The last log index that the history knows.
    known: u64,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let world = World::new();
    let department = world.asker.did();
    let proof = world.ledger.state_proof(&duty_key(&department, DUTY), NOW.0 - 100);
    let proven = proof.verify(&world.ledger.trust_root()).unwrap();
    let history = trust::duty_history(&proven, &department, DUTY).unwrap();
    let said = serde_json::to_string(&said_by(&department, &world.request)).unwrap();
    Sample { said, history, known: trust::known_until(&proven), world }
});

/// The payload of an attestation that the official really signed, in which `$SAID` stands for the members of a good one;
/// or the text of a whole attestation, where `$SIGNED` stands for the good one. What holds for the sample request says
/// what that request says.
pub fn attestation(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let Sample { world, said, history, known } = &*SAMPLE;
    let good = world.request.duty.as_deref().unwrap();
    let attestation = if text.starts_with('{') {
        let name = Jwk::new(world.asker.duty().public_key().clone()).thumbprint().to_base64url();
        let payload = text.replace("$SAID", said.trim_matches(['{', '}']));
        sign_compact(SignHeader::new(typ::DUTY).kid(&name), payload.as_bytes(), &world.asker.duty()).unwrap()
    } else {
        text.replace("$SIGNED", good)
    };
    let held = UnverifiedAttestation::parse(&attestation)
        .and_then(|parsed| parsed.verify(history, *known))
        .and_then(|verified| verified.check(&world.asker.did(), &world.request).map(|()| verified));
    if let Ok(verified) = &held {
        let said = verified.attestation();
        assert!(text.starts_with('{') || attestation == good, "only what the official signed");
        assert_eq!((&said.nonce, &said.dcql_query), (&world.request.nonce, &world.request.dcql_query));
        assert_eq!((&said.iss, &said.receiver, said.duty.as_str()), (&world.asker.did(), &world.asker.did(), DUTY));
        assert!(verified.delegation().is_for_purpose(&said.purpose));
        assert!(said.retention_days <= MAX_RETENTION_DAYS && is_basis(&said.basis));
    }
    Outcome::of(&held)
}
