//! The service as its flows and handlers see it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::kb_jwt::Window;
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::ClientId;
use identity_core::sd_jwt_vc::{BUILT_IN, TypeMetadata};
use identity_core::verdict::{self, AcceptedType, AnchorRule, Freshness, OnUndetermined};
use service_kit::chance::Chance;
use service_kit::clock::Clock;
use service_kit::config::ConfigError;
use service_kit::fetch::Fetch;
use service_kit::ledger_client::LedgerClient;
use service_kit::store::{Store, StoreError};
use url::Url;

use crate::client::{Client, ClientError, Prefix};
use crate::config::Config;
use crate::evidence::{EvidenceCache, Source};
use crate::keys::RequestKey;
use crate::policy::{AnchorPolicy, NamedQuery, Policy, named_queries};
use crate::receipts::Receipts;
use crate::store::VerifierStore;

/// The world as the service sees it; tests hand in one of their own.
#[derive(Clone)]
pub struct Ports {
    /// Where records live.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub chance: Arc<dyn Chance>,
    /// How others are reached.
    pub fetch: Arc<dyn Fetch>,
}

/// Everything that requests are made of and responses judged by.
pub(crate) struct Verifier {
    /// Who we are on the ledger.
    pub(crate) did: Did,
    client: Client,
    certified: Option<Client>,
    pub(crate) url: Url,
    pub(crate) transport: Transport,
    pub(crate) request_lifetime: i64,
    pub(crate) store: VerifierStore,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) evidence: EvidenceCache,
    pub(crate) receipts: Receipts,
    queries: BTreeMap<String, NamedQuery>,
    types: Vec<AcceptedType>,
    /// What stands in the metadata of each type, by its name.
    metadata: BTreeMap<String, String>,
    pub(crate) freshness: Freshness,
    /// Seconds that answers are kept.
    pub(crate) keep_cases: u32,
    /// The law by which records without values are kept, in its words.
    pub(crate) records_basis: String,
    /// Duty number of the service account, if there is one.
    pub(crate) service_duty: Option<String>,
    /// Its key.
    pub(crate) duty_key: Option<SecretKey>,
}

/// The keys we sign with, and the names that we have by them.
pub(crate) struct Names {
    /// Signs requests.
    pub(crate) key: RequestKey,
    /// Signs requests under a certificate.
    pub(crate) certified: Option<Client>,
    /// Signs as the service account.
    pub(crate) duty_key: Option<SecretKey>,
}

/// Why the service cannot be put together. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of type metadata.
    #[error("{}: {detail}", .path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The certificate.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Verifier {
    pub(crate) async fn build(
        config: &Config,
        names: Names,
        ledger: LedgerClient,
        receipts: Receipts,
        ports: &Ports,
    ) -> Result<Self, BuildError> {
        config.check()?;
        let Names { key, certified, duty_key } = names;
        let queries = named_queries(&config.queries, config.keep_cases)?;
        let (types, metadata): (Vec<_>, BTreeMap<_, _>) =
            type_metadata(&config.types)?.into_iter().map(|read| (read.accepted, (read.name, read.text))).unzip();
        let records = i64::from(config.keep_records);
        let store = VerifierStore::new(
            Arc::clone(&ports.store),
            Arc::clone(&ports.clock),
            records,
            i64::from(config.keep_cases),
        );
        let leeway = i64::from(config.evidence.leeway);
        let freshness = Freshness { max_age: i64::from(config.evidence.max_age), leeway };
        let source = Source::new(ledger, Arc::clone(&ports.fetch));
        let own = key.id.did().clone();
        let types_known = metadata.keys().cloned().collect();
        let service_duty = Some(config.duty.service.clone()).filter(|duty| !duty.is_empty());
        let evidence = EvidenceCache::new(source, store.clone(), freshness, own, service_duty.clone(), types_known);
        evidence.load().await?;
        Ok(Self {
            did: key.id.did().clone(),
            client: Client::by_did(key),
            certified,
            url: config.base_url()?,
            transport: config.transport(),
            request_lifetime: i64::from(config.request_lifetime),
            store,
            clock: Arc::clone(&ports.clock),
            chance: Arc::clone(&ports.chance),
            evidence,
            receipts,
            queries,
            types,
            metadata,
            freshness,
            keep_cases: config.keep_cases,
            records_basis: config.records_basis.clone(),
            service_duty,
            duty_key,
        })
    }

    /// Who we are under this prefix; none if we have no such name.
    pub(crate) fn client(&self, prefix: Prefix) -> Option<&Client> {
        match prefix {
            Prefix::DecentralizedIdentifier => Some(&self.client),
            Prefix::X509Hash => self.certified.as_ref(),
        }
    }

    /// Who we are under the name that a request was made under; none if that certificate was replaced since.
    pub(crate) fn client_named(&self, id: &ClientId) -> Option<&Client> {
        [Some(&self.client), self.certified.as_ref()].into_iter().flatten().find(|client| client.id == *id)
    }

    /// The configured queries by name.
    pub(crate) fn queries(&self) -> &BTreeMap<String, NamedQuery> {
        &self.queries
    }

    /// The metadata of a type that we understand, as its digest stands on the ledger, and of those it extends.
    pub(crate) fn metadata(&self, vct: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut wanted = Some(vct.to_owned());
        while let Some(text) = wanted.take().and_then(|vct| self.metadata.get(&vct)) {
            found.push(text.as_str());
            // Read at the start, and found without loops.
            wanted = TypeMetadata::parse(text.as_bytes()).ok().and_then(|metadata| metadata.extends);
        }
        found
    }

    /// What a verdict demands under the policy of a request.
    pub(crate) fn demands(&self, policy: &Policy) -> verdict::Policy {
        verdict::Policy {
            evidence: self.freshness,
            holder: Window { max_age: self.request_lifetime, leeway: self.freshness.leeway },
            leeway: self.freshness.leeway,
            anchor: match policy.anchor {
                AnchorPolicy::Required => AnchorRule::Required,
                AnchorPolicy::Optional => AnchorRule::Optional,
            },
            undetermined: match policy.accept_undetermined_status {
                true => OnUndetermined::Accept,
                false => OnUndetermined::Refuse,
            },
            undetermined_for: BTreeMap::new(),
            types: self.types.clone(),
        }
    }
}

/// A type that is understood.
struct ReadType {
    name: String,
    text: String,
    accepted: AcceptedType,
}

fn type_metadata(files: &[PathBuf]) -> Result<Vec<ReadType>, BuildError> {
    let mut texts: Vec<(PathBuf, String)> = Vec::new();
    for known in BUILT_IN {
        texts.push((known.name.into(), known.metadata.to_owned()));
    }
    for path in files {
        let metadata = std::fs::read_to_string(path);
        let failed = |error: std::io::Error| BuildError::Type { path: path.clone(), detail: error.to_string() };
        texts.push((path.clone(), metadata.map_err(failed)?));
    }
    // A type may extend any other of them.
    let all: Vec<&[u8]> = texts.iter().map(|(_, text)| text.as_bytes()).collect();
    let read = |(path, text): &(PathBuf, String)| {
        let failed = |detail| BuildError::Type { path: path.clone(), detail };
        read_type(text, &all).map_err(failed)
    };
    texts.iter().map(read).collect()
}

fn read_type(text: &str, all: &[&[u8]]) -> Result<ReadType, String> {
    let name = TypeMetadata::parse(text.as_bytes()).map_err(|error| error.to_string())?.vct;
    let accepted = AcceptedType::extending(text.as_bytes(), all).map_err(|error| error.to_string())?;
    Ok(ReadType { name, text: text.to_owned(), accepted })
}
