//! House rules kept by a machine.
//!
//! `cargo xtask tidy` prints every broken rule with the place and the remedy, and fails if there is one; what each rule
//! protects stands at the top of its file. `cargo xtask fuzz` runs the fuzz targets.

mod fuzz;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy
       cargo xtask fuzz [--seconds N] [--jobs N] [TARGET…]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first().map(|(command, rest)| (command.as_str(), rest)) {
        Some(("tidy", [])) => tidy::run(&workspace_root()),
        Some(("fuzz", rest)) => fuzz::run(&workspace_root(), rest).unwrap_or_else(|error| {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The workspace's root: the folder above this package.
fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
