//! The pages for operators, as a browser asks for them: offers, their codes once, and changes of what was issued.

use actix_web::test::TestRequest;
use actix_web::web;
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::duty::Order;
use identity_core::jose::Jwk;
use identity_core::registry::DutyHolder;
use serde_json::Value;
use service_kit::console::testing::{Browser, Seen};
use url::form_urlencoded;

use super::world::{BASIS, KIND, URL, World, delegation};
use crate::http;

const ROOT: &str = "/admin/console";

/// The duty of the sample official.
const WINDOW: &str = "window-3";

fn official() -> SecretKey {
    SecretKey::from_bytes(Alg::Es256, &[77; 32]).unwrap()
}

async fn browser(world: &World) -> Browser {
    let browser = fresh_browser(world).await;
    assert_eq!(browser.sign_in(&world.admin).await.status, 303);
    browser
}

async fn fresh_browser(world: &World) -> Browser {
    let routes = http::routes(std::sync::Arc::clone(&world.service), web::Data::new(world.tokens()));
    Browser::new(routes, URL.to_owned(), ROOT).await
}

/// The part of a page between two others.
fn between<'a>(page: &'a Seen, before: &str, after: &str) -> &'a str {
    let rest = page.text.split_once(before).unwrap_or_else(|| panic!("no {before}: {}", page.text)).1;
    rest.split_once(after).unwrap().0
}

/// What the page hands out for the official, signed.
fn signed(page: &Seen) -> String {
    let file = between(page, "href=\"data:application/json,", "\"");
    let (draft, _) = form_urlencoded::parse(file.as_bytes()).next().unwrap();
    let draft: Value = serde_json::from_str(&draft).unwrap();
    let order: Order = serde_json::from_value(draft["to_attest"].clone()).unwrap();
    order.sign(&official()).unwrap()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&amp;", "&")
}

async fn credential(world: &World) -> String {
    assert_eq!(world.issue(&[1]).await.status, 200);
    let listed = world.admin(TestRequest::get().uri("/admin/credentials")).await.json();
    listed[0]["id"].as_str().unwrap().to_owned()
}

async fn states(world: &World) -> Value {
    let listed = world.admin(TestRequest::get().uri("/admin/credentials")).await.json();
    listed[0]["state"].clone()
}

#[actix_web::test]
async fn an_offer_is_made_and_its_code_is_told_once() {
    let world = World::new().await;
    let browser = browser(&world).await;
    let made = browser.post("/offers?lang=en", &[("kind", KIND), ("subject", "s-1"), ("reference", "A-7")]).await;
    made.check_page(ROOT, "en");
    assert_eq!(made.status, 200, "{}", made.text);
    let code = between(&made, "<strong class=\"number\">", "</strong>").to_owned();
    let id = between(&made, "data-live-from=\"/admin/console/offers/", "?").to_owned();
    assert!(code.len() >= 4 && id.len() == 22, "{code} {id}");
    let qr = browser.get(&format!("/offers/{id}/qr")).await;
    assert!(qr.status == 200 && qr.text.contains("<svg"));
    for (lang, tag, word) in [("en", "en", ">waiting<"), ("zh", "zh-CN", ">待领取<")] {
        for path in [format!("/offers/{id}?lang={lang}"), format!("/?lang={lang}")] {
            let page = browser.get(&path).await;
            page.check_page(ROOT, tag);
            assert!(page.text.contains(word) && !page.text.contains(&code), "{}", page.text);
        }
    }
    world.clock.advance(i64::from(world.service.config.offers.valid_for));
    let late = browser.get(&format!("/offers/{id}?lang=en")).await;
    assert!(late.text.contains(">expired<") && !late.text.contains("figure"), "{}", late.text);
    assert_eq!(browser.get("/offers/unknown").await.status, 404);
    for (form, code) in [
        ([("kind", KIND), ("subject", "nobody")], "vci.subject.unknown"),
        ([("kind", "nothing"), ("subject", "s-1")], "vci.request.configuration_unknown"),
    ] {
        let refused = browser.post("/offers?lang=zh", &form).await;
        refused.check_page(ROOT, "zh-CN");
        assert!(refused.status >= 400 && refused.text.contains(code), "{}", refused.text);
    }
}

#[actix_web::test]
async fn a_credential_is_suspended_reinstated_and_revoked_after_a_question() {
    let world = World::new().await;
    let id = credential(&world).await;
    let browser = browser(&world).await;
    for (name, state, word) in
        [("suspend", "suspended", ">suspended<"), ("reinstate", "valid", ">valid<"), ("revoke", "revoked", ">revoked<")]
    {
        let before = states(&world).await;
        for (lang, tag) in [("en", "en"), ("zh", "zh-CN")] {
            let page = browser.get(&format!("/credentials/{id}?lang={lang}")).await;
            page.check_page(ROOT, tag);
            assert!(page.text.contains(&format!("/credentials/{id}/{name}")), "{}", page.text);
            let question = browser.get(&format!("/credentials/{id}/{name}?lang={lang}")).await;
            question.check_page(ROOT, tag);
        }
        assert_eq!(states(&world).await, before, "asking changes nothing");
        let done = browser.post(&format!("/credentials/{id}/{name}?lang=en"), &[]).await;
        assert_eq!((done.status, done.location()), (303, format!("{ROOT}/credentials/{id}?lang=en").as_str()));
        assert_eq!(states(&world).await, state);
        assert!(browser.get(&format!("/credentials/{id}?lang=en")).await.text.contains(word));
    }
    let last = browser.get(&format!("/credentials/{id}?lang=en")).await;
    assert!(last.text.contains("This is final") && !last.text.contains("/revoke"));
    let refused = browser.post(&format!("/credentials/{id}/reinstate"), &[]).await;
    assert!(refused.text.contains("status.change.final"), "{}", refused.text);
    assert_eq!(browser.get(&format!("/credentials/{id}/burn")).await.status, 404);
    assert_eq!(browser.post(&format!("/credentials/{id}/burn"), &[]).await.status, 404);
    assert_eq!(browser.get("/credentials/unknown/revoke").await.status, 404);
}

#[actix_web::test]
async fn what_an_official_orders_is_done_under_their_order_and_under_no_other() {
    let world = World::new().await;
    let id = credential(&world).await;
    let duty = delegation(DutyHolder::Official, Jwk::new(official().public_key().clone()));
    world.ledger.delegate(duty, &world.service.config.keys, WINDOW);
    let browser = browser(&world).await;
    let by = [("official", WINDOW), ("basis", BASIS), ("case", "2026-7")];

    let place = format!("/credentials/{id}/revoke?lang=zh");
    let draft = browser.post(&place, &by).await;
    draft.check_page(ROOT, "zh-CN");
    assert!(draft.text.contains("xinfu-wallet approve-request") && draft.text.contains("2026-7"), "{}", draft.text);
    assert_eq!(states(&world).await, "valid", "nothing is done yet");
    for order in ["", "e30.e30.e30"] {
        let refused = browser.post(&place, &[("ordered", "1"), ("order", order)]).await;
        assert!(refused.status == 400 && refused.text.contains("duty.malformed"), "{}", refused.text);
    }
    assert_eq!(states(&world).await, "valid", "without an order, the service account does not step in");
    assert_eq!(browser.post(&place, &[("ordered", "1"), ("order", &signed(&draft))]).await.status, 303);
    assert_eq!(states(&world).await, "revoked");

    let wanted = [("kind", KIND), ("subject", "s-1")];
    let draft = browser.post("/offers?lang=en", &[&wanted[..], &by[..]].concat()).await;
    draft.check_page(ROOT, "en");
    let (order, content) = (signed(&draft), unescaped(between(&draft, "name=\"content\" value=\"", "\"")));
    let other = content.replace("s-1", "s-2");
    let refused = browser.post("/offers", &[("ordered", "1"), ("content", &other), ("order", &order)]).await;
    assert!(refused.status >= 400, "an order is of exact bytes: {}", refused.text);
    let made = browser.post("/offers?lang=en", &[("ordered", "1"), ("content", &content), ("order", &order)]).await;
    assert!(made.status == 200 && made.text.contains("Transaction code"), "{}", made.text);
    let again = browser.post("/offers", &[("ordered", "1"), ("content", &content), ("order", &order)]).await;
    assert!(again.text.contains("duty.used"), "{}", again.text);
    let log = String::from_utf8(world.admin(TestRequest::get().uri("/admin/audit")).await.body).unwrap();
    assert_eq!(log.matches(WINDOW).count(), 2, "{log}");
    assert!(!log.contains("s-1") && !log.contains("2026-7"));
}

#[actix_web::test]
async fn who_is_looked_for_stands_in_no_address_and_who_may_look_may_search() {
    let world = World::new().await;
    let id = credential(&world).await;
    let reader = "r".repeat(43);
    world.add_token(&format!("li.hua read {reader}"));
    let browser = fresh_browser(&world).await;
    assert_eq!(browser.sign_in(&reader).await.status, 303);
    for (lang, tag) in [("en", "en"), ("zh", "zh-CN")] {
        let list = browser.get(&format!("/credentials?lang={lang}")).await;
        list.check_page(ROOT, tag);
        assert!(list.text.contains(&id));
        let search = format!("/credentials/search?lang={lang}");
        let found = browser.post(&search, &[("by", "subject"), ("text", "s-1")]).await;
        found.check_page(ROOT, tag);
        assert!(found.status == 200 && found.text.contains(&id) && !found.text.contains("=s-1"), "{}", found.text);
        let none = browser.post(&search, &[("by", "reference"), ("text", "s-1")]).await;
        assert!(none.status == 200 && !none.text.contains(&id));
        let one = browser.post(&search, &[("by", "id"), ("text", &id)]).await;
        assert_eq!(one.location(), format!("{ROOT}/credentials/{id}?lang={lang}"));
    }
    let foreign = browser.post_from("https://evil.example", "/credentials/search", &[("text", "s-1")]).await;
    assert_eq!(foreign.status, 403);
    for path in [format!("/credentials/{id}/revoke"), "/offers".to_owned()] {
        let refused = browser.post(&path, &[("kind", KIND), ("subject", "s-1")]).await;
        assert!(refused.status == 403 && refused.text.contains("http.forbidden"), "{}", refused.text);
    }
    assert_eq!(states(&world).await, "valid");
}

#[actix_web::test]
async fn a_department_below_a_path_has_its_pages_there() {
    let world = World::with(|config| config.url = format!("{URL}/counter")).await;
    let root = "/counter/admin/console";
    let routes = http::routes(std::sync::Arc::clone(&world.service), web::Data::new(world.tokens()));
    let browser = Browser::new(routes, URL.to_owned(), root).await;
    assert_eq!(browser.get("/").await.location(), "/counter/admin/console/sign-in");
    assert_eq!(browser.sign_in(&world.admin).await.location(), "/counter/admin/console/?lang=en");
    let made = browser.post("/offers?lang=en", &[("kind", KIND), ("subject", "s-1")]).await;
    made.check_page(root, "en");
    assert!(made.status == 200 && made.text.contains("href=\"/counter/admin/console/credentials"), "{}", made.text);
    let log = world.admin(TestRequest::get().uri("/counter/admin/audit")).await.body;
    assert!(String::from_utf8(log).unwrap().contains("\"POST /admin/console/offers\""));
}

#[actix_web::test]
async fn the_pages_are_behind_the_way_in() {
    let world = World::new().await;
    let browser = fresh_browser(&world).await;
    for path in ["/", "/offers/x", "/offers/x/qr", "/credentials", "/credentials/x", "/credentials/x/revoke"] {
        let sent_away = browser.get(path).await;
        assert_eq!((sent_away.status, sent_away.location()), (303, "/admin/console/sign-in"), "{path}");
    }
    for path in ["/offers", "/credentials/search", "/credentials/x/revoke"] {
        assert_eq!(browser.post(path, &[]).await.status, 401, "{path}");
    }
}
