//! The steps that open the world: genesis, accreditation, tables.

use anyhow::{Context, Result, ensure};
use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::jose::Jwk;
use identity_core::problem::Code;
use identity_core::registry::{Accredit, Delegate, DutyHolder, Label, Operation, Role, did_key, duty_key};
use identity_core::trust;
use service_kit::chance::system_rng;
use service_kit::fetch::Request;
use service_kit::key_guard::KeyGuard;
use service_kit::{duties, keyfile};

use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::admin::{Fault, Report};
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
    let [en, zh] = query::DESK_TITLE.map(str::to_owned);
    let path = |path: &&[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    Delegate {
        duty: query::DESK.to_owned(),
        holder: DutyHolder::Service,
        title: Label { en, zh },
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

/// Each department reads its tables of sample subjects, all rows of which are good; before that, where people or businesses
/// have their numbers, a copy with one check digit changed, of which just that row is refused.
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
    let table = (kind.sample)(SEED, traveller.subjects);
    if let Some(mistyped) = table.mistyped() {
        let report = counter.check_import(kind.configuration, mistyped.table.to_csv()).await?;
        check_mistyped(&report, mistyped.line, mistyped.column).context(kind.configuration)?;
    }
    let report = counter.import(kind.configuration, table.to_csv()).await.context(kind.configuration)?;
    ensure!(report.refused == 0, "{}: {} rows refused", kind.configuration, report.refused);
    ensure!(report.imported == wanted, "{}: {} rows imported", kind.configuration, report.imported);
    let listed = counter.subjects(kind.configuration).await?.len();
    ensure!(listed == traveller.subjects, "{}: {listed} subjects listed", kind.configuration);
    Ok(())
}

/// Exactly this row is refused, for this cell's check digit.
fn check_mistyped(report: &Report, line: u64, column: &str) -> Result<()> {
    ensure!(report.refused == 1, "one check digit is wrong, and {} rows were refused", report.refused);
    let other = report.faults.iter().find(|fault| fault.line != line);
    ensure!(other.is_none(), "line {line} is wrong, and another one was refused, too");
    let is_named =
        |fault: &Fault| fault.column.as_deref() == Some(column) && fault.code == Code::CredentialDatumChecksum.as_str();
    ensure!(report.faults.iter().any(is_named), "the check digit in column {column} was not named");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mistyped_row_may_be_refused_and_only_for_its_check_digit() {
        let fault = |line, column: &str, code: Code| Fault {
            line,
            column: Some(column.to_owned()),
            code: code.as_str().to_owned(),
        };
        let right = fault(5, "citizen_number", Code::CredentialDatumChecksum);
        let check = |refused, faults: &[&Fault]| {
            let faults = faults.iter().map(|fault| (*fault).clone()).collect();
            check_mistyped(&Report { refused, faults }, 5, "citizen_number").is_ok()
        };
        assert!(check(1, &[&right]));
        assert!(!check(0, &[]), "nothing was refused");
        assert!(!check(2, &[&right, &fault(6, "name", Code::CredentialDatumChecksum)]));
        assert!(!check(1, &[&fault(4, "citizen_number", Code::CredentialDatumChecksum)]));
        assert!(!check(1, &[&fault(5, "name", Code::CredentialDatumChecksum)]));
        assert!(!check(1, &[&fault(5, "citizen_number", Code::VciImportColumn)]));
    }
}
