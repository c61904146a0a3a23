//! When the killing is over: everything acknowledged must be there, and nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use identity_core::time::UnixSeconds;
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::config;
use wallet_cli::Wallet;

use super::load;
use super::noted::{Counts, Noted, NotedOffer, Things};
use super::wallet::WalletProcess;
use super::{UNDER_LOAD, World};
use crate::journey::patience::until;
use crate::world::admin::Issued;
use crate::world::layout::{HOUSING_FUND, LEADER};
use crate::world::services::Services;

/// Time for the last digests to be anchored.
const ANCHOR_PATIENCE: Duration = Duration::from_secs(120);
/// Offers that are tried at the end, of each kind: each costs a wallet's process, so a long run takes a sample.
const TRIED_AT_THE_END: usize = 40;

/// Looks for everything that was acknowledged.
pub(super) async fn everything(
    world: &World,
    wallets: &[Arc<WalletProcess>],
    noted: &Noted,
    services: &mut Services,
) -> Result<Counts> {
    services.start_all().await?;
    open_offers(wallets, noted).await.context("offers")?;
    spent_offers(wallets, noted).await.context("offers taken up")?;
    departments(world, noted).await.context("departments")?;
    verdicts(world, noted).await.context("verdicts")?;
    entries(world, noted).await.context("ledger entries")?;
    for wallet in wallets {
        held(wallet, noted).await.with_context(|| format!("wallet {}", wallet.place))?;
    }
    Ok(noted.counts())
}

/// An offer that was acknowledged and that nobody tried gives its credential.
async fn open_offers(wallets: &[Arc<WalletProcess>], noted: &Noted) -> Result<()> {
    for (place, offer) in sample(noted, |offer| !offer.tried) {
        let wallet = wallets.get(offer.department).context("no wallet")?;
        noted.tried(place);
        let link = &offer.offer.offer_uri;
        let received = load::receive(wallet, link, offer.offer.tx_code.as_deref()).await;
        noted.received(place, received.context("an acknowledged offer gives no credential")?);
    }
    Ok(())
}

/// An offer that gave its credential gives no second one.
async fn spent_offers(wallets: &[Arc<WalletProcess>], noted: &Noted) -> Result<()> {
    for (_, offer) in sample(noted, |offer| offer.received) {
        let wallet = wallets.get(offer.department).context("no wallet")?;
        let again = load::receive(wallet, &offer.offer.offer_uri, offer.offer.tx_code.as_deref()).await;
        ensure!(again.is_err(), "an offer gave a second credential");
    }
    Ok(())
}

/// Evenly spread over the run.
fn sample(noted: &Noted, wanted: impl Fn(&NotedOffer) -> bool) -> Vec<(usize, NotedOffer)> {
    let things = noted.things();
    let found: Vec<_> = things.offers.iter().enumerate().filter(|(_, offer)| wanted(offer)).collect();
    let step = found.len().div_ceil(TRIED_AT_THE_END).max(1);
    found.into_iter().step_by(step).map(|(place, offer)| (place, offer.clone())).collect()
}

async fn departments(world: &World, noted: &Noted) -> Result<()> {
    for (place, department) in UNDER_LOAD.iter().enumerate() {
        let listed = world.admin(&department.member)?.all_credentials().await?;
        compare(place, &listed, &noted.things()).context(department.member.id)?;
    }
    Ok(())
}

/// What a department lists against what was acknowledged: no code gave two credentials, no status index was given
/// twice, what was received is listed, and what was revoked is revoked.
fn compare(department: usize, listed: &[Issued], things: &Things) -> Result<()> {
    let mut indexes = BTreeSet::new();
    let mut issued: BTreeMap<&str, usize> = BTreeMap::new();
    for credential in listed {
        let index = (credential.status_list, credential.status_index);
        ensure!(indexes.insert(index), "status index {index:?} is given twice");
        *issued.entry(&credential.subject).or_default() += 1;
    }
    let mut offered: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for offer in things.offers.iter().filter(|offer| offer.department == department) {
        let (made, received) = offered.entry(&offer.subject).or_default();
        *made += 1;
        *received += usize::from(offer.received);
    }
    for (subject, (made, received)) in offered {
        let issued = issued.get(subject).copied().unwrap_or_default();
        ensure!(issued >= received, "{received} credentials were received, {issued} are listed");
        ensure!(issued <= made, "{made} offers gave {issued} credentials");
    }
    for (_, _, id) in things.revoked.iter().filter(|(place, ..)| *place == department) {
        let found = listed.iter().find(|issued| issued.id == *id).context("a revoked credential is not listed")?;
        ensure!(found.state == "revoked", "a revoked credential is {}", found.state);
    }
    Ok(())
}

/// Each presentation that the wallet was told was verified stands so with the service.
async fn verdicts(world: &World, noted: &Noted) -> Result<()> {
    let counter = world.admin(&HOUSING_FUND)?;
    let verified = noted.things().verified.clone();
    for id in verified {
        let outcome = counter.outcome(&id).await.context("an acknowledged verdict is not there")?;
        ensure!(outcome.state == "verified", "an acknowledged verdict is {}", outcome.state);
    }
    Ok(())
}

/// Each entry that the ledger proved is proven again, so nothing has to be registered now.
async fn entries(world: &World, noted: &Noted) -> Result<()> {
    let schemas = noted.things().schemas.clone();
    let now: UnixSeconds = SystemClock.now();
    for vct in schemas {
        let added = world.founded.leader.register_schema(&world.ledger, &vct, vct.as_bytes(), now).await?;
        ensure!(!added, "the ledger has lost {vct}");
    }
    Ok(())
}

/// The wallet holds what it acknowledged, and a proof for everything it holds: each digest reached the ledger.
async fn held(process: &WalletProcess, noted: &Noted) -> Result<()> {
    let mut wallet = process.open()?;
    let ui = wallet_cli::ui::Ui::new(service_kit::messages::Lang::En, true);
    let acknowledged: Vec<_> =
        noted.things().credentials.iter().filter(|credential| credential.wallet == process.place).cloned().collect();
    for credential in acknowledged {
        let number = usize::try_from(credential.number)?;
        let found =
            wallet.holdings().credentials().any(|(held, found, _)| held == number && found.vct == credential.vct);
        ensure!(found, "credential {number} was acknowledged and is not there");
    }
    let proven = until(ANCHOR_PATIENCE, async || {
        wallet.list(&ui).await?;
        Ok((unproven(&wallet) == 0).then_some(()))
    });
    if proven.await?.is_none() {
        bail!("{} credentials have no proof: their digests did not reach the ledger", unproven(&wallet));
    }
    Ok(())
}

fn unproven(wallet: &Wallet) -> usize {
    wallet.holdings().credentials().filter(|(.., proof)| proof.is_none()).count()
}

/// The ledger's data at rest, byte for byte. The node must have stopped.
pub(super) async fn the_ledgers_data(world: &World) -> Result<()> {
    let config: ledger_node::Config = config::load(&world.layout.config(&LEADER))?;
    let chain = ledger_node::Chain::new(std::fs::read(&config.genesis)?)?;
    let (_lock, store) = ledger_node::open_store(&config)?;
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || ledger_node::fsck::fsck(store, &chain, runtime)).await?;
    checked.context("the ledger's data does not pass fsck")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::admin::Offer;

    fn issued(index: u32, state: &str) -> Issued {
        Issued {
            id: format!("id-{index}"),
            state: state.to_owned(),
            subject: "sample".to_owned(),
            status_list: 0,
            status_index: index,
        }
    }

    fn acknowledged(offers: usize, received: usize, revoked: &[&str]) -> Things {
        let noted = Noted::default();
        let offer = Offer { offer_uri: "openid-credential-offer://".to_owned(), tx_code: None };
        for place in 0..offers {
            noted.offer(0, "sample", &offer);
            if let Some(offer) = noted.things().offers.get_mut(place).filter(|_| place < received) {
                offer.received = true;
            }
        }
        noted.things().revoked = revoked.iter().map(|id| (0, "sample".to_owned(), (*id).to_owned())).collect();
        std::mem::take(&mut *noted.things())
    }

    #[test]
    fn what_is_lost_doubled_or_undone_is_named() {
        let two = [issued(1, "valid"), issued(2, "revoked")];
        compare(0, &two, &acknowledged(3, 2, &["id-2"])).unwrap();
        let wrong = [
            (compare(0, &two, &acknowledged(3, 3, &[])), "3 credentials were received, 2 are listed"),
            (compare(0, &two, &acknowledged(1, 1, &[])), "1 offers gave 2 credentials"),
            (compare(0, &two, &acknowledged(3, 2, &["id-1"])), "a revoked credential is valid"),
            (compare(0, &two, &acknowledged(3, 2, &["id-9"])), "a revoked credential is not listed"),
            (compare(0, &[issued(1, "valid"), issued(1, "valid")], &acknowledged(3, 2, &[])), "is given twice"),
        ];
        for (answer, reason) in wrong {
            assert!(answer.unwrap_err().to_string().contains(reason), "{reason}");
        }
    }
}
