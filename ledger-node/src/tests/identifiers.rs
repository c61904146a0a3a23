//! DID resolution over HTTP.

use identity_core::registry::{Operation, Update};
use ledger::StateProof;
use serde_json::json;

use super::world::Served;

#[tokio::test(flavor = "multi_thread")]
async fn a_did_resolves_now_and_as_of_an_index() {
    let served = Served::new().await;
    let did = served.founded.department.did().clone();
    let path = format!("/1.0/identifiers/{did}");
    let update = Operation::Update(Update { remove_keys: vec!["auth-1".into()], ..Update::default() });
    let index = served.submit(&served.founded.transaction(1, &update)).await.json()["index"].as_u64().unwrap();

    let now = served.get_as(&path, "application/did-resolution").await;
    assert!(now.head.contains("application/did-resolution"), "{}", now.head);
    let now = now.json();
    assert_eq!(now["didDocument"]["id"], json!(did));
    assert_eq!(now["didDocument"]["authentication"], json!(null));
    assert_eq!(now["didDocumentMetadata"]["versionId"], json!(index.to_string()));
    let then = served.get(&format!("{path}?versionIndex={}", index - 1)).await.json();
    assert_eq!(then["didDocument"]["authentication"], json!([format!("{did}#auth-1")]));
    assert_eq!(then["didDocumentMetadata"]["nextVersionId"], json!(index.to_string()));
    let document = served.get_as(&path, "application/did").await;
    assert!(document.head.contains("application/did\r\n"), "{}", document.head);
    assert_eq!(document.json()["id"], json!(did));

    let proven = served.get(&format!("{path}?proof=true")).await.json();
    let proof = serde_json::to_vec(&proven["didDocumentMetadata"]["proof"]).unwrap();
    let proven = StateProof::parse(&proof).unwrap().verify(&served.founded.trust_root()).unwrap();
    assert_eq!(proven.key(), format!("did/{did}"));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_type_and_status() {
    let served = Served::new().await;
    let did = served.founded.department.did().clone();
    let nobody = "did:xinfu:sample:3wg5fRZMiNHazCW3GNCPTfgxAa9ZPoqTai7FrWKEW1Z5";
    let cases = [
        ("not-a-did".to_owned(), 400, "INVALID_DID"),
        ("did:xinfu:sample:..%2F..".to_owned(), 400, "INVALID_DID"),
        (nobody.to_owned(), 404, "NOT_FOUND"),
        (nobody.replace("sample", "other"), 404, "NOT_FOUND"),
        (format!("{did}?versionIndex=0"), 404, "NOT_FOUND"),
        (format!("{did}?versionIndex=99999"), 400, "INVALID_OPTIONS"),
        (format!("{did}?versionIndex=-1"), 400, "INVALID_OPTIONS"),
        (format!("{did}?versionIndex=1&versionId=1"), 400, "INVALID_OPTIONS"),
        (format!("{did}?versionTime=2026-01-01T00:00:00Z"), 400, "INVALID_OPTIONS"),
        ("did:web:example.org".to_owned(), 501, "METHOD_NOT_SUPPORTED"),
    ];
    for (path, status, name) in cases {
        let answer = served.get(&format!("/1.0/identifiers/{path}")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let kind = answer.json()["didResolutionMetadata"]["error"]["type"].clone();
        assert_eq!(kind, json!(format!("https://www.w3.org/ns/did#{name}")), "{path}");
    }
    let answer = served.get_as(&format!("/1.0/identifiers/{did}"), "text/html").await;
    assert_eq!(answer.status, 406);

    served.submit(&served.founded.transaction(1, &Operation::Deactivate)).await;
    let gone = served.get(&format!("/1.0/identifiers/{did}")).await;
    assert_eq!((gone.status, &gone.json()["didDocumentMetadata"]["deactivated"]), (410, &json!(true)));
    served.running.stop().await;
}
