//! Clients that keep us waiting, over real sockets. Only the limit under test is short, and nothing is timed: each test
//! ends when the server hangs up, and hangs if it does not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use actix_web::{HttpResponse, web};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::*;
use crate::http::{Health, HttpConfig, Metrics, Running, extract::Json, server::start_within};

/// Short enough not to wait for, long enough for one packet on a busy machine.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(600);

/// An answer that no kernel buffer holds whole.
const LARGE: usize = 64 * 1024 * 1024;

fn patient() -> Limits {
    Limits { handshake: LONG, head: LONG, body_grace: LONG, keep_alive: LONG, answer: LONG, ..Limits::default() }
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/echo").post(async |body: Json<serde_json::Value>| HttpResponse::Ok().json(body.0)))
        // The framework's own reader.
        .service(web::resource("/plain").post(async |body: web::Bytes| HttpResponse::Ok().body(body)))
        .service(web::resource("/unread").post(async || HttpResponse::Ok().body("unread")))
        .service(web::resource("/large").get(async || HttpResponse::Ok().body("x".repeat(LARGE))));
}

async fn serve(limits: Limits) -> Running {
    let config = HttpConfig { listen: "127.0.0.1:0".into(), plain: true, workers: 1, ..HttpConfig::default() };
    start_within(limits, &config, Health::always(), Metrics::new().unwrap(), routes).await.unwrap()
}

/// Runs a client that blocks, on a thread of its own.
async fn client<T: Send + 'static>(server: &Running, act: impl FnOnce(TcpStream) -> T + Send + 'static) -> T {
    let address = server.address;
    tokio::task::spawn_blocking(move || act(TcpStream::connect(address).unwrap())).await.unwrap()
}

fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Asks for `/healthz` and reads its answer, so that the connection is known and idle.
fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_is_answered_408() {
    let server = serve(Limits { head: SHORT, ..patient() }).await;
    let begun = client(&server, |mut stream| {
        stream.write_all(b"GET / HTT").unwrap();
        rest(&mut stream)
    });
    let silent = client(&server, |mut stream| rest(&mut stream));
    for answer in [begun.await, silent.await] {
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("http.head.too_slow"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_later_head_is_timed_like_the_first() {
    let server = serve(Limits { head: SHORT, ..patient() }).await;
    let answer = client(&server, |mut stream| {
        ask(&mut stream);
        stream.write_all(b"G").unwrap();
        rest(&mut stream)
    });
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("http.head.too_slow"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let server = serve(Limits { keep_alive: SHORT, ..patient() }).await;
    let answer = client(&server, |mut stream| {
        ask(&mut stream);
        rest(&mut stream)
    });
    assert_eq!(answer.await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let server = serve(Limits { body_grace: SHORT, ..patient() }).await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    for framing in ["content-length: 9\r\n\r\n[1", "transfer-encoding: chunked\r\n\r\n2\r\n[1"] {
        let answer = client(&server, move |mut stream| {
            stream.write_all(format!("{head}{framing}").as_bytes()).unwrap();
            rest(&mut stream)
        });
        let answer = answer.await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("http.body.too_slow"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_waited_for() {
    let server = serve(Limits { head: SHORT, ..patient() }).await;
    let answer = client(&server, |mut stream| {
        stream.write_all(b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na").unwrap();
        // Trickled for as long as the server listens.
        let mut answers = stream.try_clone().unwrap();
        let reading = std::thread::spawn(move || rest(&mut answers));
        while !reading.is_finished() && stream.write_all(b"\r\n1\r\na").is_ok() {
            std::thread::yield_now();
        }
        reading.join().unwrap()
    });
    assert!(answer.await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_given_up() {
    let server = serve(Limits { answer: SHORT, ..patient() }).await;
    let read = client(&server, |mut stream| {
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        // Waits, without reading, until the server has hung up: only then do writes fail.
        while stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").is_ok() {
            std::thread::yield_now();
        }
        rest(&mut stream).len()
    });
    assert!(read.await < LARGE);
    server.stop().await;
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let server = serve(Limits { connections_per_address: 1, ..patient() }).await;
    let address = server.address;
    let refused = client(&server, move |mut first| {
        ask(&mut first);
        let answer = rest(&mut TcpStream::connect(address).unwrap());
        ask(&mut first);
        answer
    });
    assert_eq!(refused.await, "", "closed without a word");
    server.stop().await;
}

#[tokio::test]
async fn slow_clients_keep_nobody_out() {
    let server = serve(Limits { connections: 4, ..patient() }).await;
    let address = server.address;
    let cut = client(&server, move |mut slowest| {
        slowest.write_all(b"GET /").unwrap();
        let others: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        ask(&mut TcpStream::connect(address).unwrap());
        drop(others);
        rest(&mut slowest)
    });
    assert_eq!(cut.await, "", "the one that waited longest made room");
    server.stop().await;
}

/// A server with TLS and whoever trusts it.
async fn serve_tls(limits: Limits) -> (Running, TlsConnector) {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = HttpConfig { listen: "127.0.0.1:0".into(), certificate, key, workers: 1, ..HttpConfig::default() };
    let server = start_within(limits, &config, Health::always(), Metrics::new().unwrap(), routes).await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(crate::http::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, TlsConnector::from(Arc::new(client)))
}

/// Sends a request over TLS and answers what comes until the server hangs up.
async fn ask_over(
    connector: &TlsConnector,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: impl AsRef<[u8]>,
) -> String {
    let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    // A write may leave its end in the client's own buffer, sealed and not sent: without this, both may wait for ever.
    stream.flush().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

const LAST: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn half_open_handshakes_keep_nobody_out_and_end() {
    let (server, connector) = serve_tls(Limits { handshake: SHORT, ..patient() }).await;
    let address = server.address;
    let half_open = client(&server, move |mut first| {
        first.write_all(b"\x16\x03\x01").unwrap();
        let mut others: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
        let first = rest(&mut first);
        (first, others.iter_mut().map(rest).collect::<String>())
    });
    // Meanwhile an honest client is served: its handshake waits for nobody's.
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let answer = ask_over(&connector, stream, LAST).await;
    assert!(answer.ends_with("ok\n"), "{answer}");
    assert_eq!(half_open.await, (String::new(), String::new()), "cut without a word");
    server.stop().await;
}

/// Sends each byte in a packet of its own.
struct ByteByByte(tokio::net::TcpStream);

impl AsyncRead for ByteByByte {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for ByteByByte {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, &bytes[..bytes.len().min(1)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[tokio::test]
async fn what_comes_byte_by_byte_in_time_is_answered() {
    let (server, connector) = serve_tls(patient()).await;
    let connect = async || {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        ByteByByte(stream)
    };
    assert!(ask_over(&connector, connect().await, LAST).await.ends_with("ok\n"));
    let body = format!("[{}]", vec!["1"; limits::PORTION].join(","));
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let answer = ask_over(&connector, connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&body), "{answer}");
    server.stop().await;
}

/// A connection whose client has sent two requests, and the client.
async fn connection() -> (Connection, tokio::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let entrance =
        Entrance { door: Door::new(9, 9, 9), proxies: Proxies::parse(&[]).unwrap(), tls: None, limits: patient() };
    let mut let_in = Box::pin(entrance.let_in(stream));
    let (begun, rest) = FIRST.split_at(FIRST.len() - 1);
    client.write_all(begun.as_bytes()).await.unwrap();
    for _ in 0..9 {
        tokio::task::yield_now().await;
        assert!(poll_once(let_in.as_mut()).await.is_pending(), "the server gets nobody without a whole head");
    }
    client.write_all(format!("{rest}{SECOND}").as_bytes()).await.unwrap();
    let (connection, _) = let_in.await.unwrap();
    (connection, client)
}

const FIRST: &str = "GET /1 HTTP/1.1\r\n\r\n";
const SECOND: &str = "GET /2 HTTP/1.1\r\n\r\n";

async fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut future).poll(context))).await
}

async fn next_portion(connection: &mut Connection) -> String {
    let mut portion = [0; 100];
    let length = connection.read(&mut portion).await.unwrap();
    String::from_utf8_lossy(&portion[..length]).into_owned()
}

/// Whether a read now has to wait; `wakes` counts how often the server is told to try again.
fn is_held_back(connection: &mut Connection, wakes: &Arc<Wakes>) -> bool {
    let waker = Waker::from(Arc::clone(wakes));
    let mut portion = [0; 100];
    let read = Pin::new(connection).poll_read(&mut Context::from_waker(&waker), &mut ReadBuf::new(&mut portion));
    read.is_pending()
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn so_far(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn the_server_gets_one_request_at_a_time_and_none_while_it_answers() {
    let (mut connection, _client) = connection().await;
    let (talk, wakes) = (connection.talk(), Arc::new(Wakes::default()));
    assert_eq!(next_portion(&mut connection).await, FIRST);
    assert!(is_held_back(&mut connection, &wakes) && wakes.so_far() == 1, "it looks at the first, then it may go on");
    talk.begin();
    for _ in 0..9 {
        assert!(is_held_back(&mut connection, &wakes), "it is our turn");
        connection.flush().await.unwrap();
    }
    assert_eq!(wakes.so_far(), 1, "it does not try in vain");
    talk.end();
    assert_eq!(wakes.so_far(), 2);
    assert_eq!(next_portion(&mut connection).await, SECOND);
}

#[tokio::test]
async fn the_server_gets_nothing_while_its_answer_is_not_taken() {
    let (mut connection, mut client) = connection().await;
    let (talk, wakes) = (connection.talk(), Arc::new(Wakes::default()));
    assert_eq!(next_portion(&mut connection).await, FIRST);
    talk.begin();
    talk.end();
    let mut sent = 0;
    // Few large writes: the runtime would make a task that writes often wait for its turn.
    let large = vec![b'x'; LARGE];
    while let Poll::Ready(written) = poll_once(std::pin::pin!(connection.write(&large))).await {
        sent += written.unwrap();
    }
    assert!(is_held_back(&mut connection, &wakes) && is_held_back(&mut connection, &wakes));
    assert_eq!(wakes.so_far(), 0, "it does not try in vain");
    client.read_exact(&mut vec![0; sent]).await.unwrap();
    connection.flush().await.unwrap();
    assert_eq!(wakes.so_far(), 1, "now it may");
    assert_eq!(next_portion(&mut connection).await, SECOND);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn little_is_sent_ahead_to_a_client_that_does_not_read() {
    /// A client's window, the piece under way, and some room beside them.
    const ON_ITS_WAY: usize = 192 * 1024;
    let (mut connection, _client) = connection().await;
    connection.talk().begin();
    let (mut sent, piece) = (0, vec![b'x'; limits::ANSWER_PIECE]);
    while let Poll::Ready(written) =
        tokio::task::unconstrained(poll_once(std::pin::pin!(connection.write(&piece)))).await
    {
        sent += written.unwrap();
    }
    assert!(sent <= usize::try_from(limits::SENT_AHEAD).unwrap() + ON_ITS_WAY, "{sent} bytes");
}

#[tokio::test]
async fn who_has_taken_a_long_answer_may_idle_as_long_as_others() {
    let (connection, _client) = connection().await;
    let talk = connection.talk();
    talk.begin();
    talk.end();
    let when_it_began = talk.deadline().unwrap();
    talk.taken();
    assert!(talk.deadline().unwrap() > when_it_began);
}

#[tokio::test]
async fn any_reader_of_a_body_gets_it() {
    let server = serve(patient()).await;
    let body = "b".repeat(3 * limits::PORTION);
    let request =
        format!("POST /plain HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answer = client(&server, move |mut stream| {
        stream.write_all(request.as_bytes()).unwrap();
        rest(&mut stream)
    });
    assert!(answer.await.ends_with(&body));
    server.stop().await;
}
