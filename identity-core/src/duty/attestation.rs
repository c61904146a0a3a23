//! The attestation: its members, its signature, and what it lets be asked.

use ledger::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DutyError;
use super::signed::{self, Signed};
use crate::crypto::{Known, Signer, SigningFailed, Together};
use crate::dcql;
use crate::did::Did;
use crate::jose::typ;
use crate::oid4vp::request::{Parameters, is_purpose};
use crate::oid4vp::transaction_data;
use crate::registry::{Delegation, DutyHistory, DutyHolder, Role, is_duty_number};
use crate::time::UnixSeconds;

/// The `format` of an attestation among `verifier_info` (OpenID4VP 1.0 §5.11).
pub const FORMAT: &str = typ::DUTY;
/// The largest attestation read, in bytes: it repeats the query, which a request object has room for once more.
pub const MAX_ATTESTATION_BYTES: usize = 24 * 1024;
/// The most characters of a legal basis: the name of a law and an article of it.
pub const MAX_BASIS_CHARS: usize = 256;
/// The longest retention that can be stated, in days: a hundred years, for archives.
pub const MAX_RETENTION_DAYS: u32 = 36_525;

/// What an official signs (`xinfu-duty+jwt`): the question, whom it goes to, and what the answer is wanted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The department on whose behalf.
    pub iss: Did,
    /// The duty number.
    pub duty: String,
    /// The purpose's code.
    pub purpose: String,
    /// The legal basis, in the words of the law.
    pub basis: String,
    /// How long the answer is kept, in days.
    pub retention_days: u32,
    /// The department that receives the answer; the one that asks.
    pub receiver: Did,
    /// Digest of a salt and the case's number, which the department keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Hash>,
    /// Whether the holder is asked to sign this too. Not, for wallets that do not know how.
    pub holder_signs: bool,
    /// The question, as in the request.
    pub dcql_query: Value,
    /// Who asks, as in the request.
    pub client_id: String,
    /// Where the answer goes, as in the request.
    pub response_uri: String,
    /// The request's nonce.
    pub nonce: String,
    /// When the request stops counting.
    pub exp: UnixSeconds,
}

impl Attestation {
    /// Signs it with the duty key.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key: &dyn Signer) -> Result<String, SigningFailed> {
        signed::sign(self, key)
    }

    /// Whether every member is within its bounds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        is_duty_number(&self.duty)
            && is_purpose(&self.purpose)
            && is_basis(&self.basis)
            && self.retention_days <= MAX_RETENTION_DAYS
            && self.receiver == self.iss
    }

    /// Every type, claim and purpose within one delegation; it is never widened by another.
    pub(crate) fn check_scope(&self, duty: &Delegation, query: &dcql::Query) -> Result<(), DutyError> {
        for asked in &query.credentials {
            if !asked.vct_values.iter().all(|vct| duty.is_for(Role::Verifier, vct)) {
                return Err(DutyError::Type);
            }
            if !asked.claims.iter().all(|claim| duty.covers_claim(&claim.path.leading_names())) {
                return Err(DutyError::Claims);
            }
        }
        if !duty.is_for_purpose(&self.purpose) {
            return Err(DutyError::Purpose);
        }
        if duty.case_required && self.case.is_none() {
            return Err(DutyError::CaseMissing);
        }
        Ok(())
    }
}

/// Whether `text` can be a legal basis: some printable text, at most [`MAX_BASIS_CHARS`].
#[must_use]
pub fn is_basis(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_BASIS_CHARS && !text.chars().any(char::is_control)
}

/// An attestation as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedAttestation<'a>(Signed<'a, Attestation>);

impl<'a> UnverifiedAttestation<'a> {
    /// Parses an attestation.
    ///
    /// # Errors
    /// [`DutyError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, DutyError> {
        let signed = Signed::<Attestation>::parse(text, MAX_ATTESTATION_BYTES)?;
        if signed.claimed.is_sound() { Ok(Self(signed)) } else { Err(DutyError::Malformed) }
    }

    /// The duty that it claims: department and duty number, whose history is wanted to verify it.
    #[must_use]
    pub fn who(&self) -> (&Did, &str) {
        (&self.0.claimed.iss, &self.0.claimed.duty)
    }

    /// RFC 7638 thumbprint of the key that it claims to be signed by.
    #[must_use]
    pub fn key(&self) -> Hash {
        self.0.key
    }

    /// SHA-256 of its text.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.0.digest
    }

    /// What a receipt repeats of it.
    #[must_use]
    pub fn word(&self) -> Word<'_> {
        Word { said: &self.0.claimed, key: self.0.key, digest: self.0.digest }
    }

    /// What it claims to say: for finding the duty that it is under, and for showing what was received. Whoever relies on
    /// it verifies it first.
    #[must_use]
    pub fn dangerous_claims(&self) -> &Attestation {
        &self.0.claimed
    }

    /// Adds its signature to others that are verified together, as one by the key that it names.
    pub(crate) fn join(&self, history: &DutyHistory, together: &mut Together) {
        let named = history.delegations.iter().find(|given| given.key.thumbprint() == self.0.key);
        if let Some(given) = named {
            self.0.jws.join(given.key.key(), together);
        }
    }

    /// Where its signature is known to be by the key to which the ledger had delegated the duty at a log index,
    /// [`Self::verify`] need not verify it again.
    pub(crate) fn recognise(&mut self, history: &DutyHistory, index: u64, known: &Known) {
        if let Ok(delegation) = signed::delegated(history, &self.0.key, index) {
            self.0.jws.recognise(delegation.key.key(), known);
        }
    }

    /// Verifies the signature under the key to which the ledger had delegated the duty at a log index.
    ///
    /// # Errors
    /// [`DutyError`]: no such delegation, not yet or no longer, or another signature.
    pub fn verify(self, history: &DutyHistory, index: u64) -> Result<VerifiedAttestation, DutyError> {
        let delegation = self.0.under(self.who(), history, index)?;
        Ok(VerifiedAttestation { attestation: self.0.claimed, delegation, key: self.0.key, digest: self.0.digest })
    }
}

/// That a duty was given to whoever acts.
pub(crate) fn check_holder(duty: &Delegation, acts: DutyHolder) -> Result<(), DutyError> {
    if duty.holder == acts { Ok(()) } else { Err(DutyError::Holder) }
}

/// An attestation that was signed under a duty that the ledger knew. Made in one function only.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedAttestation {
    attestation: Attestation,
    delegation: Delegation,
    key: Hash,
    digest: Hash,
}

/// An attestation as a receipt repeats it, verified or not.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    pub(crate) said: &'a Attestation,
    pub(crate) key: Hash,
    pub(crate) digest: Hash,
}

impl VerifiedAttestation {
    /// What was signed.
    #[must_use]
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// The delegation under which it was signed.
    #[must_use]
    pub fn delegation(&self) -> &Delegation {
        &self.delegation
    }

    /// SHA-256 of the attestation's text.
    #[must_use]
    pub fn digest(&self) -> &Hash {
        &self.digest
    }

    /// What a receipt repeats of it.
    #[must_use]
    pub fn word(&self) -> Word<'_> {
        Word { said: &self.attestation, key: self.key, digest: self.digest }
    }

    /// That it was signed over this very request, by the department that asks, that what the holder is to sign is over
    /// it in turn, and that the duty covers it.
    ///
    /// # Errors
    /// [`DutyError`], by the first thing that does not fit.
    pub fn check(&self, asker: &Did, request: &Parameters) -> Result<(), DutyError> {
        if self.attestation.iss != *asker {
            return Err(DutyError::Department);
        }
        let bound = transaction_data::are_over(&request.transaction_data, &self.digest);
        if !self.attestation.is_over(request) || !bound {
            return Err(DutyError::OtherRequest);
        }
        self.attestation.check_scope(&self.delegation, &request.query)
    }

    /// That the duty was given to whoever acts, a person or a service by itself: receipts name which of the two it was.
    ///
    /// # Errors
    /// [`DutyError::Holder`].
    pub fn check_holder(&self, acts: DutyHolder) -> Result<(), DutyError> {
        check_holder(&self.delegation, acts)
    }
}

impl Attestation {
    /// Whether a request says the same: the query as parsed JSON, so that only the order of an object's members is free.
    fn is_over(&self, request: &Parameters) -> bool {
        self.dcql_query == request.dcql_query
            && self.client_id == request.client_id.as_str()
            && self.response_uri == request.response_uri.as_str()
            && self.nonce == request.nonce
            && self.exp == request.expires
            && Some(self.purpose.as_str()) == request.purpose.as_deref()
            && self.holder_signs != request.transaction_data.is_empty()
    }
}
