//! Requests that mean harm: each its own code over HTTP, never a 5xx.

use actix_web::test::TestRequest;
use futures_util::future::join;
use serde_json::{Value, json};

use super::world::{KIND, NOW, Reply, World, asking, proofs, token_form};
use crate::store::{Page, Search};

fn answer(reply: &Reply) -> (u16, String, String) {
    assert!(reply.status < 500, "{reply:?}");
    reply.refusal()
}

fn is(reply: &Reply, status: u16, error: &str, code: &str) {
    assert_eq!(answer(reply), (status, error.to_owned(), code.to_owned()));
}

#[actix_web::test]
async fn token_requests() {
    let world = World::new().await;
    let (code, tx_code) = world.offer().await;
    is(&world.post_token("x", &tx_code).await, 400, "invalid_grant", "vci.token.code_unknown");
    is(&world.post_token(&format!("{code}x"), &tx_code).await, 400, "invalid_grant", "vci.token.code_unknown");
    is(&world.post_token(&code, "").await, 400, "invalid_request", "vci.token.tx_code_missing");
    is(&world.post_token("", "").await, 400, "invalid_request", "vci.token.code_missing");
    let other = TestRequest::post().uri("/token").set_form([("grant_type", "password")]);
    is(&world.send(other).await, 400, "unsupported_grant_type", "vci.token.grant_type_unsupported");
    let json = TestRequest::post().uri("/token").set_json(json!({"grant_type": "x"}));
    is(&world.send(json).await, 400, "invalid_request", "http.content_type");
    let twice = TestRequest::post()
        .uri("/token")
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload("grant_type=a&grant_type=b");
    is(&world.send(twice).await, 400, "invalid_request", "vci.token.parameter_repeated");
    let huge = TestRequest::post()
        .uri("/token")
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(vec![b'a'; 2 * 1024 * 1024]);
    is(&world.send(huge).await, 413, "invalid_request", "http.body.too_large");
    world.clock.advance(600);
    is(&world.post_token(&code, &tx_code).await, 400, "invalid_grant", "vci.token.code_expired");
}

#[actix_web::test]
async fn a_code_is_used_once() {
    let world = World::new().await;
    let (code, tx_code) = world.offer().await;
    assert_eq!(world.post_token(&code, &tx_code).await.status, 200);
    is(&world.post_token(&code, &tx_code).await, 400, "invalid_grant", "vci.token.code_used");
    let id = code.split('.').next().unwrap();
    assert_eq!(world.get(&format!("/offers/{id}")).await.refusal().2, "vci.offer.used");
}

#[actix_web::test]
async fn guessing_the_transaction_code_locks_the_offer() {
    let world = World::new().await;
    let (code, tx_code) = world.offer().await;
    for guess in 0..5 {
        let reply = world.post_token(&code, &format!("x{guess}")).await;
        is(&reply, 400, "invalid_grant", "vci.token.tx_code_wrong");
    }
    is(&world.post_token(&code, &tx_code).await, 400, "invalid_grant", "vci.token.code_locked");
    let id = code.split('.').next().unwrap();
    assert_eq!(world.get(&format!("/offers/{id}")).await.refusal().2, "vci.offer.locked");
}

#[actix_web::test]
async fn guesses_that_race_are_all_counted() {
    let world = World::new().await;
    let (code, tx_code) = world.offer().await;
    let guesses = (0..8).map(|guess| world.post_token(&code, if guess < 7 { "wrong" } else { "worse" }));
    let replies = futures_util::future::join_all(guesses).await;
    let wrong = replies.iter().filter(|reply| reply.refusal().2 == "vci.token.tx_code_wrong").count();
    assert_eq!(wrong, 5);
    is(&world.post_token(&code, &tx_code).await, 400, "invalid_grant", "vci.token.code_locked");
}

#[actix_web::test]
async fn of_two_that_race_for_a_code_one_gets_the_token() {
    let world = World::new().await;
    for _ in 0..20 {
        let (code, tx_code) = world.offer().await;
        let (a, b) = join(world.post_token(&code, &tx_code), world.post_token(&code, &tx_code)).await;
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
    }
}

#[actix_web::test]
async fn of_two_that_race_for_a_credential_one_gets_it() {
    let world = World::new().await;
    for _ in 0..10 {
        let token = world.token().await;
        let bodies = [asking(&proofs(&world.nonce().await, &[1])), asking(&proofs(&world.nonce().await, &[2]))];
        let (a, b) = join(world.post_credential(&token, &bodies[0]), world.post_credential(&token, &bodies[1])).await;
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
    }
    assert_eq!(
        world.service.records.credentials(Search::All, Page { after: None, limit: 100 }).await.unwrap().len(),
        10
    );
}

#[actix_web::test]
async fn access_tokens() {
    let world = World::new().await;
    let token = world.token().await;
    let body = asking(&proofs(&world.nonce().await, &[1]));
    let bare = world.send(TestRequest::post().uri("/credential").set_json(&body)).await;
    is(&bare, 401, "", "vci.access.token_missing");
    assert_eq!(bare.headers["www-authenticate"], "Bearer");
    is(&world.post_credential("nobody", &body).await, 401, "invalid_token", "vci.access.token_unknown");
    is(&world.post_credential(&format!("{token}x"), &body).await, 401, "invalid_token", "vci.access.token_unknown");
    let query = TestRequest::post().uri(&format!("/credential?access_token={token}")).set_json(&body);
    is(&world.send(query).await, 400, "invalid_request", "vci.access.token_in_query");
    let basic = TestRequest::post().uri("/credential").insert_header(("Authorization", "Basic YTpi")).set_json(&body);
    is(&world.send(basic).await, 400, "invalid_request", "vci.access.token_malformed");
    world.clock.advance(600);
    is(&world.post_credential(&token, &body).await, 401, "invalid_token", "vci.access.token_expired");
}

#[actix_web::test]
async fn credential_requests() {
    let world = World::new().await;
    let token = world.token().await;
    let nonce = world.nonce().await;
    let invalid = "invalid_credential_request";
    let cases = [
        (json!({"proofs": {}}), invalid, "vci.request.configuration_missing"),
        (json!([]), invalid, "json.shape"),
        (
            json!({"credential_configuration_id": "nothing"}),
            "unknown_credential_configuration",
            "vci.request.configuration_unknown",
        ),
        (json!({"credential_identifier": KIND}), "unknown_credential_identifier", "vci.request.identifier_unknown"),
        (json!({"credential_configuration_id": KIND}), "invalid_proof", "vci.proof.missing"),
        (asking(&proofs(&nonce, &[1, 1])), "invalid_proof", "vci.proof.key_repeated"),
        (asking(&proofs(&nonce, &[1; 11])), invalid, "vci.proof.too_many"),
        (asking(&["eyJhbGciOiJub25lIn0.e30.".to_owned()]), "invalid_proof", "jose.alg.none"),
        (asking(&proofs("foreign", &[1])), "invalid_nonce", "vci.nonce.foreign"),
    ];
    for (body, error, code) in cases {
        is(&world.post_credential(&token, &body).await, 400, error, code);
    }
    let raw = |kind: &'static str, body: Vec<u8>| {
        TestRequest::post()
            .uri("/credential")
            .insert_header(("Authorization", format!("Bearer {token}")))
            .insert_header(("content-type", kind))
            .set_payload(body)
    };
    let duplicate = br#"{"credential_configuration_id":"a","credential_configuration_id":"b"}"#.to_vec();
    is(&world.send(raw("application/json", duplicate)).await, 400, invalid, "json.duplicate_key");
    is(&world.send(raw("text/plain", b"{}".to_vec())).await, 400, invalid, "http.content_type");
    is(&world.send(raw("application/json", vec![b'['; 100_000])).await, 400, invalid, "json.too_deep");
    is(&world.send(raw("application/json", vec![b' '; 2 * 1024 * 1024])).await, 413, invalid, "http.body.too_large");
    // After all of that, the token is still good.
    assert_eq!(world.post_credential(&token, &asking(&proofs(&nonce, &[1]))).await.status, 200);
    is(
        &world.post_credential(&token, &asking(&proofs(&world.nonce().await, &[2]))).await,
        400,
        "credential_request_denied",
        "vci.request.already_issued",
    );
}

#[actix_web::test]
async fn a_nonce_is_used_once_and_ends() {
    let world = World::new().await;
    let nonce = world.nonce().await;
    let (first, second) = (world.token().await, world.token().await);
    assert_eq!(world.post_credential(&first, &asking(&proofs(&nonce, &[1]))).await.status, 200);
    let replayed = world.post_credential(&second, &asking(&proofs(&nonce, &[1]))).await;
    is(&replayed, 400, "invalid_nonce", "vci.nonce.used");
    let old = world.nonce().await;
    world.clock.advance(300);
    let late = world.post_credential(&second, &asking(&proofs(&old, &[1]))).await;
    is(&late, 400, "invalid_nonce", "vci.nonce.expired");
    world.service.records.forget_old_nonces(NOW.plus(301)).await.unwrap();
}

#[actix_web::test]
async fn the_admin_api_is_closed_to_others() {
    let world = World::new().await;
    for path in ["/admin/subjects", "/admin/credentials"] {
        let reply = world.get(path).await;
        assert_eq!((reply.status, reply.refusal().2.as_str()), (401, "http.unauthorized"));
    }
    let wanted = |wanted: Value| TestRequest::post().uri("/admin/offers").set_json(wanted);
    let cases = [
        (json!({"subject": "s-9", "credential_configuration_id": KIND}), 404, "vci.subject.unknown"),
        (json!({"subject": "s-1", "credential_configuration_id": "x"}), 400, "vci.request.configuration_unknown"),
        (json!({"subject": "s-1", "credential_configuration_id": KIND, "valid_for": 0}), 400, "vci.offer.lifetime"),
        (json!({"subject": "s-1", "credential_configuration_id": KIND, "validfor": 9}), 400, "json.shape"),
    ];
    for (body, status, code) in cases {
        let reply = world.admin(wanted(body)).await;
        assert_eq!((reply.status, reply.refusal().2.as_str()), (status, code));
    }
    let unknown = world.admin(TestRequest::post().uri("/admin/credentials/x/revoke")).await;
    assert_eq!((unknown.status, unknown.refusal().2.as_str()), (404, "vci.credential.unknown"));
}

#[actix_web::test]
async fn paths_made_up_by_strangers() {
    let world = World::new().await;
    let long = "a".repeat(5000);
    for (path, code) in [
        ("/offers/..%2F..%2Fetc", "vci.offer.unknown"),
        (&*format!("/offers/{long}"), "vci.offer.unknown"),
        ("/anchors/x", "vci.anchor.unknown"),
        ("/anchors/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "vci.anchor.unknown"),
        ("/status/99", "http.not_found"),
        ("/status/-1", "http.not_found"),
        ("/status/1?time=1", "vci.status.time"),
    ] {
        let reply = world.get(path).await;
        assert_eq!(reply.refusal().2, code, "{path:.40}");
    }
}

#[actix_web::test]
async fn a_token_is_not_taken_for_a_code() {
    let world = World::new().await;
    let token = world.token().await;
    let form = token_form(&token, "1");
    is(
        &world.send(TestRequest::post().uri("/token").set_form(form)).await,
        400,
        "invalid_grant",
        "vci.token.code_unknown",
    );
}
