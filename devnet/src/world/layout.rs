//! Where everything lies and listens. Nothing here touches the disk.

use std::path::{Path, PathBuf};

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

/// A department that issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Department {
    /// Who it is.
    pub member: Member,
    /// The credential configuration that it offers.
    pub configuration: &'static str,
    /// The type of its credentials.
    pub vct: &'static str,
    /// The exact bytes of the type's metadata, whose digest stands on the ledger.
    pub metadata: &'static str,
}

/// Leads the consortium: accredits the others and runs the ledger node.
pub const LEADER: Member =
    Member { id: "data-bureau", name_en: "Data Bureau (sample)", name_zh: "数据局（样本）", port: 0 };

/// Issues resident identities.
pub const PUBLIC_SECURITY: Department = Department {
    member: Member {
        id: "public-security",
        name_en: "Public Security Bureau (sample)",
        name_zh: "公安局（样本）",
        port: 1,
    },
    configuration: "resident-identity",
    vct: "urn:xinfu:credential:resident-identity:1",
    metadata: include_str!("../../../schemas/credential/resident-identity.json"),
};

/// Issues business licences.
pub const MARKET_REGULATION: Department = Department {
    member: Member {
        id: "market-regulation",
        name_en: "Market Regulation Bureau (sample)",
        name_zh: "市场监督管理局（样本）",
        port: 2,
    },
    configuration: "business-licence",
    vct: "urn:xinfu:credential:business-licence:1",
    metadata: include_str!("../../../schemas/credential/business-licence.json"),
};

/// The departments that issue.
pub const DEPARTMENTS: [Department; 2] = [PUBLIC_SECURITY, MARKET_REGULATION];

/// Asks residents for a few claims.
pub const HOUSING_FUND: Member =
    Member {
        id: "housing-fund", name_en: "Housing Fund Centre (sample)", name_zh: "住房公积金中心（样本）", port: 3
    };

/// The directory of the world, and how its services are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
    port_base: u16,
    plain: bool,
}

impl Layout {
    /// The world in `root`, listening on ports from `port_base`.
    #[must_use]
    pub fn new(root: &Path, port_base: u16, plain: bool) -> Self {
        Self { root: root.to_owned(), port_base, plain }
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
        format!("127.0.0.1:{}", self.port_base.saturating_add(member.port))
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
