//! The evidence of a sharing, as the wallet hands it out.

use std::os::unix::fs::PermissionsExt as _;

use identity_core::{
    bundle::{Bundle, Holder, Moment},
    duty::UnverifiedAttestation,
    receipt::{ChainHead, Processed, Receipt, shown},
};
use service_kit::evidence_file;

use super::*;

/// The receipt of an honest service over the form that it was sent.
pub(super) fn receipt(world: &World, form: &str) -> String {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let token: BTreeMap<String, Vec<String>> = serde_json::from_str(form.get("vp_token").unwrap()).unwrap();
    let payload = world.request.split('.').nth(1).unwrap();
    let request: Value = serde_json::from_slice(&identity_core::encoding::base64url::decode(payload).unwrap()).unwrap();
    let attestation = request.pointer("/verifier_info/0/data").and_then(Value::as_str).unwrap();
    let named = |texts: &Vec<String>| texts.iter().map(|text| shown(text)).collect();
    let processed = Processed {
        service: &world.asker.did(),
        attestation: &UnverifiedAttestation::parse(attestation).unwrap(),
        holder: DutyHolder::Official,
        presentations: token.iter().map(|(id, texts)| (id.clone(), named(texts))).collect(),
        refused: None,
        at: NOW,
    };
    let name = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
    Receipt::following(ChainHead::default(), processed).sign(&name, &world.asker.authenticator()).unwrap()
}

/// A wallet that has shared something with a service that gives receipts.
async fn shared() -> (Wallet, Arc<World>, tempfile::TempDir) {
    let mut scene = Scene::new();
    scene.world.ledger.seal(NOW.0 - 100);
    scene.world.verifier_answers = Some((200, json!({ "xinfu_receipt": "made" })));
    let (mut wallet, world, link, dir) = scene.wallet();
    let shared = present(&mut wallet, &link, true).await.unwrap();
    let kept = wallet.holdings().receipts().next().map(|(_, _, kept, _)| kept.clone());
    assert!(matches!(kept, Some(wallet_cli::holdings::Kept::Holds { seq: 1, .. })), "{:?}", shared.receipt);
    (wallet, world, dir)
}

#[tokio::test]
async fn the_evidence_of_a_sharing_names_who_answers_and_no_value() {
    let (mut wallet, world, dir) = shared().await;
    let file = dir.path().join("evidence.json");
    evidence_file::write(&file, &wallet.evidence(1, false).await.unwrap()).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("vp_token"), "no presentation unless it is asked for");
    let checked = Bundle::parse(text.as_bytes()).unwrap().check(&world.ledger.trust_root()).unwrap();
    assert_eq!((checked.service().did.clone(), checked.attestation().duty.as_str()), (world.asker.did(), DUTY));
    assert_eq!(checked.holder(), Holder::Claimed);
    assert!(matches!(checked.moment(), Moment::Waiting(_)), "the service has no proof of the receipt yet");
}

#[tokio::test]
async fn what_was_shown_is_put_together_again_while_the_credential_is_here() {
    let (mut wallet, world, dir) = shared().await;
    let bundle = wallet.evidence(1, true).await;
    // The issuer of this world was never accredited, so the holder's key has nobody's word.
    assert_eq!(bundle.unwrap_err().code(), Code::EvidenceHolder);
    drop(wallet);
    let mut world = Arc::try_unwrap(world).unwrap_or_else(|_| panic!("still in use"));
    let accredit = Accredit {
        subject: world.issuer.did(),
        role: Role::Issuer,
        types: vec![VCT.to_owned()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: START,
        until: START + 1_000_000,
        delegable: false,
    };
    world.ledger.act(&Party::new(1, ServiceType::Ledger), &Operation::Accredit(accredit));
    world.ledger.seal(NOW.0 - 90);
    let world = Arc::new(world);
    let mut wallet = open(dir.path(), &world);
    let bundle = wallet.evidence(1, true).await.unwrap();
    assert_eq!(bundle.check(&world.ledger.trust_root()).unwrap().holder(), Holder::Signed);
    let file = dir.path().join("evidence.json");
    evidence_file::write(&file, &bundle).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "claim values are for nobody else");
    assert!(evidence_file::write(&file, &bundle).is_err(), "a private file is never written over");

    drop(wallet);
    let passphrase = Passphrase::new("a sample passphrase".into());
    let mut holdings = Holdings::read(Vault::open(dir.path(), &passphrase).unwrap()).unwrap();
    assert!(holdings.remove_credential(1, NOW, &mut StdRng::seed_from_u64(2)).unwrap());
    drop(holdings);
    let mut wallet = open(dir.path(), &world);
    assert_eq!(wallet.evidence(1, true).await.unwrap_err().code(), Code::EvidenceNotFull);
    assert!(wallet.evidence(1, false).await.is_ok(), "names and digests need no credential");
}

#[tokio::test]
async fn without_a_receipt_there_is_no_evidence() {
    let (mut wallet, ..) = shared().await;
    let refused = wallet.evidence(2, false).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::EvidenceNoReceipt, Exit::Refused));
    let (mut wallet, _, link, _dir) = Scene::new().wallet();
    present(&mut wallet, &link, true).await.unwrap();
    assert_eq!(wallet.evidence(1, false).await.unwrap_err().code(), Code::EvidenceNoReceipt, "it gave none");
}
