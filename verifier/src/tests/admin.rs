use actix_web::test::TestRequest;
use identity_core::did::Document;
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::{RequestLink, UnverifiedRequest};
use identity_core::registry::did_key;
use identity_core::trust;
use identity_core::x509::TrustAnchors;
use serde_json::{Value, json};

use super::world::{Bench, dcql};

#[actix_web::test]
async fn three_claims_are_asked_shown_and_released() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    assert_eq!(bench.result(&request.id).await["state"], "pending");

    let answered = bench.answer(&request, &bench.honest(&request)).await;
    assert_eq!((answered.status, answered.redirect()), (200, &Value::Null));

    let result = bench.result(&request.id).await;
    assert_eq!(result["state"], "verified", "{result}");
    assert_eq!(result["claims"]["id"]["name"], "样本甲");
    assert_eq!(result["claims"]["id"].get("sex"), None, "nobody asked for it");
    assert_eq!(result["undetermined"], json!([]));
    assert!(result["evidence_as_of"].is_i64());
}

#[actix_web::test]
async fn the_wallet_gets_a_request_that_verifies() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let link = RequestLink::parse(request.made["request_uri_link"].as_str().unwrap(), Transport::HttpsOnly).unwrap();
    assert_eq!(link.request_uri.path(), format!("/requests/{}", request.id));

    let document = document(&bench);
    let plain = bench.call(TestRequest::get().uri(link.request_uri.path())).await;
    let jwt = plain.body.as_str().unwrap();
    let now = bench.verifier.clock.now();
    let verified = UnverifiedRequest::parse(&link, jwt, &TrustAnchors::none(), now).unwrap().verify(
        &document,
        None,
        Transport::HttpsOnly,
        now,
    );
    assert_eq!(verified.unwrap().parameters().nonce, request.nonce);

    let post = |body: &'static str| {
        TestRequest::post()
            .uri(link.request_uri.path())
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(body)
    };
    let echoed = bench.call(post("wallet_nonce=fresh-and-mine&wallet_metadata=%7B%7D")).await;
    let unverified =
        UnverifiedRequest::parse(&link, echoed.body.as_str().unwrap(), &TrustAnchors::none(), now).unwrap();
    assert!(unverified.verify(&document, Some("fresh-and-mine"), Transport::HttpsOnly, now).is_ok());
    assert_eq!(bench.call(post("wallet_nonce=a%20b")).await.code(), "vp.request.wallet_nonce");
    assert_eq!(bench.call(post("wallet_nonce=a&wallet_nonce=b")).await.status, 400);
}

fn document(bench: &Bench) -> Document {
    let did = bench.world.asker.did();
    let proof = bench.world.ledger.state_proof(&did_key(&did), 1_800_000_000);
    let proven = proof.verify(&bench.world.ledger.trust_root()).unwrap();
    trust::did_history(&proven, &did).unwrap().document_at(trust::known_until(&proven)).unwrap()
}

#[actix_web::test]
async fn requests_end() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    let uri = format!("/requests/{}", request.id);
    assert_eq!(bench.call(TestRequest::get().uri("/requests/unknown")).await.status, 404);

    bench.answer(&request, &bench.honest(&request)).await;
    assert_eq!(bench.call(TestRequest::get().uri(&uri)).await.code(), "vp.response.replayed");

    let late = bench.ask("strict").await;
    let form = bench.honest(&late);
    bench.clock.advance(300);
    assert_eq!(
        bench.call(TestRequest::get().uri(&format!("/requests/{}", late.id))).await.code(),
        "vp.request.expired"
    );
    assert_eq!(bench.answer(&late, &form).await.code(), "vp.request.expired");
    let result = bench.result(&late.id).await;
    assert_eq!((&result["state"], &result["refusal"]["code"]), (&json!("refused"), &json!("vp.request.expired")));
}

#[actix_web::test]
async fn claims_and_evidence_are_erased_in_their_time() {
    let bench = Bench::new().await;
    let request = bench.ask("strict").await;
    bench.answer(&request, &bench.honest(&request)).await;
    let uri = format!("/admin/requests/{}/evidence", request.id);
    let exported = bench.admin(TestRequest::get().uri(&uri)).await;
    assert_eq!(exported.status, 200);
    let files = exported.body["files"].as_object().unwrap();
    let mut names: Vec<&str> = files.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["anchors.json", "evidence.json", "request.jwt", "type.json", "vp_token.json"]);
    let evidence: serde_json::Value = serde_json::from_str(files["evidence.json"].as_str().unwrap()).unwrap();
    assert_eq!(evidence["states"].as_array().unwrap().len(), 6);

    bench.clock.advance(3600);
    bench.verifier.store.forget_due(bench.verifier.clock.now()).await.unwrap();
    let result = bench.result(&request.id).await;
    assert_eq!((&result["state"], &result["claims"]), (&json!("verified"), &json!(null)));
    assert_eq!(bench.admin(TestRequest::get().uri(&uri)).await.code(), "vp.case.erased");

    let second = bench.ask("strict").await;
    bench.answer(&second, &bench.honest(&second)).await;
    let deleted = bench.admin(TestRequest::delete().uri(&format!("/admin/requests/{}", second.id))).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(bench.result(&second.id).await["claims"], json!(null));
}

#[actix_web::test]
async fn a_kept_case_gives_the_same_verdict_again() {
    let bench = Bench::new().await;
    let good = bench.ask("strict").await;
    bench.answer(&good, &bench.honest(&good)).await;
    let bad = bench.ask("strict").await;
    let mut form = bench.honest(&bad);
    form.insert("vp_token".to_owned(), json!({ "id": [bench.presentation(&good, &["name", "address"])] }).to_string());
    bench.answer(&bad, &form).await;

    bench.cut_off();
    bench.clock.advance(1000);
    for (request, code) in [(&good, None), (&bad, Some("kb_jwt.nonce"))] {
        let replayed = bench.verifier.replay(&request.id).await.unwrap();
        assert!(replayed.agrees(), "{replayed:?}");
        assert_eq!(replayed.then.as_deref(), code);
        let uri = format!("/admin/requests/{}/replay", request.id);
        assert_eq!(bench.admin(TestRequest::get().uri(&uri)).await.body["agrees"], true);
    }
}

#[actix_web::test]
async fn over_asking_is_possible_and_said() {
    let bench = Bench::new().await;
    bench.verifier.evidence.refresh(bench.verifier.clock.now()).await;
    let warnings = async |body| bench.ask_for(body).await.made["warnings"].clone();
    assert_eq!(warnings(json!({ "query": "strict" })).await, json!([]));
    let beyond = warnings(json!({ "query": dcql(&["name", "sex"]), "purpose": "loan" })).await;
    assert_eq!(beyond[0]["code"], "verdict.asker.claims");
}

#[actix_web::test]
async fn the_admin_api_refuses_by_name() {
    let bench = Bench::new().await;
    let ask = async |body| bench.admin(TestRequest::post().uri("/admin/requests").set_json(body)).await;
    let refused = [
        (json!({ "query": "unknown" }), 404, "vp.request.query_unknown"),
        (json!({ "query": "strict", "response_mode": "fragment" }), 400, "vp.request.response_mode"),
        (json!({ "query": "strict", "client_id_prefix": "x509_hash" }), 400, "vp.client_id.unsupported"),
        (json!({ "query": "strict", "quer": 1 }), 400, "json.shape"),
        (json!({ "query": { "credentials": [] }, "basis": "Sample Act", "retention_days": 1 }), 400, "dcql.empty"),
        (json!({ "query": { "credentials": [] } }), 400, "vp.request.malformed"),
        (json!({ "query": "strict", "official": "a/b" }), 400, "duty.malformed"),
        (json!({ "query": "strict", "case": "" }), 400, "vp.request.malformed"),
        (json!({ "query": 7 }), 400, "json.shape"),
    ];
    for (body, status, code) in refused {
        let answered = ask(body).await;
        assert_eq!((answered.status, answered.code()), (status, code), "{answered:?}");
    }
    assert_eq!(bench.call(TestRequest::get().uri("/admin/queries")).await.status, 401);
    let queries = bench.admin(TestRequest::get().uri("/admin/queries")).await.body;
    assert_eq!(queries["queries"][1]["name"], "strict");
    assert_eq!(queries["queries"][1]["dcql"]["credentials"][0]["id"], "id");
    let unknown = bench.admin(TestRequest::get().uri("/admin/requests/unknown")).await;
    assert_eq!((unknown.status, unknown.code()), (404, "vp.request.unknown"));
    let request = bench.ask("strict").await;
    let qr = bench.admin(TestRequest::get().uri(&format!("/admin/requests/{}/qr", request.id))).await;
    assert!(qr.body.as_str().unwrap().contains("<svg"));
}
