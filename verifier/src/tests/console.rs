//! The pages for operators, as a browser asks for them: who gets in, what is refused, and that no page shows a value.

use actix_web::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use actix_web::test::TestRequest;
use identity_core::duty::Attestation;
use identity_core::sample::world::DUTY;
use serde::Deserialize as _;
use serde_json::Value;
use service_kit::console::testing::{Browser, Seen};

use super::world::Bench;
use crate::http::routes;

const ROOT: &str = "/admin/console";

async fn browser(bench: &Bench) -> Browser {
    let origin = bench.verifier.url.origin().ascii_serialization();
    Browser::new(routes(bench.verifier.clone(), bench.token()), origin, ROOT).await
}

/// Makes a request by the form; answers with its id.
async fn ask(browser: &Browser, form: &[(&str, &str)]) -> String {
    let made = browser.post("/requests", form).await;
    assert_eq!(made.status, 303, "{}", made.text);
    made.location().strip_prefix(&format!("{ROOT}/requests/")).unwrap().to_owned()
}

fn check_page(seen: &Seen, lang: &str) {
    seen.check_page(ROOT, lang);
}

#[actix_web::test]
async fn nobody_gets_in_without_a_token_and_nobody_stays_for_ever() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    for path in ["/", "/requests/x", "/requests/x/qr", "/requests/x/to-attest.json", "/no-such-page"] {
        let sent_away = browser.get(path).await;
        assert_eq!((sent_away.status, sent_away.location()), (303, "/admin/console/sign-in"), "{path}");
    }
    let refused = browser.post("/requests?lang=zh", &[("query", "strict")]).await;
    assert_eq!(refused.status, 401);
    check_page(&refused, "zh-CN");
    assert!(refused.text.contains("尚未登录"), "{}", refused.text);

    let wrong = browser.sign_in("a token that is none").await;
    assert_eq!((wrong.status, wrong.headers.get(SET_COOKIE)), (403, None));
    assert!(!wrong.text.contains("a token that is none"));
    assert_eq!(browser.sign_in("").await.status, 403);

    let entered = browser.sign_in(bench.secret()).await;
    assert_eq!((entered.status, entered.location()), (303, "/admin/console/?lang=en"));
    let cookie = entered.headers.get(SET_COOKIE).unwrap().to_str().unwrap().to_owned();
    for attribute in
        ["__Host-xinfu-operator-", "; Path=/; ", "; HttpOnly", "; SameSite=Strict", "; Secure", "Max-Age=28800"]
    {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(bench.secret()));
    assert_eq!(browser.get("/").await.status, 200);

    // The cookie opens these pages, and nothing of the admin API.
    let cookie = browser.cookie.borrow().clone().unwrap();
    let api = TestRequest::get().uri("/admin/queries").insert_header((COOKIE, cookie.clone()));
    assert_eq!(bench.call(api).await.status, 401);

    // A page that renews itself keeps nobody in.
    for _ in 0..3 {
        bench.clock.advance(400);
        let renewal = TestRequest::get().uri("/admin/console/").insert_header(("xinfu-renewal", "1"));
        browser.send(renewal.insert_header(("host", browser.host()))).await;
    }
    assert_eq!(browser.get("/").await.status, 303, "a quarter of an hour without anything done");

    browser.sign_in(bench.secret()).await;
    let held = browser.cookie.borrow().clone();
    assert_eq!(browser.post("/sign-out", &[]).await.location(), "/admin/console/sign-in");
    assert!(browser.cookie.borrow().is_none());
    *browser.cookie.borrow_mut() = held;
    assert_eq!(browser.get("/").await.status, 303, "the session is over, whoever kept the cookie");

    let lines = bench.verifier.store.audit.lines(0, 10).await.unwrap();
    let said = String::from_utf8(lines.concat()).unwrap();
    assert!(said.contains("sign in to the console") && !said.contains(bench.secret()), "{said}");
}

#[actix_web::test]
async fn a_form_of_another_site_does_nothing() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    browser.sign_in(bench.secret()).await;
    let origin = browser.origin.clone();
    for foreign in [
        "https://evil.example",
        "null",
        "",
        &format!("{origin}.evil.example"),
        &format!("{origin}:444"),
        &origin.replace("https", "http"),
    ] {
        let refused = browser.post_from(foreign, "/requests", &[("query", "strict")]).await;
        assert_eq!(refused.status, 403, "{foreign}");
        check_page(&refused, "en");
        assert!(refused.text.contains("http.origin"));
    }
    let bare = TestRequest::post().uri("/admin/console/requests").set_form([("query", "strict")]);
    assert_eq!(browser.send(bare.insert_header(("host", browser.host()))).await.status, 403, "no origin at all");
    let twice = TestRequest::post().uri("/admin/console/requests").insert_header(("host", browser.host()));
    let twice = twice
        .append_header(("origin", origin.clone()))
        .append_header(("origin", origin))
        .set_form([("query", "strict")]);
    assert_eq!(browser.send(twice).await.status, 403);
    // Nor does one that would sign somebody in.
    assert_eq!(browser.post_from("https://evil.example", "/sign-in", &[("token", bench.secret())]).await.status, 403);
    assert!(browser.get("/").await.text.contains("No request is kept."));
}

#[actix_web::test]
async fn a_name_made_to_lead_here_gets_nothing() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    for host in ["rebound.example", "127.0.0.1", "", "asker.example.evil.example"] {
        for path in ["/", "/sign-in", "/live.js"] {
            let request = TestRequest::get().uri(&format!("{ROOT}{path}?lang=zh"));
            let refused = browser.send(request.insert_header(("host", HeaderValue::from_str(host).unwrap()))).await;
            assert_eq!(refused.status, 421, "{host}{path}");
            check_page(&refused, "zh-CN");
        }
    }
}

#[actix_web::test]
async fn who_may_only_read_makes_nothing() {
    let mut bench = Bench::new().await;
    let reader = "r".repeat(43);
    bench.add_token(&format!("li.hua read {reader}"));
    let browser = browser(&bench).await;
    assert_eq!(browser.sign_in(&reader).await.status, 303);
    let page = browser.get("/").await;
    assert!(page.status == 200 && page.text.contains("li.hua"));
    let refused = browser.post("/requests?lang=en", &[("query", "strict")]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("http.forbidden"));
    assert_eq!(browser.post("/sign-out", &[]).await.status, 303);
}

#[actix_web::test]
async fn a_request_is_made_shown_and_answered_without_any_value_on_a_page() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    browser.sign_in(bench.secret()).await;
    let id = ask(&browser, &[("query", "strict"), ("case", "2026-<0001>"), ("official", "")]).await;
    let page = format!("/requests/{id}?lang=en");
    let open = browser.get(&page).await;
    check_page(&open, "en");
    for part in ["openid4vp://", "data-live=", "2026-&lt;0001&gt;", "Service account", "Sample Act, article 1"] {
        assert!(open.text.contains(part), "{part}: {}", open.text);
    }
    assert!(!open.text.contains("to-attest.json"));
    let qr = browser.get(&format!("/requests/{id}/qr")).await;
    assert!(qr.status == 200 && qr.text.contains("<svg"));

    let request = bench.known(&id).await;
    bench.answer(&request, &bench.honest(&request)).await;
    for (lang, tag, word) in [("en", "en", "accepted"), ("zh", "zh-CN", "已接受")] {
        let done = browser.get(&format!("/requests/{id}?lang={lang}")).await;
        check_page(&done, tag);
        assert!(done.text.contains(word) && !done.text.contains("data-live="), "{}", done.text);
        let list = browser.get(&format!("/?lang={lang}")).await;
        check_page(&list, tag);
        assert!(list.text.contains(word) && list.text.contains(&format!("/requests/{id}?lang={lang}")));
        for page in [done.text, list.text] {
            assert!(!page.contains("样本甲"), "a value stands on a page");
        }
    }
    // The twin of the admin API says what was disclosed, and its line stands in the log; the pages left none.
    assert_eq!(bench.result(&id).await["claims"]["id"]["name"], "样本甲");
    let lines = bench.verifier.store.audit.lines(0, 20).await.unwrap();
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_slice(line).unwrap()).collect();
    let acts: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(acts, ["sign in to the console", "POST /admin/console/requests", "GET /admin/requests/{id}"]);
    assert!(!format!("{lines:?}").contains("0001"), "a case stands in no log");
}

#[actix_web::test]
async fn an_official_signs_what_the_page_hands_out() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    browser.sign_in(bench.secret()).await;
    let id = ask(&browser, &[("query", "strict"), ("official", DUTY)]).await;
    let waiting = browser.get(&format!("/requests/{id}?lang=zh")).await;
    check_page(&waiting, "zh-CN");
    assert!(waiting.text.contains("等待签署") && waiting.text.contains("xinfu-wallet approve-request"));
    assert!(!waiting.text.contains("openid4vp://"), "no wallet gets it yet");

    let draft = browser.get(&format!("/requests/{id}/to-attest.json")).await;
    let draft: Value = serde_json::from_str(&draft.text).unwrap();
    let draft = Attestation::deserialize(draft["to_attest"].clone()).unwrap();
    let place = format!("/requests/{id}/attestation?lang=zh");
    let refused = browser.post(&place, &[("attestation", "e30.e30.e30")]).await;
    assert!(refused.status == 400 && refused.text.contains("duty."), "{}", refused.text);
    check_page(&refused, "zh-CN");
    let foreign = draft.sign(&bench.world.asker.authenticator()).unwrap();
    let refused = browser.post(&place, &[("attestation", &foreign)]).await;
    assert!(refused.text.contains("duty.unknown"), "{}", refused.text);
    assert_eq!(browser.post(&place, &[]).await.status, 400);

    let signed = format!("\n{}\n", draft.sign(&bench.world.asker.duty()).unwrap());
    let taken = browser.post(&place, &[("attestation", &signed)]).await;
    assert_eq!(taken.location(), format!("{ROOT}/requests/{id}?lang=zh"));
    assert!(browser.get(&format!("/requests/{id}")).await.text.contains("openid4vp://"));
    assert!(browser.post(&place, &[("attestation", &signed)]).await.text.contains("duty.taken"));
    assert_eq!(browser.get(&format!("/requests/{id}/to-attest.json")).await.status, 409);
}

#[actix_web::test]
async fn what_cannot_be_made_is_said_in_words() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    browser.sign_in(bench.secret()).await;
    for (form, status, code) in [
        (&[("query", "none such")][..], 404, "vp.request.query_unknown"),
        (&[][..], 404, "vp.request.query_unknown"),
        (&[("query", "strict"), ("official", "a/b")][..], 400, "duty.malformed"),
        (&[("query", "strict"), ("query", "strict")][..], 400, "http.form.duplicate"),
    ] {
        for (lang, tag) in [("en", "en"), ("zh", "zh-CN")] {
            let refused = browser.post(&format!("/requests?lang={lang}"), form).await;
            assert_eq!(refused.status, status, "{}", refused.text);
            check_page(&refused, tag);
            assert!(refused.text.contains(code), "{}", refused.text);
        }
    }
    let json = TestRequest::post().uri("/admin/console/requests").insert_header(("host", browser.host()));
    let json =
        json.insert_header(("origin", browser.origin.clone())).set_json(serde_json::json!({ "query": "strict" }));
    assert_eq!(browser.send(json).await.status, 415);
    assert_eq!(browser.get("/requests/unknown").await.status, 404);
}

#[actix_web::test]
async fn a_refused_and_an_expired_request_are_told_apart_and_old_ones_are_found() {
    let bench = Bench::new().await;
    let browser = browser(&bench).await;
    browser.sign_in(bench.secret()).await;
    let declined = ask(&browser, &[("query", "strict")]).await;
    let request = bench.known(&declined).await;
    let mut form = bench.honest(&request);
    form.insert("vp_token".to_owned(), serde_json::json!({ "id": ["x"] }).to_string());
    bench.answer(&request, &form).await;
    for _ in 0..25 {
        bench.clock.advance(1);
        ask(&browser, &[("query", "lenient")]).await;
    }
    bench.clock.advance(301);
    let newest = browser.get("/?lang=en").await;
    assert_eq!(newest.text.matches(">expired<").count(), 25);
    assert!(!newest.text.contains(&declined));
    let older = newest.text.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let older = older.strip_prefix(ROOT).unwrap().replace("&amp;", "&");
    let older = browser.get(&older).await;
    check_page(&older, "en");
    assert!(older.text.contains(&declined) && older.text.contains(">refused<"), "{}", older.text);
    assert_eq!(browser.get("/?before=%2Fnonsense").await.status, 200);
}
