//! Period exports, checked by the core and by `period.py`, which was written from `docs/formats.md` alone: both take what
//! holds, and refuse whatever was done to it. Two files from fixed seeds stand in `vectors/period`;
//! `XINFU_BLESS=files cargo test -p conformance --test period` writes them anew.

#![expect(clippy::unwrap_used, reason = "a world that cannot be made fails its test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use identity_core::period::Period;
use identity_core::sample::period::Service;

fn standing() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/period"))
}

/// The files that hold, by name.
fn holding(service: &Service) -> [(&'static str, String); 3] {
    [
        ("holds-middle.json", service.middle().to_text().unwrap()),
        ("holds-open.json", service.open().to_text().unwrap()),
        ("trust-root.txt", service.ledger.trust_root_text()),
    ]
}

#[test]
fn the_files_are_the_ones_that_stand_here() {
    for (name, text) in holding(&Service::new()) {
        let file = standing().join(name);
        if std::env::var_os("XINFU_BLESS").is_some() {
            fs::create_dir_all(standing()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        assert!(fs::read_to_string(&file).unwrap_or_default() == text, "{name} differs from what the code makes today");
    }
}

/// Forty ways to mislead an auditor, tail truncation and a forked chain among them, and every part of the file changed.
#[test]
fn both_checks_take_what_holds_and_refuse_whatever_was_done_to_it() {
    let (service, folder) = (Service::new(), tempfile::tempdir().unwrap());
    let root = service.ledger.trust_root();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    holding(&service).iter().for_each(|(name, text)| write(name, text));
    write("holds-whole.json", &service.period(1, 12).to_text().unwrap());
    write("holds-nothing.json", &service.nothing().to_text().unwrap());
    for mutation in service.mutations() {
        let text = mutation.period.to_text().unwrap();
        assert!(Period::parse(text.as_bytes()).unwrap().check(&root).is_err(), "{}", mutation.name);
        write(&format!("refused-{}.json", mutation.name), &text);
    }
    let changed = service.middle().to_text().unwrap().replacen("accept", "Accept", 1).replacen("eyJ", "eyK", 1);
    assert!(Period::parse(changed.as_bytes()).is_err());
    write("refused-a changed byte.json", &changed);
    let there = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("IGNORED: no python3 with the package cryptography here; the other check was not run");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("period.py");
    let output = Command::new("python3").arg("-B").arg(script).arg("--cases").arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    println!("{said}");
    assert!(output.status.success(), "{said}");
}
