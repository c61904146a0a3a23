//! The way in on a real server: whoever guesses is slowed, and a cookie that travels unencrypted says nothing else. And
//! behind it, what is refused to whom is written down.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use actix_web::HttpResponse;

use super::*;
use crate::admin::AdminTokens;
use crate::audit::AuditLog;
use crate::chance::SeededChance;
use crate::clock::SystemClock;
use crate::console::site::{Audience, Site};
use crate::http::rate::RateConfig;
use crate::http::{Health, HttpConfig, Metrics, start};
use crate::private_file;
use crate::store::memory::MemoryStore;

const TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaa";
const READER: &str = "bbbbbbbbbbbbbbbbbbbbbbbb";

/// An empty log.
fn log() -> AuditLog {
    AuditLog::new(Arc::new(MemoryStore::new()), Arc::new(SystemClock))
}

/// Everything that a service hands over, with one page.
fn routes(log: AuditLog) -> impl Fn(&mut web::ServiceConfig) + Clone + Send {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("admin.token");
    private_file::create(&file, format!("{TOKEN}\nli.hua read {READER}\n").as_bytes()).unwrap();
    let tokens = web::Data::new(AdminTokens::load(&file).unwrap());
    let url = Url::parse("http://desk.example").unwrap();
    let operators = web::Data::new(Operators::new(&url, Arc::new(SystemClock), Arc::new(SeededChance::new(1))));
    let site = Site { root: "/pages".into(), name: "", foot: "", places: &[], audience: Audience::Operators };
    let site = web::Data::new(site);
    let log = web::Data::new(log);
    move |config| {
        config.app_data(tokens.clone()).app_data(operators.clone()).app_data(site.clone()).app_data(log.clone());
        config.service(scope("/pages", |pages| {
            let inside = async || HttpResponse::Ok().body("inside");
            pages.service(web::resource("/").get(inside).post(inside));
        }));
    }
}

async fn exchange(address: SocketAddr, request: String) -> String {
    let exchanged = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    });
    exchanged.await.unwrap()
}

fn sign_in(token: &str) -> String {
    let body = format!("token={token}");
    format!(
        "POST /pages/sign-in HTTP/1.1\r\nhost: desk.example\r\norigin: http://desk.example\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn whoever_guesses_tokens_is_slowed() {
    let rates = RateConfig { sign_ins: 2, ..RateConfig::default() };
    let config = HttpConfig { listen: "127.0.0.1:0".into(), plain: true, workers: 1, rates, ..HttpConfig::default() };
    let server = start(&config, Health::always(), Metrics::new().unwrap(), routes(log())).await.unwrap();
    assert!(exchange(server.address, sign_in("b")).await.starts_with("HTTP/1.1 403"));
    let entered = exchange(server.address, sign_in(TOKEN)).await;
    assert!(entered.starts_with("HTTP/1.1 303"), "{entered}");
    let cookie = entered.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.starts_with("xinfu-operator-") && !cookie.contains("Secure"), "{cookie}");
    let slowed = exchange(server.address, sign_in(TOKEN)).await;
    assert!(slowed.starts_with("HTTP/1.1 429") && slowed.contains("retry-after: "), "{slowed}");
    assert!(slowed.contains("text/html") && slowed.contains("http.rate_limited"), "{slowed}");
    // Whoever is in stays in.
    let pair = cookie.split(';').next().unwrap();
    let page = format!("GET /pages/ HTTP/1.1\r\nhost: desk.example\r\ncookie: {pair}\r\nconnection: close\r\n\r\n");
    assert!(exchange(server.address, page).await.ends_with("inside"));
    server.stop().await;
}

#[tokio::test]
async fn what_is_refused_to_whom_is_written_down_and_of_too_much_once() {
    let rates = RateConfig { admin: 1, ..RateConfig::default() };
    let config = HttpConfig { listen: "127.0.0.1:0".into(), plain: true, workers: 1, rates, ..HttpConfig::default() };
    let log = log();
    let server = start(&config, Health::always(), Metrics::new().unwrap(), routes(log.clone())).await.unwrap();
    for (token, statuses) in [(READER, ["403", "429", "429"]), (TOKEN, ["200", "429", "429"])] {
        let entered = exchange(server.address, sign_in(token)).await;
        let cookie = entered.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        for status in statuses {
            let answered = exchange(server.address, form(cookie.split(';').next().unwrap())).await;
            assert!(answered.starts_with(&format!("HTTP/1.1 {status}")), "{answered}");
        }
    }
    assert!(exchange(server.address, form("none=none")).await.starts_with("HTTP/1.1 401"));
    server.stop().await;
    let said = |line: Vec<u8>| {
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        [&line["who"], &line["outcome"]].map(|member| member.as_str().unwrap().to_owned())
    };
    let lines: Vec<_> = log.lines(0, 99).await.unwrap().into_iter().map(said).collect();
    let of = |who: &str, outcome: &str| [who.to_owned(), outcome.to_owned()];
    let theirs = [of("li.hua", "done"), of("li.hua", "refused 403"), of("li.hua", "refused 429")];
    assert_eq!(lines[..3], theirs, "signed in, and then");
    assert_eq!(lines[3..], [of("admin", "done"), of("admin", "refused 429")]);
}

/// A form of the first page, sent by the session of this cookie.
fn form(cookie: &str) -> String {
    format!(
        "POST /pages/ HTTP/1.1\r\nhost: desk.example\r\norigin: http://desk.example\r\nconnection: close\r\n\
         cookie: {cookie}\r\ncontent-length: 0\r\n\r\n"
    )
}
