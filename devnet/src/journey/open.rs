//! The steps that open the world: genesis, accreditation, tables.

use anyhow::{Context, Result, ensure};
use identity_core::did::Did;
use identity_core::registry::{Accredit, Delegate, DutyHolder, Label, Operation, Role, did_key, duty_key};
use identity_core::trust;
use service_kit::chance::system_rng;
use service_kit::fetch::Request;
use service_kit::key_guard::KeyGuard;
use service_kit::{duties, keyfile};

use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::{CredentialType, DEPARTMENTS, Department, HOUSING_FUND, LEADER, PUBLIC_SECURITY, PURPOSE};
use crate::world::leader::submit;
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
    for kind in types() {
        founded.leader.register_schema(ledger, kind.vct, kind.metadata()?.as_bytes(), now).await?;
    }
    for (department, did) in DEPARTMENTS.iter().zip(&founded.departments) {
        founded.leader.accredit(ledger, issuer_accreditation(department, did, now.0), now).await?;
    }
    let housing_fund = verifier_accreditation(&founded.housing_fund, now.0);
    founded.leader.accredit(ledger, housing_fund, now).await?;
    founded.second_name.register(&traveller.layout, &founded.housing_fund, ledger, now).await?;
    let values = [("departments", DEPARTMENTS.len().to_string()), ("types", types().count().to_string())];
    Ok(traveller.say("devnet-seen-accredit", &values))
}

/// The housing fund gives its service account the duty to ask; the ledger proves it.
pub(super) async fn delegate(traveller: &mut Traveller) -> Seen {
    let Traveller { founded, ledger, layout, .. } = &*traveller;
    let did = &founded.housing_fund;
    let key = duties::service_key(&layout.keys(&HOUSING_FUND), &KeyGuard::plain(), &mut system_rng()?)?;
    let path = |path: &&[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    let now = traveller.now();
    let desk = Delegate {
        duty: query::DESK.to_owned(),
        holder: DutyHolder::Service,
        title: Label { en: "Sample loan desk".to_owned(), zh: "示例贷款受理台".to_owned() },
        key,
        role: Role::Verifier,
        types: vec![PUBLIC_SECURITY.main.vct.to_owned()],
        claims: query::DESK_CLAIMS.iter().map(path).collect(),
        purposes: vec![PURPOSE.to_owned()],
        case_required: false,
        from: now.0.saturating_sub(60),
        until: now.0.saturating_add(YEAR),
    };
    let invoke = keyfile::load(&layout.keys(&HOUSING_FUND).join("invoke-1.jwk"), &KeyGuard::plain())?;
    submit(ledger, did, &invoke, &Operation::Delegate(Box::new(desk)), now).await?;
    let (state, _) = ledger.state(&duty_key(did, query::DESK)).await?;
    let history = trust::duty_history(&state, did, query::DESK)?;
    ensure!(history.at(trust::known_until(&state)).is_some(), "the ledger does not prove the duty");
    Ok(traveller.say("devnet-seen-delegate", &[("duty", query::DESK.to_owned())]))
}

fn types() -> impl Iterator<Item = &'static CredentialType> {
    DEPARTMENTS.iter().flat_map(Department::types)
}

fn issuer_accreditation(department: &Department, did: &Did, now: i64) -> Accredit {
    Accredit {
        subject: did.clone(),
        role: Role::Issuer,
        types: department.types().map(|kind| kind.vct.to_owned()).collect(),
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
        types: vec![PUBLIC_SECURITY.main.vct.to_owned()],
        claims: query::ACCREDITED.iter().map(path).collect(),
        purposes: vec![PURPOSE.to_owned()],
        from: now.saturating_sub(60),
        until: now.saturating_add(YEAR),
        delegable: false,
    }
}

/// Each department reads its tables of sample subjects, all rows of which are good.
pub(super) async fn import(traveller: &mut Traveller) -> Seen {
    for department in &DEPARTMENTS {
        for kind in department.types() {
            import_one(traveller, department, kind).await?;
        }
    }
    let values = [("count", traveller.subjects.to_string()), ("types", types().count().to_string())];
    Ok(traveller.say("devnet-seen-import", &values))
}

async fn import_one(traveller: &Traveller, department: &Department, kind: &CredentialType) -> Result<()> {
    let counter = traveller.admin(&department.member)?;
    let wanted = u64::try_from(traveller.subjects)?;
    let table = (kind.sample)(SEED, traveller.subjects).to_csv();
    let report = counter.import(kind.configuration, table).await.context(kind.configuration)?;
    ensure!(report.refused == 0, "{}: {} rows refused", kind.configuration, report.refused);
    ensure!(report.imported == wanted, "{}: {} rows imported", kind.configuration, report.imported);
    let listed = counter.subjects(kind.configuration).await?.len();
    ensure!(listed == traveller.subjects, "{}: {listed} subjects listed", kind.configuration);
    Ok(())
}
