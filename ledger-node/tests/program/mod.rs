//! The real program, for all tests that run it: found, start, ask.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::registry::{Anchor, AnchorKind, Envelope, Operation, make_transaction};
use ledger::sha256;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xinfu-ledger"));
    command.env("LANG", "C").env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LOG", "error");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// What it says of what it did, which it must do.
pub(crate) fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What it complains of.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Starts a node; with the address that it says it listens at.
pub(crate) fn start(config: &str) -> (Child, String) {
    let mut child = program().args(["run", "--config", config]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("listens at"))).unwrap().unwrap();
    let address = line.split("http://").nth(1).unwrap().split(". ").next().unwrap().to_owned();
    // Whatever else it says must not fill the pipe and stop it.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

/// Sends a transaction; gives the answer.
pub(crate) fn post(address: &str, transaction: &str) -> std::io::Result<String> {
    post_to(address, "/transactions", "application/jwt", transaction)
}

/// Sends a body of some kind to a path; gives the answer.
pub(crate) fn post_to(address: &str, path: &str, kind: &str, body: &str) -> std::io::Result<String> {
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}");
    exchange(address, &format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

pub(crate) fn exchange(address: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Who founded a chain.
pub(crate) struct Operator {
    pub(crate) did: Did,
    pub(crate) origin: String,
    key: SecretKey,
}

impl Operator {
    /// As founding told, with the key that the node's directory holds.
    pub(crate) fn of(told: &str, node: &Path) -> Self {
        let value = |name: &str| {
            let line = told.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        };
        let key = keyfile::load(&node.join("keys/operator.jwk"), &KeyGuard::plain()).unwrap();
        Self { did: Did::parse(value("operator")).unwrap(), origin: value("origin"), key }
    }

    /// Its transaction with this sequence number: anchors a digest of `number`.
    pub(crate) fn anchor(&self, seq: u64, number: u64) -> String {
        let envelope = Envelope { aud: self.origin.clone(), seq, exp: i64::from(u32::MAX) };
        let anchor = Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(&number.to_be_bytes()), 1));
        make_transaction(&envelope, &anchor, &self.did, "invoke-1", &self.key).unwrap()
    }
}
