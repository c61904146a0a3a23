//! The steps that bring credentials into the wallet, and their proofs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::patience::until;
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::{CredentialType, DEPARTMENTS, Department, MARKET_REGULATION, PUBLIC_SECURITY};

/// Time for a digest to be anchored and certified: a block on a slow machine.
const ANCHOR_PATIENCE: Duration = Duration::from_secs(60);

/// Seconds for which an offer of the journey holds.
pub(super) const OFFER_SECONDS: u32 = 600;

/// A resident receives an identity from public security.
pub(super) async fn resident(traveller: &mut Traveller) -> Seen {
    receive(traveller, &PUBLIC_SECURITY, &PUBLIC_SECURITY.main).await
}

/// The same person receives a business licence from market regulation.
pub(super) async fn licence(traveller: &mut Traveller) -> Seen {
    receive(traveller, &MARKET_REGULATION, &MARKET_REGULATION.main).await
}

/// And one of every other type that the departments issue.
pub(super) async fn others(traveller: &mut Traveller) -> Seen {
    let known = [PUBLIC_SECURITY.main.vct, MARKET_REGULATION.main.vct];
    let mut received = 0_usize;
    for department in &DEPARTMENTS {
        for kind in department.types().filter(|kind| !known.contains(&kind.vct)) {
            receive(traveller, department, kind).await.context(kind.configuration)?;
            received = received.saturating_add(1);
        }
    }
    Ok(traveller.say("devnet-seen-issued-others", &[("count", received.to_string())]))
}

/// The official makes an offer, the citizen receives it with link and code.
async fn receive(traveller: &mut Traveller, department: &Department, kind: &CredentialType) -> Seen {
    let counter = traveller.admin(&department.member)?;
    let subject = first_subject(traveller, department, kind).await?;
    let offer = counter.offer(&subject, kind.configuration, OFFER_SECONDS).await?;
    let code = offer.tx_code.clone();
    let mut wallet = traveller.wallet()?;
    let received = wallet.receive(&offer.offer_uri, &mut || code.clone()).await?;
    ensure!(received.len() == 1, "{} credentials came instead of one", received.len());
    let held = wallet.holdings().credentials().filter(|(_, credential, _)| credential.vct == kind.vct).count();
    ensure!(held >= 1, "the wallet does not hold the credential");
    let issued = counter.credentials(&subject).await?;
    ensure!(issued.iter().any(|credential| credential.state == "valid"), "the department does not list it as valid");
    Ok(traveller.say("devnet-seen-issued", &[("issuer", department.member.id.to_owned())]))
}

/// The subject whose credentials travel: the first of the table.
pub(super) async fn first_subject(
    traveller: &Traveller,
    department: &Department,
    kind: &CredentialType,
) -> Result<String> {
    let subjects = traveller.admin(&department.member)?.subjects(kind.configuration).await?;
    subjects.into_iter().next().context("the department has no subjects")
}

/// The wallet holds a proof for each credential, verified under the trust root.
pub(super) async fn anchor(traveller: &mut Traveller) -> Seen {
    let mut wallet = traveller.wallet()?;
    let ui = traveller.ui();
    let proven = until(ANCHOR_PATIENCE, async || {
        wallet.list(&ui).await?;
        let held = wallet.holdings().credentials().count();
        let proven = wallet.holdings().credentials().filter(|(.., proof)| proof.is_some()).count();
        Ok((held == proven).then_some(proven))
    });
    let proven = proven.await?.context("the ledger has not certified the digests in time")?;
    let types = DEPARTMENTS.iter().flat_map(Department::types).count();
    ensure!(proven >= types, "{proven} credentials are proven instead of {types}");
    Ok(traveller.say("devnet-seen-anchor", &[("count", proven.to_string())]))
}
