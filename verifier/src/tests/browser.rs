//! Wallet and browser on one device: the result goes to the browser that began, with the code of its own answer, once.

use actix_web::test::TestRequest;
use futures_util::future::join_all;
use identity_core::oid4vp::same_device::CODE_LIFETIME;
use serde_json::{Value, json};
use url::Url;

use super::world::{Answered, Bench, Request};

const BACK: &str = "https://fund.example/back";

/// One browser at the application, with what it holds.
struct Browser {
    request: Request,
    cookie: String,
}

impl Browser {
    async fn begin(bench: &Bench) -> Self {
        let body = json!({ "query": "strict", "flow": "same_device", "return_url": BACK });
        let request = bench.ask_for(body).await;
        let header = request.made["browser_session"]["set_cookie"].as_str().unwrap();
        let value = header.split_once('=').unwrap().1.split(';').next().unwrap();
        Self { cookie: value.to_owned(), request }
    }

    /// What the wallet is told after an honest answer: the code on the way back.
    async fn answered(&self, bench: &Bench) -> String {
        let answered = bench.answer(&self.request, &bench.honest(&self.request)).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        self.code(&answered)
    }

    fn code(&self, answered: &Answered) -> String {
        let url = Url::parse(answered.body["redirect_uri"].as_str().unwrap()).unwrap();
        assert!(url.as_str().starts_with(BACK));
        let parameter = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
        assert_eq!(parameter("xinfu_request"), self.request.id);
        parameter("response_code")
    }

    async fn redeem(&self, bench: &Bench, code: &str) -> Answered {
        redeem(bench, &self.request.id, Some(&self.cookie), code).await
    }
}

async fn redeem(bench: &Bench, id: &str, cookie: Option<&str>, code: &str) -> Answered {
    let body = json!({ "response_code": code, "cookie": cookie });
    bench.admin(TestRequest::post().uri(&format!("/admin/requests/{id}/redeem")).set_json(body)).await
}

#[actix_web::test]
async fn the_browser_that_began_gets_the_result() {
    let bench = Bench::new().await;
    let browser = Browser::begin(&bench).await;
    let header = browser.request.made["browser_session"]["set_cookie"].as_str().unwrap();
    for attribute in ["__Host-xinfu-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(header.contains(attribute), "{header}");
    }
    let code = browser.answered(&bench).await;
    assert_eq!(bench.result(&browser.request.id).await["state"], "answered");

    let redeemed = browser.redeem(&bench, &code).await;
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    assert_eq!(
        (&redeemed.body["state"], &redeemed.body["claims"]["id"]["name"]),
        (&json!("verified"), &json!("样本甲"))
    );
    assert_eq!(bench.result(&browser.request.id).await, redeemed.body);
}

#[actix_web::test]
async fn a_stolen_replayed_or_foreign_code_releases_nothing() {
    let bench = Bench::new().await;
    let (victim, attacker) = (Browser::begin(&bench).await, Browser::begin(&bench).await);
    let code = victim.answered(&bench).await;
    let other = attacker.answered(&bench).await;
    let id = &victim.request.id;
    let refused = [
        (redeem(&bench, id, None, &code).await, 403, "vp.browser.missing"),
        (redeem(&bench, id, Some(""), &code).await, 403, "vp.browser.missing"),
        (redeem(&bench, id, Some(&attacker.cookie), &code).await, 403, "vp.browser.foreign"),
        (attacker.redeem(&bench, &code).await, 403, "vp.response_code.wrong"),
        (victim.redeem(&bench, &other).await, 403, "vp.response_code.wrong"),
        (victim.redeem(&bench, "").await, 403, "vp.response_code.wrong"),
        (redeem(&bench, "unknown", Some(&victim.cookie), &code).await, 404, "vp.request.unknown"),
    ];
    for (answered, status, code) in refused {
        assert_eq!((answered.status, answered.code()), (status, code), "{answered:?}");
        assert_eq!(answered.body.get("claims"), None);
        assert_eq!(bench.result(id).await["state"], "answered");
    }
    // None of that spent the code.
    assert_eq!(victim.redeem(&bench, &code).await.status, 200);
    let again = victim.redeem(&bench, &code).await;
    assert_eq!((again.status, again.code()), (409, "vp.response_code.replayed"));
}

/// The attacker's link, relayed to a victim on another device: the victim's wallet gets the code, the attacker has
/// the cookie, and nobody has both.
#[actix_web::test]
async fn a_relayed_link_releases_nothing_to_either() {
    let bench = Bench::new().await;
    let attacker = Browser::begin(&bench).await;
    let code_at_the_victim = attacker.answered(&bench).await;
    let id = &attacker.request.id;
    let polled = bench.result(id).await;
    assert_eq!((&polled["state"], polled.get("claims")), (&json!("answered"), None));
    assert_eq!((&polled["undetermined"], &polled["evidence_as_of"]), (&json!([]), &Value::Null));
    for path in ["evidence", "replay"] {
        let kept = bench.admin(TestRequest::get().uri(&format!("/admin/requests/{id}/{path}"))).await;
        assert_eq!((kept.status, kept.code()), (409, "vp.browser.not_back"));
    }
    assert_eq!(attacker.redeem(&bench, "guessed").await.code(), "vp.response_code.wrong");
    assert_eq!(redeem(&bench, id, None, &code_at_the_victim).await.code(), "vp.browser.missing");
}

#[actix_web::test]
async fn of_concurrent_redemptions_one_gets_the_result() {
    let mut bench = Bench::new().await;
    let browser = Browser::begin(&bench).await;
    let code = browser.answered(&bench).await;
    bench.restart().await;
    let redemptions = join_all((0..8).map(|_| browser.redeem(&bench, &code))).await;
    let mut statuses: Vec<u16> = redemptions.iter().map(|answered| answered.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

#[actix_web::test]
async fn a_browser_that_comes_too_late_gets_nothing_and_the_auditor_may_look() {
    let bench = Bench::new().await;
    let browser = Browser::begin(&bench).await;
    let code = browser.answered(&bench).await;
    bench.clock.advance(CODE_LIFETIME);
    let late = browser.redeem(&bench, &code).await;
    assert_eq!((late.status, late.code()), (410, "vp.response_code.expired"));
    let id = &browser.request.id;
    let result = bench.result(id).await;
    assert_eq!((&result["state"], result.get("claims")), (&json!("refused"), None));
    assert_eq!(result["refusal"]["code"], "vp.response_code.expired");
    let evidence = bench.admin(TestRequest::get().uri(&format!("/admin/requests/{id}/evidence"))).await;
    assert_eq!(evidence.status, 200);
}

#[actix_web::test]
async fn a_holder_who_declines_is_sent_back_too() {
    let bench = Bench::new().await;
    let browser = Browser::begin(&bench).await;
    let declined = [("state".to_owned(), browser.request.state.clone()), ("error".to_owned(), "access_denied".into())];
    let answered = bench.answer(&browser.request, &declined.into_iter().collect()).await;
    assert_eq!(answered.status, 200);
    let redeemed = browser.redeem(&bench, &browser.code(&answered)).await;
    assert_eq!(
        (&redeemed.body["state"], &redeemed.body["refusal"]["code"]),
        (&json!("refused"), &json!("vp.declined"))
    );
}

#[actix_web::test]
async fn a_refused_presentation_sends_nobody_back() {
    let bench = Bench::new().await;
    let browser = Browser::begin(&bench).await;
    let mut form = bench.honest(&browser.request);
    form.insert("vp_token".to_owned(), json!({ "id": ["a~b~c"] }).to_string());
    let answered = bench.answer(&browser.request, &form).await;
    assert_eq!((answered.status, answered.body.get("redirect_uri")), (400, None));
    assert_eq!(bench.result(&browser.request.id).await["state"], "refused");
    assert_eq!(browser.redeem(&bench, "").await.code(), "vp.response_code.wrong");
}

#[actix_web::test]
async fn the_two_flows_are_not_mixed() {
    let bench = Bench::new().await;
    let across = bench.ask_for(json!({ "query": "strict", "flow": "cross_device" })).await;
    assert_eq!(across.made["browser_session"], Value::Null);
    let answered = bench.answer(&across, &bench.honest(&across)).await;
    assert_eq!((answered.status, answered.redirect()), (200, &Value::Null));
    assert_eq!(redeem(&bench, &across.id, Some("x"), "x").await.code(), "vp.browser.cross_device");

    let browser = Browser::begin(&bench).await;
    assert_eq!(browser.redeem(&bench, "early").await.code(), "vp.response_code.wrong");
    let qr = bench.admin(TestRequest::get().uri(&format!("/admin/requests/{}/qr", browser.request.id))).await;
    assert_eq!((qr.status, qr.code()), (409, "vp.browser.same_device"));

    let refused = [
        json!({ "query": "strict", "flow": "same_device" }),
        json!({ "query": "strict", "return_url": BACK }),
        json!({ "query": "strict", "flow": "same_device", "return_url": "http://fund.example/back" }),
        json!({ "query": "strict", "flow": "same_device", "return_url": "https://fund.example/?response_code=1" }),
    ];
    for body in refused {
        let answered = bench.admin(TestRequest::post().uri("/admin/requests").set_json(&body)).await;
        assert_eq!((answered.status, answered.code()), (400, "vp.request.return_url"), "{body}");
    }
}
