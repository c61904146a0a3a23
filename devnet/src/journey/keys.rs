//! The steps in which the department replaces its signing key, and reports the old one as stolen.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use identity_core::did::Did;
use identity_core::registry::{DidHistory, KeyUse};
use service_kit::chance::system_rng;
use service_kit::config;
use service_kit::did_life::{DidLife, Role};
use service_kit::key_guard::KeyGuard;

use super::patience::until;
use super::revoke::{Outcome, present_once};
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::PUBLIC_SECURITY;

/// Time for the verifier to learn of a new key: its evidence is renewed every second, and a service has just started.
const NEWS_PATIENCE: Duration = Duration::from_secs(60);

/// Public security stands still for a moment, replaces its signing key, and starts with the new one. What it anchored
/// before stays good.
pub(super) async fn rotate(traveller: &mut Traveller) -> Seen {
    let config: issuer::Config = config::load(&traveller.layout.config(&PUBLIC_SECURITY.member))?;
    traveller.services.stop_one(&PUBLIC_SECURITY.member).await?;
    let replaced = replace(traveller, &config).await;
    // Whatever came of it, the world goes on.
    traveller.services.start_all().await?;
    let key = replaced?;
    still_verified(traveller).await?;
    Ok(traveller.say("devnet-seen-rotated", &[("key", key)]))
}

async fn replace(traveller: &Traveller, config: &issuer::Config) -> Result<String> {
    issuer::anchor_all(config).await?;
    let guard = config.key_guard()?;
    let life = life(traveller, config, &guard);
    let replaced = life.rotate(Role::Signing, &mut system_rng()?).await?;
    let history = life.history().await?;
    let ended = newest_ended(&history)?;
    let at = |index| history.key_at(index, &ended, KeyUse::AssertionMethod).is_some();
    ensure!(at(replaced.index.saturating_sub(1)) && !at(replaced.index), "the old key did not end with the change");
    Ok(replaced.key)
}

/// It reports the key that it replaced: stolen from now on, never backwards.
pub(super) async fn report(traveller: &mut Traveller) -> Seen {
    let config: issuer::Config = config::load(&traveller.layout.config(&PUBLIC_SECURITY.member))?;
    let guard = config.key_guard()?;
    let life = life(traveller, &config, &guard);
    let stolen = newest_ended(&life.history().await?)?;
    let index = life.report(&stolen, &mut system_rng()?).await?;
    let history = life.history().await?;
    let record = history.keys.iter().find(|key| key.id == stolen);
    ensure!(record.is_some_and(|key| key.compromised == Some(index)), "the ledger does not hold the report");
    still_verified(traveller).await?;
    let values = [("key", stolen), ("index", index.to_string())];
    Ok(traveller.say("devnet-seen-reported", &values))
}

/// The department, and its key that was reported.
pub(super) async fn stolen_key(
    traveller: &Traveller,
    config: &issuer::Config,
    guard: &KeyGuard,
) -> Result<(Did, String)> {
    let history = life(traveller, config, guard).history().await?;
    let stolen = newest_ended(&history)?;
    Ok((history.did, stolen))
}

fn life<'a>(traveller: &'a Traveller, config: &'a issuer::Config, guard: &'a KeyGuard) -> DidLife<'a> {
    DidLife { kind: &issuer::KIND, directory: &config.keys, guard, ledger: &traveller.ledger, now: traveller.now() }
}

/// The key that signed the credential of this journey, once another has taken its place.
fn newest_ended(history: &DidHistory) -> Result<String> {
    let ended = history.keys.iter().filter(|key| key.key_use == KeyUse::AssertionMethod && key.until.is_some());
    Ok(ended.max_by_key(|key| key.until).context("no signing key was replaced")?.id.clone())
}

async fn still_verified(traveller: &Traveller) -> Result<()> {
    let seen = until(NEWS_PATIENCE, async || match present_once(traveller).await? {
        Outcome::StillVerified => Ok(Some(())),
        Outcome::Refused(_) => Ok(None),
    });
    seen.await?.context("what was anchored before is not verified any more")
}
