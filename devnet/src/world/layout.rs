//! Where everything lies and listens. Nothing here touches the disk.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use identity_core::sd_jwt_vc::BuiltInType;

use crate::sample::{self, Table};

/// Name of the chain.
pub const CHAIN: &str = "devnet";

/// What the housing fund is accredited to ask for, and for what.
pub const PURPOSE: &str = "housing-fund-loan";

/// A department or service of the sample consortium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its id in `devnet.json`, and the name of its directory.
    pub id: &'static str,
    /// Its public name in English.
    pub name_en: &'static str,
    /// Its public name in Chinese.
    pub name_zh: &'static str,
    /// Its port, counted from the first.
    port: u16,
}

/// A credential type that a department issues.
#[derive(Debug, Clone, Copy)]
pub struct CredentialType {
    /// The credential configuration that is offered.
    pub configuration: &'static str,
    /// The type's name on the ledger.
    pub vct: &'static str,
    /// Makes the table of its sample subjects, from a seed and a count.
    pub sample: fn(u64, usize) -> Table,
}

impl CredentialType {
    /// The exact bytes of the type's metadata, whose digest stands on the ledger.
    ///
    /// # Errors
    /// A type that this release does not have.
    pub fn metadata(&self) -> anyhow::Result<&'static str> {
        let known = BuiltInType::of(self.configuration);
        Ok(known.with_context(|| format!("there is no type {}", self.configuration))?.metadata)
    }
}

/// A department that issues.
#[derive(Debug, Clone, Copy)]
pub struct Department {
    /// Who it is.
    pub member: Member,
    /// The type it is known for.
    pub main: CredentialType,
    /// What it issues beside.
    pub others: &'static [CredentialType],
}

impl Department {
    /// Everything that it issues.
    pub fn types(&self) -> impl Iterator<Item = &CredentialType> {
        [&self.main].into_iter().chain(self.others)
    }
}

/// Leads the consortium: accredits the others and runs the ledger node.
pub const LEADER: Member =
    Member { id: "data-bureau", name_en: "Data Bureau (sample)", name_zh: "数据局（样本）", port: 0 };

/// Issues resident identities and residence permits.
pub const PUBLIC_SECURITY: Department = Department {
    member: Member {
        id: "public-security",
        name_en: "Public Security Bureau (sample)",
        name_zh: "公安局（样本）",
        port: 1,
    },
    main: CredentialType {
        configuration: "resident-identity",
        vct: "urn:xinfu:credential:resident-identity:1",
        sample: sample::residents,
    },
    others: &[CredentialType {
        configuration: "residence-permit",
        vct: "urn:xinfu:credential:residence-permit:1",
        sample: sample::permits,
    }],
};

/// Issues business licences and electronic licences for their trades.
pub const MARKET_REGULATION: Department = Department {
    member: Member {
        id: "market-regulation",
        name_en: "Market Regulation Bureau (sample)",
        name_zh: "市场监督管理局（样本）",
        port: 2,
    },
    main: CredentialType {
        configuration: "business-licence",
        vct: "urn:xinfu:credential:business-licence:1",
        sample: sample::businesses,
    },
    others: &[CredentialType {
        configuration: "e-licence",
        vct: "urn:xinfu:credential:e-licence:1",
        sample: sample::licences,
    }],
};

/// What an official's wallet holds: the key that it is bound to is the key of the duty.
pub const OFFICIAL_DUTY: CredentialType = CredentialType {
    configuration: "official-duty",
    vct: "urn:xinfu:credential:official-duty:1",
    sample: sample::officials,
};

/// Issues statements of social insurance, and, as it keeps the staff of the departments, officials' duties.
pub const SOCIAL_SECURITY: Department = Department {
    member: Member {
        id: "social-security",
        name_en: "Human Resources and Social Security Bureau (sample)",
        name_zh: "人力资源和社会保障局（样本）",
        port: 4,
    },
    main: CredentialType {
        configuration: "social-insurance",
        vct: "urn:xinfu:credential:social-insurance:1",
        sample: sample::insured,
    },
    others: &[OFFICIAL_DUTY],
};

/// Issues certificates of higher education.
pub const UNIVERSITY: Department = Department {
    member: Member { id: "university", name_en: "Sample University", name_zh: "样本大学", port: 5 },
    main: CredentialType { configuration: "degree", vct: "urn:xinfu:credential:degree:1", sample: sample::graduates },
    others: &[],
};

/// The departments that issue.
pub const DEPARTMENTS: [Department; 4] = [PUBLIC_SECURITY, MARKET_REGULATION, SOCIAL_SECURITY, UNIVERSITY];

/// Asks residents for a few claims.
pub const HOUSING_FUND: Member =
    Member {
        id: "housing-fund", name_en: "Housing Fund Centre (sample)", name_zh: "住房公积金中心（样本）", port: 3
    };

/// Who runs a ledger node beside the leader's, where several validators order together.
pub const VALIDATORS: [Member; 6] = [
    validator("validator-1", "Second validator (sample)", "第二验证节点（样本）", 10),
    validator("validator-2", "Third validator (sample)", "第三验证节点（样本）", 11),
    validator("validator-3", "Fourth validator (sample)", "第四验证节点（样本）", 12),
    validator("validator-4", "Fifth validator (sample)", "第五验证节点（样本）", 13),
    validator("validator-5", "Sixth validator (sample)", "第六验证节点（样本）", 14),
    validator("validator-6", "Seventh validator (sample)", "第七验证节点（样本）", 15),
];

const fn validator(id: &'static str, name_en: &'static str, name_zh: &'static str, port: u16) -> Member {
    Member { id, name_en, name_zh, port }
}

/// Port where the first validator meets the others, counted from the first.
const PEER_PORT: u16 = 20;

/// Addresses of ledger nodes that each have a network of their own: taken by nobody, because that network is made for them.
pub const NAMESPACE_NETWORK: &str = "10.77.0.0/24";

/// The address of the ledger node at a place in that network.
#[must_use]
pub fn namespace_host(place: usize) -> Option<Ipv4Addr> {
    let number = u8::try_from(place).ok()?.checked_add(1)?;
    Some(Ipv4Addr::new(10, 77, 0, number))
}

/// The directory of the world, and how its services are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
    port_base: u16,
    plain: bool,
    validators: usize,
    /// Whether each ledger node has a network of its own.
    namespaces: bool,
}

impl Layout {
    /// The world in `root`, listening on ports from `port_base`.
    #[must_use]
    pub fn new(root: &Path, port_base: u16, plain: bool) -> Self {
        Self { root: root.to_owned(), port_base, plain, validators: 1, namespaces: false }
    }

    /// The same with so many ledger nodes, at most one more than [`VALIDATORS`].
    #[must_use]
    pub fn with_validators(self, validators: usize) -> Self {
        Self { validators: validators.clamp(1, VALIDATORS.len().saturating_add(1)), ..self }
    }

    /// The same with each ledger node in a network of its own, at [`namespace_host`] instead of loopback.
    #[must_use]
    pub fn in_namespaces(self) -> Self {
        Self { namespaces: true, ..self }
    }

    /// Who runs the ledger nodes, the leader first.
    pub fn validators(&self) -> impl Iterator<Item = &'static Member> + use<> {
        [&LEADER].into_iter().chain(&VALIDATORS).take(self.validators)
    }

    /// Whether several validators order together.
    #[must_use]
    pub fn is_consortium(&self) -> bool {
        self.validators > 1
    }

    /// The ledger node that the service at a place among its like asks: all of them get asked.
    #[must_use]
    pub fn ledger(&self, place: usize) -> String {
        let nodes: Vec<_> = self.validators().collect();
        let chosen = place.checked_rem(nodes.len()).and_then(|place| nodes.get(place));
        self.url(chosen.unwrap_or(&&LEADER))
    }

    /// The directory of a ledger node as founding the chain made it.
    #[must_use]
    pub fn node(&self, place: usize) -> PathBuf {
        let chain = self.directory(&LEADER);
        if self.is_consortium() { chain.join(format!("node{place}")) } else { chain }
    }

    /// Where the other validators reach the one at a place.
    #[must_use]
    pub fn peer(&self, place: u16) -> String {
        format!("{}:{}", self.node_host(place.into()), self.port_base.saturating_add(PEER_PORT).saturating_add(place))
    }

    /// The directory of everything.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether services speak HTTP without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// `host:port` that a member's service listens on.
    #[must_use]
    pub fn address(&self, member: &Member) -> String {
        format!("{}:{}", self.host(member), self.port_base.saturating_add(member.port))
    }

    /// Where a member's service is.
    #[must_use]
    pub fn host(&self, member: &Member) -> Ipv4Addr {
        let node = self.validators().position(|validator| validator == member);
        node.map_or(Ipv4Addr::LOCALHOST, |place| self.node_host(place))
    }

    fn node_host(&self, place: usize) -> Ipv4Addr {
        namespace_host(place).filter(|_| self.namespaces).unwrap_or(Ipv4Addr::LOCALHOST)
    }

    /// The base URL of a member's service.
    #[must_use]
    pub fn url(&self, member: &Member) -> String {
        format!("{}://{}", if self.plain { "http" } else { "https" }, self.address(member))
    }

    /// The directory of a member.
    #[must_use]
    pub fn directory(&self, member: &Member) -> PathBuf {
        self.root.join(member.id)
    }

    /// The directory of a member's keys.
    #[must_use]
    pub fn keys(&self, member: &Member) -> PathBuf {
        self.directory(member).join("keys")
    }

    /// The configuration file of a member's service.
    #[must_use]
    pub fn config(&self, member: &Member) -> PathBuf {
        self.directory(member).join("config.toml")
    }

    /// The admin token of a member's service.
    #[must_use]
    pub fn admin_token(&self, member: &Member) -> PathBuf {
        self.directory(member).join("admin.token")
    }

    /// The directory of certificates.
    #[must_use]
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// The certificate authority, for others to trust.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.tls().join("ca.pem")
    }

    /// The trust root, for others to believe.
    #[must_use]
    pub fn trust_root(&self) -> PathBuf {
        self.root.join("trust-root.policy")
    }

    /// The ledger's address when the world was founded.
    #[must_use]
    pub fn founded_at(&self) -> PathBuf {
        self.root.join("founded-at")
    }

    /// The list of all addresses, there while the world can be used.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.root.join("devnet.json")
    }

    /// The record of the journey.
    #[must_use]
    pub fn journey(&self) -> PathBuf {
        self.root.join("journey.json")
    }

    /// The directory of the case that was verified offline, for others to check.
    #[must_use]
    pub fn case(&self) -> PathBuf {
        self.root.join("case")
    }

    /// The wallet's vault.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.root.join("wallet")
    }

    /// The file with the wallet's passphrase: this is a sample wallet.
    #[must_use]
    pub fn passphrase(&self) -> PathBuf {
        self.root.join("wallet.passphrase")
    }
}
