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

/// The files of `init`, in the order in which they appear.
const STEPS: [&str; 5] = ["auth-1.jwk", "invoke-1.jwk", "recovery.jwk", IDENTITY_FILE, CREATE_FILE];

#[test]
fn an_init_interrupted_after_any_step_goes_on_with_the_keys_there_are() {
    for done in 0..=STEPS.len() {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path());
        let (kept, undone) = STEPS.split_at(done);
        undone.iter().for_each(|name| std::fs::remove_file(directory.path().join(name)).unwrap());
        // What was being written is there as a draft, half of it.
        if let Some(next) = undone.first() {
            for draft in [format!("{next}.new"), format!("{next}.4711.new")] {
                std::fs::write(directory.path().join(draft), "half").unwrap();
            }
        }
        let keys: Vec<&&str> = kept.iter().filter(|name| name.ends_with(".jwk")).collect();
        let read = || keys.iter().map(|name| std::fs::read(directory.path().join(name)).unwrap()).collect::<Vec<_>>();
        let before = read();

        let founded = make(directory.path());
        assert_eq!(read(), before, "{done} steps done");
        assert_eq!(identity(&KIND, directory.path()).unwrap(), founded.identity);
        assert_creation_is_of_the_files(directory.path(), &founded);
        let again = make(directory.path());
        assert_eq!((again.identity, again.create), (founded.identity, founded.create));
    }
}

#[test]
fn the_creation_lists_the_keys_that_are_in_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let founded = make(directory.path());
    assert_creation_is_of_the_files(directory.path(), &founded);
}

fn assert_creation_is_of_the_files(directory: &Path, founded: &Founded) {
    let created = Create::parse(&founded.create).unwrap();
    assert_eq!(created.did(), &founded.identity.did);
    let of_file = |name: &str| Jwk::new(key(directory, name, &KeyGuard::plain()).unwrap().public_key().clone());
    for (name, role) in [(KIND.signing, KeyUse::Authentication), (SUBMITTING, KeyUse::CapabilityInvocation)] {
        let listed = created.payload().keys.iter().find(|entry| entry.uses == [role]).unwrap();
        assert_eq!(listed.jwk.key(), of_file(name).key());
    }
    assert_eq!(created.payload().recovery, of_file(RECOVERY).thumbprint().to_base64url());
}

#[test]
fn a_protection_interrupted_after_any_file_is_ended_by_the_same_command() {
    const SECRETS: [&str; 4] = ["auth-1.jwk", "invoke-1.jwk", "recovery.jwk", "codes.secret"];
    let guard = KeyGuard::configured(Path::new(""), &["echo".to_owned(), "a sample passphrase".to_owned()]).unwrap();
    let mut rng = system_rng().unwrap();
    for done in 0..=SECRETS.len() {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path());
        let file = |name: &str| directory.path().join(name);
        crate::private_file::create(&file("codes.secret"), b"secret").unwrap();
        let before = SECRETS.map(|name| KeyGuard::plain().read(&file(name)).unwrap());
        let (protected, open) = SECRETS.split_at(done);
        protected.iter().for_each(|name| assert!(guard.protect(&file(name), &mut rng).unwrap()));
        // The next one was being written, sealed or, by an `init` that died, in the open.
        if let Some(next) = open.first() {
            for draft in [format!("{next}.new"), format!("{next}.4711.new")] {
                std::fs::copy(file(next), file(&draft)).unwrap();
            }
        }

        assert_eq!(protect(directory.path(), &guard, &mut rng).unwrap(), open.len());
        assert_eq!(SECRETS.map(|name| guard.read(&file(name)).unwrap()), before);
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, SECRETS.len() + 2, "no draft is left in the open");
        assert_eq!(protect(directory.path(), &guard, &mut rng).unwrap(), 0);
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
