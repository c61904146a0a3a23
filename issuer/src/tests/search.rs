//! Offers and credentials found again by the department's own reference, page by page.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::world::{KIND, World, asking, proofs, token_form};

async fn found(world: &World, path: &str) -> Vec<Value> {
    let reply = world.admin(TestRequest::get().uri(path)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json().as_array().unwrap().clone()
}

async fn offer(world: &World, reference: &str) -> Value {
    let wanted = json!({"subject": "s-1", "credential_configuration_id": KIND, "reference": reference});
    world.admin(TestRequest::post().uri("/admin/offers").set_json(wanted)).await.json()
}

#[actix_web::test]
async fn a_case_is_found_by_its_reference_from_offer_to_credential() {
    let world = World::new().await;
    offer(&world, "2026/1").await;
    let made = offer(&world, "2026/2").await;
    let by_reference = found(&world, "/admin/offers?reference=2026%2F2").await;
    assert_eq!((by_reference.len(), &by_reference[0]["id"]), (1, &made["offer_id"]));
    assert_eq!(by_reference[0]["state"], "offered");
    let text = by_reference[0].to_string();
    assert!(!text.contains("code") && !text.contains("openid-credential-offer"), "{text}");

    let shown = world.get(&format!("/offers/{}", made["offer_id"].as_str().unwrap())).await.json();
    let code = &shown["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"]["pre-authorized_code"];
    let form = token_form(code.as_str().unwrap(), made["tx_code"].as_str().unwrap());
    let token = world.send(TestRequest::post().uri("/token").set_form(form)).await.json();
    assert_eq!(found(&world, "/admin/offers?reference=2026%2F2").await[0]["state"], "redeemed");
    let body = asking(&proofs(&world.nonce().await, &[1, 2]));
    assert_eq!(world.post_credential(token["access_token"].as_str().unwrap(), &body).await.status, 200);
    assert_eq!(found(&world, "/admin/offers?reference=2026%2F2").await[0]["state"], "issued");
    let credentials = found(&world, "/admin/credentials?reference=2026%2F2").await;
    assert_eq!((credentials.len(), &credentials[0]["reference"]), (2, &json!("2026/2")));
    assert!(found(&world, "/admin/credentials?reference=2026%2F1").await.is_empty());
    world.clock.advance(600);
    assert_eq!(found(&world, "/admin/offers?reference=2026%2F1").await[0]["state"], "expired");
}

#[actix_web::test]
async fn every_list_is_walked_page_by_page() {
    let world = World::new().await;
    for case in 0..5 {
        offer(&world, &format!("case-{}", case % 2)).await;
    }
    world.issue(&[1, 2, 3, 4, 5]).await;
    for (path, count) in [
        ("/admin/offers?", 6),
        ("/admin/offers?subject=s-1&", 6),
        ("/admin/offers?reference=case-0&", 3),
        ("/admin/credentials?", 5),
        ("/admin/credentials?subject=s-1&", 5),
    ] {
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = found(&world, &format!("{path}limit=2{after}")).await;
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2);
            after = format!("&after={}", last["id"].as_str().unwrap());
            seen.extend(page.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        }
        let all: Vec<_> = found(&world, path).await.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!((seen.len(), &seen), (count, &all), "{path}");
    }
}

#[actix_web::test]
async fn what_cannot_be_looked_for_is_refused() {
    let world = World::with(|config| config.credentials.push("residence-permit".to_owned())).await;
    for (path, code) in [
        ("/admin/subjects?after=s-1", "vci.request.configuration_missing"),
        ("/admin/subjects?after=s-1&credential_configuration_id=resident-identity", ""),
    ] {
        let reply = world.admin(TestRequest::get().uri(path)).await;
        assert_eq!(reply.json()["code"].as_str().unwrap_or_default(), code);
    }
    for reference in ["", "a\u{0}b", &"x".repeat(201)] {
        assert_eq!(offer(&world, reference).await["code"], "vci.offer.case_reference");
    }
}
