//! Period exports, checked by the core and by `period.py`, which was written from `docs/formats.md` alone: both take what
//! holds, and refuse whatever was done to it. The cases are left under `target/tmp/periods`, each with what must come of it, for
//! the check that runs in browsers (`node/periods.mjs`). Two files from fixed seeds stand in `vectors/period`;
//! `XINFU_BLESS=files cargo test -p conformance --test period` writes them anew.

#![expect(clippy::unwrap_used, reason = "a world that cannot be made fails its test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use identity_core::period::{CheckedPeriod, Period};
use identity_core::sample::period::Service;
use serde_json::{Value, json};

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

/// What a checker says of a period that holds, whatever its language.
fn shown(checked: &CheckedPeriod) -> String {
    let places = checked.entries().iter().map(|entry| entry.seq().to_string()).collect::<Vec<_>>().join(" ");
    format!("{places}; {} wait; {}", checked.waiting(), if checked.is_closed() { "closed" } else { "open" })
}

/// Every case by its file: what holds by what it shows, and what does not by code and place.
fn cases(service: &Service) -> Vec<(String, String, Value)> {
    let root = service.ledger.trust_root();
    let whole = ("holds-whole.json", service.period(1, 12).to_text().unwrap());
    let nothing = ("holds-nothing.json", service.nothing().to_text().unwrap());
    let sound = holding(service).into_iter().chain([whole, nothing]).filter(|(name, _)| name.starts_with("holds-"));
    let held = sound.map(|(name, text)| {
        let checked = Period::parse(text.as_bytes()).unwrap().check(&root).unwrap();
        (name.to_owned(), text, json!({"shown": shown(&checked)}))
    });
    let refused = service.mutations().into_iter().map(|mutation| {
        let text = mutation.period.to_text().unwrap();
        let found = Period::parse(text.as_bytes()).unwrap().check(&root);
        assert_eq!(found.err(), Some(mutation.expected), "{}", mutation.name);
        let expected = json!({"code": mutation.expected.code().as_str(), "place": mutation.expected.seq()});
        (format!("refused-{}.json", mutation.name), text, expected)
    });
    let changed = service.middle().to_text().unwrap().replacen("accept", "Accept", 1).replacen("eyJ", "eyK", 1);
    let error = Period::parse(changed.as_bytes()).unwrap_err();
    let changed = ("refused-a changed byte.json".to_owned(), changed, json!({"code": error.code().as_str()}));
    held.chain(refused).chain([changed]).collect()
}

/// Forty ways to mislead an auditor, tail truncation and a forked chain among them, and every part of the file changed.
#[test]
fn both_checks_take_what_holds_and_refuse_whatever_was_done_to_it() {
    let service = Service::new();
    let folder = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/periods"));
    let cases = cases(&service);
    assert!(cases.len() > 40);
    // Nothing of an earlier run stays.
    let _absent = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("cases")).unwrap();
    fs::write(folder.join("cases/trust-root.txt"), service.ledger.trust_root_text()).unwrap();
    cases.iter().for_each(|(file, text, _)| fs::write(folder.join("cases").join(file), text).unwrap());
    let index = cases.iter().map(|(file, _, expected)| json!({"file": file, "expected": expected}));
    fs::write(folder.join("cases.json"), Value::from_iter(index).to_string()).unwrap();
    let there = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        conformance::ignored("no python3 with the package cryptography here; its check of periods was not run");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("period.py");
    let output =
        Command::new("python3").arg("-B").arg(script).arg("--cases").arg(folder.join("cases")).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    println!("{said}");
    assert!(output.status.success(), "{said}");
}
