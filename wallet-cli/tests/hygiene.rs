//! A wallet at work, seen from outside: it dumps no core, and the passphrase has left its memory once the vault is open.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
    process::{Child, Command, Stdio},
};

const TRUST_ROOT: &str = "\
log xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090+2fa124a1+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
witness one xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090/one+a0aa2727+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU
group validators 1 one
quorum validators
";
const PASSPHRASE: &str = "seventeen sample hedgehogs";

fn wallet(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xinfu-wallet"));
    command.arg("--vault").arg(dir.join("vault")).arg("--passphrase-file").arg(dir.join("pass"));
    command.env("XDG_STATE_HOME", dir.join("state")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A wallet that has opened its vault and waits for a server that says nothing.
fn waiting(dir: &Path) -> (Child, TcpStream) {
    fs::write(dir.join("pass"), format!("{PASSPHRASE}\n")).unwrap();
    fs::set_permissions(dir.join("pass"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(dir.join("root"), TRUST_ROOT).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let init = ["init", "--ledger", "https://ledger.invalid", "--plain", "--allow-private", &address.to_string()];
    let made = wallet(dir).args(init).arg("--trust-root").arg(dir.join("root")).status().unwrap();
    assert!(made.success());
    let offer = format!("openid-credential-offer://?credential_offer_uri=http%3A%2F%2F{address}%2Foffer");
    let child = wallet(dir).args(["receive", &offer]).spawn().unwrap();
    // It asks only when the vault is open.
    (child, server.accept().unwrap().0)
}

fn holds(process: u32, needle: &[u8]) -> bool {
    let memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut piece = vec![0; usize::try_from(end - start).unwrap()];
        let read = memory.read_at(&mut piece, start).unwrap_or(0);
        piece.truncate(read);
        piece.windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn a_running_wallet_dumps_no_core() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, _silent) = waiting(dir.path());
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    // Only the superuser may read the memory of a process that is not dumpable: anybody else is refused.
    match fs::File::open(format!("/proc/{}/mem", child.id())) {
        Ok(_) => {
            assert!(holds(child.id(), b"credential_offer_uri"), "the search finds what is there");
            assert!(!holds(child.id(), PASSPHRASE.as_bytes()), "the passphrase is not needed any more");
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(values, ["0", "0"]);
}
