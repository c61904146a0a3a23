//! The consortium's leader: its keys, its DID, and the transactions by which it accredits the others.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use identity_core::{
    crypto::{Alg, SecretKey, Signer},
    did::Did,
    encoding::base64url,
    jose::Jwk,
    registry::{
        self, Accredit, AccreditationHistory, Create, CreatePayload, Envelope, KeyEntry, KeyUse, Label, Operation,
        Schema, SchemaHistory, ServiceEntry, ServiceType, make_create, make_transaction,
    },
    time::UnixSeconds,
};
use ledger::{ProvenState, sha256};
use rand::CryptoRng;
use serde::de::DeserializeOwned;
use service_kit::{keyfile, ledger_client::LedgerClient};

use super::layout::LEADER;

/// Signs transactions.
const INVOKE: &str = "invoke-1";
/// Seconds for which a transaction is acceptable.
const TRANSACTION_LIFETIME: i64 = 300;

/// The leader's keys.
pub struct Leader {
    did: Did,
    invoke: SecretKey,
}

impl Leader {
    /// Reads the leader in `directory`, or makes keys and DID there. `relay` is the key of its ledger node.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn load_or_create(
        directory: &Path,
        chain: &str,
        node_url: &str,
        relay: Option<KeyEntry>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, String)> {
        let file = directory.join("create.jws");
        let invoke = keyfile::load_or_create(&directory.join("invoke-1.jwk"), Alg::EdDsa, rng)?;
        if !file.exists() {
            let recovery = keyfile::load_or_create(&directory.join("recovery.jwk"), Alg::EdDsa, rng)?;
            let payload = payload(chain, node_url, &invoke, &recovery, relay, rng);
            let create = make_create(&payload, INVOKE, &invoke).context("the leader's DID cannot be made")?;
            std::fs::write(&file, create.as_str())?;
        }
        let create = Create::parse(&std::fs::read_to_string(&file)?).context("the leader's DID is damaged")?;
        Ok((Self { did: create.did().clone(), invoke }, create.as_str().to_owned()))
    }

    /// Its DID.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// Brings what `operation` says onto the ledger and waits until that is certified. Answers the log index.
    ///
    /// # Errors
    /// Ledger unreachable, or refused with its code.
    pub async fn submit(&self, ledger: &LedgerClient, operation: &Operation, now: UnixSeconds) -> Result<u64> {
        let key = format!("{}#{INVOKE}", self.did);
        let (state, _) = ledger.state(&registry::sequence_key(&key)).await?;
        let last: u64 = read(&state)?.unwrap_or(0);
        let envelope = Envelope {
            aud: ledger.trust_root().origin().to_owned(),
            seq: last.saturating_add(1),
            exp: now.plus(TRANSACTION_LIFETIME).0,
        };
        let transaction = make_transaction(&envelope, operation, &self.did, INVOKE, &self.invoke)?;
        Ok(ledger.submit_and_wait(&transaction).await?.index)
    }

    /// Accredits a member, unless it is accredited alike already. Answers whether a transaction was needed.
    ///
    /// # Errors
    /// As [`Self::submit`]; and if the ledger's proof does not show the accreditation afterwards.
    pub async fn accredit(&self, ledger: &LedgerClient, wanted: Accredit, now: UnixSeconds) -> Result<bool> {
        if is_accredited(ledger, &wanted).await? {
            return Ok(false);
        }
        let operation = Operation::Accredit(wanted.clone());
        self.submit(ledger, &operation, now).await?;
        ensure!(is_accredited(ledger, &wanted).await?, "the ledger does not prove the accreditation");
        Ok(true)
    }

    /// Registers the digest of a credential type's metadata, unless it stands there already.
    ///
    /// # Errors
    /// As [`Self::accredit`].
    pub async fn register_schema(
        &self,
        ledger: &LedgerClient,
        vct: &str,
        metadata: &[u8],
        now: UnixSeconds,
    ) -> Result<bool> {
        let digest = sha256(metadata);
        if schema_stands(ledger, vct, digest).await? {
            return Ok(false);
        }
        self.submit(ledger, &Operation::Schema(Schema { vct: vct.to_owned(), digest }), now).await?;
        ensure!(schema_stands(ledger, vct, digest).await?, "the ledger does not prove the schema's digest");
        Ok(true)
    }
}

async fn is_accredited(ledger: &LedgerClient, wanted: &Accredit) -> Result<bool> {
    let (state, _) = ledger.state(&registry::accreditation_key(&wanted.subject)).await?;
    let index = state.checkpoint().size();
    let history: Option<AccreditationHistory> = read(&state)?;
    Ok(history.is_some_and(|history| {
        history.grants.iter().any(|grant| {
            grant.holds_at(index)
                && grant.role == wanted.role
                && grant.types == wanted.types
                && grant.claims == wanted.claims
        })
    }))
}

async fn schema_stands(ledger: &LedgerClient, vct: &str, digest: ledger::Hash) -> Result<bool> {
    let (state, _) = ledger.state(&registry::schema_key(vct)).await?;
    let index = state.checkpoint().size();
    let history: Option<SchemaHistory> = read(&state)?;
    Ok(history.is_some_and(|history| history.at(index).is_some_and(|record| record.digest == digest.to_base64url())))
}

fn read<T: DeserializeOwned>(state: &ProvenState) -> Result<Option<T>> {
    state.value().map(serde_json::from_slice).transpose().context("a state value cannot be read")
}

fn payload(
    chain: &str,
    node_url: &str,
    invoke: &SecretKey,
    recovery: &SecretKey,
    relay: Option<KeyEntry>,
    rng: &mut dyn CryptoRng,
) -> CreatePayload {
    let jwk = |key: &SecretKey| Jwk::new(key.public_key().clone());
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let mut keys = vec![KeyEntry::new(INVOKE, jwk(invoke), KeyUse::CapabilityInvocation)];
    keys.extend(relay);
    CreatePayload {
        chain: chain.to_owned(),
        keys,
        recovery: jwk(recovery).thumbprint().to_base64url(),
        services: vec![ServiceEntry { id: "ledger".into(), kind: ServiceType::Ledger, url: node_url.to_owned() }],
        salt: base64url::encode(&salt),
        label: Some(Label { en: LEADER.name_en.to_owned(), zh: LEADER.name_zh.to_owned() }),
    }
}
