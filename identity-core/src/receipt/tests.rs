//! A receipt is over one sharing, follows one receipt, and is one service's.

use std::collections::BTreeMap;

use super::{
    Chain, ChainFault, ChainHead, Entry, MAX_NAMES_BYTES, MAX_RECEIPT_BYTES, Presented, Processed, Receipt,
    ReceiptError, Sharing, UnverifiedReceipt, agrees_with_ledger, presented, presented_as,
};
use crate::did::{Did, DidUrl, Document};
use crate::duty::UnverifiedAttestation;
use crate::jose::{SignHeader, sign_compact, typ};
use crate::problem::Code;
use crate::registry::{DutyHolder, did_key};
use crate::sample::parties::key;
use crate::sample::world::{DUTY, NOW, PURPOSE, World};

struct Scene {
    world: World,
    service: Did,
    receipt: Receipt,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let presentations = presented(&world.token);
        let service = world.asker.did();
        let receipt = receipt(&world, ChainHead::default(), presentations, None);
        Self { world, service, receipt }
    }

    fn text(&self) -> String {
        let name = DidUrl::parse(&self.world.asker.key_name("auth-1")).unwrap();
        self.receipt.sign(&name, &self.world.asker.authenticator()).unwrap()
    }

    fn document(&self) -> Document {
        let evidence = self.world.prepared();
        evidence.document(&self.world.asker.did(), self.world.policy.evidence, NOW).unwrap()
    }

    fn checked<'a>(&'a self, change: impl FnOnce(&mut Sharing<'a>)) -> Result<(), ReceiptError> {
        let mut sharing = Sharing {
            service: &self.service,
            attestation: self.world.request.duty.as_deref().unwrap(),
            presentations: &self.world.token,
            holder: DutyHolder::Official,
            accepted: true,
            sent: NOW,
        };
        change(&mut sharing);
        let text = self.text();
        UnverifiedReceipt::parse(&text)?.verify(&self.document())?.check(&sharing, NOW)
    }
}

fn receipt(
    world: &World,
    head: ChainHead,
    presentations: BTreeMap<String, Vec<Presented>>,
    refused: Option<Code>,
) -> Receipt {
    let attestation = UnverifiedAttestation::parse(world.request.duty.as_deref().unwrap()).unwrap();
    let (service, holder) = (world.asker.did(), DutyHolder::Official);
    let processed =
        Processed { service: &service, attestation: attestation.word(), holder, presentations, refused, at: NOW };
    Receipt::following(head, processed)
}

#[test]
fn a_receipt_names_types_and_claims_and_no_value() {
    let scene = Scene::new();
    assert_eq!(scene.checked(|_| {}), Ok(()));
    let receipt = &scene.receipt;
    assert_eq!((receipt.act.duty.as_str(), receipt.purpose.as_str(), receipt.seq), (DUTY, PURPOSE, 1));
    let names: Vec<String> =
        receipt.presentations["id"][0].claims.iter().map(|path| serde_json::to_string(path).unwrap()).collect();
    assert_eq!(names, [r#"["address"]"#, r#"["name"]"#]);
    let text = serde_json::to_string(receipt).unwrap();
    assert!(!text.contains("样本甲") && !text.contains("样本市"), "{text}");
}

#[test]
fn each_receipt_follows_one() {
    let scene = Scene::new();
    let first = scene.text();
    let head = ChainHead::after(1, &first);
    let second = receipt(&scene.world, head, BTreeMap::new(), Some(Code::CredentialStatusRevoked));
    let follows = |receipt: &Receipt, head| Entry::Receipt(receipt.clone()).follows(head);
    assert!(follows(&second, head) && follows(&scene.receipt, ChainHead::default()));
    assert!(!follows(&second, ChainHead::default()) && !follows(&scene.receipt, head));
    assert_eq!((second.seq, second.verdict.as_str()), (2, "credential.status.revoked"));
    let mut skipped = second.clone();
    skipped.seq = 3;
    assert!(!follows(&skipped, head));
}

#[test]
fn a_receipt_is_over_one_sharing() {
    let other = crate::sample::parties::Party::new(2, crate::registry::ServiceType::Issuer).did();
    let nothing = BTreeMap::new();
    let mut again = World::new();
    again.request.nonce.push('x');
    again.attest();
    let attestation = again.request.duty.clone().unwrap();
    let scene = Scene::new();
    assert_eq!(scene.checked(|sharing| sharing.service = &other), Err(ReceiptError::Service));
    assert_eq!(scene.checked(|sharing| sharing.presentations = &nothing), Err(ReceiptError::OtherPresentation));
    assert_eq!(scene.checked(|sharing| sharing.holder = DutyHolder::Service), Err(ReceiptError::OtherWord));
    assert_eq!(scene.checked(|sharing| sharing.accepted = false), Err(ReceiptError::OtherVerdict));
    assert_eq!(scene.checked(|sharing| sharing.sent = NOW.plus(301)), Err(ReceiptError::Time));
    assert_eq!(scene.checked(|sharing| sharing.attestation = &attestation), Err(ReceiptError::OtherRequest));
}

#[test]
fn a_receipt_that_says_something_else_is_refused() {
    let refused = |change: fn(&mut Receipt)| {
        let mut scene = Scene::new();
        change(&mut scene.receipt);
        scene.checked(|_| {})
    };
    assert_eq!(refused(|receipt| receipt.purpose = "advertising".to_owned()), Err(ReceiptError::OtherWord));
    assert_eq!(refused(|receipt| receipt.retention_days = 31), Err(ReceiptError::OtherWord));
    assert_eq!(refused(|receipt| receipt.case = Some(ledger::sha256(b"a case"))), Err(ReceiptError::OtherWord));
    assert_eq!(refused(|receipt| receipt.act.duty = "counter-2".to_owned()), Err(ReceiptError::OtherRequest));
    let fewer = refused(|receipt| drop(receipt.presentations.get_mut("id").unwrap()[0].claims.pop()));
    assert_eq!(fewer, Err(ReceiptError::OtherPresentation));
    assert_eq!(refused(|receipt| receipt.iat = NOW.plus(301)), Err(ReceiptError::Time));
    let unsound: [fn(&mut Receipt); 4] = [
        |receipt| receipt.seq = 0,
        |receipt| receipt.seq = 2,
        |receipt| receipt.previous = Some(ledger::sha256(b"another")),
        |receipt| receipt.verdict = "fine".to_owned(),
    ];
    for change in unsound {
        assert_eq!(refused(change), Err(ReceiptError::Malformed));
    }
}

#[test]
fn only_the_services_own_key_will_do() {
    let scene = Scene::new();
    let name = |fragment: &str| DidUrl::parse(&scene.world.asker.key_name(fragment)).unwrap();
    let verify = |text: &str| UnverifiedReceipt::parse(text)?.verify(&scene.document()).map(|_| ());
    let by = |fragment: &str, place| scene.receipt.sign(&name(fragment), &key(3, place)).unwrap();
    assert_eq!(verify(&by("auth-1", 2)), Ok(()));
    assert_eq!(verify(&by("auth-1", 1)), Err(ReceiptError::Signature));
    assert_eq!(verify(&by("assert-1", 1)), Err(ReceiptError::Key), "keys have one use each");
    assert_eq!(verify(&by("auth-9", 2)), Err(ReceiptError::Key));
    let foreign = DidUrl::parse(&scene.world.issuer.key_name("auth-1")).unwrap();
    let text = scene.receipt.sign(&foreign, &scene.world.issuer.authenticator()).unwrap();
    assert_eq!(verify(&text), Err(ReceiptError::Malformed), "the name of the key and of the service differ");
}

#[test]
fn what_cannot_be_read_is_named_by_its_digest_alone() {
    let named = presented(&BTreeMap::from([("id".to_owned(), vec!["nonsense".to_owned()])]));
    assert_eq!((named["id"][0].digest, &named["id"][0].vct), (ledger::sha256(b"nonsense"), &None));
}

#[test]
fn what_the_verdict_read_is_named_as_the_wallet_names_it() {
    let mut world = World::new();
    let verified = world.judge().unwrap();
    assert_eq!(presented_as(&world.token, &verified), presented(&world.token));
    // What it did not judge is read.
    world.token.insert("other".to_owned(), vec!["nonsense".to_owned()]);
    let longer = world.token["id"].iter().cycle().take(2).cloned().collect();
    world.token.insert("id".to_owned(), longer);
    assert_eq!(presented_as(&world.token, &verified), presented(&world.token));
}

/// Whoever answers must not make the service sign what nobody can read: that would break its chain for good.
#[test]
fn the_largest_answer_has_a_receipt_that_can_be_read() {
    let mut scene = Scene::new();
    let long = |length: usize| {
        let body = serde_json::json!({ "vct": "x".repeat(length) }).to_string();
        let header = SignHeader::new(typ::CREDENTIAL);
        sign_compact(header, body.as_bytes(), &key(9, 9)).unwrap() + "~"
    };
    let id = |number: usize| format!("{number:0>128}");
    let answer: BTreeMap<_, _> =
        (0..16).map(|number| (id(number), vec![long(MAX_NAMES_BYTES / 16 - 32); 16])).collect();
    scene.receipt.presentations = presented(&answer);
    let named = scene.receipt.presentations.values().flatten().filter(|shown| shown.vct.is_some()).count();
    assert_eq!(named, 16, "as many as there is room for");
    scene.receipt.basis = "法".repeat(crate::duty::MAX_BASIS_CHARS);
    let text = scene.text();
    assert!(text.len() <= MAX_RECEIPT_BYTES, "{}", text.len());
    assert!(UnverifiedReceipt::parse(&text).is_ok());
    let longer = presented(&BTreeMap::from([("id".to_owned(), vec![long(40_000)])]));
    assert_eq!(longer["id"][0].vct, None, "named by its digest alone");
    // What cannot be read is not signed either.
    scene.receipt.basis = "x".repeat(MAX_RECEIPT_BYTES);
    let name = DidUrl::parse(&scene.world.asker.key_name("auth-1")).unwrap();
    assert!(scene.receipt.sign(&name, &scene.world.asker.authenticator()).is_err());
}

/// A chain of four receipts, by place.
fn chain(scene: &Scene) -> Vec<(u64, String)> {
    let name = DidUrl::parse(&scene.world.asker.key_name("auth-1")).unwrap();
    let mut head = ChainHead::default();
    let mut texts = Vec::new();
    for _ in 0..4 {
        let next = receipt(&scene.world, head, BTreeMap::new(), None);
        let text = next.sign(&name, &scene.world.asker.authenticator()).unwrap();
        head = ChainHead::after(next.seq, &text);
        texts.push((next.seq, text));
    }
    texts
}

/// Reads a chain as it stands, then holds it against the head of the whole one.
fn audited(scene: &Scene, texts: &[(u64, String)], noted: ChainHead) -> Result<(), ChainFault> {
    let proof = scene.world.ledger.state_proof(&did_key(&scene.service), NOW.0);
    let proven = proof.verify(&scene.world.ledger.trust_root()).unwrap();
    let history = crate::trust::did_history(&proven, &scene.service).unwrap();
    let mut chain = Chain::of(&scene.service, Some(&history));
    for (seq, text) in texts {
        chain.read(*seq, text)?;
    }
    chain.ends_at(noted)
}

#[test]
fn a_chain_that_was_tampered_with_names_the_receipt() {
    let scene = Scene::new();
    let whole = chain(&scene);
    let noted = ChainHead::after(4, &whole[3].1);
    assert_eq!(audited(&scene, &whole, noted), Ok(()));
    type Texts = Vec<(u64, String)>;
    let changed = |change: &dyn Fn(&mut Texts)| {
        let mut texts = whole.clone();
        change(&mut texts);
        audited(&scene, &texts, noted)
    };
    assert_eq!(changed(&|texts| drop(texts.remove(1))), Err(ChainFault::Gap { seq: 2 }));
    assert_eq!(changed(&|texts| drop(texts.pop())), Err(ChainFault::CutOff { seq: 4 }));
    assert_eq!(changed(&|texts| texts.clear()), Err(ChainFault::CutOff { seq: 1 }));
    let swap = |texts: &mut Vec<(u64, String)>| {
        let (one, other) = (texts[1].1.clone(), texts[2].1.clone());
        (texts[1].1, texts[2].1) = (other, one);
    };
    assert_eq!(changed(&swap), Err(ChainFault::Misplaced { seq: 2 }));
    // Another receipt of the service's own, signed anew: the next does not follow it.
    let name = DidUrl::parse(&scene.world.asker.key_name("auth-1")).unwrap();
    let forged = |place: usize| {
        let before =
            if place == 0 { ChainHead::default() } else { ChainHead::after(whole[place - 1].0, &whole[place - 1].1) };
        let other = receipt(&scene.world, before, BTreeMap::new(), Some(Code::CredentialStatusRevoked));
        other.sign(&name, &scene.world.asker.authenticator()).unwrap()
    };
    assert_eq!(changed(&|texts| texts[1].1 = forged(1)), Err(ChainFault::Altered { seq: 2 }));
    assert_eq!(changed(&|texts| texts[3].1 = forged(3)), Err(ChainFault::Altered { seq: 4 }), "the last, by the head");
    let stranger = receipt(&scene.world, ChainHead::default(), BTreeMap::new(), None).sign(&name, &key(3, 1)).unwrap();
    assert_eq!(changed(&|texts| texts[0].1 = stranger.clone()), Err(ChainFault::Signature { seq: 1 }));
    let mut slander = receipt(&scene.world, ChainHead::after(2, "another"), BTreeMap::new(), None);
    slander.seq = 3;
    let slander = slander.sign(&name, &key(3, 1)).unwrap();
    assert_eq!(changed(&|texts| texts[2].1 = slander.clone()), Err(ChainFault::Signature { seq: 3 }), "not the second");
    assert_eq!(changed(&|texts| texts[0].1 = "nonsense".to_owned()), Err(ChainFault::Unreadable { seq: 1 }));
}

#[test]
fn the_ledger_does_not_forget_what_the_service_does() {
    let scene = Scene::new();
    let whole = chain(&scene);
    let digest_at = |seq: u64| whole.iter().find(|(at, _)| *at == seq).map(|(_, text)| ledger::sha256(text.as_bytes()));
    let read = ChainHead::after(4, &whole[3].1);
    let anchored = ChainHead::after(3, &whole[2].1);
    assert_eq!(agrees_with_ledger(read, anchored, digest_at), Ok(()), "the last one waits");
    assert_eq!(agrees_with_ledger(read, ChainHead::default(), digest_at), Ok(()));
    let shorter = ChainHead::after(2, &whole[1].1);
    assert_eq!(agrees_with_ledger(shorter, anchored, digest_at), Err(ChainFault::CutOff { seq: 3 }));
    let rewritten = ChainHead { seq: 3, digest: Some(ledger::sha256(b"another")) };
    assert_eq!(agrees_with_ledger(read, rewritten, digest_at), Err(ChainFault::Altered { seq: 3 }));
}
