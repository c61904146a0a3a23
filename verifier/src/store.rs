//! What the verifier keeps, by acts. Kinds of entries, each with its end:
//!
//! | key | what | until |
//! |---|---|---|
//! | `request/<id>` | the session, its signed request, its policy | `records` after it was made |
//! | `made/<second>/<id>` | that it was made then, for who lists the newest | the same |
//! | `decryption-key/<id>` | what the answer is to be decrypted with | the answer, or the request's expiry |
//! | `nonce/<nonce>` | that the nonce is taken | the same |
//! | `outcome/<id>` | verdict and code, no claims; digest of the response code | the same |
//! | `redeemed/<id>` | that the response code is used up | the same |
//! | `case/<id>`, `blob/<hour>/<digest>` | presentation, claims, evidence | `cases` after the verdict, or longer where the law says so |
//! | `receipt…` | the chain of receipts: [`receipts`] | never |
//! | `sharing/<seq>`, `passed-on/<id>`, `withdrawn/<seq>`, `withdrawal/<seq>` | what can be taken back, and what was: [`sharings`] | as is said there |
//! | `tally` | how far the days are counted: [`tallies`] | never |
//! | `evidence/<id>` | cached evidence about one issuer or ourselves | replaced when refreshed |
//!
//! Every entry that ends stands under `due/<second>/<key>` too, written in the same batch, so that
//! forgetting is one scan and cannot be lost by a crash.
//!
//! A verdict is one batch: nonce taken, outcome, case. If we die before it, the request is still
//! open; after it, the answer stands. There is no state between.

pub(crate) mod receipts;
pub(crate) mod sharings;
pub(crate) mod tallies;

use std::sync::Arc;

use identity_core::duty::CaseNumber;
use identity_core::jose::jwe::DecryptionKey;
use identity_core::oid4vp::same_device::{Binding, Handover};
use identity_core::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::audit::{Act, AuditLog};
use service_kit::clock::Clock;
use service_kit::store::{Batch, Range, Store, StoreError};
use zeroize::Zeroizing;

use crate::policy::Policy;

/// Entries forgotten per batch: bounds the size of one commit.
const FORGET_AT_ONCE: usize = 256;

/// One request as it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestRecord {
    /// The session of [`identity_core::oid4vp::Session`], as JSON.
    pub(crate) session: Value,
    /// The request object as signed once somebody answers for it; none until then.
    pub(crate) signed: Option<String>,
    /// Duty number of whoever answers for it.
    pub(crate) duty: String,
    /// Whether that is an official, or the service account.
    pub(crate) official: bool,
    /// The case that the data is wanted for.
    pub(crate) case: Option<CaseNumber>,
    /// How it is judged.
    pub(crate) policy: Policy,
    /// When it was made.
    pub(crate) created: UnixSeconds,
    /// The browser session that alone gets the result; none if the wallet is on another device.
    #[serde(default)]
    pub(crate) browser: Option<Binding>,
}

/// How a request ended. No claim values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutcomeRecord {
    /// Our code of the refusal; none if verified.
    pub(crate) refused: Option<String>,
    /// Codes of what stayed undetermined and was accepted by policy.
    pub(crate) undetermined: Vec<String>,
    /// When it was judged.
    pub(crate) judged: UnixSeconds,
    /// The age of a positive verdict: when the oldest checkpoint that it rests on was cosigned.
    pub(crate) evidence_as_of: Option<UnixSeconds>,
    /// What the browser that began must bring to get the result.
    #[serde(default)]
    pub(crate) handover: Option<Handover>,
    /// The place of its receipt.
    #[serde(default)]
    pub(crate) receipt: Option<u64>,
}

/// All that is needed to judge again; holds personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CaseRecord {
    /// `vp_token` as it came.
    pub(crate) vp_token: Value,
    /// `xinfu_anchor` as it came.
    pub(crate) anchors: Option<Value>,
    /// Claims by credential query id, if verified.
    pub(crate) claims: Option<Value>,
    /// SHA-256 of each piece of evidence, in hex, by its name.
    pub(crate) evidence: Vec<(String, String)>,
    /// The hour (since the epoch) under which the evidence is kept.
    pub(crate) hour: i64,
    /// The law that makes the answer stay.
    #[serde(default)]
    pub(crate) by_law: Option<ByLaw>,
    /// Whether it was withdrawn, and stays for the law only.
    #[serde(default)]
    pub(crate) withdrawn: bool,
}

/// A law that makes an answer stay, also after its withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ByLaw {
    /// In the words of the law.
    pub(crate) basis: String,
    /// Until when.
    pub(crate) until: UnixSeconds,
}

/// Where a request stands in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeAt {
    /// For [`VerifierStore::newest`], which goes on from there.
    pub(crate) place: String,
    pub(crate) id: String,
}

impl MadeAt {
    fn of(key: &[u8]) -> Option<Self> {
        let place = std::str::from_utf8(key).ok()?.strip_prefix(MADE)?;
        let (_, id) = place.split_once('/')?;
        Some(Self { place: place.to_owned(), id: id.to_owned() })
    }
}

/// A piece of evidence by name.
pub(crate) type Piece = (String, Vec<u8>);

/// Why a verdict was not saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseError {
    /// Another response to the same request came first.
    #[error("the request has been answered already")]
    Taken,
    /// Another receipt took the place in the chain.
    #[error("another receipt took the place in the chain")]
    Overtaken,
    /// The receipt could not be signed.
    #[error("the receipt could not be signed")]
    Signing,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a request was not marked as attested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestError {
    /// Another official was quicker.
    #[error("an official answers for the request already")]
    Attested,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a response code was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedeemError {
    /// It was taken before.
    #[error("the response code has been used already")]
    Taken,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The verifier's acts on a store.
#[derive(Clone)]
pub(crate) struct VerifierStore {
    store: Arc<dyn Store>,
    /// Written with each administrative act.
    pub(crate) audit: AuditLog,
    /// Seconds that requests and outcomes are kept.
    records: i64,
    /// Seconds that presentations, claims and their evidence are kept.
    cases: i64,
}

impl VerifierStore {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, records: i64, cases: i64) -> Self {
        Self { audit: AuditLog::new(Arc::clone(&store), clock), store, records, cases }
    }

    /// Keeps a new request and, until the given time, the key that its answer will be encrypted to.
    pub(crate) async fn open(
        &self,
        act: &Act,
        id: &str,
        record: &RequestRecord,
        key: Option<(&DecryptionKey, UnixSeconds)>,
    ) -> Result<(), StoreError> {
        let due = self.request_due(record);
        let mut batch = put_until(Batch::new(), due, &request_key(id), encode(record)?);
        batch = put_until(batch, due, &made_key(record.created, id), Vec::new());
        if let Some((key, until)) = key {
            batch = put_until(batch, until, &decryption_key(id), key.to_bytes().to_vec());
        }
        self.audit.commit(act, batch).await
    }

    /// Puts the attested request in the place of the one that waited for an official. Of two concurrent calls exactly
    /// one succeeds.
    pub(crate) async fn attest(
        &self,
        act: &Act,
        id: &str,
        before: &RequestRecord,
        attested: &RequestRecord,
    ) -> Result<(), AttestError> {
        let batch = Batch::new().replace(request_key(id), encode(before)?, encode(attested)?);
        self.audit.commit(act, batch).await.map_err(|error| match error.is_precondition() {
            true => AttestError::Attested,
            false => AttestError::Store(error),
        })
    }

    /// The key that an answer was encrypted to, until it is answered or expires.
    pub(crate) async fn decryption_key(&self, id: &str) -> Result<Option<DecryptionKey>, StoreError> {
        let Some(bytes) = self.store.get(decryption_key(id).as_bytes()).await?.map(Zeroizing::new) else {
            return Ok(None);
        };
        let key = bytes.as_slice().try_into().ok().and_then(|bytes| DecryptionKey::from_bytes(bytes).ok());
        key.map(Some).ok_or_else(|| StoreError::Corrupt("a decryption key is not readable".to_owned()))
    }

    /// Places of the requests made before a place, newest first.
    pub(crate) async fn newest(&self, before: Option<&str>, limit: usize) -> Result<Vec<MadeAt>, StoreError> {
        let range = Range::prefix(MADE).descending();
        let range = before.map_or(range.clone(), |place| range.before(format!("{MADE}{place}").as_bytes()));
        let found = self.store.scan(range, limit).await?;
        Ok(found.into_iter().filter_map(|(key, _)| MadeAt::of(&key)).collect())
    }

    /// The request, if it is still kept.
    pub(crate) async fn request(&self, id: &str) -> Result<Option<RequestRecord>, StoreError> {
        self.read(&request_key(id)).await
    }

    /// How the request ended, if it did.
    pub(crate) async fn outcome(&self, id: &str) -> Result<Option<OutcomeRecord>, StoreError> {
        self.read(&outcome_key(id)).await
    }

    /// The case behind an outcome, while it is kept and was not withdrawn: what stays for the law alone is for nobody to
    /// read here.
    pub(crate) async fn case(&self, id: &str) -> Result<Option<CaseRecord>, StoreError> {
        Ok(self.read(&case_key(id)).await?.filter(|case: &CaseRecord| !case.withdrawn))
    }

    /// When a request is erased: as long as a law may keep its answer, what was asked is kept as well.
    fn request_due(&self, request: &RequestRecord) -> UnixSeconds {
        request.created.plus(self.records).plus(request.policy.grounds.seconds_by_law())
    }

    /// When an outcome is erased; as for the request.
    fn outcome_due(&self, outcome: &OutcomeRecord, case: Option<&CaseRecord>) -> UnixSeconds {
        let law = case.and_then(|case| case.by_law.as_ref()).map(|law| law.until);
        outcome.judged.plus(self.records).max(law.unwrap_or(outcome.judged))
    }

    /// Takes the request's nonce and keeps verdict, case, receipt, and what a withdrawal will be recognised by: all of it,
    /// or none because the nonce was taken before, or the place in the chain. Of two concurrent calls exactly one
    /// succeeds, on one process or several.
    pub(crate) async fn take_nonce_once(
        &self,
        (id, nonce): (&str, &str),
        outcome: &OutcomeRecord,
        case: Option<(CaseRecord, Vec<Piece>)>,
        receipt: &receipts::Signed,
        sharing: Option<&sharings::SharingRecord>,
    ) -> Result<(), CloseError> {
        let due = self.outcome_due(outcome, case.as_ref().map(|(case, _)| case));
        let nonce_key = format!("nonce/{nonce}");
        let mut batch = receipts::add(Batch::new().require_absent(nonce_key.clone()), receipt)?;
        batch = put_until(batch, due, &nonce_key, b"taken".to_vec());
        batch = put_until(batch, due, &outcome_key(id), encode(outcome)?);
        batch = batch.delete(decryption_key(id));
        if let Some(sharing) = sharing {
            batch = sharings::add(batch, receipt.seq, sharing)?;
        }
        if let Some((mut case, pieces)) = case {
            let due = outcome.judged.plus(self.cases);
            let due = case.by_law.as_ref().map_or(due, |law| law.until.max(due));
            case.hour = due.0.div_euclid(3600).saturating_add(1);
            for (name, bytes) in pieces {
                let digest = ledger::sha256(&bytes).to_hex();
                if !case.evidence.iter().any(|(_, known)| *known == digest) {
                    batch = put_until(batch, hour_end(case.hour), &blob_key(case.hour, &digest), bytes);
                }
                case.evidence.push((name, digest));
            }
            batch = put_until(batch, due, &case_key(id), encode(&case)?);
        }
        match self.store.commit(batch).await {
            Err(error) if !error.is_precondition() => Err(CloseError::Store(error)),
            // Of the two preconditions, a taken nonce is for good.
            Err(_) if self.is_taken(nonce).await? => Err(CloseError::Taken),
            Err(_) => Err(CloseError::Overtaken),
            Ok(()) => Ok(()),
        }
    }

    /// Takes the response code of a request's answer, for which its values are handed out. Of two concurrent calls exactly
    /// one succeeds.
    pub(crate) async fn take_response_code_once(
        &self,
        act: &Act,
        id: &str,
        outcome: Option<&OutcomeRecord>,
        now: UnixSeconds,
    ) -> Result<(), RedeemError> {
        let key = redeemed_key(id);
        let mut batch = Batch::new().require_absent(key.clone());
        if let Some(outcome) = outcome {
            batch = self.passing_on(batch, id, outcome).await?;
        }
        let batch = put_until(batch, now.plus(self.records), &key, b"taken".to_vec());
        self.audit.commit(act, batch).await.map_err(|error| match error.is_precondition() {
            true => RedeemError::Taken,
            false => RedeemError::Store(error),
        })
    }

    /// Whether the response code of a request's answer was taken.
    pub(crate) async fn is_redeemed(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.store.get(redeemed_key(id).as_bytes()).await?.is_some())
    }

    /// Whether the nonce is taken already: a cheap look before the dear judging.
    pub(crate) async fn is_taken(&self, nonce: &str) -> Result<bool, StoreError> {
        Ok(self.store.get(format!("nonce/{nonce}").as_bytes()).await?.is_some())
    }

    /// The evidence of a case, by name.
    pub(crate) async fn pieces(&self, case: &CaseRecord) -> Result<Vec<Piece>, StoreError> {
        let mut pieces = Vec::new();
        for (name, digest) in &case.evidence {
            let bytes = self.store.get(blob_key(case.hour, digest).as_bytes()).await?;
            let bytes = bytes.ok_or_else(|| StoreError::Corrupt("a case lacks a piece of its evidence".to_owned()))?;
            pieces.push((name.clone(), bytes));
        }
        Ok(pieces)
    }

    /// Forgets presentation, claims and evidence of a case before its time.
    pub(crate) async fn forget_case(&self, act: &Act, id: &str) -> Result<(), StoreError> {
        self.audit.commit(act, Batch::new().delete(case_key(id))).await
    }

    /// Keeps cached evidence over what was kept under the same names.
    pub(crate) async fn put_evidence(&self, pieces: Vec<Piece>) -> Result<(), StoreError> {
        if pieces.is_empty() {
            return Ok(());
        }
        let put = |batch: Batch, (name, bytes): Piece| batch.put(format!("evidence/{name}"), bytes);
        self.store.commit(pieces.into_iter().fold(Batch::new(), put)).await
    }

    /// All cached evidence: id and bytes.
    pub(crate) async fn all_evidence(&self) -> Result<Vec<Piece>, StoreError> {
        let entries = self.store.scan(Range::prefix("evidence/"), usize::MAX).await?;
        let name = |key: Vec<u8>| String::from_utf8_lossy(&key).trim_start_matches("evidence/").to_owned();
        Ok(entries.into_iter().map(|(key, bytes)| (name(key), bytes)).collect())
    }

    /// Forgets what is due; answers how many entries. Dying in between leaves the rest for next time.
    pub(crate) async fn forget_due(&self, now: UnixSeconds) -> Result<usize, StoreError> {
        let mut forgotten = 0_usize;
        loop {
            let range = Range::between("due/", format!("due/{:012}/", now.0.max(0).saturating_add(1)));
            let due = self.store.scan(range, FORGET_AT_ONCE).await?;
            if due.is_empty() {
                return Ok(forgotten);
            }
            let mut batch = Batch::new();
            for (key, _) in &due {
                batch = batch.delete(key.clone());
            }
            // Two due entries may name one key (a blob that several cases share): delete it once.
            let mut targets: Vec<Vec<u8>> = due.iter().map(|(key, _)| target_of(key)).collect();
            targets.sort();
            targets.dedup();
            for target in targets {
                batch = batch.delete(target);
            }
            self.store.commit(batch).await?;
            forgotten = forgotten.saturating_add(due.len());
        }
    }

    async fn read<T: for<'a> Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.store.get(key.as_bytes()).await? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::Corrupt("an entry is not readable".to_owned()))
    }
}

fn put_until(batch: Batch, due: UnixSeconds, key: &str, value: Vec<u8>) -> Batch {
    batch.put(format!("due/{:012}/{key}", due.0.max(0)), Vec::new()).put(key.to_owned(), value)
}

/// `due/<12 digits>/<key>` names `<key>`.
fn target_of(due: &[u8]) -> Vec<u8> {
    due.get("due/".len() + 12 + 1..).unwrap_or_default().to_vec()
}

fn hour_end(hour: i64) -> UnixSeconds {
    UnixSeconds(hour.saturating_mul(3600))
}

fn request_key(id: &str) -> String {
    format!("request/{id}")
}

/// What the keys of [`VerifierStore::newest`] begin with.
const MADE: &str = "made/";

fn made_key(made: UnixSeconds, id: &str) -> String {
    format!("{MADE}{:012}/{id}", made.0.max(0))
}

fn decryption_key(id: &str) -> String {
    format!("decryption-key/{id}")
}

fn outcome_key(id: &str) -> String {
    format!("outcome/{id}")
}

fn redeemed_key(id: &str) -> String {
    format!("redeemed/{id}")
}

fn case_key(id: &str) -> String {
    format!("case/{id}")
}

fn blob_key(hour: i64, digest: &str) -> String {
    format!("blob/{hour}/{digest}")
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Misused("an entry cannot be encoded"))
}

#[cfg(test)]
mod tests;
