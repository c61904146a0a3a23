//! Evidence of the sample act: five files in `vectors/bundle`, made from fixed seeds, and more than two hundred others with
//! one thing wrong. The checks in Rust, Python and JavaScript must come to the same, each by the same code.

pub(crate) mod act;
pub(crate) mod cases;
mod withdrawals;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Once};

use identity_core::bundle::{Bundle, Checked, Holder};
use ledger::TrustRoot;
use serde_json::{Value, json};

use crate::python_on;
use cases::{Case, cases, standing, trust_root};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);

fn vectors() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/bundle"))
}

#[test]
fn the_bundles_are_the_ones_that_stand_here() {
    let bundles = standing().map(|(name, bundle, _)| (name, bundle.to_text()));
    for (name, text) in bundles.into_iter().chain([("trust-root.txt", trust_root())]) {
        let file = vectors().join(name);
        if std::env::var_os("XINFU_BLESS").is_some() {
            fs::write(&file, &text).unwrap();
        }
        assert!(fs::read_to_string(&file).unwrap_or_default() == text, "{name} differs from what the code makes today");
    }
}

#[test]
fn each_comes_to_what_it_must() {
    let otherwise = |case: &Case| {
        let trust_root = TrustRoot::parse(&case.trust_root).unwrap();
        let checked = Bundle::parse(case.text.as_bytes()).and_then(|bundle| bundle.check(&trust_root));
        let found = checked.as_ref().map(shown).map_err(|error| error.code().as_str().to_owned());
        let expected = case.expected.clone();
        (found != expected).then(|| format!("{}: {found:?} {:?}, not {expected:?}", case.name, checked.as_ref().err()))
    };
    let otherwise: Vec<String> = CASES.iter().filter_map(otherwise).collect();
    assert!(otherwise.is_empty(), "{otherwise:#?}");
    let names: BTreeSet<&str> = CASES.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), CASES.len(), "two cases of one name");
}

/// Nothing that the maker of a bundle asks for is left out of these.
#[test]
fn nothing_is_missing_in_those_that_hold() {
    for case in CASES.iter().filter(|case| case.expected.is_ok()) {
        let trust_root = TrustRoot::parse(&case.trust_root).unwrap();
        let missing = Bundle::parse(case.text.as_bytes()).unwrap().missing(&trust_root);
        assert_eq!(missing, Ok(Vec::new()), "{}", case.name);
    }
}

#[test]
fn the_independent_check_comes_to_the_same() {
    let Some((agrees, said)) = python_on(share(), "bundles.py", &[]) else { return };
    assert!(agrees, "{said}");
}

/// Likewise the one for browsers, where Node.js 20 stands in for one; says so where it does not.
#[test]
fn the_check_for_browsers_comes_to_the_same() {
    let is_there = Command::new("node").args(["-p", "process.versions.node >= '20'"]).output();
    if !is_there.is_ok_and(|output| output.stdout == b"true\n") {
        conformance::ignored("no Node.js 20 here; the browser's check of evidence was not run");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = here.join("../ledger-node/src/console/check.js");
    let output =
        Command::new("node").arg("--no-warnings").arg(here.join("node/bundles.mjs")).arg(check).arg(share()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

/// What a bundle shows of the holder, and of a withdrawal, in the words of `cases.json`.
fn shown(checked: &Checked) -> String {
    let mut words = vec![word(checked.holder())];
    if let Some(withdrawn) = checked.withdrawn() {
        words.push("withdrawn");
        words.extend(withdrawn.notarised().map(|_| "notarised"));
        words.extend(withdrawn.acknowledged().map(|_| "acknowledged"));
    }
    words.join(", ")
}

fn word(holder: Holder) -> &'static str {
    match holder {
        Holder::Signed => "signed",
        Holder::Claimed => "claimed",
        Holder::Unproven => "unproven",
    }
}

/// Writes them out for the checkers in other languages, once.
fn share() -> &'static Path {
    static SHARED: Once = Once::new();
    let folder = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/bundles"));
    SHARED.call_once(|| {
        fs::create_dir_all(folder).unwrap();
        let index: Vec<Value> = CASES.iter().enumerate().map(|(number, case)| written(folder, number, case)).collect();
        fs::write(folder.join("cases.json"), json!(index).to_string()).unwrap();
    });
    folder
}

fn written(folder: &Path, number: usize, case: &Case) -> Value {
    let (file, trust_root) = (format!("{number}.json"), format!("{number}.trust-root.txt"));
    fs::write(folder.join(&file), &case.text).unwrap();
    fs::write(folder.join(&trust_root), &case.trust_root).unwrap();
    let (Ok(expected) | Err(expected)) = &case.expected;
    json!({"name": case.name, "file": file, "trust_root": trust_root, "expected": expected})
}

/// Every byte is for `mutate.py` alone; here some of them, the digest made anew for each.
#[test]
fn the_independent_check_refuses_changed_bytes() {
    let trust = vectors().join("trust-root.txt");
    for (name, ..) in standing() {
        let arguments = ["--trust", trust.to_str().unwrap(), "--every", "97"];
        let Some((held, said)) = python_on(&vectors().join(name), "mutate.py", &arguments) else { return };
        assert!(held, "{name}: {said}");
    }
}
