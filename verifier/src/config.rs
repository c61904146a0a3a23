//! The configuration file of this service.

use std::collections::BTreeMap;
use std::path::PathBuf;

use identity_core::duty::is_basis;
use identity_core::oauth::url::{Transport, parse_identifier};
use identity_core::registry::is_duty_number;
use service_kit::config;
use service_kit::config::ConfigError;
use service_kit::fetch::FetchConfig;
use service_kit::http::HttpConfig;
use service_kit::key_guard::{GuardError, KeyGuard};
use url::Url;

use crate::policy::QueryConfig;

config! {
    /// Configuration of xinfu-verifier, a service that asks for presentations over OpenID4VP 1.0.
    pub struct Config {
        /// Base URL under which wallets reach this service, as it stands on the ledger; no slash at its end.
        pub url: String = "https://127.0.0.1:9450".into(),
        /// Directory of the store. One process at a time.
        pub data: PathBuf = PathBuf::from("verifier-data"),
        /// Where the data is kept: `redb`; or `sled`, for programs built with it, which is not durable on power loss.
        pub store: String = "redb".to_owned(),
        /// Directory of the keys that `xinfu-verifier init` makes.
        pub keys: PathBuf = PathBuf::from("verifier-keys"),
        /// File with the passphrase that encrypts the key files, on its first line; mode 0600. Empty: see the next key.
        pub key_passphrase_file: PathBuf = PathBuf::new(),
        /// Program and arguments that print the passphrase, run without a shell. Empty, and no file: key files are not
        /// encrypted. After setting either, `xinfu-verifier protect` encrypts the files there are.
        pub key_passphrase_command: Vec<String> = Vec::new(),
        /// File with the bearer token of the admin API, mode 0600. Made at the first start if it is not there.
        pub admin_token: PathBuf = PathBuf::from("verifier-keys/admin.token"),
        /// Seconds a request may be answered. Short: a photographed QR code stays useful this long.
        pub request_lifetime: u32 = 300,
        /// Seconds that presentations, claims and the evidence of their verdict are kept. Until then claims can be
        /// fetched and the verdict judged again; then they are erased. `DELETE /admin/requests/{id}` erases at once.
        pub keep_cases: u32 = 3600,
        /// Seconds that a request is kept and how it ended, without claims: until then its result can be asked for, with
        /// number and salt of its case, and `xinfu-verifier evidence` can write what others check. Receipts are kept for
        /// ever.
        pub keep_records: u32 = 86_400,
        /// The law by which receipts, and for their time requests and verdicts, are kept also after a withdrawal, in its
        /// words: acknowledgements state it.
        pub records_basis: String = "Personal Information Protection Law, article 56 (《个人信息保护法》第五十六条)".to_owned(),
        /// Metadata files of credential types understood beside the built-in ones.
        pub types: Vec<PathBuf> = Vec::new(),
        /// Questions by name, one table each (put them at the end of the file and delete the line below):
        ///   [queries.sample]
        ///   purpose = "housing-fund"          # must be accredited to us on the ledger
        ///   basis = "…"                       # the legal basis, in the words of the law
        ///   retention_days = 30               # how long you keep the answer
        ///   holder_signs = true               # false for wallets that cannot sign what the data is wanted for
        ///   required_by_law = { basis = "…", days = 30 }  # only where a law makes the answer stay after a withdrawal
        ///   anchor = "required"               # or "optional"
        ///   undetermined_status = "refuse"    # or "accept"
        ///   dcql = '{"credentials": [ … ]}'   # OpenID4VP 1.0 §6
        pub queries: BTreeMap<String, QueryConfig> = BTreeMap::new(),
        /// Who answers for requests where no official is named.
        pub duty: DutyConfig,
        /// A second name for wallets that know certificates and no DIDs.
        pub x509: X509Config,
        /// Where and how to listen.
        pub http: HttpConfig,
        /// The ledger.
        pub ledger: LedgerConfig,
        /// What is kept at hand to judge without asking anyone.
        pub evidence: EvidenceConfig,
        /// How others are reached.
        pub fetch: FetchConfig,
    }
}

config! {
    /// Who answers for requests where no official is named.
    pub struct DutyConfig {
        /// Duty number of the service account, as given by `xinfu-verifier duties give --service`. Empty: each request
        /// needs an official's signature.
        pub service: String = String::new(),
    }
}

config! {
    /// A second name for wallets that know certificates and no DIDs (client identifier prefix `x509_hash`). The key
    /// must stand on the ledger under `authentication` of our DID, with its thumbprint registered.
    pub struct X509Config {
        /// PEM file of the certificates, ours first, without the anchor that wallets have. Empty: none is used.
        pub chain: PathBuf = PathBuf::new(),
        /// File of its private key, as `init` writes keys (JWK).
        pub key: PathBuf = PathBuf::new(),
    }
}

config! {
    /// The ledger.
    pub struct LedgerConfig {
        /// Base URL of a ledger node.
        pub url: String = "https://127.0.0.1:9440".into(),
        /// The trust root, a `tlog-policy` file, obtained out of band. Everything read from the ledger is checked
        /// against it; the node itself is trusted for nothing.
        pub trust_root: PathBuf = PathBuf::from("trust-root.policy"),
    }
}

config! {
    /// What is kept at hand to judge without asking anyone.
    pub struct EvidenceConfig {
        /// Seconds after which proofs from the ledger are too old to judge by.
        pub max_age: u32 = 86_400,
        /// Seconds between refreshes in the background.
        pub refresh: u32 = 30,
        /// Seconds that clocks may differ.
        pub leeway: u32 = 60,
    }
}

impl Config {
    /// What guards the key files.
    ///
    /// # Errors
    /// A passphrase that is configured and cannot be had.
    pub fn key_guard(&self) -> Result<KeyGuard, GuardError> {
        KeyGuard::configured(&self.key_passphrase_file, &self.key_passphrase_command)
    }

    /// Which URL schemes are spoken.
    #[must_use]
    pub fn transport(&self) -> Transport {
        if self.http.plain { Transport::PlainForDebugging } else { Transport::HttpsOnly }
    }

    /// The base URL.
    ///
    /// # Errors
    /// [`ConfigError`] naming the rule.
    pub fn base_url(&self) -> Result<Url, ConfigError> {
        if self.url.ends_with('/') {
            return Err(ConfigError::invalid("url", "must not end in a slash"));
        }
        parse_identifier(&self.url, self.transport())
            .map_err(|refusal| ConfigError::invalid("url", refusal.to_string()))
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// [`ConfigError`] naming key and rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.base_url()?;
        if !(10..=86_400).contains(&self.request_lifetime) {
            return Err(ConfigError::invalid("request_lifetime", "must be between 10 and 86400"));
        }
        // A nonce must be remembered for as long as its request may be answered.
        if self.keep_records < self.request_lifetime {
            return Err(ConfigError::invalid("keep_records", "must not be below request_lifetime"));
        }
        if !is_basis(&self.records_basis) {
            return Err(ConfigError::invalid("records_basis", "must be some printable text of at most 256 characters"));
        }
        if self.evidence.refresh == 0 {
            return Err(ConfigError::invalid("evidence.refresh", "must be at least 1"));
        }
        if self.evidence.max_age <= self.evidence.refresh {
            return Err(ConfigError::invalid("evidence.max_age", "must be above evidence.refresh"));
        }
        if !self.duty.service.is_empty() && !is_duty_number(&self.duty.service) {
            return Err(ConfigError::invalid("duty.service", "is no duty number"));
        }
        Ok(())
    }
}
