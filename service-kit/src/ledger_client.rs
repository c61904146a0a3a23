//! Talking to a ledger node: typed calls that believe nothing without a proof under the trust root.
//!
//! Whatever the node answers about the ledger's content (a state value, a transaction's place, a checkpoint) is
//! verified here before it is returned, so a lying node can refuse or delay, never deceive. What this does **not**
//! check: that the newest checkpoint the node shows is recent; callers look at
//! [`CertifiedCheckpoint::cosigned_at`] by their own policy.
//!
//! An answer that does not verify may be by validators that came into force meanwhile: then the trust root is walked
//! forward, if its keeper may ([`crate::trust_keeper`]), and the same answer is looked at once more.

use std::{path::Path, sync::Arc};

use identity_core::{
    anchor::AnchorProof,
    problem::Code,
    registry::{AnchorKind, sequence_key},
};
use ledger::walk::{self, Walk};
use ledger::{CertifiedCheckpoint, Hash, LogProof, PastMoment, ProvenState, StateProof, TimeProof, TrustRoot};
use serde::Deserialize;

use crate::fetch::{Answer, Fetch, FetchError, Request};
use crate::trust_keeper::TrustKeeper;

/// Largest state proof, tlog-proof or checkpoint accepted from a node, in bytes (`ledger` has its own, lower
/// limits for each).
const ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Why a call to the ledger failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The node was not there, or refused.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The node's answer is not of the agreed form.
    #[error("the ledger node's answer is malformed")]
    Malformed,
    /// The node's answer is no walk.
    #[error("the ledger node's answer is no walk from one set of validators to the next")]
    MalformedWalk,
    /// The node's answer does not follow from the trust root.
    #[error("the ledger node's answer does not follow from the trust root: {0}")]
    Unproven(String),
    /// Accepted, but no certified checkpoint covers it yet.
    #[error("the ledger has not certified this yet")]
    NotYet,
}

impl LedgerError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Fetch(error) => error.code(),
            Self::Malformed => Code::LedgerProofMalformed,
            Self::MalformedWalk => Code::LedgerWalkMalformed,
            Self::Unproven(_) => Code::LedgerProofInvalid,
            Self::NotYet => Code::LedgerNotCertifiedYet,
        }
    }

    /// The code with which the ledger's own rules refused, if they did: `registry.…`. They refuse for good; anything else
    /// leaves open whether it was done.
    #[must_use]
    pub fn broken_rule(&self) -> Option<&str> {
        self.refusal().filter(|code| code.starts_with("registry."))
    }

    /// The code with which the node itself refused, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Fetch(FetchError::Refused { code, .. }) => code.as_deref(),
            Self::Fetch(_) | Self::Malformed | Self::MalformedWalk | Self::Unproven(_) | Self::NotYet => None,
        }
    }
}

/// A transaction the ledger has accepted, proven to stand in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Its leaf index in the log: the ledger's clock.
    pub index: u64,
    /// The C2SP tlog-proof of it, as text.
    pub proof: String,
}

/// A transaction the ledger has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its leaf index in the log, as the node says: not proven.
    pub index: u64,
    /// The digest by which to ask for it again.
    pub digest: String,
}

#[derive(Deserialize)]
struct Submitted {
    index: u64,
    digest: String,
    #[serde(default)]
    proof: Option<String>,
}

#[derive(Deserialize)]
struct Notarised {
    anchor: AnchorProof,
}

/// A client of one ledger node.
#[derive(Clone)]
pub struct LedgerClient {
    fetch: Arc<dyn Fetch>,
    url: String,
    origin: Arc<str>,
    trust: TrustKeeper,
}

impl LedgerClient {
    /// A client of the node at `url`, believing `trust_root`.
    #[must_use]
    pub fn new(fetch: Arc<dyn Fetch>, url: &str, trust_root: TrustRoot) -> Self {
        Self::trusting(fetch, url, TrustKeeper::fixed(trust_root))
    }

    /// A client that believes whom `trust` believes, also after other validators came into force.
    #[must_use]
    pub fn trusting(fetch: Arc<dyn Fetch>, url: &str, trust: TrustKeeper) -> Self {
        let origin = trust.trust_root().origin().into();
        Self { fetch, url: url.trim_end_matches('/').to_owned(), origin, trust }
    }

    /// The ledger's origin, which every trust root of it names.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The trust root it believes now.
    #[must_use]
    pub fn trust_root(&self) -> Arc<TrustRoot> {
        self.trust.trust_root()
    }

    /// The node's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Hands in a transaction (a compact JWS). Repeating it is harmless: the ledger takes each one once and
    /// answers the second caller with the first one's place.
    ///
    /// # Errors
    /// Unreachable, or refused with a `registry.…` code ([`LedgerError::refusal`]).
    pub async fn submit(&self, transaction: &str) -> Result<Accepted, LedgerError> {
        let submitted = self.post_transaction(transaction, "").await?;
        Ok(Accepted { index: submitted.index, digest: submitted.digest })
    }

    /// Hands in a transaction and waits until a certified checkpoint covers it.
    ///
    /// # Errors
    /// As [`Self::submit`]; [`LedgerError::NotYet`] if the node answered before certification;
    /// [`LedgerError::Unproven`] if its proof does not hold.
    pub async fn submit_and_wait(&self, transaction: &str) -> Result<Certified, LedgerError> {
        let submitted = self.post_transaction(transaction, "?wait=certified").await?;
        let proof = submitted.proof.ok_or(LedgerError::NotYet)?;
        self.check_entry(proof, transaction.as_bytes()).await
    }

    /// The proof that `entry` (a transaction's bytes) stands in the log at `index`.
    ///
    /// # Errors
    /// [`LedgerError::NotYet`] while no certified checkpoint covers the index.
    pub async fn log_proof(&self, index: u64, entry: &[u8]) -> Result<Certified, LedgerError> {
        let answer = self.get(&format!("/proofs/log/{index}")).await?;
        let certified = self.check_entry(answer.text()?.to_owned(), entry).await?;
        if certified.index == index { Ok(certified) } else { Err(LedgerError::Malformed) }
    }

    /// Whether a proof of `entry` holds under the trust root that is believed now. Asks nobody.
    #[must_use]
    pub fn holds(&self, proof: &str, entry: &[u8]) -> bool {
        LogProof::parse(proof).is_ok_and(|proof| proof.verify(&self.trust_root(), entry).is_ok())
    }

    /// What the state holds at `key` (text, such as `did/did:xinfu:…`) under the newest certified checkpoint,
    /// proven; and the proof itself, which others can check offline.
    ///
    /// # Errors
    /// Unreachable, malformed, or not following from the trust root.
    pub async fn state(&self, key: &str) -> Result<(ProvenState, StateProof), LedgerError> {
        let query: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        let answer = self.get(&format!("/proofs/state?key={query}")).await?;
        let proof = StateProof::parse(&answer.body).map_err(|_| LedgerError::Malformed)?;
        let proven = self
            .verified(|trust_root| {
                let proven = proof.verify(trust_root).map_err(|error| error.to_string())?;
                let checkpoint = proven.checkpoint().clone();
                Ok((proven, checkpoint))
            })
            .await?;
        // A true answer to another question is no answer to this one.
        if proven.key() != key {
            return Err(LedgerError::Unproven("it speaks of another key".into()));
        }
        Ok((proven, proof))
    }

    /// Which log index was the newest at a time, in milliseconds since the epoch, proven; and the proof itself, which others
    /// can check offline.
    ///
    /// # Errors
    /// As [`Self::state`]; refused with `ledger.time.…` for a time before the chain or one that is too recent, and with
    /// `ledger.pruned` by a node that does not keep it.
    pub async fn moment(&self, time: u64) -> Result<(PastMoment, TimeProof), LedgerError> {
        let answer = self.get(&format!("/proofs/time?at={time}")).await?;
        let proof = TimeProof::parse(&answer.body).map_err(|_| LedgerError::Malformed)?;
        let moment = self
            .verified(|trust_root| {
                let moment = proof.verify(trust_root, time).map_err(|error| error.to_string())?;
                let checkpoint = moment.checkpoint().clone();
                Ok((moment, checkpoint))
            })
            .await?;
        Ok((moment, proof))
    }

    /// The newest certified checkpoint, and its note.
    ///
    /// # Errors
    /// As [`Self::state`].
    pub async fn checkpoint(&self) -> Result<(CertifiedCheckpoint, String), LedgerError> {
        let note = self.get("/checkpoint").await?.text()?.to_owned();
        let certified = self
            .verified(|trust_root| {
                let certified = trust_root.verify_checkpoint(&note).map_err(|error| error.to_string())?;
                Ok((certified.clone(), certified))
            })
            .await?;
        Ok((certified, note))
    }

    /// The way from the set of validators with this policy towards today's. Form only: [`ledger::walk::Walked`] verifies.
    ///
    /// # Errors
    /// Unreachable, or malformed.
    pub async fn walk(&self, from: Hash) -> Result<Walk, LedgerError> {
        let request = Request::get(format!("{}/trust/walk?from={}", self.url, from.to_base64url()));
        let answer = self.fetch.send(request.with_limit(walk::MAX_BYTES)).await?.success()?;
        Walk::parse(&answer.body).map_err(|_| LedgerError::MalformedWalk)
    }

    /// Has a digest anchored by the node under its own name, as kind `notarised`, and answers the proof of it.
    ///
    /// # Errors
    /// Unreachable, or refused (the node limits the rate); a proof that does not hold.
    pub async fn notarise(&self, digest: &Hash) -> Result<AnchorProof, LedgerError> {
        let body = serde_json::json!({ "digest": digest.to_base64url() });
        let request = Request::post_json(format!("{}/notarise", self.url), &body).with_limit(ANSWER_BYTES);
        let notarised: Notarised = self.fetch.send(request).await?.success()?.json()?;
        let proof = notarised.anchor;
        self.check_entry(proof.proof.clone(), proof.transaction.as_bytes()).await?;
        let held = proof.verify(digest, AnchorKind::Notarised, &self.trust_root());
        held.map_err(|error| LedgerError::Unproven(error.to_string()))?;
        Ok(proof)
    }

    /// Has the node carry what a DID's own or recovery key signed (a creation, a change, a recovery) under its name.
    ///
    /// # Errors
    /// Unreachable, or refused (the node limits the rate).
    pub async fn relay(&self, signed: &str) -> Result<Accepted, LedgerError> {
        let request = Request::post(format!("{}/relay", self.url), "application/jwt", signed).with_limit(ANSWER_BYTES);
        let submitted: Submitted = self.fetch.send(request).await?.success()?.json()?;
        Ok(Accepted { index: submitted.index, digest: submitted.digest })
    }

    /// The next sequence number under a key, named by its DID URL.
    ///
    /// # Errors
    /// As [`Self::state`].
    pub async fn next_sequence(&self, key_url: &str) -> Result<u64, LedgerError> {
        let (proven, _) = self.state(&sequence_key(key_url)).await?;
        let last: u64 = match proven.value() {
            None => 0,
            Some(value) => serde_json::from_slice(value).map_err(|_| LedgerError::Malformed)?,
        };
        last.checked_add(1).ok_or(LedgerError::Malformed)
    }

    async fn post_transaction(&self, transaction: &str, query: &str) -> Result<Submitted, LedgerError> {
        let url = format!("{}/transactions{query}", self.url);
        let request = Request::post(url, "application/jwt", transaction).with_limit(ANSWER_BYTES);
        Ok(self.fetch.send(request).await?.success()?.json()?)
    }

    async fn get(&self, path: &str) -> Result<Answer, LedgerError> {
        let request = Request::get(format!("{}{path}", self.url)).with_limit(ANSWER_BYTES);
        let answer = self.fetch.send(request).await?;
        if answer.status == 202 {
            return Err(LedgerError::NotYet);
        }
        Ok(answer.success()?)
    }

    async fn check_entry(&self, proof: String, entry: &[u8]) -> Result<Certified, LedgerError> {
        let parsed = LogProof::parse(&proof).map_err(|_| LedgerError::Malformed)?;
        let index = self
            .verified(|trust_root| {
                let leaf = parsed.verify(trust_root, entry).map_err(|error| error.to_string())?;
                Ok((leaf.index(), leaf.checkpoint().clone()))
            })
            .await?;
        Ok(Certified { index, proof })
    }

    /// What `verify` makes of an answer under the trust root, and once more under the next one if there is one now.
    async fn verified<T>(
        &self,
        verify: impl Fn(&TrustRoot) -> Result<(T, CertifiedCheckpoint), String>,
    ) -> Result<T, LedgerError> {
        let trust_root = self.trust.trust_root();
        let found = match verify(&trust_root) {
            Err(_) if self.trust.walk_on(&self.fetch, &self.url, &trust_root).await => {
                let next = self.trust.trust_root();
                verify(&next).map(|found| (found, next))
            }
            found => found.map(|found| (found, trust_root)),
        };
        let ((found, checkpoint), under) = found.map_err(LedgerError::Unproven)?;
        self.trust.saw(&under, &checkpoint);
        Ok(found)
    }
}

/// Why a trust root could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {detail}")]
pub struct TrustRootFileError {
    /// The file.
    pub path: String,
    /// What is wrong.
    pub detail: String,
}

impl TrustRootFileError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::LedgerTrustRootMalformed
    }
}

/// Reads a trust root (a C2SP `tlog-policy` file).
///
/// # Errors
/// Missing, unreadable or malformed, naming the file.
pub fn load_trust_root(path: &Path) -> Result<TrustRoot, TrustRootFileError> {
    let failed = |detail: String| TrustRootFileError { path: path.display().to_string(), detail };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    TrustRoot::parse(&text).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests;
