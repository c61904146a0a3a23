//! Hostile transactions over HTTP: each its own code, never a 500, and nothing durable for strangers.

use identity_core::jose::{SignHeader, sign_compact};
use identity_core::registry::{Accredit, Envelope, Operation, Role, make_transaction};
use serde_json::json;

use super::world::{NOW, Served, anchor, department, key};

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_transaction_gets_its_own_code() {
    let served = Served::new().await;
    let founded = &served.founded;
    let did = founded.department.did();
    let stranger = department(100);
    let envelope = |aud: &str, seq: u64, exp: i64| Envelope { aud: aud.to_owned(), seq, exp };
    let signed = |envelope: &Envelope| make_transaction(envelope, &anchor(1), did, "invoke-1", &key(13)).unwrap();
    let soon = NOW.plus(60).0;
    let good = signed(&envelope(&founded.done.origin, 1, soon));
    let kid = format!("{did}#invoke-1");
    let raw =
        |payload: &str| sign_compact(SignHeader::new("xinfu-tx+jwt").kid(&kid), payload.as_bytes(), &key(13)).unwrap();
    let accredit = Operation::Accredit(Accredit {
        subject: did.clone(),
        role: Role::Issuer,
        types: vec!["urn:sample:type".into()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: NOW.0,
        until: NOW.plus(1000).0,
        delegable: false,
    });
    let flipped = format!("{}A{}", &good[..good.len() - 2], &good[good.len() - 1..]);
    let cases = [
        ("empty", String::new(), 400, "registry.transaction.malformed"),
        ("not a jws", "hello".to_owned(), 400, "registry.transaction.malformed"),
        ("too large", "e".repeat(40_000), 413, "registry.transaction.too_large"),
        (
            "alg none",
            format!("eyJhbGciOiJub25lIn0.{}", &good[good.find('.').unwrap() + 1..]),
            400,
            "registry.transaction.malformed",
        ),
        ("creation", founded.department.as_str().to_owned(), 400, "registry.transaction.typ"),
        ("signature", flipped, 400, "registry.transaction.signature"),
        ("audience", signed(&envelope("xinfu/other/00", 1, soon)), 400, "registry.transaction.audience"),
        ("expired", signed(&envelope(&founded.done.origin, 1, NOW.0)), 400, "registry.transaction.expired"),
        ("sequence", signed(&envelope(&founded.done.origin, 7, soon)), 409, "registry.transaction.sequence"),
        ("deep", raw(&"[".repeat(20_000)), 400, "registry.transaction.malformed"),
        ("numbers", raw(r#"{"aud":"a","seq":1e999,"exp":1,"op":"deactivate"}"#), 400, "registry.transaction.malformed"),
        ("operation", raw(r#"{"aud":"a","seq":1,"exp":1,"op":"mint"}"#), 400, "registry.transaction.operation"),
        (
            "stranger",
            founded.signed(stranger.did(), "invoke-1", &key(103), 1, &anchor(1)),
            403,
            "registry.sender.unknown",
        ),
        ("wrong key", founded.signed(did, "assert-1", &key(11), 1, &anchor(1)), 403, "registry.key.role"),
        ("no key", founded.signed(did, "none", &key(11), 1, &anchor(1)), 403, "registry.key.unknown"),
        ("not entitled", founded.transaction(1, &accredit), 403, "registry.accreditation.not_entitled"),
    ];
    for (name, body, status, code) in cases {
        let answer = served.submit(&body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{name}: {}", answer.text());
        assert!(answer.head.contains("application/problem+json"), "{name}");
    }
    let wrong_type = served.post("/transactions", "text/plain", &good).await;
    assert_eq!((wrong_type.status, wrong_type.code().as_str()), (415, "http.content_type"));
    assert_eq!(served.submit(&good).await.status, 200);
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_kept_and_does_not_block_a_later_try() {
    let served = Served::new().await;
    let early = served.founded.anchor(2);
    let refused = served.submit(&early).await;
    assert_eq!(refused.code(), "registry.transaction.sequence");
    let digest = identity_core::registry::Transaction::parse(&early).unwrap().digest().to_base64url();
    let found = served.get(&format!("/transactions/{digest}")).await.json();
    assert_eq!((&found["state"], &found["code"]), (&json!("refused"), &json!("registry.transaction.sequence")));
    assert_eq!(served.submit(&served.founded.anchor(1)).await.status, 200);
    assert_eq!(served.submit(&early).await.status, 200);
    let found = served.get(&format!("/transactions/{digest}")).await.json();
    assert_eq!(found["state"], json!("accepted"));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_cause_no_durable_write() {
    let served = Served::new().await;
    let forged = served.founded.signed(served.founded.department.did(), "invoke-1", &key(99), 1, &anchor(1));
    assert_eq!(served.submit(&forged).await.code(), "registry.transaction.signature");
    let digest = identity_core::registry::Transaction::parse(&forged).unwrap().digest().to_base64url();
    assert_eq!(served.get(&format!("/transactions/{digest}")).await.code(), "ledger.transaction.unknown");
    assert_eq!(served.get("/transactions/short").await.code(), "ledger.digest.malformed");
    for body in ["", "{}", r#"{"digest":"AAAA"}"#, r#"{"digest":1}"#, r#"{"digest":"x","digest":"y"}"#] {
        let answer = served.post("/notarise", "application/json", body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(served.post("/relay", "application/jwt", "hello").await.code(), "registry.transaction.malformed");
    assert!(served.get("/metrics").await.text().contains("ledger_height 0"));
    served.running.stop().await;
}
