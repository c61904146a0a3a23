//! `ledger ← identity-core ← service-kit ← services ← devnet`: what each room may depend on, read from
//! `cargo metadata`. A service that imports another service would share its faults and its secrets.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::{Finding, Findings};

const SERVICES: [&str; 4] = ["ledger-node", "issuer", "verifier", "wallet-cli"];

/// Outside libraries that a pure room must never link: they bring the world with them.
const WORLDLY: [&str; 10] =
    ["actix-web", "reqwest", "tokio", "redb", "rustls", "tracing", "rcgen", "rpassword", "getrandom", "prometheus"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None`, `"build"` or `"dev"`.
    kind: Option<String>,
}

pub(crate) fn check(root: &Path) -> Findings {
    let Metadata { packages } = cargo_metadata(root)?;
    let rooms: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in &packages {
        let room = package.name.as_str();
        let allowed = allowed_arrows(room)?;
        let shipped = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
        for target in shipped.map(|dependency| dependency.name.as_str()) {
            if rooms.contains(&target) && !allowed.contains(&target) {
                findings
                    .push(Finding(format!("{room} -> {target}: forbidden arrow; move what is shared further down")));
            }
            if is_pure(room) && WORLDLY.contains(&target) {
                findings.push(Finding(format!("{room} -> {target}: a pure room links the world; hand it in instead")));
            }
        }
        if !inherits_lints(&package.manifest_path)? {
            findings.push(Finding(format!("{room}: Cargo.toml lacks `[lints] workspace = true`")));
        }
    }
    Ok(findings)
}

/// The rooms that read no clock, network, disk, environment or chance.
pub(crate) fn is_pure(room: &str) -> bool {
    matches!(room, "ledger" | "identity-core")
}

fn allowed_arrows(room: &str) -> anyhow::Result<Vec<&'static str>> {
    Ok(match room {
        "ledger" | "xtask" => vec![],
        "identity-core" => vec!["ledger"],
        "service-kit" | "conformance" | "bench" | "fuzz" => vec!["ledger", "identity-core"],
        "ledger-node" | "issuer" | "verifier" | "wallet-cli" => vec!["ledger", "identity-core", "service-kit"],
        "devnet" => [&["ledger", "identity-core", "service-kit"][..], &SERVICES[..]].concat(),
        unknown => bail!("room {unknown} has no arrows yet: name them in xtask/src/tidy/arrows.rs"),
    })
}

fn inherits_lints(manifest: &str) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("reading {manifest}"))?;
    let table: toml::Table = text.parse().with_context(|| format!("parsing {manifest}"))?;
    Ok(table.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) == Some(true))
}

fn cargo_metadata(root: &Path) -> anyhow::Result<Metadata> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("reading cargo metadata")
}
