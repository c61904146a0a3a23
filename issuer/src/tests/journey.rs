//! The straight way, and what the published documents say.

use actix_web::test::TestRequest;
use identity_core::crypto::Signer as _;
use identity_core::encoding::base64url;
use identity_core::oid4vci::issuer_keys::JwtVcIssuerMetadata;
use identity_core::sd_jwt::UnverifiedSdJwt;
use identity_core::sd_jwt_vc::Credential;
use serde_json::Value;

use super::world::{KIND, NOW, URL, World, key};

pub(super) fn credentials(reply: &super::world::Reply) -> Vec<String> {
    let body = reply.json();
    let list = body["credentials"].as_array().unwrap();
    list.iter().map(|one| one["credential"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn each_key_gets_a_credential_with_its_own_status_place() {
    let world = World::new().await;
    let issued = world.issue(&[1, 2, 3]).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    assert_eq!(issued.headers["cache-control"], "no-store");
    let issuer_key = world.service.keys.assertion.public_key();
    let mut places = std::collections::BTreeSet::new();
    for (text, seed) in credentials(&issued).iter().zip([1, 2, 3]) {
        let credential = Credential::verify_issued(UnverifiedSdJwt::parse(text).unwrap(), issuer_key).unwrap();
        credential.check_time(NOW, 0).unwrap();
        assert_eq!(credential.issuer(), URL);
        assert_eq!(credential.holder(), Some(key(seed).public_key()));
        assert_eq!(credential.claims()["address"]["division_code"], "110105");
        assert!(!text.split('~').next().unwrap().contains("11010519491231002X"));
        places.insert(credential.status().unwrap().index);
    }
    assert_eq!(places.len(), 3);
}

#[actix_web::test]
async fn nothing_but_registered_claims_stands_in_plain_sight() {
    let world = World::new().await;
    let issued = world.issue(&[1]).await;
    let text = credentials(&issued).remove(0);
    let payload = text.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap();
    let mut names: Vec<_> = payload.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["_sd", "_sd_alg", "cnf", "exp", "iat", "iss", "nbf", "status", "vct"]);
}

#[actix_web::test]
async fn metadata_say_what_is_enforced() {
    let world = World::new().await;
    let issuer = world.get("/.well-known/openid-credential-issuer").await.json();
    assert_eq!(issuer["credential_issuer"], URL);
    let configuration = &issuer["credential_configurations_supported"][KIND];
    assert_eq!(configuration["format"], "dc+sd-jwt");
    assert!(configuration["credential_metadata"]["claims"].as_array().unwrap().len() > 10);
    let server = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(server["token_endpoint"], format!("{URL}/token"));
    let aggregation = format!("{URL}/status");
    for metadata in [&issuer, &server] {
        assert_eq!(metadata["status_list_aggregation_endpoint"], aggregation.as_str());
    }
    let keys = world.get("/.well-known/jwt-vc-issuer").await;
    let keys: JwtVcIssuerMetadata = serde_json::from_slice(&keys.body).unwrap();
    assert!(keys.key(&world.service.keys.assertion_url()).is_some());
    let metadata = world.get("/.well-known/vct/resident-identity").await;
    assert_eq!(metadata.body, crate::kind::source(KIND).unwrap().as_bytes());
    assert_eq!(world.get("/.well-known/vct/business-licence").await.status, 404);
}

#[actix_web::test]
async fn an_identifier_with_a_path_moves_every_endpoint() {
    let world = World::with(|config| config.url = format!("{URL}/bureau")).await;
    let issuer = world.get("/.well-known/openid-credential-issuer/bureau").await.json();
    assert_eq!(issuer["credential_endpoint"], format!("{URL}/bureau/credential"));
    assert_eq!(world.send(TestRequest::post().uri("/bureau/nonce")).await.status, 200);
    assert_eq!(world.send(TestRequest::post().uri("/nonce")).await.status, 404);
}

#[actix_web::test]
async fn the_api_is_described_route_by_route() {
    let world = World::new().await;
    let described = world.get("/openapi.json").await.json();
    let paths = described["paths"].as_object().unwrap();
    for (path, operations) in paths {
        let path = path.replace("{id}", "x").replace("{list}", "x").replace("{digest}", "x").replace("{name}", "x");
        if ["/healthz", "/readyz", "/metrics"].contains(&path.as_str()) {
            continue;
        }
        for method in operations.as_object().unwrap().keys() {
            let request = match method.as_str() {
                "get" => TestRequest::get(),
                _ => TestRequest::post(),
            };
            let reply = world.send(request.uri(&path)).await;
            assert_ne!(reply.status, 405, "{method} {path}");
            assert!(reply.status != 404 || !reply.body.is_empty(), "{method} {path} is not routed");
        }
    }
    assert!(paths.len() >= 18);
}

#[actix_web::test]
async fn a_qr_code_carries_the_link_by_reference() {
    let world = World::new().await;
    let wanted = serde_json::json!({"subject": "s-1", "credential_configuration_id": KIND, "valid_for": 60});
    let made = world.admin(TestRequest::post().uri("/admin/offers").set_json(wanted)).await.json();
    let id = made["offer_id"].as_str().unwrap();
    assert!(
        made["offer_uri"].as_str().unwrap().starts_with("openid-credential-offer://?credential_offer_uri=https%3A")
    );
    let image = world.admin(TestRequest::get().uri(&format!("/admin/offers/{id}/qr"))).await;
    assert_eq!(image.headers["content-type"], "image/svg+xml");
    world.clock.advance(60);
    assert_eq!(world.get(&format!("/offers/{id}")).await.refusal().2, "vci.offer.expired");
}
