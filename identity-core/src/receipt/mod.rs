//! Sharing receipts: what a service says it did with an answer, signed, chained and returned to the holder.
//!
//! ```text
//!  service   Receipt ──sign (authentication key)──▶ text ──▶ wallet, and in ranges onto the ledger
//!  wallet    UnverifiedReceipt::parse(text) ── verify(document) ──▶ VerifiedReceipt ── check(shared) ──▶ kept
//! ```
//!
//! A receipt names no person and holds no value: types and claims by name, digests of what was signed. Each holds the
//! digest of the one before, and the ledger takes ranges that continue one another only, so none can be left out later.
//! The acknowledgements of [`crate::withdrawal`] stand in the same chain: [`Entry`].

mod chain;
mod entry;
mod error;
mod shared;
pub(crate) mod statement;
#[cfg(test)]
mod tests;

use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};

use self::statement::{Stated, UnverifiedStatement};
use crate::crypto::{Known, Signer, SigningFailed, Together};
use crate::did::{Did, DidUrl, Document};
use crate::duty::{MAX_RETENTION_DAYS, Word, is_basis};
use crate::jose::typ;
use crate::oid4vp::request::is_purpose;
use crate::problem::Code;
use crate::registry::{DidHistory, DutyHolder, is_duty_number};
use crate::sd_jwt::ClaimPath;
use crate::time::UnixSeconds;

pub use chain::{Chain, ChainFault, agrees_with_ledger};
pub use entry::{Entry, UnverifiedEntry};
pub use error::ReceiptError;
pub use shared::{Sharing, presented, presented_as};

/// The largest receipt read or made, in bytes: the digests of the largest answer, sixteen credentials to each of sixteen
/// queries, [`MAX_NAMES_BYTES`] of names, and base64url.
pub const MAX_RECEIPT_BYTES: usize = 64 * 1024;
/// What types and claims of one answer may take as names, in bytes of JSON: those of sixteen wide credentials. What goes
/// beyond is named by digest alone, or strangers could have us sign whatever they like at whatever length.
pub const MAX_NAMES_BYTES: usize = 24 * 1024;

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

/// Where a service's chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// Place of the last entry; 0 before the first.
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
    /// The attestation of the request.
    pub attestation: Word<'a>,
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
        let Word { said, key, digest } = processed.attestation;
        let act = Act { duty: said.duty.clone(), key, holder: processed.holder };
        Self {
            iss: processed.service.clone(),
            act,
            iat: processed.at,
            request: digest,
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
        self.sign_as(key_name, key)
    }

    /// Whether the answer was accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == ACCEPTED
    }
}

impl Stated for Receipt {
    const TYP: &'static str = typ::RECEIPT;
    const MAX_BYTES: usize = MAX_RECEIPT_BYTES;

    fn service(&self) -> &Did {
        &self.iss
    }

    fn is_sound(&self) -> bool {
        is_duty_number(&self.act.duty)
            && is_purpose(&self.purpose)
            && is_basis(&self.basis)
            && self.retention_days <= MAX_RETENTION_DAYS
            && is_place(self.seq, self.previous)
            && (self.is_accepted() || Code::parse(&self.verdict).is_some())
    }
}

/// Whether an entry can stand at a place of a chain: the first follows none, and every other follows one.
pub(crate) fn is_place(seq: u64, previous: Option<Hash>) -> bool {
    seq > 0 && (seq == 1) == previous.is_none()
}

impl ChainHead {
    /// The head once the entry with this text has been added.
    #[must_use]
    pub fn after(seq: u64, text: &str) -> Self {
        Self { seq, digest: Some(sha256(text.as_bytes())) }
    }
}

/// A receipt as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedReceipt<'a>(UnverifiedStatement<'a, Receipt>);

impl<'a> UnverifiedReceipt<'a> {
    /// Parses a receipt.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, ReceiptError> {
        Ok(Self(UnverifiedStatement::parse(text)?))
    }

    /// The service that it claims to be by.
    #[must_use]
    pub fn service(&self) -> &Did {
        &self.dangerous_claims().iss
    }

    /// What it claims to say: for finding what it is about, and for nothing that rests on it.
    #[must_use]
    pub fn dangerous_claims(&self) -> &Receipt {
        self.0.dangerous_claims()
    }

    /// Adds its signature to others that are verified together, as one by the key that it names.
    pub(crate) fn join(&self, history: &DidHistory, together: &mut Together) {
        self.0.join(history, together);
    }

    /// Where its signature is known to be by its key in this document, [`Self::verify`] need not verify it again.
    pub(crate) fn recognise(&mut self, document: &Document, known: &Known) {
        self.0.recognise(document, known);
    }

    fn into_dangerous_claims(self) -> Receipt {
        self.0.into_dangerous_claims()
    }

    fn is_by_any_key_of(&self, history: &DidHistory) -> bool {
        self.0.is_by_any_key_of(history)
    }

    /// Verifies the signature by a key of the service's DID document, as of whenever the caller resolved it.
    ///
    /// # Errors
    /// [`ReceiptError::Key`], [`ReceiptError::Signature`].
    pub fn verify(self, document: &Document) -> Result<VerifiedReceipt, ReceiptError> {
        Ok(VerifiedReceipt { receipt: self.0.verify(document)? })
    }
}

/// A receipt that the service really signed. Made in one function only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    receipt: Receipt,
}

impl VerifiedReceipt {
    /// What it says.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}
