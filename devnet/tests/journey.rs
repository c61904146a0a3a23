//! The whole system, end to end: the real services on loopback, driven as a newcomer drives them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test: what fails must fail the test")]

use std::path::Path;
use std::process::{Command, Output};

mod ports;

use devnet::journey::Step;
use devnet::report::Report;
use ports::free_ports;

/// Enough to choose from, few enough to be quick.
const SUBJECTS: &str = "12";

/// A run of the program, which is over when this returns.
fn run(port_base: u16, more: &[&str]) -> (Output, Option<Report>) {
    let output = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .args(["--once", "--json", "--subjects", SUBJECTS, "--port-base", &port_base.to_string()])
        .args(more)
        // As services log when they are run by themselves.
        .env("LOG", "info")
        .output()
        .unwrap();
    let last = String::from_utf8_lossy(&output.stdout).lines().next_back().map(str::to_owned);
    (output, last.and_then(|line| serde_json::from_str(&line).ok()))
}

fn check_every_step_held(output: &Output, report: Option<Report>) {
    let errors = String::from_utf8_lossy(&output.stderr);
    let report = report.unwrap_or_else(|| panic!("no report:\n{errors}"));
    assert!(report.ok && output.status.success(), "{report:?}\n{errors}");
    let names: Vec<&str> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, Step::ALL.map(Step::name));
    check_logs(&output.stderr);
}

/// No log line names anybody of whom a department has a row; and there are lines about people who were asked.
fn check_logs(errors: &[u8]) {
    let errors = String::from_utf8_lossy(errors);
    assert!(errors.contains("a request was answered"), "nothing was logged, so nothing is looked through:\n{errors}");
    let table = devnet::sample::residents(1, SUBJECTS.parse().unwrap());
    let told = ["name", "citizen_number", "address.detail"];
    let places = table.columns().iter().enumerate().filter(|(_, column)| told.contains(column));
    for (place, _) in places {
        let mut values = table.rows().iter().filter_map(|row| row.get(place));
        assert!(values.all(|value| !errors.contains(value)), "a log line says who");
    }
}

fn index(directory: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(directory.join("devnet.json")).unwrap()).unwrap()
}

/// One test, because the ports of a world are fixed while it lives.
#[test]
fn the_journey_holds_and_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("world");
    let data_flag = data.to_str().unwrap();
    let ports = free_ports();

    let (output, report) = run(ports, &["--data", data_flag]);
    check_every_step_held(&output, report.clone());
    let index = index(&data);
    assert_eq!(index["ledger"]["url"], format!("https://127.0.0.1:{ports}"));
    assert_eq!((index["issuers"].as_array().unwrap().len(), index["verifiers"].as_array().unwrap().len()), (4, 1));
    assert!(devnet::journey::case_command(&data.join("case")).is_some());
    for file in [&index["ca"], &index["trust_root"], &index["issuers"][0]["admin_token_file"]] {
        assert!(Path::new(file.as_str().unwrap()).is_file(), "{file}");
    }

    // Again, each service in a process of its own, on the same data: everything was passed before.
    let (output, again) = run(ports, &["--data", data_flag, "--procs"]);
    assert_eq!(again, report, "{}", String::from_utf8_lossy(&output.stderr));

    // Had it stopped halfway, it would go on there, on what the services kept.
    let journey = data.join("journey.json");
    let mut steps: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(&journey).unwrap()).unwrap();
    steps.truncate(3);
    std::fs::write(&journey, serde_json::to_vec(&steps).unwrap()).unwrap();
    let (output, report) = run(ports, &["--data", data_flag, "--procs"]);
    check_every_step_held(&output, report);

    // The addresses stand on the ledger: elsewhere it is another world.
    let (output, report) = run(ports + 100, &["--data", data_flag]);
    assert!(report.is_none() && !output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--port-base"), "{output:?}");
}
