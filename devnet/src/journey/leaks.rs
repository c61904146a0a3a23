//! The step that looks for what must be nowhere: values of claims and holder keys, in every byte of the ledger's files and
//! in every metric.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use identity_core::crypto::Signer as _;
use identity_core::encoding::base64url;
use identity_core::sd_jwt::HeldSdJwt;
use serde_json::Value;
use service_kit::fetch::Request;
use wallet_cli::Wallet;

use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::{DEPARTMENTS, HOUSING_FUND, LEADER, Layout, Member};

/// Shorter values are codes of a few letters, which stand in many places and say nothing of whom.
const SHORTEST: usize = 6;

/// Nothing that the citizen's wallet holds stands on the ledger or in a metric: no value of a claim, no holder key.
pub(super) async fn nothing(traveller: &mut Traveller) -> Seen {
    let secrets = secrets(&traveller.wallet()?, &traveller.layout)?;
    ensure!(secrets.len() > 20, "only {} values to look for", secrets.len());
    let mut bytes = 0_usize;
    for member in traveller.layout.validators() {
        bytes = bytes.saturating_add(search_files(&traveller.layout.directory(member), &secrets)?);
    }
    let chain = search_files(&traveller.layout.directory(&LEADER), &secrets)?;
    let departments = DEPARTMENTS.iter().map(|department| &department.member);
    for member in departments.chain([&HOUSING_FUND]).chain(traveller.layout.validators()) {
        let url = format!("{}/metrics", traveller.layout.url(member));
        let metrics = traveller.fetch.send(Request::get(url)).await?.success()?.body;
        search(&metrics, &secrets).with_context(|| format!("the metrics of {}", member.id))?;
    }
    let values = [("values", secrets.len().to_string()), ("kilobytes", (bytes.max(chain) / 1_000).to_string())];
    Ok(traveller.say("devnet-seen-nothing-leaked", &values))
}

/// What must be nowhere: each value that the wallet could disclose, and each holder key, as text and as bytes; and within
/// something else in base64url, as payloads of tokens are.
fn secrets(wallet: &Wallet, layout: &Layout) -> Result<Vec<Vec<u8>>> {
    let mut secrets = Vec::new();
    for (_, credential, _) in wallet.holdings().credentials() {
        let held = HeldSdJwt::dangerous_reopen(credential.sd_jwt.expose().to_owned())?;
        for path in held.disclosable() {
            for (_, value) in held.places(path)? {
                collect(value, layout, &mut secrets);
            }
        }
        let key = credential.holder_key().context("a holder key cannot be read")?;
        let public = key.public_key().bytes().to_vec();
        secrets.push(base64url::encode(&public).into_bytes());
        secrets.push(public);
    }
    let within = secrets.iter().flat_map(|secret| encoded_within(secret)).collect::<Vec<_>>();
    secrets.extend(within);
    secrets.sort();
    secrets.dedup();
    Ok(secrets)
}

/// What shows of `secret` in the base64url of any bytes around it: it begins at the first, second or third byte of a group.
/// A character that depends on a neighbour, too, is left off.
fn encoded_within(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    // How many bytes of the group stand before, and the first character of six bits that is all the secret's.
    [(0, 0), (1, 2), (2, 3)].into_iter().filter_map(|(before, first)| {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(secret.iter().copied()).collect();
        let end = bytes.len().saturating_mul(8) / 6;
        base64url::encode(&bytes).as_bytes().get(first..end).map(<[u8]>::to_vec)
    })
}

fn collect(value: &Value, layout: &Layout, secrets: &mut Vec<Vec<u8>>) {
    match value {
        // A department's public name, which a credential may repeat, does stand on the ledger.
        Value::String(text) if text.len() >= SHORTEST && !is_public(text, layout) => {
            secrets.push(text.clone().into_bytes());
        }
        Value::Array(inner) => inner.iter().for_each(|value| collect(value, layout, secrets)),
        Value::Object(inner) => inner.values().for_each(|value| collect(value, layout, secrets)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_public(text: &str, layout: &Layout) -> bool {
    let names = |member: &Member| [member.name_en, member.name_zh].iter().any(|name| name.contains(text));
    let departments = DEPARTMENTS.iter().map(|department| &department.member);
    departments.chain([&HOUSING_FUND]).chain(layout.validators()).any(names)
}

/// Searches every file below a directory; answers how many bytes there were.
fn search_files(directory: &Path, secrets: &[Vec<u8>]) -> Result<usize> {
    let mut bytes = 0_usize;
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            bytes = bytes.saturating_add(search_files(&path, secrets)?);
            continue;
        }
        // A file that went meanwhile, as a database's own may, holds nothing any more.
        let Ok(content) = fs::read(&path) else { continue };
        search(&content, secrets).with_context(|| path.display().to_string())?;
        bytes = bytes.saturating_add(content.len());
    }
    Ok(bytes)
}

/// By the first four bytes at each place: one pass, however many there are to look for.
fn search(content: &[u8], secrets: &[Vec<u8>]) -> Result<()> {
    let starts: std::collections::HashSet<&[u8]> = secrets.iter().filter_map(|secret| secret.get(..4)).collect();
    for (place, window) in content.windows(4).enumerate() {
        if !starts.contains(window) {
            continue;
        }
        let rest = content.get(place..).unwrap_or_default();
        // Which value it is, nobody is told: the report would be the next leak.
        ensure!(
            !secrets.iter().any(|secret| rest.starts_with(secret)),
            "a value of the wallet's stands at byte {place}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_with_something_else_is_found_at_every_alignment() {
        let secret = "样本甲子";
        let within: Vec<Vec<u8>> = encoded_within(secret.as_bytes()).collect();
        for before in ["", "a", "ab", "abc", r#"{"name":""#, r#"{"name": ""#] {
            for after in ["", "x", "xy", "xyz\"}"] {
                let text = base64url::encode(format!("{before}{secret}{after}").as_bytes());
                assert!(search(text.as_bytes(), &within).is_err(), "{before}{secret}{after}");
            }
        }
        let other = base64url::encode(r#"{"name":"样本甲丑"}"#.as_bytes());
        assert!(search(other.as_bytes(), &within).is_ok());
    }

    #[test]
    fn what_is_there_is_found_wherever_it_stands() {
        let secrets = vec!["样本甲子".as_bytes().to_vec(), b"110101188001010018".to_vec()];
        assert!(search("样本大学, 样本甲丑, 11010118".as_bytes(), &secrets).is_ok());
        for content in ["样本甲子", "x样本甲子", "样本大学 样本甲子 样本", "0110101188001010018"] {
            assert!(search(content.as_bytes(), &secrets).is_err(), "{content}");
        }
    }
}
