//! Receipts of sharings.

use std::sync::LazyLock;

use identity_core::did::{DidUrl, Document};
use identity_core::jose::{SignHeader, sign_compact, typ};
use identity_core::receipt::{ChainHead, Sharing, UnverifiedReceipt};
use identity_core::registry::DutyHolder;
use identity_core::sample::world::{NOW, World};

use crate::{Outcome, text, unsigned};

struct Sample {
    world: World,
    document: Document,
    name: DidUrl,
    /// What the service says of the sample answer, as JSON.
    said: String,
    /// The same, signed.
    good: String,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let world = World::new();
    let document = world.prepared().document(&world.asker.did(), world.policy.evidence, NOW).unwrap();
    let name = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
    let receipt = world.receipt(ChainHead::default(), None);
    let (said, good) =
        (serde_json::to_string(&receipt).unwrap(), receipt.sign(&name, &world.asker.authenticator()).unwrap());
    Sample { world, document, name, said, good }
});

/// The payload of a receipt that the service really signed, in which `$SAID` stands for the members of a good one; or the
/// text of a whole receipt, where `$SIGNED` stands for the good one and `$UNSIGNED` for it without its signature. What a
/// wallet takes is over what it sent.
pub fn receipt(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let Sample { world, document, name, said, good } = &*SAMPLE;
    let receipt = if text.starts_with('{') {
        let payload = text.replace("$SAID", said.trim_matches(['{', '}']));
        let kid = name.to_string();
        let header = SignHeader::new(typ::RECEIPT).kid(&kid);
        sign_compact(header, payload.as_bytes(), &world.asker.authenticator()).unwrap()
    } else {
        text.replace("$SIGNED", good).replace("$UNSIGNED", &unsigned(good))
    };
    let service = world.asker.did();
    let sharing = Sharing {
        service: &service,
        attestation: world.request.duty.as_deref().unwrap(),
        presentations: &world.token,
        holder: DutyHolder::Official,
        accepted: true,
        sent: NOW,
    };
    let held = UnverifiedReceipt::parse(&receipt)
        .and_then(|parsed| parsed.verify(document))
        .and_then(|verified| verified.check(&sharing, NOW).map(|()| verified));
    if let Ok(verified) = &held {
        let receipt_said = verified.receipt();
        assert!(text.starts_with('{') || receipt == *good, "only what the service signed");
        assert!(receipt_said.is_accepted() && receipt_said.iss == service);
        let sent = &world.token["id"][0];
        assert_eq!(receipt_said.presentations["id"][0].digest, ledger::sha256(sent.as_bytes()));
    }
    Outcome::of(&held)
}
