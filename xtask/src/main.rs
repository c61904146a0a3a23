//! House rules kept by a machine: `cargo xtask tidy` prints every broken rule with the place and the remedy, and
//! fails if there is one. What each rule protects stands at the top of its file.

mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("tidy"), None) => tidy::run(),
        _ => {
            eprintln!("usage: cargo xtask tidy");
            ExitCode::from(2)
        }
    }
}
