//! The service as its flows and handlers see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use identity_core::crypto::Signer as _;
use identity_core::oauth::metadata::AuthorizationServerMetadata;
use identity_core::oid4vci::issuer::Issuer;
use identity_core::oid4vci::issuer_keys::JwtVcIssuerMetadata;
use identity_core::oid4vci::metadata::{BatchIssuance, CredentialIssuerMetadata, Display};
use identity_core::status::Bits;
use service_kit::chance::Chance;
use service_kit::clock::Clock;
use service_kit::config::ConfigError;
use service_kit::store::StoreError;
use tokio::sync::Mutex;
use url::Url;

use crate::config::Config;
use crate::counters::Counters;
use crate::flow::order::ServiceAccount;
use crate::job::anchor::Anchoring;
use crate::keys::Keys;
use crate::kind::Kind;
use crate::ports::{Ledger, Ports};
use crate::status::StatusLists;
use crate::store::Records;

/// Everything that requests are answered with.
pub(crate) struct Service {
    pub config: Config,
    pub issuer: Issuer,
    pub kinds: BTreeMap<String, Kind>,
    pub keys: Keys,
    pub records: Records,
    pub lists: StatusLists,
    pub anchoring: Anchoring,
    /// Orders what no official orders, where the operator has set one up.
    pub account: Option<ServiceAccount>,
    pub ledger: Arc<dyn Ledger>,
    pub counters: Counters,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
    identifier: Url,
}

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Service {
    pub(crate) async fn build(
        config: Config,
        mut keys: Keys,
        secret: identity_core::oid4vci::secrets::IssuerSecret,
        ports: &Ports,
        counters: Counters,
    ) -> Result<Self, BuildError> {
        config.check()?;
        let identifier = config.identifier()?;
        let mut kinds = BTreeMap::new();
        for name in &config.credentials {
            let kind = Kind::read(name, keys.assertion.alg(), config.credential.decoys, config.status_bits(name)?);
            let kind = kind.ok_or_else(|| ConfigError::invalid("credentials", "has a type that cannot be issued"))?;
            kinds.insert(name.clone(), kind);
        }
        let issuer = Issuer {
            identifier: config.url.clone(),
            configurations: kinds.iter().map(|(name, kind)| (name.clone(), kind.configuration.clone())).collect(),
            policy: config.policy(),
            secret,
        };
        let account = keys.duty.take().filter(|_| !config.duty.service.is_empty()).map(|key| ServiceAccount {
            duty: config.duty.service.clone(),
            basis: config.duty.basis.clone(),
            key,
            known: Mutex::default(),
        });
        if account.is_none() && !config.duty.service.is_empty() {
            return Err(ConfigError::invalid("duty.service", "has no key: give it by `duties give --service`").into());
        }
        let records = Records::new(Arc::clone(&ports.store), Arc::clone(&ports.clock));
        let bits: BTreeSet<Bits> = kinds.values().map(|kind: &Kind| kind.status_bits).collect();
        let lists = StatusLists::open(&records, config.status.size, bits).await?;
        Ok(Self {
            anchoring: Anchoring::new(),
            account,
            ledger: Arc::clone(&ports.ledger),
            clock: Arc::clone(&ports.clock),
            chance: Arc::clone(&ports.chance),
            config,
            issuer,
            kinds,
            keys,
            records,
            lists,
            counters,
            identifier,
        })
    }

    /// The URL that we are known under.
    pub(crate) fn identifier(&self) -> &Url {
        &self.identifier
    }

    /// The URL of one of our endpoints.
    pub(crate) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.identifier)
    }

    /// The path that our endpoints are mounted under; empty if the identifier has none.
    pub(crate) fn base_path(&self) -> &str {
        self.identifier.path().trim_end_matches('/')
    }

    /// Where a status list is.
    pub(crate) fn status_uri(&self, list: u32) -> String {
        self.endpoint(&format!("/status/{list}"))
    }

    /// Where all status lists are named.
    pub(crate) fn aggregation_uri(&self) -> String {
        self.endpoint("/status")
    }

    pub(crate) fn metadata(&self) -> CredentialIssuerMetadata {
        let configurations = self.issuer.configurations.iter();
        let display = |name: &str, locale: &str| Display {
            name: Some(name.to_owned()),
            locale: Some(locale.to_owned()),
            description: None,
        };
        CredentialIssuerMetadata {
            credential_issuer: self.issuer.identifier.clone(),
            authorization_servers: None,
            credential_endpoint: self.endpoint("/credential"),
            nonce_endpoint: Some(self.endpoint("/nonce")),
            batch_credential_issuance: Some(BatchIssuance { batch_size: self.issuer.policy.batch_size }),
            status_list_aggregation_endpoint: Some(self.aggregation_uri()),
            display: vec![display(&self.config.name_zh, "zh-CN"), display(&self.config.name_en, "en")],
            credential_configurations_supported: configurations
                .map(|(name, configuration)| (name.clone(), serde_json::to_value(configuration).unwrap_or_default()))
                .collect(),
        }
    }

    pub(crate) fn server_metadata(&self) -> AuthorizationServerMetadata {
        AuthorizationServerMetadata {
            status_list_aggregation_endpoint: Some(self.aggregation_uri()),
            ..AuthorizationServerMetadata::pre_authorized(&self.issuer.identifier, &self.endpoint("/token"))
        }
    }

    pub(crate) fn key_metadata(&self) -> JwtVcIssuerMetadata {
        JwtVcIssuerMetadata::new(
            &self.issuer.identifier,
            std::iter::once(&self.keys.assertion_jwk()).chain(&self.keys.identity.former_keys),
        )
    }
}
