//! The consortium's leader: its DID and key, and the transactions by which it accredits the others.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::registry::{
    self, Accredit, AccreditationHistory, Envelope, Operation, Schema, SchemaHistory, make_transaction,
};
use identity_core::time::UnixSeconds;
use ledger::{ProvenState, sha256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;
use service_kit::ledger_client::{Certified, LedgerClient};

/// Signs transactions.
const INVOKE: &str = "invoke-1";
/// Seconds for which a transaction is acceptable.
const TRANSACTION_LIFETIME: i64 = 300;

#[derive(Deserialize)]
struct Operator {
    did: Did,
}

/// The leader's DID and key.
pub struct Leader {
    did: Did,
    invoke: SecretKey,
}

impl Leader {
    /// Reads the leader's identity and key, as founding the chain in `directory` wrote them.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join("operator.json");
        let text = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let operator: Operator =
            serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Self { did: operator.did, invoke: keyfile::load(&directory.join("keys/operator.jwk"), &KeyGuard::plain())? })
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
        submit(ledger, &self.did, &self.invoke, operation, now).await
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

/// Brings what a member's `operation` says onto the ledger and waits until that is certified. Answers the log index.
///
/// # Errors
/// Ledger unreachable, or refused with its code.
pub async fn submit(
    ledger: &LedgerClient,
    did: &Did,
    invoke: &SecretKey,
    operation: &Operation,
    now: UnixSeconds,
) -> Result<u64> {
    Ok(hand_in(ledger, did, invoke, operation, now).await?.1.index)
}

/// The same; answers the transaction and the proof of its place.
///
/// # Errors
/// As [`submit`].
pub async fn hand_in(
    ledger: &LedgerClient,
    did: &Did,
    invoke: &SecretKey,
    operation: &Operation,
    now: UnixSeconds,
) -> Result<(String, Certified)> {
    let key = format!("{did}#{INVOKE}");
    let (state, _) = ledger.state(&registry::sequence_key(&key)).await?;
    let last: u64 = read(&state)?.unwrap_or(0);
    let envelope = Envelope {
        aud: ledger.trust_root().origin().to_owned(),
        seq: last.saturating_add(1),
        exp: now.plus(TRANSACTION_LIFETIME).0,
    };
    let transaction = make_transaction(&envelope, operation, did, INVOKE, invoke)?;
    let certified = ledger.submit_and_wait(&transaction).await?;
    Ok((transaction, certified))
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
