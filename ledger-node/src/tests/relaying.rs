//! `POST /relay`: what a DID's own or recovery key signed reaches the ledger through the node; nothing else does.

use identity_core::crypto::Signer as _;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::registry::{
    Compromise, Create, CreatePayload, KeyEntry, KeyUse, Operation, Recover, RecoveryEnvelope, RecoveryOperation,
    Update, make_create, make_recovery,
};
use serde_json::json;

use super::world::{Answer, NOW, Served, anchor, key};

fn jwk(place: u8) -> Jwk {
    Jwk::new(key(place).public_key().clone())
}

/// A sample citizen's DID: key 70 changes it, key 71 recovers it.
fn citizen() -> Create {
    let payload = CreatePayload {
        chain: "sample".into(),
        keys: vec![KeyEntry::new("invoke-1", jwk(70), KeyUse::CapabilityInvocation)],
        recovery: jwk(71).thumbprint().to_base64url(),
        services: Vec::new(),
        salt: base64url::encode(&[70; 16]),
        label: None,
    };
    make_create(&payload, "invoke-1", &key(70)).unwrap()
}

fn recovery(served: &Served, operation: &RecoveryOperation, place: u8) -> String {
    let envelope = RecoveryEnvelope {
        aud: served.founded.done.origin.clone(),
        did: citizen().did().clone(),
        exp: NOW.plus(3600).0,
        recovery_key: jwk(place),
    };
    make_recovery(&envelope, operation, &key(place)).unwrap().as_str().to_owned()
}

async fn relay(served: &Served, text: &str) -> Answer {
    // The limit on errands is another test's subject.
    served.clock.advance(60);
    served.post("/relay", "application/jwt", text).await
}

fn recover(next: u8) -> RecoveryOperation {
    let keys = vec![KeyEntry::new(&format!("invoke-{next}"), jwk(next), KeyUse::CapabilityInvocation)];
    RecoveryOperation::Recover(Recover { keys, recovery: jwk(next + 1).thumbprint().to_base64url() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_recovers_reports_and_ends_a_did() {
    let served = Served::new().await;
    let did = citizen().did().clone();
    let path = format!("/1.0/identifiers/{did}");
    assert_eq!(relay(&served, citizen().as_str()).await.status, 200);

    let recovered = relay(&served, &recovery(&served, &recover(72), 71)).await;
    assert_eq!((recovered.status, &recovered.json()["did"]), (200, &json!(did)), "{}", recovered.text());
    let index = recovered.json()["index"].as_u64().unwrap();
    let now = served.get(&path).await.json();
    assert_eq!(now["didDocument"]["capabilityInvocation"], json!([format!("{did}#invoke-72")]));
    assert_eq!(now["didDocumentMetadata"]["versionId"], json!(index.to_string()));
    let then = served.get(&format!("{path}?versionId={}", index - 1)).await.json();
    assert_eq!(then["didDocument"]["capabilityInvocation"], json!([format!("{did}#invoke-1")]));
    assert_eq!(then["didDocumentMetadata"]["nextVersionId"], json!(index.to_string()));

    // The DID's own key signs a change, the node carries it.
    let report = Operation::Compromise(Compromise { key: "invoke-1".into() });
    let reported = relay(&served, &served.founded.signed(&did, "invoke-72", &key(72), 1, &report)).await;
    assert_eq!(reported.status, 200, "{}", reported.text());

    let ended = relay(&served, &recovery(&served, &RecoveryOperation::Deactivate, 73)).await;
    assert_eq!(ended.status, 200, "{}", ended.text());
    let gone = served.get(&path).await;
    assert_eq!((gone.status, &gone.json()["didDocumentMetadata"]["deactivated"]), (410, &json!(true)));
    assert_eq!(gone.json()["didDocumentMetadata"]["versionId"], json!(ended.json()["index"].to_string()));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_carried_and_nothing_is_written_for_it() {
    let served = Served::new().await;
    let did = citizen().did().clone();
    let early = recovery(&served, &recover(72), 71);
    assert_eq!(relay(&served, &early).await.code(), "registry.did.unknown");
    assert_eq!(relay(&served, citizen().as_str()).await.status, 200);
    let height = served.get("/metrics").await.text().contains("ledger_height 1");
    assert!(height, "only the creation made a block");

    let signed =
        |place: u8, id: &str, operation: &Operation| served.founded.signed(&did, id, &key(place), 1, operation);
    let (start, end) = (&early[..early.len() - 2], &early[early.len() - 2..]);
    let flipped = format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]);
    let update = Operation::Update(Update { remove_keys: vec!["invoke-1".into()], ..Update::default() });
    let cases = [
        ("creation again", citizen().as_str().to_owned(), "registry.did.exists"),
        ("another key", recovery(&served, &recover(72), 74), "registry.recovery.key"),
        ("signature", flipped, "registry.recovery.signature"),
        ("another's change", signed(99, "invoke-1", &update), "registry.transaction.signature"),
        ("no such key", signed(70, "none", &update), "registry.key.unknown"),
        ("an anchor", signed(70, "invoke-1", &anchor(1)), "registry.relay.content"),
        ("not a jws", "hello".to_owned(), "registry.transaction.malformed"),
    ];
    for (name, text, code) in cases {
        assert_eq!(relay(&served, &text).await.code(), code, "{name}");
    }
    assert!(served.get("/metrics").await.text().contains("ledger_height 1"));
    // What only the rules can see is refused by them.
    assert_eq!(relay(&served, &signed(70, "invoke-1", &update)).await.code(), "registry.key.last");
    assert_eq!(relay(&served, &early).await.status, 200);
    assert_eq!(relay(&served, &early).await.code(), "registry.recovery.key_used");
    served.running.stop().await;
}
