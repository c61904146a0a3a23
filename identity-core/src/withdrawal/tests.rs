//! A withdrawal takes one sharing back from one service, and its acknowledgement is an entry of that service's chain.

use ledger::{Hash, sha256};

use super::{
    Acknowledgement, AcknowledgementError, Answered, Kept, Kind, Sent, Shared, UnverifiedAcknowledgement,
    UnverifiedWithdrawal, VerifiedWithdrawal, Withdrawal, WithdrawalError, holder_keys,
};
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::did::{Did, DidUrl, Document};
use crate::jose::{Jwk, SignHeader, sign_compact, typ};
use crate::receipt::{Chain, ChainFault, ChainHead, Entry};
use crate::registry::did_key;
use crate::sample::world::{NOW, World, holder};

struct Scene {
    world: World,
    service: Did,
    receipt: String,
    holders: Vec<Hash>,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let service = world.asker.did();
        let receipt =
            world.receipt(ChainHead::default(), None).sign(&name(&world), &world.asker.authenticator()).unwrap();
        let holders = holder_keys(&world.token);
        Self { world, service, receipt, holders }
    }

    fn signed(&self, change: impl FnOnce(&mut Withdrawal)) -> String {
        let mut withdrawal = self.world.withdrawal(&self.receipt);
        change(&mut withdrawal);
        withdrawal.sign(&holder()).unwrap()
    }

    fn verified(&self, text: &str) -> Result<VerifiedWithdrawal, WithdrawalError> {
        let (service, holders) = (&self.service, self.holders.as_slice());
        let shared = Shared { service, receipt: sha256(self.receipt.as_bytes()), given: NOW, holders };
        UnverifiedWithdrawal::parse(text)?.verify(&shared, NOW)
    }

    /// What the service says it did, after its receipt.
    fn acknowledged(&self) -> Acknowledgement {
        let withdrawal = self.verified(&self.signed(|_| {})).unwrap();
        let answered = Answered {
            service: &self.service,
            withdrawal: &withdrawal,
            deleted: vec![Kind::KeyBindings, Kind::Claims, Kind::Presentation],
            kept: vec![kept(Kind::Receipt), kept(Kind::Verdict)],
            passed_on: true,
            at: NOW,
        };
        Acknowledgement::following(ChainHead::after(1, &self.receipt), answered)
    }

    fn document(&self) -> Document {
        self.world.prepared().document(&self.service, self.world.policy.evidence, NOW).unwrap()
    }

    fn checked(&self, said: &Acknowledgement) -> Result<(), AcknowledgementError> {
        let text = said.sign(&name(&self.world), &self.world.asker.authenticator()).unwrap();
        let withdrawal = sha256(self.signed(|_| {}).as_bytes());
        let receipt = sha256(self.receipt.as_bytes());
        let sent = Sent { service: &self.service, withdrawal, receipt, receipt_seq: 1, signed: NOW };
        UnverifiedAcknowledgement::parse(&text)?.verify(&self.document())?.check(&sent, NOW)
    }
}

fn name(world: &World) -> DidUrl {
    DidUrl::parse(&world.asker.key_name("auth-1")).unwrap()
}

fn kept(what: Kind) -> Kept {
    Kept { what, basis: "Sample Act, article 9".to_owned(), until: None }
}

fn stranger() -> SecretKey {
    SecretKey::from_bytes(Alg::Es256, &[77; 32]).unwrap()
}

#[test]
fn the_holder_takes_one_sharing_back() {
    let scene = Scene::new();
    let thumbprint = Jwk::new(holder().public_key().clone()).thumbprint();
    assert_eq!(scene.holders, [thumbprint], "of two credentials under one key it would be one as well");
    let text = scene.signed(|_| {});
    let verified = scene.verified(&text).unwrap();
    assert_eq!(verified.digest(), sha256(text.as_bytes()));
    assert_eq!(verified.withdrawal().receipt, sha256(scene.receipt.as_bytes()));
}

#[test]
fn a_withdrawal_does_nothing_elsewhere() {
    let scene = Scene::new();
    let refused = |text: &str| scene.verified(text).unwrap_err();
    let elsewhere = scene.world.issuer.did();
    assert_eq!(refused(&scene.signed(|said| said.aud = elsewhere)), WithdrawalError::Audience);
    assert_eq!(refused(&scene.signed(|said| said.receipt = sha256(b"another"))), WithdrawalError::Receipt);
    assert_eq!(refused(&scene.signed(|said| said.iat = NOW.plus(301))), WithdrawalError::Time);
    assert_eq!(refused(&scene.signed(|said| said.iat = NOW.plus(-301))), WithdrawalError::Time);
    let withdrawal = scene.world.withdrawal(&scene.receipt);
    assert_eq!(refused(&withdrawal.sign(&stranger()).unwrap()), WithdrawalError::Key);
    // Another's key in the header does not help who cannot sign with it.
    let jwk = Jwk::new(holder().public_key().clone());
    let payload = serde_json::to_vec(&withdrawal).unwrap();
    let forged = sign_compact(SignHeader::new(typ::WITHDRAWAL).jwk(&jwk), &payload, &stranger());
    let forged = forged.unwrap();
    assert!(matches!(refused(&forged), WithdrawalError::Signature));
}

#[test]
fn what_is_no_withdrawal_is_not_taken_for_one() {
    let scene = Scene::new();
    let refused = |text: &str| scene.verified(text).unwrap_err();
    let payload = serde_json::to_string(&scene.world.withdrawal(&scene.receipt)).unwrap();
    let jwk = Jwk::new(holder().public_key().clone());
    let with = |header: SignHeader<'_>, payload: &str| sign_compact(header, payload.as_bytes(), &holder()).unwrap();
    let header = SignHeader::new(typ::WITHDRAWAL).jwk(&jwk);
    assert!(scene.verified(&with(header, &payload)).is_ok());
    let more = payload.replacen('{', r#"{"more":1,"#, 1);
    let twice = payload.replacen('{', r#"{"iat":1,"#, 1);
    for text in [
        String::new(),
        "a.b.c".to_owned(),
        with(SignHeader::new(typ::KEY_BINDING).jwk(&jwk), &payload),
        with(SignHeader::new(typ::WITHDRAWAL), &payload),
        with(header.kid("did:key:another#key"), &payload),
        with(header, &more),
        with(header, &twice),
        with(header, "{}"),
        with(header, &format!("{payload}{}", " ".repeat(super::MAX_WITHDRAWAL_BYTES))),
    ] {
        assert_eq!(refused(&text), WithdrawalError::Malformed, "{text}");
    }
}

#[test]
fn keys_are_read_out_of_what_was_shown_whether_it_holds_or_not() {
    let mut answer = Scene::new().world.token;
    let shown = answer["id"][0].clone();
    answer.get_mut("id").unwrap().extend([shown.clone(), "nonsense".to_owned(), String::new(), "~".to_owned()]);
    assert_eq!(holder_keys(&answer).len(), 1, "each key once, and none of what cannot be read");
    answer.insert("id".to_owned(), vec![format!("{}~", shown.split('~').next().unwrap())]);
    assert_eq!(holder_keys(&answer).len(), 1, "without any disclosure or signature");
}

#[test]
fn an_acknowledgement_is_over_one_withdrawal() {
    let scene = Scene::new();
    let said = scene.acknowledged();
    assert_eq!(said.deleted, [Kind::Claims, Kind::Presentation, Kind::KeyBindings], "in their order");
    assert_eq!(scene.checked(&said), Ok(()));
    let other = |change: fn(&mut Acknowledgement)| {
        let mut said = said.clone();
        change(&mut said);
        scene.checked(&said).unwrap_err()
    };
    let wrong = AcknowledgementError::OtherWithdrawal;
    assert_eq!(other(|said| said.withdrawal = sha256(b"another")), wrong);
    assert_eq!(other(|said| said.receipt = sha256(b"another")), AcknowledgementError::OtherReceipt);
    assert_eq!(other(|said| said.iat = NOW.plus(301)), AcknowledgementError::Time);
    assert_eq!(other(|said| said.iat = NOW.plus(-301)), AcknowledgementError::Time);
    let withdrawal = sha256(scene.signed(|_| {}).as_bytes());
    let (service, receipt) = (scene.world.issuer.did(), sha256(scene.receipt.as_bytes()));
    let text = said.sign(&name(&scene.world), &scene.world.asker.authenticator()).unwrap();
    let verified = UnverifiedAcknowledgement::parse(&text).unwrap().verify(&scene.document()).unwrap();
    let sent = Sent { service: &service, withdrawal, receipt, receipt_seq: 1, signed: NOW };
    assert_eq!(verified.check(&sent, NOW), Err(AcknowledgementError::Service));
    let sent = Sent { service: &scene.service, receipt_seq: 2, ..sent };
    assert_eq!(verified.check(&sent, NOW), Err(AcknowledgementError::Place));
}

#[test]
fn an_acknowledgement_that_contradicts_itself_is_none() {
    let scene = Scene::new();
    let unsound: [fn(&mut Acknowledgement); 9] = [
        |said| said.kept.clear(),
        |said| said.kept.push(kept(Kind::Receipt)),
        |said| said.kept.reverse(),
        |said| said.deleted.push(Kind::Claims),
        |said| said.deleted = vec![Kind::Verdict],
        |said| said.kept[0].basis = String::new(),
        |said| said.kept[0].until = Some(NOW.plus(-1)),
        |said| (said.seq, said.previous) = (1, None),
        |said| said.previous = None,
    ];
    for change in unsound {
        let mut said = scene.acknowledged();
        change(&mut said);
        assert_eq!(scene.checked(&said), Err(AcknowledgementError::Malformed), "{said:?}");
    }
}

#[test]
fn only_the_services_own_key_acknowledges() {
    let scene = Scene::new();
    let said = scene.acknowledged();
    let by = |fragment: &str, key: &SecretKey| {
        let name = DidUrl::parse(&scene.world.asker.key_name(fragment)).unwrap();
        let text = said.sign(&name, key).unwrap();
        UnverifiedAcknowledgement::parse(&text)?.verify(&scene.document()).map(|_| ())
    };
    let asker = &scene.world.asker;
    assert_eq!(by("auth-1", &asker.authenticator()), Ok(()));
    assert_eq!(by("auth-1", &asker.asserter()), Err(AcknowledgementError::Signature));
    assert_eq!(by("assert-1", &asker.asserter()), Err(AcknowledgementError::Key), "keys have one use each");
}

#[test]
fn an_acknowledgement_stands_in_the_chain_of_receipts() {
    let scene = Scene::new();
    let proof = scene.world.ledger.state_proof(&did_key(&scene.service), NOW.0);
    let proven = proof.verify(&scene.world.ledger.trust_root()).unwrap();
    let history = crate::trust::did_history(&proven, &scene.service).unwrap();
    let said = scene.acknowledged();
    let text = said.sign(&name(&scene.world), &scene.world.asker.authenticator()).unwrap();
    let mut chain = Chain::of(&scene.service, Some(&history));
    assert!(matches!(chain.read(1, &scene.receipt), Ok(Entry::Receipt(_))));
    assert_eq!(chain.read(2, &text), Ok(Entry::Acknowledgement(said.clone())));
    let next = scene.world.receipt(chain.head(), None);
    let next = next.sign(&name(&scene.world), &scene.world.asker.authenticator()).unwrap();
    assert!(chain.read(3, &next).is_ok());

    // It can be left out no more than a receipt, and nobody else can put one in.
    let mut without = Chain::of(&scene.service, Some(&history));
    without.read(1, &scene.receipt).unwrap();
    assert_eq!(without.read(3, &next), Err(ChainFault::Gap { seq: 2 }));
    let forged = said.sign(&name(&scene.world), &scene.world.asker.asserter()).unwrap();
    let mut with = Chain::of(&scene.service, Some(&history));
    with.read(1, &scene.receipt).unwrap();
    assert_eq!(with.read(2, &forged), Err(ChainFault::Signature { seq: 2 }));
    let foreign = scene.signed(|_| {});
    assert_eq!(with.read(2, &foreign), Err(ChainFault::Unreadable { seq: 2 }), "a withdrawal is no entry");
}

#[test]
fn the_longest_acknowledgement_can_be_read() {
    let scene = Scene::new();
    let mut said = scene.acknowledged();
    let longest = |what| Kept { basis: "\"".repeat(crate::duty::MAX_BASIS_CHARS), until: Some(NOW), ..kept(what) };
    said.deleted.clear();
    said.kept = Kind::ALL.map(longest).to_vec();
    assert_eq!(scene.checked(&said), Ok(()));
    said.kept.iter_mut().for_each(|kept| kept.basis = "法".repeat(crate::duty::MAX_BASIS_CHARS));
    assert_eq!(scene.checked(&said), Ok(()));
}

/// Names on the wire are what [`Kind::as_str`] says.
#[test]
fn kinds_are_called_the_same_everywhere() {
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    assert!(Kind::ALL.is_sorted());
}
