//! What a service gives as its receipt: kept when it holds, told on when it does not, and proven once the ledger has it.

use identity_core::{
    receipt::{ChainHead, Processed, Receipt, presented},
    registry::Anchor,
};
use wallet_cli::{holdings::Kept, ui::Ui};

use super::*;

/// The receipt of a service over the form that it was sent, with one thing changed, signed by a key of its own.
fn receipt(world: &World, form: &str, signer: &SecretKey, change: impl FnOnce(&mut Receipt)) -> String {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let token: BTreeMap<String, Vec<String>> = serde_json::from_str(form.get("vp_token").unwrap()).unwrap();
    let payload = world.request.split('.').nth(1).unwrap();
    let request: Value = serde_json::from_slice(&identity_core::encoding::base64url::decode(payload).unwrap()).unwrap();
    let attestation = request.pointer("/verifier_info/0/data").and_then(Value::as_str).unwrap();
    let attestation = UnverifiedAttestation::parse(attestation).unwrap();
    let processed = Processed {
        service: &world.asker.did(),
        attestation: attestation.word(),
        holder: DutyHolder::Official,
        presentations: presented(&token),
        refused: None,
        at: NOW,
    };
    let name = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
    let mut receipt = Receipt::following(ChainHead::default(), processed);
    change(&mut receipt);
    receipt.sign(&name, signer).unwrap()
}

pub(super) fn honest(world: &World, form: &str) -> String {
    receipt(world, form, &world.asker.authenticator(), |_| {})
}

/// A wallet that has shared something with a service that gives receipts.
pub(super) async fn shared() -> (Wallet, Arc<World>, tempfile::TempDir) {
    let (wallet, world, _, dir) = shared_with(honest).await;
    let kept = wallet.holdings().receipts().next().map(|(_, _, kept, _)| kept.clone());
    assert!(matches!(kept, Some(Kept::Holds { seq: 1, .. })), "{kept:?}");
    (wallet, world, dir)
}

async fn shared_with(receipt: fn(&World, &str) -> String) -> (Wallet, Arc<World>, String, tempfile::TempDir) {
    let mut scene = Scene::new();
    scene.world.ledger.seal(NOW.0 - 100);
    scene.world.verifier_answers = Some((200, json!({ "xinfu_receipt": "made" })));
    scene.world.receipt = receipt;
    let (mut wallet, world, link, dir) = scene.wallet();
    assert_eq!(present(&mut wallet, &link, true).await.unwrap().outcome, Outcome::Accepted);
    (wallet, world, link, dir)
}

fn proofs(wallet: &Wallet) -> usize {
    wallet.holdings().receipts().filter(|(.., proof)| proof.is_some()).count()
}

#[tokio::test]
async fn a_receipt_that_does_not_hold_is_kept_and_told_on() {
    type Service = fn(&World, &str) -> String;
    let cases: [(Service, Code); 7] = [
        (|_, _| "nonsense".to_owned(), Code::ReceiptMalformed),
        (|world, form| receipt(world, form, &key(5, 2), |_| {}), Code::ReceiptSignature),
        (
            |world, form| receipt(world, form, &world.asker.authenticator(), |said| said.request = sha256(b"x")),
            Code::ReceiptOtherRequest,
        ),
        (
            |world, form| receipt(world, form, &world.asker.authenticator(), |said| said.retention_days = 1),
            Code::ReceiptOtherWord,
        ),
        (
            |world, form| receipt(world, form, &world.asker.authenticator(), |said| said.presentations.clear()),
            Code::ReceiptOtherPresentation,
        ),
        (
            |world, form| {
                receipt(world, form, &world.asker.authenticator(), |said| {
                    said.verdict = Code::DutyMissing.as_str().to_owned()
                })
            },
            Code::ReceiptOtherVerdict,
        ),
        (
            |world, form| receipt(world, form, &world.asker.authenticator(), |said| said.iat = NOW.plus(3600)),
            Code::ReceiptTime,
        ),
    ];
    for (service, code) in cases {
        let (wallet, world, _, dir) = shared_with(service).await;
        drop(wallet);
        let mut wallet = open(dir.path(), &world);
        let (_, _, kept, _) = wallet.holdings().receipts().next().unwrap();
        let Kept::Fault { code: told, text: Some(text) } = kept else { panic!("{code}: {kept:?}") };
        assert_eq!(told, code.as_str());
        let posted = world.posted.lock().unwrap()[0].clone();
        assert_eq!(*text, service(&world, &posted), "what it gave is kept against it");
        let ui = Ui::new(identity_core::problem::Lang::En, false);
        let history = wallet.history(&ui).await.unwrap();
        assert!(history.lines.iter().any(|line| line.contains(code.title(ui.lang()))), "{code}: {:?}", history.lines);
        assert!(world.asked.lock().unwrap().is_empty(), "nobody asks for the proof of what does not hold");
        assert_eq!(wallet.evidence(1, false).await.unwrap_err().code(), Code::EvidenceNoReceipt);
    }
    let (mut wallet, _, link, _dir) = Scene::new().wallet();
    present(&mut wallet, &link, true).await.unwrap();
    let (_, _, kept, _) = wallet.holdings().receipts().next().unwrap();
    assert_eq!(*kept, Kept::Fault { code: Code::ReceiptMissing.as_str().to_owned(), text: None });
}

#[tokio::test]
async fn the_proof_of_a_receipt_is_checked_and_stays() {
    let (wallet, world, dir) = shared().await;
    let Some((_, _, Kept::Holds { text, .. }, None)) = wallet.holdings().receipts().next() else {
        panic!("no receipt")
    };
    let digest = sha256(text.as_bytes());
    drop(wallet);
    let mut world = alone(world);
    // What the service gives first is sound, and of something else.
    world.receipt_proofs = Some(BTreeMap::from([(digest.to_base64url(), world.anchor.clone().unwrap())]));
    let world = Arc::new(world);
    let ui = Ui::new(identity_core::problem::Lang::En, false);
    let mut wallet = open(dir.path(), &world);
    wallet.history(&ui).await.unwrap();
    assert_eq!(proofs(&wallet), 0);
    drop(wallet);

    let mut world = alone(world);
    let tree = BatchTree::new(&[digest]).unwrap();
    let range = Anchor::new(AnchorKind::Receipt, tree.root(), 1);
    let range = Anchor { first: Some(1), last: Some(1), head: Some(digest), ..range };
    let index = world.ledger.act(&world.asker, &Operation::Anchor(range));
    world.ledger.seal(NOW.0 - 80);
    let batch = BatchPath { index: 0, count: 1, path: tree.path(0).unwrap() };
    let proof = world.ledger.log_proof(index, NOW.0 - 60);
    let proof = AnchorProof { batch, transaction: world.ledger.leaf(index).to_owned(), proof };
    world.receipt_proofs = Some(BTreeMap::from([(digest.to_base64url(), json!(proof))]));
    let world = Arc::new(world);
    let mut wallet = open(dir.path(), &world);
    let history = wallet.history(&ui).await.unwrap();
    assert!(history.lines.iter().any(|line| line.contains("proven to stand on the ledger")), "{:?}", history.lines);
    drop(wallet);
    let mut wallet = open(dir.path(), &world);
    assert_eq!(proofs(&wallet), 1, "it is stored");
    wallet.history(&ui).await.unwrap();
    assert_eq!(world.asked.lock().unwrap().len(), 2, "and not asked for again");
}

#[tokio::test]
async fn only_what_is_due_is_asked_for_and_a_silent_service_once() {
    let (mut wallet, world, link, dir) = shared_with(honest).await;
    present(&mut wallet, &link, true).await.unwrap();
    let ui = Ui::new(identity_core::problem::Lang::En, false);
    wallet.history(&ui).await.unwrap();
    assert_eq!(world.asked.lock().unwrap().len(), 2, "of both, the proof is late");
    wallet.evidence(2, false).await.unwrap();
    assert_eq!(world.asked.lock().unwrap().len(), 3, "evidence of one wants one proof");
    drop(wallet);
    let mut world = alone(world);
    world.receipt_proofs = None;
    let world = Arc::new(world);
    let mut wallet = open(dir.path(), &world);
    wallet.history(&ui).await.unwrap();
    assert_eq!(world.asked.lock().unwrap().len(), 4, "the second is not waited for");
}
