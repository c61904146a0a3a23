//! The way in on a real server: whoever guesses is slowed, and a cookie that travels unencrypted says nothing else.

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

/// Everything that a service hands over, with one page.
fn routes() -> impl Fn(&mut web::ServiceConfig) + Clone + Send {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("admin.token");
    private_file::create(&file, TOKEN.as_bytes()).unwrap();
    let tokens = web::Data::new(AdminTokens::load(&file).unwrap());
    let url = Url::parse("http://desk.example").unwrap();
    let operators = web::Data::new(Operators::new(&url, Arc::new(SystemClock), Arc::new(SeededChance::new(1))));
    let site = Site { root: "/pages".into(), name: "", foot: "", places: &[], audience: Audience::Operators };
    let site = web::Data::new(site);
    let log = web::Data::new(AuditLog::new(Arc::new(MemoryStore::new()), Arc::new(SystemClock)));
    move |config| {
        config.app_data(tokens.clone()).app_data(operators.clone()).app_data(site.clone()).app_data(log.clone());
        config.service(scope("/pages", |pages| {
            pages.service(web::resource("/").get(async || HttpResponse::Ok().body("inside")));
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
    let server = start(&config, Health::always(), Metrics::new().unwrap(), routes()).await.unwrap();
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
