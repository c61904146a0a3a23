use actix_web::{HttpResponse, web};

use super::*;
use crate::http::{self, Health, HttpConfig, Metrics, Running};

async fn server() -> Running {
    let config = HttpConfig { listen: "127.0.0.1:0".into(), plain: true, workers: 1, ..HttpConfig::default() };
    http::start(&config, Health::always(), Metrics::new().unwrap(), |config| {
        config
            .route("/json", web::get().to(async || HttpResponse::Ok().json(serde_json::json!({"a": 1}))))
            .route("/large", web::get().to(async || HttpResponse::Ok().body(vec![b'x'; 3000])))
            .route("/away", web::get().to(async || HttpResponse::Found().insert_header(("location", "/json")).finish()))
            .route("/no", web::get().to(async || HttpResponse::BadRequest().json(serde_json::json!({"error": "bad"}))))
            .route("/echo", web::post().to(async |body: web::Bytes| HttpResponse::Ok().body(body)));
    })
    .await
    .unwrap()
}

fn fetcher(allow: &[String]) -> Fetcher {
    let config = FetchConfig { allow_private: allow.to_vec(), allow_plain: true, ..FetchConfig::default() };
    Fetcher::new(&config).unwrap()
}

#[tokio::test]
async fn fetches_what_is_allowed() {
    let server = server().await;
    let fetcher = fetcher(&[server.address.to_string()]);
    let get = |path: &str| fetcher.send(Request::get(format!("{}{path}", server.url)));
    let answer = get("/json").await.unwrap();
    assert_eq!((answer.status, answer.kind.as_str()), (200, "application/json"));
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["a"], 1);
    let echoed = fetcher.send(Request::post_form(format!("{}/echo", server.url), &[("a b", "ü")])).await.unwrap();
    assert_eq!(echoed.body, b"a+b=%C3%BC");

    assert!(matches!(get("/away").await, Err(FetchError::Redirected { .. })));
    let refused = get("/no").await.unwrap().success().unwrap_err();
    assert!(
        matches!(&refused, FetchError::Refused { status: 400, code: Some(code), .. } if code == "bad"),
        "{refused}"
    );
    let large = fetcher.send(Request::get(format!("{}/large", server.url)).with_limit(2999)).await;
    assert!(matches!(large, Err(FetchError::TooLarge { limit: 2999, .. })));
    server.stop().await;
}

#[tokio::test]
async fn refuses_where_it_must_not_go() {
    let fetcher = fetcher(&["allowed.example".into()]);
    let go = async |url: &str| fetcher.send(Request::get(url)).await.unwrap_err();
    for inner in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://localhost:9440/",
    ] {
        assert_eq!(go(inner).await, FetchError::ForbiddenAddress, "{inner}");
    }
    for scheme in ["http://example.org/", "file:///etc/passwd", "ftp://example.org/", "data:,x"] {
        assert_eq!(go(scheme).await, FetchError::ForbiddenScheme, "{scheme}");
    }
    for malformed in ["", "no address", "https://", "https://user@example.org/", "https://example.org/#x"] {
        assert_eq!(go(malformed).await, FetchError::Malformed, "{malformed}");
    }
}

#[tokio::test]
async fn a_dead_host_is_unreachable() {
    let server = server().await;
    let (address, url) = (server.address.to_string(), server.url.clone());
    server.stop().await;
    let error = fetcher(&[address]).send(Request::get(url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { reason: "connection refused", .. }), "{error}");
    assert!(error.is_passing());
}

#[test]
fn a_refusal_is_told_by_its_code_and_by_no_other_text() {
    let told = |body: serde_json::Value| {
        let body = body.to_string().into_bytes();
        let answer = Answer { host: "x.example".into(), status: 400, kind: String::new(), retry_after: None, body };
        answer.success().unwrap_err().to_string()
    };
    let refused = "x.example refused with status 400";
    let longest = "x".repeat(MAX_CODE);
    for code in ["vci.token.code_used", "invalid_request", "a-1", &longest] {
        assert_eq!(told(serde_json::json!({ "error": code })), format!("{refused} ({code})"));
    }
    let longer = "x".repeat(MAX_CODE + 1);
    for text in ["", "\u{1b}]0;title\u{7}", "not a code", "Code", "code\n", "\u{ff}", &longer] {
        assert_eq!(told(serde_json::json!({ "code": text })), refused, "{text:?}");
        assert_eq!(told(serde_json::json!({ "code": text, "error": "known" })), format!("{refused} (known)"));
    }
}
