//! Answers under `direct_post.jwt`, honest and not, over HTTP.

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use futures_util::future::join_all;
use identity_core::crypto::{Alg, SecretKey};
use identity_core::encoding::base64url;
use identity_core::jose::jwe::{self, DecryptionKey, Enc, EncryptionKey};
use identity_core::oid4vp::ResponseMode;
use identity_core::oid4vp::response::MAX_RESPONSE_BYTES;
use serde_json::{Value, json};

use super::world::{Answered, Bench, Request};

async fn ask(bench: &Bench) -> Request {
    bench.ask_for(json!({ "query": "strict", "response_mode": "direct_post.jwt" })).await
}

async fn key_of(bench: &Bench, request: &Request) -> EncryptionKey {
    match bench.verifier.load(&request.id).await.unwrap().unwrap().1.parameters.mode {
        ResponseMode::DirectPostJwt(encryption) => encryption.key,
        ResponseMode::DirectPost => panic!("a plain answer is wanted"),
    }
}

/// What an honest wallet encrypts.
fn content(bench: &Bench, request: &Request) -> Value {
    let form = bench.honest(request);
    let parse = |name: &str| serde_json::from_str::<Value>(&form[name]).unwrap();
    json!({ "state": form["state"], "vp_token": parse("vp_token"), "xinfu_anchor": parse("xinfu_anchor") })
}

async fn sealed(bench: &Bench, request: &Request) -> String {
    let content = content(bench, request).to_string();
    jwe::encrypt(content.as_bytes(), &key_of(bench, request).await, Enc::A256Gcm).unwrap()
}

async fn send(bench: &Bench, request: &Request, token: &str) -> Answered {
    bench.answer(request, &BTreeMap::from([("response".to_owned(), token.to_owned())])).await
}

#[actix_web::test]
async fn an_encrypted_answer_is_accepted_and_its_key_is_gone() {
    let mut bench = Bench::new().await;
    for enc in Enc::ALL {
        let request = ask(&bench).await;
        bench.restart().await;
        let content = content(&bench, &request).to_string();
        let token = jwe::encrypt(content.as_bytes(), &key_of(&bench, &request).await, *enc).unwrap();
        let answered = send(&bench, &request, &token).await;
        assert_eq!((answered.status, answered.redirect()), (200, &Value::Null));
        let result = bench.result(&request.id).await;
        assert_eq!(result["claims"]["id"]["name"], "样本甲");
        assert!(bench.verifier.store.decryption_key(&request.id).await.unwrap().is_none());
        assert_eq!(send(&bench, &request, &token).await.code(), "vp.response.replayed");
        let replay = TestRequest::get().uri(&format!("/admin/requests/{}/replay", request.id));
        assert_eq!(bench.admin(replay).await.body["agrees"], true, "what is judged again needs no key");
    }
}

#[actix_web::test]
async fn each_request_has_a_key_of_its_own_until_it_expires() {
    let bench = Bench::new().await;
    let (one, two) = (ask(&bench).await, ask(&bench).await);
    assert_ne!(key_of(&bench, &one).await, key_of(&bench, &two).await);
    let for_two = sealed(&bench, &two).await;
    assert_eq!(send(&bench, &one, &for_two).await.code(), "jose.jwe.kid");
    assert_eq!(send(&bench, &two, &for_two).await.status, 200);

    let late = sealed(&bench, &one).await;
    bench.clock.advance(300);
    assert_eq!(send(&bench, &one, &late).await.code(), "vp.request.expired");
    bench.verifier.store.forget_due(bench.verifier.clock.now()).await.unwrap();
    assert!(bench.verifier.store.decryption_key(&one.id).await.unwrap().is_none());
    assert_eq!(send(&bench, &one, &late).await.code(), "vp.request.expired");
}

#[actix_web::test]
async fn a_declined_answer_forgets_the_key_too() {
    let bench = Bench::new().await;
    let request = ask(&bench).await;
    let declined = json!({ "state": request.state, "error": "access_denied" }).to_string();
    let token = jwe::encrypt(declined.as_bytes(), &key_of(&bench, &request).await, Enc::A128Gcm).unwrap();
    assert_eq!(send(&bench, &request, &token).await.status, 200);
    assert_eq!(bench.result(&request.id).await["refusal"]["code"], "vp.declined");
    assert!(bench.verifier.store.decryption_key(&request.id).await.unwrap().is_none());
}

#[actix_web::test]
async fn of_concurrent_encrypted_answers_one_is_accepted() {
    let bench = Bench::new().await;
    let request = ask(&bench).await;
    let token = sealed(&bench, &request).await;
    let answers = join_all((0..8).map(|_| send(&bench, &request, &token))).await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answered| answered.status == 200);
    assert_eq!(accepted.len(), 1);
    assert!(refused.iter().all(|answered| (answered.status, answered.code()) == (400, "vp.response.replayed")));
}

/// A token with one member of its header changed.
fn with_header(token: &str, member: &str, value: Value) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
    header[member] = value;
    format!("{}.{rest}", base64url::encode(header.to_string().as_bytes()))
}

#[actix_web::test]
async fn each_wrong_token_has_its_own_refusal_and_ends_nothing() {
    let bench = Bench::new().await;
    let request = ask(&bench).await;
    let good = sealed(&bench, &request).await;
    let kid = key_of(&bench, &request).await.kid().to_owned();
    let header = |member: &str, value: Value| with_header(&good, member, value);
    let part = |at: usize, text: &str| {
        let mut parts: Vec<&str> = good.split('.').collect();
        parts[at] = text;
        parts.join(".")
    };
    // Another key under the same name.
    let stranger = SecretKey::from_bytes(Alg::Es256, &[7; 32]).unwrap();
    let stranger = DecryptionKey::from_bytes(&stranger.to_bytes()).unwrap();
    let mut jwk = stranger.public().to_jwk();
    jwk["kid"] = json!(kid);
    let stranger = EncryptionKey::from_jwk(&jwk).unwrap().unwrap();
    let plain = content(&bench, &request).to_string();
    let off_curve = json!({ "kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["x"] });
    let cases: Vec<(String, &str)> = vec![
        (header("alg", json!("dir")), "jose.jwe.alg"),
        (header("alg", json!("ECDH-ES+A256KW")), "jose.jwe.alg"),
        (header("enc", json!("A128CBC-HS256")), "jose.jwe.enc"),
        (header("zip", json!("DEF")), "jose.jwe.compressed"),
        (header("crit", json!(["exp"])), "jose.header.critical"),
        (header("cty", json!("JWT")), "jose.jwe.nested"),
        (header("kid", json!("another")), "jose.jwe.kid"),
        (header("epk", off_curve), "jose.jwe.ephemeral"),
        (header("apu", json!("QWxpY2U")), "jose.jwe.undecipherable"),
        (part(0, "e30="), "base64.padding"),
        (part(1, "AAAA"), "jose.jwe.length"),
        (part(4, "AAAA"), "jose.jwe.length"),
        (part(3, "AAAA"), "jose.jwe.undecipherable"),
        ("a.b.c".to_owned(), "jose.jwe.parts"),
        (format!("{good}.{good}"), "jose.jwe.parts"),
        (jwe::encrypt(plain.as_bytes(), &stranger, Enc::A256Gcm).unwrap(), "jose.jwe.undecipherable"),
    ];
    for (token, code) in cases {
        let answered = send(&bench, &request, &token).await;
        assert_eq!((answered.status, answered.code()), (400, code), "{answered:?}");
        assert_eq!(bench.result(&request.id).await["state"], "pending");
    }
    let large = send(&bench, &request, &"A".repeat(MAX_RESPONSE_BYTES)).await;
    assert_eq!((large.status, large.code()), (413, "http.body.too_large"));
    assert_eq!(send(&bench, &request, &good).await.status, 200);
}

#[actix_web::test]
async fn what_is_inside_is_no_better_for_being_encrypted() {
    let bench = Bench::new().await;
    let token_of_token = json!("eyJhbGciOiJub25lIn0.e30.");
    let changes: Vec<(&str, Value, &str)> = vec![
        ("state", json!("AAAAAAAAAAAAAAAAAAAAAA"), "vp.response.state"),
        ("vp_token", json!("{}"), "vp.response.vp_token"),
        ("vp_token", json!({ "id": "a~b~c" }), "vp.response.vp_token"),
        ("vp_token", json!({ "id": [token_of_token] }), "sd_jwt.no_tilde"),
        ("xinfu_anchor", json!("{}"), "vp.response.anchor_malformed"),
        ("error", json!("access_denied"), "vp.response.malformed"),
    ];
    for (member, value, code) in changes {
        let request = ask(&bench).await;
        let mut content = content(&bench, &request);
        content[member] = value;
        let key = key_of(&bench, &request).await;
        let token = jwe::encrypt(content.to_string().as_bytes(), &key, Enc::A128Gcm).unwrap();
        let answered = send(&bench, &request, &token).await;
        assert_eq!((answered.status, answered.code()), (400, code), "{answered:?}");
        assert_ne!(bench.result(&request.id).await["state"], "verified");
    }
    let request = ask(&bench).await;
    for nested in ["[]", "\"a.b.c\"", "a.b.c", "{\"state\":1,\"state\":2}", ""] {
        let token = jwe::encrypt(nested.as_bytes(), &key_of(&bench, &request).await, Enc::A256Gcm).unwrap();
        assert_eq!(send(&bench, &request, &token).await.code(), "vp.response.malformed", "{nested}");
    }
}

#[actix_web::test]
async fn the_other_mode_is_refused_both_ways() {
    let bench = Bench::new().await;
    let request = ask(&bench).await;
    let plain = bench.answer(&request, &bench.honest(&request)).await;
    assert_eq!((plain.status, plain.code()), (400, "vp.response.not_encrypted"));
    let mut both = bench.honest(&request);
    both.insert("response".to_owned(), sealed(&bench, &request).await);
    assert_eq!(bench.answer(&request, &both).await.code(), "vp.response.malformed");
    let token = sealed(&bench, &request).await;
    assert_eq!(send(&bench, &request, &token).await.status, 200);

    let request = bench.ask("strict").await;
    assert_eq!(send(&bench, &request, &token).await.code(), "vp.response.encrypted");
    assert_eq!(bench.answer(&request, &bench.honest(&request)).await.status, 200);
}
