//! The command `keys` of a service: its arguments and what it tells the operator.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use identity_core::registry::{DidHistory, KeyRecord};
use rand::CryptoRng;

use super::{DidLife, LifeError, Role, Settled};
use crate::founding;
use crate::messages::Catalogue;

/// What to do with the keys. Its words stand in the catalogue, under `help-keys-…`.
#[derive(Debug, Args)]
pub struct KeysArguments {
    #[arg(value_enum)]
    act: Act,
    /// The service's configuration.
    #[arg(long)]
    pub config: PathBuf,
    #[arg(long, value_enum, default_value_t = Which::Signing)]
    which: Which,
    #[arg(long, required_if_eq("act", "report-compromised"))]
    key: Option<String>,
    #[arg(long, value_name = "FILE", required_if_eq("act", "recover"))]
    recovery_key: Option<PathBuf>,
    #[arg(long, value_name = "FILE", required_if_eq("act", "recover"))]
    next_recovery_key: Option<PathBuf>,
    #[arg(long, required_if_eq("act", "deactivate"))]
    did: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Act {
    Show,
    Rotate,
    ReportCompromised,
    Register,
    Recover,
    Deactivate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Signing,
    Submitting,
}

impl KeysArguments {
    /// Whether the service must stand still: it would go on signing with a key that has just ended. What it signed and
    /// what waits comes onto the ledger first, since it counts by its key at the moment of its anchor.
    #[must_use]
    pub fn changes_keys(&self) -> bool {
        self.act != Act::Show
    }

    /// Whether it is done even if what waits cannot be brought onto the ledger: a thief is at work, or the keys are lost.
    #[must_use]
    pub fn cannot_wait(&self) -> bool {
        matches!(self.act, Act::ReportCompromised | Act::Recover)
    }
}

/// The id of a place's text, if it is one of this command's: they are the same in every program.
#[must_use]
pub fn text_id(place: &str) -> Option<String> {
    (place == "keys" || place.starts_with("keys-")).then(|| format!("help-{place}"))
}

/// Does what the arguments say, and tells what was done.
///
/// # Errors
/// [`LifeError`].
pub async fn run(
    life: &DidLife<'_>,
    arguments: &KeysArguments,
    messages: &Catalogue,
    rng: &mut dyn CryptoRng,
) -> Result<String, LifeError> {
    let text = |id: &str, key: &str, index: u64| {
        messages.text(id, &[("key", key.into()), ("index", index.to_string().into())])
    };
    match arguments.act {
        Act::Show => Ok(shown(&life.history().await?, messages)),
        Act::Rotate => {
            let role = match arguments.which {
                Which::Signing => Role::Signing,
                Which::Submitting => Role::Submitting,
            };
            let replaced = life.rotate(role, rng).await?;
            Ok(text("keys-replaced", &replaced.key, replaced.index))
        }
        Act::ReportCompromised => {
            let key = arguments.key.as_deref().unwrap_or_default();
            let index = life.report(key, rng).await?;
            Ok(text("keys-reported", key, index))
        }
        Act::Register => Ok(match life.register().await? {
            Some(index) => text("keys-registered", "", index),
            None => messages.text("keys-registered-before", &[]),
        }),
        Act::Recover => {
            let file = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
            let next = file(&arguments.next_recovery_key);
            let index = life.recover(&file(&arguments.recovery_key), &next, rng).await?;
            Ok(text("keys-recovered", &next.display().to_string(), index))
        }
        Act::Deactivate => {
            let did = founding::identity(life.kind, life.directory)?.did;
            if arguments.did.as_deref() != Some(did.as_str()) {
                return Err(LifeError::AnotherDid);
            }
            Ok(text("keys-deactivated", did.as_str(), life.deactivate().await?))
        }
    }
}

/// Before a service starts: files and ledger agree, or the operator learns what to do. A ledger that cannot be reached
/// stops nobody; what is said then is a warning.
///
/// # Errors
/// [`LifeError`], if the service would sign what nobody believes.
pub async fn before_start(life: &DidLife<'_>, messages: &Catalogue) -> Result<Vec<String>, LifeError> {
    let mut told = Vec::new();
    match life.settle().await {
        Ok(Settled::NotYet) => told.push(messages.text("keys-not-yet", &[])),
        Ok(Settled::Named(keys)) if keys.is_empty() => {}
        Ok(Settled::Named(keys)) => told.push(messages.text("keys-settled", &[("keys", keys.join(", ").into())])),
        Err(LifeError::Ledger(error)) => {
            told.push(messages.text("keys-unchecked", &[("reason", error.to_string().into())]));
        }
        Err(error) => return Err(error),
    }
    let recovery = founding::recovery_file(life.directory);
    if recovery.exists() {
        told.push(messages.text("keys-recovery-here", &[("file", recovery.display().to_string().into())]));
    }
    Ok(told)
}

fn shown(history: &DidHistory, messages: &Catalogue) -> String {
    history.keys.iter().map(|key| line(key, messages)).collect::<Vec<_>>().join("\n")
}

fn line(key: &KeyRecord, messages: &Catalogue) -> String {
    let (id, end) = match (key.compromised, key.until) {
        (Some(reported), _) => ("keys-line-reported", Some(reported)),
        (None, Some(until)) => ("keys-line-ended", Some(until)),
        (None, None) => ("keys-line-current", None),
    };
    let key_use = serde_json::to_value(key.key_use).ok();
    let key_use = key_use.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    let index = |index: u64| index.to_string();
    let values = [
        ("key", key.id.as_str().into()),
        ("use", key_use.into()),
        ("from", index(key.from).into()),
        ("end", end.map(index).unwrap_or_default().into()),
    ];
    messages.text(id, &values)
}
