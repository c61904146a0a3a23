//! The steps that open the world: genesis, accreditation, tables.

use anyhow::{Context, Result, ensure};
use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::jose::Jwk;
use identity_core::registry::{Accredit, Delegate, DutyHolder, Label, Operation, Role, did_key, duty_key};
use identity_core::trust;
use service_kit::chance::system_rng;
use service_kit::fetch::Request;
use service_kit::key_guard::KeyGuard;
use service_kit::{duties, keyfile};

use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::{
    CredentialType, DEPARTMENTS, Department, HOUSING_FUND, LEADER, Member, PUBLIC_SECURITY, PURPOSE,
};
use crate::world::leader::submit;
use crate::world::{issuing, query};

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
    accredit_housing_fund(traveller).await?;
    founded.second_name.register(&traveller.layout, &founded.housing_fund, ledger, now).await?;
    traveller.everywhere().await?;
    let values = [("departments", DEPARTMENTS.len().to_string()), ("types", types().count().to_string())];
    Ok(traveller.say("devnet-seen-accredit", &values))
}

/// The housing fund may ask, unless it may already.
pub(super) async fn accredit_housing_fund(traveller: &Traveller) -> Result<()> {
    let (founded, now) = (&traveller.founded, traveller.now());
    let wanted = verifier_accreditation(&founded.housing_fund, now.0);
    founded.leader.accredit(&traveller.ledger, wanted, now).await?;
    Ok(())
}

/// The housing fund gives its service account the duty to ask, each department its own the duty to issue, and one of
/// them an official's, too; the ledger proves each.
pub(super) async fn delegate(traveller: &mut Traveller) -> Seen {
    let founded = &traveller.founded;
    let now = traveller.now().0;
    let asking = asking_desk(service_key(traveller, &HOUSING_FUND)?, now);
    give(traveller, &HOUSING_FUND, &founded.housing_fund, asking).await?;
    for (department, did) in DEPARTMENTS.iter().zip(&founded.departments) {
        let desk = issuing_desk(department, service_key(traveller, &department.member)?, now);
        give(traveller, &department.member, did, desk).await?;
        if department.member.id == PUBLIC_SECURITY.member.id {
            let window = window(department, official(traveller)?.public_key().clone(), now);
            give(traveller, &department.member, did, window).await?;
        }
    }
    traveller.everywhere().await?;
    let duties = DEPARTMENTS.len().saturating_add(2);
    Ok(traveller.say("devnet-seen-delegate", &[("count", duties.to_string())]))
}

fn service_key(traveller: &Traveller, member: &Member) -> Result<Jwk> {
    Ok(duties::service_key(&traveller.layout.keys(member), &KeyGuard::plain(), &mut system_rng()?)?)
}

/// The duty key of the sample official at public security, who has it in a file and not in a wallet.
pub(super) fn official(traveller: &Traveller) -> Result<SecretKey> {
    let file = traveller.layout.directory(&PUBLIC_SECURITY.member).join("sample-official.jwk");
    Ok(keyfile::load_or_create(&file, Alg::EdDsa, &KeyGuard::plain(), &mut system_rng()?)?)
}

/// A member gives a duty of its own, and the ledger proves it.
async fn give(traveller: &Traveller, member: &Member, did: &Did, given: Delegate) -> Result<()> {
    let Traveller { ledger, layout, .. } = traveller;
    let duty = given.duty.clone();
    let invoke = keyfile::load(&layout.keys(member).join("invoke-1.jwk"), &KeyGuard::plain())?;
    submit(ledger, did, &invoke, &Operation::Delegate(Box::new(given)), traveller.now()).await?;
    let (state, _) = ledger.state(&duty_key(did, &duty)).await?;
    let history = trust::duty_history(&state, did, &duty)?;
    ensure!(history.at(trust::known_until(&state)).is_some(), "the ledger does not prove the duty {duty}");
    Ok(())
}

/// A duty of the housing fund's own service account; the departments' differ in what follows.
fn asking_desk(key: Jwk, now: i64) -> Delegate {
    let path = |path: &&[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    Delegate {
        duty: query::DESK.to_owned(),
        holder: DutyHolder::Service,
        title: Label { en: "Sample loan desk".to_owned(), zh: "示例贷款受理台".to_owned() },
        key,
        role: Role::Verifier,
        types: vec![PUBLIC_SECURITY.main.vct.to_owned()],
        claims: query::DESK_CLAIMS.iter().map(path).collect(),
        purposes: vec![PURPOSE.to_owned()],
        case_required: false,
        from: now.saturating_sub(60),
        until: now.saturating_add(YEAR),
    }
}

fn issuing_desk(department: &Department, key: Jwk, now: i64) -> Delegate {
    Delegate {
        duty: issuing::DESK.to_owned(),
        title: Label { en: "Sample issuing desk".to_owned(), zh: "示例签发台".to_owned() },
        role: Role::Issuer,
        types: department.types().map(|kind| kind.vct.to_owned()).collect(),
        claims: Vec::new(),
        purposes: Vec::new(),
        ..asking_desk(key, now)
    }
}

fn window(department: &Department, key: PublicKey, now: i64) -> Delegate {
    Delegate {
        duty: issuing::WINDOW.to_owned(),
        holder: DutyHolder::Official,
        title: Label { en: "Sample official at window 3".to_owned(), zh: "示例三号窗口工作人员".to_owned() },
        ..issuing_desk(department, Jwk::new(key), now)
    }
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
