//! The steps in which the department takes back what it issued.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::issue::first_subject;
use super::patience::until;
use super::present::{Yes, ask, check_refused};
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::PUBLIC_SECURITY;

/// The code that a revoked credential is refused with.
const REVOKED: &str = "credential.status.revoked";
/// Time for a revocation to be seen: verifiers may keep a status list for its `ttl`, here a second.
const REVOCATION_PATIENCE: Duration = Duration::from_secs(30);

/// Public security revokes the resident identity.
pub(super) async fn revoke(traveller: &mut Traveller) -> Seen {
    let counter = traveller.admin(&PUBLIC_SECURITY.member)?;
    let subject = first_subject(traveller, &PUBLIC_SECURITY, &PUBLIC_SECURITY.main).await?;
    let mut revoked = 0_usize;
    for credential in counter.credentials(&subject).await? {
        if credential.state != "revoked" {
            counter.revoke(&credential.id).await?;
            revoked = revoked.saturating_add(1);
        }
    }
    let listed = counter.credentials(&subject).await?;
    ensure!(!listed.is_empty(), "the department lists no credential");
    ensure!(listed.iter().all(|credential| credential.state == "revoked"), "a credential is not listed as revoked");
    Ok(traveller.say("devnet-seen-revoked", &[("count", revoked.to_string())]))
}

/// From the moment the new status list is due, the revoked credential is refused, and for that reason.
pub(super) async fn refused(traveller: &mut Traveller) -> Seen {
    let seen = until(REVOCATION_PATIENCE, async || match present_once(traveller).await? {
        Outcome::StillVerified => Ok(None),
        Outcome::Refused(code) => Ok(Some(code)),
    });
    let code = seen.await?.context("the service goes on accepting the revoked credential")?;
    ensure!(code == REVOKED, "refused for another reason: {code}");
    Ok(traveller.say("devnet-seen-service-refused", &[("code", code)]))
}

/// What came of a presentation.
pub(super) enum Outcome {
    StillVerified,
    Refused(String),
}

pub(super) async fn present_once(traveller: &Traveller) -> Result<Outcome> {
    let counter = traveller.housing_fund()?;
    let asked = ask(&counter).await?;
    traveller.wallet()?.present(&asked.request_uri_link, &[], &mut Yes).await?;
    let outcome = counter.outcome(&asked.id).await?;
    if outcome.state == "verified" { Ok(Outcome::StillVerified) } else { check_refused(&outcome).map(Outcome::Refused) }
}
