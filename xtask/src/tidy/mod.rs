//! The rules, in the order in which they are checked.

mod arrows;
mod hostile;
mod messages;
mod paths;
mod problems;
mod purity;
mod size;
mod source;

use std::path::Path;
use std::process::ExitCode;

/// One broken rule: where, what, and what to do.
pub(crate) struct Finding(pub(crate) String);

/// What a rule returns: its findings, or why it could not be checked at all.
pub(crate) type Findings = anyhow::Result<Vec<Finding>>;

type Rule = (&'static str, fn(&Path) -> Findings);

const RULES: [Rule; 7] = [
    ("arrows between rooms", arrows::check),
    ("pure rooms stay pure", purity::check),
    ("paths named in documents exist", paths::check),
    ("every problem has its code, texts and use", problems::check),
    ("both languages say everything", messages::check),
    ("every hostile input has its test or its reason", hostile::check),
    ("one subject per file", size::check),
];

/// Checks every rule, prints what is broken, and fails if anything is.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut broken = 0_usize;
    for (name, check) in RULES {
        match check(root) {
            Ok(findings) if findings.is_empty() => println!("ok      {name}"),
            Ok(findings) => {
                broken += findings.len();
                println!("BROKEN  {name}");
                for Finding(text) in findings {
                    println!("        {text}");
                }
            }
            Err(error) => {
                broken += 1;
                println!("BROKEN  {name}: could not be checked: {error:#}");
            }
        }
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
