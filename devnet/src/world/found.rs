//! Founding the world, once: certificates, keys, DIDs, the chain, configuration files.
//!
//! Every part that is there already is kept; the chain, whose genesis file names all the others, comes last of the
//! parts that must agree. So a founding that was interrupted anywhere is finished by founding again. Configuration
//! files are written each time, from what this program knows.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, ensure};
use identity_core::crypto::Alg;
use identity_core::did::Did;
use identity_core::oid4vp::ClientId;
use identity_core::registry::Label;
use rand::CryptoRng;
use service_kit::chance::token;
use service_kit::clock::{Clock, SystemClock};
use service_kit::config;
use service_kit::duties;
use service_kit::fetch::FetchConfig;
use service_kit::founding::Founding;
use service_kit::http::HttpConfig;
use service_kit::http::rate::RateConfig;
use service_kit::key_guard::KeyGuard;
use service_kit::private_file;

use super::certificates::Authority;
use super::index::{Index, LedgerEntry, ServiceEntry};
use super::issuing;
use super::layout::{CHAIN, DEPARTMENTS, Department, HOUSING_FUND, LEADER, Layout, Member, NAMESPACE_NETWORK};
use super::leader::Leader;
use super::query;
use super::second_name::SecondName;

/// Seconds a verifier may keep a status list: short, so that a revocation is seen within the journey.
pub const STATUS_TTL: u32 = 1;

/// Seconds a nonce holds: short, so that third-party software can see one end.
const NONCE_SECONDS: u32 = 15;

/// Seconds a request may be answered: long, for people who try by hand.
const REQUEST_SECONDS: u32 = 60 * 60;

/// Who is who, once founded.
pub struct Founded {
    /// The consortium's leader, with its key.
    pub leader: Leader,
    /// The departments' DIDs, as in [`DEPARTMENTS`].
    pub departments: Vec<Did>,
    /// The housing fund's DID.
    pub housing_fund: Did,
    /// What wallets that know no DIDs know it by.
    pub second_name: SecondName,
}

/// Founds the world of `layout`, or finds it founded.
///
/// # Errors
/// Files that cannot be made, or a world that was founded for other addresses.
pub fn found(layout: &Layout, rng: &mut dyn CryptoRng) -> Result<Founded> {
    check_addresses(layout)?;
    let departments = DEPARTMENTS.iter().map(|department| &department.member);
    for member in departments.chain([&HOUSING_FUND]).chain(layout.validators()) {
        fs::create_dir_all(layout.directory(member))?;
    }
    fs::create_dir_all(layout.tls())?;
    let authority = Authority::load_or_create(&layout.tls())?;

    let mut founders = Vec::new();
    let mut departments = Vec::new();
    for department in &DEPARTMENTS {
        let founded = issuer::init(
            &layout.keys(&department.member),
            &founding(layout, &department.member),
            &KeyGuard::plain(),
            rng,
        )?;
        // The key alone, here and below; the duty is given to it on the ledger.
        duties::service_key(&layout.keys(&department.member), &KeyGuard::plain(), rng)?;
        founders.push(founder(&department.member, founded.create));
        departments.push(founded.identity.did);
    }
    let housing_fund =
        verifier::init(&layout.keys(&HOUSING_FUND), &founding(layout, &HOUSING_FUND), &KeyGuard::plain(), rng)?;
    founders.push(founder(&HOUSING_FUND, housing_fund.create));
    duties::service_key(&layout.keys(&HOUSING_FUND), &KeyGuard::plain(), rng)?;
    found_chain(layout, founders, rng)?;

    let second_name = SecondName::load_or_create(layout, &authority, rng)?;
    write_configs(layout, &authority, &second_name)?;
    if !layout.passphrase().exists() {
        private_file::create(&layout.passphrase(), format!("{}\n", token(rng, 16)).as_bytes())?;
    }
    let founded = Founded {
        leader: Leader::load(&layout.node(0))?,
        departments,
        housing_fund: housing_fund.identity.did,
        second_name,
    };
    fs::write(layout.founded_at(), layout.url(&LEADER))?;
    Ok(founded)
}

/// Addresses stand on the ledger: the same world cannot move.
fn check_addresses(layout: &Layout) -> Result<()> {
    let Ok(url) = fs::read_to_string(layout.founded_at()) else { return Ok(()) };
    ensure!(
        url == layout.url(&LEADER),
        "{} holds a world founded at {url}; give the same --port-base and --plain, or another directory",
        layout.root().display(),
    );
    Ok(())
}

/// Tells outside drivers where everything is. Called when the journey has ended: during it, services are stopped and
/// started.
///
/// # Errors
/// A file that cannot be written.
pub fn publish(layout: &Layout, founded: &Founded) -> Result<()> {
    index_of(layout, founded).write(&layout.index())
}

/// Takes back what an earlier run told, until this one is as far.
///
/// # Errors
/// A file that cannot be removed.
pub fn withdraw(layout: &Layout) -> Result<()> {
    match fs::remove_file(layout.index()) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", layout.index().display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn founding(layout: &Layout, member: &Member) -> Founding {
    Founding {
        chain: CHAIN.to_owned(),
        url: layout.url(member),
        name_en: member.name_en.to_owned(),
        name_zh: member.name_zh.to_owned(),
        algorithm: Alg::EdDsa,
    }
}

fn founder(member: &Member, create: String) -> ledger_node::Founder {
    ledger_node::Founder { name: member.name_en.to_owned(), create }
}

fn found_chain(layout: &Layout, founders: Vec<ledger_node::Founder>, rng: &mut dyn CryptoRng) -> Result<()> {
    let directory = layout.directory(&LEADER);
    if !directory.join("genesis.json").exists() {
        let options = ledger_node::InitOptions {
            directory: directory.clone(),
            chain: CHAIN.to_owned(),
            operator: LEADER.name_en.to_owned(),
            label: Some(Label { en: LEADER.name_en.to_owned(), zh: LEADER.name_zh.to_owned() }),
            url: Some(layout.url(&LEADER)),
            founders,
            config: ledger_node::Config::default(),
            peer: layout.is_consortium().then(|| layout.peer(0)),
            others: layout
                .validators()
                .zip(0..)
                .skip(1)
                .map(|(member, place)| validator(layout, member, place))
                .collect(),
        };
        ledger_node::init(&options, SystemClock.now_millis(), rng)?;
    }
    fs::copy(directory.join("trust-root"), layout.trust_root()).context("the trust root cannot be copied")?;
    Ok(())
}

fn validator(layout: &Layout, member: &Member, place: u16) -> ledger_node::OtherValidator {
    ledger_node::OtherValidator {
        operator: member.name_en.to_owned(),
        label: Some(Label { en: member.name_en.to_owned(), zh: member.name_zh.to_owned() }),
        url: Some(layout.url(member)),
        peer: layout.peer(place),
        config: ledger_node::Config::default(),
    }
}

fn write_configs(layout: &Layout, authority: &Authority, second_name: &SecondName) -> Result<()> {
    for (place, member) in layout.validators().enumerate() {
        let ledger: ledger_node::Config = config::load(&layout.node(place).join("ledger.toml"))?;
        let peer_listen = if layout.is_consortium() { layout.peer(u16::try_from(place)?) } else { String::new() };
        let others = layout.validators().enumerate().filter(|(other, _)| *other != place);
        let ledger = ledger_node::Config {
            http: http(layout, authority, member)?,
            peer_listen,
            peers: others.map(|(_, other)| layout.url(other)).collect(),
            fetch: fetch(layout),
            ..ledger
        };
        fs::write(layout.config(member), config::render(&ledger))?;
    }
    for (place, department) in DEPARTMENTS.iter().enumerate() {
        let text = config::render(&issuer_config(layout, authority, department, place)?);
        fs::write(layout.config(&department.member), text)?;
    }
    fs::write(layout.config(&HOUSING_FUND), config::render(&verifier_config(layout, authority, second_name)?))?;
    Ok(())
}

fn issuer_config(
    layout: &Layout,
    authority: &Authority,
    department: &Department,
    place: usize,
) -> Result<issuer::Config> {
    let member = &department.member;
    let defaults = issuer::Config::default();
    Ok(issuer::Config {
        url: layout.url(member),
        name_en: member.name_en.to_owned(),
        name_zh: member.name_zh.to_owned(),
        credentials: department.types().map(|kind| kind.configuration.to_owned()).collect(),
        data: layout.directory(member).join("data"),
        keys: layout.keys(member),
        admin_token: layout.admin_token(member),
        http: http(layout, authority, member)?,
        duty: issuer::DutyConfig { service: issuing::DESK.to_owned(), basis: issuing::BASIS.to_owned() },
        offers: issuer::OfferConfig { nonce_lifetime: NONCE_SECONDS, ..defaults.offers },
        status: issuer::StatusConfig { ttl: STATUS_TTL, ..defaults.status },
        ledger: issuer::LedgerConfig { url: layout.ledger(place), trust_root: layout.trust_root(), ..defaults.ledger },
        fetch: fetch(layout),
        ..defaults
    })
}

fn verifier_config(layout: &Layout, authority: &Authority, second_name: &SecondName) -> Result<verifier::Config> {
    let defaults = verifier::Config::default();
    Ok(verifier::Config {
        url: layout.url(&HOUSING_FUND),
        data: layout.directory(&HOUSING_FUND).join("data"),
        keys: layout.keys(&HOUSING_FUND),
        admin_token: layout.admin_token(&HOUSING_FUND),
        request_lifetime: REQUEST_SECONDS,
        queries: query::configured(),
        duty: verifier::DutyConfig { service: query::DESK.to_owned() },
        x509: verifier::X509Config { chain: second_name.chain.clone(), key: second_name.key.clone() },
        http: http(layout, authority, &HOUSING_FUND)?,
        ledger: verifier::LedgerConfig {
            url: layout.ledger(DEPARTMENTS.len().saturating_sub(1)),
            trust_root: layout.trust_root(),
        },
        evidence: verifier::EvidenceConfig { refresh: 1, ..defaults.evidence },
        fetch: fetch(layout),
        ..defaults
    })
}

fn http(layout: &Layout, authority: &Authority, member: &Member) -> Result<HttpConfig> {
    let files = authority.certify(member.id, layout.host(member))?;
    Ok(HttpConfig {
        listen: layout.address(member),
        certificate: files.certificate,
        key: files.key,
        plain: layout.is_plain(),
        // All of this world comes from one address, and tests come with crowds.
        connections_per_address: HttpConfig::default().connections,
        rates: RateConfig { reads: 0, posts: 0, admin: 0, errands: 0, sign_ins: 0 },
        ..HttpConfig::default()
    })
}

/// How members of this world reach each other: all of it lies on this machine, where strangers may not be sent to.
#[must_use]
pub fn fetch(layout: &Layout) -> FetchConfig {
    FetchConfig {
        ca: layout.ca(),
        allow_private: vec!["127.0.0.0/8".to_owned(), NAMESPACE_NETWORK.to_owned()],
        allow_plain: layout.is_plain(),
        ..FetchConfig::default()
    }
}

fn index_of(layout: &Layout, founded: &Founded) -> Index {
    let entry = |member: &Member, did: &Did| ServiceEntry {
        id: member.id.to_owned(),
        did: did.to_string(),
        url: layout.url(member),
        admin_token_file: layout.admin_token(member),
        client_ids: Vec::new(),
    };
    let names = [ClientId::of_did(&founded.housing_fund), founded.second_name.client_id.clone()];
    let client_ids = names.iter().map(ToString::to_string).collect();
    let departments = DEPARTMENTS.iter().zip(&founded.departments);
    Index {
        ledger: LedgerEntry { url: layout.url(&LEADER) },
        issuers: departments.map(|(department, did)| entry(&department.member, did)).collect(),
        verifiers: vec![ServiceEntry { client_ids, ..entry(&HOUSING_FUND, &founded.housing_fund) }],
        ca: layout.ca(),
        trust_root: layout.trust_root(),
    }
}
