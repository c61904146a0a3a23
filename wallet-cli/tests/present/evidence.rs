//! The evidence of a sharing, as the wallet hands it out.

use std::os::unix::fs::PermissionsExt as _;

use identity_core::bundle::{Bundle, Holder, Moment};
use service_kit::evidence_file;

use super::{receipt::shared, *};

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
    let mut world = alone(world);
    accredit_issuer(&mut world);
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

#[tokio::test]
async fn a_kept_proof_that_does_not_hold_any_more_is_left_out() {
    let (wallet, world, dir) = shared().await;
    drop(wallet);
    let passphrase = Passphrase::new("a sample passphrase".into());
    let mut holdings = Holdings::read(Vault::open(dir.path(), &passphrase).unwrap()).unwrap();
    // A sound proof, and of something else.
    holdings.add_receipt_proof(1, world.anchor.clone().unwrap(), &mut StdRng::seed_from_u64(2)).unwrap();
    drop(holdings);
    let mut wallet = open(dir.path(), &world);
    let bundle = wallet.evidence(1, false).await.unwrap();
    assert!(matches!(bundle.check(&world.ledger.trust_root()).unwrap().moment(), Moment::Waiting(_)));
}
