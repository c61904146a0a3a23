//! The whole system under `kill -9`: a few kills here, many with `devnet crash --rounds N`.

#![expect(clippy::unwrap_used, reason = "a test: what fails must fail the test")]

use std::process::Command;

mod ports;

#[test]
fn killed_under_load_the_world_loses_nothing_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .arg("--data")
        .arg(directory.path())
        .args(["--lang", "en", "--port-base", &ports::free_ports().to_string(), "crash", "--rounds", "12"])
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("12 kills"), "{said}\n{errors}");
}

#[test]
fn of_several_validators_it_says_who_kills_them() {
    for (lang, text) in [("en", "devnet --validators N faults"), ("zh", "考验多个验证节点")] {
        let output = Command::new(env!("CARGO_BIN_EXE_devnet"))
            .args(["--lang", lang, "--validators", "4", "crash", "--rounds", "1"])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(text), "{errors}");
    }
}
