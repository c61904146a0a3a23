//! Queries for several credentials and for combinations of them: what is released, and every answer beside them.

use actix_web::test::TestRequest;
use identity_core::sample::world::{VCT, holder};
use identity_core::sd_jwt::{JsonForm, json_from_compact};
use serde_json::{Value, json};

use super::world::{Answered, Bench, Request};

/// A credential query for the sample type, with more members.
fn asked(id: &str, more: &Value) -> Value {
    let mut query =
        json!({ "id": id, "format": "dc+sd-jwt", "meta": { "vct_values": [VCT] }, "claims": [{ "path": ["name"] }] });
    query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    query
}

async fn ask(bench: &Bench, query: Value) -> Request {
    bench.ask_for(json!({ "query": query, "purpose": "loan" })).await
}

/// The credential, shown on the occasion of a request, to answer one of its queries.
fn shown(bench: &Bench, request: &Request, id: &str) -> String {
    let to_sign = request.to_sign(id);
    let occasion = request.occasion(bench.world.request.client_id.as_str(), &to_sign);
    bench.world.shown_to(occasion, &["name"], &holder(), bench.verifier.clock.now())
}

/// Posts this `vp_token`, with one good anchor proof for each presentation.
async fn present(bench: &Bench, request: &Request, token: Value) -> Answered {
    let proofs = |shown: &Value| vec![json!(bench.world.anchor_proof()); shown.as_array().map_or(1, Vec::len)];
    let anchors: Value =
        token.as_object().unwrap().iter().map(|(id, shown)| (id.clone(), json!(proofs(shown)))).collect();
    let form = [
        ("state".to_owned(), request.state.clone()),
        ("vp_token".to_owned(), token.to_string()),
        ("xinfu_anchor".to_owned(), anchors.to_string()),
    ];
    bench.answer(request, &form.into()).await
}

#[actix_web::test]
async fn a_query_for_several_is_answered_by_an_array_also_of_one() {
    let bench = Bench::new().await;
    let query = json!({ "credentials": [asked("one", &json!({})), asked("several", &json!({ "multiple": true }))] });
    let request = ask(&bench, query).await;
    let [one, several] = ["one", "several"].map(|id| shown(&bench, &request, id));
    let answered = present(&bench, &request, json!({ "one": [one], "several": [several] })).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let claims = bench.result(&request.id).await["claims"].clone();
    assert_eq!((&claims["one"]["name"], &claims["several"][0]["name"]), (&json!("样本甲"), &json!("样本甲")));
    assert_eq!(claims["several"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn a_combination_is_answered_by_one_of_its_options() {
    let bench = Bench::new().await;
    let query = json!({
        "credentials": [asked("a", &json!({})), asked("b", &json!({})), asked("c", &json!({ "multiple": true }))],
        "credential_sets": [{ "options": [["a", "c"], ["b"]] }, { "options": [["c"]], "required": false }],
    });
    for (ids, code) in [
        (&["b"][..], ""),
        (&["b", "c"], ""),
        (&["a", "c"], ""),
        (&["a"], "vp.response.unanswered"),
        (&["c"], "vp.response.unanswered"),
        (&["a", "b"], "vp.response.unasked"),
        (&["b", "x"], "vp.response.unasked"),
        (&[], "vp.response.unanswered"),
    ] {
        let request = ask(&bench, query.clone()).await;
        let token: Value = ids.iter().map(|id| ((*id).to_owned(), json!([shown(&bench, &request, id)]))).collect();
        let token = if ids.is_empty() { json!({}) } else { token };
        let answered = present(&bench, &request, token).await;
        assert_eq!(answered.code(), code, "{ids:?}: {answered:?}");
    }
    let request = ask(&bench, query).await;
    let [b, c] = ["b", "c"].map(|id| shown(&bench, &request, id));
    let twice = present(&bench, &request, json!({ "b": [b], "c": [c, c] })).await;
    assert_eq!(twice.code(), "dcql.answer.twice");
}

#[actix_web::test]
async fn json_serialisations_are_refused_where_compact_is_due() {
    let bench = Bench::new().await;
    for form in [JsonForm::Flattened, JsonForm::General] {
        let request = ask(&bench, json!({ "credentials": [asked("a", &json!({}))] })).await;
        let json = json_from_compact(&shown(&bench, &request, "a"), form).unwrap();
        let object: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(present(&bench, &request, json!({ "a": [object] })).await.code(), "vp.response.vp_token");
        let request = ask(&bench, json!({ "credentials": [asked("a", &json!({}))] })).await;
        let json = json_from_compact(&shown(&bench, &request, "a"), form).unwrap();
        assert_eq!(present(&bench, &request, json!({ "a": [json] })).await.code(), "sd_jwt.no_tilde");
    }
}

#[actix_web::test]
async fn credentials_of_others_than_the_named_issuers_are_refused() {
    let bench = Bench::new().await;
    for (did, code) in [(bench.world.issuer.did(), ""), (bench.world.asker.did(), "dcql.answer.authority")] {
        let authorities = json!({ "trusted_authorities": [{ "type": "xinfu_ledger", "values": [did] }] });
        let request = ask(&bench, json!({ "credentials": [asked("a", &authorities)] })).await;
        let text = shown(&bench, &request, "a");
        assert_eq!(present(&bench, &request, json!({ "a": [text] })).await.code(), code);
    }
}

#[actix_web::test]
async fn what_could_not_be_checked_is_not_asked() {
    let bench = Bench::new().await;
    let aki = json!({ "trusted_authorities": [{ "type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"] }] });
    let twice = json!({ "claims": [{ "path": ["name"] }, { "path": ["name"] }] });
    let unknown = json!({ "credentials": [asked("a", &json!({}))], "credential_sets": [{ "options": [["b"]] }] });
    for (query, code) in [
        (json!({ "credentials": [asked("a", &aki)] }), "dcql.trusted_authorities_unsupported"),
        (json!({ "credentials": [asked("a", &twice)] }), "dcql.claim_twice"),
        (unknown, "dcql.credential_sets"),
    ] {
        let body = json!({ "query": query, "purpose": "loan", "basis": "Sample Act", "retention_days": 30 });
        let refused = bench.admin(TestRequest::post().uri("/admin/requests").set_json(body)).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{refused:?}");
    }
}
