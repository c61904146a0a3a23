//! Duty attestations and orders.

use std::sync::LazyLock;

use identity_core::crypto::Signer as _;
use identity_core::duty::{
    Deed, DutyError, IssuerAct, MAX_RETENTION_DAYS, ORDER_NONCE_CHARS, Order, UnverifiedAttestation, UnverifiedOrder,
    is_basis,
};
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::registry::{DutyHistory, duty_key};
use identity_core::sample::world::{DUTY, NOW, VCT, World, attestation as said_by};
use identity_core::trust;
use ledger::sha256;

use crate::{Outcome, text, unsigned};

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
/// or the text of a whole attestation, where `$SIGNED` stands for the good one and `$UNSIGNED` for it without its
/// signature. What holds for the sample request says
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
        text.replace("$SIGNED", good).replace("$UNSIGNED", &unsigned(good))
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

/// What the official really ordered, as JSON; a department that issues has the same kind of history.
static ORDER: LazyLock<String> = LazyLock::new(|| {
    let order = Order {
        iss: SAMPLE.world.asker.did(),
        duty: DUTY.to_owned(),
        deed: deed(),
        basis: "Sample Act, article 1".to_owned(),
        case: None,
        nonce: "A".repeat(ORDER_NONCE_CHARS),
        exp: NOW.plus(60),
    };
    serde_json::to_string(&order).unwrap()
});

fn deed() -> Deed {
    Deed { act: IssuerAct::Offer, vct: VCT.to_owned(), content: sha256(b"sample"), count: 1 }
}

/// As [`attestation`], for an order. The sample duty is a verifier's, so the type is the last thing that is refused.
pub fn order(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let Sample { world, history, known, .. } = &*SAMPLE;
    let signed = if text.starts_with('{') {
        let name = Jwk::new(world.asker.duty().public_key().clone()).thumbprint().to_base64url();
        let payload = text.replace("$SAID", ORDER.trim_matches(['{', '}']));
        sign_compact(SignHeader::new(typ::DUTY).kid(&name), payload.as_bytes(), &world.asker.duty()).unwrap()
    } else {
        text.to_owned()
    };
    let held = UnverifiedOrder::parse(&signed).and_then(|parsed| parsed.verify(history, *known));
    if let Ok(verified) = &held {
        assert!(UnverifiedAttestation::parse(&signed).is_err(), "an order is no attestation");
        assert!(verified.order().is_sound() && verified.order().duty == DUTY);
        let checked = verified.check(&world.asker.did(), &deed(), NOW);
        assert_ne!(checked, Ok(()), "a verifier's duty covers no issuing");
        let same = verified.order().deed == deed() && verified.order().exp > NOW;
        assert!(same || checked != Err(DutyError::Type), "the type is looked at last");
    }
    Outcome::of(&held)
}
