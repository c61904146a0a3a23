//! The life of a vault, by the program itself: backed up, restored on a clean machine, put under another passphrase.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use wallet_cli::vault::{Passphrase, Vault};

const TRUST_ROOT: &str = "\
log xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090+2fa124a1+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
witness one xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090/one+a0aa2727+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU
group validators 1 one
quorum validators
";

/// A machine: a directory with a vault, files, and a memory of its own.
struct Machine {
    dir: tempfile::TempDir,
}

struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        machine.private("pass", "a sample passphrase\n");
        machine.private("new", "quite another passphrase\n");
        fs::write(machine.path("root"), TRUST_ROOT).unwrap();
        machine
    }

    fn with_vault() -> Self {
        let machine = Self::new();
        machine.does("init --ledger https://ledger.invalid --trust-root ROOT --passphrase-file PASS");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs the words of `line`; words in capitals stand for files of that name.
    fn run(&self, line: &str) -> Said {
        let word = |word: &str| {
            let is_file = word.chars().all(|letter| letter.is_ascii_uppercase());
            if is_file { self.path(&word.to_lowercase()).into_os_string() } else { word.into() }
        };
        let output = Command::new(env!("CARGO_BIN_EXE_xinfu-wallet"))
            .args(line.split_whitespace().map(word))
            .arg("--vault")
            .arg(self.path("vault"))
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_STATE_HOME", self.path("state"))
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn does(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.status, 0, "{line}: {}{}", said.out, said.err);
        said.out
    }

    fn refuses(&self, line: &str, status: i32, code: &str) {
        let said = self.run(line);
        assert_eq!((said.status, said.out.as_str()), (status, ""), "{line}: {}", said.err);
        assert!(said.err.contains(&format!("[{code}]")), "{line}: {}", said.err);
    }

    fn records(&self, passphrase: &str) -> Vec<Vec<u8>> {
        let vault = Vault::open(&self.path("vault"), &Passphrase::new(passphrase.into())).unwrap();
        vault.records().map(<[u8]>::to_vec).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

#[test]
fn a_backup_and_its_phrase_alone_make_the_vault_again_to_the_last_byte() {
    let old = Machine::with_vault();
    let out = old.does("backup BACKUP --phrase-file PHRASE --passphrase-file PASS --json");
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&said["ok"], &said["records"], &said["credentials"]), (&true.into(), &1.into(), &0.into()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&old.path("backup")), mode(&old.path("phrase"))), (0o600, 0o600));
    let phrase = fs::read_to_string(old.path("phrase")).unwrap();
    assert_eq!(phrase.split_whitespace().count(), 12);
    assert!(!out.contains(phrase.split_whitespace().next().unwrap()), "the phrase stays out of the answer");

    // A clean machine: only the file and the paper.
    let new = Machine::new();
    copy(&old.path("backup"), &new.path("backup"));
    new.private("phrase", &phrase.to_uppercase());
    let out = new.does("restore BACKUP --phrase-file PHRASE --passphrase-file NEW");
    assert!(out.contains("came out of a backup of "), "{out}");
    let (before, after) = (old.records("a sample passphrase"), new.records("quite another passphrase"));
    assert_eq!(after[..before.len()], before, "byte for byte");
    let told: serde_json::Value = serde_json::from_slice(&after[before.len()]).unwrap();
    assert_eq!((after.len(), &told["kind"], &told["records"]), (before.len() + 1, &"restored".into(), &1.into()));
    assert!(new.run("history --passphrase-file NEW").err.contains("came out of a backup of "));
    new.refuses("restore BACKUP --phrase-file PHRASE --passphrase-file NEW", 3, "wallet.vault.exists");
}

#[test]
fn a_backup_that_is_not_right_is_named_and_makes_nothing() {
    let old = Machine::with_vault();
    old.does("backup BACKUP --phrase-file PHRASE --passphrase-file PASS");
    old.refuses("backup BACKUP --phrase-file OTHER --passphrase-file PASS", 3, "wallet.backup.exists");
    old.refuses("backup SECOND --phrase-file PHRASE --passphrase-file PASS", 3, "wallet.phrase.source");
    assert!(!old.path("second").exists(), "no backup that no phrase opens");
    old.refuses("backup NOWHERE/x --phrase-file OTHER --passphrase-file PASS", 3, "wallet.backup.unwritable");
    assert!(!old.path("other").exists(), "nobody is given words for a file that cannot be made");
    old.does("backup THIRD --phrase-file THIRDPHRASE --passphrase-file PASS");

    let new = Machine::new();
    let whole = fs::read(old.path("backup")).unwrap();
    let mut flipped = whole.clone();
    flipped[200] ^= 1;
    fs::write(new.path("flipped"), flipped).unwrap();
    fs::write(new.path("cut"), &whole[..whole.len() - 1]).unwrap();
    copy(&old.path("vault/vault"), &new.path("foreign"));
    copy(&old.path("backup"), &new.path("backup"));
    new.private("phrase", &fs::read_to_string(old.path("phrase")).unwrap());
    new.private("thirdphrase", &fs::read_to_string(old.path("thirdphrase")).unwrap());
    new.private("slip", "eleven words are not enough\n");
    for (line, code) in [
        ("restore FLIPPED --phrase-file PHRASE", "wallet.backup.damaged"),
        ("restore CUT --phrase-file PHRASE", "wallet.backup.truncated"),
        ("restore FOREIGN --phrase-file PHRASE", "wallet.backup.not_a_backup"),
        ("restore NONE --phrase-file PHRASE", "wallet.backup.unreadable"),
        ("restore BACKUP --phrase-file THIRDPHRASE", "wallet.backup.phrase"),
        ("restore BACKUP --phrase-file SLIP", "wallet.phrase.count"),
        ("restore BACKUP", "wallet.phrase.no_terminal"),
    ] {
        // A test may run where there is a terminal; there it would wait for the words.
        if code == "wallet.phrase.no_terminal" && fs::File::open("/dev/tty").is_ok() {
            continue;
        }
        new.refuses(&format!("{line} --passphrase-file NEW"), 3, code);
    }
    assert!(!new.path("vault").exists(), "nothing was made");
}

#[test]
fn a_new_passphrase_and_cost() {
    let machine = Machine::with_vault();
    let line = "passwd --passphrase-file PASS --new-passphrase-file NEW --memory 20 --passes 2 --json";
    let said: serde_json::Value = serde_json::from_str(&machine.does(line)).unwrap();
    assert_eq!(said, serde_json::json!({ "ok": true, "memory": 20 * 1024, "passes": 2 }));
    machine.refuses("list --passphrase-file PASS", 3, "wallet.vault.passphrase");
    machine.does("list --passphrase-file NEW");
    for cost in ["--memory 18", "--memory 1025", "--passes 1", "--passes 17", "--memory 4294967295"] {
        machine.refuses(
            &format!("passwd --passphrase-file NEW --new-passphrase-file PASS {cost}"),
            2,
            "wallet.passwd.cost",
        );
    }
    machine.private("short", "1234567\n");
    machine.refuses("passwd --passphrase-file NEW --new-passphrase-file SHORT", 3, "wallet.vault.passphrase_too_short");
    machine.does("list --passphrase-file NEW");
}

#[test]
fn nothing_is_removed_without_a_word() {
    let machine = Machine::with_vault();
    machine.refuses("remove 1 --yes --passphrase-file PASS", 2, "wallet.credential.unknown");
    machine.refuses("remove 0 --yes --passphrase-file PASS", 2, "wallet.credential.unknown");
}

#[test]
fn an_old_copy_of_the_file_is_refused_until_the_holder_takes_it() {
    let machine = Machine::with_vault();
    copy(&machine.path("vault/vault"), &machine.path("old"));
    machine.does("passwd --passphrase-file PASS --new-passphrase-file NEW");
    copy(&machine.path("vault/vault"), &machine.path("newest"));
    copy(&machine.path("old"), &machine.path("vault/vault"));
    machine.refuses("list --passphrase-file PASS", 3, "wallet.vault.older_than_seen");
    let report = |line: &str| {
        let said = machine.run(line);
        (said.status, serde_json::from_str::<serde_json::Value>(&said.out).unwrap())
    };
    let (status, said) = report("doctor --json --passphrase-file PASS");
    assert_eq!((status, &said["ok"], &said["findings"][0]["name"]), (3, &false.into(), &"older".into()));
    machine.refuses("list --passphrase-file PASS", 3, "wallet.vault.older_than_seen");
    let (status, said) = report("doctor --json --yes --passphrase-file PASS");
    assert_eq!((status, &said["findings"][0]["mended"]), (0, &true.into()), "{said}");
    machine.does("list --passphrase-file PASS");
    copy(&machine.path("newest"), &machine.path("vault/vault"));
    machine.refuses("list --passphrase-file NEW", 3, "wallet.vault.older_than_seen");
    // On a machine that never saw the vault, nobody can tell.
    fs::remove_dir_all(machine.path("state")).unwrap();
    machine.does("list --passphrase-file NEW");
}

#[test]
fn the_doctor_names_and_mends_what_can_be_mended() {
    let machine = Machine::with_vault();
    assert_eq!(machine.does("doctor --passphrase-file PASS"), "The vault is in order.\n");
    let whole = fs::read(machine.path("vault/vault")).unwrap();
    let mode = |name: &str, mode| fs::set_permissions(machine.path(name), fs::Permissions::from_mode(mode)).unwrap();
    let spoil = || {
        let mut bytes = [whole.as_slice(), b"torn"].concat();
        bytes[512] ^= 1;
        fs::write(machine.path("vault/vault"), bytes).unwrap();
        fs::write(machine.path("vault/vault.new"), b"half").unwrap();
        mode("vault", 0o755);
        mode("vault/vault", 0o644);
    };
    spoil();
    let names = |out: &str| -> Vec<String> {
        let said: serde_json::Value = serde_json::from_str(out).unwrap();
        let names = said["findings"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    let said = machine.run("doctor --json --passphrase-file PASS");
    assert_eq!(
        (said.status, names(&said.out)),
        (3, ["directory-open", "file-open", "draft"].map(String::from).to_vec())
    );
    let said = machine.run("doctor --json --yes --passphrase-file PASS");
    let all = ["directory-open", "file-open", "draft", "slot-damaged", "torn-tail"].map(String::from).to_vec();
    assert_eq!((said.status, names(&said.out)), (0, all));
    assert_eq!(machine.does("doctor --passphrase-file PASS --lang zh"), "保险库一切正常。\n");
    assert_eq!(fs::read(machine.path("vault/vault")).unwrap().len(), whole.len());
    assert_eq!(fs::read_dir(machine.path("vault")).unwrap().count(), 2);
}

#[test]
fn the_doctor_guesses_nothing() {
    let machine = Machine::with_vault();
    let whole = fs::read(machine.path("vault/vault")).unwrap();
    let mut header = whole.clone();
    header[300] ^= 1;
    let mut record = whole.clone();
    record[1700] ^= 1;
    for (bytes, code) in [
        (header.as_slice(), "wallet.vault.header_damaged"),
        (&record, "wallet.vault.damaged"),
        (&whole[..whole.len() - 1], "wallet.vault.truncated"),
        (b"something else", "wallet.vault.not_a_vault"),
    ] {
        fs::write(machine.path("vault/vault"), bytes).unwrap();
        let said = machine.run("doctor --json --yes --passphrase-file PASS");
        assert_eq!(said.status, 3, "{}", said.out);
        assert!(said.out.contains(code), "{}", said.out);
        assert_eq!(fs::read(machine.path("vault/vault")).unwrap(), bytes);
    }
    fs::write(machine.path("vault/vault"), &whole).unwrap();
    let lock = fs::File::open(machine.path("vault/lock")).unwrap();
    lock.lock().unwrap();
    let said = machine.run("doctor --json --yes --passphrase-file PASS");
    assert!(said.status == 3 && said.out.contains("wallet.vault.in_use"), "{}", said.out);
    lock.unlock().unwrap();
    fs::rename(machine.path("vault/vault"), machine.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(machine.path("elsewhere"), machine.path("vault/vault")).unwrap();
    let said = machine.run("doctor --json --yes --passphrase-file PASS");
    assert!(said.status == 3 && said.out.contains("wallet.vault.not_a_file"), "{}", said.out);
}

#[test]
fn a_vault_moves_to_another_device_and_the_old_one_is_emptied() {
    let (old, new) = (Machine::with_vault(), Machine::new());
    let before = old.records("a sample passphrase");
    old.refuses("move --confirm 1234-5678 --passphrase-file PASS", 3, "wallet.move.not_under_way");
    old.does("move --out TRANSFER --phrase-file PHRASE --passphrase-file PASS");
    old.refuses("move --out AGAIN --phrase-file OTHER --passphrase-file PASS", 3, "wallet.move.under_way");
    let offer = "receive openid-credential-offer://?credential_offer={} --passphrase-file PASS";
    old.refuses(offer, 3, "wallet.move.under_way");
    old.refuses("backup BACKUP --phrase-file OTHER --passphrase-file PASS", 3, "wallet.move.under_way");
    old.does("history --passphrase-file PASS");

    copy(&old.path("transfer"), &new.path("transfer"));
    new.private("phrase", &fs::read_to_string(old.path("phrase")).unwrap());
    new.refuses("restore TRANSFER --phrase-file PHRASE --passphrase-file NEW", 3, "wallet.backup.purpose");
    let line = "move --in TRANSFER --phrase-file PHRASE --passphrase-file NEW --json";
    let said: serde_json::Value = serde_json::from_str(&new.does(line)).unwrap();
    let code = said["code"].as_str().unwrap().to_owned();
    assert_eq!(new.records("quite another passphrase")[..before.len()], before);
    assert!(new.does("move --passphrase-file NEW").contains(&code), "shown as often as wanted");

    old.refuses("move --confirm 0000-0000 --passphrase-file PASS", 3, "wallet.move.wrong_code");
    assert_eq!(old.records("a sample passphrase")[..before.len()], before, "nothing was emptied");
    old.does(&format!("move --confirm {code} --passphrase-file PASS"));
    let left = old.records("a sample passphrase");
    assert_eq!(left.len(), 1);
    assert!(left[0].starts_with(br#"{"kind":"left","#));
    old.refuses("list --passphrase-file PASS", 3, "wallet.move.away");
    old.refuses(&format!("move --confirm {code} --passphrase-file PASS"), 3, "wallet.move.away");
    assert!(old.does("move --passphrase-file PASS").contains("this one is empty"));
    new.does("history --passphrase-file NEW");
}

#[test]
fn a_backup_of_a_vault_that_was_once_moved_is_restored_as_a_backup() {
    let (old, moved, last) = (Machine::with_vault(), Machine::new(), Machine::new());
    old.does("move --out TRANSFER --phrase-file PHRASE --passphrase-file PASS");
    copy(&old.path("transfer"), &moved.path("transfer"));
    moved.private("phrase", &fs::read_to_string(old.path("phrase")).unwrap());
    moved.does("move --in TRANSFER --phrase-file PHRASE --passphrase-file NEW");
    moved.does("backup BACKUP --phrase-file WORDS --passphrase-file NEW");
    copy(&moved.path("backup"), &last.path("backup"));
    last.private("words", &fs::read_to_string(moved.path("words")).unwrap());

    let told = last.does("restore BACKUP --phrase-file WORDS --passphrase-file NEW");
    assert!(told.contains("This vault came out of a backup of"), "{told}");
    assert!(!told.contains("Code for the old device"), "{told}");
    let stands: serde_json::Value = serde_json::from_str(&last.does("move --passphrase-file NEW --json")).unwrap();
    assert_eq!((&stands["state"], &stands["code"]), (&"here".into(), &serde_json::Value::Null));
    let stands = moved.does("move --passphrase-file NEW");
    assert!(stands.contains("Code for the old device"), "where it came to, the code is shown still: {stands}");
}

#[test]
fn a_move_that_does_not_take_place_leaves_the_vault_as_it_was() {
    let machine = Machine::with_vault();
    let offer = "receive openid-credential-offer://?credential_offer={} --passphrase-file PASS";
    machine.refuses("move --out NOWHERE/x --phrase-file ONE --passphrase-file PASS", 3, "wallet.backup.unwritable");
    assert!(!machine.path("one").exists(), "nobody is given words for a file that cannot be made");
    assert!(machine.does("move --passphrase-file PASS").contains("at home here"), "no file, so no move");
    machine.does("move --out TRANSFER --phrase-file TWO --passphrase-file PASS");
    assert_eq!(machine.run("move --cancel --confirm 1 --passphrase-file PASS").status, 2);
    let said = machine.does("move --cancel --passphrase-file PASS");
    assert!(said.contains("both hold the vault"), "{said}");
    let said = machine.run(offer);
    assert!(said.status == 4, "not frozen any more: {}", said.err);
}
