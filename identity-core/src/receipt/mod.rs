//! Sharing receipts: what a service says it did with an answer, signed, chained and returned to the holder.
//!
//! ```text
//!  service   Receipt ──sign (authentication key)──▶ text ──▶ wallet, and in ranges onto the ledger
//!  wallet    UnverifiedReceipt::parse(text) ── verify(document) ──▶ VerifiedReceipt ── check(shared) ──▶ kept
//! ```
//!
//! A receipt names no person and holds no value: types and claims by name, digests of what was signed. Each holds the
//! digest of the one before, and the ledger takes ranges that continue one another only, so none can be left out later.

mod chain;
mod error;
mod shared;
#[cfg(test)]
mod tests;

use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};

use crate::crypto::{PublicKey, Signer, SigningFailed};
use crate::did::{Did, DidUrl, Document, Relationship};
use crate::duty::{MAX_RETENTION_DAYS, UnverifiedAttestation, is_basis};
use crate::encoding::json::{self, Limits};
use crate::jose::{ExpectedTyp, SignHeader, UnverifiedJws, sign_compact, typ};
use crate::oid4vp::request::is_purpose;
use crate::problem::Code;
use crate::registry::{DutyHolder, is_duty_number};
use crate::sd_jwt::ClaimPath;
use crate::time::UnixSeconds;

pub use chain::{Chain, ChainFault, agrees_with_ledger};
pub use error::ReceiptError;
pub use shared::{Sharing, shown};

/// The largest receipt read, in bytes: names of all the claims of a large answer, and some room.
pub const MAX_RECEIPT_BYTES: usize = 32 * 1024;

/// What a service says it did (`xinfu-receipt+jwt`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The service.
    pub iss: Did,
    /// Who answers for the question.
    pub act: Act,
    /// When it was processed.
    pub iat: UnixSeconds,
    /// Digest of the question: of the attestation, which holds all of it. The request object itself is signed anew for
    /// each wallet that brings a nonce, and says nothing more.
    pub request: Hash,
    /// What was shown, by query id, in the order of the answer. Empty where nothing could be read or was declined.
    pub presentations: std::collections::BTreeMap<String, Vec<Presented>>,
    /// The purpose's code.
    pub purpose: String,
    /// The legal basis.
    pub basis: String,
    /// How long the answer is kept, in days.
    pub retention_days: u32,
    /// Digest of salt and number of the case, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Hash>,
    /// Whether the holder was asked to sign what the data is wanted for.
    pub holder_signs: bool,
    /// What came of it: `accepted`, or the code of the refusal.
    pub verdict: String,
    /// Its place among the service's receipts, from 1.
    pub seq: u64,
    /// Digest of the one before; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Hash>,
}

/// Who answers for a question, without a person's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The duty number.
    pub duty: String,
    /// RFC 7638 thumbprint of the duty key.
    pub key: Hash,
    /// Whether a person signed, or a service account.
    pub holder: DutyHolder,
}

/// One credential that was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presented {
    /// Digest of the presentation as it travelled, key binding included.
    pub digest: Hash,
    /// Its type; absent if it could not be read.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// The claims that were disclosed, by path; never a value.
    pub claims: Vec<ClaimPath>,
}

/// The verdict's word for yes.
pub const ACCEPTED: &str = "accepted";

/// Where a service's chain of receipts stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// Place of the last receipt; 0 before the first.
    pub seq: u64,
    /// Its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Hash>,
}

/// An answer that was processed, before it has its place in the chain.
#[derive(Debug, Clone)]
pub struct Processed<'a> {
    /// The service.
    pub service: &'a Did,
    /// The attestation of the request, as it travelled.
    pub attestation: &'a UnverifiedAttestation<'a>,
    /// Whether an official signed it, or the service account.
    pub holder: DutyHolder,
    /// What was shown.
    pub presentations: std::collections::BTreeMap<String, Vec<Presented>>,
    /// The refusal; none if it was accepted.
    pub refused: Option<Code>,
    /// When.
    pub at: UnixSeconds,
}

impl Receipt {
    /// The receipt that follows `head`.
    #[must_use]
    pub fn following(head: ChainHead, processed: Processed<'_>) -> Self {
        let said = processed.attestation.dangerous_claims();
        let act = Act { duty: said.duty.clone(), key: processed.attestation.key(), holder: processed.holder };
        Self {
            iss: processed.service.clone(),
            act,
            iat: processed.at,
            request: processed.attestation.digest(),
            presentations: processed.presentations,
            purpose: said.purpose.clone(),
            basis: said.basis.clone(),
            retention_days: said.retention_days,
            case: said.case,
            holder_signs: said.holder_signs,
            verdict: processed.refused.map_or(ACCEPTED, Code::as_str).to_owned(),
            seq: head.seq.saturating_add(1),
            previous: head.digest,
        }
    }

    /// Signs it with the service's authentication key. The text is what travels, and whose digest counts.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key_name: &DidUrl, key: &dyn Signer) -> Result<String, SigningFailed> {
        let payload = serde_json::to_vec(self).map_err(|_| SigningFailed)?;
        sign_compact(SignHeader::new(typ::RECEIPT).kid(&key_name.to_string()), &payload, key)
    }

    /// Whether the answer was accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == ACCEPTED
    }

    fn is_sound(&self) -> bool {
        is_duty_number(&self.act.duty)
            && is_purpose(&self.purpose)
            && is_basis(&self.basis)
            && self.retention_days <= MAX_RETENTION_DAYS
            && self.seq > 0
            && (self.seq == 1) == self.previous.is_none()
            && (self.is_accepted() || Code::parse(&self.verdict).is_some())
    }
}

impl ChainHead {
    /// The head once the receipt with this text has been added.
    #[must_use]
    pub fn after(seq: u64, text: &str) -> Self {
        Self { seq, digest: Some(sha256(text.as_bytes())) }
    }

    /// Whether a receipt follows.
    #[must_use]
    pub fn is_followed_by(&self, receipt: &Receipt) -> bool {
        Some(receipt.seq) == self.seq.checked_add(1) && receipt.previous == self.digest
    }
}

/// A receipt as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedReceipt<'a> {
    jws: UnverifiedJws<'a>,
    text: &'a str,
    key: DidUrl,
    claimed: Receipt,
}

impl<'a> UnverifiedReceipt<'a> {
    /// Parses a receipt.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, ReceiptError> {
        let malformed = |_| ReceiptError::Malformed;
        let jws = UnverifiedJws::parse_limited(text, MAX_RECEIPT_BYTES).map_err(malformed)?;
        if jws.header().typ() != Some(typ::RECEIPT) {
            return Err(ReceiptError::Malformed);
        }
        let key = jws.header().kid().ok().and_then(|kid| DidUrl::parse(kid).ok()).ok_or(ReceiptError::Malformed)?;
        let limits = Limits::of(MAX_RECEIPT_BYTES);
        let claimed: Receipt = json::read(jws.dangerous_payload(), limits).map_err(|_| ReceiptError::Malformed)?;
        let sound = claimed.is_sound() && claimed.iss == *key.did();
        if sound { Ok(Self { jws, text, key, claimed }) } else { Err(ReceiptError::Malformed) }
    }

    /// The service that it claims to be by.
    #[must_use]
    pub fn service(&self) -> &Did {
        &self.claimed.iss
    }

    /// The key that it claims to be signed by.
    #[must_use]
    pub fn key_name(&self) -> &DidUrl {
        &self.key
    }

    /// Whether this key signed it.
    fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.jws.clone().verify(key, ExpectedTyp::Exactly(typ::RECEIPT)).is_ok()
    }

    /// What it claims to say: for finding what it is about, and for nothing that rests on it.
    #[must_use]
    pub fn dangerous_claims(&self) -> &Receipt {
        &self.claimed
    }

    /// Verifies the signature by a key of the service's DID document, as of whenever the caller resolved it.
    ///
    /// # Errors
    /// [`ReceiptError::Key`], [`ReceiptError::Signature`].
    pub fn verify(self, document: &Document) -> Result<VerifiedReceipt, ReceiptError> {
        let key = document.key(&self.key, Relationship::Authentication).map_err(|_| ReceiptError::Key)?;
        self.jws.verify(key, ExpectedTyp::Exactly(typ::RECEIPT)).map_err(|_| ReceiptError::Signature)?;
        Ok(VerifiedReceipt { receipt: self.claimed, digest: sha256(self.text.as_bytes()) })
    }
}

/// A receipt that the service really signed. Made in one function only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    receipt: Receipt,
    digest: Hash,
}

impl VerifiedReceipt {
    /// What it says.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// SHA-256 of its text: what is anchored, and what the next one holds.
    #[must_use]
    pub fn digest(&self) -> &Hash {
        &self.digest
    }
}
