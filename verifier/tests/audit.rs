//! `xinfu-verifier audit verify` as people and scripts meet it, where the ledger cannot be asked.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use identity_core::sample::world::World;

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xinfu-verifier")).current_dir(directory).args(arguments).output().unwrap()
}

#[test]
fn a_ledger_that_cannot_be_asked_is_no_ledger_that_agrees() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    fs::write(directory.join("trust-root.policy"), World::new().ledger.trust_root_text()).unwrap();
    // Nobody listens there.
    fs::write(directory.join("config.toml"), "[ledger]\nurl = \"https://127.0.0.1:1\"\n").unwrap();
    let names = ["--name-en", "Sample", "--name-zh", "样本"];
    let made =
        run(directory, &[&["init", "--chain", "sample", "--url", "https://127.0.0.1:9450"], &names[..]].concat());
    assert!(made.status.success(), "{made:?}");

    for (lang, unasked) in [("en", "could not be asked"), ("zh", "未能查询账本")] {
        let audited = run(directory, &["audit", "verify", "--config", "config.toml", "--lang", lang]);
        let said = String::from_utf8(audited.stdout).unwrap();
        let complaint = String::from_utf8(audited.stderr).unwrap();
        assert_eq!(audited.status.code(), Some(1), "{said}{complaint}");
        assert!(said.contains(unasked), "{said}");
        for claimed in ["as it was signed", "与签署时一致"] {
            assert!(!said.contains(claimed), "nobody compared a signature with a key: {said}");
        }
        assert!(!complaint.is_empty());
    }
}
