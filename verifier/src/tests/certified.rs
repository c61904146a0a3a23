//! A service that is known by its certificate too.

use actix_web::test::TestRequest;
use identity_core::jose::UnverifiedJws;
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::{RequestLink, UnverifiedRequest, WhoAsks};
use identity_core::sample::certificates::{ASKER, AUTHORITY};
use identity_core::sample::parties::key;
use identity_core::status::Status;
use identity_core::x509::{Chain, TrustAnchors};
use serde_json::{Value, json};
use service_kit::chance::system_rng;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;

use super::world::{Bench, Request};
use crate::client::{Client, ClientError};
use crate::config::X509Config;

async fn ask(bench: &Bench, mode: &str) -> Request {
    bench.ask_for(json!({ "query": "strict", "client_id_prefix": "x509_hash", "response_mode": mode })).await
}

#[actix_web::test]
async fn a_request_under_the_certificate_is_answered_and_verified() {
    let bench = Bench::certified().await;
    let request = ask(&bench, "direct_post").await;
    let link = RequestLink::parse(request.made["request_uri_link"].as_str().unwrap(), Transport::HttpsOnly).unwrap();
    assert_eq!(link.client_id, bench.world.request.client_id);

    // With the wallet's nonce or without, the object carries the certificate and no anchor.
    let path = link.request_uri.path().to_owned();
    let posted = TestRequest::post()
        .uri(&path)
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload("wallet_nonce=fresh-and-mine");
    for fetched in [TestRequest::get().uri(&path), posted] {
        let jwt = bench.call(fetched).await.body.as_str().unwrap().to_owned();
        let x5c = UnverifiedJws::parse(&jwt).unwrap().header().member("x5c").cloned();
        assert_eq!(x5c, Some(json!(Chain::from_pem(ASKER).unwrap().to_x5c())));
        let anchors = TrustAnchors::from_pem(AUTHORITY).unwrap();
        let unverified = UnverifiedRequest::parse(&link, &jwt, &anchors, bench.verifier.clock.now()).unwrap();
        assert!(matches!(unverified.who_asks(), WhoAsks::KeyHolder(_)));
    }

    let answered = bench.answer(&request, &bench.honest(&request)).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(bench.result(&request.id).await["claims"]["id"]["name"], "样本甲");
    let replay = TestRequest::get().uri(&format!("/admin/requests/{}/replay", request.id));
    assert_eq!(bench.admin(replay).await.body["agrees"], true);
}

#[actix_web::test]
async fn an_answer_for_the_other_name_is_refused() {
    let bench = Bench::certified().await;
    let by_did = bench.ask("strict").await;
    // The holder signed for the certificate's name.
    let answered = bench.answer(&by_did, &bench.honest(&by_did)).await;
    assert_eq!((answered.status, answered.code()), (400, "kb_jwt.audience"));
}

#[actix_web::test]
async fn a_key_that_nobody_registered_serves_nobody() {
    let mut bench = Bench::certified().await;
    // The ledger as it was before the key was registered.
    let client_id = bench.world.request.client_id.clone();
    bench.world = identity_core::sample::world::World::new();
    bench.world.request.client_id = client_id;
    bench.serve_evidence(Status::Valid);
    bench.serve_thumbprint();
    let request = ask(&bench, "direct_post").await;
    let answered = bench.answer(&request, &bench.honest(&request)).await;
    assert!((400..500).contains(&answered.status), "{answered:?}");
    assert_eq!(bench.result(&request.id).await["state"], "refused");
}

#[actix_web::test]
async fn without_a_certificate_there_is_no_such_name() {
    let bench = Bench::new().await;
    let body = json!({ "query": "strict", "client_id_prefix": "x509_hash" });
    let refused = bench.admin(TestRequest::post().uri("/admin/requests").set_json(body)).await;
    assert_eq!((refused.status, refused.code()), (400, "vp.client_id.unsupported"));
    let unknown: Value = json!({ "query": "strict", "client_id_prefix": "redirect_uri" });
    let refused = bench.admin(TestRequest::post().uri("/admin/requests").set_json(unknown)).await;
    assert_eq!(refused.code(), "vp.client_id.unsupported");
}

#[test]
fn a_certificate_that_no_wallet_would_believe_is_found_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("chain.pem"), ASKER).unwrap();
    std::fs::write(file("anchor.pem"), AUTHORITY).unwrap();
    std::fs::write(file("with-anchor.pem"), format!("{ASKER}{AUTHORITY}")).unwrap();
    std::fs::write(file("none.pem"), "").unwrap();
    let guard = KeyGuard::plain();
    for (name, key) in [("key.jwk", key(3, 2)), ("other.jwk", key(5, 2))] {
        keyfile::save(&file(name), &key, &guard, &mut system_rng().unwrap()).unwrap();
    }
    let read =
        |chain: &str, key: &str| Client::by_certificate(&X509Config { chain: file(chain), key: file(key) }, &guard);
    assert!(read("chain.pem", "key.jwk").unwrap().is_some());
    assert!(Client::by_certificate(&X509Config::default(), &guard).unwrap().is_none());
    assert!(matches!(read("chain.pem", "other.jwk"), Err(ClientError::OtherKey { .. })));
    assert!(matches!(read("chain.pem", "absent.jwk"), Err(ClientError::Key(_))));
    assert!(matches!(read("absent.pem", "key.jwk"), Err(ClientError::File { .. })));
    for chain in ["anchor.pem", "with-anchor.pem", "none.pem"] {
        assert!(matches!(read(chain, "key.jwk"), Err(ClientError::Chain { .. })), "{chain}");
    }
}
