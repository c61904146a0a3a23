use std::os::unix::fs::PermissionsExt as _;

use identity_core::problem::Lang;

use super::*;
use crate::chance::system_rng;

fn words(line: &str) -> Vec<String> {
    line.split('|').map(str::to_owned).collect()
}

fn guard(passphrase: &str) -> KeyGuard {
    KeyGuard { passphrase: Passphrase::first_line(passphrase.as_bytes()) }
}

fn none() -> &'static Path {
    Path::new("")
}

#[test]
fn a_file_or_a_command_gives_the_passphrase() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("passphrase");
    private_file::create(&file, b"a sample passphrase\n").unwrap();
    let secret = directory.path().join("secret");
    KeyGuard::configured(&file, &[]).unwrap().create(&secret, b"secret", &mut system_rng().unwrap()).unwrap();
    let by_command = KeyGuard::configured(none(), &words("printf|%s\n|a sample passphrase")).unwrap();
    assert_eq!(by_command.read(&secret).unwrap().as_slice(), b"secret");
    assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn each_thing_that_is_wrong_with_a_secret_has_its_code() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut rng = system_rng().unwrap();
    let (mine, other) = (guard("a sample passphrase"), guard("another passphrase"));
    mine.create(&path("sealed"), b"secret", &mut rng).unwrap();
    KeyGuard::plain().create(&path("plain"), b"secret", &mut rng).unwrap();
    private_file::create(&path("damaged"), b"xinfu-sealed-1 and nothing else\n").unwrap();
    private_file::create(&path("exposed"), b"secret").unwrap();
    std::fs::set_permissions(path("exposed"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let code = |guard: &KeyGuard, name: &str| guard.read(&path(name)).unwrap_err().code();
    assert_eq!(code(&KeyGuard::plain(), "sealed"), Code::KeyPassphraseMissing);
    assert_eq!(code(&other, "sealed"), Code::KeyPassphraseWrong);
    assert_eq!(code(&mine, "plain"), Code::KeyFilePlain);
    assert_eq!(code(&mine, "damaged"), Code::KeyFileUnusable);
    assert_eq!(code(&mine, "exposed"), Code::KeyFileExposed);
    assert_eq!(code(&mine, "none"), Code::KeyFileUnreadable);
}

#[test]
fn each_thing_that_is_wrong_with_the_passphrase_has_its_code() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8], mode| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let of_file = |path: PathBuf| KeyGuard::configured(&path, &[]).unwrap_err().code();
    assert_eq!(of_file(directory.path().join("none")), Code::KeyPassphraseFile);
    assert_eq!(of_file(file("exposed", b"a sample passphrase", 0o640)), Code::KeyPassphraseExposed);
    assert_eq!(of_file(file("short", b"1234567\n", 0o600)), Code::KeyPassphraseUnusable);
    assert_eq!(of_file(file("empty", b"", 0o600)), Code::KeyPassphraseUnusable);

    let of_command = |line: &str| KeyGuard::configured(none(), &words(line)).unwrap_err().code();
    assert_eq!(of_command("/nonexistent/program"), Code::KeyPassphraseCommandMissing);
    assert_eq!(of_command("false"), Code::KeyPassphraseCommandFailed);
    assert_eq!(of_command("true"), Code::KeyPassphraseUnusable);
    let both = KeyGuard::configured(Path::new("a"), &words("true")).unwrap_err();
    assert_eq!(both.code(), Code::ConfigInvalidValue);
}

#[test]
fn a_command_is_bounded_in_time_and_words_and_sees_no_shell() {
    let silent = from_command("sleep", &words("600"), Duration::from_millis(50)).unwrap_err();
    assert_eq!(silent.code(), Code::KeyPassphraseCommandSlow);
    assert!(from_command("yes", &words("a sample passphrase"), COMMAND_PATIENCE).is_err());
    let literal = from_command("echo", &words("$HOME; exit 1"), COMMAND_PATIENCE).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let made = KeyGuard { passphrase: Some(literal) };
    made.create(&path, b"secret", &mut system_rng().unwrap()).unwrap();
    assert!(guard("$HOME; exit 1").read(&path).is_ok());
}

#[test]
fn protecting_can_be_repeated_and_leaves_nothing_in_the_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let mut rng = system_rng().unwrap();
    KeyGuard::plain().create(&path, b"secret", &mut rng).unwrap();
    let guard = guard("a sample passphrase");
    assert!(guard.protect(&path, &mut rng).unwrap());
    assert!(!guard.protect(&path, &mut rng).unwrap());
    assert_eq!(guard.read(&path).unwrap().as_slice(), b"secret");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    assert!(KeyGuard::plain().protect(&path, &mut rng).is_err());
}

#[test]
fn who_has_no_passphrase_is_told_so_in_both_languages() {
    for lang in [Lang::En, Lang::Zh] {
        let warning = KeyGuard::plain().warning(Path::new("keys"), &Catalogue::new(lang)).unwrap();
        assert!(warning.contains("key_passphrase_file"), "{warning}");
        assert_eq!(guard("a sample passphrase").warning(Path::new("keys"), &Catalogue::new(lang)), None);
    }
}
