//! The steps that open the world: genesis, accreditation, tables.

use anyhow::{Context, Result, ensure};
use identity_core::did::Did;
use identity_core::registry::{Accredit, Role, did_key};
use service_kit::fetch::Request;

use super::runner::Seen;
use super::traveller::Traveller;
use crate::sample;
use crate::world::layout::{DEPARTMENTS, Department, LEADER, MARKET_REGULATION, PUBLIC_SECURITY, PURPOSE};
use crate::world::query;

/// Seed of the sample tables: the same people in every devnet.
const SEED: u64 = 1;
/// Seconds for which the members are accredited.
const YEAR: i64 = 365 * 24 * 60 * 60;

/// The ledger serves our genesis file, certifies a checkpoint, and proves that it made the founders' DIDs.
pub(super) async fn genesis(traveller: &mut Traveller) -> Seen {
    let ours = std::fs::read(traveller.layout.directory(&LEADER).join("genesis.json"))?;
    let url = format!("{}/genesis", traveller.ledger.url());
    let served = traveller.fetch.send(Request::get(url)).await?.success()?.body;
    ensure!(served == ours, "the ledger serves another genesis file");
    let (checkpoint, _) = traveller.ledger.checkpoint().await?;
    let founders = founders(traveller);
    for did in &founders {
        let (state, _) = traveller.ledger.state(&did_key(did)).await?;
        ensure!(state.value().is_some(), "the ledger proves that a founder's DID is absent");
    }
    let values = [("entries", checkpoint.size().to_string()), ("founders", founders.len().to_string())];
    Ok(traveller.say("devnet-seen-genesis", &values))
}

fn founders(traveller: &Traveller) -> Vec<Did> {
    let founded = &traveller.founded;
    let others = founded.departments.iter().chain([&founded.housing_fund]);
    std::iter::once(founded.leader.did()).chain(others).cloned().collect()
}

/// The leader accredits departments and service, and registers the credential types; each is proven afterwards.
pub(super) async fn accredit(traveller: &mut Traveller) -> Seen {
    let Traveller { founded, ledger, .. } = &*traveller;
    let now = traveller.now();
    for department in &DEPARTMENTS {
        let metadata = department.metadata.as_bytes();
        founded.leader.register_schema(ledger, department.vct, metadata, now).await?;
    }
    for (department, did) in DEPARTMENTS.iter().zip(&founded.departments) {
        founded.leader.accredit(ledger, issuer_accreditation(department, did, now.0), now).await?;
    }
    let housing_fund = verifier_accreditation(&founded.housing_fund, now.0);
    founded.leader.accredit(ledger, housing_fund, now).await?;
    Ok(traveller.say("devnet-seen-accredit", &[("departments", DEPARTMENTS.len().to_string())]))
}

fn issuer_accreditation(department: &Department, did: &Did, now: i64) -> Accredit {
    Accredit {
        subject: did.clone(),
        role: Role::Issuer,
        types: vec![department.vct.to_owned()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: now.saturating_sub(60),
        until: now.saturating_add(YEAR),
        delegable: false,
    }
}

fn verifier_accreditation(did: &Did, now: i64) -> Accredit {
    let path = |path: &&[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    Accredit {
        subject: did.clone(),
        role: Role::Verifier,
        types: vec![PUBLIC_SECURITY.vct.to_owned()],
        claims: query::ACCREDITED.iter().map(path).collect(),
        purposes: vec![PURPOSE.to_owned()],
        from: now.saturating_sub(60),
        until: now.saturating_add(YEAR),
        delegable: false,
    }
}

/// Each department reads its table of sample subjects, all rows of which are good.
pub(super) async fn import(traveller: &mut Traveller) -> Seen {
    let count = traveller.subjects;
    import_one(traveller, &PUBLIC_SECURITY, sample::residents(SEED, count).to_csv()).await?;
    import_one(traveller, &MARKET_REGULATION, sample::businesses(SEED, count).to_csv()).await?;
    Ok(traveller.say("devnet-seen-import", &[("count", count.to_string())]))
}

async fn import_one(traveller: &Traveller, department: &Department, csv: String) -> Result<()> {
    let counter = traveller.admin(&department.member)?;
    let wanted = u64::try_from(traveller.subjects)?;
    let report = counter.import(department.configuration, csv).await.context(department.member.id)?;
    ensure!(report.refused == 0, "{}: {} rows refused", department.member.id, report.refused);
    ensure!(report.imported == wanted, "{}: {} rows imported", department.member.id, report.imported);
    let listed = counter.subjects().await?.len();
    ensure!(listed == traveller.subjects, "{} lists {listed} subjects", department.member.id);
    Ok(())
}
