//! Offers and credentials: each code, nonce and status index is taken once.

use std::collections::BTreeSet;

use identity_core::oid4vci::issuer::Grant;
use identity_core::oid4vci::nonce::NonceId;
use identity_core::status::Standing;
use identity_core::time::UnixSeconds;
use ledger::Hash;
use serde::{Deserialize, Serialize};
use service_kit::audit::Act;
use service_kit::store::{Batch, Range, StoreError};

use super::search::{index_credential, index_offer};
use super::{Records, decode, encode, orders, status};
use crate::flow::order::Ordered;

/// Used nonces removed at once.
const NONCES_PER_SWEEP: usize = 1024;

/// A record with its exact bytes, which its replacement requires to be there still.
#[derive(Debug, Clone)]
pub(crate) struct Stored<T> {
    pub(crate) value: T,
    pub(super) bytes: Vec<u8>,
}

/// What became of a write that others may race for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is ours.
    Done,
    /// The record changed since it was read: read and judge again.
    Changed,
    /// A nonce was used before.
    NonceUsed,
    /// A status index was taken before: draw another.
    IndexTaken,
    /// The order was carried out before.
    OrderUsed,
}

/// One issued credential. The credential itself is not kept: it is the holder's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialRecord {
    /// 128 random bits, base64url.
    pub id: String,
    pub subject: String,
    pub configuration: String,
    /// The department's own name for the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Digest of the order that it was offered under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Hash>,
    /// SHA-256 of the issuer-signed JWT: what is anchored.
    pub digest: Hash,
    pub list: u32,
    pub index: u32,
    pub issued: UnixSeconds,
    pub expires: UnixSeconds,
    pub state: Standing,
}

/// Everything that one credential response writes, at once.
pub(crate) struct Issuance<'a> {
    pub grant: &'a Stored<Grant>,
    pub next: &'a Grant,
    pub nonces: &'a BTreeSet<NonceId>,
    pub credentials: &'a [CredentialRecord],
}

impl Records {
    /// Saves a new offer, made now, and that its order is carried out.
    pub(crate) async fn save_offer(
        &self,
        act: &Act,
        grant: &Grant,
        order: &Ordered,
        now: UnixSeconds,
    ) -> Result<Outcome, StoreError> {
        let (key, value) = (offer_key(&grant.id), encode(grant)?);
        let batch = index_offer(Batch::new().put_new(key.clone(), value.clone()), grant, now);
        let batch = orders::carried_out(batch, order);
        match self.act_and_settle(&orders::act_under(act, order), batch, &key, &value).await {
            Ok(()) => Ok(Outcome::Done),
            Err(StoreError::Precondition { key, .. }) if orders::is_order(&key) => Ok(Outcome::OrderUsed),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn grant(&self, id: &str) -> Result<Option<Stored<Grant>>, StoreError> {
        // Ids are 22 characters; anything else is nobody's and costs no look-up.
        if id.len() != 22 {
            return Ok(None);
        }
        let bytes = self.store.get(&offer_key(id)).await?;
        bytes.map(|bytes| Ok(Stored { value: decode(&bytes)?, bytes })).transpose()
    }

    /// Puts the next state of a grant in place of the one that was read: the code is taken, or a wrong guess counted,
    /// exactly once however many ask at the same moment.
    pub(crate) async fn take_code_once(&self, read: &Stored<Grant>, next: &Grant) -> Result<Outcome, StoreError> {
        let (key, value) = (offer_key(&next.id), encode(next)?);
        let batch = Batch::new().replace(key.clone(), read.bytes.clone(), value.clone());
        match self.commit_and_settle(batch, &key, &value).await {
            Ok(()) => Ok(Outcome::Done),
            Err(StoreError::Precondition { .. }) => Ok(Outcome::Changed),
            Err(error) => Err(error),
        }
    }

    /// Saves everything about an issuance: the offer is spent, its nonces are used, each credential has a status index
    /// of its own, and its digest waits for the ledger. All or none, so a crash leaves no index without credential, no
    /// credential without anchor, and no second credential for one offer.
    pub(crate) async fn issue_once(&self, issuance: &Issuance<'_>) -> Result<Outcome, StoreError> {
        let mut batch =
            Batch::new().replace(offer_key(&issuance.next.id), issuance.grant.bytes.clone(), encode(issuance.next)?);
        for nonce in issuance.nonces {
            batch = batch.put_new(nonce_key(nonce), "");
        }
        for credential in issuance.credentials {
            batch = batch.put_new(status::index_key(credential.list, credential.index), credential.id.as_str());
        }
        for credential in issuance.credentials {
            batch = index_credential(batch, credential)
                .put(credential_key(&credential.id), encode(credential)?)
                .put(format!("pending/{}", credential.digest.to_base64url()), "");
        }
        // The id is random and this writer's alone: if it stands there, all of the batch does.
        let Some(witness) = issuance.credentials.first() else { return Err(StoreError::Misused("nothing to issue")) };
        match self.commit_and_settle(batch, &credential_key(&witness.id), &encode(witness)?).await {
            Ok(()) => Ok(Outcome::Done),
            Err(StoreError::Precondition { which: 0, .. }) => Ok(Outcome::Changed),
            Err(StoreError::Precondition { which, .. }) if which <= issuance.nonces.len() => Ok(Outcome::NonceUsed),
            Err(StoreError::Precondition { .. }) => Ok(Outcome::IndexTaken),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn credential(&self, id: &str) -> Result<Option<Stored<CredentialRecord>>, StoreError> {
        if id.len() != 22 {
            return Ok(None);
        }
        let bytes = self.store.get(&credential_key(id)).await?;
        bytes.map(|bytes| Ok(Stored { value: decode(&bytes)?, bytes })).transpose()
    }

    /// Forgets used nonces that are refused by their age anyway.
    pub(crate) async fn forget_old_nonces(&self, now: UnixSeconds) -> Result<(), StoreError> {
        loop {
            let range = Range::between("nonce/", format!("nonce/{:020}", now.0.max(0)));
            let old = self.store.scan(range, NONCES_PER_SWEEP).await?;
            if old.is_empty() {
                return Ok(());
            }
            let batch = old.into_iter().fold(Batch::new(), |batch, (key, _)| batch.delete(key));
            self.store.commit(batch).await?;
        }
    }
}

pub(super) fn offer_key(id: &str) -> Vec<u8> {
    format!("offer/{id}").into_bytes()
}

fn nonce_key(nonce: &NonceId) -> Vec<u8> {
    format!("nonce/{:020}/{}", nonce.expires.0.max(0), nonce.text).into_bytes()
}

pub(super) fn credential_key(id: &str) -> Vec<u8> {
    format!("credential/{id}").into_bytes()
}
