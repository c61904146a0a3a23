//! Withdrawals of sharings, and what services say they did upon them.

use std::sync::LazyLock;

use identity_core::bundle::TakenBack;
use identity_core::crypto::{SecretKey, Signer as _};
use identity_core::did::{Did, DidUrl, Document};
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::receipt::{Chain, ChainHead, Entry, UnverifiedEntry};
use identity_core::sample::world::{NOW, World, holder};
use identity_core::withdrawal::{
    Acknowledgement, Answered, Kept, Kind, Sent, Shared, UnverifiedAcknowledgement, UnverifiedWithdrawal, holder_keys,
};
use ledger::{Hash, sha256};

use crate::{Outcome, text, unsigned};

struct Sample {
    service: Did,
    key: SecretKey,
    name: DidUrl,
    document: Document,
    receipt: String,
    holders: Vec<Hash>,
    /// What the holder asks, as JSON, and signed.
    asked: (String, String),
    /// What the service answers, as JSON, and signed.
    said: (String, String),
}

impl Sample {
    fn shared(&self) -> Shared<'_> {
        let receipt = sha256(self.receipt.as_bytes());
        Shared { service: &self.service, receipt, given: NOW, holders: &self.holders }
    }
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let world = World::new();
    let service = world.asker.did();
    let document = world.prepared().document(&service, world.policy.evidence, NOW).unwrap();
    let (name, key) = (DidUrl::parse(&world.asker.key_name("auth-1")).unwrap(), world.asker.authenticator());
    let receipt = world.receipt(ChainHead::default(), None).sign(&name, &key).unwrap();
    let holders = holder_keys(&world.token);
    let (asked, said) = asked_and_said(&world, &receipt);
    Sample { service, key, name, document, receipt, holders, asked, said }
});

/// What the holder asks over a receipt, and what the service answers; each as JSON, and signed.
fn asked_and_said(world: &World, receipt: &str) -> ((String, String), (String, String)) {
    let service = world.asker.did();
    let (name, key) = (DidUrl::parse(&world.asker.key_name("auth-1")).unwrap(), world.asker.authenticator());
    let holders = holder_keys(&world.token);
    let asked = world.withdrawal(receipt);
    let asked = (serde_json::to_string(&asked).unwrap(), asked.sign(&holder()).unwrap());
    let shared = Shared { service: &service, receipt: sha256(receipt.as_bytes()), given: NOW, holders: &holders };
    let withdrawal = UnverifiedWithdrawal::parse(&asked.1).unwrap().verify(&shared, NOW).unwrap();
    let kept = vec![Kept { what: Kind::Receipt, basis: "Sample Act, article 9".to_owned(), until: None }];
    let deleted = vec![Kind::Claims, Kind::Presentation];
    let answered = Answered { service: &service, withdrawal: &withdrawal, deleted, kept, passed_on: false, at: NOW };
    let said = Acknowledgement::following(ChainHead::after(1, receipt), answered);
    (asked, (serde_json::to_string(&said).unwrap(), said.sign(&name, &key).unwrap()))
}

/// A sharing that was taken back and acknowledged.
pub(super) fn taken_back(world: &World, receipt: &str) -> TakenBack {
    let ((_, text), (_, acknowledgement)) = asked_and_said(world, receipt);
    TakenBack { text, acknowledgement: Some(acknowledgement), notarised: None, acknowledgement_proof: None }
}

/// The payload of a withdrawal that the holder really signed, in which `$SAID` stands for the members of a good one; or the
/// text of a whole one, where `$SIGNED` stands for the good one and `$UNSIGNED` for it without its signature. What a
/// service takes is over its own receipt.
pub fn withdrawal(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let sample = &*SAMPLE;
    let (said, good) = &sample.asked;
    let withdrawal = if text.starts_with('{') {
        let jwk = Jwk::new(holder().public_key().clone());
        let payload = text.replace("$SAID", said.trim_matches(['{', '}']));
        sign_compact(SignHeader::new(typ::WITHDRAWAL).jwk(&jwk), payload.as_bytes(), &holder()).unwrap()
    } else {
        text.replace("$SIGNED", good).replace("$UNSIGNED", &unsigned(good))
    };
    let held = UnverifiedWithdrawal::parse(&withdrawal).and_then(|parsed| parsed.verify(&sample.shared(), NOW));
    if let Ok(verified) = &held {
        assert!(text.starts_with('{') || withdrawal == *good, "only what the holder signed");
        let said = verified.withdrawal();
        assert!(said.aud == sample.service && said.receipt == sha256(sample.receipt.as_bytes()));
    }
    Outcome::of(&held)
}

/// The same for an acknowledgement; `$SAID`, `$SIGNED` and `$UNSIGNED` are of a good one. What a wallet takes is over what
/// it sent, and can be read as an entry of the service's chain.
pub fn acknowledgement(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let sample = &*SAMPLE;
    let (said, good) = &sample.said;
    let acknowledgement = if text.starts_with('{') {
        let payload = text.replace("$SAID", said.trim_matches(['{', '}']));
        let kid = sample.name.to_string();
        sign_compact(SignHeader::new(typ::WITHDRAWAL_ACK).kid(&kid), payload.as_bytes(), &sample.key).unwrap()
    } else {
        text.replace("$SIGNED", good).replace("$UNSIGNED", &unsigned(good))
    };
    let sent = Sent {
        service: &sample.service,
        withdrawal: sha256(sample.asked.1.as_bytes()),
        receipt: sha256(sample.receipt.as_bytes()),
        receipt_seq: 1,
        signed: NOW,
    };
    let held = UnverifiedAcknowledgement::parse(&acknowledgement)
        .and_then(|parsed| parsed.verify(&sample.document))
        .and_then(|verified| verified.check(&sent, NOW).map(|()| verified));
    if let Ok(verified) = &held {
        assert!(text.starts_with('{') || acknowledgement == *good, "only what the service signed");
        let entry = UnverifiedEntry::parse(&acknowledgement).expect("what is acknowledged is an entry");
        let Entry::Acknowledgement(entry) = entry.into_dangerous_claims() else { panic!("of its own kind") };
        assert_eq!(entry, *verified.acknowledgement());
        let mut chain = Chain::of(&sample.service, None);
        chain.read(1, &sample.receipt).expect("the receipt begins the chain");
        assert!(entry.seq != 2 || entry.previous != chain.head().digest || chain.read(2, &acknowledgement).is_ok());
    }
    Outcome::of(&held)
}
