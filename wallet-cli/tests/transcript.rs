//! The program as scripts and people meet it: what it prints, where, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const TRUST_ROOT: &str = "\
log xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090+2fa124a1+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
witness one xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090/one+a0aa2727+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU
group validators 1 one
quorum validators
";

struct Home {
    dir: tempfile::TempDir,
}

struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        home.private("pass", "a sample passphrase\n");
        home.private("wrong", "another passphrase\n");
        fs::write(home.path("root"), TRUST_ROOT).unwrap();
        home
    }

    fn with_vault() -> Self {
        let home = Self::new();
        let said = home.run("init --ledger https://ledger.invalid --trust-root ROOT --passphrase-file PASS");
        assert_eq!(said.status, 0, "{}", said.err);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn vault_file(&self) -> PathBuf {
        self.path("vault/vault")
    }

    /// Runs the words of `line`; `PASS`, `WRONG` and `ROOT` stand for files. English, unless the line says otherwise.
    fn run(&self, line: &str) -> Said {
        self.run_with(line, "")
    }

    fn run_with(&self, line: &str, input: &str) -> Said {
        let word = |word: &str| match word {
            "PASS" => self.path("pass").into_os_string(),
            "WRONG" => self.path("wrong").into_os_string(),
            "ROOT" => self.path("root").into_os_string(),
            other => other.into(),
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_xinfu-wallet"))
            .args(line.split_whitespace().map(word))
            .arg("--vault")
            .arg(self.path("vault"))
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_STATE_HOME", self.path("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn json(text: &str) -> serde_json::Value {
    assert_eq!(text.lines().count(), 1, "one object on one line: {text}");
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_new_vault_is_empty_and_says_so_in_both_languages() {
    let home = Home::with_vault();
    let said = home.run("list --passphrase-file PASS");
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "The vault holds no credentials.\n", ""));
    let said = home.run("list --passphrase-file PASS --lang zh");
    assert_eq!(said.out, "保险库中没有凭证。\n");
    let said = home.run("list --passphrase-file PASS --json");
    assert_eq!(json(&said.out), serde_json::json!({ "ok": true, "credentials": [] }));
    let said = home.run("history --passphrase-file PASS");
    assert_eq!(said.out, "Nothing was ever shared from this vault.\n");
}

#[test]
fn the_passphrase_may_come_by_a_file_descriptor() {
    let home = Home::with_vault();
    let said = home.run_with("list --passphrase-fd 0", "a sample passphrase\n");
    assert_eq!((said.status, said.out.as_str()), (0, "The vault holds no credentials.\n"));
    let said = home.run("list --passphrase-fd 77");
    assert_eq!(said.status, 3);
    assert!(said.err.contains("[wallet.passphrase.descriptor]"), "{}", said.err);
}

#[test]
fn a_wrong_passphrase_is_said_with_what_to_do_and_changes_nothing() {
    let home = Home::with_vault();
    let before = fs::read(home.vault_file()).unwrap();
    let said = home.run("list --passphrase-file WRONG");
    assert_eq!((said.status, said.out.as_str()), (3, ""));
    let expected = "\
Error: The passphrase does not open the vault [wallet.vault.passphrase]
What to do: Try again; mind capitals and the input method.
";
    assert_eq!(said.err, expected);
    let said = home.run("list --passphrase-file WRONG --lang zh");
    assert!(said.err.starts_with("错误：口令无法打开保险库 [wallet.vault.passphrase]\n"), "{}", said.err);
    let said = home.run("list --passphrase-file WRONG --json");
    let object = json(&said.out);
    assert_eq!((&object["ok"], &object["error"]["code"]), (&false.into(), &"wallet.vault.passphrase".into()));
    assert_eq!(said.err, "");
    assert_eq!(fs::read(home.vault_file()).unwrap(), before);
}

#[test]
fn damage_is_named_and_nothing_is_changed() {
    let home = Home::with_vault();
    let whole = fs::read(home.vault_file()).unwrap();
    let mut flipped = whole.clone();
    flipped[1700] ^= 1;
    for (bytes, code) in [
        (flipped.as_slice(), "The vault is damaged: at byte 1536 [wallet.vault.damaged]"),
        (&whole[..whole.len() - 1], "[wallet.vault.truncated]"),
        (&whole[..1536], "[wallet.vault.truncated]"),
        (b"something else", "[wallet.vault.not_a_vault]"),
    ] {
        fs::write(home.vault_file(), bytes).unwrap();
        let said = home.run("list --passphrase-file PASS");
        assert_eq!(said.status, 3);
        assert!(said.err.contains(code), "{}", said.err);
        assert_eq!(fs::read(home.vault_file()).unwrap(), bytes);
    }
    fs::write(home.vault_file(), [whole.as_slice(), b"torn"].concat()).unwrap();
    let said = home.run("list --passphrase-file PASS");
    assert_eq!(said.status, 0);
    assert!(said.err.contains("never finished was left out (4 bytes)"), "{}", said.err);
}

#[test]
fn what_cannot_be_is_refused_plainly() {
    let home = Home::new();
    let check = |line: &str, status: i32, code: &str| {
        let said = home.run(line);
        assert_eq!((said.status, said.out.as_str()), (status, ""), "{line}");
        assert!(said.err.contains(code), "{line}: {}", said.err);
    };
    check("list --passphrase-file PASS", 3, "[wallet.vault.missing]");
    check("init --ledger https://x --trust-root PASS --passphrase-file PASS", 2, "[wallet.setup.trust_root]");
    check("init --ledger http://x --trust-root ROOT --passphrase-file PASS", 2, "[wallet.setup.network]");
    check("init --ledger nonsense --trust-root ROOT --passphrase-file PASS", 2, "[wallet.setup.network]");
    assert!(!home.path("vault").exists(), "a slip leaves nothing behind");
    home.private("short", "1234567\n");
    let short = home.path("short");
    let line = format!("init --ledger https://x --trust-root ROOT --passphrase-file {}", short.display());
    check(&line, 3, "[wallet.vault.passphrase_too_short]");
    assert_eq!(home.run("init --ledger https://x --trust-root ROOT --passphrase-file PASS").status, 0);
    check("init --ledger https://x --trust-root ROOT --passphrase-file PASS", 3, "[wallet.vault.exists]");
    check("show 1 --passphrase-file PASS", 2, "[wallet.credential.unknown]");
    check("duty-key 1 --passphrase-file PASS", 2, "[wallet.credential.unknown]");
    for draft in ["none", "/dev/zero", "/"] {
        let line = format!("approve-request {draft} --credential 1 --passphrase-file PASS");
        check(&line, 2, "[wallet.duty.draft]");
    }
    check("present openid4vp://nonsense --passphrase-file PASS", 4, "[vp.link.");
    check("receive https://example.org --passphrase-file PASS", 4, "[vci.offer.");
    check("lisst", 2, "perhaps `list` is meant");
}

#[test]
fn an_exposed_passphrase_file_is_not_used() {
    let home = Home::with_vault();
    fs::set_permissions(home.path("pass"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = home.run("list --passphrase-file PASS");
    assert_eq!(said.status, 3);
    assert!(said.err.contains("[wallet.passphrase.file_exposed]"), "{}", said.err);
}

#[test]
fn a_second_process_is_told_that_the_vault_is_in_use() {
    let home = Home::with_vault();
    let lock = fs::File::open(home.path("vault/lock")).unwrap();
    lock.lock().unwrap();
    let said = home.run("list --passphrase-file PASS");
    assert_eq!(said.status, 3);
    assert!(said.err.contains("[wallet.vault.in_use]"), "{}", said.err);
}

#[test]
fn strangers_text_cannot_command_the_terminal() {
    let home = Home::with_vault();
    let said = home.run("present openid4vp://?client_id=\u{1b}[2J&request_uri=https://x --passphrase-file PASS");
    assert_eq!(said.status, 4);
    assert!(!said.err.contains('\u{1b}'), "{:?}", said.err);
}

/// Whatever is typed, the vault stays as it was.
#[test]
fn hostile_links_change_nothing() {
    let home = Home::with_vault();
    let before = fs::read(home.vault_file()).unwrap();
    let long = "a".repeat(20_000);
    for link in [
        "openid4vp://",
        "openid4vp://?client_id=decentralized_identifier:did:xinfu:a:b",
        "openid4vp://?client_id=decentralized_identifier:did:xinfu:a:b&request_uri=http://127.0.0.1/",
        "openid4vp://?client_id=decentralized_identifier:did:xinfu:a:b&request_uri=file:///etc/passwd",
        "openid4vp://?client_id=decentralized_identifier:did:xinfu:a:b&request_uri=https://127.0.0.1/",
        "openid4vp://?client_id=decentralized_identifier:did:xinfu:a:b&request_uri=https://169.254.169.254/",
        &format!("openid4vp://?client_id={long}&request_uri=https://x"),
    ] {
        let said = home.run(&format!("present {link} --passphrase-file PASS --yes --json"));
        assert_eq!(said.status, 4, "{link}: {}", said.out);
        assert_eq!(json(&said.out)["ok"], false);
    }
    for link in [
        "openid-credential-offer://?credential_offer_uri=http://127.0.0.1/",
        "openid-credential-offer://?credential_offer_uri=https://[::1]/",
        "openid-credential-offer://?credential_offer={}",
        "openid-credential-offer://?credential_offer=[[[[[[",
    ] {
        let said = home.run(&format!("receive {link} --passphrase-file PASS --json"));
        assert_eq!(said.status, 4, "{link}: {}", said.out);
    }
    assert_eq!(fs::read(home.vault_file()).unwrap(), before);
    assert!(Path::new(&home.vault_file()).exists());
}
