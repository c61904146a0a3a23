//! The steps in which the department takes back what it issued.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use identity_core::duty::{Deed, IssuerAct, Order};
use identity_core::problem::Code;

use super::issue::first_subject;
use super::open::official;
use super::patience::until;
use super::present::{Yes, ask, check_refused};
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::admin::Issued;
use crate::world::issuing;
use crate::world::layout::PUBLIC_SECURITY;

/// The code that a revoked credential is refused with.
const REVOKED: &str = "credential.status.revoked";
/// Time for a revocation to be seen: verifiers may keep a status list for its `ttl`, here a second.
const REVOCATION_PATIENCE: Duration = Duration::from_secs(30);

/// An official at public security orders that the resident identity be revoked; an order over another act does not do.
pub(super) async fn revoke(traveller: &mut Traveller) -> Seen {
    let counter = traveller.admin(&PUBLIC_SECURITY.member)?;
    let subject = first_subject(traveller, &PUBLIC_SECURITY, &PUBLIC_SECURITY.main).await?;
    let official = official(traveller)?;
    let mut revoked = 0_usize;
    for credential in counter.credentials(&subject).await? {
        if credential.state != "revoked" {
            let order = counter.order_to_revoke(&credential.id, issuing::WINDOW, issuing::BASIS).await?;
            let suspending = Deed { act: IssuerAct::Suspend, ..order.deed.clone() };
            let suspending = Order { deed: suspending, ..order.clone() }.sign(&official)?;
            check_other_deed(counter.revoke(&credential.id, Some(&suspending)).await)?;
            counter.revoke(&credential.id, Some(&order.sign(&official)?)).await?;
            revoked = revoked.saturating_add(1);
        }
    }
    let listed = counter.credentials(&subject).await?;
    ensure!(!listed.is_empty(), "the department lists no credential");
    ensure!(listed.iter().all(|credential| credential.state == "revoked"), "a credential is not listed as revoked");
    Ok(traveller.say("devnet-seen-revoked", &[("count", revoked.to_string()), ("duty", issuing::WINDOW.to_owned())]))
}

/// An order to suspend is none to revoke.
fn check_other_deed(answer: Result<Issued>) -> Result<()> {
    let Err(refused) = answer else { bail!("revoked under an order to suspend") };
    let code = Code::DutyOtherDeed.as_str();
    ensure!(format!("{refused:#}").contains(code), "refused for another reason: {refused:#}");
    Ok(())
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
