use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use actix_web::HttpResponse;

use super::*;
use crate::http::extract::{Json, OAuthForm};

fn plain() -> HttpConfig {
    HttpConfig { listen: "127.0.0.1:0".into(), plain: true, workers: 1, ..HttpConfig::default() }
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/echo").post(async |body: Json<serde_json::Value>| HttpResponse::Ok().json(body.0)))
        .route("/form", web::post().to(async |form: OAuthForm| HttpResponse::Ok().json(form.0.get("a"))))
        .route("/panic", web::get().to(panics))
        .route(
            "/kept",
            web::get().to(async || HttpResponse::Ok().insert_header(("cache-control", "max-age=60")).body("k")),
        );
}

async fn panics() -> HttpResponse {
    panic!("secret detail")
}

async fn running() -> Running {
    start(&plain(), Health::always(), Metrics::new().unwrap(), routes).await.unwrap()
}

/// Sends raw bytes and returns the whole answer, as a stranger without an HTTP library would.
async fn exchange(server: &Running, request: impl Into<Vec<u8>>) -> String {
    let (address, request) = (server.address, request.into());
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may hang up before it has read everything: that is an answer too.
        let _unsent = stream.write_all(&request);
        let mut answer = Vec::new();
        let _hung_up = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn answers_health_metrics_and_headers() {
    let server = running().await;
    assert!(exchange(&server, get("/healthz")).await.ends_with("ok\n"));
    let ready = exchange(&server, get("/readyz")).await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("nosniff") && ready.contains("no-store"), "{ready}");
    assert!(exchange(&server, get("/kept")).await.contains("cache-control: max-age=60"));
    let metrics = exchange(&server, get("/metrics")).await;
    assert!(metrics.contains(r#"http_requests_total{route="/healthz",status="200"} 1"#), "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn refuses_in_our_own_form() {
    let server = running().await;
    let json = "application/json";
    let large = format!("\"{}\"", "a".repeat(limits::BODY_BYTES));
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(10_000));
    let cases = [
        (get("/none"), "HTTP/1.1 404", "http.not_found"),
        (get("/echo"), "HTTP/1.1 405", "http.method"),
        (post("/echo", json, "{"), "HTTP/1.1 400", "json."),
        (post("/echo", json, r#"{"a":1,"a":2}"#), "HTTP/1.1 400", "json.duplicate_key"),
        (post("/echo", "text/plain", "{}"), "HTTP/1.1 415", "http.content_type"),
        (post("/echo", json, &large), "HTTP/1.1 413", "http.body.too_large"),
        (post("/form", "application/x-www-form-urlencoded", "a=1&a=2"), "HTTP/1.1 400", r#""error":"invalid_request""#),
        (get("/panic"), "HTTP/1.1 500", "http.internal"),
        (many_headers, "HTTP/1.1 431", ""),
    ];
    for (request, status, text) in cases {
        let answer = exchange(&server, request.clone()).await;
        assert!(
            answer.starts_with(status) && answer.contains(text),
            "{} gave {answer}",
            request.lines().next().unwrap()
        );
        assert!(!answer.contains("secret detail"));
    }
    assert!(exchange(&server, get("/healthz")).await.ends_with("ok\n"), "it lives on");
    server.stop().await;
}

#[tokio::test]
async fn a_chunked_body_is_counted_too() {
    let server = running().await;
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = exchange(&server, format!("{head}{}0\r\n\r\n", chunk.repeat(20))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_two_readers_could_cut_differently_is_refused() {
    let server = running().await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let cases = [
        ("both lengths", format!("{head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{{}}")),
        ("two lengths", format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}} ")),
        ("a length with a sign", format!("{head}content-length: +2\r\n\r\n{{}}")),
        ("a folded header", format!("{head}x-a: 1\r\n 2\r\ncontent-length: 2\r\n\r\n{{}}")),
        (
            "a chunk size that overflows",
            format!("{head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{{}}\r\n0\r\n\r\n"),
        ),
        ("a chunk size that is no number", format!("{head}transfer-encoding: chunked\r\n\r\n0x2\r\n{{}}\r\n0\r\n\r\n")),
        ("an unknown transfer coding", format!("{head}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n")),
    ];
    for (name, request) in cases {
        let answer = exchange(&server, request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{name} gave {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{name} was read as more than one request: {answer}");
    }
    assert!(exchange(&server, get("/healthz")).await.ends_with("ok\n"), "it lives on");
    server.stop().await;
}

#[tokio::test]
async fn requests_in_one_packet_are_answered_in_order() {
    let server = running().await;
    let two = format!("GET /kept HTTP/1.1\r\nhost: x\r\n\r\n{}", get("/none"));
    let answer = exchange(&server, two).await;
    let (kept, none) = (answer.find("HTTP/1.1 200"), answer.find("HTTP/1.1 404"));
    assert!(kept.is_some() && kept < none, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let server = running().await;
    // Ten bytes that start a gzip stream: whatever they would grow to, nobody here unpacks them.
    let body = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\n";
    let answer = exchange(&server, [head.as_bytes(), body].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 4") && answer.contains("\"code\""), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn says_why_it_cannot_start() {
    let server = running().await;
    let again = |config: HttpConfig| async move {
        start(&config, Health::always(), Metrics::new().unwrap(), routes).await.map(|_| ()).unwrap_err()
    };
    let taken = again(HttpConfig { listen: server.address.to_string(), ..plain() }).await;
    assert_eq!(taken.to_string(), format!("port {} of 127.0.0.1 is already in use", server.address.port()));
    assert!(matches!(again(HttpConfig { listen: "here".into(), ..plain() }).await, StartError::Address(_)));
    assert!(matches!(again(HttpConfig { plain: false, ..plain() }).await, StartError::NoCertificate));
    let missing = HttpConfig { plain: false, certificate: "none.pem".into(), key: "none.pem".into(), ..plain() };
    assert!(matches!(again(missing).await, StartError::Tls(_)));
    server.stop().await;
}

#[tokio::test]
async fn a_stopped_server_refuses_connections_and_frees_its_port() {
    let server = running().await;
    let address = server.address;
    assert!(exchange(&server, get("/healthz")).await.ends_with("ok\n"));
    server.stop().await;
    assert!(TcpStream::connect(address).is_err());
    let again = HttpConfig { listen: address.to_string(), ..plain() };
    start(&again, Health::always(), Metrics::new().unwrap(), routes).await.unwrap().stop().await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let rates = RateConfig { reads: 2, posts: 1, ..RateConfig::default() };
    let config = HttpConfig { rates, proxies: vec!["127.0.0.1".to_owned()], ..plain() };
    let server = start(&config, Health::always(), Metrics::new().unwrap(), routes).await.unwrap();
    let of = |client: &str| get("/kept").replace("host: x", &format!("host: x\r\nx-forwarded-for: {client}"));
    for _ in 0..2 {
        assert!(exchange(&server, of("192.0.2.1")).await.starts_with("HTTP/1.1 200"));
    }
    let refused = exchange(&server, of("192.0.2.1")).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("http.rate_limited"), "{refused}");
    let wait = refused.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=30).contains(&wait.trim().parse::<u32>().unwrap()), "{wait}");
    assert!(refused.contains("nosniff"), "a refusal carries what every answer does");
    assert!(
        exchange(&server, of("192.0.2.2")).await.starts_with("HTTP/1.1 200"),
        "another client is not its neighbour"
    );
    assert!(exchange(&server, post("/echo", "application/json", "{}")).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(&server, post("/echo", "application/json", "{}")).await.starts_with("HTTP/1.1 429"));
    let metrics = exchange(&server, get("/metrics")).await;
    assert!(metrics.contains(r#"http_rate_limited_total{kind="read"} 1"#), "{metrics}");
    server.stop().await;
}
