//! What an operator sets, in one documented TOML file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use identity_core::duty::{MAX_BASIS_CHARS, is_basis};
use identity_core::oauth::url::{Transport, parse_identifier};
use identity_core::oid4vci::issuer::Policy;
use identity_core::registry::is_duty_number;
use identity_core::status::{Bits, StatusList};
use service_kit::config::ConfigError;
use service_kit::fetch::FetchConfig;
use service_kit::http::HttpConfig;
use service_kit::key_guard::{GuardError, KeyGuard};
use url::Url;

use crate::kind;

/// Bits of an entry, for types that the configuration does not name: revoking, and suspending what was lost.
const DEFAULT_BITS: u8 = 2;

service_kit::config! {
    /// A department that issues credentials over OpenID4VCI 1.0.
    pub struct Config {
        /// The credential issuer identifier: the https URL that wallets know the department by, without a slash at
        /// the end. It stands in every credential as `iss` and, once, on the ledger.
        pub url: String = "https://127.0.0.1:9440".to_owned(),
        /// The department's name in English, shown by wallets.
        pub name_en: String = "Sample department".to_owned(),
        /// The department's name in Chinese.
        pub name_zh: String = "样本部门".to_owned(),
        /// The credential types it issues: `resident-identity`, `residence-permit`, `social-insurance`, `degree`,
        /// `business-licence`, `e-licence`, `official-duty`.
        pub credentials: Vec<String> = vec!["resident-identity".to_owned()],
        /// Directory of the store. One process at a time.
        pub data: PathBuf = PathBuf::from("issuer-data"),
        /// Where the data is kept: `redb`; or `sled`, for programs built with it, which is not durable on power loss.
        pub store: String = "redb".to_owned(),
        /// Directory of the keys that `xinfu-issuer init` makes.
        pub keys: PathBuf = PathBuf::from("issuer-keys"),
        /// File with the passphrase that encrypts the key files, on its first line; mode 0600. Empty: see the next key.
        pub key_passphrase_file: PathBuf = PathBuf::new(),
        /// Program and arguments that print the passphrase, run without a shell. Empty, and no file: key files are not
        /// encrypted. After setting either, `xinfu-issuer protect` encrypts the files there are.
        pub key_passphrase_command: Vec<String> = Vec::new(),
        /// File with the bearer token of the admin API, mode 0600. Made at the first start if it is not there.
        pub admin_token: PathBuf = PathBuf::from("issuer-keys/admin.token"),
        /// Where and how it listens.
        pub http: HttpConfig,
        /// Who answers for what no official ordered.
        pub duty: DutyConfig,
        /// Offers, codes and tokens.
        pub offers: OfferConfig,
        /// The credentials themselves.
        pub credential: CredentialConfig,
        /// Status lists.
        pub status: StatusConfig,
        /// The ledger that digests are anchored on.
        pub ledger: LedgerConfig,
        /// How the ledger is reached.
        pub fetch: FetchConfig,
    }
}

service_kit::config! {
    /// Who answers for what no official ordered.
    pub struct DutyConfig {
        /// Duty number of the service account, as given by `xinfu-issuer duties give --service`. Empty: each import, offer,
        /// revocation, suspension and reinstatement needs an official's order.
        pub service: String = String::new(),
        /// Legal basis of what the service account does, in the words of the law.
        pub basis: String = String::new(),
    }
}

service_kit::config! {
    /// Offers, codes and tokens.
    pub struct OfferConfig {
        /// Seconds an offer holds, unless its request says otherwise.
        pub valid_for: u32 = 600,
        /// The most seconds a request may ask for.
        pub max_valid_for: u32 = 86_400,
        /// Digits of the transaction code, 4 to 12, or 0 for none.
        pub tx_code_digits: u8 = 6,
        /// Wrong transaction codes that lock an offer.
        pub max_wrong_guesses: u8 = 5,
        /// Seconds an access token holds.
        pub token_lifetime: u32 = 600,
        /// Seconds a nonce holds.
        pub nonce_lifetime: u32 = 300,
        /// The most copies, each with its own key, that a wallet gets from one offer. At least 2.
        pub batch_size: usize = 10,
    }
}

service_kit::config! {
    /// The credentials themselves.
    pub struct CredentialConfig {
        /// Days a credential holds.
        pub valid_days: u32 = 365,
        /// Decoy digests at the top level, so that the number of digests does not tell which claims there are.
        pub decoys: usize = 4,
    }
}

service_kit::config! {
    /// Status lists.
    pub struct StatusConfig {
        /// Credentials per list. Below 131072 a holder's index says too much about the holder.
        pub size: u32 = 131_072,
        /// Bits of an entry, by credential type: 1, 2, 4 or 8; 2 for types not named. With 1 a credential can be
        /// revoked and nothing else, with more it can also be suspended and reinstated. Credentials keep the list
        /// that they were issued with.
        pub bits: BTreeMap<String, u8> = BTreeMap::new(),
        /// Seconds a verifier may keep a list before asking again: a revocation is seen everywhere after this.
        pub ttl: u32 = 60,
        /// Seconds until a list that could not be renewed is worthless. Longer than `ttl`.
        pub lifetime: u32 = 86_400,
    }
}

service_kit::config! {
    /// The ledger that digests are anchored on.
    pub struct LedgerConfig {
        /// URL of a ledger node. Empty: credentials are issued, and wait for their anchor.
        pub url: String = String::new(),
        /// The chain's trust root, a `tlog-policy` file.
        pub trust_root: PathBuf = PathBuf::new(),
        /// Milliseconds that digests gather before they are anchored together.
        pub window_ms: u64 = 200,
        /// Seconds between tries while the ledger cannot be reached.
        pub retry_seconds: u64 = 2,
        /// Seconds that an anchor transaction is acceptable.
        pub transaction_lifetime: u32 = 600,
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

    /// The issuer identifier as a URL.
    ///
    /// # Errors
    /// [`ConfigError`] naming the rule.
    pub fn identifier(&self) -> Result<Url, ConfigError> {
        if self.url.ends_with('/') {
            return Err(ConfigError::invalid("url", "must not end in a slash"));
        }
        let transport = if self.http.plain { Transport::PlainForDebugging } else { Transport::HttpsOnly };
        parse_identifier(&self.url, transport).map_err(|refusal| ConfigError::invalid("url", refusal.to_string()))
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// [`ConfigError`] naming key and rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.identifier()?;
        if self.credentials.is_empty() {
            return Err(ConfigError::invalid("credentials", "must name at least one type"));
        }
        if let Some(unknown) = self.credentials.iter().find(|name| kind::source(name).is_none()) {
            let known: Vec<_> = kind::names().collect();
            let reason = format!("has no type `{unknown}`; there are {}", known.join(", "));
            return Err(ConfigError::invalid("credentials", reason));
        }
        if !self.duty.service.is_empty() && !is_duty_number(&self.duty.service) {
            return Err(ConfigError::invalid("duty.service", "is no duty number"));
        }
        if !self.duty.service.is_empty() && !is_basis(&self.duty.basis) {
            let reason = format!("must be 1 to {MAX_BASIS_CHARS} characters of text where `duty.service` is set");
            return Err(ConfigError::invalid("duty.basis", reason));
        }
        let offers = &self.offers;
        if offers.tx_code_digits != 0 && !(4..=12).contains(&offers.tx_code_digits) {
            return Err(ConfigError::invalid("offers.tx_code_digits", "must be 0 or between 4 and 12"));
        }
        if offers.valid_for == 0 || offers.valid_for > offers.max_valid_for {
            return Err(ConfigError::invalid("offers.valid_for", "must be between 1 and offers.max_valid_for"));
        }
        if offers.max_wrong_guesses == 0 {
            return Err(ConfigError::invalid("offers.max_wrong_guesses", "must be at least 1"));
        }
        if !(2..=64).contains(&offers.batch_size) {
            return Err(ConfigError::invalid("offers.batch_size", "must be between 2 and 64"));
        }
        self.check_status_lists()?;
        if self.status.ttl == 0 || self.status.ttl > self.status.lifetime {
            return Err(ConfigError::invalid("status.ttl", "must be between 1 and status.lifetime"));
        }
        if self.credential.valid_days == 0 {
            return Err(ConfigError::invalid("credential.valid_days", "must be at least 1"));
        }
        if self.ledger.transaction_lifetime < 30 {
            return Err(ConfigError::invalid("ledger.transaction_lifetime", "must be at least 30"));
        }
        Ok(())
    }

    fn check_status_lists(&self) -> Result<(), ConfigError> {
        let size = usize::try_from(self.status.size).unwrap_or(usize::MAX);
        for name in &self.credentials {
            let fits = StatusList::new(self.status_bits(name)?, size).is_ok();
            if !fits {
                let reason = "must be at least 131072, and at most 32 Mbit together with the bits of an entry";
                return Err(ConfigError::invalid("status.size", reason));
            }
        }
        match self.status.bits.keys().find(|name| !self.credentials.contains(name)) {
            Some(unknown) => {
                let reason = format!("names `{unknown}`, which `credentials` does not");
                Err(ConfigError::invalid("status.bits", reason))
            }
            None => Ok(()),
        }
    }

    /// The bits of a type's entries in status lists.
    pub(crate) fn status_bits(&self, name: &str) -> Result<Bits, ConfigError> {
        let count = self.status.bits.get(name).copied().unwrap_or(DEFAULT_BITS);
        Bits::from_count(u64::from(count)).ok_or_else(|| ConfigError::invalid("status.bits", "must be 1, 2, 4 or 8"))
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            token_lifetime: self.offers.token_lifetime,
            nonce_lifetime: self.offers.nonce_lifetime,
            max_wrong_guesses: self.offers.max_wrong_guesses,
            tx_code_digits: self.offers.tx_code_digits,
            batch_size: self.offers.batch_size,
        }
    }
}
