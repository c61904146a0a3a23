//! The command `duties` of a service: its arguments and what it tells the operator.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use identity_core::encoding::json::{self, Limits};
use identity_core::jose::Jwk;
use identity_core::registry::{Delegate, Delegation, DutyHistory, DutyHolder, KeyUse, Label, Role};
use rand::CryptoRng;

use super::service_key;
use crate::did_life::{DidLife, LifeError};
use crate::messages::Catalogue;
use crate::terminal::harmless;
use crate::whole_file;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// The longest file with a public key, in bytes: a JWK of ours has some 120, and other software may add to it.
const MAX_KEY_FILE_BYTES: usize = 4096;

/// What to do with the duties. Its words stand in the catalogue, under `help-duties-…`.
#[derive(Debug, Args)]
pub struct DutiesArguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Give(Given),
    End(Named),
    Show(Named),
}

/// Which duty, of which service.
#[derive(Debug, Args)]
struct Named {
    /// The service's configuration.
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    duty: String,
}

#[derive(Debug, Args)]
struct Given {
    #[command(flatten)]
    named: Named,
    #[arg(long)]
    title_en: String,
    #[arg(long)]
    title_zh: String,
    #[arg(long, value_name = "FILE", required_unless_present = "service", conflicts_with = "service")]
    key: Option<PathBuf>,
    #[arg(long)]
    service: bool,
    #[arg(long = "type", value_name = "VCT", required = true)]
    types: Vec<String>,
    #[arg(long = "claim", value_name = "PATH")]
    claims: Vec<String>,
    #[arg(long = "purpose")]
    purposes: Vec<String>,
    #[arg(long)]
    case_required: bool,
    #[arg(long, default_value_t = 365)]
    days: u16,
}

impl DutiesArguments {
    /// The service's configuration.
    #[must_use]
    pub fn config(&self) -> &Path {
        match &self.act {
            Act::Give(given) => &given.named.config,
            Act::End(named) | Act::Show(named) => &named.config,
        }
    }
}

/// The id of a place's text, if it is one of this command's: they are the same in every program.
#[must_use]
pub fn text_id(place: &str) -> Option<String> {
    (place == "duties" || place.starts_with("duties-")).then(|| format!("help-{place}"))
}

/// Does what the arguments say, and tells what was done.
///
/// # Errors
/// [`LifeError`].
pub async fn run(
    life: &DidLife<'_>,
    arguments: DutiesArguments,
    messages: &Catalogue,
    rng: &mut dyn CryptoRng,
) -> Result<String, LifeError> {
    let told = |id: &str, duty: &str, index: u64| {
        messages.text(id, &[("duty", duty.into()), ("index", index.to_string().into())])
    };
    match arguments.act {
        Act::Give(given) => {
            let (duty, service) = (given.named.duty.clone(), given.service);
            let index = life.delegate(delegate(life, given, rng)?).await?;
            Ok(told(if service { "duties-given-service" } else { "duties-given" }, &duty, index))
        }
        Act::End(Named { duty, .. }) => Ok(told("duties-ended", &duty, life.end_duty(&duty).await?)),
        Act::Show(Named { duty, .. }) => Ok(shown(&life.duty(&duty).await?, messages)),
    }
}

fn delegate(life: &DidLife<'_>, given: Given, rng: &mut dyn CryptoRng) -> Result<Delegate, LifeError> {
    let (holder, key) = match &given.key {
        Some(file) => (DutyHolder::Official, read_public(file)?),
        None => (DutyHolder::Service, service_key(life.directory, life.guard, rng)?),
    };
    let role = match life.kind.signing_use {
        KeyUse::Authentication => Role::Verifier,
        KeyUse::AssertionMethod | KeyUse::CapabilityInvocation | KeyUse::Relay => Role::Issuer,
    };
    Ok(Delegate {
        duty: given.named.duty,
        holder,
        title: Label { en: given.title_en, zh: given.title_zh },
        key,
        role,
        types: given.types,
        claims: given.claims.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect(),
        purposes: given.purposes,
        case_required: given.case_required,
        from: life.now.0,
        until: life.now.plus(i64::from(given.days).saturating_mul(DAY)).0,
    })
}

/// The public key that an official handed over, as `xinfu-wallet duty-key` prints it.
fn read_public(file: &Path) -> Result<Jwk, LifeError> {
    let unreadable = |detail: String| LifeError::DutyKey { file: file.to_owned(), detail };
    let text = whole_file::read(file, MAX_KEY_FILE_BYTES).map_err(|error| unreadable(error.to_string()))?;
    let value =
        json::parse_strict(&text, Limits::of(MAX_KEY_FILE_BYTES)).map_err(|error| unreadable(error.to_string()))?;
    Jwk::from_value(&value).map_err(|error| unreadable(error.to_string()))
}

fn shown(history: &DutyHistory, messages: &Catalogue) -> String {
    history.delegations.iter().map(|given| line(given, messages)).collect::<Vec<_>>().join("\n")
}

fn line(given: &Delegation, messages: &Catalogue) -> String {
    let id = match (given.started, given.ended) {
        (_, Some(_)) => "duties-line-ended",
        (Some(_), None) => "duties-line-current",
        (None, None) => "duties-line-later",
    };
    let index = |index: Option<u64>| index.map(|index| index.to_string()).unwrap_or_default();
    let holder = match given.holder {
        DutyHolder::Official => "duties-holder-official",
        DutyHolder::Service => "duties-holder-service",
    };
    let values = [
        ("id", given.id.to_string().into()),
        ("holder", messages.text(holder, &[]).into()),
        ("title", harmless(&given.title.en).into()),
        ("title_zh", harmless(&given.title.zh).into()),
        ("key", given.key.thumbprint().to_base64url().into()),
        ("from", index(given.started).into()),
        ("end", index(given.ended).into()),
    ];
    messages.text(id, &values)
}

#[cfg(test)]
mod tests {
    use identity_core::crypto::{Alg, SecretKey, Signer as _};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_officials_key_is_read_up_to_its_bound() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("official.jwk");
        let key = Jwk::new(SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap().public_key().clone());
        let text = json!(key).to_string();
        whole_file::write(&path, format!("{text}\n")).unwrap();
        assert_eq!(read_public(&path).unwrap(), key);
        let padded = format!("{text}{}", " ".repeat(MAX_KEY_FILE_BYTES));
        for refused in [padded.as_str(), "", "{}", &text[1..]] {
            whole_file::write(&path, refused).unwrap();
            assert!(matches!(read_public(&path), Err(LifeError::DutyKey { .. })), "{} bytes", refused.len());
        }
        assert!(read_public(Path::new("/dev/zero")).is_err());
    }
}
