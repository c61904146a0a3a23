use std::os::unix::fs::PermissionsExt as _;

use identity_core::problem::Lang;

use super::*;
use crate::chance::system_rng;

const KIND: Kind = Kind {
    program: "xinfu-sample",
    service: ServiceType::Verifier,
    service_id: "verifier",
    signing: "auth-1",
    signing_use: KeyUse::Authentication,
};

fn founding() -> Founding {
    Founding {
        chain: "test".to_owned(),
        url: "https://service.example".to_owned(),
        name_en: "Sample".to_owned(),
        name_zh: "样本".to_owned(),
        algorithm: Alg::EdDsa,
    }
}

fn make(directory: &Path) -> Founded {
    found(&KIND, directory, &founding(), &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap()
}

#[test]
fn doing_it_again_changes_nothing_and_secrets_are_private() {
    let directory = tempfile::tempdir().unwrap();
    let (first, again) = (make(directory.path()), make(directory.path()));
    assert_eq!((first.identity, first.create), (again.identity, again.create));
    for name in [KIND.signing, SUBMITTING, RECOVERY] {
        let mode = std::fs::metadata(key_file(directory.path(), name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_interrupted_init_goes_on_with_the_keys_there_are() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path());
    let before = std::fs::read(key_file(directory.path(), KIND.signing)).unwrap();
    std::fs::remove_file(directory.path().join(CREATE_FILE)).unwrap();
    let founded = make(directory.path());
    assert_eq!(std::fs::read(key_file(directory.path(), KIND.signing)).unwrap(), before);
    assert_eq!(identity(&KIND, directory.path()).unwrap(), founded.identity);
}

#[test]
fn the_creation_lists_the_keys_that_are_in_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let founded = make(directory.path());
    let created = Create::parse(&founded.create).unwrap();
    for (name, role) in [(KIND.signing, KeyUse::Authentication), (SUBMITTING, KeyUse::CapabilityInvocation)] {
        let listed = created.payload().keys.iter().find(|entry| entry.uses == [role]).unwrap();
        assert_eq!(listed.jwk.key(), key(directory.path(), name, &KeyGuard::plain()).unwrap().public_key());
    }
}

#[test]
fn with_a_passphrase_no_key_ever_lies_in_the_open_and_protect_catches_up() {
    let directory = tempfile::tempdir().unwrap();
    let guard = KeyGuard::configured(Path::new(""), &["echo".to_owned(), "a sample passphrase".to_owned()]).unwrap();
    let mut rng = system_rng().unwrap();
    found(&KIND, &directory.path().join("new"), &founding(), &guard, &mut rng).unwrap();
    assert_eq!(protect(&directory.path().join("new"), &guard, &mut rng).unwrap(), 0);
    let old = directory.path().join("old");
    make(&old);
    assert_eq!(key(&old, SUBMITTING, &guard).unwrap_err().code(), Code::KeyFilePlain);
    assert_eq!(protect(&old, &guard, &mut rng).unwrap(), 3);
    assert_eq!(key(&old, SUBMITTING, &KeyGuard::plain()).unwrap_err().code(), Code::KeyPassphraseMissing);
    key(&old, SUBMITTING, &guard).unwrap();
}

#[test]
fn missing_keys_say_what_makes_them() {
    let directory = tempfile::tempdir().unwrap();
    let error = identity(&KIND, directory.path()).unwrap_err().to_string();
    assert!(error.contains("`xinfu-sample init`"), "{error}");
}

#[test]
fn an_identity_file_with_the_older_word_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let founded = make(directory.path());
    let path = directory.path().join(IDENTITY_FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    for word in ["assertion_key", "authentication_key"] {
        std::fs::write(&path, text.replace("signing_key", word)).unwrap();
        assert_eq!(identity(&KIND, directory.path()).unwrap(), founded.identity);
    }
}

#[test]
fn the_operator_is_told_what_to_hand_over_and_what_to_hide() {
    let directory = tempfile::tempdir().unwrap();
    let founded = make(directory.path());
    for lang in [Lang::En, Lang::Zh] {
        let told = founded.told(directory.path(), &Catalogue::new(lang));
        assert!(told.contains("create.jws") && told.contains("recovery.jwk"), "{told}");
    }
}
